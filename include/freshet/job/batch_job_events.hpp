#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_steps.hpp>
#include <freshet/letter/dead_letter.hpp>

namespace freshet {

/// A run has listed its items, and knows what is left to do.
struct items_listed {
    const run_report& report; ///< its `listed` and `groups`
    std::string_view after;   ///< the group that an earlier run of the round came to; empty: none
    static constexpr std::string_view name = "items_listed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("job", report.job);
        visit("run", report.run);
        visit("due", report.due);
        visit("items", report.listed);
        visit("groups", report.groups);
        visit("after", after);
    }
};

/// A batch begins.
struct batch_began {
    std::size_t groups{}; ///< in it
    std::uint64_t left{}; ///< groups, those of the batch included
    duration expected{};  ///< how long it will take
    duration time_left{}; ///< until the run ends its work; `duration::max()`: for ever
    static constexpr std::string_view name = "batch_began";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("groups", std::uint64_t{groups});
        visit("left", left);
        visit("expected", expected);
        visit("time_left", time_left);
    }
};

/// A group's items are what its work made of them.
struct group_applied {
    std::string_view group;
    const apply_counts& counts;
    unsigned retries{};
    duration took{};
    static constexpr std::string_view name = "group_applied";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("group", group);
        visit("validated", counts.validated);
        visit("updated", counts.updated);
        visit("undecided", counts.undecided);
        visit("needs_review", counts.needs_review);
        visit("conflicts", counts.conflicts);
        visit("retries", retries);
        visit("took", took);
    }
};

/// What becomes of a group that failed.
enum class group_fate : std::uint8_t {
    set_aside,     ///< its items were told so
    not_set_aside, ///< its letter was not taken, or that failed too: its items wait as they did
    left,          ///< the run gives up, or has no time or claim for it: the next one begins with it
};

[[nodiscard]] constexpr auto name_of(group_fate fate) noexcept -> std::string_view {
    switch (fate) {
        case group_fate::set_aside: return "set_aside";
        case group_fate::not_set_aside: return "not_set_aside";
        case group_fate::left: return "left";
    }
    return {};
}

/// A group failed, by its own or its backends' fault, and after its retries.
struct group_failed {
    std::string_view group;
    const error& why;
    group_fate fate{};
    unsigned retries{};
    static constexpr std::string_view name = "group_failed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("group", group);
        visit("why", std::string_view{why.note});
        visit("reason", name_of(why.code));
        visit("fate", name_of(fate));
        visit("retries", retries);
    }
};

/// The dead-letter queue has a letter about a group that failed.
struct group_dead_lettered {
    const dead_letter& letter;
    static constexpr std::string_view name = "group_dead_lettered";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("id", std::string_view{letter.id});
        visit("group", std::string_view{letter.group});
        visit("why", std::string_view{letter.why.note});
    }
};

/// The dead-letter queue has no letter about a group that failed: its items are listed again in the next round.
struct group_letter_failed {
    std::string_view group;
    const error& why;
    static constexpr std::string_view name = "group_letter_failed";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("group", group);
        visit("why", std::string_view{why.note});
    }
};

/// A batch has ended, and this is how the run fares.
struct batch_ended {
    const run_report& report;
    duration group_costs{}; ///< what a group is expected to take from now on
    static constexpr std::string_view name = "batch_ended";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        report.fields(visit);
        visit("group_costs", group_costs);
    }
};

/// The run store did not take, or did not give, what a run needed; the run goes on. Where it is killed, the next one
/// begins at the last place that was kept.
struct report_not_kept {
    const run_report& report;
    const error& why;
    static constexpr std::string_view name = "report_not_kept";
    template <class Visitor>
    void fields(Visitor&& visit) const {
        visit("job", report.job);
        visit("run", report.run);
        visit("why", std::string_view{why.note});
    }
};

} // namespace freshet
