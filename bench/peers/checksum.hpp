#pragma once

#include <cstddef>
#include <string_view>

namespace freshet_bench {

/// What a decoder understood of an event; two that agree on it read the same.
struct checksum {
    std::size_t records{};
    std::size_t attributes{};      ///< of keys and images, at the top
    std::size_t text_bytes{};      ///< decoded, of all names and of all texts, however deep
    std::size_t sequence_digits{}; ///< their sum

    void add_sequence(std::string_view digits) {
        for (const char digit : digits) { sequence_digits += static_cast<std::size_t>(digit - '0'); }
    }
    friend auto operator==(const checksum&, const checksum&) -> bool = default;
};

/// The sum over a DOM whose library is wrapped as `Dom`: `members(value, f(name, value))`, `elements(value, f(value))`,
/// `text(value)`, and `member(value, name)`.
template <class Dom>
class dom_checksum {
public:
    template <class Value>
    [[nodiscard]] static auto of(const Value& event) -> checksum {
        dom_checksum it;
        Dom::elements(Dom::member(event, "Records"), [&](const auto& record) {
            ++it.sum_.records;
            Dom::members(Dom::member(record, "dynamodb"), [&](std::string_view name, const auto& value) {
                if (name == "SequenceNumber") { it.sum_.add_sequence(Dom::text(value)); }
                if (name == "Keys" || name == "NewImage" || name == "OldImage") { it.image(value); }
            });
        });
        return it.sum_;
    }

private:
    template <class Value>
    void image(const Value& attributes) {
        Dom::members(attributes, [&](std::string_view name, const auto& value) {
            ++sum_.attributes;
            sum_.text_bytes += name.size();
            one(value);
        });
    }

    template <class Value>
    void one(const Value& attribute) {
        Dom::members(attribute, [&](std::string_view type, const auto& content) {
            if (type == "M") {
                Dom::members(content, [&](std::string_view name, const auto& value) {
                    sum_.text_bytes += name.size();
                    one(value);
                });
            } else if (type == "L") {
                Dom::elements(content, [&](const auto& value) { one(value); });
            } else if (type.size() == 2) { // SS, NS, BS
                Dom::elements(content, [&](const auto& value) { sum_.text_bytes += Dom::text(value).size(); });
            } else if (type.size() == 1) { // S, N, B
                sum_.text_bytes += Dom::text(content).size();
            }
        });
    }

    checksum sum_;
};

} // namespace freshet_bench
