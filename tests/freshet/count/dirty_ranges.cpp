#include <freshet/count/dirty_ranges.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <support/cases.hpp>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::dirty_ranges;
using freshet::time_point;
using freshet::time_range;

constexpr time_point noon{freshet::duration{1'736'942'400'000'000}};

auto of(const dirty_ranges& all) -> std::vector<time_range> {
    const auto ranges = all.ranges();
    return {ranges.begin(), ranges.end()};
}

} // namespace

TEST_CASE("an instant marks the bucket that holds it, also before 1970") {
    dirty_ranges all{1h};
    CHECK(all.empty());
    all.add(noon + 59min);
    all.add(noon + 59min);
    all.add(time_point{-1us});
    CHECK(of(all) == std::vector<time_range>{{time_point{-1h}, time_point{}}, {noon, noon + 1h}});
    CHECK(!all.empty());
}

TEST_CASE("neighbours join, and a range that bridges others takes them in") {
    dirty_ranges all{1h};
    all.add(noon);
    all.add(noon + 2h);
    CHECK(all.ranges().size() == 2);
    all.add(noon + 1h);
    CHECK(of(all) == std::vector<time_range>{{noon, noon + 3h}});
    all.add(noon + 10h);
    all.add(noon + 20h);
    all.add(time_range{noon + 5h, noon + 20h + 1us});
    CHECK(of(all) == std::vector<time_range>{{noon, noon + 3h}, {noon + 5h, noon + 21h}});
    all.add(time_range{noon + 3h, noon + 3h});
    CHECK(all.ranges().size() == 2);
}

TEST_CASE("the ends of the time scale do no harm") {
    dirty_ranges all{1h};
    all.add(time_point::max());
    all.add(time_point::min());
    CHECK(all.empty());
    all.add(time_range{time_point::min(), time_point::max()});
    CHECK(all.ranges().size() == 1);
}

TEST_CASE("a cut keeps the buckets that it touches") {
    dirty_ranges all{1h};
    all.add(time_range{noon, noon + 5h});
    all.add(noon + 8h);
    all.cut({noon + 90min, noon + 3h + 1us});
    CHECK(of(all) == std::vector<time_range>{{noon + 1h, noon + 4h}});
    all.cut({noon + 8h, noon + 9h});
    CHECK(all.empty());
}

TEST_CASE("random ranges give the same buckets as a plain list of them does, ascending and apart") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t run = 0; run != support::cases(300); ++run) {
        dirty_ranges all{1h};
        std::array<bool, 60> model{};
        const auto mark = [&](std::size_t from, std::size_t to, bool as) {
            for (std::size_t i = 0; i != model.size(); ++i) { model[i] = i >= from && i < to ? as : model[i]; }
        };
        for (int i = 0; i != 12; ++i) {
            const auto from = random() % 50;
            const auto to = from + random() % 10;
            if (random() % 8 == 0) {
                all.cut({noon + from * 1h, noon + to * 1h});
                mark(0, from, false);
                mark(to, model.size(), false);
            } else if (random() % 2 == 0) {
                all.add(noon + from * 1h + 59min);
                mark(from, from + 1, true);
            } else {
                dirty_ranges other{1h};
                other.add(time_range{noon + from * 1h, noon + to * 1h});
                all.add(other);
                mark(from, to, true);
            }
            std::vector<time_range> expected;
            for (std::size_t k = 0; k != model.size(); ++k) {
                if (!model[k]) { continue; }
                if (k == 0 || !model[k - 1]) { expected.push_back({noon + k * 1h, noon + k * 1h}); }
                expected.back().end += 1h;
            }
            REQUIRE(of(all) == expected);
        }
    }
}
