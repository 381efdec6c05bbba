#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/change.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/stream_record.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/message_sender.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// What happens to the later records of a group, one of which went to the dead-letter queue.
enum class after_dead_letter : std::uint8_t {
    go_on, ///< they are processed: a consumer that fences by sequence number ends with the newest state
    park,  ///< they follow it there, in order, until somebody releases the group
};

struct processor_options {
    std::string origin{"stream"}; ///< what its dead letters say of where they come from
    /// How often a record may fail by itself, after the first time, before it goes to the dead-letter queue. Counted
    /// over the calls of one processor: use 0 where every batch may meet another one.
    unsigned retries{3};
    /// Older records go to the dead-letter queue untried; none: no record is too old.
    std::optional<duration> max_age{std::chrono::hours{1}};
    /// Time that is kept for answering: nothing is begun when less than this is left.
    duration reserve{std::chrono::milliseconds{500}};
    after_dead_letter after{after_dead_letter::go_on};
    message_sender_options sending{};
};

/// Turns batches of change records into messages in queues, and answers for each record.
///
/// A record that fails keeps its group's later ones from being sent, and nothing else; where its group cannot be read
/// it keeps everything after it. A malformed record goes to the dead-letter queue at once, one that keeps failing by
/// itself after its retries; it is done when that queue has taken it, and failed as long as it has not. A queue that is
/// down is no record's fault: what it did not take stays failed, and is delivered again.
///
/// What cannot be known stays undecided: a message that fails as a whole request, and after which its queue answered no
/// other, may be poison or have met an outage. It is delivered again until it is too old. Records behind the first one
/// that is not done come again with it; queues that took them know them for their deduplication time, and consumers by
/// their sequence numbers.
///
/// Borrows queues and timer; `Translator` is a `record_translator`, or what has its two functions. Not thread safe.
template <class Translator, class Queue, class DeadQueue, class Timer, class Observer = unobserved>
class processor {
public:
    using emits = event_list<record_failed, record_dead_lettered, batch_processed, request_sent, order_broken>;

    static_assert(
        requires(Translator& t, const stream_record& record, std::size_t index, message_batch& out, const image& keys) {
            { t.translate(record, index, out) } -> std::same_as<result<build_verdict>>;
            { t.route(keys) } -> std::same_as<result<std::span<const destination>>>;
        },
        "a processor needs a translator with translate and route, as freshet::record_translator has them");
    static_assert(
        requires(DeadQueue& q, std::span<const message_view> some) {
            { q.send(some) } -> std::same_as<result<std::vector<entry_refusal>>>;
        },
        "a dead-letter queue needs send(std::span<const message_view>) -> result<std::vector<entry_refusal>>");
    static_assert(timer<Timer>,
                  "a processor needs a timer: now() -> time_point, wait(duration, std::stop_token) -> bool");

    explicit processor(Translator translator, queues_by_name<Queue> queues, DeadQueue& dead_letters, Timer& timer,
                       processor_options options = {}, Observer seen = {})
        : translator_{std::move(translator)}, dead_letters_{dead_letters}, timer_{timer}, options_{options},
          seen_{std::move(seen)}, sender_{std::move(queues), timer, options.sending, forward{&seen_}} {}
    processor(const processor&) = delete;
    auto operator=(const processor&) -> processor& = delete;

    /// Processes an event as AWS Lambda hands it over, or as GetRecords answers it.
    ///
    /// Stops in time: what was not begun when the deadline came near is answered for as not done. An event that cannot
    /// be taken apart fails as a whole.
    auto process(std::string_view event, deadline until = deadline::never(), std::stop_token stop = {})
        -> batch_report {
        const auto records = decoder_.decode(event);
        if (!records) {
            return finished({.response = batch_response::fail_all(), .why = records.fault().as_error("event")});
        }
        return finished(run(*records, until, stop));
    }

