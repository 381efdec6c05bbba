#include <freshet/count/bucket_counter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/count/floor_to.hpp>
#include <support/allocations.hpp>
#include <support/cases.hpp>

using namespace std::chrono_literals;
using freshet::bucket;
using freshet::bucket_counter;
using freshet::counting;
using freshet::duration;
using freshet::hour_ladder;
using freshet::ladder;
using freshet::minutes_ladder;
using freshet::time_point;

namespace {

auto at(std::string_view text) -> time_point { return freshet::parse_rfc3339(text).value(); }

auto ladder_of(const std::vector<duration>& widths) -> ladder { return ladder::of(widths).value(); }

/// What a person would count with a pencil.
template <class Ladder>
auto by_hand(const Ladder& widths, const std::vector<time_point>& instants) -> std::vector<bucket> {
    std::map<std::pair<duration, time_point>, std::uint64_t> counts;
    for (const auto instant : instants) {
        for (const auto width : widths.widths()) { ++counts[{width, freshet::floor_to(instant, width)}]; }
    }
    std::vector<bucket> all;
    for (const auto& [where, count] : counts) { all.push_back({where.first, where.second, count}); }
    return all;
}

template <class Counter>
auto counted(Counter counter, const std::vector<time_point>& instants) -> Counter {
    for (const auto instant : instants) { counter.add(instant); }
    return counter;
}

/// Instants as they come: near each other, over some years around 1970, and in all of time that is printed.
auto some_instants(std::mt19937_64& random, std::size_t size) -> std::vector<time_point> {
    const auto within = [&random](std::int64_t first, std::int64_t last) {
        return time_point{duration{std::uniform_int_distribution{first, last}(random)}};
    };
    std::vector<time_point> all;
    for (std::size_t i = 0; i < size; ++i) {
        switch (random() % 4) {
            case 0: all.push_back(within(-62'167'219'200'000'000, 253'402'300'799'999'999)); break;
            case 1: all.push_back(within(-20'000'000'000, 20'000'000'000)); break;
            case 2: all.push_back(freshet::floor_to(within(-20'000'000'000, 20'000'000'000), 1min)); break;
            default: all.push_back(all.empty() ? time_point{} : all[random() % all.size()]);
        }
    }
    return all;
}

/// Each way to count these instants gives what a person would count.
template <class Ladder>
void agrees_with_hand(const Ladder& widths, const std::vector<time_point>& instants) {
    const auto wanted = by_hand(widths, instants);
    const auto direct = counted(bucket_counter<Ladder, counting::direct>{widths}, instants);
    const auto rolled = counted(bucket_counter<Ladder, counting::roll_up>{widths}, instants);
    REQUIRE(direct.buckets() == wanted);
    REQUIRE(rolled.buckets() == wanted);
    REQUIRE(direct.records() == instants.size());
    REQUIRE(rolled.records() == instants.size());
    for (std::size_t level = 0; level < widths.size(); ++level) {
        const auto width = widths.width(level);
        const auto buckets =
            std::count_if(wanted.begin(), wanted.end(), [&](auto& each) { return each.width == width; });
        REQUIRE(direct.total(level) == instants.size());
        REQUIRE(rolled.total(level) == instants.size());
        REQUIRE(direct.non_empty(level) == static_cast<std::size_t>(buckets));
        REQUIRE(rolled.non_empty(level) == static_cast<std::size_t>(buckets));
    }
    for (const auto& each : wanted) {
        const auto level =
            static_cast<std::size_t>(std::ranges::find(widths.widths(), each.width) - widths.widths().begin());
        REQUIRE(direct.count(level, each.start) == each.count);
        REQUIRE(rolled.count(level, each.end() - 1us) == each.count);
    }
}

} // namespace

static_assert(std::is_copy_constructible_v<bucket_counter<>> && std::is_nothrow_move_constructible_v<bucket_counter<>>);
static_assert(std::is_same_v<decltype(bucket_counter{ladder{}}), bucket_counter<ladder, counting::direct>>);

