#include <freshet/job/failure_budget.hpp>

#include <cstdint>
#include <limits>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using freshet::failure_budget;
using freshet::failure_limits;

constexpr failure_limits any{.percent = 100, .in_a_row = std::numeric_limits<std::uint64_t>::max()};

/// `+` is a good group, `-` a failed one, `x` a malformed one.
constexpr auto after(failure_limits limits, std::string_view groups) -> failure_budget {
    failure_budget budget{limits};
    for (const char group : groups) {
        if (group == '+') {
            budget.succeeded();
        } else {
            budget.failed(group == 'x' ? freshet::errc::malformed : freshet::errc::failed);
        }
    }
    return budget;
}
constexpr auto with_count(std::uint64_t count) -> failure_limits {
    auto limits = any;
    limits.count = count;
    return limits;
}
constexpr auto with_percent(unsigned percent, std::uint64_t from) -> failure_limits {
    auto limits = any;
    limits.percent = percent;
    limits.percent_from = from;
    return limits;
}
constexpr auto with_row(std::uint64_t row) -> failure_limits {
    auto limits = any;
    limits.in_a_row = row;
    return limits;
}

} // namespace

TEST_CASE("as many failures as are tolerated do not end a run, and one more does") {
    static_assert(!after(with_count(2), "--++").spent());
    static_assert(after(with_count(2), "--+-").spent());
    static_assert(after(with_count(0), "-").spent());
    static_assert(!after(with_count(0), "").spent());
}

TEST_CASE("a percentage counts from enough groups on, exactly") {
    static_assert(!after(with_percent(50, 4), "---").spent());
    static_assert(after(with_percent(50, 4), "----").spent());
    static_assert(!after(with_percent(50, 4), "--++").spent());
    static_assert(after(with_percent(50, 4), "---++").spent());
    static_assert(after(with_percent(0, 0), "+++++-").spent());
    static_assert(!after(with_percent(100, 0), "------").spent());
    static_assert(!after(with_percent(33, 0), "-++++").spent());
    static_assert(after(with_percent(33, 0), "--+++").spent());
}

TEST_CASE("failures in a row end a run that went well before") {
    static_assert(!after(with_row(3), "+++++---+---").spent());
    static_assert(after(with_row(3), "+++++---+----").spent());
    static_assert(after(with_row(3), "----+++++").spent()); // and it stays so
}

TEST_CASE("malformed groups count in all, and say nothing of what all depend on") {
    static_assert(after(with_count(2), "xxx").spent());
    static_assert(!after(with_row(3), "--x-").spent());
    static_assert(after(with_row(3), "--x-xx-").spent()); // nor are they good ones
    static_assert(!after(with_percent(50, 4), "xxxxxxxx").spent());
    static_assert(!after(with_percent(50, 4), "xxx---").spent());
    static_assert(after(with_percent(50, 4), "xxx---+-").spent());
    static_assert(after({}, "xx-+").failures() == 3);
}

TEST_CASE("by default half of ten may fail, and nine in a row") {
    static_assert(!after({}, "---------").spent());
    static_assert(after({}, "----------").spent());
    static_assert(!after({}, "+-+-+-+-+-+-").spent());
    static_assert(after({}, "+-+-+-+-+-+--").spent());
    static_assert(after({}, "+-+").worked() == 3);
    static_assert(after({}, "+-+").failures() == 1);
}
