#include <freshet/job/fire_times.hpp>

#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>

namespace {

using freshet::time_point;

constexpr auto at(std::int64_t micros) -> time_point { return time_point{freshet::duration{micros}}; }

/// Fires at every tenth microsecond, for ever.
struct tens {
    int* asked{};
    [[nodiscard]] constexpr auto next(time_point after) const -> std::optional<time_point> {
        if (asked != nullptr) { ++*asked; }
        return at((after.time_since_epoch().count() / 10 + 1) * 10);
    }
};

} // namespace

TEST_SUITE("fire_times") {
    static_assert(std::forward_iterator<freshet::fire_times<tens>::iterator>);
    static_assert(std::sentinel_for<std::default_sentinel_t, freshet::fire_times<tens>::iterator>);

    TEST_CASE("the start fires and the end does not") {
        std::vector<time_point> found;
        for (const auto each : freshet::fire_times{tens{}, {at(10), at(40)}}) { found.push_back(each); }
        CHECK(found == std::vector{at(10), at(20), at(30)});
        CHECK(freshet::fire_times{tens{}, {at(11), at(20)}}.empty());
        CHECK(freshet::fire_times{tens{}, {at(20), at(10)}}.empty());
    }

    TEST_CASE("only what is asked for is found") {
        int asked = 0;
        const freshet::fire_times for_ever{tens{&asked}, {at(10), time_point::max()}};
        auto each = for_ever.begin();
        const auto first = each++;
        CHECK(*first == at(10));
        CHECK(*each == at(20));
        CHECK(first != each);
        CHECK(asked == 2);
    }
}
