#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/ledger.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/batch_job_events.hpp>
#include <freshet/job/batch_plan.hpp>
#include <freshet/job/batch_progress.hpp>
#include <freshet/job/batch_round.hpp>
#include <freshet/job/batch_run.hpp>
#include <freshet/job/batch_settlement.hpp>
#include <freshet/job/batch_steps.hpp>
#include <freshet/job/batch_turn.hpp>
#include <freshet/job/item_groups.hpp>
#include <freshet/job/patience.hpp>
#include <freshet/job/resume_token.hpp>
#include <freshet/job/round_lease.hpp>
#include <freshet/job/round_place.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/work/claimed.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>
#include <freshet/work/retry_plan.hpp>

namespace freshet::detail {

/// One execution of a batch job, from its claim on: what `batch_job` promises of a run.
template <class Parts>
class batch_execution {
    using item_type = typename Parts::item_type;
    using group_type = item_group<item_type>;
    using ledger_type = typename Parts::ledger_type;

public:
    batch_execution(Parts& with, const batch_round& round, const batch_run& wanted, run_report report, work_claim claim,
                    const std::stop_token& stop)
        : with_{with},
          round_{round},
          wanted_{wanted},
          stop_{stop},
          until_{end_of(wanted, report.started_at)},
          work_until_{less_reserve(until_, with.options.reserve, report.started_at)},
          lease_{with.ledger, std::move(claim), with.options.lease},
          patience_{with.timer, with.options.retries, with.options.seed},
          progress_{std::move(report), with.options.first_guess, with.options.tolerated} {}

    /// Does what is left of the round, from this place on; absent: from where the round's last run came to.
    [[nodiscard]] auto run(std::optional<resume_token> from) -> result<batch_job_answer> {
        if (auto begun = begin(std::move(from)); !begun) {
            give_back();
            return std::move(begun).why();
        }
        if (how_ == batch_outcome::already_done) {
            mark_done();
            return batch_job_answer{how_, progress_.report()};
        }
        if (list()) { work_off(); }
        return finish();
    }

private:
    /// Finds the place to go on, and writes down that the run has begun.
    auto begin(std::optional<resume_token> wanted) -> result<void> {
        const auto& report = progress_.report();
        constexpr duration ahead = std::chrono::days{31}; // that runs of a round may begin before it is due
        constexpr duration skew = std::chrono::days{1};   // of the clocks of machines that earlier runs were on
        const time_range around{std::min(report.due, report.started_at) - ahead,
                                std::max(report.due, report.started_at) + skew};
        const auto reports = patience_.ask(until_, [&] { return with_.runs.runs(report.job, around); });
        if (!reports) { return reports.why(); }
        const auto place = place_of(*reports, report.due);
        if (place.complete) {
            how_ = batch_outcome::already_done;
            return {};
        }
        if (place.gave_up) { gave_up_at_ = place.resume; }
        auto kept = read_resume(place.resume, report.due);
        if (!kept) { emit(with_.seen, report_not_kept{report, kept.why()}); } // from the start, then: nothing is lost
        after_ = wanted || !kept ? std::move(wanted) : *std::move(kept);
        if (after_) { progress_.came_to(after_->after); }
        save();
        if (unkept_) { return *unkept_; }
        return {};
    }

    /// Lists all that waits, and leaves out what had its turn in an earlier run of the round.
    auto list() -> bool {
        for (page_request request{std::nullopt, with_.options.page_size};;) {
            if (!may_work()) { return end(batch_outcome::stopped, why_not() + ", before all was listed"); }
            auto page = patience_.in_time(stop_, work_until_, [&] { return add_page(request); });
            if (!page.answer) {
                const auto how = page.cut_short ? batch_outcome::stopped : batch_outcome::failed;
                return end(how, "the list of what waits: " + page.answer.why().note);
            }
            request.from = *std::move(page.answer);
            if (!request.from) { break; }
        }
        const auto items = groups_.items();
        if (after_) { groups_.after(after_->after); }
        progress_.listed(items, groups_.size());
        emit(with_.seen, items_listed{progress_.report(), after_ ? after_->after : std::string_view{}});
        return true;
    }

    /// Adds all items of a page or none, and says where the next page begins.
    auto add_page(const page_request& request) -> result<std::optional<page_token>> {
        auto page = with_.steps.list(request);
        if (!page) { return std::move(page).why(); }
        if (page->next && page->next == request.from) {
            return error{errc::malformed, "a page leads back to itself: it would never end"};
        }
        std::vector<std::string> keys;
        for (const auto& item : page->rows) {
            auto key = isolated([&]() -> result<std::string> { return with_.steps.group_of(item); });
            if (!key && !ungrouped_) { ungrouped_ = {errc::malformed, "an item has no group: " + key.why().note}; }
            keys.push_back(key ? *std::move(key) : std::string{ungrouped});
        }
        for (std::size_t i = 0; i != keys.size(); ++i) { groups_.add(std::move(keys[i]), std::move(page->rows[i])); }
        return std::move(page->next);
    }

