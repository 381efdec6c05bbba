#include <freshet/cache/invalidation_counts.hpp>

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace {

using counts_type = freshet::invalidation_counts<std::string>;

} // namespace

TEST_CASE("before an invalidation, while it is under way and after it are three numbers") {
    counts_type counts;
    const auto before = counts.of("a");
    CHECK(counts.of("a") == before);
    counts.begin("a");
    const auto during = counts.of("a");
    counts.end("a");
    const auto after = counts.of("a");
    CHECK(during != before);
    CHECK(after != before);
    CHECK(after != during);
    counts.begin_all();
    counts.end_all();
    CHECK(counts.of("a") != after);
    CHECK(counts.of("b") != before);
}

TEST_CASE("an invalidation is known to have been alone, or not to have been") {
    counts_type counts;
    const auto own = [&](auto&& before, auto&& between, auto&& after) {
        before();
        const auto seen = counts.of("a");
        counts.begin("a");
        between();
        counts.end("a");
        after();
        return counts_type::is_one_alone(seen, counts.of("a"));
    };
    const auto nothing = [] {};
    const auto begin = [&] { counts.begin("a"); };
    const auto end = [&] { counts.end("a"); };
    const auto whole = [&] { begin(), end(); };
    CHECK(own(nothing, nothing, nothing));
    CHECK(own(whole, nothing, nothing));
    CHECK_FALSE(own(nothing, whole, nothing));
    CHECK_FALSE(own(nothing, nothing, whole));
    CHECK_FALSE(own(begin, end, nothing));
    CHECK_FALSE(own(begin, nothing, nothing));
    end();
    CHECK_FALSE(own(nothing, begin, nothing));
    end();
    CHECK_FALSE(own(nothing, nothing, begin));
    end();
    CHECK_FALSE(own(
        nothing, [&] { counts.begin_all(), counts.end_all(); }, nothing));
    CHECK_MESSAGE(own(nothing, nothing, nothing), "none is left under way");
}

TEST_CASE("threads count together, and none is lost") {
    counts_type counts;
    const auto before = counts.of("a");
    {
        std::vector<std::jthread> crew;
        for (int worker = 0; worker != 4; ++worker) {
            crew.emplace_back([&] {
                for (int n = 0; n != 1'000; ++n) {
                    counts.begin("a");
                    counts.end("a");
                }
            });
        }
    }
    const auto after = counts.of("a");
    for (int n = 0; n != 4'000; ++n) {
        counts.begin("b");
        counts.end("b");
    }
    CHECK(after - before == counts.of("b"));
}