TEST_CASE_TEMPLATE("a record falls into one bucket of each level", Counter, bucket_counter<>,
                   bucket_counter<hour_ladder, counting::roll_up>, bucket_counter<ladder>,
                   bucket_counter<ladder, counting::roll_up>) {
    Counter counter;
    counter.add(at("2024-01-09T14:37:23Z"));
    CHECK(counter.buckets() == std::vector<bucket>{{1min, at("2024-01-09T14:37:00Z"), 1},
                                                   {5min, at("2024-01-09T14:35:00Z"), 1},
                                                   {15min, at("2024-01-09T14:30:00Z"), 1},
                                                   {60min, at("2024-01-09T14:00:00Z"), 1}});
    CHECK(counter.records() == 1);
    CHECK(counter.count(1, at("2024-01-09T14:36:00Z")) == 1);
    CHECK(counter.count(1, at("2024-01-09T14:40:00Z")) == 0);
    CHECK(counter.count(1, at("2024-01-09T15:36:00Z")) == 0);
}

TEST_CASE("an instant on an edge belongs to the bucket that starts there") {
    bucket_counter counter;
    counter.add(at("2024-01-09T13:59:59.999999Z"));
    counter.add(at("2024-01-09T14:00:00Z"));
    for (std::size_t level = 0; level < 4; ++level) {
        CHECK(counter.count(level, at("2024-01-09T13:59:59Z")) == 1);
        CHECK(counter.count(level, at("2024-01-09T14:00:00Z")) == 1);
        CHECK(counter.non_empty(level) == 2);
    }
}

TEST_CASE("instants before 1970 fall into the bucket that began before them") {
    bucket_counter counter;
    counter.add(at("1969-12-31T23:59:59.999999Z"));
    counter.add(at("1970-01-01T00:00:00Z"));
    CHECK(counter.buckets() == std::vector<bucket>{{1min, at("1969-12-31T23:59:00Z"), 1},
                                                   {1min, at("1970-01-01T00:00:00Z"), 1},
                                                   {5min, at("1969-12-31T23:55:00Z"), 1},
                                                   {5min, at("1970-01-01T00:00:00Z"), 1},
                                                   {15min, at("1969-12-31T23:45:00Z"), 1},
                                                   {15min, at("1970-01-01T00:00:00Z"), 1},
                                                   {60min, at("1969-12-31T23:00:00Z"), 1},
                                                   {60min, at("1970-01-01T00:00:00Z"), 1}});
}

TEST_CASE("an empty counter holds nothing") {
    const bucket_counter counter;
    CHECK(counter.records() == 0);
    CHECK(counter.total(0) == 0);
    CHECK(counter.non_empty(3) == 0);
    CHECK(counter.count(0, time_point{}) == 0);
    CHECK(counter.buckets().empty());
}

