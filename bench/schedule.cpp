// Asks cron expressions for their next instant: a schedule, and a search that looks at one minute after the other.
#include <freshet/job/schedule.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "ratios.hpp"

namespace {

using freshet::schedule;
using freshet::time_point;

/// Looks at every minute after `after` and before `end`, as a loop over the standard library's calendar does.
auto by_minutes(const schedule& when, time_point after, time_point end) -> std::optional<time_point> {
    using namespace std::chrono;
    const auto& times = when.times();
    for (auto at = floor<minutes>(after) + minutes{1}; at < end; at += minutes{1}) {
        const auto day = floor<days>(at);
        const auto minute = static_cast<unsigned>((at - day).count());
        if ((times.minutes >> minute % 60 & 1) == 0 || (times.hours >> minute / 60 & 1) == 0) { continue; }
        const year_month_day date{day};
        const auto month = static_cast<unsigned>(date.month());
        if ((times.months >> (month - 1) & 1) == 0) { continue; }
        if (!times.years.has(static_cast<std::size_t>(static_cast<int>(date.year()) - 1970))) { continue; }
        const sys_days first{date.year() / date.month() / 1};
        const sys_days last{date.year() / date.month() / std::chrono::last};
        const freshet::detail::calendar_month of{static_cast<std::uint32_t>(first.time_since_epoch().count()),
                                                 static_cast<std::uint32_t>((last - first).count()) + 1};
        if ((freshet::detail::days_in(times.days, of) >> (static_cast<unsigned>(date.day()) - 1) & 1) != 0) {
            return at;
        }
    }
    return std::nullopt;
}

/// Expressions as rules have them: every few minutes, at some hours, on weekdays, dates and weekdays of months.
class expressions {
public:
    auto make() -> std::string {
        return "cron(" + minute() + " " + hour() + " " + days() + " " + (below(10) == 0 ? "2030-2199" : "*") + ")";
    }
    auto instant() -> time_point { // in 2000 to 2029
        return time_point{std::chrono::seconds{946'684'800 + below(30 * 365 * 86'400)}};
    }

private:
    auto below(int n) -> int { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    auto number(int low, int high) -> std::string { return std::to_string(low + below(high - low + 1)); }
    auto minute() -> std::string {
        switch (below(4)) {
            case 0: return "0";
            case 1: return "*/" + number(1, 30);
            case 2: return number(0, 29) + "," + number(30, 59);
            default: return number(0, 59);
        }
    }
    auto hour() -> std::string {
        switch (below(4)) {
            case 0: return "*";
            case 1: return number(0, 12) + "-" + number(13, 23);
            case 2: return "*/" + number(1, 12);
            default: return number(0, 23);
        }
    }
    auto month() -> std::string {
        switch (below(4)) {
            case 0: return "*/3";
            case 1: return number(1, 12);
            default: return "*";
        }
    }
    auto days() -> std::string {
        switch (below(10)) {
            case 0: return number(1, 28) + " " + month() + " ?";
            case 1: return number(1, 15) + "," + number(16, 31) + " " + month() + " ?";
            case 2: return "L " + month() + " ?";
            case 3: return number(1, 31) + "W * ?";
            case 4: return "? " + month() + " " + number(1, 7);
            case 5: return "? * MON-FRI";
            case 6: return "? " + month() + " " + number(1, 7) + "#" + number(1, 5);
            case 7: return "? * " + number(1, 7) + "L";
            default: return "* " + month() + " ?";
        }
    }

    std::mt19937_64 random_{11};
};

struct question {
    schedule when;
    time_point after;
};

} // namespace

auto main(int argc, char** argv) -> int {
    expressions make;
    std::vector<std::string> texts;
    std::vector<question> questions;
    while (questions.size() < 1'000'000) {
        const auto text = make.make();
        const auto read = schedule::parse(text);
        if (!read) {
            std::fprintf(stderr, "%s is refused\n", text.c_str());
            return 1;
        }
        questions.push_back({*read, make.instant()});
        if (texts.size() < 1024) { texts.push_back(text); }
    }
    const auto ask = [](const std::vector<question>& of, auto use) -> std::function<void()> {
        return [&of, use] {
            for (const auto& each : of) { benchmark::DoNotOptimize(use(each)); }
        };
    };
    const auto next = [](const question& q) { return q.when.next(q.after); };
    const auto previous = [](const question& q) { return q.when.previous(q.after); };
    freshet_bench::race("a million expressions",
                        {{"next", ask(questions, next), {.nanoseconds = 200}},
                         {"previous", ask(questions, previous), {.nanoseconds = 200}}},
                        questions.size());

    // Those that fire within a year, so that the search ends.
    std::vector<question> soon;
    for (std::size_t i = 0; soon.size() < 100; ++i) {
        const auto found = next(questions[i]);
        if (found && *found - questions[i].after < std::chrono::hours{24 * 365}) { soon.push_back(questions[i]); }
    }
    const auto search = [](const question& q) { return by_minutes(q.when, q.after, time_point::max()); };
    for (const auto& each : soon) {
        if (next(each) != search(each)) {
            std::fprintf(stderr, "the contenders differ\n");
            return 1;
        }
    }
    freshet_bench::race("next fire within a year",
                        {{"schedule", ask(soon, next)}, {"minute by minute", ask(soon, search)}}, soon.size());

    // As long as it can take: every month of the 230 years is looked at that might have such a day.
    std::vector<freshet_bench::contender> never;
    for (const std::string text : {"cron(0 0 30 2 ? *)", "cron(0 0 31 2,4,6,9,11 ? *)", "cron(0 0 31W 2,4,6,9,11 ? *)",
                                   "cron(0 0 ? 2 1#5 2001-2003)"}) {
        const auto when = schedule::parse(text).value();
        if (when.next(time_point{}) || when.previous(time_point::max())) {
            std::fprintf(stderr, "%s fires\n", text.c_str());
            return 1;
        }
        never.push_back(
            {text + " next", [when] { benchmark::DoNotOptimize(when.next(time_point{})); }, {.nanoseconds = 50'000}});
        never.push_back({text + " previous",
                         [when] { benchmark::DoNotOptimize(when.previous(time_point::max())); },
                         {.nanoseconds = 50'000}});
    }
    freshet_bench::race("expressions that never fire", never);

    freshet_bench::race("reading",
                        {{"schedule::parse",
                          [&texts] {
                              for (const auto& text : texts) { benchmark::DoNotOptimize(schedule::parse(text)); }
                          }}},
                        texts.size());
    return freshet_bench::run_races(argc, argv);
}
