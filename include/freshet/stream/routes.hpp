#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/core/fixed_text.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/text_arena.hpp>
#include <freshet/key/entity.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/stream/fifo_message_builder.hpp>

namespace freshet {

/// One queue that messages about an entity go to, and the pattern of the group that keeps their order there.
///
/// The group's fields are fields of the entity's key, by name: `IMAGE#{image_id:uuid}#RECEIPT#{receipt_id:d}`. A text
/// field of the group that is a number in the key takes the key's own characters, padding included.
template <class Entity, fixed_text Queue, class Group>
struct route {
    using entity = Entity;
    using group = Group;
    static constexpr std::string_view queue = Queue.view();

private:
    using key = joined_keys<typename Entity::partition, typename Entity::sort>;

    /// The place of a group's field among the fields of the entity's key.
    static constexpr auto place(std::size_t field) -> std::size_t {
        const auto found = std::find(key::field_names.begin(), key::field_names.end(), Group::field_names[field]);
        return static_cast<std::size_t>(found - key::field_names.begin());
    }
    static constexpr bool known = [] {
        for (std::size_t i = 0; i < Group::field_count; ++i) {
            if (place(i) == key::field_names.size()) { return false; }
        }
        return true;
    }();
    static constexpr bool readable = [] {
        for (std::size_t i = 0; i < Group::field_count; ++i) {
            const bool number =
                place(i) < key::field_kinds.size() && key::field_kinds[place(i)] == key_field_kind::number;
            if (Group::field_kinds[i] == key_field_kind::number && !number) { return false; }
        }
        return true;
    }();
    static_assert(known, "a route's group names a field that the entity's key does not have");
    static_assert(!known || readable, "a route's group takes a field for a number that is text in the entity's key");
    static_assert(!Queue.view().empty(), "a route names its queue");

public:
    /// What the entity's key holds for the fields of the group.
    static constexpr auto kinds_in_key = [] {
        std::array<key_field_kind, Group::field_count> kinds{};
        for (std::size_t i = 0; known && i < kinds.size(); ++i) { kinds[i] = key::field_kinds[place(i)]; }
        return kinds;
    }();
};

/// Which queues a table's messages go to. A queue that takes an entity twice gets two messages of each record.
template <class... Routes>
struct routes {
    /// Whether any route is for the entity of that name.
    [[nodiscard]] static constexpr auto any_for([[maybe_unused]] std::string_view entity) noexcept -> bool {
        return ((Routes::entity::name == entity) || ...);
    }

    /// Where a record with this key goes, in the order of the routes; nowhere if no route is for its entity.
    ///
    /// Queue names have static storage; the groups' texts live in `memory` until it is reset. Malformed when the key
    /// lacks a field that its entity has, or has it of another kind, and when a group's pattern refuses a field's
    /// value; `out` then keeps the destinations before that one.
    [[nodiscard]] static auto destinations([[maybe_unused]] const entity_key& key, [[maybe_unused]] text_arena& memory,
                                           [[maybe_unused]] std::vector<destination>& out) -> result<void> {
        result<void> outcome;
        static_cast<void>(
            ((Routes::entity::name != key.entity || (outcome = add<Routes>(key, memory, out)).ok()) && ...));
        return outcome;
    }

private:
    template <class Route>
    [[nodiscard]] static auto add(const entity_key& key, text_arena& memory, std::vector<destination>& out)
        -> result<void> {
        using Group = typename Route::group;
        std::array<const key_field*, Group::field_count> fields{};
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const auto kind = Route::kinds_in_key[i];
            fields[i] = key.find(Group::field_names[i]);
            if (fields[i] == nullptr || fields[i]->kind != kind) {
                return error{errc::malformed, "entity " + std::string{key.entity} + ": its key has no " +
                                                  (kind == key_field_kind::number ? "number " : "text ") +
                                                  std::string{Group::field_names[i]}};
            }
        }
        return [&]<std::size_t... I>(std::index_sequence<I...>) -> result<void> {
            const auto size = Group::formatted_size(value<Group::field_kinds[I]>(*fields[I])...);
            if (!size) { return size.fault().as_error("group " + std::string{Group::text}); }
            char* const text = memory.allocate(*size);
            static_cast<void>(Group::format_to(text, value<Group::field_kinds[I]>(*fields[I])...));
            out.push_back({Route::queue, {text, *size}});
            return {};
        }(std::make_index_sequence<Group::field_count>{});
    }

    template <key_field_kind Kind>
    [[nodiscard]] static constexpr auto value(const key_field& field) noexcept {
        if constexpr (Kind == key_field_kind::number) { return field.number; }
        else { return field.text; }
    }
};

} // namespace freshet
