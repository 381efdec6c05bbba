#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <freshet/core/fixed_text.hpp>
#include <freshet/key/key_field.hpp>

namespace freshet {

/// What a field of that kind is read as: `std::uint64_t`, or a `std::string_view` into the key.
template <key_field_kind Kind>
using key_value = std::conditional_t<Kind == key_field_kind::number, std::uint64_t, std::string_view>;

/// The values of a key's fields, by name (`fields.get<"receipt_id">()`), by position and by structured binding.
///
/// `Schema` names `field_names` and `field_kinds`, two arrays of one size. Texts are views into the key that was
/// parsed, or into what the values were made from.
template <class Schema, class = std::make_index_sequence<Schema::field_names.size()>>
class key_fields;

template <class Schema, std::size_t... I>
class key_fields<Schema, std::index_sequence<I...>> {
public:
    constexpr key_fields() = default;

    /// One value a field, in the pattern's order. The values are not checked; `format` does.
    constexpr explicit key_fields(key_value<Schema::field_kinds[I]>... values)
        requires(sizeof...(I) > 0)
        : values_{values...} {}

    [[nodiscard]] static constexpr auto size() noexcept -> std::size_t { return sizeof...(I); }

    /// The value of the field of that name.
    template <fixed_text Name>
    [[nodiscard]] constexpr auto get() const noexcept {
        constexpr auto index = index_of(Name.view());
        static_assert(index < sizeof...(I), "a key has no field of that name");
        return std::get<index < sizeof...(I) ? index : 0>(values_);
    }

    /// The value of the field at that position.
    template <std::size_t Index>
    [[nodiscard]] constexpr auto get() const noexcept {
        return std::get<Index>(values_);
    }

    /// Calls `visit(name, value)` for each field in order.
    template <class Visit>
    constexpr void for_each(Visit&& visit) const {
        (static_cast<void>(visit(Schema::field_names[I], std::get<I>(values_))), ...);
    }

    friend constexpr auto operator==(const key_fields&, const key_fields&) -> bool = default;

private:
    static constexpr auto index_of(std::string_view name) -> std::size_t {
        std::size_t at = 0;
        while (at < sizeof...(I) && Schema::field_names[at] != name) { ++at; }
        return at;
    }

    std::tuple<key_value<Schema::field_kinds[I]>...> values_{};
};

} // namespace freshet

template <class Schema, std::size_t... I>
struct std::tuple_size<freshet::key_fields<Schema, std::index_sequence<I...>>>
    : std::integral_constant<std::size_t, sizeof...(I)> {};

template <std::size_t Index, class Schema, std::size_t... I>
struct std::tuple_element<Index, freshet::key_fields<Schema, std::index_sequence<I...>>> {
    using type = freshet::key_value<Schema::field_kinds[Index]>;
};
