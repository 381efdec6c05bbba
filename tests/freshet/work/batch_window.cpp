#include <freshet/work/batch_window.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::batch_limits;
using freshet::batch_window;
using freshet::duration;
using freshet::time_point;
using freshet::window_verdict;
using state = freshet::window_verdict::state;
using namespace std::chrono_literals;

constexpr time_point noon{duration{1'736'942'400'000'000}};
constexpr auto most = std::numeric_limits<std::size_t>::max();

constexpr auto with(const batch_limits& limits, std::size_t items, std::size_t bytes_each) -> batch_window {
    batch_window window{limits};
    for (std::size_t i = 0; i < items; ++i) { window.add(bytes_each, noon); }
    return window;
}

constexpr auto state_of(const batch_window& window, time_point now = noon) -> state { return window.verdict(now).is; }

} // namespace

TEST_CASE("nothing is due while nothing was collected") {
    static_assert(state_of(batch_window{}) == state::empty);
    static_assert(state_of(batch_window{}, time_point::max()) == state::empty);
    static_assert(state_of(batch_window{{.items = 0, .window = 0s}}) == state::empty);
    static_assert(!batch_window{}.verdict(noon).take());
}

TEST_CASE("a batch is full with its last item") {
    static_assert(state_of(with({}, 99, 1)) == state::open);
    static_assert(state_of(with({}, 100, 1)) == state::full);
    static_assert(with({}, 100, 1).verdict(noon).take());
    static_assert(with({}, 99, 1).fits(1) && !with({}, 100, 1).fits(1));
    static_assert(state_of(with({.items = 0}, 1, 1)) == state::full);
    static_assert(state_of(with({.items = 1}, 1, 1)) == state::full);
}

TEST_CASE("a batch is full with its last byte") {
    static_assert(state_of(with({.bytes = 100}, 9, 11)) == state::open);
    static_assert(state_of(with({.bytes = 99}, 9, 11)) == state::full);
    static_assert(with({.bytes = 100}, 9, 11).fits(1) && !with({.bytes = 100}, 9, 11).fits(2));
    static_assert(state_of(with({}, 9, most / 4)) == state::open);
    static_assert(with({}, 9, most / 4).bytes() == most);
}

TEST_CASE("an item that is larger than any batch is a batch of its own") {
    static_assert(batch_window{{.bytes = 10}}.fits(11));
    static_assert(state_of(with({.bytes = 10}, 1, 11)) == state::full);
    static_assert(!with({.bytes = 10}, 1, 11).fits(0));
    static_assert(!with({.bytes = 10}, 1, 1).fits(11));
}

TEST_CASE("a batch is due when its first item has waited for the window") {
    batch_window window;
    window.add(1, noon);
    window.add(1, noon + 4s);
    CHECK(window.verdict(noon + 4s) == window_verdict{state::open, noon + 5s});
    CHECK(state_of(window, noon + 5s - 1us) == state::open);
    CHECK(state_of(window, noon + 5s) == state::due);
    CHECK(window.verdict(noon + 5s).take());

    window.clear();
    CHECK(state_of(window, noon + 1h) == state::empty);
    window.add(1, noon + 1h);
    CHECK(window.verdict(noon + 1h).until == noon + 1h + 5s);
    CHECK(window.bytes() == 1);
}

TEST_CASE("without a window every batch is due at once") {
    static_assert(state_of(with({.window = 0s}, 1, 1)) == state::due);
    static_assert(state_of(with({.window = -1s}, 1, 1)) == state::due);
}

TEST_CASE("an endless window waits for a full batch") {
    static_assert(state_of(with({.window = duration::max()}, 99, 1), noon + 1h) == state::open);
    static_assert(with({.window = duration::max()}, 99, 1).verdict(noon).until == time_point::max());
}

TEST_CASE("a clock that is set back makes the batch due") {
    static_assert(state_of(with({}, 1, 1), noon - 1us) == state::due);
    static_assert(state_of(with({}, 1, 1), noon - 24h) == state::due);
}

TEST_CASE("a driver that asks before it adds keeps every batch within its limits") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
    for (std::size_t run = 0; run < support::cases(200); ++run) {
        const batch_limits limits{.items = draw(6), .bytes = draw(40), .window = duration{draw(50)}};
        batch_window window{limits};
        auto now = noon;
        auto first_at = now;
        for (int step = 0; step < 50; ++step) {
            now += duration{static_cast<long>(draw(20))};
            const auto bytes = draw(20);
            if (window.verdict(now).take() || !window.fits(bytes)) { window.clear(); }
            if (window.items() == 0) { first_at = now; }
            window.add(bytes, now);
            REQUIRE(window.items() <= std::max<std::size_t>(limits.items, 1));
            if (limits.bytes != 0 && window.items() > 1) { REQUIRE(window.bytes() <= limits.bytes); }
            REQUIRE((now - first_at < limits.window || window.items() == 1));
        }
    }
}
