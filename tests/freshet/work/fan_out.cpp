#include <freshet/work/fan_out.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>
#include <freshet/testing/shuffled_executor.hpp>
#include <freshet/work/executor.hpp>
#include <support/cases.hpp>

namespace {

using freshet::deadline;
using freshet::errc;
using freshet::error;
using freshet::fan_out;
using freshet::fan_out_summary;
using freshet::inline_executor;
using freshet::result;
using freshet::thread_executor;
using freshet::testing::manual_clock;
using freshet::testing::shuffled_executor;
using namespace std::chrono_literals;

auto numbers(std::size_t n) -> std::vector<int> {
    std::vector<int> all(n);
    std::iota(all.begin(), all.end(), 0);
    return all;
}

auto ok(int) -> result<void> { return {}; }

/// Fails or throws on some numbers, in four ways.
auto picky(int n) -> result<void> {
    switch (n % 10) {
        case 3: return error{errc::throttled, "item: slower"};
        case 5: throw std::runtime_error{"item: out of disk"};
        case 7: throw n;
        default: return {};
    }
}

auto code_for(int n) -> errc { return n % 10 == 3 ? errc::throttled : errc::failed; }

} // namespace

TEST_CASE("one item's failure or exception is its own, and never stops another") {
    inline_executor workers;
    const auto summary = fan_out(workers, numbers(10), picky);
    CHECK(summary.succeeded == 7);
    REQUIRE(summary.failed.size() == 3);
    CHECK(summary.failed[0] == freshet::item_failure{3, {errc::throttled, "item: slower"}});
    CHECK(summary.failed[1] == freshet::item_failure{5, {errc::failed, "item: out of disk"}});
    CHECK(summary.failed[2].item == 7);
    CHECK(summary.failed[2].why.code == errc::failed);
    CHECK(summary.expired.empty());
    CHECK_FALSE(summary.ok());
}

TEST_CASE("nothing to do is a success") {
    thread_executor workers{4};
    CHECK(fan_out(workers, std::vector<int>{}, picky) == fan_out_summary{});
    CHECK(fan_out(workers, std::span<const int>{}, picky).ok());
}

TEST_CASE("items are a span, a vector or an array, and tasks see them as they lie there") {
    inline_executor workers;
    const std::array<std::string, 2> words{"a", "b"};
    std::vector<const std::string*> seen;
    const auto look = [&](const std::string& word) -> result<void> {
        seen.push_back(&word);
        return {};
    };
    CHECK(fan_out(workers, words, look).succeeded == 2);
    CHECK(fan_out(workers, std::span<const std::string>{words}, look).succeeded == 2);
    CHECK(seen == std::vector<const std::string*>{&words[0], &words[1], &words[0], &words[1]});

    std::vector<std::string> changeable{"c"};
    const auto generic = [](auto& word) -> result<void> {
        static_assert(std::is_const_v<std::remove_reference_t<decltype(word)>>);
        return {};
    };
    CHECK(fan_out(workers, std::span{changeable}, generic).ok());
}

TEST_CASE("the summary is the same in every order and on every number of threads") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t run = 0; run < support::cases(60); ++run) {
        const auto items = numbers(random() % 200);
        inline_executor one;
        const auto wanted = fan_out(one, items, picky);
        for (const auto& failure : wanted.failed) {
            CHECK(failure.why.code == code_for(static_cast<int>(failure.item)));
        }
        shuffled_executor shuffled{random()};
        CHECK(fan_out(shuffled, items, picky) == wanted);
        thread_executor threads{static_cast<unsigned>(1 + random() % 4)};
        CHECK(fan_out(threads, items, picky) == wanted);
    }
}

TEST_CASE("no item begins at the deadline, and what has begun runs to its end") {
    manual_clock clock;
    inline_executor workers;
    const auto items = numbers(10);
    const auto until = deadline::in(3s, clock.now());
    const auto summary = fan_out(workers, clock, std::stop_token{}, until, items, [&](int n) -> result<void> {
        clock.advance(n < 2 ? 1s : 5s);
        return {};
    });
    CHECK(summary.succeeded == 3);
    CHECK(summary.expired == std::vector<std::size_t>{3, 4, 5, 6, 7, 8, 9});
    CHECK(summary.failed.empty());
    CHECK_FALSE(summary.ok());

    const auto late = fan_out(workers, clock, std::stop_token{}, until, items, ok);
    CHECK(late.expired.size() == 10);
    CHECK(fan_out(workers, clock, std::stop_token{}, deadline::never(), items, ok).succeeded == 10);
}

TEST_CASE("no item begins after a stop") {
    manual_clock clock;
    inline_executor workers;
    std::stop_source stop;
    const auto summary = fan_out(workers, clock, stop.get_token(), deadline::never(), numbers(5),
                                 [&](int n) -> result<void> {
                                     if (n == 1) { stop.request_stop(); }
                                     return picky(n);
                                 });
    CHECK(summary.succeeded == 2);
    CHECK(summary.expired == std::vector<std::size_t>{2, 3, 4});
}

TEST_CASE("on threads a stop leaves each item begun or expired, and none lost") {
    manual_clock clock;
    thread_executor workers{4};
    for (int run = 0; run < 20; ++run) {
        std::stop_source stop;
        std::atomic<std::size_t> begun{};
        const auto summary = fan_out(workers, clock, stop.get_token(), deadline::in(1h, clock.now()), numbers(200),
                                     [&](int n) -> result<void> {
                                         if (++begun == 20) { stop.request_stop(); }
                                         return picky(n);
                                     });
        CHECK(begun >= 20);
        CHECK(summary.succeeded + summary.failed.size() == begun);
        CHECK(begun + summary.expired.size() == 200);
        CHECK(std::is_sorted(summary.expired.begin(), summary.expired.end()));
    }
}
