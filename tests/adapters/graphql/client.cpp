#include <adapters/graphql/client.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

#include "fake_appsync.hpp"
#include "quick_client.hpp"

using adapters::graphql::client;
using adapters::graphql::testing::quick_settings;
using freshet::errc;
using nlohmann::json;
using support::fake_appsync;

namespace {

const std::string document =
    "query Q($a: String!, $k: String!) { getAggregatedMetrics(accountId: $a, compositeKey: $k)"
    " { count } }";
const json variables{{"a", "acc"}, {"k", "items#\xc3\xa9"}};

/// The failure in one line that names the endpoint, and not the key.
[[nodiscard]] auto failure(const freshet::result<json>& answered) -> freshet::error {
    REQUIRE(!answered.ok());
    CHECK(answered.why().note.starts_with("GraphQL at http://127.0.0.1:"));
    CHECK(answered.why().note.find(fake_appsync::key()) == std::string::npos);
    CHECK(answered.why().note.find('\n') == std::string::npos);
    return answered.why();
}

} // namespace

TEST_CASE("a question is posted as JSON with the key, and its data are the answer") {
    fake_appsync api;
    const client to{quick_settings(api)};
    const auto answered = to.call(document, variables);
    REQUIRE(answered.ok());
    CHECK(*answered == json{{"getAggregatedMetrics", nullptr}});
    const auto seen = api.last_request();
    CHECK(seen.method == "POST");
    CHECK(seen.header("content-type") == "application/json");
    CHECK(seen.header("x-api-key") == fake_appsync::key());
    CHECK(json::parse(seen.body) == json{{"query", document}, {"variables", variables}});
}

TEST_CASE("a wrong key is denied, at once and without being shown") {
    fake_appsync api;
    auto given = quick_settings(api);
    given.api_key = "da2-mistaken";
    const auto why = failure(client{given}.call(document, variables));
    CHECK(why.code == errc::denied);
    CHECK(why.note.ends_with("answered 401: UnauthorizedException: You are not authorized to make this call."));
    CHECK(api.requests() == 1);
    given.api_key = "";
    CHECK(client{given}.call(document, variables).why().code == errc::denied);
    CHECK(api.requests() == 1);
}

TEST_CASE("what the service asks to repeat is repeated unchanged, so often as the settings say") {
    fake_appsync api;
    const client to{quick_settings(api)};
    for (const int status : {429, 500, 503}) {
        api.fail_next({status, "no"}, false, 2);
        CHECK(to.call(document, variables).ok());
        api.fail_next({status, "no"}, false, 3);
        CHECK(failure(to.call(document, variables)).code == (status == 429 ? errc::throttled : errc::unavailable));
    }
    CHECK(api.requests() == 3 * 6);
    api.fail_next({.dropped = true}, true);
    CHECK(to.call(document, variables).ok());
}

TEST_CASE("what cannot be helped is not repeated") {
    fake_appsync api;
    const client to{quick_settings(api)};
    std::size_t asked = 0;
    for (const int status : {400, 403, 404, 413}) {
        api.fail_next({status, "no"});
        CHECK(!to.call(document, variables).ok());
        CHECK(api.requests() == ++asked);
    }
    CHECK(failure(to.call("query Q { none { a } }", json::object())).code == errc::malformed);
    CHECK(failure(to.call(document, json::object())).code == errc::malformed);
    CHECK(api.requests() == asked + 2);
}

TEST_CASE("an answer that echoes the key does not bring it into a message") {
    fake_appsync api;
    const client to{quick_settings(api)};
    api.fail_next(fake_appsync::answer_of(
        403, fake_appsync::errors_of("X" + fake_appsync::key(), "bad key " + fake_appsync::key() + " given")));
    CHECK(failure(to.call(document, variables)).note.ends_with("answered 403: X...: bad key ... given"));
}

TEST_CASE("partial data with an error are a failure, and who asks for them gets both") {
    fake_appsync api;
    const client to{quick_settings(api)};
    api.refuse_next_field("Lambda:Unhandled", "broken");
    CHECK(failure(to.call(document, variables)).code == errc::failed);
    const std::string two =
        "query Q($a: String!, $k: String!) {"
        " x: getAggregatedMetrics(accountId: $a, compositeKey: $k) { count }"
        " y: getAggregatedMetrics(accountId: $a, compositeKey: $k) { count } }";
    api.refuse_next_field("Lambda:Unhandled", "broken");
    const auto answered = to.ask(two, variables);
    REQUIRE(answered.ok());
    CHECK(answered->data == json{{"x", nullptr}, {"y", nullptr}});
    REQUIRE(answered->refused.size() == 1);
    CHECK(answered->refused[0].name == "x");
    CHECK(api.requests() == 2);

    api.refuse_next_field("ThrottlingException", "slow");
    const auto again = to.ask(two, variables);
    REQUIRE(again.ok());
    CHECK(again->refused.empty());
    CHECK(api.requests() == 4);
}

TEST_CASE("a question that is no UTF-8 text is malformed and not sent") {
    fake_appsync api;
    CHECK(failure(client{quick_settings(api)}.call(document, {{"a", "\xff"}, {"k", ""}})).code == errc::malformed);
    CHECK(api.requests() == 0);
}

TEST_CASE("an answer that does not come is waited for no longer than the settings say") {
    fake_appsync api;
    auto given = quick_settings(api);
    given.total_timeout = std::chrono::milliseconds{50};
    given.retries.retries = 1;
    api.fail_next({.delay = std::chrono::minutes{5}}, false, 2);
    const auto why = failure(client{given}.call(document, variables));
    CHECK(why.code == errc::unavailable);
    CHECK(why.note.find("no answer in time") != std::string::npos);
    CHECK(api.requests() == 2);
}

TEST_CASE("several threads may call at once") {
    fake_appsync api;
    const client to{quick_settings(api)};
    std::vector<int> good(4);
    {
        std::vector<std::jthread> all;
        for (auto& mine : good) {
            all.emplace_back([&] {
                for (int i = 0; i < 20; ++i) { mine += to.call(document, variables).ok() ? 1 : 0; }
            });
        }
    }
    CHECK(good == std::vector<int>(4, 20));
}
