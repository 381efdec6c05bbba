#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <istream>
#include <limits>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/result.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/change_processor.hpp>
#include <stream_to_fifo/files.hpp>
#include <stream_to_fifo/repeated_event.hpp>
#include <stream_to_fifo/settings.hpp>
#include <stream_to_fifo/watched_queue.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace stream_to_fifo {

/// The queues that messages go to, and the one for records that cannot be processed, if there is one.
template <class Queue>
struct destinations {
    Queue lines;
    Queue words;
    std::optional<Queue> dead_letters{};
};

/// Calls `operation` until it succeeds, fails in a way that waiting does not cure, or a stop is asked for; as long as
/// `patience` lasts. The log says once that there is something to wait for.
template <class Timer, class Operation>
[[nodiscard]] auto persist(const settings& wanted, Timer& timer, const std::stop_token& stop, Operation&& operation) {
    const freshet::retry_plan plan{{.retries = std::numeric_limits<unsigned>::max(),
                                    .base = std::chrono::milliseconds{200},
                                    .throttled_base = std::chrono::seconds{1},
                                    .cap = std::chrono::seconds{5},
                                    .retry_failed = false}};
    freshet::random_source random{wanted.seed};
    const support::log log{wanted.level};
    std::string first_failure;
    unsigned attempts = 0;
    return freshet::retry(plan, timer, stop, freshet::deadline::in(wanted.patience, timer.now()), random, [&] {
        if (++attempts == 2) { log.line(support::log_level::warning, "Trying again: {}", first_failure); }
        auto answer = operation();
        if (!answer && attempts == 1) { first_failure = answer.why().note; }
        return answer;
    });
}

/// Says that a stop ended the run, and from which line on nothing was done for sure; the exit code.
inline auto say_stopped(std::string_view input, std::size_t line) -> exit_code {
    support::complain("stream_to_fifo: {}: stopped: go on from line {}\n", input, line);
    return some_failed;
}

/// Brings events to queues, line by line, on the path of a record that the stream processor in Lambda has.
///
/// Nobody delivers a file again: an event that meets an outage is tried again, and if that lasts, or where a stop is
/// asked for, the run ends and says from which line on nothing was done for sure. What a queue took already it knows
/// for its deduplication time; a record that became a dead letter is not tried again. Of an event's attempts the log
/// has the last one, and those that made dead letters.
template <class Queue, class Timer>
class queue_program {
public:
    /// Borrows the streams and the timer.
    queue_program(const settings& wanted, std::istream& in, std::string in_name, destinations<Queue> queues,
                  Timer& timer, std::FILE* responses, std::stop_token stop = {})
        : wanted_{wanted},
          in_{in},
          in_name_{std::move(in_name)},
          lines_{std::move(queues.lines)},
          words_{std::move(queues.words)},
          timer_{timer},
          responses_{responses},
          stop_{std::move(stop)} {
        if (queues.dead_letters) { dead_letters_.emplace(*std::move(queues.dead_letters), true); }
        processor_.emplace(lines_, words_, dead_letters_ ? &*dead_letters_ : nullptr, timer_,
                           receipts::change_processor_options{.translation = wanted.messages,
                                                              .max_age = wanted.max_age,
                                                              .retries = wanted.retries,
                                                              .seed = wanted.seed},
                           support::log{wanted.level, &kept_});
    }

    auto run() -> exit_code {
        std::size_t number = 0;
        for (std::string line; std::getline(in_, line);) {
            ++number;
            if (stop_.stop_requested()) { return say_stopped(in_name_, number); }
            if (is_blank(line)) { continue; }
            const auto whole = event(line, number);
            if (!whole) {
                support::complain("stream_to_fifo: {}: go on from line {}: {}\n", in_name_, number, whole.why().note);
                return unreachable;
            }
            if (!*whole) { return say_stopped(in_name_, number); }
        }
        if (in_.bad()) {
            if (stop_.stop_requested()) { return say_stopped(in_name_, number + 1); }
            support::complain("stream_to_fifo: {}: cannot be read to its end: go on from line {}\n", in_name_,
                       number + 1);
            return unreachable;
        }
        return refused_ + counts_.failed + counts_.held + counts_.untried + counts_.dead_lettered == 0 ? all_well
                                                                                                       : some_failed;
    }

    [[nodiscard]] auto summary() const -> nlohmann::ordered_json {
        return {{"events", events_},
                {"refused_events", refused_},
                {"records", counts_.records()},
                {"changed", counts_.changed},
                {"unchanged", counts_.unchanged},
                {"ignored", counts_.ignored},
                {"expired", counts_.expired},
                {"dead_lettered", counts_.dead_lettered},
                {"failed", counts_.failed + counts_.held + counts_.untried},
                {"messages", counts_.messages_sent},
                {"by_queue", by_queue_}};
    }

private:
    /// Sends an event's messages and writes its response; false where a stop cut that short. Failed: a queue, or the
    /// response, cannot be reached.
    [[nodiscard]] auto event(std::string_view line, std::size_t number) -> freshet::result<bool> {
        freshet::batch_report report;
        repeated_event left{line};
        std::string said;
        std::size_t expired = 0;
        const auto sent = persist(wanted_, timer_, stop_, [&]() -> freshet::result<void> {
            if (dead_letters_ && dead_letters_->taken() != 0) {
                left.leave_out(dead_letters_->taken_bodies());
                expired += report.expired;
                said += kept_;
            }
            kept_.clear();
            each_queue([](auto& queue) { queue.forget(); });
            report = processor_->process(left.text(), freshet::deadline::never(), stop_);
            std::optional<freshet::error> trouble;
            each_queue([&](const auto& queue) {
                const auto& met = queue.trouble();
                if (met && (!trouble || met->code == freshet::errc::denied)) { trouble = met; }
            });
            if (report.response.success() || !trouble) { return {}; }
            return *std::move(trouble);
        });
        ++events_;
        report.dead_lettered += left.left_out();
        report.expired += expired;
        if (report.records() == 0 && report.why) {
            ++refused_;
            kept_.clear(); // it says that too, without the number
            log_.line(support::log_level::error, "Refused the event on line {}: {}", number, report.why->note);
        }
        if (sent || stop_.stop_requested()) { said += kept_; } // else the line that ends the run says it
        std::fwrite(said.data(), 1, said.size(), stderr);
        counts_ += report;
        if (lines_.taken() != 0) { by_queue_["lines"] += lines_.taken(); }
        if (words_.taken() != 0) { by_queue_["words"] += words_.taken(); }
        if (responses_ != nullptr) {
            if (auto written = write_response(responses_, report.response, *wanted_.response); !written) {
                return std::move(written).why();
            }
        }
        if (stop_.stop_requested() && !report.response.success()) { return false; }
        return sent.transform([] { return true; });
    }

    template <class Use>
    void each_queue(Use use) {
        use(lines_);
        use(words_);
        if (dead_letters_) { use(*dead_letters_); }
    }

    const settings& wanted_;
    std::istream& in_;
    std::string in_name_;
    watched_queue<Queue> lines_;
    watched_queue<Queue> words_;
    std::optional<watched_queue<Queue>> dead_letters_;
    Timer& timer_;
    std::FILE* responses_;
    std::stop_token stop_;
    std::string kept_; ///< what the processor says of the event in hand
    support::log log_{wanted_.level};
    std::optional<receipts::change_processor<watched_queue<Queue>, Timer>> processor_;
    std::size_t events_{};
    std::size_t refused_{};
    freshet::batch_report counts_;
    std::map<std::string, std::size_t, std::less<>> by_queue_;
};

} // namespace stream_to_fifo