    /// Processes changes as a `change_stream` gives them. A record that spoils the event it is put into fails alone.
    template <class Row>
    auto process(std::span<const change<Row>> changes, deadline until = deadline::never(), std::stop_token stop = {})
        -> batch_report {
        event_.assign(R"({"Records":[)");
        for (const auto& each : changes) { event_.append(each.record).append(","); }
        if (!changes.empty()) { event_.pop_back(); }
        event_.append("]}");
        const auto records = decoder_.decode(event_);
        const auto whole = [](const auto& read, const auto& each) { return is_whole(read, each.record); };
        const bool good =
            records && std::equal(records->begin(), records->end(), changes.begin(), changes.end(), whole);
        return finished(good ? run(*records, until, stop) : one_by_one(changes, until, stop));
    }

    /// Processes one record again that a dead letter holds; it is not dead-lettered another time.
    [[nodiscard]] auto reprocess(const dead_letter& letter) -> result<void> {
        const auto whose = "dead letter " + printable(letter.id);
        if (!letter.complete) { return error{errc::denied, whose + ": its bytes were left out"}; }
        const auto event = R"({"Records":[)" + letter.bytes + "]}";
        const auto records = decoder_.decode(event);
        if (!records) { return records.fault().as_error(whose); }
        if (records->size() != 1 || !is_whole(records->front(), letter.bytes)) {
            return error{errc::malformed, whose + ": not one record"};
        }
        const auto& record = records->front();
        if (!record) { return record.fault().as_error(whose); }
        messages_.clear();
        if (auto built = translator_.translate(*record, 0, messages_); !built) { return std::move(built).why(); }
        const auto nobody = [](std::size_t, const error&) { return false; };
        const auto sent = sender_.send(messages_, deadline::never(), {}, nobody);
        for (const auto& each : sent.fates) {
            if (each.outcome != send_outcome::accepted) {
                return each.why.value_or(error{errc::unavailable, whose + ": not sent"});
            }
        }
        return {};
    }

    /// The groups that are parked (`queue` and `group`, a line end between them) and behind which record each, for a
    /// host that keeps them.
    [[nodiscard]] auto parked() const noexcept -> const std::map<std::string, sequence_number, std::less<>>& {
        return parked_;
    }
    /// Parks a group; from a sequence number on, if one is given.
    void park(std::string group, const sequence_number& from = {}) { parked_.try_emplace(std::move(group), from); }
    void release(std::string_view group) {
        if (const auto at = parked_.find(group); at != parked_.end()) { parked_.erase(at); }
    }

private:
    /// The sender owns its observer; ours is a member of its own.
    struct forward {
        Observer* seen;
        void on(const request_sent& event) { emit(*seen, event); }
        void on(const order_broken& event) { emit(*seen, event); }
    };
    struct history {
        unsigned attempts{};
        time_point first_seen{};
        std::uint64_t call{}; ///< in which it last failed
        bool lettered{};      ///< the dead-letter queue has it
    };
    /// `queue` and `group` of each message that a record makes; nothing where that cannot be read.
    using record_groups = std::optional<std::vector<std::string>>;
    enum class fate : std::uint8_t { open, changed, unchanged, ignored, dead_lettered, failed, held };

    /// One call of `run`.
    struct work {
        std::span<const decoded_record> records;
        time_point begun;
        deadline last;
        const std::stop_token& stop;
        batch_verdict verdict;
        std::vector<fate> fates;
        batch_report report{};
        bool failures{};
        bool letters{}; ///< the dead-letter queue was asked: who knows how long that took
    };

    auto run(std::span<const decoded_record> records, deadline until, const std::stop_token& stop) -> batch_report {
        const auto begun = timer_.now();
        const auto last =
            until == deadline::never() ? until : deadline::in(until.remaining(begun) - options_.reserve, begun);
        work now{records, begun, last, stop, batch_verdict{records.size()},
                 std::vector<fate>(records.size(), fate::open)};
        messages_.clear();
        for (std::size_t i = 0; i != records.size(); ++i) {
            const bool look = i % 16 == 0 || std::exchange(now.letters, false);
            if (look && out_of_time(now)) { break; }
            one(now, i);
        }
        deliver(now);
        return answer(now);
    }

    [[nodiscard]] auto out_of_time(const work& now) const -> bool {
        return now.stop.stop_requested() || now.last.passed(timer_.now());
    }

