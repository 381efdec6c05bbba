#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <freshet/core/result.hpp>
#include <freshet/key/entity.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/key/key_scan.hpp>

namespace freshet {

/// Which of a registry's entities a pair of keys belongs to, and the fields of both; or that it belongs to none.
///
/// Its texts are views into the keys that were matched; what `fields` and `erased` answer with views the match.
template <class... Entities>
class key_match {
public:
    [[nodiscard]] constexpr auto ok() const noexcept -> bool { return index_ < sizeof...(Entities); }
    constexpr explicit operator bool() const noexcept { return ok(); }

    /// The entity's place in the registry; the number of entities where none matched.
    [[nodiscard]] constexpr auto index() const noexcept -> std::size_t { return index_; }

    /// The entity's name, of static storage; empty where none matched.
    [[nodiscard]] constexpr auto name() const noexcept -> std::string_view {
        return names_[index_];
    }

    /// The partition key's fields, then the sort key's; none where no entity matched.
    [[nodiscard]] constexpr auto fields() const& noexcept -> std::span<const key_field> {
        return {fields_.data(), size_};
    }
    auto fields() const&& = delete;

    /// The match without its types.
    [[nodiscard]] constexpr auto erased() const& noexcept -> entity_key { return {name(), fields()}; }
    auto erased() const&& = delete;

    /// The typed fields, if this is a key of that entity.
    template <class Entity>
    [[nodiscard]] constexpr auto get_if() const -> std::optional<typename Entity::fields_type> {
        static_assert((std::is_same_v<Entity, Entities> || ...), "the registry has no such entity");
        if (!is<Entity>()) { return std::nullopt; }
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            using fields_type = typename Entity::fields_type;
            return fields_type{value<std::tuple_element_t<I, fields_type>>(fields_[I])...};
        }(std::make_index_sequence<Entity::field_count>{});
    }

private:
    template <class...>
    friend struct key_registry;

    template <class Entity>
    [[nodiscard]] constexpr auto is() const noexcept -> bool {
        std::size_t place = 0;
        static_cast<void>(((std::is_same_v<Entity, Entities> || (++place, false)) || ...));
        return index_ == place;
    }
    template <class Value>
    static constexpr auto value(const key_field& field) noexcept -> Value {
        if constexpr (std::is_integral_v<Value>) { return field.number; }
        else { return field.text; }
    }

    /// Reads `key` into the fields from `first` on, where it matches.
    template <class Pattern, key_widths Widths>
    constexpr auto read(std::string_view key, std::size_t first) -> bool {
        std::array<key_slice, Pattern::field_count> slices{};
        if (!Pattern::template match<Widths>(key, slices.data())) { return false; }
        for (std::size_t i = 0; i < slices.size(); ++i) {
            fields_[first + i] = {Pattern::field_names[i], Pattern::field_kinds[i], slices[i].text, slices[i].number};
        }
        return true;
    }

    static constexpr std::array<std::string_view, sizeof...(Entities) + 1> names_{Entities::name..., {}};

    std::array<key_field, std::max({Entities::field_count...})> fields_{};
    std::size_t size_{};
    std::size_t index_{sizeof...(Entities)};
};

/// Refuses to compile two entities that one pair of keys could belong to; says at which places they stand.
template <std::size_t Place, std::size_t OtherPlace, class Entity, class Other>
struct distinct_entities {
    static_assert(Entity::name != Other::name, "two entities of a key registry have one name");
    static_assert(!entities_overlap<Entity, Other>, "two entities of a key registry match the same keys");
    static constexpr bool value = true;
};

template <class... Entities, std::size_t... Place>
[[nodiscard]] consteval auto distinct_from_earlier(std::index_sequence<Place...>) -> bool {
    constexpr auto with_earlier = []<std::size_t Here, std::size_t... Earlier>(
                                      std::integral_constant<std::size_t, Here>, std::index_sequence<Earlier...>) {
        using all = std::tuple<Entities...>;
        return (distinct_entities<Earlier, Here, std::tuple_element_t<Earlier, all>,
                                  std::tuple_element_t<Here, all>>::value && ...);
    };
    return (with_earlier(std::integral_constant<std::size_t, Place>{}, std::make_index_sequence<Place>{}) && ...);
}

/// The entities of a table: says of any pair of keys which of them it belongs to, or that it belongs to none.
///
/// Keys match as a whole. Entities never compete: two that share a single pair of keys do not compile. A partition
/// pattern that several entities share is read once. Nothing is allocated.
template <class... Entities>
struct key_registry {
private:
    static_assert(sizeof...(Entities) > 0, "a key registry names at least one entity");

    static_assert(distinct_from_earlier<Entities...>(std::make_index_sequence<sizeof...(Entities)>{}));

    template <std::size_t I>
    using nth = std::tuple_element_t<I, std::tuple<Entities...>>;

public:
    using match_type = key_match<Entities...>;

    static constexpr std::size_t size = sizeof...(Entities);
    static constexpr std::array<std::string_view, size> names{Entities::name...};

    /// The entity of these two keys. An item of a table without sort keys has an empty one. A string that ends with
    /// the call is refused: the match views it.
    [[nodiscard]] static constexpr auto match(std::string_view partition, std::string_view sort = {}) -> match_type {
        match_type found;
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            static_cast<void>((match_from<I>(partition, sort, found) || ...));
        }(std::make_index_sequence<size>{});
        return found;
    }
    template <class... Keys>
        requires(passing_string<Keys> || ...)
    static auto match(Keys&&...) -> match_type = delete;

private:
    /// The first entity with that partition pattern.
    template <class Partition>
    static consteval auto first_with() -> std::size_t {
        std::size_t place = 0;
        static_cast<void>(((std::is_same_v<Partition, typename Entities::partition> || (++place, false)) || ...));
        return place;
    }

    /// Tries all entities that have the partition pattern of entity `I`, if that one is the first of them.
    template <std::size_t I>
    static constexpr auto match_from(std::string_view partition, std::string_view sort, match_type& found) -> bool {
        using Partition = typename nth<I>::partition;
        if constexpr (first_with<Partition>() == I) {
            if (!found.template read<Partition, key_widths::padded>(partition, 0) &&
                (longest_digit_run(partition) <= Partition::padded_digits ||
                 !found.template read<Partition, key_widths::any>(partition, 0))) {
                return false;
            }
            return [&]<std::size_t... J>(std::index_sequence<J...>) {
                if ((match_sort<Partition, key_widths::padded, J>(sort, found) || ...)) { return true; }
                const auto digits = longest_digit_run(sort);
                return ((digits > nth<J>::sort::padded_digits &&
                         match_sort<Partition, key_widths::any, J>(sort, found)) || ...);
            }(std::make_index_sequence<size>{});
        }
        return false;
    }

    template <class Partition, key_widths Widths, std::size_t I>
    static constexpr auto match_sort(std::string_view sort, match_type& found) -> bool {
        if constexpr (std::is_same_v<Partition, typename nth<I>::partition>) {
            if (found.template read<typename nth<I>::sort, Widths>(sort, Partition::field_count)) {
                found.size_ = nth<I>::field_count;
                found.index_ = I;
                return true;
            }
        }
        return false;
    }
};

} // namespace freshet
