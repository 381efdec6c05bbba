#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/text_arena.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/stream/change_detector.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/monitored_fields.hpp>

namespace freshet {

/// The monitored fields of each entity of a registry, in its order; none for an entity that is not named.
template <class Registry>
class entity_fields {
public:
    /// Monitors these fields of the entity: `fields.set("USER", monitored<"mail", "score">{})`. A name that the
    /// registry does not have aborts with a line.
    template <class Names>
    auto set(std::string_view entity, const Names& names) -> entity_fields& {
        for (std::size_t i = 0; i < Registry::size; ++i) {
            if (Registry::names[i] == entity) {
                by_index_[i].assign(names.begin(), names.end());
                return *this;
            }
        }
        abort_on_misuse("entity_fields: the registry has no entity " + std::string{entity});
    }
    [[nodiscard]] auto operator[](std::size_t index) const -> const monitored_fields& { return by_index_[index]; }
    [[nodiscard]] auto operator[](std::size_t index) -> monitored_fields& { return by_index_[index]; }

    friend auto operator==(const entity_fields&, const entity_fields&) -> bool = default;

private:
    std::array<monitored_fields, Registry::size> by_index_;
};

template <class Registry>
struct record_translator_options {
    entity_fields<Registry> fields{};
    std::string partition{"PK"}; ///< the attribute that is the table's partition key
    std::string sort{"SK"};      ///< the one that is its sort key; empty: the table has none
    change_detector_options detector{.null_is_absent = true};
    fifo_message_builder_options builder{};
};

/// Turns a change record into the messages that tell of it: which entity, what changed, where to, and the messages.
///
/// `Registry` tells the table's entities apart (`key_registry`), `Routes` says which queues want them (`routes`). A
/// record whose keys are none of the registry's, or that no route is for, is ignored. Keeps scratch memory; not thread
/// safe.
template <class Registry, class Routes, class Observer = unobserved>
class record_translator {
public:
    using emits = event_list<id_mapped>;

    explicit record_translator(record_translator_options<Registry> options = {}, Observer seen = {})
        : options_{std::move(options)}, builder_{options_.builder, std::move(seen)} {
        for (std::size_t i = 0; i < Registry::size; ++i) { detectors_.emplace_back(options_.fields[i], options_.detector); }
    }

    /// Adds the record's messages to `out`, marked as coming from record number `index`; a record that fails leaves
    /// `out` as it was.
    [[nodiscard]] auto translate(const stream_record& record, std::size_t index, message_batch& out)
        -> result<build_verdict> {
        const auto match = match_of(record.keys);
        if (!match || !Routes::any_for(match.name())) { return build_verdict::ignored; }
        const auto key = match.erased();
        const auto changes = detectors_[match.index()].detect(record, key);
        auto judged = builder_.judge(record, changes);
        if (!judged || *judged != build_verdict::built) { return judged; }
        const auto found = destinations_of(key);
        if (!found) { return found.why(); }
        return builder_.build(record, index, key, changes, *found, out);
    }

    /// Where the messages of a record with such keys go, whatever happened to it: nowhere if it is ignored. Valid until
    /// the next call.
    [[nodiscard]] auto route(const image& keys) -> result<std::span<const destination>> {
        const auto match = match_of(keys);
        if (!match) { return std::span<const destination>{}; }
        return destinations_of(match.erased());
    }

private:
    [[nodiscard]] auto match_of(const image& keys) const -> typename Registry::match_type {
        const auto text_of = [&](std::string_view name) {
            const auto key = keys.find(name);
            return key && key->type() == attribute_type::string ? key->text() : std::string_view{};
        };
        return Registry::match(text_of(options_.partition), text_of(options_.sort));
    }

    [[nodiscard]] auto destinations_of(const entity_key& key) -> result<std::span<const destination>> {
        groups_.reset();
        destinations_.clear();
        if (auto found = Routes::destinations(key, groups_, destinations_); !found) { return std::move(found).why(); }
        return std::span<const destination>{destinations_};
    }

    record_translator_options<Registry> options_;
    fifo_message_builder<Observer> builder_;
    std::vector<change_detector<monitored_fields>> detectors_;
    text_arena groups_;
    std::vector<destination> destinations_;
};

} // namespace freshet