    /// Translates a record, unless it must wait for one before it.
    void one(work& now, std::size_t i) {
        const auto& record = now.records[i];
        if (must_wait(now, i)) { return; }
        if (!record) { return give_up_next(now, i, record.fault().as_error("malformed record")); }
        const auto before = messages_.mark();
        auto made = translated(*record, i);
        if (!made) { return give_up_next(now, i, std::move(made).why()); }
        if (*made != build_verdict::built) {
            now.fates[i] = *made == build_verdict::unchanged ? fate::unchanged : fate::ignored;
            return done(now, i);
        }
        const bool old =
            options_.max_age && record->created_at && *record->created_at < now.begun - *options_.max_age;
        if (!old && (parked_.empty() || !is_parked(record, groups_of(record)))) { return; } // done when they are sent
        messages_.roll_back(before);
        if (!old) { return give_up_next(now, i, behind_a_parked_one()); }
        give_up_next(now, i, {errc::expired, "the record is older than the age limit"});
        now.report.expired += now.fates[i] == fate::dead_lettered ? 1 : 0;
    }

    [[nodiscard]] auto must_wait(work& now, std::size_t i) -> bool {
        if (!now.failures || may_process(now, i, groups_of(now.records[i]))) { return false; }
        now.fates[i] = fate::held;
        return true;
    }

    /// Sends what is before the record, so that its letter does not overtake theirs, and then gives it up.
    void give_up_next(work& now, std::size_t i, error why) {
        deliver(now);
        messages_.clear();
        if (must_wait(now, i)) { return; }
        if (out_of_time(now)) { now.letters = true; }
        else { give_up(now, i, std::move(why)); }
    }

    [[nodiscard]] auto translated(const stream_record& record, std::size_t i) -> result<build_verdict> {
        const auto begun = messages_.mark();
        auto made = result<build_verdict>{build_verdict::ignored};
        const auto called = isolated([&]() -> result<void> {
            made = translator_.translate(record, i, messages_);
            return {};
        });
        if (!called) { made = called.why(); }
        if (!made) { messages_.roll_back(begun); }
        return made;
    }

    void deliver(work& now) {
        if (messages_.empty()) { return; }
        const auto refused = [&](std::size_t message, const error& why) {
            const auto record = messages_.record(message);
            if (now.fates[record] != fate::dead_lettered) { give_up(now, record, why); }
            return now.fates[record] == fate::dead_lettered && options_.after == after_dead_letter::go_on;
        };
        const auto sent = sender_.send(messages_, now.last, now.stop, refused);
        now.report.messages_sent += sent.sent;
        now.report.messages_failed += sent.failed;

        for (std::size_t m = 0; m != messages_.size();) {
            const auto i = messages_.record(m);
            bool all = true, tried = false, own = false, open = false;
            std::optional<error> why;
            for (; m != messages_.size() && messages_.record(m) == i; ++m) {
                const auto& each = sent.fates[m];
                const bool good = each.outcome == send_outcome::accepted || each.outcome == send_outcome::settled;
                all = all && good;
                open = open || (!good && each.outcome != send_outcome::refused);
                if (good || each.outcome == send_outcome::not_sent) { continue; }
                tried = true;
                own = own || each.own;
                if (!why) { why = each.why; }
            }
            if (now.fates[i] == fate::dead_lettered && open) { // one queue refused it, and another has yet to take it
                remember(now.records[i]).lettered = true;
                failed(now, i, why.value_or(error{errc::unavailable, "not sent to each of its queues"}), 1);
            }
            if (now.fates[i] != fate::open) { continue; } // given up already
            if (all) {
                now.fates[i] = fate::changed;
                done(now, i);
            } else if (tried) {
                fail(now, i, *std::move(why), own);
            } else if (const auto groups = groups_of(now.records[i]); is_parked(now.records[i], groups)) {
                if (!out_of_time(now)) { give_up(now, i, behind_a_parked_one()); }
            } else if (!may_process(now, i, groups)) {
                now.fates[i] = fate::held;
            }
        }
    }

    /// A record failed; by itself too often, it goes to the dead-letter queue.
    void fail(work& now, std::size_t i, error why, bool own) {
        auto& past = remember(now.records[i]);
        past.attempts += own ? 1 : 0;
        if (own && past.attempts > options_.retries) { return give_up(now, i, std::move(why)); }
        failed(now, i, why, past.attempts);
    }

