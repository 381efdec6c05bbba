#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/item/event_decoder.hpp>
#include <freshet/letter/dead_letter.hpp>

namespace stream_to_fifo {

/// An event that is tried again, without the records that are dead letters: those are done with.
class repeated_event {
public:
    /// Borrows the text.
    explicit repeated_event(std::string_view text) : whole_{text} {}

    [[nodiscard]] auto text() const noexcept -> std::string_view { return left_out_ == 0 ? whole_ : rest_; }
    [[nodiscard]] auto left_out() const noexcept -> std::size_t { return left_out_; }

    /// Leaves out the records that these messages to the dead-letter queue are of.
    void leave_out(const std::vector<std::string>& letters) {
        std::vector<std::string> gone;
        for (const auto& body : letters) {
            if (auto letter = freshet::parse_dead_letter(body)) { gone.push_back(std::move(letter->bytes)); }
        }
        const auto before = std::string{text()};
        const auto records = decoder_.decode(before);
        if (gone.empty() || !records) { return; }
        std::string rest;
        auto out = left_out_;
        for (const auto& record : *records) {
            if (std::find(gone.begin(), gone.end(), record.bytes()) != gone.end()) {
                ++out;
            } else {
                rest.append(rest.empty() ? "" : ",").append(record.bytes());
            }
        }
        left_out_ = out;
        rest_ = R"({"Records":[)" + rest + "]}";
    }

private:
    std::string_view whole_;
    std::string rest_;
    std::size_t left_out_{};
    freshet::event_decoder decoder_;
};

} // namespace stream_to_fifo
