#include <freshet/count/cross_check.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/ladder.hpp>
#include <support/cases.hpp>

using namespace std::chrono_literals;
using freshet::bucket;
using freshet::bucket_counter;
using freshet::counting;
using freshet::cross_check;
using freshet::duration;
using freshet::floor_to;
using freshet::hour_ladder;
using freshet::ladder;
using freshet::level_total;
using freshet::record_witness;
using freshet::time_point;

namespace {

/// What a counter says, to be falsified.
struct claim {
    hour_ladder widths;
    std::uint64_t says_records{};
    std::vector<std::map<time_point, std::uint64_t>> levels{std::vector<std::map<time_point, std::uint64_t>>(4)};

    [[nodiscard]] auto records() const -> std::uint64_t { return says_records; }
    [[nodiscard]] auto ladder() const -> const hour_ladder& { return widths; }
    template <class Visit>
    void each(std::size_t level, Visit visit) const {
        for (const auto& [start, count] : levels[level]) {
            if (count != 0) { visit(bucket{widths.width(level), start, count}); }
        }
    }
    /// One record that was in the finest bucket `from` is in `to`, on all levels.
    void move(time_point from, time_point to) {
        for (std::size_t level = 0; level < 4; ++level) {
            --levels[level][floor_to(from, widths.width(level))];
            ++levels[level][floor_to(to, widths.width(level))];
        }
    }
};

template <class Counter>
auto claim_of(const Counter& counter) -> claim {
    claim made;
    made.says_records = counter.records();
    for (std::size_t level = 0; level < 4; ++level) {
        counter.each(level, [&](const bucket& each) { made.levels[level][each.start] = each.count; });
    }
    return made;
}

struct seen_records {
    bucket_counter<> counter;
    record_witness witness{1min};

    void add(time_point at) {
        counter.add(at);
        witness.add(at);
    }
};

auto at(std::string_view text) -> time_point { return freshet::parse_rfc3339(text).value(); }

/// Records in some hours around 1970 and around a day of 2024.
auto some_records(std::mt19937_64& random, std::size_t size) -> seen_records {
    seen_records seen;
    for (std::size_t i = 0; i < size; ++i) {
        const auto base = random() % 2 == 0 ? time_point{} - 2h : at("2024-01-09T04:07:03Z");
        seen.add(base + duration{static_cast<std::int64_t>(random() % 14'400'000'000)});
    }
    return seen;
}

} // namespace

TEST_CASE("a counter that counted what the witness saw agrees with it, level by level") {
    seen_records seen;
    for (const auto* text :
         {"2024-01-09T04:00:00Z", "2024-01-09T04:00:59Z", "2024-01-09T04:07:00Z", "2024-01-09T05:00:00Z"}) {
        seen.add(at(text));
    }
    const auto report = cross_check(seen.counter, seen.witness);
    CHECK(report.ok());
    CHECK(report.records == 4);
    CHECK(report.levels == std::vector<level_total>{{1min, 3, 4}, {5min, 3, 4}, {15min, 2, 4}, {1h, 2, 4}});
}

TEST_CASE("nothing counted and nothing seen agree") {
    const seen_records seen;
    const auto report = cross_check(seen.counter, seen.witness);
    CHECK(report.ok());
    CHECK(report.levels.size() == 4);
}

TEST_CASE("what was counted agrees with what was seen, for every ladder and in parts") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto seconds = ladder::of(std::vector<duration>{1s, 1min, 24h}).value();
    for (std::size_t round = 0; round < support::cases(20); ++round) {
        bucket_counter<ladder> direct{seconds};
        bucket_counter<ladder, counting::roll_up> rolled{seconds};
        bucket_counter<ladder> other{seconds};
        record_witness witness{1s};
        record_witness others{1s};
        for (std::size_t i = random() % 50; i > 0; --i) {
            const auto instant = time_point{duration{static_cast<std::int64_t>(random() >> 8) - (1LL << 55)}};
            const auto times = random() % 3;
            rolled.add(instant, times);
            const bool first = random() % 2 == 0;
            (first ? direct : other).add(instant, times);
            (first ? witness : others).add(instant, times);
        }
        CHECK(cross_check(direct, witness).ok());
        CHECK(cross_check(other, others).ok());
        REQUIRE(direct.merge(other).ok());
        witness.merge(others);
        CHECK(cross_check(direct, witness).ok());
        CHECK(cross_check(rolled, witness).ok());
    }
}

TEST_CASE("any one counter that is off, by one or by one bit, is found") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto seen = some_records(random, 100);
    const auto truth = claim_of(seen.counter);
    REQUIRE(cross_check(truth, seen.witness).ok());
    for (std::size_t level = 0; level < 4; ++level) {
        for (const auto& [start, count] : truth.levels[level]) {
            auto spoiled = truth;
            auto& counter = spoiled.levels[level][start];
            for (unsigned bit = 0; bit < 64; ++bit) {
                counter = count ^ (std::uint64_t{1} << bit);
                REQUIRE_FALSE(cross_check(spoiled, seen.witness).ok());
            }
            for (const auto other : {count + 1, count - 1, std::uint64_t{0}}) {
                counter = other;
                REQUIRE_FALSE(cross_check(spoiled, seen.witness).ok());
            }
        }
    }
}

TEST_CASE("a counter where nothing was is found") {
    seen_records seen;
    seen.add(at("2024-01-09T04:00:00Z"));
    for (const auto* text : {"0000-01-01T00:00:00Z", "2024-01-09T04:00:00Z", "2024-01-09T05:00:00Z"}) {
        for (std::size_t level = 0; level < 4; ++level) {
            auto spoiled = claim_of(seen.counter);
            ++spoiled.levels[level][at(text)];
            CHECK_FALSE(cross_check(spoiled, seen.witness).ok());
        }
    }
}

TEST_CASE("one record in another bucket than its own, on all levels alike, is found") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto seen = some_records(random, 60);
    const auto truth = claim_of(seen.counter);
    for (const auto& [start, count] : truth.levels[0]) {
        for (const auto by : {duration{1min}, duration{-1min}, duration{5min}, duration{1h}, duration{-24h}}) {
            auto spoiled = truth;
            spoiled.move(start, start + by);
            const auto report = cross_check(spoiled, seen.witness);
            REQUIRE_FALSE(report.ok());
            REQUIRE(*report.fault == "the buckets of 1 min hold records of other buckets");
        }
    }
}

