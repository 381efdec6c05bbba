#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/text_arena.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/change_detector.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

namespace receipts {

/// A record that could not be turned into messages. What it says of itself is empty where it cannot be read.
struct record_failed {
    std::string_view event_id;
    std::string_view sequence;
    const freshet::error& why;

    static constexpr std::string_view name = "record_failed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("event_id", event_id);
        visit("sequence", sequence);
        visit("why", std::string_view{why.note});
    }
};

/// The monitored fields of each entity of `registry`, in its order.
using monitored_by_entity = std::array<freshet::monitored_fields, registry::size>;

/// The fields of `routing.hpp` for the entities that have routes, none for the others.
[[nodiscard]] inline auto default_monitored_fields() -> monitored_by_entity {
    monitored_by_entity fields;
    fields[0].assign(metadata_fields::begin(), metadata_fields::end());
    fields[1].assign(label_fields::begin(), label_fields::end());
    return fields;
}

struct change_messages_options {
    monitored_by_entity fields{default_monitored_fields()};
    freshet::fifo_message_builder_options builder{};
    freshet::change_detector_options detector{.null_is_absent = true};
    std::optional<freshet::time_point> oldest{}; ///< records made before are left out
};

/// How a batch of records fared; every record is counted once.
struct change_counts {
    std::size_t built{};     ///< made messages
    std::size_t unchanged{}; ///< nothing monitored changed
    std::size_t ignored{};   ///< other items, or events that were not asked for
    std::size_t expired{};   ///< too old
    std::size_t failed{};

    auto operator+=(const change_counts& more) -> change_counts& {
        built += more.built, unchanged += more.unchanged, ignored += more.ignored, expired += more.expired,
            failed += more.failed;
        return *this;
    }
};

/// Turns decoded change records of the receipts table into queue messages.
template <class Observer = freshet::unobserved>
class change_messages {
public:
    using emits = freshet::event_list<record_failed, freshet::id_mapped>;

    explicit change_messages(change_messages_options options, Observer& seen)
        : options_{std::move(options)}, seen_{seen}, builder_{options_.builder, forward{seen}} {
        for (const auto& fields : options_.fields) { detectors_.emplace_back(fields, options_.detector); }
    }

    /// Adds the messages of all records to `out`, in order; a record that fails leaves the others alone.
    auto add(std::span<const freshet::decoded_record> records, freshet::message_batch& out,
             freshet::batch_verdict& verdict) -> change_counts {
        change_counts counts;
        for (std::size_t i = 0; i < records.size(); ++i) {
            auto done = records[i] ? one(*records[i], i, out, counts) : records[i].fault().as_error("malformed record");
            if (done) {
                verdict.done(i);
                continue;
            }
            ++counts.failed;
            verdict.failed(i, std::nullopt);
            freshet::emit(seen_, record_failed{records[i].event_id(), records[i].sequence(), done.why()});
        }
        return counts;
    }

private:
    /// The builder owns its observer; ours is somebody else's.
    struct forward {
        Observer& seen;
        void on(const freshet::id_mapped& event) { freshet::emit(seen, event); }
    };

    [[nodiscard]] auto one(const freshet::stream_record& record, std::size_t index, freshet::message_batch& out,
                           change_counts& counts) -> freshet::result<void> {
        const auto text_of = [&](std::string_view name) {
            const auto key = record.keys.find(name);
            return key && key->type() == freshet::attribute_type::string ? key->text() : std::string_view{};
        };
        const auto match = registry::match(text_of("PK"), text_of("SK"));
        if (!match || !routes::any_for(match.name())) { return ++counts.ignored, freshet::result<void>{}; }
        if (options_.oldest && record.created_at && *record.created_at < *options_.oldest) {
            return ++counts.expired, freshet::result<void>{};
        }

        const auto key = match.erased();
        const auto changes = detectors_[match.index()].detect(record, key);
        auto built = builder_.judge(record, changes);
        if (built && *built == freshet::build_verdict::built) {
            groups_.reset();
            destinations_.clear();
            if (auto found = routes::destinations(key, groups_, destinations_); !found) { return found; }
            built = builder_.build(record, index, key, changes, destinations_, out);
        }
        if (!built) { return std::move(built).why(); }
        switch (*built) {
            case freshet::build_verdict::built: ++counts.built; break;
            case freshet::build_verdict::unchanged: ++counts.unchanged; break;
            case freshet::build_verdict::ignored: ++counts.ignored; break;
        }
        return {};
    }

    change_messages_options options_;
    Observer& seen_;
    freshet::fifo_message_builder<forward> builder_;
    std::vector<freshet::change_detector<freshet::monitored_fields>> detectors_;
    freshet::text_arena groups_;
    std::vector<freshet::destination> destinations_;
};

} // namespace receipts
