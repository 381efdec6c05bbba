#include <adapters/graphql/record_source.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <support/cases.hpp>

#include "fake_appsync.hpp"
#include "quick_client.hpp"

using adapters::graphql::record_source;
using adapters::graphql::testing::quick_settings;
using freshet::errc;
using freshet::series_key;
using freshet::time_range;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

[[nodiscard]] auto at(const std::string& text) -> freshet::time_point {
    const auto read = freshet::parse_rfc3339(text);
    REQUIRE(read);
    return *read;
}

struct on_fake {
    support::fake_appsync api{};
    adapters::graphql::client by{quick_settings(api)};
    record_source source{by};

    void put(const std::string& model, const std::string& id, const std::string& created,
             const std::string& updated = {}, const std::string& account = "acc") {
        api.put(model, {{"id", id},
                        {"accountId", account},
                        {"createdAt", created},
                        {"updatedAt", updated.empty() ? created : updated}});
    }

    [[nodiscard]] auto ids(const std::string& table, const time_range& range, std::size_t limit = 0,
                           const std::string& account = "acc") -> std::string {
        std::string all;
        freshet::page_request request{std::nullopt, limit};
        do {
            const auto page = source.list({table, account}, range, request);
            REQUIRE_MESSAGE(page.ok(), (page.ok() ? "" : page.why().note));
            if (limit != 0) { CHECK(page->rows.size() <= limit); }
            for (const auto& row : page->rows) { all += row.id + ' '; }
            request.from = page->next;
        } while (request.from);
        return all;
    }
};

constexpr freshet::time_point day{std::chrono::sys_days{std::chrono::year{2024} / 1 / 19}};
constexpr time_range two_hours{day + 13h, day + 15h};

} // namespace

TEST_CASE("the items of an account that were made in the range are listed, whatever their times' digits") {
    on_fake on;
    on.put("Item", "before", "2024-01-19T12:59:59.999999Z");
    on.put("Item", "a", "2024-01-19T13:00:00.000000Z");
    on.put("Item", "b", "2024-01-19T13:00:00Z");
    on.put("Item", "c", "2024-01-19T14:37:23.5Z");
    on.put("Item", "d", "2024-01-19T14:59:59.999999Z");
    on.put("Item", "end", "2024-01-19T15:00:00.000Z");
    on.put("Item", "end2", "2024-01-19T15:00:00Z");
    on.put("Item", "other", "2024-01-19T14:00:00Z", {}, "acc2");
    for (std::size_t limit = 0; limit < 6; ++limit) { CHECK(on.ids("items", two_hours, limit) == "a b c d "); }
    CHECK(on.ids("items", two_hours, 0, "acc2") == "other ");
    CHECK(on.ids("items", {two_hours.end, two_hours.end}).empty());
    const auto page = on.source.list({"items", "acc"}, two_hours, {std::nullopt, 1});
    CHECK(page->rows == std::vector<freshet::listed_record>{{"a", "2024-01-19T13:00:00.000000Z"}});
}

TEST_CASE("a range that does not begin or end with a second is listed whole") {
    on_fake on;
    on.put("Item", "a", "2024-01-19T13:00:00.4Z");
    on.put("Item", "b", "2024-01-19T13:00:01.4Z");
    on.put("Item", "c", "2024-01-19T13:00:02.4Z");
    CHECK(on.ids("items", {at("2024-01-19T13:00:00.3Z"), at("2024-01-19T13:00:01.5Z")}) == "a b ");
    CHECK(on.ids("items", {at("2024-01-19T13:00:01Z"), at("2024-01-19T13:00:01.000001Z")}) == "b ");
    CHECK(on.ids("items", {freshet::time_point::min(), freshet::time_point::max()}) == "a b c ");
    CHECK(on.ids("items", {freshet::time_point::max() - 1us, freshet::time_point::max()}).empty());
    CHECK(on.ids("items", {freshet::time_point::min(), freshet::time_point::min() + 1us}).empty());
}

TEST_CASE("tables that are indexed by their changes list every record that was made in the range, and later changes") {
    on_fake on;
    for (const auto& [table, model] : std::map<std::string, std::string>{
             {"score_results", "ScoreResult"}, {"tasks", "Task"}, {"evaluations", "Evaluation"}}) {
        on.put(model, "old", "2024-01-19T12:00:00Z");
        on.put(model, "touched", "2024-01-19T12:00:00Z", "2024-01-19T14:00:00Z");
        on.put(model, "in", "2024-01-19T13:30:00Z");
        on.put(model, "later", "2024-01-19T13:40:00Z", "2024-01-20T00:00:00Z");
        for (const std::size_t limit : {0U, 1U, 2U}) { CHECK(on.ids(table, two_hours, limit) == "in touched later "); }
        const auto page = on.source.list({table, "acc"}, two_hours, {});
        CHECK(page->rows.back().created_at == "2024-01-19T13:40:00Z");
    }
}

TEST_CASE("an empty page with a token is no end") {
    on_fake on;
    on.put("Item", "a", "2024-01-19T13:00:00Z");
    on.api.leave_empty(2);
    CHECK(on.ids("items", two_hours, 1) == "a ");
}

