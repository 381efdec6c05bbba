#include <adapters/graphql/bucket_sink.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/bucket_sink.hpp>

#include "fake_appsync.hpp"
#include "quick_client.hpp"

using adapters::graphql::client;
using adapters::graphql::metrics_model;
using adapters::graphql::testing::quick_settings;
using freshet::errc;
using freshet::replaced_counts;
using freshet::series_key;
using freshet::testing::manual_clock;
using namespace std::chrono_literals;

namespace {

using sink_on_api = adapters::graphql::bucket_sink<manual_clock>;

/// A sink whose series may be without an account.
class with_accounts {
public:
    using is_shareable = void;

    explicit with_accounts(sink_on_api sink) : sink_{std::move(sink)} {}

    [[nodiscard]] auto begin_run(const series_key& series) { return sink_.begin_run(named(series)); }
    [[nodiscard]] auto replace(const series_key& series, const freshet::recounted& found,
                               const freshet::run_ticket& ticket) {
        return sink_.replace(named(series), found, ticket);
    }
    [[nodiscard]] auto read(const series_key& series, const freshet::time_range& range, freshet::duration width) {
        return sink_.read(named(series), range, width);
    }

private:
    [[nodiscard]] static auto named(const series_key& series) -> series_key {
        return {series.table, "account " + series.account};
    }

    sink_on_api sink_;
};

template <bool HasTicket>
class on_fake {
public:
    static constexpr bool fences_runs = HasTicket;
    static constexpr bool keeps_blocks_whole = false;
    static constexpr int many_blocks = 12;

    [[nodiscard]] auto sink() -> with_accounts& { return sink_; }
    [[nodiscard]] auto other() -> with_accounts& { return other_; }

private:
    static constexpr auto field = HasTicket ? "runNumber" : "";

    manual_clock clock_;
    support::fake_appsync api_{field};
    client by_{quick_settings(api_)};
    with_accounts sink_{sink_on_api{by_, clock_, {.ticket = field}}};
    with_accounts other_{sink_on_api{by_, clock_, {.ticket = field}}};
};
using without_ticket = on_fake<false>;
using with_ticket = on_fake<true>;

} // namespace

// Of the others one asks for counts and widths that the API has not, and one for whole blocks.
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_1, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_2, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_3, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_4, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_5, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_6, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_7, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_8, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_9, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_10, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_11, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_12, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_14, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_15, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_16, without_ticket, with_ticket);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_18, with_ticket);

namespace {

const series_key items{"items", "acc-123"};
constexpr freshet::time_point day{std::chrono::sys_days{std::chrono::year{2024} / 1 / 19}};
constexpr freshet::time_range two_hours{day + 13h, day + 15h};

/// A sink on an API whose model has this field for the ticket.
struct api_with {
    std::string ticket{};
    manual_clock clock{day + 14h + 30min};
    support::fake_appsync api{ticket};
    client by{quick_settings(api)};
    sink_on_api sink{by, clock, {.ticket = ticket}};

    [[nodiscard]] auto record(const std::string& key) const -> nlohmann::json {
        const auto all = api.stored();
        const auto found = all.find({"acc-123", key});
        return found == all.end() ? nlohmann::json{} : found->second;
    }
    [[nodiscard]] auto count(const std::string& key) const -> std::int64_t { return record(key).value("count", -1); }
    [[nodiscard]] auto impatient() const -> adapters::graphql::settings {
        auto given = quick_settings(api);
        given.retries.retries = 0;
        return given;
    }
};

[[nodiscard]] auto found(std::uint64_t count, freshet::time_range range = two_hours) -> freshet::recounted {
    return laws::found_of(range, {{range.start + 1h + 37min + 23s, count}});
}

/// A whole run, and what its counts came to.
auto run(const sink_on_api& sink, std::uint64_t count) -> replaced_counts {
    return laws::replaced(sink, found(count), laws::ticket_of(sink, items), items);
}

} // namespace

