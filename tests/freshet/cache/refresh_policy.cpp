#include <freshet/cache/refresh_policy.hpp>

#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::refresh_action;
using freshet::refresh_facts;
using freshet::refresh_reason;
using freshet::refresh_verdict;
using freshet::time_point;

constexpr time_point noon{12h};

// Loaded `age` ago, and nothing else is the matter.
constexpr auto aged(freshet::duration age, std::optional<bool> sleepers = true) -> refresh_facts {
    return {.now = noon, .loaded_at = noon - age, .sleepers = sleepers};
}
constexpr auto use(refresh_reason why) -> refresh_verdict { return {refresh_action::use, why}; }
constexpr auto refresh(refresh_reason why) -> refresh_verdict { return {refresh_action::refresh, why}; }
constexpr refresh_verdict disabled{refresh_action::bypass, refresh_reason::disabled};

// The three rules of a cache that knows of sleeping work.
constexpr freshet::sleeping_aware sleeping{};
static_assert(sleeping(aged(0s)) == use(refresh_reason::within_interval));
static_assert(sleeping(aged(600s - 1us)) == use(refresh_reason::within_interval));
static_assert(sleeping(aged(600s)) == refresh(refresh_reason::interval_elapsed));
static_assert(sleeping(aged(0s, false)) == refresh(refresh_reason::no_sleepers));
static_assert(sleeping(aged(0s, std::nullopt)) == refresh(refresh_reason::probe_failed));
static_assert(
    sleeping({.now = noon, .loaded_at = noon, .invalidated_by = refresh_reason::start_message, .sleepers = true}) ==
    refresh(refresh_reason::start_message));
static_assert(sleeping({.now = noon, .sleepers = true}) == refresh(refresh_reason::never_loaded));
static_assert(sleeping({.now = noon, .loaded_at = noon, .sleepers = true, .enabled = false}) == disabled);
static_assert(freshet::sleeping_aware{5s}(aged(5s)) == refresh(refresh_reason::interval_elapsed));

// A table's own interval goes before the policy's.
static_assert(sleeping({.now = noon, .loaded_at = noon - 60s, .interval = 60s, .sleepers = true}) ==
              refresh(refresh_reason::interval_elapsed));
static_assert(sleeping({.now = noon, .loaded_at = noon - 1h, .interval = 2h, .sleepers = true}) ==
              use(refresh_reason::within_interval));

// What is forced is forced in every policy, and in this order.
template <class Policy>
constexpr auto obeys(const Policy& policy) -> bool {
    return policy({.now = noon}) == refresh(refresh_reason::never_loaded) &&
           policy({.now = noon, .invalidated_by = refresh_reason::stream_gap}) ==
               refresh(refresh_reason::never_loaded) &&
           policy({.now = noon, .loaded_at = noon, .invalidated_by = refresh_reason::stream_gap}) ==
               refresh(refresh_reason::stream_gap) &&
           policy({.now = noon, .enabled = false}) == disabled;
}
static_assert(obeys(sleeping));
static_assert(obeys(freshet::every{}));
static_assert(obeys(freshet::always{}));
static_assert(obeys(freshet::never{}));
static_assert(obeys(freshet::any_of{freshet::never{}, sleeping}));
static_assert(obeys(freshet::all_of{freshet::never{}, freshet::always{}}));

static_assert(freshet::every{1min}(aged(59s, std::nullopt)) == use(refresh_reason::within_interval));
static_assert(freshet::every{1min}(aged(-1us)) == refresh(refresh_reason::clock_stepped));
static_assert(freshet::every{0s}(aged(0s)) == refresh(refresh_reason::interval_elapsed));
static_assert(freshet::every{-1s}(aged(0s)) == refresh(refresh_reason::interval_elapsed));
static_assert(freshet::every{freshet::duration::max()}({.now = time_point::max(), .loaded_at = time_point::min()}) ==
              refresh(refresh_reason::interval_elapsed));
static_assert(freshet::always{}(aged(0s)) == refresh(refresh_reason::always));
static_assert(freshet::never{}(aged(24h * 365)) == use(refresh_reason::kept));

// The furthest verdict of any_of and the nearest of all_of, of equal ones the first.
constexpr auto only_by_night = freshet::when{[](const refresh_facts& facts) { return facts.now < time_point{6h}; },
                                             freshet::always{}, freshet::never{}};
static_assert(only_by_night(aged(1s)) == use(refresh_reason::kept));
static_assert(only_by_night({.now = time_point{5h}, .loaded_at = time_point{5h}}) == refresh(refresh_reason::always));
static_assert(freshet::any_of{freshet::never{}, freshet::every{1h}, freshet::always{}}(aged(2h)) ==
              refresh(refresh_reason::interval_elapsed));
static_assert(freshet::any_of{freshet::every{1h}, freshet::never{}}(aged(1s)) == use(refresh_reason::within_interval));
static_assert(freshet::all_of{freshet::always{}, freshet::every{1h}}(aged(1s)) == use(refresh_reason::within_interval));
static_assert(freshet::all_of{freshet::always{}, freshet::every{1h}}(aged(1h)) == refresh(refresh_reason::always));
constexpr auto bypassing = [](const refresh_facts&) { return disabled; };
static_assert(freshet::any_of{freshet::always{}, bypassing}(aged(0s)) == disabled);
static_assert(freshet::all_of{bypassing, freshet::always{}}(aged(0s)) == refresh(refresh_reason::always));

static_assert(*freshet::parse_interval_seconds("600") == 600s);
static_assert(*freshet::parse_interval_seconds("0001") == 1s);
static_assert(*freshet::parse_interval_seconds("3155695200") == std::chrono::years{100});

} // namespace

TEST_CASE("an interval that is none is refused where it goes wrong") {
    const auto offset = [](std::string_view text) { return freshet::parse_interval_seconds(text).fault().offset; };
    CHECK(offset("") == 0);
    CHECK(offset("0") == 0);
    CHECK(offset("000") == 0);
    CHECK(offset("-1") == 0);
    CHECK(offset("1 ") == 1);
    CHECK(offset("10m") == 2);
    CHECK(offset("1.5") == 1);
    CHECK(offset("3155695201") == 9);
    CHECK(offset("99999999999999999999999999") == 9);
}

TEST_CASE("every reason and every action has a name of its own") {
    CHECK(name_of(refresh_action::use) == "use");
    CHECK(name_of(refresh_action::refresh) == "refresh");
    CHECK(name_of(refresh_action::bypass) == "bypass");
    std::string names;
    for (auto reason = 0; reason <= static_cast<int>(refresh_reason::disabled); ++reason) {
        const auto name = std::string{name_of(static_cast<refresh_reason>(reason))};
        CHECK(name != "unknown");
        CHECK(names.find(' ' + name + ' ') == std::string::npos);
        names += ' ' + name + ' ';
    }
}
