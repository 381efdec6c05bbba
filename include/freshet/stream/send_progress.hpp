#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/stream/send_plan.hpp>

namespace freshet {

/// What became of an item.
enum class send_outcome : std::uint8_t {
    not_sent,  ///< nothing is reported yet
    accepted,  ///< the queue has it, or had it before
    retryable, ///< refused, and sending it again can help
    refused,   ///< refused, and sending it again cannot help; also an item that is too large
    settled,   ///< refused, and taken care of elsewhere (a dead-letter queue has it): its group goes on
    unknown,   ///< the request's own outcome is unknown: the identical message is to be sent again
};

/// A group of a queue: what keeps order.
struct send_group {
    std::string_view queue;
    std::string_view group;
    friend constexpr auto operator==(const send_group&, const send_group&) -> bool = default;
};

/// The groups of which this request took a later entry and refused an earlier one, each once; views of the items'
/// texts.
///
/// Only a `send_order::fast` plan can cause it, and sending the earlier one again does not repair it. `outcomes` has
/// one outcome for each of `request`'s entries. Entries without a group have no order to break.
[[nodiscard]] inline auto broken_groups(std::span<const send_item> items, std::span<const std::size_t> request,
                                        std::span<const send_outcome> outcomes) -> std::vector<send_group> {
    if (request.size() != outcomes.size()) { abort_on_misuse("broken_groups: one outcome for each entry is needed"); }
    std::vector<send_group> refused, broken;
    const auto holds = [](const auto& groups, const send_group& group) {
        return std::find(groups.begin(), groups.end(), group) != groups.end();
    };
    for (std::size_t i = 0; i < request.size(); ++i) {
        if (request[i] >= items.size()) { abort_on_misuse("broken_groups: there is no such item"); }
        const send_group group{items[request[i]].queue, items[request[i]].group};
        if (group.group.empty()) { continue; }
        const auto no = outcomes[i] == send_outcome::retryable || outcomes[i] == send_outcome::refused;
        if (no && !holds(refused, group)) { refused.push_back(group); }
        if (outcomes[i] == send_outcome::accepted && holds(refused, group) && !holds(broken, group)) {
            broken.push_back(group);
        }
    }
    return broken;
}

/// Knows which items may be sent now, so that no request carries a group's later item before its earlier one is done.
///
/// Work goes in rounds: `next_round` names what to plan; of each planned request the driver sends the entries that
/// `may_send`, and reports each entry's outcome before it goes on to the next request. An item that is not accepted
/// holds its group's later ones until the next round; one that is `refused` holds them until it is reported `settled`,
/// from the round after that on. A group is one of a queue; an item without a group holds nothing and waits for
/// nothing. What happens inside one request is the plan's affair; to wait between rounds and to give up are the
/// driver's.
///
/// A copyable value; it reads the items' texts only while it is made.
class send_progress {
public:
    explicit send_progress(std::span<const send_item> items) : outcomes_(items.size(), send_outcome::not_sent) {
        detail::sends::queue_numbers queues;
        detail::sends::group_table numbers; // from 1 on
        group_of_.reserve(items.size());
        for (const auto& item : items) {
            if (item.group.empty()) {
                group_of_.push_back(none);
                continue;
            }
            auto& number = numbers.number(queues[item.queue], item.group);
            if (number == 0) { number = numbers.size(); }
            group_of_.push_back(number - 1);
        }
        held_behind_.assign(numbers.size(), none);
    }

    /// The items to send now, ascending: those that are not done and wait for no refused one. Starts a round.
    [[nodiscard]] auto next_round() -> std::vector<std::size_t> {
        std::fill(held_behind_.begin(), held_behind_.end(), none);
        return unfinished(false);
    }

    /// Whether nothing that is before the item in its group has failed in this round.
    [[nodiscard]] auto may_send(std::size_t item) const -> bool {
        const auto group = group_of_[expect_item(item)];
        return group == none || item <= held_behind_[group];
    }

    void report(std::size_t item, send_outcome outcome) {
        outcomes_[expect_item(item)] = outcome;
        if (group_of_[item] == none || done(outcome)) { return; }
        auto& first = held_behind_[group_of_[item]];
        first = std::min(first, item);
    }

    [[nodiscard]] auto outcome(std::size_t item) const -> send_outcome { return outcomes_[expect_item(item)]; }

    /// The items that are not done and wait for a refused one, ascending.
    [[nodiscard]] auto held() const -> std::vector<std::size_t> { return unfinished(true); }

    /// Whether each item has its last answer: accepted, settled or refused. One that still waits, be it for a round or
    /// for a refused item, has none.
    [[nodiscard]] auto finished() const -> bool {
        return std::all_of(outcomes_.begin(), outcomes_.end(),
                           [](send_outcome o) { return done(o) || o == send_outcome::refused; });
    }

private:
    static constexpr auto none = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] static auto done(send_outcome outcome) noexcept -> bool {
        return outcome == send_outcome::accepted || outcome == send_outcome::settled;
    }
    [[nodiscard]] auto expect_item(std::size_t item) const -> std::size_t {
        if (item >= outcomes_.size()) { abort_on_misuse("send_progress: there is no such item"); }
        return item;
    }
    [[nodiscard]] auto unfinished(bool held) const -> std::vector<std::size_t> {
        std::vector<std::size_t> found;
        std::vector<bool> parked(held_behind_.size());
        for (std::size_t i = 0; i < outcomes_.size(); ++i) {
            const auto group = group_of_[i];
            if (done(outcomes_[i])) { continue; }
            if (outcomes_[i] != send_outcome::refused) {
                if ((group != none && parked[group]) == held) { found.push_back(i); }
            } else if (group != none) {
                parked[group] = true;
            }
        }
        return found;
    }

    std::vector<send_outcome> outcomes_;
    std::vector<std::size_t> group_of_;    // `none` where it has no group
    std::vector<std::size_t> held_behind_; // by group: the first item that failed in this round
};

} // namespace freshet
