#include <freshet/cache/freshness.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string_view>

#include <doctest/doctest.h>

#include "../../support/cases.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::age_of;
using freshet::duration;
using freshet::entry_times;
using freshet::expiry_options;
using freshet::freshness;
using freshet::judge;
using freshet::time_point;
using freshet::times_after_access;
using freshet::times_of;

constexpr time_point start{24h * 20'000};
constexpr auto first = time_point::min();
constexpr auto last = time_point::max();
constexpr auto forever = duration::max();

/// A verdict in one letter: fresh, due (and fresh), revalidated, covering, nothing.
constexpr auto word(const freshness& good) -> char {
    if (good.fresh) { return !good.may_revalidate || !good.may_cover ? '!' : good.due ? 'd' : 'f'; }
    if (!good.due && good.may_cover) { return '!'; }
    return good.may_revalidate ? (good.may_cover ? 'r' : '!') : good.may_cover ? 'c' : 'n';
}
constexpr auto after(const expiry_options& options, duration age, double draw = 0) -> char {
    return word(judge(times_of(start, options.ttl, start, options), start + age, options, draw));
}

// --- expire after write: gone from the very instant on
constexpr expiry_options plain{.ttl = 6min};
static_assert(times_of(start, 6min, start, plain) == entry_times{start, start + 6min, start + 6min});
static_assert(after(plain, 0s) == 'f');
static_assert(after(plain, 6min - 1us) == 'f');
static_assert(after(plain, 6min) == 'n');
static_assert(after(plain, forever / 2) == 'n');

// --- soft and hard times one after the other
constexpr expiry_options layered{
    .ttl = 10min, .refresh_ahead = 0.5, .stale_while_revalidate = 2min, .stale_if_error = 1h};
static_assert(times_of(start, 10min, start, layered).keep_until == start + 70min);
static_assert(after(layered, 5min - 1us) == 'f');
static_assert(after(layered, 5min) == 'd');
static_assert(after(layered, 10min - 1us) == 'd');
static_assert(after(layered, 10min) == 'r');
static_assert(after(layered, 12min - 1us) == 'r');
static_assert(after(layered, 12min) == 'c');
static_assert(after(layered, 70min - 1us) == 'c');
static_assert(after(layered, 70min) == 'n');

// --- the longer of the stale times is the hard one, negative ones are none
static_assert(times_of(start, 1min, start, {.stale_while_revalidate = 3min, .stale_if_error = 2min}).keep_until ==
              start + 4min);
static_assert(times_of(start, 1min, start, {.stale_while_revalidate = -3min, .stale_if_error = -2min}).keep_until ==
              start + 1min);
static_assert(after({.ttl = 1min, .stale_while_revalidate = 3min, .stale_if_error = 2min}, 4min - 1us) == 'r');

// --- an entry has the fresh time that it was given, not the cache's
static_assert(word(judge(times_of(start, 1s, start, layered), start + 500ms, layered, 0)) == 'd');
static_assert(word(judge(times_of(start, 1s, start, layered), start + 1s, layered, 0)) == 'r');

// --- refresh ahead beyond both ends
static_assert(after({.ttl = 1min, .refresh_ahead = 1}, 1min - 1us) == 'f');
static_assert(after({.ttl = 1min, .refresh_ahead = 7}, 1min - 1us) == 'f');
static_assert(after({.ttl = 1min, .refresh_ahead = 1e-300}, 0s) == 'd');
static_assert(after({.ttl = 1min, .refresh_ahead = -1}, 1min - 1us) == 'f');

// --- jitter moves the soft times together, and never the hard one
constexpr expiry_options jittery{.ttl = 100s, .refresh_ahead = 0.5, .jitter = 0.2, .stale_while_revalidate = 15s};
static_assert(after(jittery, 50s, 0) == 'd');
static_assert(after(jittery, 60s - 1us, 0.5) == 'f');
static_assert(after(jittery, 60s, 0.5) == 'd');
static_assert(after(jittery, 110s - 1us, 0.5) == 'd');
static_assert(after(jittery, 110s, 0.5) == 'r');
static_assert(after(jittery, 115s - 1us, 0.99) == 'd', "as long as it is kept");
static_assert(after(jittery, 115s, 0.99) == 'n', "and not longer");
static_assert(after({.ttl = 100s, .jitter = 0.2}, 100s, 0.99) == 'n');
static_assert(after({.ttl = 100s, .jitter = -5.0, .stale_if_error = 1s}, 100s, 0.99) == 'c');
static_assert(after({.ttl = 100s, .jitter = 1e300, .stale_if_error = 1s}, 101s - 1us, 0.99) == 'f');
static_assert(after({.ttl = 100s, .jitter = 1e300, .stale_if_error = 1s}, 101s, 0.99) == 'n');

// --- idle: a use moves the end on, never beyond the hard time
constexpr expiry_options lazy{.ttl = 10min, .idle = 1min, .stale_if_error = 5min};
constexpr auto unused = times_of(start, 10min, start, lazy);
static_assert(unused == entry_times{start, start + 10min, start + 1min});
static_assert(times_after_access(unused, start + 30s, lazy) == entry_times{start, start + 10min, start + 90s});
static_assert(times_after_access(unused, start + 14min, lazy).keep_until == start + 15min);
static_assert(times_after_access(unused, start + 14min + 1us, lazy).keep_until == start + 15min);
static_assert(times_after_access(unused, last, lazy).keep_until == start + 15min);
static_assert(times_of(start, 10min, start + 20s, lazy).keep_until == start + 80s, "the load's time is no idleness");
static_assert(word(judge(unused, start + 1min - 1us, lazy, 0)) == 'f');
static_assert(word(judge(unused, start + 1min, lazy, 0)) == 'n');
static_assert(times_after_access(unused, start + 30s, plain) == unused, "without idle nothing moves");
static_assert(times_after_access(times_of(start, 1s, start, lazy), start, lazy).fresh_until == start + 1s);

// --- what is over when it begins is good for nothing, whatever the clock says
constexpr entry_times over{start, start, start};
static_assert(word(judge(over, start - 1us, layered, 0)) == 'n');
static_assert(word(judge(over, start, layered, 0)) == 'n');
static_assert(word(judge({start, start - 1us, start + 1h}, start, layered, 0)) == 'n');

// --- steps of the clock: an hour on it is over; set back, it lives at most twice as long
static_assert(after(plain, 1h) == 'n');
static_assert(after(plain, -6min) == 'f');
static_assert(after(plain, -6min - 1us) == 'n');
static_assert(after(plain, -1h) == 'n');
static_assert(after({.ttl = 2h}, -1h) == 'f');
static_assert(age_of(start, start - 1h) == 0us);
static_assert(age_of(start, start) == 0us);
static_assert(age_of(start, start + 1us) == 1us);

// --- both ends of the time scale
static_assert(age_of(first, last) == forever);
static_assert(age_of(last, first) == 0us);
static_assert(times_of(last - 1us, 1h, last - 1us, layered) == entry_times{last - 1us, last, last});
static_assert(times_of(start, forever, start, {.stale_if_error = forever}) == entry_times{start, last, last});
static_assert(times_of(first, forever, first, {.stale_if_error = forever}).keep_until == last - 1us);
static_assert(times_of(first, duration::min(), first, plain).fresh_until == first);
static_assert(word(judge(times_of(start, forever, start, plain), last - 1us, plain, 0)) == 'f');
static_assert(word(judge({first, last, last}, last - 1us, layered, 0)) == 'd');
static_assert(word(judge({first, last, last}, first, layered, 0)) == 'f');
static_assert(word(judge({last, last, last}, first, layered, 0)) == 'n');
static_assert(word(judge({last - 1us, last, last}, first, layered, 0)) == 'n');
static_assert(times_after_access({first, last, last}, last, {.idle = 1h}) == entry_times{first, last, last});
static_assert(word(judge({first, first + 1us, last}, last - 1us, {.stale_while_revalidate = forever}, 1)) == 'n',
              "staleness that no duration can tell is too long");

} // namespace

