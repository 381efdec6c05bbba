#pragma once

#include <concepts>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/executor.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/run_store.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/job/batch_execution.hpp>
#include <freshet/job/batch_job_events.hpp>
#include <freshet/job/batch_parts.hpp>
#include <freshet/job/batch_round.hpp>
#include <freshet/job/batch_run.hpp>
#include <freshet/job/batch_steps.hpp>
#include <freshet/job/batch_turn.hpp>
#include <freshet/job/item_groups.hpp>
#include <freshet/job/patience.hpp>
#include <freshet/job/round_lease.hpp>
#include <freshet/job/round_place.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/work/claimed.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// Works off what waits, group by group, in time; and goes on where an earlier run of the round left off.
///
/// A run claims its round in the ledger, lists all items, and works on batches of groups in their order: as many as
/// end in time, by what groups cost so far. After each batch it writes down how it fares, with the last group before
/// the first that did not have its turn: there the next run of the round goes on. What the groups beyond it did in the
/// same batch is done again then, and changes nothing (laws 4 and 6 of `batch_steps`). A round is complete when a
/// report says so. Which round to run is the caller's affair: one that was not complete when the next is due can be run
/// first.
///
/// A group that fails after its retries is told of in a dead letter, once a round (its own key in the ledger; where the
/// run is killed between sending and writing that down, the queue's deduplication drops the second), and set aside.
/// Where the letter is not taken, its items stay as they are: the report's `why` and an event say so, and they are
/// listed again in the next round. Where the deadline or a lost claim comes before the letter is taken or the items are
/// set aside, the next run begins with the group, as it does with one that a stop or the deadline ended: that has not
/// failed.
///
/// No group ends every run at its place. One that is a run's first, and is not done when it took half of the run's
/// limit or more and the time for work is over, has failed (`expired`); work that does not end before the run does (law
/// 3 of `batch_steps`) is beyond that, and the report of each such run names its group. With more failures than are
/// tolerated the run fails, and of the last batch's failed groups those that failed of what retries may help against
/// are neither told of nor set aside: all may have failed of one cause, and the next run begins with them. If that
/// gives up there too, they are.
///
/// A group begins where what groups cost fits before the deadline less the reserve, the first of a run wherever there
/// is time at all; nothing is applied at the deadline; what has begun has `work_context::until`. A claim that is lost
/// ends the run before the next try of an effect. A run may begin up to 31 days before its round is due: it does not
/// find the place of a run that began sooner. Events come on the calling thread. The answer is an error where the run
/// could not begin: a run name, round or token that is none (`malformed`), or a ledger or run store that does not
/// answer. Where the run store fails later, the run goes on, and says so by an event. Borrows all but options and
/// observer; one run at a time. The executor's threads use the steps, the ledger (one thread at a time) and the timer.
template <class Steps, class Workers, class Ledger, class Letters, class Runs, class Timer, class Observer = unobserved>
class batch_job {
    static_assert(batch_steps<Steps>,
                  "a batch job's steps are an item_type, list, group_of, work, apply and set_aside, "
                  "as freshet::batch_steps has them");
    static_assert(executor<Workers>, "a batch job needs an executor: each(std::size_t n, body) -> void");
    static_assert(ledger<Ledger>,
                  "a batch job needs a ledger: claim, renew, complete and release, as freshet::ledger "
                  "has them");
    static_assert(message_queue<Letters>, "a batch job's letters go to a message_queue: see freshet::message_queue");
    static_assert(run_store<Runs>,
                  "a batch job needs a run_store: put, runs and latest, as freshet::run_store has them");
    static_assert(timer<Timer> && shareable<Timer>,
                  "a batch job needs a timer that is shareable: groups of a batch may "
                  "be worked on at once");

public:
    using parts_type = batch_parts<Steps, Workers, Ledger, Letters, Runs, Timer, Observer>;
    using emits = typename parts_type::emits;
    using item_type = typename Steps::item_type;

