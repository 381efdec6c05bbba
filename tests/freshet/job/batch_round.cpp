#include <freshet/job/batch_round.hpp>

#include <chrono>
#include <string>

#include <doctest/doctest.h>

namespace {

using freshet::batch_round;
using freshet::errc;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};

} // namespace

TEST_CASE("a round and its groups have names of their own") {
    const auto round = *batch_round::of("labels", sunday);
    CHECK(round.key() == "labels@2025-01-15T10:00:00.000000Z");
    CHECK(round.key("letter", "IMAGE 7") == "labels@2025-01-15T10:00:00.000000Z/letter/IMAGE%207");
    CHECK(round.key("letter", std::string(500, 'x')).size() < 200);
    CHECK(round.due() == sunday);
}

TEST_CASE("a job without a name, and an instant without a year of four digits, have no round") {
    CHECK(batch_round::of("", sunday).why() == freshet::error{errc::malformed, "batch job: it has no name"});
    CHECK(batch_round::of("labels", freshet::time_point::max()).why().code == errc::malformed);
}

TEST_CASE("a letter knows its round, and no other job's") {
    const auto round = *batch_round::of("labels", sunday);
    const auto letter = round.letter("a/b", {errc::failed, "why"}, 2, sunday);
    CHECK(letter.id == "2025-01-15T10:00:00.000000Z/a/b");
    CHECK(batch_round::of("labels", letter)->due() == sunday);
    CHECK(batch_round::of("metadata", letter).why() ==
          freshet::error{errc::malformed,
                         "dead letter 2025-01-15T10:00:00.000000Z/a/b of labels: it is of no group of "
                         "the job metadata"});
    for (const auto* id : {"", "2025-01-15T10:00:00.000000Z", "2025-01-15/a/b", "2025-01-15T10:00:00.000000Z/a"}) {
        auto other = letter;
        other.id = id;
        CHECK(!batch_round::of("labels", other));
    }
}