TEST_CASE("a token is of its list alone, and can be used again") {
    on_fake on;
    for (const auto* id : {"a", "b", "c"}) { on.put("Item", id, "2024-01-19T13:00:00Z"); }
    const auto first = on.source.list({"items", "acc"}, two_hours, {std::nullopt, 1});
    REQUIRE(first->next);
    for (int i = 0; i < 2; ++i) {
        CHECK(on.source.list({"items", "acc"}, two_hours, {first->next, 1})->rows.front().id == "b");
    }
    const auto asked = on.api.requests();
    const auto is_refused = [&](const series_key& series, const time_range& range, const std::string& token) {
        const auto page = on.source.list(series, range, {token, 1});
        return !page.ok() && page.why().code == errc::malformed && page.why().note.find('\n') == std::string::npos;
    };
    CHECK(is_refused({"items", "acc2"}, two_hours, *first->next));
    CHECK(is_refused({"tasks", "acc"}, two_hours, *first->next));
    CHECK(is_refused({"items", "acc"}, {two_hours.start, two_hours.end + 1h}, *first->next));
    CHECK(is_refused({"items", "acc"}, {two_hours.start + 1h, two_hours.end}, *first->next));
    for (const auto* token : {"", "x", "3:acc"}) { CHECK(is_refused({"items", "acc"}, two_hours, token)); }
    CHECK(on.api.requests() == asked);
    CHECK(is_refused({"items", "acc"}, two_hours, first->next->substr(0, first->next->size() - 30) + "made up"));
}

TEST_CASE("a table that there is no query for, and a series without an account, are malformed") {
    on_fake on;
    for (const auto& series :
         {series_key{"receipts", "acc"}, series_key{"", "acc"}, series_key{"items", ""}, series_key{"items", "\xff"}}) {
        const auto page = on.source.list(series, two_hours, {});
        REQUIRE(!page.ok());
        CHECK(page.why().code == errc::malformed);
    }
    CHECK(on.api.requests() == 0);
}

TEST_CASE("records without a time are listed as having none, and failures pass through") {
    on_fake on;
    on.api.put("Task",
               {{"id", "a"}, {"accountId", "acc"}, {"createdAt", nullptr}, {"updatedAt", "2024-01-19T14:00:00Z"}});
    const auto page = on.source.list({"tasks", "acc"}, two_hours, {});
    CHECK(page->rows == std::vector<freshet::listed_record>{{"a", ""}});
    on.api.fail_next({403, "no"});
    CHECK(on.source.list({"tasks", "acc"}, two_hours, {}).why().code == errc::denied);
    for (const auto* data :
         {R"({})", R"({"listTaskByAccountIdAndUpdatedAt":null})",
          R"({"listTaskByAccountIdAndUpdatedAt":{"items":null}})", R"({"listTaskByAccountIdAndUpdatedAt":[]})"}) {
        CAPTURE(data);
        on.api.fail_next({200, R"({"data":)" + std::string{data} + "}"});
        CHECK(on.source.list({"tasks", "acc"}, two_hours, {}).why().code == errc::unavailable);
    }
}

TEST_CASE("a schema's own queries are asked as they are described") {
    on_fake on;
    const record_source own{on.by, {{"receipts", "listReceiptByAccountIdAndCreatedAt", "createdAt", "ID!"}}};
    CHECK(own.list({"items", "acc"}, two_hours, {}).why().code == errc::malformed);
    CHECK(own.list({"receipts", "acc"}, two_hours, {}).why().note.find("FieldUndefined") != std::string::npos);
    const auto asked = json::parse(on.api.last_request().body)["query"].get<std::string>();
    CHECK(asked.find("$account: ID!") != std::string::npos);
    CHECK(asked.find("listReceiptByAccountIdAndCreatedAt(accountId: $account, createdAt: {between: [$first, $last]}") !=
          std::string::npos);
}

TEST_CASE("a page has a thousand records at most, whatever was asked for") {
    on_fake on;
    for (int i = 0; i < 1'001; ++i) { on.put("Item", std::to_string(10'000 + i), "2024-01-19T13:00:00Z"); }
    for (const std::size_t limit : {0U, 5'000U}) {
        CHECK(on.source.list({"items", "acc"}, two_hours, {std::nullopt, limit})->rows.size() == 1'000);
    }
}

TEST_CASE("whatever records there are, none that was made in the range is missing") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::uint64_t n) { return random() % n; };
    on_fake on;
    std::map<std::string, std::set<std::string>> wanted;
    for (int i = 0; i < 400; ++i) {
        const bool item = below(2) == 0;
        const auto created = two_hours.start - 1h + freshet::duration{below(4ULL * 3'600'000'000)};
        const auto updated = created + freshet::duration{below(3ULL * 3'600'000'000)};
        const auto text = [&](freshet::time_point when) {
            return std::string{freshet::format_rfc3339(when, static_cast<int>(below(7)))->view()};
        };
        const auto written = text(created);
        const auto id = std::to_string(i);
        on.put(item ? "Item" : "Task", id, written, std::max(written, text(updated)));
        if (two_hours.contains(at(written))) { wanted[item ? "items" : "tasks"].insert(id); }
    }
    for (const auto* table : {"items", "tasks"}) {
        std::set<std::string> found;
        freshet::page_request request{std::nullopt, 7};
        do {
            const auto page = on.source.list({table, "acc"}, two_hours, request);
            REQUIRE(page.ok());
            for (const auto& row : page->rows) {
                if (two_hours.contains(at(row.created_at))) { found.insert(row.id); }
            }
            request.from = page->next;
        } while (request.from);
        CHECK(found == wanted[table]);
    }
}

static_assert(!std::is_constructible_v<record_source, adapters::graphql::client>);
