#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/work/batch_window.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet {

/// Where a reader begins that has no checkpoint yet.
enum class stream_start : std::uint8_t { latest, oldest };

struct pump_options {
    std::string reader{"pump"}; ///< whose checkpoint it is
    stream_start start{stream_start::latest};
    std::size_t batch{100};                        ///< records at most, in one batch
    duration window{std::chrono::seconds{5}};      ///< how long a batch's first record waits for others in `run`
    duration poll{std::chrono::milliseconds{200}}; ///< between two looks at a stream without news
    duration reserve{std::chrono::seconds{1}};     ///< before a deadline, from when on no batch waits in `run`
    retry_options retries{};                       ///< of waits after failures; how often is not limited
    std::uint64_t seed{1};                         ///< of their jitter
};

/// Changes were trimmed before this reader saw them: what is derived from the table must be made anew.
struct stream_gap {
    std::string_view reader;
    std::string_view position; ///< from where on it wanted to read

    static constexpr std::string_view name = "stream_gap";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("reader", reader);
        visit("position", position);
    }
};

/// The stream, or its checkpoint, could not be used; it is tried again.
struct stream_failed {
    std::string_view reader;
    const error& why;

    static constexpr std::string_view name = "stream_failed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("reader", reader);
        visit("why", std::string_view{why.note});
    }
};

/// Brings a change stream's batches to a processor, and keeps a checkpoint of what is done.
///
/// A reader without a checkpoint begins at the stream's end, and saves that position before it first reads: what
/// happens from then on is seen, whatever fails later. The checkpoint moves behind the records that are done and no
/// further; so after a crash the others come again, and some that were done.
///
/// Borrows stream, processor and timer. `Processor` has `process(std::span<const change<Row>>, deadline, stop_token)`
/// and answers with a `batch_report`. Two pumps of one reader do all work twice: claim a ledger's key around them.
template <class Stream, class Processor, class Timer, class Observer = unobserved>
class pump {
public:
    using emits = event_list<stream_gap, stream_failed>;
    using row_type = typename Stream::row_type;

    static_assert(change_stream<Stream>,
                  "a pump needs a change_stream: read, latest, oldest, position_after, checkpoint "
                  "and save_checkpoint, as freshet::change_stream has them");
    static_assert(timer<Timer>,
                  "a pump needs a timer: now() -> time_point and wait(duration, std::stop_token) -> bool");

    explicit pump(Stream& stream, Processor& processor, Timer& timer, pump_options options = {}, Observer seen = {})
        : stream_{stream}, processor_{processor}, timer_{timer}, options_{std::move(options)}, plan_{options_.retries},
          random_{options_.seed}, seen_{std::move(seen)} {}

    /// Finds the checkpoint, or makes one; whoever must not miss what happens next calls it first. Later calls do
    /// nothing.
    [[nodiscard]] auto start() -> result<void> {
        if (position_) { return {}; }
        auto saved = stream_.checkpoint(options_.reader);
        if (!saved) { return std::move(saved).why(); }
        if (!*saved) {
            auto begin = options_.start == stream_start::latest ? stream_.latest() : stream_.oldest();
            if (!begin) { return std::move(begin).why(); }
            if (auto kept = stream_.save_checkpoint(options_.reader, *begin); !kept) { return kept; }
            saved = std::optional{*std::move(begin)};
        }
        position_ = **std::move(saved);
        return {};
    }

    /// Reads and processes one batch, as large as it is now; no records, where the stream has no news.
    [[nodiscard]] auto step(deadline until = deadline::never(), std::stop_token stop = {}) -> result<batch_report> {
        if (auto begun = start(); !begun) { return std::move(begun).why(); }
        auto batch = read();
        if (!batch) { return std::move(batch).why(); }
        return process(*batch, until, stop);
    }

    /// Steps until the stream has no news; waits after failures. The report counts what every step met; its response is
    /// the last one's, and so no success where something is left undone.
    [[nodiscard]] auto drain(deadline until = deadline::never(), std::stop_token stop = {}) -> result<batch_report> {
        return go_on(until, stop, false);
    }