    /// No retry can help: the dead-letter queue gets the record.
    void give_up(work& now, std::size_t i, error why) {
        const auto& record = now.records[i];
        auto& past = remember(record);
        past.attempts = std::max(past.attempts, 1U);
        if (out_of_time(now)) { return failed(now, i, why, past.attempts); }
        now.letters = true;
        const auto groups = groups_of(record);
        const dead_letter letter{.origin = options_.origin,
                                 .id = std::string{record.event_id().empty() ? record.sequence() : record.event_id()},
                                 .sequence = std::string{record.sequence()},
                                 .group = groups && !groups->empty()
                                              ? groups->front().substr(groups->front().find('\n') + 1)
                                              : std::string{},
                                 .why = std::move(why),
                                 .attempts = past.attempts,
                                 .first_seen = past.first_seen,
                                 .bytes = std::string{record.bytes()}};
        if (auto taken = past.lettered ? result<void>{} : send_dead_letter(dead_letters_, letter); !taken) {
            failed(now, i, not_taken(letter, taken.why()), past.attempts);
            return;
        }
        now.fates[i] = fate::dead_lettered;
        done(now, i);
        if (options_.after == after_dead_letter::park && groups) {
            const auto sequence = sequence_number::parse(record.sequence()).value_or({});
            for (const auto& group : *groups) { park(group, sequence); }
        }
        emit(seen_, record_dead_lettered{letter});
    }

    void failed(work& now, std::size_t i, const error& why, unsigned attempts) {
        now.fates[i] = fate::failed;
        now.failures = true;
        if (!now.report.why) { now.report.why = why; }
        const auto groups = groups_of(now.records[i]);
        if (!groups) { now.verdict.failed(i, std::nullopt); }
        else {
            for (const auto& group : *groups) { now.verdict.failed(i, group); }
        }
        emit(seen_, record_failed{now.records[i].event_id(), now.records[i].sequence(), attempts, why});
    }

    void done(work& now, std::size_t i) {
        now.verdict.done(i);
        if (!history_.empty()) {
            if (const auto at = history_.find(now.records[i].sequence()); at != history_.end()) { history_.erase(at); }
        }
    }

    [[nodiscard]] auto remember(const decoded_record& record) -> history& {
        auto& past = history_.try_emplace(std::string{record.sequence()}, history{0, timer_.now()}).first->second;
        past.call = calls_;
        return past;
    }

    [[nodiscard]] auto groups_of(const decoded_record& record) -> record_groups {
        const auto keys = record.keys();
        if (!keys) { return std::nullopt; }
        std::vector<std::string> groups;
        const auto told = isolated([&]() -> result<void> {
            const auto found = translator_.route(*keys);
            if (!found) { return found.why(); }
            for (const auto& each : *found) {
                groups.push_back(std::string{each.queue} + '\n' + std::string{each.group});
            }
            return {};
        });
        return told ? record_groups{std::move(groups)} : std::nullopt;
    }

    [[nodiscard]] auto may_process(const work& now, std::size_t i,
                                   const record_groups& groups) const -> bool {
        if (!groups) { return now.verdict.may_process(i, std::nullopt); }
        for (const auto& group : *groups) {
            if (!now.verdict.may_process(i, group)) { return false; }
        }
        return true;
    }
    [[nodiscard]] auto is_parked(const decoded_record& record, const record_groups& groups) const -> bool {
        const auto sequence = sequence_number::parse(record.sequence());
        const auto parked = [&](const auto& group) {
            const auto at = parked_.find(group);
            return at != parked_.end() && (!sequence || !(*sequence < at->second));
        };
        return groups && std::any_of(groups->begin(), groups->end(), parked);
    }
    [[nodiscard]] static auto behind_a_parked_one() -> error {
        return {errc::conflict, "its group is parked behind another dead letter"};
    }
    [[nodiscard]] static auto not_taken(const dead_letter& letter, const error& why) -> error {
        return {why.code, letter.why.note + "; dead-letter queue: " + why.note};
    }

