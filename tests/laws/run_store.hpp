#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <freshet/backend/run_report.hpp>
#include <freshet/backend/run_store.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

#include "../support/cases.hpp"

namespace laws {

inline constexpr freshet::time_point a_sunday{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} +
                                              std::chrono::hours{2}};
inline constexpr freshet::time_range always{freshet::time_point::min(), freshet::time_point::max()};

/// A report with nothing in it but who ran when.
[[nodiscard]] inline auto run_of(std::string job, freshet::time_point started_at, std::string run = "1")
    -> freshet::run_report {
    freshet::run_report made;
    made.job = std::move(job);
    made.run = std::move(run);
    made.started_at = made.seen_at = started_at;
    return made;
}

/// A report no two of whose members are equal.
[[nodiscard]] inline auto full_run() -> freshet::run_report {
    using namespace std::chrono_literals;
    return {.job = "pending-labels",
            .run = "host 7/81\n\"\\",
            .due = a_sunday,
            .started_at = a_sunday + 1s + 1us,
            .seen_at = a_sunday + 8min + 999'999us,
            .limit = 15min + 7us,
            .state = freshet::run_state::stopped,
            .listed = 1,
            .groups = 2,
            .worked = 3,
            .validated = 4,
            .updated = 5,
            .undecided = 6,
            .needs_review = 7,
            .conflicts = 8,
            .failed = 9,
            .dead_lettered = 10,
            .retries = 11,
            .resume = std::string{"1;\0\x7f; Zo\xc3\xab \xf0\x9f\x8d\x80", 15},
            .why = "the deadline came"};
}

inline void put(auto& store, const freshet::run_report& report) {
    const auto outcome = store.put(report);
    REQUIRE_MESSAGE(outcome.ok(), (outcome.ok() ? "" : outcome.why().note));
}

[[nodiscard]] auto runs_in(auto& store, std::string_view job, const freshet::time_range& started = always)
    -> std::vector<freshet::run_report> {
    auto found = store.runs(job, started);
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.why().note));
    return *std::move(found);
}

[[nodiscard]] auto latest_of(auto& store, std::string_view job) -> std::optional<freshet::run_report> {
    auto found = store.latest(job);
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.why().note));
    return *std::move(found);
}

/// Whether the store has exactly these reports of the job, which are in order.
void holds_runs(auto& store, std::string_view job, const std::vector<freshet::run_report>& expected) {
    const auto found = runs_in(store, job);
    CHECK(found.size() == expected.size());
    CHECK(found == expected);
    const auto last = latest_of(store, job);
    CHECK(last.has_value() == !expected.empty());
    if (last && !expected.empty()) { CHECK(*last == expected.back()); }
}

