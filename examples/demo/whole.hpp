#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <utility>

#include <demo/cached_day.hpp>
#include <demo/counted_records.hpp>
#include <demo/label_counting.hpp>
#include <demo/label_tally.hpp>
#include <demo/progress.hpp>
#include <demo/roles.hpp>
#include <demo/validating.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/consumer.hpp>
#include <receipts/comparison.hpp>
#include <receipts/editor.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/items.hpp>

namespace demo {

/// What a whole run is to do.
struct whole_run {
    std::size_t edits{1'000};
    std::uint64_t seed{1};
    bool drop_one{}; ///< lose one message at the end, which the comparison must find
};

struct whole_report {
    load_report loaded{};
    receipts::seed_report embedded{};
    receipts::edit_counts edited{};
    validated_receipts validated{};
    freshet::batch_report pumped{};
    freshet::consume_report consumed{};
    bool dropped{};             ///< a message, on purpose
    std::size_t dead_letters{}; ///< in all queues, of earlier runs too
    receipts::comparison compared{};
    label_report counted{};
    cached_day played{};
    counted_records by_time{};
    freshet::duration loading{}, embedding{}, counting{}, running{}, validating{}, comparing{}, playing{},
        counting_by_time{};

    /// Whether all that was compared is as it should be.
    [[nodiscard]] auto agrees() const noexcept -> bool {
        return validated.agrees() && compared.agrees() && counted.agrees() && played.agrees() && by_time.agrees();
    }
};

/// Edits, pumps and consumes, a little of each in turn, in one process.
template <class Place>
class whole {
public:
    [[nodiscard]] static auto open(const settings& wanted, const whole_run& run, const Place& here, progress& shown,
                                   std::stop_token stop) -> freshet::result<whole> {
        auto writer = writing<Place>::open(wanted, here, run.seed);
        if (!writer) { return std::move(writer).why(); }
        auto pump = pumping<Place>::open(wanted, here);
        if (!pump) { return std::move(pump).why(); }
        auto consumers = all_consuming<Place>::open(wanted, here);
        if (!consumers) { return std::move(consumers).why(); }
        return whole{
            wanted, run, here, shown, std::move(stop), *std::move(writer), *std::move(pump), *std::move(consumers)};
    }

    [[nodiscard]] auto edit() -> freshet::result<void> {
        constexpr std::size_t slice = 25; // edits before the others have their turns
        for (std::size_t done = 0; done != run_.edits && !stop_.stop_requested();) {
            if (auto edited = writer_->step(stop_); !edited) { return edited; }
            if (++done % slice != 0) { continue; }
            for (auto took = turn::worked; took == turn::worked && !stop_.stop_requested();) {
                auto next = take_turn();
                if (!next) { return std::move(next).why(); }
                took = *next;
            }
        }
        return {};
    }

    /// Until every change is applied.
    [[nodiscard]] auto drain() -> freshet::result<void> {
        while (!stop_.stop_requested()) {
            const auto took = take_turn();
            if (!took) { return took.why(); }
            if (*took == turn::worked) { continue; }
            const auto pumped = pump_->is_done(); // before the queues are looked at: what it sent is in them
            if (!pumped) { return pumped.why(); }
            const auto empty = consumers_.empty();
            if (!empty) { return empty.why(); }
            if (*pumped && *empty) { return {}; }
            static_cast<void>(clock_.wait(wanted_.poll, stop_));
        }
        return freshet::error{freshet::errc::expired, "stopped before the end; the same --dir goes on from here"};
    }

    /// Edits an item once more and loses the message of it that goes to the words.
    [[nodiscard]] auto lose_one() -> freshet::result<void> {
        const freshet::error nothing{freshet::errc::failed, "there was no message to lose"};
        const auto edited = writer_->editor().edit_one();
        if (!edited) { return edited.why(); }
        if (!*edited) { return nothing; }
        for (bool pumped = false; !pumped && !stop_.stop_requested();) {
            const auto took = pump_->take_turn(until::drained, stop_);
            if (!took) { return took.why(); }
            const auto done = pump_->is_done();
            if (!done) { return done.why(); }
            pumped = *done;
            if (!pumped && *took == turn::waiting) { static_cast<void>(clock_.wait(wanted_.poll, stop_)); }
        }
        for (const auto& one : consumers_) {
            if (one->name() != "words") { continue; }
            const auto lost = one->drop_one();
            if (!lost) { return lost.why(); }
            if (!*lost) { return nothing; }
        }
        return {};
    }

