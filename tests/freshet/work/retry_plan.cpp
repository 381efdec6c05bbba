#include <freshet/work/retry_plan.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include <freshet/work/random_source.hpp>
#include <support/cases.hpp>

namespace {

using freshet::duration;
using freshet::errc;
using freshet::retry_options;
using freshet::retry_plan;
using freshet::retry_verdict;
using namespace std::chrono_literals;

constexpr auto most = std::numeric_limits<std::uint64_t>::max();
constexpr auto forever = std::numeric_limits<unsigned>::max();
constexpr retry_plan usual;

constexpr auto with_retries(unsigned retries) -> retry_plan {
    retry_options options;
    options.retries = retries;
    return retry_plan{options};
}

} // namespace

static_assert(usual.options().retries == 3 && usual.options().cap == 20s);

TEST_CASE("only what another try can help is tried again") {
    for (const auto code : {errc::unavailable, errc::throttled}) { CHECK(usual.verdict(code, 1, 0).again); }
    for (const auto code : {errc::too_large, errc::conflict, errc::malformed, errc::denied, errc::expired,
                            errc::failed}) {
        CAPTURE(name_of(code));
        CHECK(usual.verdict(code, 1, 0) == retry_verdict::give_up());
    }
    constexpr retry_plan stubborn{{.retry_failed = true}};
    static_assert(stubborn.verdict(errc::failed, 1, 0).again);
    static_assert(!stubborn.verdict(errc::malformed, 1, 0).again);
}

TEST_CASE("three retries are four attempts") {
    static_assert(usual.verdict(errc::unavailable, 3, 0).again);
    static_assert(!usual.verdict(errc::unavailable, 4, 0).again);
    static_assert(!with_retries(0).verdict(errc::unavailable, 1, 0).again);
    static_assert(with_retries(forever).verdict(errc::unavailable, forever, 0).again);
}

TEST_CASE("the longest wait doubles from its base up to the cap") {
    struct row {
        errc code;
        unsigned attempts;
        duration longest;
    };
    constexpr row rows[]{
        {errc::unavailable, 0, 100ms},      {errc::unavailable, 1, 100ms}, {errc::unavailable, 2, 200ms},
        {errc::unavailable, 3, 400ms},      {errc::unavailable, 8, 12'800ms}, {errc::unavailable, 9, 20s},
        {errc::unavailable, 63, 20s},       {errc::unavailable, 64, 20s},  {errc::unavailable, 65, 20s},
        {errc::unavailable, forever, 20s},  {errc::throttled, 1, 1s},      {errc::throttled, 2, 2s},
        {errc::throttled, 5, 16s},          {errc::throttled, 6, 20s},     {errc::throttled, forever, 20s},
    };
    for (const auto& row : rows) {
        CAPTURE(name_of(row.code));
        CAPTURE(row.attempts);
        CHECK(usual.longest_wait(row.code, row.attempts) == row.longest);
    }
}

TEST_CASE("the wait is spread over all of [0, longest]") {
    const auto patient = with_retries(forever);
    for (const unsigned attempts : {1U, 2U, 5U, 40U, forever}) {
        const auto longest = patient.longest_wait(errc::unavailable, attempts);
        const auto ticks = static_cast<std::uint64_t>(longest.count());
        CHECK(patient.verdict(errc::unavailable, attempts, 0).wait == 0us);
        CHECK(patient.verdict(errc::unavailable, attempts, ticks).wait == longest);
        CHECK(patient.verdict(errc::unavailable, attempts, ticks / 2).wait == duration{longest.count() / 2});
    }

    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    constexpr auto draws = 10'000;
    int low = 0;
    for (int i = 0; i < draws; ++i) {
        const auto wait = usual.verdict(errc::throttled, 3, random()).wait;
        REQUIRE(wait >= 0s);
        REQUIRE(wait <= 4s);
        low += wait < 1s ? 1 : 0;
    }
    CHECK(low > draws / 5);
    CHECK(low < draws * 3 / 10);
}

TEST_CASE("no option and no attempt count makes a wait negative or longer than the cap") {
    constexpr duration spans[]{duration::min(), -1us, 0us, 1us, 100ms, duration::max() - 1us, duration::max()};
    for (const auto base : spans) {
        for (const auto cap : spans) {
            const retry_plan plan{{.retries = forever, .base = base, .throttled_base = base, .cap = cap}};
            for (const unsigned attempts : {0U, 1U, 2U, 62U, 63U, 64U, 65U, 1'000U, forever}) {
                for (const auto random : {std::uint64_t{0}, most / 2, most}) {
                    const auto wait = plan.verdict(errc::throttled, attempts, random).wait;
                    CHECK(wait >= 0us);
                    CHECK(wait <= std::max(cap, duration::zero()));
                }
            }
        }
    }
}
