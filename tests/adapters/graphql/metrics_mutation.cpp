#include <adapters/graphql/metrics_mutation.hpp>

#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using adapters::graphql::change;
using adapters::graphql::creation;
using adapters::graphql::metrics_mutation;
using adapters::graphql::metrics_owner;
using adapters::graphql::request_of;
using nlohmann::json;

TEST_CASE("a request makes and changes records in their order, under names of its own") {
    const metrics_owner of{"acc", "items"};
    const std::vector<metrics_mutation> all{creation(of, "k1", {{"count", 1}}, "now"),
                                            change(of, "k2", {{"count", 2}}, "now", {{"count", {{"eq", 1}}}}),
                                            change(of, "k3", {{"count", 3}}, "now")};
    const auto request = request_of(all, {.name = "Tally"});
    CHECK(request.first ==
          "mutation Counts($i0: CreateTallyInput!, $i1: UpdateTallyInput!, $c1: ModelTallyConditionInput,"
          " $i2: UpdateTallyInput!) { m0: createTally(input: $i0) { ...counts }"
          " m1: updateTally(input: $i1, condition: $c1) { ...counts } m2: updateTally(input: $i2) { ...counts } }"
          " fragment counts on Tally { accountId compositeKey recordType timeRangeStart timeRangeEnd numberOfMinutes"
          " count complete createdAt updatedAt }");
    CHECK(
        request.second ==
        json{{"i0",
              {{"accountId", "acc"}, {"compositeKey", "k1"}, {"count", 1}, {"createdAt", "now"}, {"updatedAt", "now"}}},
             {"i1", {{"accountId", "acc"}, {"compositeKey", "k2"}, {"count", 2}, {"updatedAt", "now"}}},
             {"c1", {{"count", {{"eq", 1}}}}},
             {"i2", {{"accountId", "acc"}, {"compositeKey", "k3"}, {"count", 3}, {"updatedAt", "now"}}}});
}
