#pragma once

#include <concepts>
#include <cstdint>
#include <stop_token>
#include <string>

#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/item_groups.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// What a group is worked on under.
struct work_context {
    deadline until{deadline::never()}; ///< the work is to end before it, done or with `expired`
    std::stop_token stop{};
    time_point round{}; ///< the instant of the schedule that the run is for
};

/// What a group's effects happen under.
struct apply_context : work_context {
    std::uint64_t token{};     ///< of the ledger's claim: greater than that of every worker before this one
    unsigned most_undecided{}; ///< after so many undecided rounds an item needs a person: see `judge_undecided`
};

/// What became of a group's items.
struct apply_counts {
    std::uint64_t validated{};    ///< decided
    std::uint64_t updated{};      ///< of those, changed by it
    std::uint64_t undecided{};    ///< wait for another round
    std::uint64_t needs_review{}; ///< no round could decide: a person must
    std::uint64_t conflicts{};    ///< changed by somebody else meanwhile, and left as he wrote them

    auto operator+=(const apply_counts& more) noexcept -> apply_counts& {
        validated += more.validated, updated += more.updated, undecided += more.undecided;
        needs_review += more.needs_review, conflicts += more.conflicts;
        return *this;
    }
    friend auto operator==(const apply_counts&, const apply_counts&) -> bool = default;
};

/// `batch_steps` are what a batch job does: which items wait, how they group, what is to become of them.
///
/// Laws:
///  1. `list` gives the items that wait, page by page: a query of an index, as a rule. Only an absent `next` ends it.
///  2. `group_of` gives the same text for the same item in every run, and depends on the item alone.
///  3. `work` is the long part. It has no effects that `apply` does not make, and may be done again. It ends before
///     `until`, and soon after a stop: with `expired` where it is not done. A group of which a killed run dealt with
///     some items comes without them: work that needs the whole of it reads it.
///  4. `apply` makes the effects, each on condition that the item is as it was listed, or refuses a token that is less
///     than the item's last. What somebody else changed meanwhile is left as it is, and counted: no failure.
///  5. `set_aside` does the same for the items of a group that failed: one more undecided round, or needs review. Of a
///     group that no dead letter tells of, it is not asked.
///  6. `apply` and `set_aside` may come twice in a round, also of what was listed before the first time: an item that
///     is decided stays so, and an undecided round counts once. Keep the round beside the count (`judge_undecided`).
///  7. An item that is decided, or needs review, waits no longer.
/// `work` and `apply` of different groups run at once where the executor runs tasks at once; the others do not. What
/// they throw is the group's failure (`failed`), and of `list` the run's. Items of which `group_of` throws are one group
/// that fails as `malformed` (`ungrouped`).
template <class S>
concept batch_steps = requires(S& s, const page_request& request, const typename S::item_type& item,
                               const item_group<typename S::item_type>& group, const work_context& work,
                               const apply_context& apply, const error& why) {
    { s.list(request) } -> std::same_as<result<page<typename S::item_type>>>;
    { s.group_of(item) } -> std::convertible_to<std::string>;
    { s.apply(group, *s.work(group, work), apply) } -> std::same_as<result<apply_counts>>;
    { s.set_aside(group, why, apply) } -> std::same_as<result<apply_counts>>;
};

} // namespace freshet