    /// Batch after batch, until every group had its turn or the run has to end.
    void work_off() {
        for (;;) {
            const auto plan = plan_batch(facts());
            if (plan.groups == 0) {
                end_by(plan.end);
                return;
            }
            emit(with_.seen,
                 batch_began{plan.groups, groups_.size(), plan.expected, work_until_.remaining(with_.timer.now())});
            const auto batch = groups_.take(plan.groups);
            auto turns = take_turns(batch);
            const auto settled = settle(batch, turns); // groups
            if (settled != 0) { progress_.came_to(batch[settled - 1].key); }
            save();
            emit(with_.seen, batch_ended{progress_.report(), progress_.cost().per_group()});
            if (settled != batch.size() && !progress_.too_many_failures()) {
                const auto& open = batch[settled].key;
                end(batch_outcome::stopped, why_not() + ", at " + printable(open) + ": " + turns[settled].why.note);
                return;
            }
        }
    }

    [[nodiscard]] auto facts() const -> batch_facts {
        batch_facts now;
        now.now = with_.timer.now();
        now.until = work_until_;
        now.cost = progress_.cost();
        now.at_once = with_.options.at_once;
        now.waiting = groups_.size();
        now.most = with_.options.batch;
        if (wanted_.max_groups) { now.allowed = *wanted_.max_groups - taken_; }
        now.stop_requested = stop_.stop_requested();
        now.too_many_failures = progress_.too_many_failures();
        return now;
    }

    auto take_turns(const std::vector<group_type>& batch) -> std::vector<batch_turn> {
        std::vector<batch_turn> turns(batch.size());
        const auto context = context_of(work_until_);
        const auto needs = progress_.cost().per_group();
        const bool first = taken_ == 0;                          // of the run: it begins wherever there is time at all
        std::vector<patience<typename Parts::timer_type>> calls; // the threads share none
        for (std::size_t i = 0; i != batch.size(); ++i) { calls.push_back(patience_.another()); }
        with_.workers.each(batch.size(), [&](std::size_t i) {
            const bool any_time = first && i == 0;
            turns[i] = batch[i].key == ungrouped && ungrouped_
                           ? batch_turn{turn_end::failed, {}, *ungrouped_}
                           : take_turn(with_.steps, batch[i], context, until_, lease_, calls[i],
                                       any_time ? duration::zero() : needs);
        });
        taken_ += batch.size();
        return turns;
    }

    /// Counts what came of a batch, does what is to be done about it, and says how many groups from its first one on
    /// had their turn.
    auto settle(const std::vector<group_type>& batch, std::vector<batch_turn>& turns) -> std::size_t {
        const auto& report = progress_.report();
        const auto given = wanted_.limit > duration::zero() ? wanted_.limit : until_.remaining(report.started_at);
        auto rulings = rule_turns(
            turns, progress_,
            {taken_ == batch.size(), given, gave_up_at_ == report.resume, retry_plan{with_.options.retries}});
        for (std::size_t i = 0; i != batch.size(); ++i) {
            auto& turn = turns[i];
            if (turn.how == turn_end::applied) {
                emit(with_.seen, group_applied{batch[i].key, turn.counts, turn.retries, turn.took});
            } else if (turn.how == turn_end::failed) {
                const auto fate = rulings[i] == turn_ruling::leave ? group_fate::left : fail(batch[i], turn);
                if (fate == group_fate::left) { rulings[i] = turn_ruling::leave; }
                progress_.failed(batch[i].key, turn.why);
                emit(with_.seen, group_failed{batch[i].key, turn.why, fate, turn.retries});
            }
        }
        return groups_settled(rulings);
    }

    /// Tells of a group that failed, and sets it aside; what there is no time or claim for is left.
    ///
    /// The letter comes first: items that are set aside may not be listed again, and then nobody would tell of them.
    auto fail(const group_type& group, batch_turn& turn) -> group_fate {
        const auto told = tell(group.key, turn);
        return told == group_fate::set_aside ? set_aside(group, turn) : told;
    }

