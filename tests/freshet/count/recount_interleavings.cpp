#include <freshet/count/recount.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/bucket_sink.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/every_choice.hpp>

#include "count_bench.hpp"

namespace {

using namespace count_bench;
using freshet::result;
using freshet::time_range;

/// Two runs that go on by one call of a backend at a time, each in its turn.
class turns {
public:
    static constexpr std::size_t runs = 2;

    /// Called by a run before each call: gives the turn back, and waits for the next one.
    void wait(std::size_t run) {
        given_back_.release();
        go_[run].acquire();
    }
    void end(std::size_t run) {
        ended_[run] = true;
        given_back_.release();
    }
    /// Lets a run go to its next call, or to its end.
    void give(std::size_t run) {
        go_[run].release();
        given_back_.acquire();
    }
    void await_start() { given_back_.acquire(); }
    [[nodiscard]] auto ended(std::size_t run) const -> bool { return ended_[run]; }

private:
    std::array<std::binary_semaphore, runs> go_{std::binary_semaphore{0}, std::binary_semaphore{0}};
    std::counting_semaphore<runs> given_back_{0};
    std::array<bool, runs> ended_{};
};

const time_range hour_of_test{at("2024-01-19T13:00:00Z"), at("2024-01-19T14:00:00Z")};

/// Two records a page, as they are when the page is read.
struct live_source {
    static constexpr auto order = freshet::record_order::by_time;
    const std::vector<freshet::listed_record>& records;
    turns& turn;
    std::size_t run;

    auto list(const freshet::series_key&, const time_range&, const freshet::page_request& request)
        -> result<freshet::page<freshet::listed_record>> {
        turn.wait(run);
        freshet::page<freshet::listed_record> page;
        for (const auto& each : records) {
            if (request.from && each.created_at <= *request.from) { continue; }
            if (page.rows.size() == 2) {
                page.next = page.rows.back().created_at;
                break;
            }
            page.rows.push_back(each);
        }
        return page;
    }
};

struct shared_sink {
    adapters::memory::bucket_sink& sink;
    turns& turn;
    std::size_t run;

    auto begin_run(const freshet::series_key& series) -> result<freshet::run_ticket> {
        turn.wait(run);
        return sink.begin_run(series);
    }
    auto replace(const freshet::series_key& series, const freshet::recounted& found, const freshet::run_ticket& ticket)
        -> result<freshet::replaced_counts> {
        turn.wait(run);
        return sink.replace(series, found, ticket);
    }
    auto read(const freshet::series_key& series, const time_range& range, freshet::duration width)
        -> result<std::vector<freshet::bucket>> {
        return sink.read(series, range, width);
    }
};

} // namespace

TEST_CASE("of two runs in any order of their steps, the later reader's counts stay, whatever is written meanwhile") {
    support::every_choice choices;
    std::size_t orders = 0;
    std::size_t overtaken = 0;
    const freshet::testing::manual_clock clock;
    do {
        std::vector<freshet::listed_record> records{
            {"1", "2024-01-19T13:01:00Z"}, {"2", "2024-01-19T13:02:00Z"}, {"3", "2024-01-19T13:03:00Z"}};
        adapters::memory::bucket_sink sink;
        turns turn;
        std::array<std::optional<freshet::recount_report>, 2> reports;
        std::array<bool, 2> began_after_writes{};
        const auto run = [&](std::size_t number) {
            live_source source{records, turn, number};
            shared_sink counts{sink, turn, number};
            auto report = freshet::recount{source, counts, clock}.run(items, std::span{&hour_of_test, 1});
            if (report) { reports[number] = *std::move(report); }
            turn.end(number);
        };
        std::size_t writes = 0;
        {
            std::array<bool, 2> began{};
            const std::jthread first{run, 0};
            turn.await_start();
            const std::jthread second{run, 1};
            turn.await_start();
            for (;;) {
                std::vector<std::size_t> may;
                for (std::size_t number = 0; number != 2; ++number) {
                    if (!turn.ended(number)) { may.push_back(number); }
                }
                if (writes != 2) { may.push_back(2); }
                if (may.empty()) { break; }
                const auto next = may[choices.take(may.size())];
                if (next != 2) {
                    if (!std::exchange(began[next], true)) { began_after_writes[next] = writes == 2; }
                    turn.give(next);
                } else if (writes++ == 0) {
                    records.push_back({"4", "2024-01-19T13:04:00Z"});
                } else {
                    records.erase(records.begin());
                }
            }
        }
        ++orders;
        REQUIRE(reports[0].has_value());
        REQUIRE(reports[1].has_value());
        const auto later = reports[0]->ticket.number < reports[1]->ticket.number ? 1U : 0U;
        const auto stored = sink.read(items, hour_of_test, 1h).value();
        REQUIRE(stored.size() == 1);
        REQUIRE(stored[0].count == reports[later]->records);
        REQUIRE(reports[later]->replaced.overtaken == 0);
        overtaken += reports[1 - later]->replaced.overtaken != 0 ? 1 : 0;
        if (began_after_writes[later]) { REQUIRE(stored[0].count == 3); }
    } while (choices.next());
    CHECK(orders > 1000);
    CHECK(overtaken > 100);
}
