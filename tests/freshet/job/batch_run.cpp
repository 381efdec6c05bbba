#include <freshet/job/batch_run.hpp>

#include <chrono>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::deadline;
using freshet::end_of;
using freshet::report_of;

constexpr freshet::time_point noon{std::chrono::seconds{1'736'942'400}};

} // namespace

TEST_CASE("a run ends with its limit or its host, whatever is sooner; without both, never") {
    CHECK(end_of({.limit = 10s}, noon) == deadline::at(noon + 10s));
    CHECK(end_of({.limit = 10s, .until = deadline::at(noon + 5s)}, noon) == deadline::at(noon + 5s));
    CHECK(end_of({.limit = 10s, .until = deadline::at(noon + 15s)}, noon) == deadline::at(noon + 10s));
    CHECK(end_of({.until = deadline::at(noon)}, noon) == deadline::at(noon));
    CHECK(end_of({}, noon) == deadline::never());
}

TEST_CASE("a report begins with what is known of its run") {
    const auto report = report_of({.due = noon - 1h, .run = "first", .limit = 10s}, "labels", noon);
    CHECK(report.job == "labels");
    CHECK(report.run == "first");
    CHECK(report.due == noon - 1h);
    CHECK(report.started_at == noon);
    CHECK(report.seen_at == noon);
    CHECK(report.limit == 10s);
    CHECK(report.state == freshet::run_state::running);
    CHECK(report_of({}, "labels", noon).limit == 0s);
}
