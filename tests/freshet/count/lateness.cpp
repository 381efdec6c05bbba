#include <freshet/count/lateness.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/count/window.hpp>
#include <support/cases.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::duration;
using freshet::lateness_histogram;
using freshet::time_point;

constexpr time_point noon{duration{1'736'942'400'000'000}};

auto of(std::initializer_list<duration> all) {
    lateness_histogram seen;
    for (const auto late : all) { seen.observe(noon, noon + late); }
    return seen;
}

} // namespace

TEST_CASE("where nothing was observed nothing is known, and nothing suggested") {
    const lateness_histogram none;
    CHECK(!none.quantile(0.5).has_value());
    CHECK(none.suggested_window(0.99, 1h) == 0);
    CHECK(none.observed() == 0);
}

TEST_CASE("what is seen at once, or before it was made, is not late: the present bucket is enough") {
    const auto seen = of({0s, -5min, -24h});
    CHECK(seen.observed() == 3);
    CHECK(seen.quantile(1.0) == 0s);
    CHECK(seen.suggested_window(1.0, 1h) == 1);
}

TEST_CASE("a record of 12:59:59 that comes at 14:00:01 needs the window of three hours that holds it") {
    const auto made = noon + 59min + 59s;
    lateness_histogram seen;
    seen.observe(made, noon + 2h + 1s);
    const auto n = seen.suggested_window(1.0, 1h);
    CHECK(n == 3);
    CHECK(freshet::current_window(noon + 2h + 1s, n).contains(made));
    CHECK(!freshet::current_window(noon + 2h + 1s, n - 1).contains(made));
}

TEST_CASE("a share of nine in ten leaves out the tenth that is latest") {
    auto seen = of({1us, 2us, 3us, 4us, 5us, 6us, 7us, 8us, 9us, 48h});
    CHECK(seen.quantile(0.9) == 9us);
    CHECK(seen.quantile(0.05) == 1us);
    CHECK(seen.quantile(0.0) == 1us);
    CHECK(seen.quantile(-1.0) == 1us);
    CHECK(*seen.quantile(0.91) >= 48h);
    CHECK(*seen.quantile(2.0) < 48h * 17 / 16);
    CHECK(seen.suggested_window(0.9, 1h) == 2);
    CHECK(seen.suggested_window(1.0, 1h) >= 49);
}

TEST_CASE("the longest lateness that there can be is counted, and no number overflows") {
    lateness_histogram seen;
    seen.observe(time_point::min(), time_point::max());
    seen.observe(time_point{}, time_point::max());
    CHECK(seen.quantile(0.1) == duration::max());
    CHECK(seen.quantile(1.0) == duration::max());
    CHECK(seen.suggested_window(1.0, 1us) > std::size_t{1} << 62U);
}

TEST_CASE("a quantile is never too short, and at most a sixteenth too long; merged halves say what the whole says") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t run = 0; run != support::cases(100); ++run) {
        lateness_histogram whole;
        lateness_histogram half;
        lateness_histogram other;
        std::vector<duration> all;
        for (int i = 0; i != 100; ++i) {
            const duration late{static_cast<duration::rep>(random() >> (1 + random() % 62))};
            all.push_back(late);
            whole.observe(time_point{}, time_point{late});
            (i % 3 == 0 ? half : other).observe(time_point{}, time_point{late});
        }
        half.merge(other);
        std::sort(all.begin(), all.end());
        for (std::size_t rank = 1; rank <= all.size(); ++rank) {
            const auto share = static_cast<double>(rank) / 100;
            const auto exact = all[static_cast<std::size_t>(std::ceil(share * 100.0)) - 1];
            const auto said = *whole.quantile(share);
            REQUIRE(said >= exact);
            REQUIRE(said - exact <= exact / 16);
            REQUIRE(half.quantile(share) == said);
        }
    }
}

TEST_CASE("a suggested window holds its share of the records at the moment when each is seen") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t run = 0; run != support::cases(100); ++run) {
        lateness_histogram seen;
        std::vector<std::pair<time_point, time_point>> all;
        for (int i = 0; i != 200; ++i) {
            const auto made = noon + std::chrono::seconds{random() % 100'000};
            const auto at = made + std::chrono::seconds{random() % (random() % 20'000 + 1)};
            all.emplace_back(made, at);
            seen.observe(made, at);
        }
        const auto share = static_cast<double>(random() % 101) / 100;
        const auto n = seen.suggested_window(share, 1h);
        const auto held = std::count_if(all.begin(), all.end(), [&](const auto& each) {
            return freshet::current_window(each.second, n).contains(each.first);
        });
        REQUIRE(static_cast<double>(held) >= share * 200);
    }
}
