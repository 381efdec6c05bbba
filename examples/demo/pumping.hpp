#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <utility>

#include <demo/reporter.hpp>
#include <demo/role_lease.hpp>
#include <demo/settings.hpp>
#include <demo/turn.hpp>
#include <freshet/core/result.hpp>
#include <freshet/letter/redrive.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/processor.hpp>
#include <freshet/stream/pump.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/work/claimed.hpp>
#include <freshet/work/deadline.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

namespace demo {

/// Brings the table's changes to the queues; one process at a time does, under a lease.
template <class Place>
class pumping {
    using stream = typename Place::stream;
    using queue = typename Place::queue;
    using ledger = typename Place::ledger;
    using translator = freshet::record_translator<receipts::registry, receipts::routes>;

public:
    [[nodiscard]] static auto open(const settings& wanted, const Place& here) -> freshet::result<std::unique_ptr<pumping>> {
        auto changes = here.open_stream();
        if (!changes) { return std::move(changes).why(); }
        auto lines = here.open_queue("lines");
        if (!lines) { return std::move(lines).why(); }
        auto words = here.open_queue("words");
        if (!words) { return std::move(words).why(); }
        auto dead = here.open_queue("stream-dead");
        if (!dead) { return std::move(dead).why(); }
        auto claims = here.open_ledger();
        if (!claims) { return std::move(claims).why(); }
        return std::unique_ptr<pumping>{new pumping{wanted, here, *std::move(changes), *std::move(lines),
                                                    *std::move(words), *std::move(dead), *std::move(claims)}};
    }
    ~pumping() { lease_.give_back(); }
    pumping(const pumping&) = delete;
    auto operator=(const pumping&) -> pumping& = delete;

    /// Saves the place in the stream, where that was not done before: what changes from now on is seen.
    [[nodiscard]] auto start() -> freshet::result<void> { return pump_.start(); }

    /// One batch as large as it is now (`drained`), or batches that have their window to fill, as long as the lease
    /// surely lasts (`stopped`). A failure is the end: it lasts, or waiting cannot cure it.
    [[nodiscard]] auto take_turn(until end, const std::stop_token& stop) -> freshet::result<turn> {
        const auto now = clock_.now();
        auto mine = lease_.keep(now);
        if (!mine) { return patience_.bear(std::move(mine).why(), now); }
        if (!*mine) { return turn::waiting; }
        auto report = end == until::drained ? pump_.step(freshet::deadline::never(), stop)
                                            : pump_.run(freshet::deadline::in(wanted_.lease / 3, now), stop);
        if (!report) { return patience_.bear(std::move(report).why(), clock_.now()); }
        counts_ += *report;
        if (report->why) { return patience_.bear(*report->why, clock_.now()); }
        if (report->records() == 0) { return turn::idle; }
        patience_.succeeded();
        return turn::worked;
    }

    /// Whether all changes are pumped, be it by this process or by another.
    [[nodiscard]] auto is_done() -> freshet::result<bool> {
        const auto saved = changes_.checkpoint(freshet::pump_options{}.reader);
        if (!saved) { return saved.why(); }
        if (!*saved) { return false; }
        return changes_.read(**saved, 1).transform([](const auto& left) { return left.changes.empty(); });
    }

    [[nodiscard]] auto counts() const noexcept -> const freshet::batch_report& { return counts_; }
    /// How many records wait for a person.
    [[nodiscard]] auto dead_letters() -> freshet::result<std::size_t> { return dead_.size(); }
    /// Has them processed again.
    [[nodiscard]] auto redrive() -> freshet::result<freshet::redrive_report> {
        return freshet::redrive(dead_, freshet::reprocess_with(processor_));
    }

private:
    pumping(const settings& wanted, const Place& here, stream changes, queue lines, queue words, queue dead,
            ledger claims)
        : wanted_{wanted},
          clock_{here.clock()},
          changes_{std::move(changes)},
          lines_{std::move(lines)},
          words_{std::move(words)},
          dead_{std::move(dead)},
          claims_{std::move(claims)},
          lease_{claims_, "pump", wanted.owner, wanted.lease},
          patience_{wanted.patience},
          processor_{translator{options_of(wanted)},
                     {{"lines", &lines_}, {"words", &words_}},
                     dead_,
                     clock_,
                     {.max_age = wanted.max_age, .sending = {.retries = wanted.retries, .seed = wanted.seed}},
                     reporter{wanted.log}},
          pump_{changes_,
                processor_,
                clock_,
                {.batch = wanted.batch,
                 .window = wanted.window,
                 .poll = wanted.poll,
                 .retries = wanted.retries,
                 .seed = wanted.seed},
                reporter{wanted.log}} {}

