#include <freshet/count/series.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/bucket_sink.hpp>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::bucket;
using freshet::errc;
using freshet::read_series;
using freshet::time_point;
using freshet::time_range;

const auto noon = at("2024-01-19T12:00:00Z");

struct bench {
    adapters::memory::bucket_sink sink{};
    bench() {
        const freshet::recounted found{
            {noon, noon + 2h},
            {5min, 1h},
            {{5min, noon, 2}, {5min, noon + 10min, 1}, {5min, noon + 65min, 4}, {1h, noon, 3}, {1h, noon + 1h, 4}}};
        REQUIRE(sink.replace(items, found, sink.begin_run(items).value()).ok());
    }
};

auto counts(const std::vector<freshet::series_point>& points) -> std::vector<std::uint64_t> {
    std::vector<std::uint64_t> all;
    for (const auto& each : points) { all.push_back(each.bucket.count); }
    return all;
}

struct broken_sink : adapters::memory::bucket_sink {
    auto read(const freshet::series_key&, const time_range&, freshet::duration)
        -> freshet::result<std::vector<bucket>> {
        return freshet::error{errc::throttled, "later"};
    }
};

struct foreign_sink : adapters::memory::bucket_sink {
    auto read(const freshet::series_key&, const time_range&, freshet::duration width)
        -> freshet::result<std::vector<bucket>> {
        return std::vector<bucket>{
            {width, noon, 2}, {width, noon + 1min, 9}, {width, noon + 2min, 9}, {width, noon + 10min, 4}};
    }
};

} // namespace

TEST_CASE("every bucket that the range touches is given, empty ones as zero") {
    bench b;
    const auto points = read_series(b.sink, items, {noon - 1us, noon + 21min}, 5min, noon);
    REQUIRE(points.ok());
    CHECK(counts(*points) == std::vector<std::uint64_t>{0, 2, 0, 1, 0, 0});
    CHECK(points->front().bucket == bucket{5min, noon - 5min, 0});
    CHECK(points->back().bucket == bucket{5min, noon + 20min, 0});
    CHECK(counts(*read_series(b.sink, items, {noon, noon + 2h}, 1h, noon)) == std::vector<std::uint64_t>{3, 4});
}

TEST_CASE("a series that was never counted is all zeros, and an empty range has no points") {
    bench b;
    CHECK(counts(*read_series(b.sink, {"other", ""}, {noon, noon + 2h}, 1h, noon)) == std::vector<std::uint64_t>{0, 0});
    CHECK(read_series(b.sink, items, {noon, noon}, 1h, noon)->empty());
}

TEST_CASE("a bucket is final with the widest one that it lies in, for that is counted as a whole") {
    bench b;
    const auto final_at = [&](time_point now, std::optional<freshet::duration> lateness) {
        std::size_t final = 0;
        const auto points = read_series(b.sink, items, {noon, noon + 2h}, 5min, now, lateness);
        for (const auto& each : *points) { final += each.is_final ? 1 : 0; }
        return final;
    };
    CHECK(final_at(noon + 70min, 10min) == 12);
    CHECK(final_at(noon + 70min - 1us, 10min) == 0);
    CHECK(final_at(noon + 130min, 10min) == 24);
    CHECK(final_at(noon + 24h, std::nullopt) == 0);
    CHECK(read_series(b.sink, items, {noon, noon + 2h}, 5min, noon + 30min, 10min, 5min)->at(3).is_final);
}

TEST_CASE("more points than anybody looks at are refused before the sink is asked, and so is a width of nothing") {
    bench b;
    const auto most = static_cast<std::int64_t>(freshet::most_series_points);
    CHECK(read_series(b.sink, items, {noon, noon + most * 1min}, 1min, noon)->size() == freshet::most_series_points);
    CHECK(read_series(b.sink, items, {noon, noon + (most + 1) * 1min}, 1min, noon).why().code == errc::too_large);
    CHECK(read_series(b.sink, items, {time_point::min(), time_point::max()}, 1us, noon).why().code == errc::too_large);
    CHECK(read_series(b.sink, items, {noon, noon + 1h}, 0us, noon).why().code == errc::malformed);
    CHECK(read_series(b.sink, items, {noon, noon + 1h}, 1h, noon, {}, 0us).why().code == errc::malformed);
}

TEST_CASE("a sink's failure is the reader's") {
    broken_sink sink;
    CHECK(read_series(sink, items, {noon, noon + 1h}, 1h, noon).why() == freshet::error{errc::throttled, "later"});
}

TEST_CASE("what a foreign writer left at a time where no bucket starts hides none of those after it") {
    foreign_sink sink;
    const auto points = read_series(sink, items, {noon, noon + 20min}, 5min, noon);
    CHECK(counts(*points) == std::vector<std::uint64_t>{2, 0, 4, 0});
}

TEST_CASE("a series is read to both ends of the time scale") {
    bench b;
    const auto first = read_series(b.sink, items, {time_point::min(), time_point::min() + 3s}, 1s, noon, 1h);
    REQUIRE(first.ok());
    CHECK(counts(*first) == std::vector<std::uint64_t>{0, 0, 0});
    CHECK(first->front().is_final);
    const auto last = read_series(b.sink, items, {time_point::max() - 3s, time_point::max()}, 1s, noon, 1h);
    REQUIRE(last.ok());
    CHECK(last->size() == 3);
    CHECK(!last->back().is_final);
}
