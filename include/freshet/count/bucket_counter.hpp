#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/block_index.hpp>
#include <freshet/count/ladder.hpp>

namespace freshet {

/// Which levels of a ladder have counters of their own.
enum class counting : std::uint8_t {
    direct,  ///< all of them: each record is counted once a level
    roll_up, ///< the finest alone; wider buckets are the sums of theirs
};

namespace detail {

/// How the counters of a block lie in memory: level after level, from the finest on.
struct block_shape {
    std::array<std::uint32_t, most_widths> finest_in{}; ///< how many of the finest buckets one of this level holds
    std::array<std::uint32_t, most_widths> first{};     ///< where the level's counters begin
    std::uint32_t counters{};                           ///< of all levels
    std::uint64_t past{}; ///< microseconds of whole widest buckets before 1970, about half of all time

    template <class Ladder>
    [[nodiscard]] static constexpr auto of(const Ladder& ladder, counting how) -> block_shape {
        block_shape shape;
        const auto widest = static_cast<std::uint64_t>(ladder.widest().count());
        shape.past = (std::uint64_t{1} << 63) / widest * widest;
        for (std::size_t level = 0; level < ladder.size(); ++level) {
            shape.finest_in[level] = static_cast<std::uint32_t>(ladder.width(level) / ladder.finest());
            shape.first[level] = shape.counters;
            if (level == 0 || how == counting::direct) {
                shape.counters += static_cast<std::uint32_t>(ladder.widest() / ladder.width(level));
            }
        }
        return shape;
    }
};

/// Of a ladder that is known at compile time: constants where they are used.
template <class Ladder, counting How>
inline constexpr auto fixed_shape = block_shape::of(Ladder{}, How);

} // namespace detail

/// Counts instants into the buckets of a ladder, in one pass and in any order; each falls into one bucket a level.
///
/// A bucket holds the instants from its start on and before its end, and starts at a whole multiple of its width,
/// counted from 1970. Instants lie in the years -290,000 to 290,000. Memory grows with the number of widest buckets
/// that were counted into, not with the records; counting into a bucket near an earlier one allocates nothing.
/// A copyable value without locks: threads count for themselves and `merge`.
template <class Ladder = hour_ladder, counting How = counting::direct>
class bucket_counter {
    static_assert(bucket_ladder<Ladder>, "a bucket_counter counts by a bucket_ladder: minutes_ladder<…> or ladder");

public:
    using ladder_type = Ladder;

    bucket_counter() : bucket_counter{Ladder{}} {}
    explicit bucket_counter(Ladder ladder) : shape_{detail::block_shape::of(ladder, How)}, ladder_{std::move(ladder)} {}

    /// Counts an instant, or `times` of the same.
    void add(time_point at, std::uint64_t times = 1) {
        const auto found = position_of(at);
        auto* const counters = counters_of(found.block);
        records_ += times;
        each_counted_level([&](std::size_t level) {
            counters[shape().first[level] + found.finest / shape().finest_in[level]] += times;
        });
    }

    /// How many were added, whatever the counters say.
    [[nodiscard]] auto records() const noexcept -> std::uint64_t { return records_; }
    [[nodiscard]] auto ladder() const noexcept -> const Ladder& { return ladder_; }

    /// How many fell into the bucket of this level that `at` lies in.
    [[nodiscard]] auto count(std::size_t level, time_point at) const -> std::uint64_t {
        const auto found = position_of(at);
        const auto block = blocks_.find(found.block);
        return block == blocks_.nowhere ? 0 : count_of(block, level, found.finest / shape().finest_in[level]);
    }

    /// The sum of a level's counters.
    [[nodiscard]] auto total(std::size_t level) const -> std::uint64_t {
        std::uint64_t sum = 0;
        for (std::size_t place = 0; place < blocks_.size(); ++place) {
            for (std::size_t i = 0; i < buckets_in_block(level); ++i) { sum += count_of(place, level, i); }
        }
        return sum;
    }

    /// How many buckets of this level hold something.
    [[nodiscard]] auto non_empty(std::size_t level) const -> std::size_t {
        std::size_t sum = 0;
        for (std::size_t place = 0; place < blocks_.size(); ++place) {
            for (std::size_t i = 0; i < buckets_in_block(level); ++i) { sum += count_of(place, level, i) != 0; }
        }
        return sum;
    }

