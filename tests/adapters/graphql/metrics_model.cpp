#include <adapters/graphql/metrics_model.hpp>

#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

using adapters::graphql::bucket_key;
using adapters::graphql::metrics_owner;
using adapters::graphql::owner_of;
using namespace std::chrono_literals;

TEST_CASE("an owner's type is what the model calls the table, or the table's own name") {
    CHECK(owner_of({"items", "a"}, {})->type == "items");
    CHECK(owner_of({"score_results", "a"}, {})->type == "scoreResults");
    CHECK(owner_of({"items", "a"}, {.record_types = {{"items", "things"}}})->type == "things");
    CHECK(owner_of({"items", "a"}, {})->account == "a");
}

TEST_CASE("names that cannot be keys are malformed, in one line that names them") {
    const auto wrong = owner_of({"items", ""}, {});
    REQUIRE(!wrong.ok());
    CHECK(wrong.why() ==
          freshet::error{freshet::errc::malformed, "GraphQL counts of items / : a table and an account are needed"});
    CHECK(!owner_of({"items", "a\xc3"}, {}).ok());
    CHECK(owner_of({"items", std::string(2'048, 'a')}, {}).ok());
    CHECK(owner_of({std::string(960, 't'), "a"}, {}).ok());
}

TEST_CASE("keys say type, start and minutes, ascend by start, and are those of no run") {
    const metrics_owner of{"a", "items"};
    const freshet::time_point noon{std::chrono::sys_days{std::chrono::year{2024} / 1 / 19} + 12h};
    CHECK(bucket_key(of, {1min, noon}) == "items#2024-01-19T12:00:00Z#1");
    CHECK(bucket_key(of, {24h, noon}) == "items#2024-01-19T12:00:00Z#1440");
    CHECK(bucket_key(of, {60min, noon}) < bucket_key(of, {1min, noon + 1min}));
    CHECK(adapters::graphql::run_key(of) == "items#run");
}
