#include <metrics/event_pairs.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

/// An event of one new item, made at this time; without one where the text is empty.
auto event_of(const std::string& created_at) -> std::string {
    const auto time = created_at.empty() ? "" : R"(,"createdAt":{"S":")" + created_at + "\"}";
    return R"({"Records":[{"eventID":"1","eventName":"INSERT","eventSourceARN":)"
           R"("arn:aws:dynamodb:eu-west-1:123456789012:table/Item-abc/stream/2024-01-01T00:00:00.000",)"
           R"("dynamodb":{"Keys":{"id":{"S":"1"}},"SequenceNumber":"111","NewImage":)"
           R"({"id":{"S":"1"},"accountId":{"S":"acc"})" +
           time + "}}}]}";
}

} // namespace

TEST_CASE("a record without a readable time is told, and its pair is counted all the same") {
    for (const auto* created_at : {"", "soon", "9999-12-31T23:30:00Z"}) {
        CAPTURE(created_at);
        const auto pairs = metrics::read_event(event_of(created_at), "");
        REQUIRE(pairs.ok());
        REQUIRE(pairs->affected.size() == 1);
        CHECK(pairs->affected.begin()->first == freshet::series_key{"items", "acc"});
        CHECK(pairs->affected.begin()->second.empty());
        CHECK(pairs->notes() == std::vector<std::string>{"1 ignored - no readable createdAt"});
    }
    const auto good = metrics::read_event(event_of("9999-12-31T22:30:00Z"), "");
    REQUIRE(good.ok());
    CHECK(good->affected.begin()->second.ranges().size() == 1);
    CHECK(good->notes().empty());
}
