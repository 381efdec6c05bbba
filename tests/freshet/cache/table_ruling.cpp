#include <freshet/cache/table_ruling.hpp>

#include <chrono>

#include <doctest/doctest.h>

#include <freshet/cache/refresh_policy.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::depends_on_sleepers;
using freshet::refresh_action;
using freshet::refresh_facts;
using freshet::refresh_reason;
using freshet::refresh_verdict;
using freshet::ruling_of;
using freshet::verdict_of;

constexpr freshet::time_point noon{12h};
constexpr refresh_facts nothing{.now = noon};
constexpr refresh_facts fresh{.now = noon, .loaded_at = noon};
constexpr refresh_facts invalid{.now = noon, .loaded_at = noon, .invalidated_by = refresh_reason::start_message};
constexpr refresh_facts off{.now = noon, .loaded_at = noon, .enabled = false};

constexpr auto with_sleepers(refresh_facts facts, bool sleepers) -> refresh_facts {
    facts.sleepers = sleepers;
    return facts;
}
constexpr auto verdict = [](const refresh_facts& facts) { return verdict_of(freshet::sleeping_aware{}, facts); };
constexpr auto ruling = [](const refresh_facts& facts) { return ruling_of(freshet::sleeping_aware{}, facts); };
constexpr auto uses_all = [](const refresh_facts&) {
    return refresh_verdict{refresh_action::use, refresh_reason::kept};
};

// What is not there is loaded, whatever a policy says.
static_assert(verdict_of(uses_all, nothing) == refresh_verdict{refresh_action::refresh, refresh_reason::never_loaded});
static_assert(verdict_of(uses_all, fresh).action == refresh_action::use);

// A scan helps where the policy uses what it brought.
static_assert(ruling(with_sleepers(nothing, true)).scan_helps);
static_assert(ruling(with_sleepers(invalid, true)).scan_helps);
static_assert(ruling(with_sleepers(fresh, true)).scan_helps);
static_assert(!ruling(with_sleepers(nothing, false)).scan_helps);
static_assert(!ruling(nothing).scan_helps);
static_assert(!ruling(off).scan_helps);
static_assert(!ruling_of(freshet::always{}, fresh).scan_helps);
static_assert(ruling_of(freshet::never{}, nothing).scan_helps);
static_assert(!ruling_of(freshet::every{0s}, nothing).scan_helps);

// Whether work sleeps matters where there is something that may be used; for a row, also where a scan may help.
static_assert(depends_on_sleepers(verdict, fresh));
static_assert(!depends_on_sleepers(verdict, nothing));
static_assert(!depends_on_sleepers(verdict, invalid));
static_assert(!depends_on_sleepers(verdict, off));
static_assert(depends_on_sleepers(ruling, nothing));
static_assert(depends_on_sleepers(ruling, invalid));
static_assert(!depends_on_sleepers(ruling, off));
static_assert(!depends_on_sleepers([](const refresh_facts& facts) { return freshet::every{}(facts); }, fresh));

} // namespace

TEST_CASE("the rules of table_ruling.hpp hold at compile time") {
    CHECK(ruling(with_sleepers(fresh, true)).scan_helps);
}
