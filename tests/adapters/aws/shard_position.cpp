#include <adapters/aws/shard_position.hpp>

#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/core/time.hpp>

#include <adapters/stream_place.hpp>
#include <support/cases.hpp>

using adapters::aws::position_of;
using adapters::aws::read_shard_position;
using adapters::aws::shard_place;
using adapters::aws::shard_position;
using namespace std::chrono_literals;

namespace {

const std::string stream = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2025-01-15T10:13:20.000";
const freshet::time_point now{1'736'936'000s + 999'999us};

auto sequence(const std::string& digits) -> freshet::sequence_number {
    return *freshet::sequence_number::parse(digits);
}

auto one_of_each() -> shard_position {
    auto looked = shard_place::after(sequence("1100000000017454423009"));
    looked.ended_at = std::chrono::floor<std::chrono::seconds>(now);
    return {stream,
            "shardId-2",
            17,
            {{"shardId-1", shard_place::after(sequence("007"))},
             {"shardId-2", looked},
             {"shardId-3", shard_place::at(sequence(std::string(40, '9')))},
             {"shardId-4", shard_place::start(now)},
             {"shardId-5", shard_place::latest(now, stream + "|1|AAA+/ ~9:==")},
             {"shardId-6", shard_place::done(now)}}};
}

void check_malformed(const std::string& text) {
    CAPTURE(text);
    const auto read = read_shard_position(text);
    REQUIRE(!read.ok());
    CHECK(read.why().code == freshet::errc::malformed);
    CHECK(read.why().note.find('\n') == std::string::npos);
}

} // namespace

TEST_CASE("a position says which stream, whose turn it was and how far each shard was read, in as little text") {
    const auto text = position_of(one_of_each());
    CHECK(text.starts_with("7:shards178:arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/"));
    CHECK(text.find("9:shardId-14:a007") != std::string::npos);
    CHECK(text.find("9:shardId-412:s~1736936000") != std::string::npos);
    const auto read = read_shard_position(text);
    REQUIRE(read.ok());
    CHECK(read->stream == stream);
    CHECK(read->turn == "shardId-2");
    CHECK(read->given == 17);
    CHECK(read->places == one_of_each().places);
    CHECK(position_of(*read) == text);
    const auto bare = read_shard_position(position_of({stream}));
    REQUIRE(bare.ok());
    CHECK(bare->turn.empty());
    CHECK(bare->places.empty());
}

TEST_CASE("an instant before 1970 is kept too") {
    const auto past = shard_place::done(freshet::time_point{-1us});
    const auto read = read_shard_position(position_of({stream, {}, 0, {{"s", past}}}));
    REQUIRE(read.ok());
    CHECK(read->places.at("s").ended_at == std::chrono::sys_seconds{-1s});
}

TEST_CASE("what is no position is malformed, in one line") {
    for (const std::string bad : {"", "x", "@", "17", "-1", "{}", "7:shards1", "7:shards20:0:1:0"}) {
        check_malformed(bad);
    }
    check_malformed(adapters::position_of(stream, 17)); // of another kind of stream
    const auto with = [](const std::string& place) {
        return position_of({stream}) + "1:s" + std::to_string(place.size()) + ":" + place;
    };
    CHECK(read_shard_position(with("a7")).ok());
    CHECK(read_shard_position(with("l~1 x")).ok());
    for (const std::string bad : {"",
                                  "a",
                                  "a7 ",
                                  "a-7",
                                  "a7~",
                                  "a7~x",
                                  "a7~01",
                                  "a7~1.5",
                                  "a7~99999999999999",
                                  "a7 iterator",
                                  "@",
                                  "@7~1",
                                  "s",
                                  "s7~1",
                                  "s~1 x",
                                  "d",
                                  "d~+1",
                                  "l~1",
                                  "l~1 ",
                                  "l x",
                                  "x~1",
                                  "~1",
                                  "a7\n"}) {
        check_malformed(with(bad));
    }
    const auto good = with("a7");
    check_malformed(good + "1:s2:a7");                         // a shard twice
    check_malformed(position_of({stream}) + "1:t2:a71:s2:a7"); // in another order
    check_malformed(position_of({stream}) + "0:2:a7");         // a shard without a name
    check_malformed("07" + good.substr(1));                    // a number spelled otherwise
    check_malformed(position_of({"stream"}));
    check_malformed("7:shards17:arn:a:x0:2:-1");
    check_malformed("7:shards17:arn:a:x0:0:");
    CHECK(read_shard_position("7:shards17:arn:a:x0:1:0").ok());
}

TEST_CASE("a position that was cut, lengthened or changed in one byte is malformed, or says what it says") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto good = position_of(one_of_each());
    std::vector<std::string> changed;
    for (std::size_t at = 0; at < good.size(); ++at) {
        changed.push_back(good.substr(0, at));
        auto other = good;
        other[at] = static_cast<char>(random() % 256);
        changed.push_back(std::move(other));
    }
    for (std::size_t byte = 0; byte < 256; ++byte) { changed.push_back(good + static_cast<char>(byte)); }
    for (const auto& text : changed) {
        const auto read = read_shard_position(text);
        if (read) {
            CHECK(position_of(*read) == text);
        } else {
            CHECK(read.why().code == freshet::errc::malformed);
        }
    }
}
