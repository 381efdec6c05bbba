#include <freshet/count/tagged_counters.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/series_key.hpp>
#include <freshet/count/ladder.hpp>
#include <support/allocations.hpp>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using freshet::bucket_counter;
using freshet::counting;
using freshet::ladder;
using freshet::series_key;
using freshet::tagged_counters;
using freshet::time_point;

TEST_CASE("each tag has a counter of its own") {
    tagged_counters<series_key> counters{10};
    CHECK(counters.add(series_key{"items", "a"}, time_point{}));
    CHECK(counters.add(series_key{"items", "a"}, time_point{} + 1h));
    CHECK(counters.add(series_key{"scores", "a"}, time_point{}));
    REQUIRE(counters.size() == 2);
    CHECK(counters.find(series_key{"items", "a"})->records() == 2);
    CHECK(counters.find(series_key{"items", "a"})->non_empty(3) == 2);
    CHECK(counters.find(series_key{"scores", "a"})->records() == 1);
    CHECK(counters.find(series_key{"items", "b"}) == nullptr);
}

TEST_CASE("counters are shown ascending by tag") {
    tagged_counters<std::string> counters{3};
    for (const auto tag : {"b"sv, "c"sv, "a"sv, "b"sv}) { CHECK(counters.add(tag, time_point{})); }
    std::string shown;
    counters.each([&](const std::string& tag, const bucket_counter<>& counter) {
        shown += tag + std::to_string(counter.records());
    });
    CHECK(shown == "a1b2c1");
}

TEST_CASE("what comes after the cap is refused and counted, known tags go on") {
    tagged_counters<std::string> counters{2};
    CHECK(counters.add("a", time_point{}));
    CHECK(counters.add("b", time_point{}));
    CHECK_FALSE(counters.add("c", time_point{}));
    CHECK_FALSE(counters.add("c", time_point{}));
    CHECK(counters.add("a", time_point{}));
    CHECK(counters.size() == 2);
    CHECK(counters.find("c") == nullptr);
    CHECK(counters.refused_records() == 2);
    CHECK(counters.refused_tags() == 1);
}

TEST_CASE("a record of a known tag, counted or refused, allocates nothing, and its tag may be a view") {
    constexpr auto known = "a tag that is too long for a short string"sv;
    constexpr auto refused = "another tag that is too long for a short string"sv;
    tagged_counters<std::string> counters{1};
    CHECK(counters.add(known, time_point{}));
    CHECK_FALSE(counters.add(refused, time_point{}));
    const auto before = support::allocations.load();
    const bool counted = counters.add(known, time_point{} + 1min);
    const bool counted_as_refused = !counters.add(refused, time_point{} + 1min);
    CHECK(support::allocations.load() == before);
    CHECK(counted);
    CHECK(counted_as_refused);
    CHECK(counters.find(known)->records() == 2);
    CHECK(counters.refused_records() == 2);
}

TEST_CASE("refused tags are told apart up to the cap, refused records without bound") {
    tagged_counters<int> counters{3};
    for (int tag = 0; tag < 1'000; ++tag) { CHECK(counters.add(tag, time_point{}) == (tag < 3)); }
    CHECK(counters.refused_records() == 997);
    CHECK(counters.refused_tags() == 3);
}

TEST_CASE("counters for no tag at all refuse every record") {
    tagged_counters<int> counters{0};
    CHECK_FALSE(counters.add(1, time_point{}));
    CHECK(counters.refused_records() == 1);
    CHECK(counters.refused_tags() == 0);
}

TEST_CASE("every tag is counted by the ladder that was given") {
    using counter = bucket_counter<ladder, counting::roll_up>;
    const std::vector<freshet::duration> widths{1s, 1min};
    tagged_counters<std::string, counter> counters{2, ladder::of(widths).value()};
    CHECK(counters.add("a", time_point{} + 61s));
    CHECK(counters.find("a")->count(0, time_point{} + 61s) == 1);
    CHECK(counters.find("a")->ladder().widest() == 1min);
}
