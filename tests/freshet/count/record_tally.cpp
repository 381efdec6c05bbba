#include <freshet/count/record_tally.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <support/cases.hpp>
#include <support/count_allocations.hpp>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::record_fate;
using freshet::record_order;
using freshet::time_range;
using tally = freshet::record_tally<>;

const time_range hour_of_test{at("2024-01-19T13:00:00Z"), at("2024-01-19T14:00:00Z")};

} // namespace

TEST_CASE("the first of an id counts, whatever became of it") {
    tally t{hour_of_test, record_order::any};
    CHECK(t.add("a", "").fate == record_fate::no_timestamp);
    CHECK(t.add("a", "2024-01-19T13:00:00Z").fate == record_fate::duplicate);
    CHECK(t.add("b", "2024-01-19T13:00:00Z").fate == record_fate::counted);
    CHECK(t.add("b", "").fate == record_fate::duplicate);
    CHECK(t.add("c", "2024-01-19T14:00:00Z").fate == record_fate::outside);
    CHECK(t.add("c", "2024-01-19T13:00:00Z").fate == record_fate::duplicate);
    const auto bad = t.add("d", "2024-01-19T13:00:60Z");
    CHECK(bad.fate == record_fate::bad_timestamp);
    CHECK(bad.skipped());
    CHECK(bad.why.offset == 17);
    CHECK(t.duplicates() == 3);
    CHECK(t.outside() == 1);
    CHECK(t.skipped() == freshet::skipped_records{1, 1});
    CHECK(t.skipped().total() == 2);
    CHECK(t.counter().records() == 1);
    CHECK(t.ids_kept() == 4);
    CHECK(cross_check(t.counter(), t.witness()).ok());
}

TEST_CASE("what breaks the order changes nothing") {
    tally t{hour_of_test, record_order::by_time};
    CHECK(t.add("a", "2024-01-19T13:00:01.1Z").fate == record_fate::counted);
    CHECK(t.add("b", "2024-01-19T13:00:00.9Z").fate == record_fate::out_of_order);
    CHECK(t.add("c", "2024-01-19T13:00:01.0Z").fate == record_fate::counted);
    CHECK(t.add("c", "2024-01-19T13:00:01.0Z").fate == record_fate::duplicate);
    CHECK(t.second() == at("2024-01-19T13:00:01Z"));
    CHECK(t.counter().records() == 2);
    CHECK(t.witness().records() == 2);
}

TEST_CASE("times that are not asked for, or before 1970, or of no year of four digits, are in order too") {
    tally t{hour_of_test, record_order::by_time};
    CHECK(t.add("a", "0000-01-01T00:00:00+23:59").fate == record_fate::outside);
    CHECK(t.add("b", "1969-12-31T23:59:59.9Z").fate == record_fate::outside);
    CHECK(t.add("c", "1969-12-31T23:59:59.1Z").fate == record_fate::outside);
    CHECK(t.add("d", "1969-12-31T23:59:58.9Z").fate == record_fate::out_of_order);
    CHECK(t.add("e", "1970-01-01T00:00:00.1Z").fate == record_fate::outside);
    CHECK(t.add("f", "1969-12-31T23:59:59.9Z").fate == record_fate::out_of_order);
    CHECK(t.add("g", "9999-12-31T23:59:59-23:59").fate == record_fate::outside);
}

TEST_CASE("a skipped record that is listed again within its second counts once") {
    tally t{hour_of_test, record_order::by_time};
    CHECK(t.add("a", "2024-01-19T13:00:01Z").fate == record_fate::counted);
    CHECK(t.add("b", "?").fate == record_fate::bad_timestamp);
    CHECK(t.add("a", "2024-01-19T13:00:01Z").fate == record_fate::duplicate);
    CHECK(t.add("b", "?").fate == record_fate::duplicate);
}

TEST_CASE("the fates have names") {
    CHECK(name_of(record_fate::counted) == "counted");
    CHECK(name_of(record_fate::outside) == "outside");
    CHECK(name_of(record_fate::duplicate) == "duplicate");
    CHECK(name_of(record_fate::no_timestamp) == "no_timestamp");
    CHECK(name_of(record_fate::bad_timestamp) == "bad_timestamp");
    CHECK(name_of(record_fate::out_of_order) == "out_of_order");
}

TEST_CASE("a million records by time keep the ids of one second, and allocate by the bucket and not by the record") {
    constexpr int seconds = 3'600;
    constexpr int per_second = 278;
    std::vector<std::string> ids;
    for (int i = 0; i != per_second; ++i) { ids.push_back("a record with a long id, number " + std::to_string(i)); }
    std::vector<std::string> times;
    for (int i = 0; i != seconds; ++i) { times.push_back(text(hour_of_test.start + i * 1s)); }
    tally t{hour_of_test, record_order::by_time};
    const auto before = support::allocations.load();
    for (const auto& time : times) {
        for (const auto& id : ids) { static_cast<void>(t.add(id, time)); }
    }
    CHECK(support::allocations.load() - before < 100);
    CHECK(t.counter().records() == seconds * per_second);
    CHECK(t.ids_kept() == per_second);
    CHECK(t.duplicates() == 0);
}

TEST_CASE("a list with any repeats, in any order that its source promises, counts each record once") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t run = 0; run != support::cases(100); ++run) {
        std::vector<std::pair<freshet::time_point, std::string>> records;
        std::vector<freshet::time_point> expected;
        for (int i = 0; i != 60; ++i) {
            const auto when = hour_of_test.start - 30s + std::chrono::milliseconds{random() % 90'000};
            records.emplace_back(when, std::to_string(i));
            if (hour_of_test.contains(when)) { expected.push_back(when); }
        }
        for (int i = 0; i != 40; ++i) { records.push_back(records[random() % records.size()]); }
        for (const auto order : {record_order::any, record_order::by_time}) {
            std::shuffle(records.begin(), records.end(), random);
            if (order == record_order::by_time) {
                std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
                    return std::chrono::floor<std::chrono::seconds>(a.first) <
                           std::chrono::floor<std::chrono::seconds>(b.first);
                });
            }
            tally t{hour_of_test, order};
            for (const auto& [when, id] : records) { static_cast<void>(t.add(id, text(when))); }
            REQUIRE(t.counter().buckets() == naive_counts(expected, freshet::hour_ladder::widths()));
            REQUIRE(t.duplicates() == 40);
            REQUIRE(t.outside() == 60 - expected.size());
        }
    }
}
