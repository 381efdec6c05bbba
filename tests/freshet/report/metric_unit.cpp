#include <freshet/report/metric_unit.hpp>

#include <set>
#include <string_view>

#include <doctest/doctest.h>

using freshet::metric_unit;

static_assert(name_of(metric_unit::none) == "None");
static_assert(name_of(metric_unit::count_per_second) == "Count/Second");

TEST_CASE("the units are those of CloudWatch, each once") {
    std::set<std::string_view> names;
    for (auto at = 0U; at <= static_cast<unsigned>(metric_unit::terabits_per_second); ++at) {
        names.insert(name_of(static_cast<metric_unit>(at)));
    }
    CHECK(names == std::set<std::string_view>{"Seconds",
                                              "Microseconds",
                                              "Milliseconds",
                                              "Bytes",
                                              "Kilobytes",
                                              "Megabytes",
                                              "Gigabytes",
                                              "Terabytes",
                                              "Bits",
                                              "Kilobits",
                                              "Megabits",
                                              "Gigabits",
                                              "Terabits",
                                              "Percent",
                                              "Count",
                                              "Bytes/Second",
                                              "Kilobytes/Second",
                                              "Megabytes/Second",
                                              "Gigabytes/Second",
                                              "Terabytes/Second",
                                              "Bits/Second",
                                              "Kilobits/Second",
                                              "Megabits/Second",
                                              "Gigabits/Second",
                                              "Terabits/Second",
                                              "Count/Second",
                                              "None"});
}
