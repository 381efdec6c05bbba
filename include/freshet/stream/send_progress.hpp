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

/// The groups of which this request took a later entry and refused an earlier one, each once.
///
/// Only a `send_order::fast` plan can cause it, and sending the earlier one again does not repair it. `outcomes` has
/// one outcome for each of `request`'s entries.
[[nodiscard]] inline auto broken_groups(std::span<const send_item> items, std::span<const std::size_t> request,
                                        std::span<const send_outcome> outcomes) -> std::vector<std::string_view> {
    if (request.size() != outcomes.size()) { abort_on_misuse("broken_groups: one outcome for each entry is needed"); }
    std::vector<std::string_view> refused, broken;
    const auto holds = [](const auto& groups, std::string_view group) {
        return std::find(groups.begin(), groups.end(), group) != groups.end();
    };
    for (std::size_t i = 0; i < request.size(); ++i) {
        const auto group = items[request[i]].group;
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
/// from the round after that on. What happens inside one request is the plan's affair; to wait between rounds and to
/// give up are the driver's.
///
/// A copyable value; it reads the items' texts only while it is made.
class send_progress {
public:
    explicit send_progress(std::span<const send_item> items) : outcomes_(items.size(), send_outcome::not_sent) {
        detail::sends::group_table numbers; // from 1 on
        group_of_.reserve(items.size());
        for (const auto& item : items) {
            auto& number = numbers[item.group];
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
        return item <= held_behind_[group_of_[expect_item(item)]];
    }

    void report(std::size_t item, send_outcome outcome) {
        outcomes_[expect_item(item)] = outcome;
        if (outcome == send_outcome::accepted || outcome == send_outcome::settled) { return; }
        auto& first = held_behind_[group_of_[item]];
        first = std::min(first, item);
    }

    [[nodiscard]] auto outcome(std::size_t item) const -> send_outcome { return outcomes_[expect_item(item)]; }

    /// The items that are not done and wait for a refused one, ascending.
    [[nodiscard]] auto held() const -> std::vector<std::size_t> { return unfinished(true); }

private:
    static constexpr auto none = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] auto expect_item(std::size_t item) const -> std::size_t {
        if (item >= outcomes_.size()) { abort_on_misuse("send_progress: there is no such item"); }
        return item;
    }
    [[nodiscard]] auto unfinished(bool held) const -> std::vector<std::size_t> {
        std::vector<std::size_t> found;
        std::vector<bool> parked(held_behind_.size());
        for (std::size_t i = 0; i < outcomes_.size(); ++i) {
            const auto outcome = outcomes_[i];
            if (outcome == send_outcome::accepted || outcome == send_outcome::settled) { continue; }
            if (outcome == send_outcome::refused) { parked[group_of_[i]] = true; }
            else if (parked[group_of_[i]] == held) { found.push_back(i); }
        }
        return found;
    }

    std::vector<send_outcome> outcomes_;
    std::vector<std::size_t> group_of_;
    std::vector<std::size_t> held_behind_;   // by group: the first item that failed in this round
};

} // namespace freshet