    /// Shows the buckets of a level that hold something, ascending by start, as `const bucket&`.
    template <class Visit>
    void each(std::size_t level, Visit&& visit) const {
        const auto width = ladder_.width(level);
        for (const auto& block : blocks_.ascending()) {
            const auto since = block.block * static_cast<std::uint64_t>(ladder_.widest().count()) - shape().past;
            const time_point start{duration{static_cast<duration::rep>(since)}};
            for (std::size_t i = 0; i < buckets_in_block(level); ++i) {
                const auto count = count_of(block.place, level, i);
                if (count != 0) { visit(bucket{width, start + static_cast<std::int64_t>(i) * width, count}); }
            }
        }
    }

    /// The buckets of all levels that hold something, by width, then by start.
    [[nodiscard]] auto buckets() const -> std::vector<bucket> {
        std::vector<bucket> all;
        for (std::size_t level = 0; level < ladder_.size(); ++level) {
            each(level, [&all](const bucket& found) { all.push_back(found); });
        }
        return all;
    }

    /// Adds what another one has counted. `malformed`, and nothing changes, where its ladder is another.
    [[nodiscard]] auto merge(const bucket_counter& other) -> result<void> {
        if (!(ladder_ == other.ladder_)) { return error{errc::malformed, "merge of bucket counters: other widths"}; }
        for (const auto& block : other.blocks_.ascending()) {
            auto* const to = counters_of(block.block);
            const auto* const from = other.counters_.data() + block.place * shape().counters;
            for (std::size_t i = 0; i < shape().counters; ++i) { to[i] += from[i]; }
        }
        records_ += other.records_;
        return {};
    }

    /// As new, of the same ladder.
    void clear() { *this = bucket_counter{ladder_}; }

private:
    static constexpr bool fixed = requires { typename std::bool_constant<(Ladder::size() > 0)>; };

    struct position {
        std::uint64_t block;  // number of the widest bucket, from the past on
        std::uint32_t finest; // which of its finest buckets
    };

    [[nodiscard]] constexpr auto shape() const noexcept -> const detail::block_shape& {
        if constexpr (fixed) {
            return detail::fixed_shape<Ladder, How>;
        } else {
            return shape_;
        }
    }

    // Counted from the past on, all instants are positive, and so are divided fast.
    [[nodiscard]] auto position_of(time_point at) const noexcept -> position {
        const auto since = static_cast<std::uint64_t>(at.time_since_epoch().count()) + shape().past;
        const auto widest = static_cast<std::uint64_t>(ladder_.widest().count());
        const auto finest = static_cast<std::uint64_t>(ladder_.finest().count());
        return {since / widest, static_cast<std::uint32_t>(since % widest / finest)};
    }

    [[nodiscard]] auto counters_of(std::uint64_t block) -> std::uint64_t* {
        auto place = blocks_.find(block);
        if (place == blocks_.nowhere) [[unlikely]] { place = begin_block(block); }
        return counters_.data() + place * shape().counters;
    }
    [[nodiscard, gnu::noinline]] auto begin_block(std::uint64_t block) -> std::size_t { // rare: adding stays short
        counters_.resize((blocks_.size() + 1) * shape().counters);
        return blocks_.add(block);
    }

    template <class Visit>
    void each_counted_level(Visit visit) const {
        if constexpr (How == counting::roll_up) {
            visit(0);
        } else if constexpr (fixed) {
            [&]<std::size_t... Level>(std::index_sequence<Level...>) { (visit(Level), ...); }
            (std::make_index_sequence<Ladder::size()>{});
        } else {
            for (std::size_t level = 0; level < ladder_.size(); ++level) { visit(level); }
        }
    }

    [[nodiscard]] auto buckets_in_block(std::size_t level) const -> std::size_t {
        return static_cast<std::size_t>(ladder_.widest() / ladder_.width(level));
    }

    [[nodiscard]] auto count_of(std::size_t place, std::size_t level, std::size_t i) const -> std::uint64_t {
        const auto* const counters = counters_.data() + place * shape().counters;
        if constexpr (How == counting::direct) {
            return counters[shape().first[level] + i];
        } else {
            const auto* const first = counters + i * shape().finest_in[level];
            return std::accumulate(first, first + shape().finest_in[level], std::uint64_t{0});
        }
    }

    detail::block_shape shape_;
    [[no_unique_address]] Ladder ladder_;
    detail::block_index blocks_;
    std::vector<std::uint64_t> counters_;
    std::uint64_t records_{};
};

} // namespace freshet
