#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Sums up what a reader understood of an event; two that agree on it read the same texts, types and nesting.
namespace freshet_bench {

namespace content {

inline constexpr std::uint64_t object = 0x6f626a656374;
inline constexpr std::uint64_t array = 0x6172726179;
inline constexpr std::uint64_t no = 0x6e6f;
inline constexpr std::uint64_t yes = 0x796573;
inline constexpr std::uint64_t other = 0x6f74686572; ///< null and JSON numbers, which no attribute holds

[[nodiscard]] constexpr auto mix(std::uint64_t a, std::uint64_t b) -> std::uint64_t {
    a = (a ^ (b + 0x9e3779b97f4a7c15U + (a << 6U))) * 0xff51afd7ed558ccdU;
    return a ^ (a >> 32U);
}

[[nodiscard]] constexpr auto text(std::string_view characters) -> std::uint64_t {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : characters) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U; }
    return mix(hash, characters.size());
}

/// What a member adds to its object: the order of members does not count, as trees do not keep it.
[[nodiscard]] constexpr auto member(std::string_view name, std::uint64_t value) -> std::uint64_t {
    return mix(text(name), value);
}

/// Whether a member counts that stands in `depth` objects and arrays: of a record its identity, keys and images.
[[nodiscard]] constexpr auto counts(std::size_t depth, std::string_view name) -> bool {
    switch (depth) {
        case 1: return name == "Records";
        case 3: return name == "eventID" || name == "eventName" || name == "dynamodb";
        case 4: return name == "SequenceNumber" || name == "Keys" || name == "NewImage" || name == "OldImage";
        default: return true;
    }
}

} // namespace content

/// What a value of a DOM is to `dom_checksum`.
enum class dom_kind : std::uint8_t { text, no, yes, array, object, other };

/// The sum over a DOM whose library is wrapped as `Dom`: `kind(value)`, `text(value)`, `members(value, f(name,
/// value))`, `elements(value, f(value))`.
template <class Dom, class Value>
[[nodiscard]] auto dom_checksum(const Value& value, std::size_t depth = 0) -> std::uint64_t {
    std::uint64_t sum = content::other;
    switch (Dom::kind(value)) {
        case dom_kind::text: return content::text(Dom::text(value));
        case dom_kind::no: return content::no;
        case dom_kind::yes: return content::yes;
        case dom_kind::array:
            sum = content::array;
            Dom::elements(value,
                          [&](const auto& inner) { sum = content::mix(sum, dom_checksum<Dom>(inner, depth + 1)); });
            break;
        case dom_kind::object:
            sum = content::object;
            Dom::members(value, [&](std::string_view name, const auto& inner) {
                if (content::counts(depth + 1, name)) {
                    sum += content::member(name, dom_checksum<Dom>(inner, depth + 1));
                }
            });
            break;
        case dom_kind::other: break;
    }
    return sum;
}

} // namespace freshet_bench