    auto set_aside(const group_type& group, batch_turn& turn) -> group_fate {
        const auto context = context_of(until_);
        auto aside = try_effect(patience_, lease_, stop_, until_,
                                [&] { return with_.steps.set_aside(group, turn.why, context); });
        progress_.retried(aside.retries);
        if (aside.cut_short) { return group_fate::left; }
        if (aside.answer) {
            progress_.add(*aside.answer);
            return group_fate::set_aside;
        }
        turn.why.note += "; and its items were not set aside: " + aside.answer.why().note;
        return group_fate::not_set_aside;
    }

    /// Tells the dead-letter queue of a group that failed, unless another run of the round did. `set_aside`: it knows,
    /// and its items may be.
    auto tell(const std::string& group, const batch_turn& turn) -> group_fate {
        const auto letter = round_.letter(group, turn.why, turn.retries + 1, with_.timer.now());
        const auto key = round_.key("letter", group);
        const auto owner = round_.key(); // every run of the round: one at a time has its lease
        const auto send = [&](const work_claim&) { return send_dead_letter(with_.letters, letter); };
        const auto told = try_effect(patience_, lease_, {}, until_, [&] {
            return do_claimed(with_.ledger, {key, owner, with_.options.lease}, send);
        });
        if (told.cut_short) { return group_fate::left; }
        if (!told.answer) {
            progress_.not_told(group, told.answer.why());
            emit(with_.seen, group_letter_failed{group, told.answer.why()});
            return group_fate::not_set_aside;
        }
        progress_.told();
        if (told.answer->state == claimed_state::done) { emit(with_.seen, group_dead_lettered{letter}); }
        return group_fate::set_aside;
    }

    void end_by(batch_end last) {
        using enum batch_outcome;
        if (last == batch_end::all_done) {
            how_ = complete;
        } else {
            end(last == batch_end::too_many_failures ? failed : stopped, std::string{text_of(last)});
        }
    }
    auto end(batch_outcome how, std::string why) -> bool {
        how_ = how;
        why_ = std::move(why);
        return false;
    }

    /// Writes down how the run ended. That the round is complete is so when the run store has it, and only then is the
    /// ledger told: a run that is killed in between leaves a report to go by.
    auto finish() -> batch_job_answer {
        using enum batch_outcome;
        const auto state = how_ == complete ? run_state::complete
                           : how_ == failed ? run_state::failed
                                            : run_state::stopped;
        progress_.end(state, why_);
        save();
        if (how_ == complete && unkept_) {
            how_ = stopped;
            progress_.end(run_state::stopped, "every group had its turn, and the run store does not know");
        }
        if (how_ == complete) {
            mark_done();
        } else {
            give_back();
        }
        emit(with_.seen, progress_.report());
        return {how_, progress_.report(), {}, std::move(unkept_)};
    }

    void save() {
        progress_.seen(with_.timer.now());
        const auto kept = patience_.ask(until_, [&] { return with_.runs.put(progress_.report()); });
        unkept_.reset();
        if (kept) { return; }
        unkept_ = kept.why();
        emit(with_.seen, report_not_kept{progress_.report(), *unkept_});
    }

    // Where neither can be said, the lease ends by itself.
    void mark_done() {
        static_cast<void>(patience_.ask(until_, [&] { return with_.ledger.complete(lease_.claim()); }));
    }
    void give_back() {
        static_cast<void>(patience_.ask(until_, [&] { return with_.ledger.release(lease_.claim()); }));
    }

    [[nodiscard]] auto context_of(const deadline& until) const -> apply_context {
        return {{until, stop_, wanted_.due}, lease_.token(), with_.options.most_undecided};
    }
    [[nodiscard]] auto may_work() -> bool {
        const auto moment = with_.timer.now();
        return !stop_.stop_requested() && !work_until_.passed(moment) && lease_.holds(moment);
    }
    [[nodiscard]] auto why_not() const -> std::string {
        if (lease_.lost()) { return "the round is not ours any longer (" + lease_.lost()->note + ')'; }
        return std::string{text_of(stop_.stop_requested() ? batch_end::stop_requested : batch_end::no_time)};
    }

    Parts& with_;
    const batch_round& round_;
    const batch_run& wanted_;
    const std::stop_token& stop_;
    deadline until_;      // of effects
    deadline work_until_; // of work
    round_lease<ledger_type> lease_;
    patience<typename Parts::timer_type> patience_;
    batch_progress progress_;
    std::optional<resume_token> after_{};
    std::optional<std::string> gave_up_at_{}; // an earlier run of the round; its place
    std::optional<error> ungrouped_{};        // why the first of the items without a group has none
    item_groups<item_type> groups_{};
    std::size_t taken_{}; // groups
    batch_outcome how_{}; // it ended, and why
    std::string why_{};
    std::optional<error> unkept_{}; // the last report
};

} // namespace freshet::detail
