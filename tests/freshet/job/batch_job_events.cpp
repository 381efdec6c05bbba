#include <freshet/job/batch_job_events.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>

namespace {

using namespace std::chrono_literals;

template <class Event>
auto fields_of(const Event& event) -> std::string {
    static_assert(freshet::event<Event>);
    std::string names{Event::name};
    event.fields([&](std::string_view name, const auto&) { names += " " + std::string{name}; });
    return names;
}

} // namespace

TEST_CASE("events describe themselves") {
    const freshet::run_report report;
    const freshet::apply_counts counts;
    const freshet::error why{freshet::errc::failed, "no"};
    const freshet::dead_letter letter;
    CHECK(fields_of(freshet::items_listed{report, "a"}) == "items_listed job run due items groups after");
    CHECK(fields_of(freshet::batch_began{10, 20, 60s, 1h}) == "batch_began groups left expected time_left");
    CHECK(fields_of(freshet::group_applied{"a", counts, 1, 2s}) ==
          "group_applied group validated updated undecided needs_review conflicts retries took");
    CHECK(fields_of(freshet::group_failed{"a", why, freshet::group_fate::left, 1}) ==
          "group_failed group why reason fate retries");
    CHECK(fields_of(freshet::group_dead_lettered{letter}) == "group_dead_lettered id group why");
    CHECK(fields_of(freshet::group_letter_failed{"a", why}) == "group_letter_failed group why");
    CHECK(fields_of(freshet::batch_ended{report, 2s}).ends_with(" group_costs"));
    CHECK(fields_of(freshet::report_not_kept{report, why}) == "report_not_kept job run why");
}

TEST_CASE("a fate has a word") {
    CHECK(name_of(freshet::group_fate::set_aside) == "set_aside");
    CHECK(name_of(freshet::group_fate::not_set_aside) == "not_set_aside");
    CHECK(name_of(freshet::group_fate::left) == "left");
}
