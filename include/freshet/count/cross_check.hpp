#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/floor_to.hpp>

namespace freshet {

/// Sees each record beside a counter, and remembers what the counters must add up to, without any of them.
///
/// It keeps how many there were, and a moment: the sum of a number for each record that is drawn from the start of its
/// finest bucket, one to one, so that another bucket gives another number.
class record_witness {
public:
    /// For counters whose finest buckets are so wide.
    explicit record_witness(duration finest) noexcept : finest_{finest} {}

    void add(time_point at, std::uint64_t times = 1) noexcept {
        records_ += times;
        moment_ += times * weight_of(floor_to(at, finest_));
    }
    /// Saw what the other one saw as well, in buckets of the same width.
    void merge(const record_witness& other) noexcept {
        records_ += other.records_;
        moment_ += other.moment_;
    }

    [[nodiscard]] auto finest() const noexcept -> duration { return finest_; }
    [[nodiscard]] auto records() const noexcept -> std::uint64_t { return records_; }
    [[nodiscard]] auto moment() const noexcept -> std::uint64_t { return moment_; }

    /// What a record of the bucket that starts here adds to the moment.
    ///
    /// The finaliser of SplitMix64 (Steele, Lea and Flood, with Stafford's constants), which is a permutation.
    [[nodiscard]] static constexpr auto weight_of(time_point start) noexcept -> std::uint64_t {
        auto weight = static_cast<std::uint64_t>(start.time_since_epoch().count());
        weight = (weight ^ (weight >> 30)) * 0xbf58476d1ce4e5b9u;
        weight = (weight ^ (weight >> 27)) * 0x94d049bb133111ebu;
        return weight ^ (weight >> 31);
    }

private:
    duration finest_;
    std::uint64_t records_{};
    std::uint64_t moment_{};
};

/// What the counters of one level hold.
struct level_total {
    duration width{};
    std::size_t buckets{}; ///< that are not empty
    std::uint64_t records{};
    friend auto operator==(const level_total&, const level_total&) -> bool = default;
};

/// Whether counters and records agree, and what each level holds.
struct cross_check_report {
    std::uint64_t records{}; ///< that the witness saw
    std::vector<level_total> levels;
    std::optional<std::string> fault; ///< the first disagreement, in one line

    [[nodiscard]] auto ok() const noexcept -> bool { return !fault; }
    friend auto operator==(const cross_check_report&, const cross_check_report&) -> bool = default;
};

namespace detail {

/// `15 min`, `30 s`, `7 us`: a width in the largest unit that it is whole in.
[[nodiscard]] inline auto width_text(duration width) -> std::string {
    const auto micros = width.count();
    if (micros % 60'000'000 == 0) { return std::to_string(micros / 60'000'000) + " min"; }
    if (micros % 1'000'000 == 0) { return std::to_string(micros / 1'000'000) + " s"; }
    return std::to_string(micros) + " us";
}

[[nodiscard]] inline auto bucket_text(const bucket& named) -> std::string {
    const auto whole = named.start == std::chrono::floor<std::chrono::seconds>(named.start);
    const auto start = format_rfc3339(named.start, whole ? 0 : 6);
    return "the bucket of " + width_text(named.width) + " from " +
           (start ? std::string{start->view()} : std::to_string(named.start.time_since_epoch().count()) + " us") +
           " on";
}

/// Where a level does not hold what the buckets of the level below it hold, both ascending.
[[nodiscard]] inline auto parent_fault(const std::vector<bucket>& parents, const std::vector<bucket>& children)
    -> std::optional<std::string> {
    auto child = children.begin();
    const auto differs = [](const bucket& parent, std::uint64_t below) {
        return bucket_text(parent) + " holds " + std::to_string(parent.count) + " records, its parts " +
               std::to_string(below);
    };
    for (const auto& parent : parents) {
        if (child != children.end() && child->start < parent.start) { break; }
        std::uint64_t below = 0;
        for (; child != children.end() && child->start < parent.end(); ++child) { below += child->count; }
        if (below != parent.count) { return differs(parent, below); }
    }
    if (child == children.end()) { return std::nullopt; }
    return bucket_text(*child) + " holds " + std::to_string(child->count) + " records, and what it is part of is empty";
}

} // namespace detail

/// Compares the counters of all levels with each other and with what the witness saw of the same records.
///
/// Each level holds as many records as the witness saw, each bucket as many as its parts, and the finest ones make the
/// witness's moment. Any one counter that is off is found, and any one record that lies in another bucket than its
/// own, on all levels alike; of what else can be wrong all but one case in 2^64. The counter is a `bucket_counter`, or
/// whatever says its `records()`, its `ladder()` and `each` of its buckets as one does.
template <class Counter>
[[nodiscard]] auto cross_check(const Counter& counter, const record_witness& witness) -> cross_check_report {
    cross_check_report report{witness.records(), {}, std::nullopt};
    const auto number = [](std::uint64_t n) { return std::to_string(n); };
    const auto found = [&report](const std::string& fault) {
        if (!report.fault) { report.fault = fault; }
    };
    if (counter.ladder().finest() != witness.finest()) {
        found("the finest buckets are of " + detail::width_text(counter.ladder().finest()) + ", the witness saw " +
              detail::width_text(witness.finest()));
    }
    if (counter.records() != witness.records()) {
        found(number(counter.records()) + " records were counted of " + number(witness.records()));
    }
    std::vector<bucket> finer;
    for (std::size_t level = 0; level < counter.ladder().size(); ++level) {
        const auto width = counter.ladder().width(level);
        std::vector<bucket> buckets;
        std::uint64_t records = 0;
        std::uint64_t moment = 0;
        counter.each(level, [&](const bucket& each) {
            buckets.push_back(each);
            records += each.count;
            moment += each.count * record_witness::weight_of(each.start);
        });
        report.levels.push_back({width, buckets.size(), records});
        if (records != witness.records()) {
            found("the buckets of " + detail::width_text(width) + " hold " + number(records) + " records of " +
                  number(witness.records()));
        }
        if (level == 0 && moment != witness.moment()) {
            found("the buckets of " + detail::width_text(width) + " hold records of other buckets");
        }
        if (level > 0) {
            if (const auto fault = detail::parent_fault(buckets, finer)) { found(*fault); }
        }
        finer = std::move(buckets);
    }
    return report;
}

} // namespace freshet