TEST_CASE("a part that is no number moves nothing") {
    for (const auto part : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
        const expiry_options odd{.ttl = 100s, .refresh_ahead = part, .jitter = part, .stale_if_error = 1s};
        CHECK(after(odd, 100s - 1us, 0.5) == 'f');
        CHECK(after(odd, 100s, 0.5) == 'c');
    }
    const expiry_options endless{.ttl = 100s, .jitter = std::numeric_limits<double>::infinity(), .stale_if_error = 1s};
    CHECK(after(endless, 100s, 0) == 'c');
    CHECK(after(endless, 100s, 0.5) == 'f');
}

TEST_CASE("whatever the options, the times and the clock, fresh comes before stale, and nothing after the end") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto span = [&] {
        const auto scale = std::uint64_t{1} << random() % 63;
        const duration positive{static_cast<duration::rep>(random() % scale)};
        return random() % 16 == 0 ? -positive : positive;
    };
    const auto part = [&] { return static_cast<double>(random() % 1'000) / 800.0 - 0.05; };
    for (std::size_t n = 0; n < support::cases(4'000); ++n) {
        CAPTURE(n);
        const expiry_options options{.ttl = span(),
                                     .idle = random() % 3 == 0 ? span() : 0us,
                                     .refresh_ahead = part(),
                                     .jitter = part(),
                                     .stale_while_revalidate = span(),
                                     .stale_if_error = span()};
        const time_point loaded_at{span()};
        const auto draw = static_cast<double>(random() % 1'000) / 1'000.0;
        const auto times = times_of(loaded_at, options.ttl, loaded_at, options);
        const auto touched = times_after_access(times, freshet::detail::later_by(loaded_at, span()), options);
        const auto hard = times_of(loaded_at, options.ttl, loaded_at,
                                   [&] {
                                       auto without = options;
                                       without.idle = 0us;
                                       return without;
                                   }())
                              .keep_until;
        CHECK(times.keep_until <= hard);
        CHECK(touched.keep_until <= std::max(hard, times.keep_until));
        CHECK(touched.fresh_until == times.fresh_until);
        char before = 'f';
        auto now = loaded_at;
        for (int step = 0; step < 12; ++step) {
            const auto good = judge(times, now, options, draw);
            const auto letter = word(good);
            CHECK(letter != '!');
            CHECK(std::string_view{"fdrcn"}.find(letter) >= std::string_view{"fdrcn"}.find(before));
            CHECK((letter == 'n') == !good.may_cover);
            if (now >= times.keep_until) {
                CHECK(letter == 'n');
            } else if (now < times.fresh_until && options.ttl > 0us) {
                CHECK(good.fresh);
            }
            before = letter;
            now = freshet::detail::later_by(now, std::max(0us, span()));
        }
    }
}
