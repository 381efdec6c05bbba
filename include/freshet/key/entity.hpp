#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include <freshet/core/fixed_text.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/key/key_overlap.hpp>
#include <freshet/key/key_pattern.hpp>

namespace freshet {

/// Stands for the sort pattern of a table that has no sort key: matches empty text alone.
struct no_sort_key {
    static constexpr std::size_t field_count = 0;
    static constexpr std::size_t padded_digits = std::string_view::npos;
    static constexpr std::array<std::string_view, 0> field_names{};
    static constexpr std::array<key_field_kind, 0> field_kinds{};
    template <key_widths>
    [[nodiscard]] static constexpr auto match(std::string_view key, key_slice*) noexcept -> bool {
        return key.empty();
    }
};

/// The fields of a partition key and of a sort key, in this order, as one schema of `key_fields`.
template <class Partition, class Sort>
struct joined_keys {
private:
    template <class Value>
    static constexpr auto joined(const auto& first, const auto& second) {
        std::array<Value, Partition::field_count + Sort::field_count> all{};
        std::size_t at = 0;
        for (const auto& value : first) { all[at++] = value; }
        for (const auto& value : second) { all[at++] = value; }
        return all;
    }

public:
    static constexpr auto field_names = joined<std::string_view>(Partition::field_names, Sort::field_names);
    static constexpr auto field_kinds = joined<key_field_kind>(Partition::field_kinds, Sort::field_kinds);

    /// Whether some name occurs twice.
    static constexpr bool ambiguous = [] {
        for (std::size_t i = 0; i < field_names.size(); ++i) {
            for (std::size_t k = 0; k < i; ++k) {
                if (field_names[i] == field_names[k]) { return true; }
            }
        }
        return false;
    }();
};

/// A kind of item in a table, named and told apart by the patterns of its partition key and its sort key.
///
/// A field's name occurs in one of the two patterns only.
template <fixed_text Name, class Partition, class Sort = no_sort_key>
struct entity {
    static_assert(!Name.view().empty(), "an entity has a name");
    static_assert(!joined_keys<Partition, Sort>::ambiguous,
                  "a key field's name occurs in the partition and in the sort pattern of an entity");

    using partition = Partition;
    using sort = Sort;
    /// The values of both keys' fields, the partition key's first.
    using fields_type = key_fields<joined_keys<Partition, Sort>>;

    static constexpr std::string_view name = Name.view();
    static constexpr std::size_t field_count = Partition::field_count + Sort::field_count;
};

/// Whether some key matches both patterns (`key_pattern` or `no_sort_key`).
template <class One, class Other>
inline constexpr bool patterns_overlap =
    keys_overlap(key_automaton{One::text, One::pieces}, key_automaton{Other::text, Other::pieces});
template <class Same>
inline constexpr bool patterns_overlap<Same, Same> = true;
template <class Pattern>
inline constexpr bool patterns_overlap<no_sort_key, Pattern> = false;
template <class Pattern>
inline constexpr bool patterns_overlap<Pattern, no_sort_key> = false;
template <>
inline constexpr bool patterns_overlap<no_sort_key, no_sort_key> = true;

/// Whether some pair of keys matches both entities.
template <class One, class Other>
inline constexpr bool entities_overlap = std::conjunction_v<
    std::bool_constant<patterns_overlap<typename One::partition, typename Other::partition>>,
    std::bool_constant<patterns_overlap<typename One::sort, typename Other::sort>>>;

} // namespace freshet