    batch_job(Steps& steps, Workers& workers, Ledger& ledger, Letters& letters, Runs& runs, Timer& timer,
              batch_job_options options = {}, Observer seen = {})
        : with_{steps, workers, ledger, letters, runs, timer, std::move(options), std::move(seen)} {}

    /// Goes on with the round `wanted.due`, or begins it.
    [[nodiscard]] auto run(const batch_run& wanted, const std::stop_token& stop = {}) -> result<batch_job_answer> {
        const auto round = batch_round::of(with_.options.job, wanted.due);
        if (!round) { return round.why(); }
        if (wanted.run.empty()) { return about({errc::malformed, "a run without a name"}); }
        auto from = read_resume(wanted.resume, wanted.due);
        if (!from) { return about(std::move(from).why()); }
        auto report = report_of(wanted, with_.options.job, with_.timer.now());
        auto claim = calls().ask(end_of(wanted, report.started_at), [&] {
            return with_.ledger.claim({round->key(), wanted.run, with_.options.lease});
        });
        if (!claim) { return about(std::move(claim).why()); }
        if (claim->verdict == claim_verdict::completed) {
            return batch_job_answer{batch_outcome::already_done, std::move(report)};
        }
        if (!claim->mine()) {
            return batch_job_answer{batch_outcome::held, std::move(report), claim->claim.expires_at};
        }
        detail::batch_execution<parts_type> execution{with_, *round, wanted, std::move(report), claim->claim, stop};
        auto answer = execution.run(*std::move(from));
        if (!answer) { return about(std::move(answer).why()); }
        return answer;
    }

    /// Works on the group of a dead letter again, outside of any run; for `redrive_groups`.
    ///
    /// `load(std::string_view group) -> result<std::vector<item_type>>` of the steps gives its items as they are now;
    /// none: there is nothing to do. The round is the letter's. Once for each letter: a key of its own in the ledger,
    /// which `run` (a name of the caller's own) claims. A failure leaves it to be done.
    [[nodiscard]] auto redo(const dead_letter& letter, std::string_view run, const deadline& until = deadline::never(),
                            const std::stop_token& stop = {}) -> result<void> {
        static_assert(std::same_as<decltype(with_.steps.load(std::string_view{})), result<std::vector<item_type>>>,
                      "to redo a group the steps need load(std::string_view) -> result<std::vector<item_type>>");
        const auto round = batch_round::of(with_.options.job, letter);
        if (!round) { return round.why(); }
        const auto key = round->key("redo", letter.group);
        const auto work = [&](const work_claim& claim) -> result<void> {
            auto again = calls();
            auto items = again.in_time(stop, until, [&] { return with_.steps.load(std::string_view{letter.group}); });
            if (!items.answer) { return std::move(items.answer).why(); }
            if (items.answer->empty()) { return {}; }
            const item_group<item_type> group{letter.group, *std::move(items.answer)};
            round_lease<Ledger> lease{with_.ledger, claim, with_.options.lease};
            const apply_context context{{until, stop, round->due()}, claim.token, with_.options.most_undecided};
            auto turn = take_turn(with_.steps, group, context, until, lease, again);
            if (turn.how != turn_end::applied) { return std::move(turn.why); }
            emit(with_.seen, group_applied{group.key, turn.counts, turn.retries, turn.took});
            return {};
        };
        auto done = do_claimed(with_.ledger, {key, run, with_.options.lease}, work);
        if (!done) { return std::move(done).why(); }
        if (done->state == claimed_state::held) { return error{errc::unavailable, key + ": somebody else is at it"}; }
        return {};
    }

private:
    [[nodiscard]] auto calls() const -> patience<Timer> {
        return {with_.timer, with_.options.retries, with_.options.seed};
    }
    [[nodiscard]] auto about(error why) const -> error {
        why.note = "job " + printable(with_.options.job) + ": " + why.note;
        return why;
    }

    parts_type with_;
};

} // namespace freshet