    [[nodiscard]] auto report(whole_report& to) -> freshet::result<void> {
        to.edited = writer_->counts();
        to.pumped = pump_->counts();
        to.consumed = consumers_.counts();
        const auto dead = pump_->dead_letters();
        if (!dead) { return dead.why(); }
        to.dead_letters = *dead;
        for (const auto& one : consumers_) {
            const auto more = one->dead_letters();
            if (!more) { return more.why(); }
            to.dead_letters += *more;
        }
        return {};
    }

private:
    whole(const settings& wanted, const whole_run& run, const Place& here, progress& shown, std::stop_token stop,
          std::unique_ptr<writing<Place>> writer, std::unique_ptr<pumping<Place>> pump, all_consuming<Place> consumers)
        : wanted_{wanted},
          run_{run},
          clock_{here.clock()},
          shown_{shown},
          stop_{std::move(stop)},
          writer_{std::move(writer)},
          pump_{std::move(pump)},
          consumers_{std::move(consumers)} {}

    /// `worked` if one of them did, `idle` if all are.
    [[nodiscard]] auto take_turn() -> freshet::result<turn> {
        const auto pumped = pump_->take_turn(until::drained, stop_);
        if (!pumped) { return pumped; }
        const auto consumed = consumers_.take_turn(stop_);
        if (!consumed) { return consumed; }
        const auto both = *pumped == turn::worked || *consumed == turn::idle ? *pumped : *consumed;
        const auto counts = consumers_.counts();
        shown_.show({writer_->counts().edits, run_.edits, pump_->counts().messages_sent,
                     counts.applied + counts.dropped + counts.dead_lettered, both == turn::waiting});
        return both;
    }

    settings wanted_;
    whole_run run_;
    typename Place::clock_type& clock_;
    progress& shown_;
    std::stop_token stop_;
    std::unique_ptr<writing<Place>> writer_;
    std::unique_ptr<pumping<Place>> pump_;
    all_consuming<Place> consumers_;
};

/// Loads the receipts unless the table has items, makes the embeddings, edits, validates, brings every change to the
/// embeddings, and has `compare()` say (a `result<receipts::comparison>`) whether they are what the table says. Before
/// the edits and after them the labels are counted into the cache and read from it. In the end `play_day()` plays the
/// day of another cache (a `result<cached_day>`), and `count_records()` has another table's records counted by time (a
/// `result<counted_records>`).
template <class Place, class Compare, class PlayDay, class CountRecords>
[[nodiscard]] auto run_whole(const settings& wanted, const whole_run& run, const Place& here,
                             std::span<const receipts::scanned_receipt> scanned, Compare&& compare, PlayDay&& play_day,
                             CountRecords&& count_records, progress& shown, const std::stop_token& stop = {}) -> freshet::result<whole_report> {
    whole_report report;
    auto last = here.clock().now();
    const auto lap = [&] {
        const auto now = here.clock().now();
        return now - std::exchange(last, now);
    };
    auto loaded = load(here, scanned);
    if (!loaded) { return std::move(loaded).why(); }
    report.loaded = *loaded;
    report.loading = lap();

    auto embedded = prepare(wanted, here, stop);
    if (!embedded) { return std::move(embedded).why(); }
    report.embedded = *embedded;
    report.embedding = lap();

    const auto before = count_labels(wanted, here, stop);
    if (!before) { return before.why(); }
    report.counting = lap();

    {
        auto all = whole<Place>::open(wanted, run, here, shown, stop);
        if (!all) { return std::move(all).why(); }
        if (auto done = all->edit(); !done) { return std::move(done).why(); }
        report.running = lap();
        auto validated = validate(wanted, here, stop);
        if (!validated) { return std::move(validated).why(); }
        report.validated = *std::move(validated);
        report.validating = lap();
        if (auto done = all->drain(); !done) { return std::move(done).why(); }
        if (run.drop_one) {
            if (auto lost = all->lose_one(); !lost) { return std::move(lost).why(); }
            if (auto done = all->drain(); !done) { return std::move(done).why(); }
            report.dropped = true;
        }
        if (auto counted = all->report(report); !counted) { return std::move(counted).why(); }
        report.dead_letters += report.validated.dead_letters;
    }
    shown.clear();
    report.running += lap();

    const auto after = count_labels(wanted, here, stop);
    if (!after) { return after.why(); }
    auto table = here.open_table(true);
    if (!table) { return std::move(table).why(); }
    const auto tally = tally_labels(*table);
    if (!tally) { return tally.why(); }
    report.counted = compare_labels(*before, *after, *tally);
    report.counting += lap();

    freshet::result<receipts::comparison> compared = compare();
    if (!compared) { return std::move(compared).why(); }
    report.compared = *std::move(compared);
    report.comparing = lap();

    freshet::result<cached_day> played = play_day();
    if (!played) { return std::move(played).why(); }
    report.played = *std::move(played);
    report.playing = lap();

    freshet::result<counted_records> by_time = count_records();
    if (!by_time) { return std::move(by_time).why(); }
    report.by_time = *std::move(by_time);
    report.counting_by_time = lap();
    return report;
}

} // namespace demo
