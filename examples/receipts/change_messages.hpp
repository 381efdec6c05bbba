#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/record_translator.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

namespace receipts {

/// The fields of `routing.hpp` for the entities that have routes, none for the others.
[[nodiscard]] inline auto default_monitored_fields() -> freshet::entity_fields<registry> {
    freshet::entity_fields<registry> fields;
    return fields.set(receipt_metadata::name, metadata_fields{}).set(receipt_word_label::name, label_fields{});
}

struct change_messages_options : freshet::record_translator_options<registry> {
    change_messages_options() { fields = default_monitored_fields(); }
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
    using emits = freshet::event_list<freshet::record_failed, freshet::id_mapped>;

    explicit change_messages(change_messages_options options, Observer& seen)
        : oldest_{options.oldest}, seen_{seen}, translator_{std::move(options), forward{seen}} {}

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
            freshet::emit(seen_, freshet::record_failed{records[i].event_id(), records[i].sequence(), 1, done.why()});
        }
        return counts;
    }

private:
    /// The translator owns its observer; ours is somebody else's.
    struct forward {
        Observer& seen;
        void on(const freshet::id_mapped& event) { freshet::emit(seen, event); }
    };

    [[nodiscard]] auto one(const freshet::stream_record& record, std::size_t index, freshet::message_batch& out,
                           change_counts& counts) -> freshet::result<void> {
        if (oldest_ && record.created_at && *record.created_at < *oldest_ && goes_somewhere(record)) {
            return ++counts.expired, freshet::result<void>{};
        }
        auto built = translator_.translate(record, index, out);
        if (!built) { return std::move(built).why(); }
        switch (*built) {
            case freshet::build_verdict::built: ++counts.built; break;
            case freshet::build_verdict::unchanged: ++counts.unchanged; break;
            case freshet::build_verdict::ignored: ++counts.ignored; break;
        }
        return {};
    }

    [[nodiscard]] auto goes_somewhere(const freshet::stream_record& record) -> bool {
        const auto destinations = translator_.route(record.keys);
        return !destinations || !destinations->empty();
    }

    std::optional<freshet::time_point> oldest_;
    Observer& seen_;
    freshet::record_translator<registry, routes, forward> translator_;
};

} // namespace receipts