TEST_CASE("an instant can be counted many times at once, beyond 32 bits") {
    bucket_counter counter;
    counter.add(time_point{}, 5'000'000'000);
    counter.add(time_point{} + 1s, 1);
    CHECK(counter.records() == 5'000'000'001);
    CHECK(counter.total(3) == 5'000'000'001);
}

TEST_CASE("a cleared counter is as new") {
    bucket_counter counter{ladder_of({1s, 1min})};
    counter.add(time_point{});
    counter.clear();
    CHECK(counter.records() == 0);
    CHECK(counter.buckets().empty());
    CHECK(counter.ladder() == ladder_of({1s, 1min}));
    counter.add(time_point{} + 61s);
    CHECK(counter.buckets() == std::vector<bucket>{{1s, time_point{} + 61s, 1}, {1min, time_point{} + 1min, 1}});
}

TEST_CASE("a copy counts on for itself") {
    bucket_counter counter;
    counter.add(time_point{});
    auto copy = counter;
    copy.add(time_point{} + 24h);
    CHECK(counter.buckets().size() == 4);
    CHECK(copy.buckets().size() == 8);
}

TEST_CASE("a record allocates nothing where its widest bucket holds one already") {
    bucket_counter counter;
    for (int hour = 0; hour < 1'000; ++hour) { counter.add(time_point{} + hour * 1h); }
    const auto before = support::allocations.load();
    for (int minute = 0; minute < 60'000; ++minute) { counter.add(time_point{} + minute * 1min, 2); }
    CHECK(support::allocations.load() == before);
    CHECK(counter.records() == 121'000);
}

TEST_CASE("counters of other widths do not merge, and stay as they are") {
    bucket_counter counter{ladder_of({1s, 1min})};
    counter.add(time_point{});
    const auto before = counter.buckets();
    const auto merged = counter.merge(bucket_counter{ladder_of({1s, 1h})});
    REQUIRE_FALSE(merged.ok());
    CHECK(merged.why().code == freshet::errc::malformed);
    CHECK(counter.buckets() == before);
}

TEST_CASE("a counter merged with itself holds everything twice") {
    bucket_counter counter;
    counter.add(time_point{});
    counter.add(time_point{} + 24h);
    REQUIRE(counter.merge(counter).ok());
    CHECK(counter.records() == 4);
    CHECK(counter.total(2) == 4);
    CHECK(counter.non_empty(2) == 2);
}

TEST_CASE("a ladder of seconds in a day counts as any other") {
    const auto widths = ladder_of({1s, 24h});
    agrees_with_hand(widths, {at("2024-01-09T00:00:00Z"), at("2024-01-09T23:59:59.5Z"), at("2024-01-10T00:00:00Z"),
                              at("0000-01-01T00:00:00Z"), at("9999-12-31T23:59:59Z")});
}

TEST_CASE("every ladder, direct or rolled up, counts what a person would count") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t round = 0; round < support::cases(40); ++round) {
        CAPTURE(round);
        const auto instants = some_instants(random, random() % 60);
        agrees_with_hand(hour_ladder{}, instants);
        agrees_with_hand(minutes_ladder<7>{}, instants);
        agrees_with_hand(minutes_ladder<2, 6, 24, 1'440>{}, instants);
        agrees_with_hand(ladder{}, instants);
        agrees_with_hand(ladder_of({7us, 21us, 1'050us}), instants);
        agrees_with_hand(ladder_of({1s, 30s, 1min, 10min, 1h}), instants);
        std::vector<duration> widths{duration{1 + static_cast<std::int64_t>(random() % 100'000'000)}};
        while (widths.size() < 1 + random() % 8) {
            widths.push_back(widths.back() * static_cast<std::int64_t>(2 + random() % 3));
        }
        agrees_with_hand(ladder_of(widths), instants);
    }
}

TEST_CASE("a ladder of the same widths counts alike whether it is known at compile time or at run time") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto instants = some_instants(random, 1'000);
    CHECK(counted(bucket_counter<>{}, instants).buckets() == counted(bucket_counter{ladder{}}, instants).buckets());
}

TEST_CASE_TEMPLATE("neither the order of the records nor their parts change a count", Counter, bucket_counter<>,
                   bucket_counter<ladder, counting::roll_up>) {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t round = 0; round < support::cases(20); ++round) {
        CAPTURE(round);
        auto instants = some_instants(random, 300);
        const auto whole = counted(Counter{}, instants);
        std::ranges::shuffle(instants, random);
        REQUIRE(counted(Counter{}, instants).buckets() == whole.buckets());

        std::vector<Counter> parts(1 + random() % 5);
        for (const auto instant : instants) { parts[random() % parts.size()].add(instant); }
        std::ranges::shuffle(parts, random);
        for (std::size_t i = 1; i < parts.size(); ++i) { REQUIRE(parts[0].merge(parts[i]).ok()); }
        REQUIRE(parts[0].buckets() == whole.buckets());
        REQUIRE(parts[0].records() == whole.records());
    }
}