    /// Waits for news, and for batches to fill, until the deadline or a stop. A failure that waiting cannot cure
    /// (`denied`, `malformed`) ends it.
    [[nodiscard]] auto run(deadline until, std::stop_token stop) -> result<batch_report> {
        return go_on(until, stop, true);
    }

private:
    auto go_on(deadline until, const std::stop_token& stop, bool forever) -> result<batch_report> {
        batch_report all;
        for (unsigned failures = 0; !stop.stop_requested() && !until.passed(timer_.now());) {
            auto done = forever ? filled(until, stop) : step(until, stop);
            all += done ? *done : batch_report{.why = done.why()};
            all.response = done ? done->response : batch_response::fail_all();
            if (done && done->records() == 0 && !forever) { break; }
            if (done && done->response.success()) {
                failures = 0;
                if (forever && !until.allows(options_.poll, timer_.now())) { break; }
                continue;
            }
            const auto code = done ? errc::unavailable : done.why().code;
            if (!done) {
                emit(seen_, stream_failed{options_.reader, done.why()});
                if (code != errc::unavailable && code != errc::throttled) { return std::move(done).why(); }
            }
            if (!pause(code, ++failures, until, stop)) { break; }
        }
        return all;
    }

    /// One batch that has its window to fill.
    auto filled(deadline until, const std::stop_token& stop) -> result<batch_report> {
        if (auto begun = start(); !begun) { return std::move(begun).why(); }
        batch_window window{{.items = options_.batch, .window = options_.window}};
        for (;;) {
            auto batch = read(); // the same changes as before, and what came since
            if (!batch) { return std::move(batch).why(); }
            const auto now = timer_.now();
            while (window.items() < batch->changes.size()) { window.add(0, now); }
            const auto verdict = window.verdict(now);
            const bool open = verdict.is == window_verdict::state::open;
            const auto wait = open ? std::min(options_.poll, verdict.until - now) : options_.poll;
            const bool last = !until.allows(wait + (open ? options_.reserve : duration{}), now);
            if (last || batch->gap || verdict.take()) { return process(*batch, until, stop); }
            if (!timer_.wait(wait, stop)) { return batch_report{}; }
        }
    }

    auto read() -> result<change_batch<row_type>> { return stream_.read(*position_, options_.batch); }

    auto process(const change_batch<row_type>& batch, deadline until, const std::stop_token& stop)
        -> result<batch_report> {
        if (batch.gap && told_gap_ != position_) { // once, however often this batch is read
            told_gap_ = position_;
            emit(seen_, stream_gap{options_.reader, *position_});
        }
        batch_report report;
        if (!batch.changes.empty()) {
            report = processor_.process(std::span<const change<row_type>>{batch.changes}, until, stop);
        }
        const auto done = report.done_from_start;
        auto reached = done == batch.changes.size() ? batch.next
                       : done != 0                  ? stream_.position_after(batch, done - 1)
                                                    : *position_;
        if (reached == *position_ && saved_) { return report; }
        position_ = std::move(reached);
        const auto kept = stream_.save_checkpoint(options_.reader, *position_);
        saved_ = kept.ok();
        if (!kept) { emit(seen_, stream_failed{options_.reader, kept.why()}); } // a crash now would repeat the work
        return report;
    }

    /// Waits as long as the plan says; false where there is no time for it.
    auto pause(errc code, unsigned failures, deadline until, const std::stop_token& stop) -> bool {
        const auto longest = plan_.longest_wait(code, failures);
        const duration wait{static_cast<duration::rep>(random_() % (static_cast<std::uint64_t>(longest.count()) + 1))};
        return until.allows(wait, timer_.now()) && timer_.wait(wait, stop);
    }

    Stream& stream_;
    Processor& processor_;
    Timer& timer_;
    pump_options options_;
    retry_plan plan_;
    random_source random_;
    std::optional<stream_position> position_;
    std::optional<stream_position> told_gap_;
    bool saved_{true};
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
