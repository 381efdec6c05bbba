#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_steps.hpp>
#include <freshet/job/batch_turn.hpp>
#include <freshet/job/cost_estimate.hpp>
#include <freshet/job/failure_budget.hpp>
#include <freshet/job/resume_token.hpp>

namespace freshet {

/// How a run fares: its report, what groups cost, and how many failures it had. A value.
class batch_progress {
public:
    batch_progress(run_report report, duration first_guess, const failure_limits& tolerated)
        : report_{std::move(report)}, cost_{first_guess}, budget_{tolerated} {}

    void listed(std::uint64_t items, std::uint64_t groups_left) noexcept {
        report_.listed = items;
        report_.groups = groups_left;
    }

    /// A turn that ended. One that was cut short or out of time counts as not begun.
    void had(const batch_turn& turn) noexcept {
        report_.retries += turn.retries;
        if (turn.how == turn_end::cut_short || turn.how == turn_end::out_of_time) { return; }
        ++report_.worked;
        if (turn.how == turn_end::applied) {
            cost_.learn(turn.took);
            budget_.succeeded();
            add(turn.counts);
        } else {
            cost_.learn_failure(turn.took);
            budget_.failed(turn.why.code);
            ++report_.failed;
        }
    }
    /// What became of the items of a group that was set aside.
    void add(const apply_counts& counts) noexcept {
        report_.validated += counts.validated;
        report_.updated += counts.updated;
        report_.undecided += counts.undecided;
        report_.needs_review += counts.needs_review;
        report_.conflicts += counts.conflicts;
    }
    void retried(unsigned more) noexcept { report_.retries += more; }
    void told() noexcept { ++report_.dead_lettered; }
    void failed(std::string_view group, const error& why) { keep_first(first_failure_, group, why); }
    void not_told(std::string_view group, const error& why) { keep_first(first_untold_, group, why); }

    /// Every group up to this one had its turn.
    void came_to(const std::string& group) { report_.resume = to_text(resume_token{report_.due, group}); }
    void seen(time_point now) noexcept { report_.seen_at = now; }

    /// The run ends. The report says why where it is not complete, and then what failed first.
    void end(run_state how, std::string_view why) {
        report_.state = how;
        report_.why.clear();
        const auto add_text = [&](std::string_view what, std::string_view text) {
            if (text.empty()) { return; }
            report_.why.append(report_.why.empty() ? "" : "; ").append(what).append(text);
        };
        add_text({}, why);
        add_text("first failure: ", first_failure_);
        add_text("no dead letter: ", first_untold_);
    }

    [[nodiscard]] auto report() const noexcept -> const run_report& { return report_; }
    [[nodiscard]] auto cost() const noexcept -> const cost_estimate& { return cost_; }
    [[nodiscard]] auto too_many_failures() const noexcept -> bool { return budget_.spent(); }

private:
    static void keep_first(std::string& first, std::string_view group, const error& why) {
        if (first.empty()) { first = printable(group) + ": " + why.note; }
    }

    run_report report_;
    cost_estimate cost_;
    failure_budget budget_;
    std::string first_failure_{};
    std::string first_untold_{};
};

} // namespace freshet
