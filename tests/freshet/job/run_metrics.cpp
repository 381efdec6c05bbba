#include <freshet/job/run_metrics.hpp>

#include <doctest/doctest.h>

TEST_CASE("the error rate is the percentage of the groups that failed, and 100 where the execution did") {
    freshet::run_report report{.state = freshet::run_state::complete};
    CHECK(freshet::run_metrics::error_percent(report) == 0);
    report.groups = 100;
    report.worked = 40;
    CHECK(freshet::run_metrics::error_percent(report) == 0);
    report.failed = 4;
    CHECK(freshet::run_metrics::error_percent(report) == 10);
    report.state = freshet::run_state::stopped;
    CHECK(freshet::run_metrics::error_percent(report) == 10);
    report.state = freshet::run_state::failed;
    CHECK(freshet::run_metrics::error_percent(report) == 100);
    report.worked = report.failed = 0;
    CHECK(freshet::run_metrics::error_percent(report) == 100);
}