TEST_CASE("a bucket's record says what the model has, under the key of its type, start and minutes") {
    api_with on;
    CHECK(run(on.sink, 5) == replaced_counts{4, 150, 0});
    CHECK(on.record("items#2024-01-19T14:35:00Z#5") == nlohmann::json{{"accountId", "acc-123"},
                                                                      {"compositeKey", "items#2024-01-19T14:35:00Z#5"},
                                                                      {"recordType", "items"},
                                                                      {"timeRangeStart", "2024-01-19T14:35:00Z"},
                                                                      {"timeRangeEnd", "2024-01-19T14:40:00Z"},
                                                                      {"numberOfMinutes", 5},
                                                                      {"count", 5},
                                                                      {"complete", false},
                                                                      {"createdAt", "2024-01-19T14:30:00.000Z"},
                                                                      {"updatedAt", "2024-01-19T14:30:00.000Z"}});
    for (const auto* key :
         {"items#2024-01-19T14:37:00Z#1", "items#2024-01-19T14:30:00Z#15", "items#2024-01-19T14:00:00Z#60"}) {
        CHECK(on.count(key) == 5);
    }
    CHECK(on.count("items#run") == 1);
    CHECK(on.api.stored().size() == 5);
    laws::replaced(on.sink, found(6), {1}, {"score_results", "acc-123"});
    CHECK(on.record("scoreResults#2024-01-19T14:00:00Z#60")["recordType"] == "scoreResults");
}

TEST_CASE("a count that is stored already is not written again, and one that is gone is zero") {
    api_with on;
    run(on.sink, 5);
    const auto before = on.api.mutations();
    CHECK(run(on.sink, 5) == replaced_counts{0, 154, 0});
    CHECK(on.api.mutations() == before + 1); // the run's number
    CHECK(run(on.sink, 0) == replaced_counts{4, 150, 0});
    CHECK(on.count("items#2024-01-19T14:00:00Z#60") == 0);
    CHECK(laws::read(on.sink, 60min, two_hours, items).empty());
}

TEST_CASE("a bucket whose time is over is marked complete once") {
    api_with on;
    run(on.sink, 5);
    on.clock.advance(10min); // 14:40: the minute and the five minutes are over
    const auto before = on.api.mutations();
    CHECK(run(on.sink, 5) == replaced_counts{0, 154, 0});
    CHECK(on.api.mutations() == before + 3);
    CHECK(on.record("items#2024-01-19T14:35:00Z#5")["complete"] == true);
    CHECK(on.record("items#2024-01-19T14:30:00Z#15")["complete"] == false);
    CHECK(run(on.sink, 5) == replaced_counts{0, 154, 0});
    CHECK(on.api.mutations() == before + 4);
}

TEST_CASE("without a field for the ticket the last to write wins, whoever began first") {
    api_with on;
    const auto old = laws::ticket_of(on.sink, items);
    run(on.sink, 6);
    CHECK(laws::replaced(on.sink, found(5), old, items) == replaced_counts{4, 150, 0});
    CHECK(on.count("items#2024-01-19T14:00:00Z#60") == 5);
}

TEST_CASE("with a field for the ticket, a later run that comes at any moment of an older one's stays") {
    for (std::size_t moment = 1;; ++moment) {
        CAPTURE(moment);
        api_with on{"runNumber"};
        const auto old = laws::ticket_of(on.sink, items);
        auto asked = std::size_t{0};
        auto came = false;
        on.api.before_request([&](std::size_t) {
            if (came || ++asked != moment) { return; }
            came = true;
            run(sink_on_api{on.by, on.clock, {.ticket = "runNumber"}}, 6);
        });
        const auto done = on.sink.replace(items, found(5), old);
        on.api.before_request({});
        REQUIRE(done.ok());
        if (!came) {
            CHECK(moment > 8); // heads, and 152 others in requests of 25
            break;
        }
        CHECK(done->overtaken > 0);
        for (const auto* key : {"items#2024-01-19T14:37:00Z#1", "items#2024-01-19T14:35:00Z#5",
                                "items#2024-01-19T14:30:00Z#15", "items#2024-01-19T14:00:00Z#60"}) {
            CHECK(on.count(key) == 6);
        }
        for (const auto width : laws::hour_widths) { CHECK(laws::read(on.sink, width, two_hours, items).size() == 1); }
    }
}

