#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/same_value.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/stream/monitored_fields.hpp>

namespace freshet {

/// One monitored field that changed. An absent side is absent; a side that is there may be a NULL.
struct field_change {
    std::string_view field;
    std::optional<attribute> before;
    std::optional<attribute> after;
};

enum class change_verdict : std::uint8_t {
    changed,     ///< at least one monitored field differs
    unchanged,   ///< both sides are known and no monitored field differs
    cannot_tell, ///< an image that the answer needs is not in the record
};

/// What changed, in the order of the monitored fields. A view, valid until the detector's next `detect`.
struct change_set {
    change_verdict verdict{change_verdict::cannot_tell};
    std::span<const field_change> changes;
};

struct change_detector_options {
    /// Whether a NULL counts as an absent attribute, inside maps too: then writing or removing a NULL is no change.
    bool null_is_absent{false};
};

/// Tells which monitored fields a change record changed.
///
/// Values compare as `same_value` does; a change of type is a change. A monitored name that is a field of the item's
/// key is read from the key (it is part of the item's identity, so it only comes and goes). INSERT has no side before,
/// REMOVE none after. MODIFY needs both images, INSERT the new one, REMOVE the old one: without them the answer is
/// `cannot_tell` and no change is listed. MODIFY alone proves nothing: emulators write it for writes that change
/// nothing.
///
/// `Fields` is a range of names, none of them twice: `monitored<"a", "b">` or `monitored_fields`. Keeps scratch memory;
/// not thread safe.
template <class Fields>
class change_detector {
public:
    /// A name that repeats aborts with a line.
    explicit change_detector(Fields fields, change_detector_options options = {})
        : fields_{std::move(fields)},
          options_{options},
          same_{options.null_is_absent},
          hints_(static_cast<std::size_t>(std::distance(fields_.begin(), fields_.end()))) {
        if (has_repeated_names(fields_)) { abort_on_misuse("change_detector: a monitored field occurs twice"); }
    }

    [[nodiscard]] auto detect(const stream_record& record, const entity_key& key) -> change_set {
        const bool has_before = record.name != event_name::insert;
        const bool has_after = record.name != event_name::remove;
        changes_.clear();
        if ((has_before && !record.old_image) || (has_after && !record.new_image)) { return {}; }

        from_key_.clear();
        from_key_.reserve(key.fields.size()); // changes point at its elements
        std::size_t index = 0;
        for (const std::string_view field : fields_) {
            auto& hint = hints_[index++];
            field_change change{field, {}, {}};
            if (const auto* part = key.find(field)) {
                const attribute value{node_of(*part)};
                if (has_before && has_after) { continue; }
                (has_before ? change.before : change.after) = value;
            } else {
                if (has_before) { change.before = known(record.old_image->find(field, hint)); }
                if (has_after) { change.after = known(record.new_image->find(field, hint)); }
            }
            const bool same =
                change.before && change.after ? same_(*change.before, *change.after) : !change.before && !change.after;
            if (!same) { changes_.push_back(change); }
        }
        return {changes_.empty() ? change_verdict::unchanged : change_verdict::changed, changes_};
    }

private:
    [[nodiscard]] auto known(std::optional<attribute> value) const -> std::optional<attribute> {
        return options_.null_is_absent && value && value->type() == attribute_type::null ? std::nullopt : value;
    }

    [[nodiscard]] auto node_of(const key_field& field) -> const detail::attribute_node& {
        const auto type = field.kind == key_field_kind::number ? attribute_type::number : attribute_type::string;
        return from_key_.emplace_back(detail::attribute_node{.name = field.name, .text = field.text, .type = type});
    }

    Fields fields_;
    change_detector_options options_;
    same_value same_;
    std::vector<std::uint32_t> hints_;
    std::vector<field_change> changes_;
    std::vector<detail::attribute_node> from_key_;
};

} // namespace freshet
