#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>

namespace freshet {

/// The partial batch response to a stream's event source mapping: from where on the batch is to be delivered again.
struct batch_response {
    enum class extent {
        nothing,         ///< all done: the stream moves on
        from_checkpoint, ///< the record with the checkpoint's number and all that follow
        whole_batch,
    };
    extent again{extent::nothing};
    sequence_number checkpoint{}; ///< read only where `again` is `from_checkpoint`

    /// For a batch that could not even be taken apart.
    [[nodiscard]] static constexpr auto fail_all() noexcept -> batch_response { return {extent::whole_batch, {}}; }

    [[nodiscard]] constexpr auto success() const noexcept -> bool { return again == extent::nothing; }
    friend constexpr auto operator==(const batch_response&, const batch_response&) -> bool = default;
};

/// Appends the response as AWS Lambda reads it: `{"batchItemFailures":[{"itemIdentifier":"<SequenceNumber>"}]}`.
///
/// No identifier is success, an empty one fails the whole batch (AWS Lambda, `ReportBatchItemFailures`).
inline void write_response(std::string& out, const batch_response& response) {
    out += R"({"batchItemFailures":[)";
    if (!response.success()) {
        out += R"({"itemIdentifier":")";
        if (response.again == batch_response::extent::from_checkpoint) { out += response.checkpoint.view(); }
        out += R"("})";
    }
    out += "]}";
}

/// What a failed record keeps from being processed in the same batch.
enum class isolation {
    batch,  ///< everything after it
    group,  ///< its group's later records; everything after it where its group cannot be read
    record, ///< nothing: for inputs that are not delivered again
};

/// Collects what became of the records of one batch, and says what may be processed and what is delivered again.
///
/// Records are named by their position in the batch. Outcomes come in any order; a record without one is not done, and
/// one that was ever reported as failed stays failed. A copyable value without locks.
class batch_verdict {
public:
    explicit batch_verdict(std::size_t records, isolation kind = isolation::group)
        : states_(records, state::open), kind_{kind} {}

    [[nodiscard]] auto size() const noexcept -> std::size_t { return states_.size(); }

    /// Whether the record may be processed now, after the failures reported so far. Without a readable group it may be
    /// of any, and waits for every failure before it. A held record is simply not reported.
    [[nodiscard]] auto may_process(std::size_t record, std::optional<std::string_view> group) const -> bool {
        expect_record(record);
        switch (kind_) {
            case isolation::record: return true;
            case isolation::batch: return record <= first_failure_;
            case isolation::group: break;
        }
        if (!group) { return record <= first_failure_; }
        if (record > first_barrier_) { return false; }
        const auto failed = failed_groups_.find(*group);
        return failed == failed_groups_.end() || record <= failed->second;
    }

    /// The record's effect has happened, or it was handed to a dead-letter queue that took it.
    void done(std::size_t record) {
        auto& state_of = states_[expect_record(record)];
        if (state_of == state::open) { state_of = state::done; }
    }

    /// The record failed; no group where it cannot be read.
    void failed(std::size_t record, std::optional<std::string_view> group) {
        states_[expect_record(record)] = state::failed;
        first_failure_ = std::min(first_failure_, record);
        if (kind_ != isolation::group) { return; }
        if (!group) { first_barrier_ = std::min(first_barrier_, record); return; }
        const auto at = failed_groups_.try_emplace(std::string{*group}, record).first;
        at->second = std::min(at->second, record);
    }

    /// Whether the record is known to be done.
    [[nodiscard]] auto is_done(std::size_t record) const -> bool {
        return states_[expect_record(record)] == state::done;
    }

    /// How many records are not done: failed, held or never reported.
    [[nodiscard]] auto unfinished() const -> std::size_t {
        return states_.size() - static_cast<std::size_t>(std::count(states_.begin(), states_.end(), state::done));
    }

    /// The response, from which every record that is not done is delivered again. `sequence_of(i)` gives the record's
    /// sequence number as text, in any state: what is no number is never echoed. Asked only when something failed.
    ///
    /// The checkpoint is the first record that is not done or, where that has no readable number, the nearest readable
    /// one before it. The service delivers from the lowest number on; so that this means the same by number and by
    /// place, the checkpoint's number must be below every later one. Where no record qualifies, the whole batch fails.
    template <class SequenceOf>
    [[nodiscard]] auto response(SequenceOf&& sequence_of) const -> batch_response {
        const auto first = static_cast<std::size_t>(
            std::find_if(states_.begin(), states_.end(), [](state s) { return s != state::done; }) - states_.begin());
        if (first == states_.size()) { return {}; }

        std::optional<sequence_number> previous, bound; // bound: the lowest number from the first failure on
        bool bound_is_later = false, ascending = true, unreadable = false;
        for (std::size_t i = 0; i < states_.size(); ++i) {
            const auto number = sequence_number::parse(sequence_of(i));
            if (!number) {
                unreadable = unreadable || states_[i] != state::done;
                continue;
            }
            ascending = ascending && (!previous || *previous < *number);
            previous = *number;
            if (i < first || (bound && *bound < *number)) { continue; }
            bound = *number;
            bound_is_later = i != first;
        }
        // Where an unreadable number belongs is known only among neighbours that ascend.
        if (unreadable && !ascending) { return batch_response::fail_all(); }

        for (auto at = first + 1; at-- != 0;) {
            const auto number = sequence_number::parse(sequence_of(at));
            if (!number) { continue; }
            if (!bound || *number < *bound || (*number == *bound && !bound_is_later)) {
                return {batch_response::extent::from_checkpoint, *number};
            }
        }
        return batch_response::fail_all();
    }

private:
    enum class state : std::uint8_t { open, done, failed };
    static constexpr auto none = std::numeric_limits<std::size_t>::max();

    auto expect_record(std::size_t record) const -> std::size_t {
        if (record >= states_.size()) { abort_on_misuse("batch_verdict: there is no such record"); }
        return record;
    }

    std::vector<state> states_;
    std::map<std::string, std::size_t, std::less<>> failed_groups_; // the first failed record of each
    std::size_t first_failure_{none};
    std::size_t first_barrier_{none};
    isolation kind_;
};

} // namespace freshet