/// Names whose order by UTF-8 is not that by UTF-16 or by letters, nor that of a key that ends them.
inline const std::vector<std::string> hard_names{std::string{"\0", 1},
                                                 "\x01",
                                                 " ",
                                                 "\"\\",
                                                 "#",
                                                 "$",
                                                 "%_'",
                                                 "1",
                                                 "10",
                                                 "2",
                                                 "A",
                                                 "a",
                                                 "a#",
                                                 "a#1",
                                                 "a/b",
                                                 "aa",
                                                 "a\n",
                                                 "~",
                                                 "\x7f",
                                                 "\xc3\xa9",
                                                 "e\xcc\x81",
                                                 "\xef\xbf\xbd",
                                                 "\xf0\x9f\x8d\x80"};

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("a report comes back as it was put, whatever is in it", Fixture, laws_run_store_1) {
    using namespace std::chrono_literals;
    Fixture fixture;
    std::vector<freshet::run_report> expected;
    const auto keep = [&](auto change) {
        auto report = laws::full_run();
        report.started_at += 1h * expected.size();
        change(report);
        laws::put(fixture.store(), report);
        expected.push_back(std::move(report));
    };
    keep([](auto&) {});
    for (const auto state : {freshet::run_state::running, freshet::run_state::complete, freshet::run_state::failed}) {
        keep([&](auto& report) { report.state = state; });
    }
    keep([](auto& report) { report = laws::run_of(report.job, report.started_at); });
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    keep([&](auto& report) {
        report.listed = report.groups = report.worked = report.validated = report.updated = most;
    });
    keep([&](auto& report) { report.undecided = report.needs_review = report.conflicts = most; });
    keep([&](auto& report) { report.failed = report.dead_lettered = report.retries = most; });
    keep([](auto& report) { report.limit = freshet::duration::max(); });
    keep([](auto& report) { report.limit = -1us; });
    keep([](auto& report) { report.due = report.seen_at = *freshet::parse_rfc3339("1969-12-31T23:59:59.999999Z"); });
    keep([](auto& report) { report.due = report.seen_at = *freshet::parse_rfc3339("9999-12-31T23:59:59.999999Z"); });
    keep([](auto& report) { report.resume = std::string(100'000, 'r'); });
    keep([](auto& report) {
        report.why = "\xf0\x9f\x8d\x80 ";
        for (const auto& name : laws::hard_names) { report.why += name; }
    });
    laws::holds_runs(fixture.store(), "pending-labels", expected);
    laws::holds_runs(fixture.other(), "pending-labels", expected);
}

TEST_CASE_TEMPLATE_DEFINE("another put of the same job, start and run replaces the report, and no other one", Fixture,
                          laws_run_store_2) {
    using namespace std::chrono_literals;
    Fixture fixture;
    const auto first = laws::full_run();
    const auto neighbour = laws::run_of(first.job, first.started_at, first.run + "1");
    const auto later = laws::run_of(first.job, first.started_at + 1us, first.run);
    const auto namesake = laws::run_of(first.job + "2", first.started_at, first.run);
    for (const auto& each : {first, neighbour, later, namesake}) { laws::put(fixture.store(), each); }
    laws::holds_runs(fixture.store(), first.job, {first, neighbour, later});

    auto replaced = laws::run_of(first.job, first.started_at, first.run);
    replaced.state = freshet::run_state::complete;
    replaced.updated = 77;
    laws::put(fixture.other(), replaced);
    laws::holds_runs(fixture.store(), first.job, {replaced, neighbour, later});
    laws::put(fixture.store(), replaced);
    laws::holds_runs(fixture.store(), first.job, {replaced, neighbour, later});
    laws::holds_runs(fixture.other(), namesake.job, {namesake});
    laws::put(fixture.store(), first);
    laws::holds_runs(fixture.other(), first.job, {first, neighbour, later});
}

TEST_CASE_TEMPLATE_DEFINE("the runs of a range are those from its start on and before its end, ascending", Fixture,
                          laws_run_store_3) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const std::vector<freshet::duration> offsets{-24h, -1us, 0us, 1us, 999'999us, 1s, 24h * 91, 24h * 365 * 5'000};
    for (auto at = offsets.rbegin(); at != offsets.rend(); ++at) {
        laws::put(store, laws::run_of("job", laws::a_sunday + *at));
    }
    for (const auto start : offsets) {
        for (const auto end : offsets) {
            CAPTURE(start.count());
            CAPTURE(end.count());
            std::vector<freshet::run_report> expected;
            for (const auto at : offsets) {
                if (start <= at && at < end) { expected.push_back(laws::run_of("job", laws::a_sunday + at)); }
            }
            CHECK(laws::runs_in(store, "job", {laws::a_sunday + start, laws::a_sunday + end}) == expected);
        }
    }
    CHECK(laws::runs_in(store, "job").size() == offsets.size());
    CHECK(laws::runs_in(store, "job", {laws::a_sunday, freshet::time_point::max()}).size() == 6);
    CHECK(laws::runs_in(store, "job", {freshet::time_point::min(), laws::a_sunday}).size() == 2);
    CHECK(laws::latest_of(store, "job")->started_at == laws::a_sunday + offsets.back());
    CHECK(laws::runs_in(store, "job", {freshet::time_point::max(), freshet::time_point::min()}).empty());
    CHECK(laws::runs_in(store, "job", {freshet::time_point::min(), freshet::time_point::min()}).empty());
}

TEST_CASE_TEMPLATE_DEFINE("runs of one instant come in the order of their names' bytes, and the last is the latest",
                          Fixture, laws_run_store_4) {
    using namespace std::chrono_literals;
    Fixture fixture;
    std::vector<freshet::run_report> expected{laws::run_of("job", laws::a_sunday - 1us, "\xf4\x8f\xbf\xbf")};
    auto names = laws::hard_names;
    names.push_back(std::string(500, 'z'));
    for (const auto& name : names) { laws::put(fixture.store(), laws::run_of("job", laws::a_sunday, name)); }
    laws::put(fixture.store(), expected.front());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) { expected.push_back(laws::run_of("job", laws::a_sunday, name)); }
    laws::holds_runs(fixture.store(), "job", expected);
    CHECK(laws::latest_of(fixture.store(), "job")->run == "\xf0\x9f\x8d\x80");
    CHECK(laws::runs_in(fixture.store(), "job", {laws::a_sunday, laws::a_sunday + 1us}).size() == names.size());
    laws::put(fixture.store(), laws::run_of("job", laws::a_sunday + 1us, std::string{"\0", 1}));
    CHECK(laws::latest_of(fixture.store(), "job")->started_at == laws::a_sunday + 1us);
}

TEST_CASE_TEMPLATE_DEFINE(
    "the latest run is the one that began last, not the one that was told of last; none of a job "
    "that never ran",
    Fixture, laws_run_store_5) {
    using namespace std::chrono_literals;
    Fixture fixture;
    CHECK(!laws::latest_of(fixture.store(), "job"));
    CHECK(laws::runs_in(fixture.store(), "job").empty());
    const auto last = laws::run_of("job", laws::a_sunday, "a");
    laws::put(fixture.store(), last);
    auto old = laws::run_of("job", laws::a_sunday - 24h * 365 * 100, "b");
    old.seen_at = old.due = laws::a_sunday + 24h;
    laws::put(fixture.store(), old);
    CHECK(laws::latest_of(fixture.other(), "job") == last);
    CHECK(!laws::latest_of(fixture.store(), "jo"));
    CHECK(!laws::latest_of(fixture.store(), "job2"));
}

TEST_CASE_TEMPLATE_DEFINE("jobs do not see each other's reports, whatever their names have in common", Fixture,
                          laws_run_store_6) {
    using namespace std::chrono_literals;
    Fixture fixture;
    std::vector<std::string> jobs = laws::hard_names;
    jobs.insert(jobs.end(), {"job", "JOB", "JOB#", "JOB#job", "job#", "job ", "jobs", "jo", std::string(900, 'j')});
    std::uint64_t number = 0;
    for (const auto& job : jobs) {
        for (const auto after : {0s, 1s}) {
            auto report = laws::run_of(job, laws::a_sunday + after);
            report.listed = ++number;
            laws::put(fixture.store(), report);
        }
    }
    number = 0;
    for (const auto& job : jobs) {
        CAPTURE(job);
        auto first = laws::run_of(job, laws::a_sunday);
        auto second = laws::run_of(job, laws::a_sunday + 1s);
        first.listed = ++number;
        second.listed = ++number;
        laws::holds_runs(fixture.store(), job, {first, second});
    }
}

TEST_CASE_TEMPLATE_DEFINE("a job or a run that the store cannot keep is malformed, and nothing of it is stored",
                          Fixture, laws_run_store_7) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& store = fixture.store();
    const std::string bad_utf8[]{"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf"};
    const auto good = laws::full_run();
    laws::put(store, good);
    const auto is_refused_or_kept = [&](const freshet::run_report& odd, bool must_be_refused) {
        CAPTURE(odd.job.size());
        CAPTURE(odd.run.size());
        const auto outcome = store.put(odd);
        if (outcome.ok()) {
            CHECK(!must_be_refused);
            CHECK(laws::runs_in(store, odd.job, {odd.started_at, odd.started_at + 1us}) == std::vector{odd});
            return;
        }
        CHECK(outcome.why().code == freshet::errc::malformed);
        CHECK(!outcome.why().note.empty());
        CHECK(outcome.why().note.find('\n') == std::string::npos);
        const auto found = store.runs(odd.job, laws::always);
        const auto last = store.latest(odd.job);
        CHECK((!found.ok() ? found.why().code == freshet::errc::malformed
                           : *found == (odd.job == good.job ? std::vector{good} : std::vector<freshet::run_report>{})));
        CHECK((!last.ok() ? last.why().code == freshet::errc::malformed : last->has_value() == (odd.job == good.job)));
    };
    auto at = good.started_at;
    const auto with = [&](std::string job, std::string run) {
        auto odd = good;
        odd.job = std::move(job);
        odd.run = std::move(run);
        odd.started_at = at += 1s;
        return odd;
    };
    is_refused_or_kept(with("", "1"), true);
    is_refused_or_kept(with(good.job, ""), true);
    is_refused_or_kept(with("", ""), true);
    for (const auto& bad : bad_utf8) {
        is_refused_or_kept(with(bad, "1"), false);
        is_refused_or_kept(with(good.job, bad), false);
    }
    is_refused_or_kept(with(std::string(100'000, 'j'), "1"), false);
    is_refused_or_kept(with(good.job, std::string(100'000, 'r')), false);
    CHECK(laws::runs_in(store, good.job, {good.started_at, good.started_at + 1us}) == std::vector{good});
}

TEST_CASE_TEMPLATE_DEFINE("a report that is too large leaves the one that was there", Fixture, laws_run_store_8) {
    Fixture fixture;
    const auto good = laws::full_run();
    laws::put(fixture.store(), good);
    for (const bool in_why : {false, true}) {
        CAPTURE(in_why);
        auto large = good;
        (in_why ? large.why : large.resume) = std::string(500'000, 'x');
        const auto outcome = fixture.store().put(large);
        if (!outcome.ok()) { CHECK(outcome.why().code == freshet::errc::too_large); }
        laws::holds_runs(fixture.store(), good.job, {outcome.ok() ? large : good});
        laws::put(fixture.store(), good);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a job may have many runs, and any part of them can be read", Fixture, laws_run_store_9) {
    using namespace std::chrono_literals;
    Fixture fixture;
    constexpr int many = [] {
        if constexpr (requires { Fixture::many_runs; }) { return Fixture::many_runs; }
        return 500;
    }();
    for (int week = 0; week != many; ++week) {
        auto report = laws::run_of("job", laws::a_sunday + week * 24h * 7);
        report.why = std::string(1'000, 'w'); // so that they do not fit one answer of a service
        laws::put(fixture.store(), report);
    }
    CHECK(laws::runs_in(fixture.store(), "job").size() == static_cast<std::size_t>(many));
    const auto part = laws::runs_in(fixture.store(), "job",
                                    {laws::a_sunday + many / 3 * 24h * 7, laws::a_sunday + many / 2 * 24h * 7});
    CHECK(part.size() == static_cast<std::size_t>(many / 2 - many / 3));
    CHECK(laws::latest_of(fixture.store(), "job")->started_at == laws::a_sunday + (many - 1) * 24h * 7);
}

TEST_CASE_TEMPLATE_DEFINE("whatever is put in whichever order, the store answers as a list that is sorted", Fixture,
                          laws_run_store_10) {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t most) { return static_cast<std::size_t>(random() % most); };
    Fixture fixture;
    std::map<std::tuple<std::string, freshet::time_point, std::string>, freshet::run_report> model;
    const std::vector<std::string> jobs{"a", "a#", "ab"};
    const auto an_instant = [&] {
        return laws::a_sunday + freshet::duration{static_cast<std::int64_t>(below(20))} +
               std::chrono::hours{static_cast<int>(below(2))};
    };
    const auto listed = [&](const std::string& job, const freshet::time_range& range) {
        std::vector<freshet::run_report> found;
        for (const auto& [key, report] : model) {
            if (report.job == job && range.contains(report.started_at)) { found.push_back(report); }
        }
        return found;
    };
    for (auto step = support::cases(300); step > 0; --step) {
        auto& store = below(2) == 0 ? fixture.store() : fixture.other();
        const auto& job = jobs[below(jobs.size())];
        if (below(3) != 0) {
            auto report = laws::run_of(job, an_instant(), laws::hard_names[below(laws::hard_names.size())]);
            report.updated = random();
            laws::put(store, report);
            model.insert_or_assign({job, report.started_at, report.run}, report);
        } else {
            const freshet::time_range range{an_instant(), an_instant()};
            CHECK(laws::runs_in(store, job, range) == listed(job, range));
            const auto all = listed(job, laws::always);
            const auto last = laws::latest_of(store, job);
            CHECK(last == (all.empty() ? std::nullopt : std::optional{all.back()}));
        }
    }
    for (const auto& job : jobs) { laws::holds_runs(fixture.store(), job, listed(job, laws::always)); }
}

TEST_CASE_TEMPLATE_DEFINE("of threads that put reports of their own runs, all are there, each as it was put last",
                          Fixture, laws_run_store_11) {
    using namespace std::chrono_literals;
    Fixture fixture;
    constexpr int rounds = 20;
    const auto report_of = [](const std::string& run, int round, std::uint64_t updated) {
        auto report = laws::run_of("job", laws::a_sunday + round * 1us, run);
        report.updated = updated;
        return report;
    };
    const auto failures = [&](auto& store, const std::string& run) {
        int failed = 0;
        for (int round = 0; round != rounds; ++round) {
            for (const std::uint64_t updated : {1U, 2U}) {
                if (!store.put(report_of(run, round, updated)).ok()) { ++failed; }
            }
        }
        return failed;
    };
    if (&fixture.store() == &fixture.other()) { return; } // one object is one thread's
    int failed_there = 0;
    {
        const std::jthread there{[&] { failed_there = failures(fixture.other(), "b"); }};
        CHECK(failures(fixture.store(), "a") == 0);
    }
    CHECK(failed_there == 0);
    std::vector<freshet::run_report> expected;
    for (int round = 0; round != rounds; ++round) {
        for (const auto* run : {"a", "b"}) { expected.push_back(report_of(run, round, 2)); }
    }
    laws::holds_runs(fixture.store(), "job", expected);
    laws::holds_runs(fixture.other(), "job", expected);
}

/// Every law of `freshet::run_store`, on these fixtures.
///
/// A fixture is default constructible and then fresh and empty. It gives `store()`, and `other()`, which is another
/// object on the same data, that a thread of its own may use, or the same one. The store knows instants of the years
/// 1900 to 9999, names of UTF-8 of up to 900 bytes and texts of up to 100,000 bytes at least. Where 500 runs take it
/// too long, it says how `many_runs` do not.
#define FRESHET_RUN_STORE_LAWS(...)                            \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_run_store_11, __VA_ARGS__)
