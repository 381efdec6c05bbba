#include <freshet/job/batch_progress.hpp>

#include <chrono>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::batch_progress;
using freshet::errc;
using freshet::run_state;
using freshet::turn_end;

auto progress() -> batch_progress {
    freshet::run_report report;
    report.job = "labels";
    return {report, 6s, {.count = 1, .in_a_row = 100}};
}

} // namespace

TEST_CASE("turns count by how they ended, and teach what groups cost") {
    auto now = progress();
    now.listed(30, 12);
    now.had({turn_end::applied, {.validated = 2, .updated = 1, .conflicts = 3}, {}, 1, 2s});
    now.had({turn_end::failed, {}, {errc::failed, "no"}, 2, 2s});
    now.had({turn_end::cut_short, {}, {}, 4, 1h});
    now.add({.undecided = 5, .needs_review = 6});
    now.retried(1);
    now.told();
    const auto& report = now.report();
    CHECK(report.listed == 30);
    CHECK(report.groups == 12);
    CHECK(report.worked == 2);
    CHECK(report.failed == 1);
    CHECK(report.retries == 8);
    CHECK(report.validated == 2);
    CHECK(report.updated == 1);
    CHECK(report.conflicts == 3);
    CHECK(report.undecided == 5);
    CHECK(report.needs_review == 6);
    CHECK(report.dead_lettered == 1);
    CHECK(now.cost().per_group() == 6s); // the one that failed was no slower than that
    CHECK_FALSE(now.too_many_failures());
    now.had({turn_end::failed, {}, {}, 0, 2s});
    CHECK(now.too_many_failures());
}

TEST_CASE("groups that fail early do not make others look cheap, and ones that fail late make them dear") {
    auto now = progress();
    for (int i = 0; i != 9; ++i) { now.had({turn_end::failed, {}, {errc::malformed, "no"}, 0, 0s}); }
    CHECK(now.cost().per_group() == 6s); // the first guess
    now.had({turn_end::applied, {}, {}, 0, 2s});
    for (int i = 0; i != 9; ++i) { now.had({turn_end::failed, {}, {errc::malformed, "no"}, 0, 1s}); }
    CHECK(now.cost().per_group() == 6s);
    now.had({turn_end::failed, {}, {errc::malformed, "no"}, 0, 20s});
    CHECK(now.cost().per_group() > 20s);
}

TEST_CASE("a turn without time enough counts as not begun") {
    auto now = progress();
    now.had({turn_end::out_of_time, {}, {errc::expired, "no time"}, 1, 1h});
    CHECK(now.report().worked == 0);
    CHECK(now.report().retries == 1);
    CHECK_FALSE(now.cost().learned());
}

TEST_CASE("the end says why, and then what failed first") {
    auto now = progress();
    now.failed("a\n", {errc::failed, "no"});
    now.failed("b", {errc::failed, "never"});
    now.not_told("a", {errc::denied, "not allowed"});
    now.end(run_state::stopped, "the end");
    CHECK(now.report().state == run_state::stopped);
    CHECK(now.report().why == "the end; first failure: a\\x0a: no; no dead letter: a: not allowed");
    now.end(run_state::complete, "");
    CHECK(now.report().why == "first failure: a\\x0a: no; no dead letter: a: not allowed");
}

TEST_CASE("the place to go on is of the round") {
    auto now = progress();
    now.came_to("g1");
    CHECK(now.report().resume == "resume-1 0 2:g1");
    now.seen(freshet::time_point{5s});
    CHECK(now.report().took() == 5s);
}
