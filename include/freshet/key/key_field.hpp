#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace freshet {

/// What a field of a key is read as.
enum class key_field_kind : std::uint8_t {
    text,   ///< the key's own characters: names, uuids, rests
    number, ///< an unsigned number of 64 bits
};

/// One field of a matched key, whatever pattern it came from.
///
/// `name` has static storage; `text` views the key that was matched and lives as long as that key.
struct key_field {
    std::string_view name;
    key_field_kind kind{key_field_kind::text};
    std::string_view text;  ///< the key's own characters, padding included
    std::uint64_t number{}; ///< the value of a number; 0 for text

    friend constexpr auto operator==(const key_field&, const key_field&) -> bool = default;
};

/// A matched key without the types that matched it: which entity, and its fields in the order of its patterns
/// (the partition key's, then the sort key's).
///
/// A view: `fields` lives as long as the match it was taken from, the texts in it as long as the key.
struct entity_key {
    std::string_view entity;
    std::span<const key_field> fields;

    /// The field of that name, or null.
    [[nodiscard]] constexpr auto find(std::string_view name) const noexcept -> const key_field* {
        for (const auto& field : fields) {
            if (field.name == name) { return &field; }
        }
        return nullptr;
    }
};

} // namespace freshet