TEST_CASE("whatever a read that lags behind does not show, counts with tickets come right, and with none at last") {
    for (const auto* ticket : {"runNumber", ""}) {
        for (const std::size_t lag : {1U, 1'000U}) {
            CAPTURE(ticket);
            CAPTURE(lag);
            api_with on{ticket};
            on.api.lag(lag);
            const auto settle = [&](std::uint64_t count) {
                const freshet::run_ticket late{count}; // so many changes lie between that no run's number can be seen
                REQUIRE(on.sink.replace(items, found(count), late).ok());
            };
            for (const std::uint64_t count : {1U, 2U, 7U}) {
                settle(count);
                if (*ticket == '\0') { continue; }
                CHECK(on.count("items#2024-01-19T14:37:00Z#1") == static_cast<std::int64_t>(count));
                CHECK(on.count("items#2024-01-19T14:00:00Z#60") == static_cast<std::int64_t>(count));
            }
            on.api.lag(0);
            settle(8);
            for (const auto width : laws::hour_widths) {
                const auto read = laws::read(on.sink, width, two_hours, items);
                REQUIRE(read.size() == 1);
                CHECK(read[0].count == 8);
            }
        }
    }
}

TEST_CASE("an answer that is lost at any request is no harm: a repeat with the same ticket ends well") {
    for (const auto* ticket : {"runNumber", ""}) {
        for (const bool done : {false, true}) {
            for (std::size_t lost = 1;; ++lost) {
                CAPTURE(ticket);
                CAPTURE(lost);
                api_with on{ticket};
                const client once{on.impatient()};
                const sink_on_api sink{once, on.clock, {.ticket = ticket}};
                const auto own = laws::ticket_of(sink, items);
                on.api.before_request([&, asked = std::size_t{0}](std::size_t) mutable {
                    if (++asked == lost) { on.api.fail_next({502, "no answer came through"}, done); }
                });
                const auto first = sink.replace(items, found(5), own);
                on.api.before_request({});
                if (first.ok()) { break; }
                CHECK(first.why().code == errc::unavailable);
                const auto again = laws::replaced(sink, found(5), own, items);
                CHECK(again.overtaken == 0);
                CHECK(again.written + again.unchanged == 154);
                for (const auto width : laws::hour_widths) {
                    CHECK(laws::read(sink, width, two_hours, items).size() == 1);
                }
                REQUIRE(lost < 20);
            }
        }
    }
}

TEST_CASE("a run whose number's answer is lost has a greater one the next time") {
    api_with on;
    const client once{on.impatient()};
    const sink_on_api sink{once, on.clock};
    auto last = laws::ticket_of(sink, items).number;
    for (const bool done : {false, true}) {
        for (std::size_t lost = 1; lost <= 2; ++lost) {
            on.api.before_request([&, asked = std::size_t{0}](std::size_t) mutable {
                if (++asked == lost) { on.api.fail_next({502, "no answer came through"}, done); }
            });
            CHECK(sink.begin_run(items).why().code == errc::unavailable);
            on.api.before_request({});
            const auto next = laws::ticket_of(sink, items).number;
            CHECK(next > last);
            CHECK(next == last + (lost == 2 && done ? 2 : 1));
            last = next;
        }
    }
    on.api.fail_next({502, "gone"}, true, 2); // as seen by a client that repeats by itself
    CHECK(laws::ticket_of(on.sink, items).number > last);
}

TEST_CASE("a field that is refused for the moment is asked for again, another one fails the call") {
    api_with on;
    on.api.refuse_next_field("ThrottlingException", "slow"); // the list
    CHECK(run(on.sink, 5) == replaced_counts{4, 150, 0});
    const auto refuse_third = [&](const char* type, const char* message) {
        on.api.before_request([&on, type, message, asked = 0](std::size_t) mutable {
            if (++asked == 2) { on.api.refuse_next_field(type, message); }
        });
        auto done = on.sink.replace(items, found(9), {9});
        on.api.before_request({});
        return done;
    };
    const auto denied = refuse_third("Unauthorized", "Not Authorized to access updateAggregatedMetrics");
    REQUIRE(!denied.ok());
    CHECK(denied.why().code == errc::denied);
    CHECK(denied.why().note.find("Not Authorized") != std::string::npos);
    CHECK(refuse_third("ConflictUnhandled", "Conflict resolver rejects mutation.").why().code == errc::failed);
    CHECK(refuse_third("ThrottlingException", "slow").ok());
    CHECK(on.count("items#2024-01-19T14:00:00Z#60") == 9);
}

TEST_CASE("a record that somebody removes meanwhile is made again") {
    for (const auto* ticket : {"runNumber", ""}) {
        api_with on{ticket};
        run(on.sink, 5);
        const auto own = laws::ticket_of(on.sink, items);
        on.api.before_request([&, asked = 0](std::size_t) mutable {
            if (++asked == 2) { on.api.erase_counts("acc-123", "items#2024-01-19T14:37:00Z#1"); }
        });
        CHECK(laws::replaced(on.sink, found(6), own, items).overtaken == 0);
        on.api.before_request({});
        CHECK(on.count("items#2024-01-19T14:37:00Z#1") == 6);
    }
}

TEST_CASE("a write that meets another transaction is repeated, and overtaken by nobody") {
    for (const auto* ticket : {"runNumber", ""}) {
        for (std::size_t request = 2; request != 5; ++request) { // heads, then others
            CAPTURE(ticket);
            CAPTURE(request);
            api_with on{ticket};
            run(on.sink, 5);
            const auto own = laws::ticket_of(on.sink, items);
            const auto replace_refused = [&](const sink_on_api& sink) {
                on.api.before_request([&on, request, asked = std::size_t{0}](std::size_t) mutable {
                    if (++asked == request) {
                        on.api.refuse_next_field("DynamoDB:TransactionConflictException", "not now");
                    }
                });
                auto done = sink.replace(items, found(6), own);
                on.api.before_request({});
                return done;
            };
            const client once{on.impatient()};
            const sink_on_api impatient{once, on.clock, {.ticket = ticket}};
            const auto refused = replace_refused(impatient);
            if (refused.ok()) {
                CHECK((request == 4 && *ticket == '\0')); // all was done before
                continue;
            }
            CHECK(refused.why().code == errc::unavailable);
            const auto done = replace_refused(on.sink);
            REQUIRE(done.ok());
            CHECK(done->overtaken == 0);
            for (const auto* key : {"items#2024-01-19T14:37:00Z#1", "items#2024-01-19T14:00:00Z#60"}) {
                CHECK(on.count(key) == 6);
            }
        }
    }
}

TEST_CASE("a record that is there to its maker and gone to its changer is overtaken by nobody") {
    api_with on{"runNumber"};
    on.api.lag(1'000);
    REQUIRE(on.sink.replace(items, found(5), {1}).ok());
    on.api.before_request([&, asked = 0](std::size_t) mutable {
        if (++asked == 3) { on.api.erase_counts("acc-123", "items#2024-01-19T14:00:00Z#60"); }
    });
    const auto lost = on.sink.replace(items, found(6), {2});
    on.api.before_request({});
    REQUIRE(!lost.ok());
    CHECK(lost.why() == freshet::error{errc::unavailable,
                                       "GraphQL counts of items / acc-123: items#2024-01-19T14:00:00Z#60 was refused, "
                                       "and no later run is seen in it"});
    CHECK(laws::replaced(on.sink, found(6), {2}, items).overtaken == 0);
    CHECK(on.count("items#2024-01-19T14:37:00Z#1") == 6);
    CHECK(on.count("items#2024-01-19T14:00:00Z#60") == 6);
}

TEST_CASE(
    "a later run that a read does not show yet leaves the call unavailable, and one that it shows has overtaken") {
    api_with on{"runNumber"};
    on.api.lag(1'000);
    REQUIRE(on.sink.replace(items, found(6), {7}).ok());
    const auto early = on.sink.replace(items, found(5), {6});
    REQUIRE(!early.ok());
    CHECK(early.why().code == errc::unavailable);
    on.api.lag(0);
    CHECK(laws::replaced(on.sink, found(5), {6}, items) == replaced_counts{0, 0, 154});
    CHECK(on.count("items#2024-01-19T14:37:00Z#1") == 6);
}

TEST_CASE("a two-hour range costs few requests, and a long one is read in parts") {
    api_with on{"runNumber"};
    auto asked = on.api.requests();
    run(on.sink, 5);
    CHECK(on.api.requests() - asked <= 2 + 1 + 1 + 7);
    api_with plain;
    asked = plain.api.requests();
    run(plain.sink, 5);
    CHECK(plain.api.requests() - asked == 2 + 1 + 2);
    const freshet::time_range year{day, day + 24h * 365};
    asked = plain.api.requests();
    const auto done = laws::replaced(plain.sink, found(4, year), {9}, items);
    CHECK(done == replaced_counts{8, 365 * 24 * 77 - 8, 0}); // and what was there before is gone
    CHECK(plain.api.requests() - asked < 200);
}

TEST_CASE("lists of many pages, some of them empty, are read to their end") {
    api_with on;
    std::vector<laws::made_records> records;
    for (int minute = 0; minute < 2'000; ++minute) { records.push_back({day + minute * 1min, 1}); }
    const freshet::time_range two_days{day, day + 48h};
    laws::replaced(on.sink, laws::found_of(two_days, records), {1}, items);
    on.api.leave_empty(2);
    CHECK(laws::read(on.sink, 1min, two_days, items).size() == 2'000);
    CHECK(laws::read(on.sink, 60min, two_days, items).size() == 34);
}

TEST_CASE("records of other things, and such as cannot be read, are passed over") {
    api_with on;
    const auto put = [&](const std::string& key, const nlohmann::json& said) {
        nlohmann::json record{
            {"recordType", "items"}, {"timeRangeStart", "2024-01-19T14:00:00Z"}, {"numberOfMinutes", 60}, {"count", 7}};
        record.update(said);
        on.api.put_counts("acc-123", "items#2024-01-19T14:00:00Z" + key, record);
    };
    put("#a", {{"recordType", "items#2024"}});
    put("#b", {{"timeRangeStart", "yesterday"}});
    put("#c", {{"timeRangeStart", nullptr}});
    put("#d", {{"numberOfMinutes", 0}});
    put("#e", {{"count", -1}});
    put("#f", {{"timeRangeStart", "2024-01-20T14:00:00Z"}});
    put("#g", {{"timeRangeStart", "2024-01-19T14:30:00Z"}});
    put("#h", {{"timeRangeStart", "2024-01-19T14:00:00.000001Z"}});
    CHECK(laws::read(on.sink, 60min, two_hours, items).empty());
    run(on.sink, 5);
    CHECK(laws::read(on.sink, 60min, two_hours, items) == std::vector<freshet::bucket>{{60min, day + 14h, 5}});
}

TEST_CASE("what the API has no words for is malformed, and nothing is sent") {
    api_with on;
    const auto is_refused = [&](const series_key& series, const freshet::recounted& what, std::uint64_t number = 1) {
        return laws::is_malformed(on.sink.replace(series, what, {number}));
    };
    CHECK(is_refused(items, laws::found_of(two_hours, {}, {30s, 60s})));
    CHECK(is_refused(items, laws::found_of(two_hours, {}, {1min + 1s})));
    CHECK(is_refused(items, found(std::uint64_t{1} << 31)));
    CHECK(is_refused(items, found(1), std::uint64_t{1} << 31));
    CHECK(is_refused(items, {{freshet::time_point{-24h * 365 * 2'000}, day}, {24h}, {}}));
    CHECK(is_refused(items, {{day, freshet::time_point{24h * 365 * 9'000}}, {24h}, {}}));
    for (const auto& series :
         {series_key{"items", ""}, series_key{"", "acc"}, series_key{"items", "\xff"}, series_key{"\xff", "acc"},
          series_key{std::string(961, 't'), "acc"}, series_key{"items", std::string(2'049, 'a')}}) {
        CHECK(is_refused(series, found(1)));
        CHECK(laws::is_malformed(on.sink.begin_run(series)));
        CHECK(laws::is_malformed(on.sink.read(series, two_hours, 60min)));
    }
    CHECK(on.api.requests() == 0);
    CHECK(laws::replaced(on.sink, found((std::uint64_t{1} << 31) - 1), {1}, items).written == 4);
}

TEST_CASE("an answer without what was asked for leaves the outcome open") {
    api_with on;
    for (const auto* data :
         {R"({})", R"({"listAggregatedMetrics":null})", R"({"listAggregatedMetrics":{}})",
          R"({"listAggregatedMetrics":{"items":null}})", R"({"listAggregatedMetrics":{"items":1}})"}) {
        on.api.fail_next({200, R"({"data":)" + std::string{data} + "}"});
        CHECK(on.sink.read(items, two_hours, 60min).why().code == errc::unavailable);
    }
    const std::string page = R"({"data":{"listAggregatedMetrics":{"items":[],"nextToken":"same"}}})";
    on.api.fail_next({200, page}, false, 2);
    CHECK(on.sink.read(items, two_hours, 60min).why().code == errc::unavailable);
}

TEST_CASE("a model without the field that is to hold the ticket refuses it by name") {
    api_with on;
    const sink_on_api sink{on.by, on.clock, {.ticket = "runNumber"}};
    const auto done = sink.replace(items, found(1), {1});
    REQUIRE(!done.ok());
    CHECK(done.why().code == errc::malformed);
    CHECK(done.why().note.find("runNumber") != std::string::npos);
}

static_assert(!std::is_constructible_v<sink_on_api, client, manual_clock&>);
static_assert(!std::is_constructible_v<sink_on_api, client&, manual_clock>);