TEST_CASE("two records that were moved against each other are found") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    auto seen = some_records(random, 60);
    for (const auto* text : {"2030-01-01T00:30:00Z", "2030-01-01T00:33:00Z"}) { seen.add(at(text)); }
    auto spoiled = claim_of(seen.counter);
    spoiled.move(at("2030-01-01T00:30:00Z"), at("2030-01-01T00:31:00Z"));
    spoiled.move(at("2030-01-01T00:33:00Z"), at("2030-01-01T00:32:00Z"));
    CHECK_FALSE(cross_check(spoiled, seen.witness).ok());
}

TEST_CASE("a record of one wide bucket in another is found where the finest buckets are right") {
    seen_records seen;
    for (const auto* text : {"2024-01-09T04:00:00Z", "2024-01-09T04:05:00Z"}) { seen.add(at(text)); }
    auto spoiled = claim_of(seen.counter);
    --spoiled.levels[1][at("2024-01-09T04:00:00Z")];
    ++spoiled.levels[1][at("2024-01-09T04:05:00Z")];
    CHECK(cross_check(spoiled, seen.witness).fault ==
          "the bucket of 1 min from 2024-01-09T04:00:00Z on holds 1 "
          "records, and what it is part of is empty");
    spoiled = claim_of(seen.counter);
    ++spoiled.levels[1][at("2024-01-09T04:00:00Z")];
    --spoiled.levels[1][at("2024-01-09T04:05:00Z")];
    CHECK(cross_check(spoiled, seen.witness).fault ==
          "the bucket of 5 min from 2024-01-09T04:00:00Z on holds 2 records, its parts 1");
    spoiled = claim_of(seen.counter);
    --spoiled.levels[1][at("2024-01-09T04:05:00Z")];
    ++spoiled.levels[1][at("2024-01-09T04:10:00Z")];
    CHECK_FALSE(cross_check(spoiled, seen.witness).ok());
}

TEST_CASE("a record that was counted and not seen, or seen and not counted, is found") {
    seen_records seen;
    seen.add(at("2024-01-09T04:00:00Z"));
    auto counter = seen.counter;
    counter.add(at("2024-01-09T04:00:00Z"));
    CHECK(cross_check(counter, seen.witness).fault == "2 records were counted of 1");
    seen.witness.add(at("2024-01-09T04:00:00Z"));
    CHECK(cross_check(seen.counter, seen.witness).fault == "1 records were counted of 2");
    auto spoiled = claim_of(counter);
    spoiled.levels[2].clear();
    CHECK(cross_check(spoiled, seen.witness).fault == "the buckets of 15 min hold 0 records of 2");
}

TEST_CASE("a witness of other widths vouches for nothing") {
    bucket_counter counter;
    counter.add(time_point{});
    record_witness witness{1s};
    witness.add(time_point{});
    CHECK(cross_check(counter, witness).fault == "the finest buckets are of 1 min, the witness saw 1 s");
}

TEST_CASE("a fault names widths and starts in their own units") {
    const auto micros = ladder::of(std::vector<duration>{7us, 21us}).value();
    bucket_counter counter{micros};
    counter.add(time_point{});
    CHECK(cross_check(counter, record_witness{7us}).fault == "1 records were counted of 0");
    CHECK(freshet::detail::bucket_text({7us, time_point{} - 7us, 1}) ==
          "the bucket of 7 us from 1969-12-31T23:59:59.999993Z on");
    CHECK(freshet::detail::bucket_text({1s, time_point{duration{1LL << 60}}, 1}) ==
          "the bucket of 1 s from 1152921504606846976 us on");
}
