#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include <peers/checksum.hpp>

namespace freshet_bench {

enum class sax_looks_at : std::uint8_t { contents, sizes };

/// Follows an event through nlohmann's SAX parser, which decodes every text and keeps none.
///
/// Looking at contents it makes the sum that the other readers make; looking at sizes, one that costs next to nothing.
template <sax_looks_at What>
class sax_checksum final : public nlohmann::json_sax<nlohmann::json> {
public:
    [[nodiscard]] auto sum() const -> std::uint64_t { return sum_; }
    void restart() {
        sum_ = 0;
        open_.clear();
    }

    auto null() -> bool override { return add(content::other); }
    auto boolean(bool read) -> bool override { return add(read ? content::yes : content::no); }
    auto number_integer(number_integer_t) -> bool override { return add(content::other); }
    auto number_unsigned(number_unsigned_t) -> bool override { return add(content::other); }
    auto number_float(number_float_t, const string_t&) -> bool override { return add(content::other); }
    auto string(string_t& read) -> bool override { return add(seen(read)); }
    auto binary(binary_t&) -> bool override { return false; }
    auto key(string_t& read) -> bool override {
        open_.back().name = seen(read);
        open_.back().counts = content::counts(open_.size(), read);
        return true;
    }
    auto start_object(std::size_t) -> bool override { return open_.push_back({content::object, 0, true, false}), true; }
    auto start_array(std::size_t) -> bool override { return open_.push_back({content::array, 0, true, true}), true; }
    auto end_object() -> bool override { return close(); }
    auto end_array() -> bool override { return close(); }
    auto parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) -> bool override {
        return false;
    }

private:
    struct opened {
        std::uint64_t sum;
        std::uint64_t name;
        bool counts;
        bool is_array;
    };

    [[nodiscard]] static auto seen(const string_t& read) -> std::uint64_t {
        return What == sax_looks_at::contents ? content::text(read) : read.size();
    }
    auto add(std::uint64_t value) -> bool {
        if (open_.empty()) {
            sum_ = value;
        } else if (auto& in = open_.back(); in.is_array) {
            in.sum = content::mix(in.sum, value);
        } else if (in.counts) {
            in.sum += content::mix(in.name, value);
        }
        return true;
    }
    auto close() -> bool {
        const auto sum = open_.back().sum;
        open_.pop_back();
        return add(sum);
    }

    std::uint64_t sum_{};
    std::vector<opened> open_;
};

} // namespace freshet_bench