    [[nodiscard]] static auto options_of(const settings& wanted)
        -> freshet::record_translator_options<receipts::registry> {
        freshet::record_translator_options<receipts::registry> options;
        options.fields = wanted.fields;
        options.builder.inserts = true; // a label that is replaced is a removal and a new item
        return options;
    }

    settings wanted_;
    typename Place::clock_type& clock_;
    stream changes_;
    queue lines_;
    queue words_;
    queue dead_;
    ledger claims_;
    role_lease<ledger> lease_;
    patience patience_;
    freshet::processor<translator, queue, queue, typename Place::clock_type, reporter> processor_;
    freshet::pump<stream, decltype(processor_), typename Place::clock_type, reporter> pump_;
    freshet::batch_report counts_;
};

/// Saves the place in the stream and makes the embeddings from the table as it is then, where that was not done before.
/// Of several who ask, one does it and the others wait.
template <class Place>
[[nodiscard]] auto prepare(const settings& wanted, const Place& here, const std::stop_token& stop = {})
    -> freshet::result<receipts::seed_report> {
    auto store = here.open_embeddings();
    if (!store) { return std::move(store).why(); }
    auto claims = here.open_ledger();
    if (!claims) { return std::move(claims).why(); }
    receipts::seed_report report;
    const auto make = [&](const freshet::work_claim&) -> freshet::result<void> {
        auto pump = pumping<Place>::open(wanted, here);
        if (!pump) { return std::move(pump).why(); }
        if (auto saved = (*pump)->start(); !saved) { return saved; }
        auto table = here.open_table();
        if (!table) { return std::move(table).why(); }
        return store->seed(*table).transform([&](receipts::seed_report made) { report = made; });
    };
    for (;;) {
        auto done = freshet::do_claimed(*claims, {"seed", wanted.owner, wanted.lease}, make);
        if (!done) { return std::move(done).why(); }
        if (done->state == freshet::claimed_state::done) { return report; }
        if (done->state == freshet::claimed_state::already_done) {
            auto made = store->counted();
            if (!made || made->lines + made->words != 0) { return made; }
            return freshet::error{freshet::errc::denied, here.name() + ": its embeddings are in another directory"};
        }
        if (!here.clock().wait(wanted.poll, stop)) {
            return freshet::error{freshet::errc::expired, "stopped while another process makes the embeddings"};
        }
    }
}

/// Pumps until the stream has no news, or until a stop.
template <class Place>
[[nodiscard]] auto pump(const settings& wanted, const Place& here, until end, const std::stop_token& stop = {})
    -> freshet::result<freshet::batch_report> {
    if (auto ready = prepare(wanted, here, stop); !ready) { return std::move(ready).why(); }
    auto opened = pumping<Place>::open(wanted, here);
    if (!opened) { return std::move(opened).why(); }
    auto& by = **opened;
    while (!stop.stop_requested()) {
        const auto took = by.take_turn(end, stop);
        if (!took) { return took.why(); }
        if (*took == turn::idle && end == until::drained) { break; }
        if (*took != turn::waiting) { continue; }
        if (end == until::drained) {
            const auto done = by.is_done();
            if (!done) { return done.why(); }
            if (*done) { break; }
        }
        static_cast<void>(here.clock().wait(wanted.poll, stop));
    }
    return by.counts();
}

} // namespace demo
