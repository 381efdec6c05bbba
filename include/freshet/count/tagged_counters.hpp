#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include <freshet/core/time.hpp>
#include <freshet/count/bucket_counter.hpp>

namespace freshet {

/// One counter for each tag (a table, an account, both), for so many tags at most: the first that come.
///
/// What has another tag is refused and counted. Memory is bounded by `most` in counters and in remembered tags; a
/// record of a known tag allocates only what its counter does. A tag can be asked for as whatever it compares with.
template <class Tag, class Counter = bucket_counter<>>
class tagged_counters {
public:
    explicit tagged_counters(std::size_t most, typename Counter::ladder_type ladder = {})
        : most_{most}, ladder_{std::move(ladder)} {}

    /// Counts a record of this tag; false where it is refused, because `most` other tags came before.
    template <class Like>
    auto add(const Like& tag, time_point at) -> bool {
        auto found = counters_.find(tag);
        if (found == counters_.end()) {
            if (counters_.size() >= most_) { return refuse(tag); }
            found = counters_.emplace(Tag(tag), Counter{ladder_}).first;
        }
        found->second.add(at);
        return true;
    }

    /// How many tags have a counter.
    [[nodiscard]] auto size() const noexcept -> std::size_t { return counters_.size(); }

    /// The counter of a tag, or none. It stays where it is as long as this object does.
    template <class Like>
    [[nodiscard]] auto find(const Like& tag) const -> const Counter* {
        const auto found = counters_.find(tag);
        return found == counters_.end() ? nullptr : &found->second;
    }

    /// Shows each tag with its counter, ascending by tag.
    template <class Visit>
    void each(Visit&& visit) const {
        for (const auto& [tag, counter] : counters_) { visit(tag, counter); }
    }

    /// How many records were refused.
    [[nodiscard]] auto refused_records() const noexcept -> std::uint64_t { return refused_records_; }

    /// How many tags were refused. At most `most` are told apart: where it says `most`, there may have been more.
    [[nodiscard]] auto refused_tags() const noexcept -> std::size_t { return refused_.size(); }

private:
    template <class Like>
    auto refuse(const Like& tag) -> bool {
        ++refused_records_;
        if (refused_.size() < most_ && refused_.find(tag) == refused_.end()) { refused_.emplace(tag); }
        return false;
    }

    std::size_t most_;
    typename Counter::ladder_type ladder_;
    std::map<Tag, Counter, std::less<>> counters_;
    std::set<Tag, std::less<>> refused_;
    std::uint64_t refused_records_{};
};

} // namespace freshet
