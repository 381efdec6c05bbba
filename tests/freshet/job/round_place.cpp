#include <freshet/job/round_place.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::place_of;
using freshet::read_resume;
using freshet::round_place;
using freshet::run_report;
using freshet::run_state;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};

auto report(freshet::time_point due, run_state state, std::string resume) -> run_report {
    run_report made;
    made.due = due;
    made.state = state;
    made.resume = std::move(resume);
    return made;
}

} // namespace

TEST_CASE("a round stands where its last run came to, whatever became of that run") {
    for (const auto state : {run_state::running, run_state::stopped, run_state::failed}) {
        const std::vector<run_report> reports{report(sunday, run_state::stopped, "a"), report(sunday, state, "b"),
                                              report(sunday + 1h, run_state::stopped, "c")};
        CHECK(place_of(reports, sunday) == round_place{false, "b"});
    }
    CHECK(place_of({}, sunday) == round_place{});
}

TEST_CASE("where a run gave up, groups that failed are left, until a run comes further") {
    const auto gave_up = [](std::string resume, std::uint64_t failed, std::uint64_t told) {
        auto made = report(sunday, run_state::failed, std::move(resume));
        made.failed = failed;
        made.dead_lettered = told;
        return made;
    };
    std::vector<run_report> reports{gave_up("a", 10, 0)};
    CHECK(place_of(reports, sunday) == round_place{false, "a", true});
    reports.push_back(report(sunday, run_state::running, "a")); // it was killed
    CHECK(place_of(reports, sunday).gave_up);
    reports.push_back(gave_up("b", 10, 10)); // all were told of, and none is left
    CHECK(place_of(reports, sunday) == round_place{false, "b", false});
    CHECK_FALSE(place_of(std::vector{gave_up("", 0, 0)}, sunday).gave_up); // its list failed
}

TEST_CASE("a round of which a run is complete is complete") {
    const std::vector<run_report> reports{report(sunday, run_state::complete, "a"),
                                          report(sunday, run_state::stopped, "b")};
    CHECK(place_of(reports, sunday).complete);
    CHECK_FALSE(place_of(reports, sunday + 1h).complete);
}

TEST_CASE("a place is read for its own round") {
    CHECK_FALSE(read_resume("", sunday)->has_value());
    const auto text = to_text(freshet::resume_token{sunday, "a"});
    CHECK((*read_resume(text, sunday))->after == "a");
    CHECK(read_resume(text, sunday + 1h).why().note == "resume token: it is of another round");
    CHECK(read_resume("x", sunday).why().code == freshet::errc::malformed);
}
