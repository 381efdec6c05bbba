#include <freshet/job/zoned_schedule.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <date/tz.h>
#include <doctest/doctest.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/schedule.hpp>
#include <support/cases.hpp>

namespace {

using freshet::schedule;
using freshet::time_point;
using freshet::zoned_schedule;
using namespace std::chrono_literals;

auto instant(std::string_view text) -> time_point { return freshet::parse_rfc3339(text).value(); }
auto in(const char* zone, std::string_view text) -> zoned_schedule {
    return {schedule::parse(text).value(), date::locate_zone(zone)};
}

/// The instants from `start` on and before `end` that `between` has and that `previous` walks back through.
auto fires(const zoned_schedule& when, std::string_view start, std::string_view end) -> std::vector<time_point> {
    std::vector<time_point> forth;
    for (const auto at : when.between({instant(start), instant(end)})) { forth.push_back(at); }
    std::vector<time_point> back;
    for (auto at = when.previous(instant(end)); at && *at >= instant(start); at = when.previous(*at)) {
        back.insert(back.begin(), *at);
    }
    CHECK(forth == back);
    return forth;
}
auto instants(std::initializer_list<std::string_view> texts) -> std::vector<time_point> {
    std::vector<time_point> found;
    for (const auto text : texts) { found.push_back(instant(text)); }
    return found;
}

} // namespace