    [[nodiscard]] auto answer(work& now) -> batch_report {
        auto& report = now.report;
        bool from_start = true;
        for (std::size_t i = 0; i != now.fates.size(); ++i) {
            switch (now.fates[i]) {
                case fate::open: ++report.untried; break;
                case fate::changed: ++report.changed; break;
                case fate::unchanged: ++report.unchanged; break;
                case fate::ignored: ++report.ignored; break;
                case fate::dead_lettered: ++report.dead_lettered; break;
                case fate::failed: ++report.failed; break;
                case fate::held: ++report.held; break;
            }
            from_start = from_start && now.verdict.is_done(i);
            report.done_from_start += from_start ? 1 : 0;
        }
        report.response = now.verdict.response([&](std::size_t i) { return now.records[i].sequence(); });
        report.took = timer_.now() - now.begun;
        return report;
    }

    auto finished(batch_report report) -> batch_report {
        constexpr std::uint64_t kept = 100; // calls: what does not come again must not be remembered for ever
        if (report.response.success()) { history_.clear(); }
        std::erase_if(history_, [&](const auto& each) { return calls_ - each.second.call > kept; });
        ++calls_;
        emit(seen_, batch_processed{report});
        return report;
    }

    /// Whether the record is all that the change's text says; if not, the text ends the array, or begins other records.
    [[nodiscard]] static auto is_whole(const decoded_record& read, std::string_view text) -> bool {
        constexpr std::string_view blanks = " \t\r\n";
        const auto first = std::min(text.find_first_not_of(blanks), text.size());
        return text.substr(first, text.find_last_not_of(blanks) + 1 - first) == read.bytes();
    }

    /// Each change as an event of its own, up to the first that is not done: nothing after it may overtake it.
    template <class Row>
    auto one_by_one(std::span<const change<Row>> changes, deadline until, const std::stop_token& stop) -> batch_report {
        batch_report all;
        for (const auto& each : changes) {
            event_.assign(R"({"Records":[)").append(each.record).append("]}");
            const auto records = decoder_.decode(event_);
            const bool good = records && records->size() == 1 && is_whole(records->front(), each.record);
            const auto one = good ? run(*records, until, stop) : unreadable(each, records, until, stop);
            all += one;
            if (one.done_from_start == 1) { continue; }
            all.response = {batch_response::extent::from_checkpoint, each.sequence};
            all.untried += changes.size() - all.records();
            break;
        }
        return all;
    }

    template <class Row>
    auto unreadable(const change<Row>& each, const parsed<std::span<const decoded_record>>& records, deadline until,
                    const std::stop_token& stop) -> batch_report {
        if (stop.stop_requested() || !until.allows(options_.reserve, timer_.now())) { return {.untried = 1}; }
        const std::string id{each.sequence.view()};
        const auto past = history_.try_emplace(id, history{1, timer_.now()}).first;
        past->second.call = calls_;
        const dead_letter letter{.origin = options_.origin,
                                 .id = id,
                                 .sequence = id,
                                 .group = {},
                                 .why = records ? error{errc::malformed, "malformed record: it is not one record"}
                                                : records.fault().as_error("malformed record"),
                                 .attempts = past->second.attempts,
                                 .first_seen = past->second.first_seen,
                                 .bytes = each.record};
        batch_report one;
        if (auto taken = send_dead_letter(dead_letters_, letter); !taken) {
            one.failed = 1;
            one.why = not_taken(letter, taken.why());
            emit(seen_, record_failed{{}, each.sequence.view(), letter.attempts, *one.why});
            return one;
        }
        history_.erase(past);
        one.dead_lettered = one.done_from_start = 1;
        emit(seen_, record_dead_lettered{letter});
        return one;
    }

    Translator translator_;
    DeadQueue& dead_letters_;
    Timer& timer_;
    processor_options options_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
    message_sender<Queue, Timer, forward> sender_;
    event_decoder decoder_;
    message_batch messages_;
    std::string event_;
    std::map<std::string, history, std::less<>> history_; // of records that failed, by sequence number
    std::uint64_t calls_{};
    std::map<std::string, sequence_number, std::less<>> parked_;
};

} // namespace freshet
