#include <freshet/job/catch_up.hpp>

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

namespace {

using freshet::catch_up;
using freshet::time_point;
using namespace std::chrono_literals;

const std::vector<freshet::missed_run> three{{time_point{1h}, freshet::missed_fate::never_ran},
                                             {time_point{2h}, freshet::missed_fate::not_finished},
                                             {time_point{3h}, freshet::missed_fate::never_ran}};

} // namespace

TEST_CASE("skip runs nothing for what was missed, once the last of it, all each of it, the oldest first") {
    CHECK(freshet::to_catch_up(catch_up::skip, three).empty());
    CHECK(freshet::to_catch_up(catch_up::once, three) == std::vector{time_point{3h}});
    CHECK(freshet::to_catch_up(catch_up::all, three) == std::vector{time_point{1h}, time_point{2h}, time_point{3h}});
}

TEST_CASE("where nothing was missed nothing is run for, by any policy") {
    for (const auto policy : {catch_up::skip, catch_up::once, catch_up::all}) {
        CHECK(freshet::to_catch_up(policy, {}).empty());
    }
}

static_assert(freshet::name_of(catch_up::skip) == "skip" && freshet::name_of(catch_up::once) == "once" &&
              freshet::name_of(catch_up::all) == "all" && freshet::name_of(static_cast<catch_up>(3)).empty());