TEST_SUITE("zoned_schedule") {
    TEST_CASE("2:00 in New York is 7:00 UTC in winter and 6:00 UTC in summer") {
        const auto weekly = in("America/New_York", "cron(0 2 ? * WED *)");
        CHECK(weekly.next(instant("2024-01-01T00:00:00Z")) == instant("2024-01-03T07:00:00Z"));
        CHECK(weekly.next(instant("2024-07-01T00:00:00Z")) == instant("2024-07-03T06:00:00Z"));
    }

    TEST_CASE("a local time that spring skips does not fire") { // 2024-03-10 has no 2:00 to 3:00
        CHECK(fires(in("America/New_York", "cron(30 2 * * ? *)"), "2024-03-09T00:00:00Z", "2024-03-12T00:00:00Z") ==
              instants({"2024-03-09T07:30:00Z", "2024-03-11T06:30:00Z"}));
        CHECK(fires(in("America/New_York", "cron(0/30 1-3 10 3 ? 2024)"), "2024-01-01T00:00:00Z",
                    "2025-01-01T00:00:00Z") == instants({"2024-03-10T06:00:00Z", "2024-03-10T06:30:00Z",
                                                         "2024-03-10T07:00:00Z", "2024-03-10T07:30:00Z"}));
    }

    TEST_CASE("a local time that autumn has twice fires once, the first time") { // 2024-11-03 1:00 to 2:00
        const auto half_past = in("America/New_York", "cron(30 1 * * ? *)");
        CHECK(fires(half_past, "2024-11-03T00:00:00Z", "2024-11-05T00:00:00Z") ==
              instants({"2024-11-03T05:30:00Z", "2024-11-04T06:30:00Z"}));
        CHECK(half_past.next(instant("2024-11-03T05:30:00Z")) == instant("2024-11-04T06:30:00Z"));
        CHECK(half_past.next(instant("2024-11-03T06:00:00Z")) == instant("2024-11-04T06:30:00Z")); // the second 1:00
        CHECK(half_past.next(instant("2024-11-03T06:30:00Z")) == instant("2024-11-04T06:30:00Z"));
        CHECK(half_past.previous(instant("2024-11-03T06:00:00Z")) == instant("2024-11-03T05:30:00Z"));
        CHECK(half_past.previous(instant("2024-11-03T06:30:00Z")) == instant("2024-11-03T05:30:00Z"));
        CHECK(fires(in("America/New_York", "cron(0/30 1-2 3 11 ? 2024)"), "2024-01-01T00:00:00Z",
                    "2025-01-01T00:00:00Z") == instants({"2024-11-03T05:00:00Z", "2024-11-03T05:30:00Z",
                                                         "2024-11-03T07:00:00Z", "2024-11-03T07:30:00Z"}));
    }

    TEST_CASE("a time that exists on no day of its zone fires never") { // the second Sunday of March, 2007 to 2037
        const auto never = in("America/New_York", "cron(30 2 ? 3 1#2 2007-2037)");
        CHECK(never.next(time_point::min()) == std::nullopt);
        CHECK(never.previous(time_point::max()) == std::nullopt);
    }

    TEST_CASE("a zone that skips a whole day skips what fires on it") { // Samoa had no 2011-12-30
        CHECK(fires(in("Pacific/Apia", "cron(0 12 * * ? *)"), "2011-12-29T00:00:00Z", "2011-12-31T12:00:00Z") ==
              instants({"2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"}));
    }

    TEST_CASE("an at is a local time: in the gap it never fires, in the overlap once") {
        const auto at = [](const char* text) {
            return fires(in("America/New_York", text), "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
        };
        CHECK(at("at(2024-07-01T02:00:00)") == instants({"2024-07-01T06:00:00Z"}));
        CHECK(at("at(2024-03-10T02:30:00)").empty());
        CHECK(at("at(2024-11-03T01:30:00)") == instants({"2024-11-03T05:30:00Z"}));
    }

    TEST_CASE("a zone whose summers are known has changes ahead, and one that changes no more has none") {
        const auto* daily = "cron(0 2 * * ? *)";
        const auto new_york = in("America/New_York", daily);
        CHECK(new_york.knows_a_change_after(instant("2024-01-01T00:00:00Z")));
        CHECK(new_york.knows_a_change_after(instant("2036-01-01T00:00:00Z")));
        CHECK(!in("Asia/Tokyo", daily).knows_a_change_after(instant("2024-01-01T00:00:00Z")));
        CHECK(in("Asia/Tokyo", daily).knows_a_change_after(instant("1950-01-01T00:00:00Z")));
        CHECK(!in("Etc/UTC", daily).knows_a_change_after(instant("1970-01-01T00:00:00Z")));
        CHECK(!new_york.knows_a_change_after(instant("2200-01-01T05:00:00Z")));
    }

    TEST_CASE("a rate has no zone") {
        const auto twelve = in("America/New_York", "rate(12 hours)");
        CHECK(twelve.next(instant("2024-03-10T00:00:00Z")) == instant("2024-03-10T12:00:00Z"));
        CHECK(twelve.next(instant("2024-03-10T12:00:00Z")) == instant("2024-03-11T00:00:00Z"));
        CHECK(twelve.previous(instant("2024-03-10T12:00:00Z")) == instant("2024-03-10T00:00:00Z"));
    }

    TEST_CASE("the ends of time are asked without overflow, and the ends of 1970 to 2199 are local ones") {
        const auto every = "cron(* * * * ? *)";
        CHECK(in("Asia/Tokyo", every).next(time_point::min()) == instant("1969-12-31T15:00:00Z"));
        CHECK(in("Asia/Tokyo", every).previous(time_point::max()) == instant("2199-12-31T14:59:00Z"));
        CHECK(in("America/New_York", every).next(time_point::min()) == instant("1970-01-01T05:00:00Z"));
        CHECK(in("America/New_York", every).previous(time_point::max()) == instant("2200-01-01T04:59:00Z"));
        CHECK(in("Asia/Tokyo", every).next(time_point::max()) == std::nullopt);
        CHECK(in("Asia/Tokyo", every).previous(time_point::min()) == std::nullopt);
    }

    TEST_CASE("next and previous are what a search of every minute finds around the changes of several zones") {
        const auto seed = support::seed();
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        const auto below = [&random](unsigned n) { return static_cast<unsigned>(random() % n); };
        struct change {
            const char* zone;
            const char* day_before; // in UTC
        };
        constexpr change changes[] = {
            {"America/New_York", "2024-03-09T12:00:00Z"},    {"America/New_York", "2024-11-02T12:00:00Z"},
            {"Europe/Berlin", "2024-03-30T12:00:00Z"},       {"Europe/Berlin", "2024-10-26T12:00:00Z"},
            {"Australia/Lord_Howe", "2024-04-05T22:00:00Z"}, // half an hour
            {"Australia/Lord_Howe", "2024-10-04T22:00:00Z"}, {"Asia/Kathmandu", "2024-10-04T22:00:00Z"},
        };
        for (const auto& each : changes) {
            const std::string zone_name = each.zone;
            const auto* zone = date::locate_zone(zone_name);
            const auto start = instant(each.day_before);
            const auto end = start + 30h;
            // what its clocks show, minute by minute, the first time
            std::vector<std::pair<time_point, time_point>> clock;
            std::set<time_point> shown;
            for (auto at = start - 2h; at < end; at += 1min) {
                const auto local = at + zone->get_info(std::chrono::floor<std::chrono::seconds>(at)).offset;
                if (shown.insert(local).second) { clock.emplace_back(at, local); }
            }
            for (auto left = support::cases(10); left > 0; --left) {
                const auto text = "cron(" + std::to_string(below(60)) + "/" + std::to_string(1 + below(59)) + " " +
                                  std::to_string(below(4)) + "/" + std::to_string(1 + below(3)) + " * * ? *)";
                CAPTURE(zone_name);
                CAPTURE(text);
                const auto local_plan = schedule::parse(text).value();
                const zoned_schedule when{local_plan, zone};
                std::vector<time_point> expected;
                for (const auto& [at, local] : clock) {
                    if (at >= start && local_plan.next(local - 1us) == local) { expected.push_back(at); }
                }
                std::vector<time_point> found;
                for (const auto at : when.between({start, end})) { found.push_back(at); }
                REQUIRE(found == expected);
                for (auto at = start; at < end; at += 7min) {
                    auto next = std::upper_bound(expected.begin(), expected.end(), at);
                    if (next != expected.end()) { REQUIRE(when.next(at) == *next); }
                    const auto from = std::lower_bound(expected.begin(), expected.end(), at);
                    if (from != expected.begin()) { REQUIRE(when.previous(at) == *(from - 1)); }
                }
            }
        }
    }
}
