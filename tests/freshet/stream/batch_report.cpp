#include <freshet/stream/batch_report.hpp>

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>

namespace {

using freshet::batch_report;
using freshet::batch_response;
using freshet::errc;
using namespace std::chrono_literals;

static_assert(freshet::event<freshet::record_failed> && freshet::event<freshet::record_dead_lettered> &&
              freshet::event<freshet::batch_processed>);

auto shown(const auto& event) -> std::string {
    std::string line{event.name};
    event.fields([&](std::string_view name, const auto& value) {
        line.append(" ").append(name).append("=");
        if constexpr (std::convertible_to<decltype(value), std::string_view>) {
            line += value;
        } else if constexpr (std::integral<std::remove_cvref_t<decltype(value)>>) {
            line += std::to_string(value);
        } else {
            line += std::to_string(value.count());
        }
    });
    return line;
}

auto some() -> batch_report {
    return {.changed = 1,
            .unchanged = 2,
            .ignored = 3,
            .dead_lettered = 4,
            .failed = 5,
            .held = 6,
            .untried = 7,
            .expired = 2,
            .messages_sent = 8,
            .messages_failed = 9,
            .done_from_start = 10,
            .took = 11us};
}

} // namespace

TEST_CASE("each record of a batch is counted once") {
    CHECK(batch_report{}.records() == 0);
    CHECK(some().records() == 28);
}

TEST_CASE("reports add up, but for the response, and the first failure is the one that is told") {
    auto all = some();
    auto more = some();
    more.response = batch_response::fail_all();
    more.why = {errc::throttled, "first"};
    all += more;
    CHECK(all.records() == 56);
    CHECK(all.expired == 4);
    CHECK(all.messages_sent == 16);
    CHECK(all.messages_failed == 18);
    CHECK(all.done_from_start == 20);
    CHECK(all.took == 22us);
    CHECK(all.response.success());
    more.why = {errc::denied, "second"};
    all += more;
    CHECK(all.why == freshet::error{errc::throttled, "first"});
    CHECK(all.changed == 3);
    CHECK(all.held == 18);
}

TEST_CASE("a monitor reads errors, duration and messages of a batch") {
    const auto report = some();
    CHECK(shown(freshet::batch_processed{report}) ==
          "batch_processed records=28 changed=1 unchanged=2 ignored=3 dead_lettered=4 failed=18 messages_sent=8 "
          "messages_failed=9 took=11");
    const freshet::error why{errc::malformed, "no object"};
    CHECK(shown(freshet::record_failed{"e1", "7", 2, why}) ==
          "record_failed event_id=e1 sequence=7 attempts=2 why=no object");
    freshet::dead_letter letter;
    letter.id = "e1";
    letter.sequence = "7";
    letter.why = why;
    letter.attempts = 4;
    CHECK(shown(freshet::record_dead_lettered{letter}) ==
          "record_dead_lettered event_id=e1 sequence=7 attempts=4 why=no object");
}
