#include <adapters/aws/change_stream.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/aws/shard_position.hpp>
#include <adapters/change_record.hpp>
#include <laws/change_stream.hpp>
#include <support/cases.hpp>

#include "stream_fixture.hpp"

using namespace std::chrono_literals;
using fake_aws::fault;
using fake_aws::fault_kind;
using fake_aws::testing::manual_clock;
using freshet::errc;
using laws::got;
using nlohmann::json;

using one_shard = fake_aws::testing::streamed<1, false>;
using four_shards = fake_aws::testing::streamed<4, false>;

namespace {

/// Puts a row, which is another one each time: a write that changes nothing is no change.
template <class Fixture>
void put_numbered(Fixture& fixture, const freshet::row_key& key, std::size_t number) {
    const auto text = R"({"PK":{"S":")" + key.partition + R"("},"SK":{"S":")" + key.sort + R"("},"n":{"N":")" +
                      std::to_string(number) + R"("}})";
    REQUIRE(fixture.table().put(laws::item(text)).ok());
}
template <class Fixture>
void put(Fixture& fixture, const std::string& partition, const std::vector<std::string>& sorts) {
    static std::size_t number = 0;
    for (const auto& sort : sorts) { put_numbered(fixture, {partition, sort}, ++number); }
}

[[nodiscard]] auto number_in(const freshet::change<freshet::document>& change) -> std::size_t {
    return std::stoul(laws::text_of(*change.after, "n"));
}

/// The sort keys of what one read gives; "gap" before them where there is one.
template <class Stream>
[[nodiscard]] auto read_some(Stream& stream, freshet::stream_position& at, std::size_t limit = 100) -> std::string {
    const auto batch = got(stream.read(at, limit));
    std::string seen = batch.gap ? "gap" : "";
    for (const auto& change : batch.changes) { (seen += seen.empty() ? "" : " ") += change.key.sort; }
    at = batch.next;
    return seen;
}

/// The same to the end.
template <class Stream>
[[nodiscard]] auto read_all(Stream& stream, freshet::stream_position& at, std::size_t limit = 100) -> std::string {
    std::string all;
    while (true) {
        const auto some = read_some(stream, at, limit);
        if (some.empty()) { return all; }
        (all += all.empty() ? "" : " ") += some;
    }
}

/// How many requests the calls in between made, by operation.
class request_count {
public:
    explicit request_count(const fake_aws::server& of) : server_{of}, before_{of.requests()} {}
    [[nodiscard]] auto operator()(std::string_view operation) const -> std::size_t {
        const auto found = before_.find(operation);
        return server_.requests(operation) - (found == before_.end() ? 0 : found->second);
    }
    [[nodiscard]] auto all() const -> std::size_t {
        return (*this)("GetRecords") + (*this)("GetShardIterator") + (*this)("DescribeStream");
    }

private:
    const fake_aws::server& server_;
    std::map<std::string, std::size_t, std::less<>> before_;
};

[[nodiscard]] auto refused(std::string operation, std::string name, std::size_t times = 1) -> fault {
    return {.kind = fault_kind::error_json,
            .operation = std::move(operation),
            .times = times,
            .name = std::move(name),
            .status = 400};
}

[[nodiscard]] auto places_in(const freshet::stream_position& position) -> adapters::aws::shard_places {
    return got(adapters::aws::read_shard_position(position)).places;
}

} // namespace

TEST_CASE("a stream is opened where there is one with both images, and denied in one line where there is not") {
    one_shard on;
    const auto why = [&](const std::string& table) {
        const auto opened = one_shard::stream_type::open(on.client(), on.clock(), {.name = table});
        REQUIRE(!opened.ok());
        CHECK(opened.why().code == errc::denied);
        CHECK(opened.why().note.starts_with("stream of table " + table + ": "));
        CHECK(opened.why().note.find('\n') == std::string::npos);
        return opened.why().note;
    };
    CHECK(why("nowhere").find("no such table") != std::string::npos);
    CHECK(why("state").find("no stream of new and old images") != std::string::npos);
    const auto keys_only = R"({"TableName":"bare","BillingMode":"PAY_PER_REQUEST",)"
                           R"("AttributeDefinitions":[{"AttributeName":"PK","AttributeType":"S"}],)"
                           R"("KeySchema":[{"AttributeName":"PK","KeyType":"HASH"}],)"
                           R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}})";
    REQUIRE(on.client().call(adapters::aws::dynamodb, "CreateTable", keys_only).body.ok());
    CHECK(why("bare").find("no stream of new and old images") != std::string::npos);
}

TEST_CASE("a stream is opened by who may describe the table, and not its time to live") {
    one_shard on;
    on.fake().faults().add(refused("DescribeTimeToLive", "AccessDeniedException", fake_aws::always));
    CHECK(one_shard::stream_type::open(on.client(), on.clock(), {.name = one_shard::name}).ok());
}

TEST_CASE("a record is what Lambda delivers: the service's bytes and the stream's name") {
    one_shard on;
    auto at = got(on.stream().latest());
    REQUIRE(on.table().put(laws::item(R"({"PK":{"S":"}"},"SK":{"S":"}}"},"n":{"N":"1.50"}})")).ok());
    const auto batch = got(on.stream().read(at, 1));
    REQUIRE(batch.changes.size() == 1);
    const auto& record = batch.changes[0].record;
    const auto arn = got(adapters::aws::read_shard_position(at)).stream;
    CHECK(record.ends_with(",\"eventSourceARN\":\"" + arn + "\"}"));
    CHECK(record.find("eventSourceARN") == record.rfind("eventSourceARN"));
    CHECK(laws::tells_the_same(batch.changes[0]));
}

TEST_CASE("a record that names its stream keeps its bytes") {
    const std::string text = R"({"eventName":"REMOVE","eventSourceARN":"arn:x","dynamodb":{"Keys":{"PK":{"S":"P"}},)"
                             R"("SequenceNumber":"7"} } )";
    freshet::event_decoder decoder;
    const auto event = "{\"Records\":[" + text + "]}";
    const auto records = decoder.decode(event);
    REQUIRE(records.ok());
    const auto& record = records->front();
    CHECK(adapters::aws::delivered_record(record, "arn:y") == text.substr(0, text.rfind('}') + 1));
    const auto change = adapters::aws::change_of<freshet::document>(record, {.sort = ""}, "arn:y");
    REQUIRE(change.ok());
    CHECK(change->key == freshet::row_key{"P", ""});
    CHECK(!change->made_at);
    const auto keyless = adapters::aws::change_of<freshet::document>(record, {}, "arn:y");
    CHECK(laws::code_of(keyless) == errc::malformed);
}

TEST_CASE("a change whose image nobody can read is given without sides, its record whole, between those around it") {
    one_shard on;
    const auto start = got(on.stream().latest());
    const auto spoilt = [&](const char* sort, const std::function<void(json&)>& spoil) {
        put(on, "P", {sort});
        on.fake().dynamodb().spoil_newest_record(one_shard::name, spoil);
    };
    put(on, "P", {"1"});
    spoilt("2", [](json& record) { record["dynamodb"]["NewImage"]["odd"]["Q"] = "?"; });
    spoilt("3", [](json& record) {
        record["eventName"] = "REMOVE";
        record["eventSourceARN"] = "arn:x";
        record["dynamodb"]["OldImage"] = "none";
    });
    spoilt("4", [](json& record) { record["eventName"] = "RENAME"; });
    put(on, "P", {"5"});
    for (const std::size_t limit : {1U, 2U, 9U}) {
        CAPTURE(limit);
        auto at = start;
        CHECK(read_all(on.stream(), at, limit) == "1 2 3 4 5");
    }
    const auto batch = got(on.stream().read(start, 9));
    REQUIRE(batch.changes.size() == 5);
    using freshet::change_kind;
    const change_kind kinds[]{change_kind::insert, change_kind::remove, change_kind::modify};
    for (std::size_t i = 1; i < 4; ++i) {
        CAPTURE(i);
        const auto& change = batch.changes[i];
        CHECK(change.key == freshet::row_key{"P", std::to_string(i + 1)});
        CHECK(batch.changes[i - 1].sequence < change.sequence);
        CHECK(change.kind == kinds[i - 1]);
        CHECK(!change.before);
        CHECK(!change.after);
        const auto event = "{\"Records\":[" + change.record + "]}";
        freshet::event_decoder decoder;
        const auto records = decoder.decode(event);
        REQUIRE(records.ok());
        REQUIRE(records->size() == 1);
        CHECK(!records->front().ok());
        CHECK(records->front().sequence() == change.sequence.view());
        const auto arn = i == 2 ? "arn:x" : got(adapters::aws::read_shard_position(start)).stream;
        CHECK(json::parse(change.record)["eventSourceARN"] == arn);
    }
    CHECK(laws::tells_the_same(batch.changes[4]));
}

TEST_CASE("a record without a readable key fails a read where it is the first, is named, and holds up no other shard") {
    four_shards on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2", "3"});
    on.fake().dynamodb().spoil_newest_record(four_shards::name, [](json& record) {
        record["dynamodb"]["Keys"]["PK"] = {{"BOOL", true}};
    });
    put(on, "P", {"4"});
    const auto batch = got(on.stream().read(at, 9));
    REQUIRE(batch.changes.size() == 2);
    CHECK(on.stream().position_after(batch, 1) == batch.next);
    at = batch.next;
    for (int i = 0; i < 12; ++i) { put(on, "Q" + std::to_string(i), {"x"}); } // some of them in the same shard
    std::size_t others = 0;
    auto rest = on.stream().read(at, 1);
    for (; rest; rest = on.stream().read(at, 1)) {
        REQUIRE(rest->changes.size() == 1);
        CHECK(rest->changes[0].key.sort == "x");
        at = rest->next;
        ++others;
    }
    CHECK(others > 0);
    CHECK(others < 12);
    CHECK(rest.why().code == errc::malformed);
    CHECK(rest.why().note.starts_with("stream of table items: shard shardId-"));
    CHECK(rest.why().note.find(": the record 1000000000") != std::string::npos);
    auto other = on.open();
    CHECK(laws::code_of(other.read(at, 9)) == errc::malformed);
}

TEST_CASE("a record without a readable number fails a read where it is the first, and not before") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2"});
    on.fake().dynamodb().spoil_newest_record(one_shard::name,
                                             [](json& record) { record["dynamodb"].erase("SequenceNumber"); });
    CHECK(read_some(on.stream(), at) == "1");
    const auto failed = on.stream().read(at, 9);
    REQUIRE(!failed.ok());
    CHECK(failed.why().code == errc::malformed);
    CHECK(failed.why().note.find("the record without a readable number: a record without SequenceNumber") !=
          std::string::npos);
}

TEST_CASE("a stream whose images nobody reads gives the same records without them") {
    one_shard on;
    const auto start = got(on.stream().latest());
    put(on, "P", {"1", "2"});
    REQUIRE(on.table().erase({"P", "1"}).ok());
    auto records = got(adapters::aws::change_stream<manual_clock, adapters::unread>::open(on.client(), on.clock(),
                                                                                          {.name = one_shard::name}));
    const auto full = got(on.stream().read(start, 9));
    const auto bare = got(records.read(start, 9));
    REQUIRE(bare.changes.size() == 3);
    CHECK(bare.next == full.next);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(bare.changes[i].record == full.changes[i].record);
        CHECK(bare.changes[i].kind == full.changes[i].kind);
        CHECK(bare.changes[i].key == full.changes[i].key);
        CHECK(!bare.changes[i].before);
        CHECK(!bare.changes[i].after);
    }
}

TEST_CASE("steady reading is one request a call, and so is reading a position again") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    CHECK(read_some(on.stream(), at) == "1");
    const request_count made{on.fake()};
    for (int i = 0; i < 5; ++i) {
        put(on, "P", {"a", "b"});
        const auto from = at;
        CHECK(read_some(on.stream(), at, 1) == "a");
        at = from;
        CHECK(read_some(on.stream(), at, 9) == "a b");
    }
    CHECK(made("GetRecords") == 10);
    CHECK(made.all() == 10);
    CHECK(read_some(on.stream(), at).empty()); // looks more than once before it believes in an end
    const request_count idle{on.fake()};
    for (int i = 0; i < 5; ++i) { CHECK(read_some(on.stream(), at).empty()); }
    CHECK(idle.all() == 5);
    CHECK(idle("GetRecords") == 5);
}

TEST_CASE("a position does not change while nothing happens, and is dated anew every few minutes") {
    four_shards on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    CHECK(read_some(on.stream(), at) == "1");
    const auto first = at;
    CHECK(read_some(on.stream(), at).empty());
    on.clock().advance(4min + 59s);
    CHECK(read_some(on.stream(), at).empty());
    CHECK(at == first);
    on.clock().advance(1s);
    CHECK(read_some(on.stream(), at).empty());
    CHECK(at != first);
    const auto renewed = at;
    CHECK(read_some(on.stream(), at).empty());
    CHECK(at == renewed);
    for (const auto& [shard, place] : places_in(at)) {
        CHECK(place.ended_at == std::chrono::floor<std::chrono::seconds>(on.clock().now()));
    }
    put(on, "P", {"2"});
    for (auto from : {first, renewed}) {
        CHECK(read_all(on.stream(), from) == "2");
        auto other = on.open();
        CHECK(read_all(other, from = renewed) == "2");
    }
}

TEST_CASE("shards take turns, so that a busy one does not hold up the others, in an order that no limit changes") {
    four_shards on;
    on.restart(3);
    const auto start = got(on.stream().oldest());
    for (int i = 0; i < 10; ++i) { put(on, "P" + std::to_string(i), {"v", "w", "x", "y", "z"}); }
    std::vector<std::string> order;
    for (const std::size_t limit : {100U, 1U, 2U, 3U, 4U}) {
        CAPTURE(limit);
        std::vector<std::string> shards; // that each change came from
        std::vector<std::string> records;
        auto at = start;
        while (true) {
            const auto batch = got(on.stream().read(at, limit));
            if (batch.changes.empty()) { break; }
            CHECK(on.stream().position_after(batch, batch.changes.size() - 1) == batch.next);
            for (std::size_t i = 0; i < batch.changes.size(); ++i) {
                records.push_back(batch.changes[i].record);
                const auto place = got(adapters::aws::read_shard_position(on.stream().position_after(batch, i)));
                shards.push_back(place.turn);
                CHECK(place.given == 1 + (shards.size() - 1) % 3);
            }
            at = batch.next;
            if (shards.size() == 12) { CHECK(std::set<std::string>{shards.begin(), shards.end()}.size() == 4); }
            if (shards.size() >= 12) { break; }
        }
        CHECK(shards.size() == 12);
        if (order.empty()) { order = records; }
        CHECK(records == order);
    }
}

TEST_CASE("a position that is read again begins with the same changes, whichever shard has received more since") {
    for (int n = 0; n < 6; ++n) { // of partitions in several shards
        const auto partition = "P" + std::to_string(n);
        four_shards on;
        const auto start = got(on.stream().latest());
        put(on, partition, {"1", "2"});
        const auto once = got(on.stream().read(start, 9));
        REQUIRE(once.changes.size() == 2);
        for (int i = 0; i < 20; ++i) { put(on, "Q" + std::to_string(i), {"x"}); }
        put(on, partition, {"3"});
        for (const std::size_t limit : {2U, 90U}) {
            const auto again = got(on.stream().read(start, limit));
            REQUIRE(again.changes.size() >= 2);
            CHECK(again.changes[0].record == once.changes[0].record);
            CHECK(again.changes[1].record == once.changes[1].record);
        }
    }
}

TEST_CASE("a shard's changes are read to the end before those of its children, which are read in the same call") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2"});
    on.split(2);
    put(on, "P", {"3"});
    on.split(1);
    on.split(2);
    put(on, "P", {"4"});
    CHECK(read_some(on.stream(), at, 1) == "1");
    CHECK(read_some(on.stream(), at) == "2");
    CHECK(read_some(on.stream(), at) == "3");
    CHECK(read_some(on.stream(), at) == "4");
    CHECK(read_some(on.stream(), at).empty());
    CHECK(places_in(at).size() == 4); // the newest
}

TEST_CASE("what is written into the children of a shard that was read long ago is found at once") {
    one_shard on;
    auto at = got(on.stream().latest());
    for (int i = 0; i < 5; ++i) {
        put(on, "P", {"1"});
        CHECK(read_all(on.stream(), at) == "1");
        on.split(1);
        put(on, "P", {"2"});
        CHECK(read_some(on.stream(), at) == "2");
    }
}

TEST_CASE("more shards than one answer lists are read") {
    fake_aws::testing::streamed<130, false> on;
    auto at = got(on.stream().latest());
    CHECK(places_in(at).size() == 130);
    std::vector<int> times(30);
    for (int i = 0; i < 30; ++i) { put(on, "P" + std::to_string(i), {"x"}); }
    for (auto batch = got(on.stream().read(at, 9)); !batch.changes.empty(); batch = got(on.stream().read(at, 9))) {
        for (const auto& change : batch.changes) { ++times.at(std::stoul(change.key.partition.substr(1))); }
        at = batch.next;
    }
    CHECK(times == std::vector<int>(30, 1));
}

TEST_CASE("answers without records are not the end") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2"});
    on.fake().dynamodb().answer_empty(3);
    CHECK(read_some(on.stream(), at, 1) == "1");
    on.fake().dynamodb().answer_empty(3);
    CHECK(read_some(on.stream(), at) == "2");
    put(on, "P", {"3"});
    on.fake().dynamodb().answer_empty(10);
    for (int i = 0; i < 10; ++i) { static_cast<void>(on.stream().read(at, 1)); } // in the end it gets through
    CHECK(read_some(on.stream(), at) == "3");
    put(on, "P", {"4"});
    on.split(2);
    on.fake().dynamodb().answer_empty(50);
    auto other = on.open();
    CHECK(read_some(other, at) == "4"); // a shard that is listed as closed has an end
    const auto oldest = got(on.stream().oldest());
    on.fake().dynamodb().answer_empty(3);
    CHECK(got(on.stream().oldest()) == oldest);
}

TEST_CASE("iterators that expire are made anew from the position") {
    four_shards on;
    auto at = got(on.stream().oldest());
    put(on, "P", {"1", "2", "3"});
    put(on, "Q", {"1", "2", "3"});
    std::size_t seen = 0;
    while (seen < 6) {
        REQUIRE(read_some(on.stream(), at, 1).size() == 1);
        ++seen;
        if (seen % 2 == 0) {
            on.fake().dynamodb().expire_iterators();
        } else {
            on.clock().advance(15min);
        }
    }
    CHECK(read_some(on.stream(), at).empty());
    on.fake().dynamodb().expire_iterators();
    CHECK(read_some(on.stream(), at).empty());
    put(on, "P", {"4"});
    CHECK(read_all(on.stream(), at) == "4");
    on.fake().faults().add(refused("GetRecords", "ExpiredIteratorException", fake_aws::always));
    const auto failed = on.stream().read(at, 9);
    CHECK(laws::code_of(failed) == errc::unavailable);
    on.fake().faults().clear();
    CHECK(read_all(on.stream(), at).empty());
}

TEST_CASE("a position from latest that nobody has read for a quarter of an hour loses nothing and repeats little") {
    four_shards on;
    put(on, "P", {"long before"});
    on.split(1);
    put(on, "P", {"before"});
    on.clock().advance(adapters::aws::shard_rules{}.uncertainty + 1s);
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    on.clock().advance(15min);
    put(on, "P", {"2"});
    on.split(2);
    put(on, "P", {"3"});
    auto early = at;
    auto other = on.open();
    CHECK(read_all(other, early) == "1 2 3");
    CHECK(read_all(on.stream(), at, 1) == "1 2 3");

    one_shard near;
    put(near, "P", {"long before"});
    near.clock().advance(adapters::aws::shard_rules{}.uncertainty + 1s);
    put(near, "P", {"just before"});
    near.clock().advance(1s);
    at = got(near.stream().latest());
    near.fake().dynamodb().expire_iterators();
    CHECK(read_all(near.stream(), at) == "just before");
}

TEST_CASE("what is behind a position whose iterator expired is passed over in large pages, whatever the limit") {
    one_shard on;
    for (int i = 0; i < 60; ++i) { put(on, "P", {"long before"}); }
    on.clock().advance(adapters::aws::shard_rules{}.uncertainty + 1s);
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2", "3"});
    on.fake().dynamodb().expire_iterators();
    const auto start = at;
    const request_count made{on.fake()};
    CHECK(read_some(on.stream(), at, 1) == "1");
    CHECK(made("GetRecords") == 2); // the expired one, and a page
    CHECK(read_all(on.stream(), at, 1) == "2 3");
    for (const std::size_t limit : {2U, 3U, 4U}) {
        CHECK(read_all(on.stream(), at = start, limit) == "1 2 3");
        CHECK(got(on.stream().read(start, limit)).next == got(on.stream().read(start, limit)).next);
    }
}

TEST_CASE("a record that cannot be read is passed over with those around it") {
    one_shard on;
    const auto spoil = [&] {
        on.fake().dynamodb().spoil_newest_record(
            one_shard::name, [](json& record) { record["dynamodb"]["NewImage"]["odd"]["Q"] = "?"; });
    };
    put(on, "P", {"before", "spoilt before"});
    spoil();
    put(on, "P", {"read before"});
    on.clock().advance(adapters::aws::shard_rules{}.uncertainty + 1s);
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    spoil();
    put(on, "P", {"2", "3"});
    spoil();
    on.fake().dynamodb().expire_iterators();
    CHECK(read_all(on.stream(), at) == "1 2 3");
    on.clock().advance(10min);
    CHECK(read_all(on.stream(), at).empty());
    put(on, "P", {"4"});
    spoil();
    put(on, "P", {"5"});
    on.fake().faults().add(refused("GetShardIterator", "TrimmedDataAccessException")); // it begins at the first record
    on.restart();
    CHECK(read_all(on.stream(), at) == "4 5");
}

TEST_CASE("a position is dated by the service's time, as soon as the client knows how the machine's differs") {
    for (const freshet::duration ahead : {freshet::duration{-3h}, freshet::duration{3h}}) {
        one_shard on;
        put(on, "P", {"long before"});
        on.clock().advance(1h);
        manual_clock clock{on.clock().now() - ahead}; // of a machine that is behind
        on.fake().faults().add({.kind = fault_kind::clock_skew, .times = fake_aws::always, .span = ahead});
        auto stream = got(one_shard::stream_type::open(on.client(), clock, {.name = one_shard::name}));
        const auto offset = on.client().clock_offset();
        REQUIRE(offset >= ahead - 5min);
        REQUIRE(offset <= ahead + 5min);
        auto at = got(stream.latest());
        for (const auto& [shard, place] : places_in(at)) { CHECK(place.ended_at == clock.now() + offset); }
        put(on, "P", {"1"});
        on.fake().dynamodb().expire_iterators();
        CHECK(read_all(stream, at) == "1");
    }
}

TEST_CASE("an answer that lists no shards is an outage, and no stream without shards") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    on.restart();
    on.fake().faults().add({.kind = fault_kind::error_json, .operation = "DescribeStream", .times = 3, .status = 200});
    const auto check = [](const auto& answer) {
        REQUIRE(!answer.ok());
        CHECK(answer.why().code == errc::unavailable);
        CHECK(answer.why().note == "stream of table items: DescribeStream: the answer lists no shards");
    };
    check(on.stream().read(at, 9));
    check(on.stream().latest());
    check(on.stream().oldest());
    CHECK(read_all(on.stream(), at) == "1");
}

TEST_CASE("a position from latest that is read in silence goes on for days") {
    one_shard on;
    put(on, "P", {"before"});
    auto at = got(on.stream().latest());
    for (int i = 0; i < 300; ++i) {
        on.clock().advance(10min);
        if (i % 50 == 0) { on.split(1); }
        if (i % 7 == 0) { on.restart(); }
        CHECK(read_some(on.stream(), at).empty());
    }
    put(on, "P", {"1"});
    CHECK(read_all(on.stream(), at) == "1");
}

TEST_CASE("a position from latest that nobody has read for a day is a gap, once") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    on.clock().advance(1h);
    put(on, "P", {"2"});
    on.clock().advance(23h);
    CHECK(read_all(on.stream(), at) == "gap 2");
    put(on, "P", {"3"});
    CHECK(read_all(on.stream(), at) == "3");
}

TEST_CASE("changes that are trimmed while they are read are a gap, and reading goes on behind it") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2"});
    CHECK(read_some(on.stream(), at, 1) == "1");
    on.trim();
    put(on, "P", {"3", "4"});
    auto from = at;
    CHECK(read_some(on.stream(), at, 1) == "gap 3");
    CHECK(read_some(on.stream(), at, 1) == "4");
    at = from;
    CHECK(read_some(on.stream(), at) == "gap 3 4"); // for whoever reads there again
    CHECK(read_some(on.stream(), at).empty());
    auto oldest = got(on.stream().oldest());
    on.trim();
    auto other = on.open();
    CHECK(read_some(other, from = oldest) == "gap");
    CHECK(read_some(on.stream(), oldest) == "gap");
    CHECK(read_some(on.stream(), at).empty()); // had read them all
}

TEST_CASE("a shard that vanished before it was read to its end is a gap, one that was read is none") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1", "2"});
    CHECK(read_some(on.stream(), at, 1) == "1");
    auto read_out = at;
    CHECK(read_some(on.stream(), read_out, 9) == "2");
    on.split(2);
    CHECK(read_some(on.stream(), read_out, 9).empty());
    on.clock().advance(12h);
    on.split(1);
    CHECK(read_some(on.stream(), read_out, 9).empty());
    put(on, "P", {"3"});
    on.clock().advance(13h);
    CHECK(read_all(on.stream(), at) == "gap 3");
    auto other = on.open();
    CHECK(read_all(other, read_out) == "3");
}

TEST_CASE("the children of a shard that was done more than a day ago may have lost something") {
    one_shard on;
    const auto start = got(adapters::aws::read_shard_position(got(on.stream().oldest())));
    const auto& parent = start.places.begin()->first;
    on.split(1);
    put(on, "P", {"1"});
    const auto done = [&](freshet::duration ago) {
        const auto place = adapters::aws::shard_place::done(on.clock().now() - ago);
        return position_of(adapters::aws::shard_position{start.stream, {}, 0, {{parent, place}}});
    };
    on.clock().advance(1s);
    auto recently = done(23h);
    CHECK(read_all(on.stream(), recently) == "1");
    auto long_ago = done(24h);
    CHECK(read_all(on.stream(), long_ago) == "gap 1");
    on.clock().advance(1h);
    put(on, "P", {"2"});
    on.clock().advance(23h); // the parent is forgotten
    recently = done(23h);
    CHECK(read_all(on.stream(), recently) == "2");
    long_ago = done(24h);
    CHECK(read_all(on.stream(), long_ago) == "gap 2");
}

TEST_CASE("a reader whose clock is wrong loses nothing while it reads on") {
    for (const freshet::duration wrong : {freshet::duration{-3h}, freshet::duration{3h}}) {
        one_shard on;
        manual_clock clock{on.clock().now() + wrong};
        auto stream = got(one_shard::stream_type::open(on.client(), clock, {.name = one_shard::name}));
        auto at = got(stream.latest());
        for (int i = 0; i < 5; ++i) {
            if (i == 2) { on.fake().dynamodb().expire_iterators(); }
            CHECK(read_all(stream, at).empty());
            clock.advance(6min);
        }
        put(on, "P", {"1"});
        CHECK(read_all(stream, at) == "1");
        clock.advance(-6h);
        put(on, "P", {"2"});
        on.split(1);
        put(on, "P", {"3"});
        CHECK(read_all(stream, at) == "2 3");
    }
}

TEST_CASE("the service's refusal of a trimmed number is no gap where nothing followed it a short time ago") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    CHECK(read_all(on.stream(), at) == "1");
    const auto blind = at;
    on.clock().advance(10min);
    CHECK(read_all(on.stream(), at).empty());
    put(on, "P", {"2"});
    on.fake().faults().add(refused("GetShardIterator", "TrimmedDataAccessException"));
    on.restart();
    CHECK(read_all(on.stream(), at) == "2");
    on.fake().faults().add(refused("GetShardIterator", "TrimmedDataAccessException"));
    on.restart();
    CHECK(read_all(on.stream(), at = blind) == "gap 1 2");
}

TEST_CASE(
    "a stream that was made anew is another one: a gap to its reader, and no end without a word to who reads the old") {
    one_shard on;
    put(on, "P", {"1"});
    auto at = got(on.stream().oldest());
    REQUIRE(on.stream().save_checkpoint("reader", at).ok());
    REQUIRE(on.client().call(adapters::aws::dynamodb, "DeleteTable", R"({"TableName":"items"})").body.ok());
    on.clock().advance(1s);
    REQUIRE(adapters::aws::create_table(on.client(), {.name = "items"}, {.stream = true}).ok());
    put(on, "P", {"2"});
    auto other = on.open();
    auto kept = *got(other.checkpoint("reader"));
    CHECK(read_all(other, kept) == "gap 2");
    CHECK(read_some(on.stream(), at) == "1");
    const auto off = on.stream().read(at, 9);
    REQUIRE(!off.ok());
    CHECK(off.why().code == errc::denied);
    CHECK(off.why().note == "stream of table items: it is switched off, and all of it has been read");
    on.clock().advance(25h);
    CHECK(laws::code_of(on.stream().read(at, 9)) == errc::denied);
}

TEST_CASE("throttled, lost and broken answers fail the read or are repeated, and lose nothing") {
    four_shards on;
    const auto start = got(on.stream().oldest());
    for (int i = 0; i < 12; ++i) { put(on, "P" + std::to_string(i), {std::to_string(100 + i)}); }
    for (const auto& bad : std::vector<fault>{
             {.kind = fault_kind::throttled, .times = 2},
             {.kind = fault_kind::throttled, .times = 30, .name = "LimitExceededException"},
             {.kind = fault_kind::dropped, .times = 2, .done = true},
             {.kind = fault_kind::cut, .times = 30},
             {.kind = fault_kind::error_json, .times = 30},
             {.kind = fault_kind::error_xml, .times = 2},
             {.kind = fault_kind::html, .times = 30},
         }) {
        CAPTURE(static_cast<int>(bad.kind));
        auto at = start;
        auto stream = on.open();
        std::vector<std::string> seen;
        std::size_t failures = 0;
        on.fake().faults().add(bad);
        for (int reads = 0; reads < 200; ++reads) {
            const auto batch = stream.read(at, 2);
            if (!batch) {
                ++failures;
                CHECK(batch.why().code == (bad.kind == fault_kind::throttled ? errc::throttled
                                           : bad.kind == fault_kind::html    ? errc::denied
                                                                             : errc::unavailable));
                CHECK(batch.why().note.starts_with("stream of table items: "));
                CHECK(batch.why().note.find('\n') == std::string::npos);
                continue;
            }
            CHECK(!batch->gap);
            for (const auto& change : batch->changes) { seen.push_back(change.key.sort); }
            at = batch->next;
            if (batch->changes.empty()) { break; }
        }
        std::sort(seen.begin(), seen.end());
        REQUIRE(seen.size() == 12);
        CHECK(seen.front() == "100");
        CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
        CHECK((failures > 0) == (bad.times == 30));
        on.fake().faults().clear();
    }
}

TEST_CASE("a shard that cannot be read does not hold up the others") {
    four_shards on;
    auto at = got(on.stream().oldest());
    for (int i = 0; i < 12; ++i) { put(on, "P" + std::to_string(i), {"x"}); }
    static_cast<void>(read_all(on.stream(), at));
    for (int i = 0; i < 12; ++i) { put(on, "P" + std::to_string(i), {"y"}); }
    const std::size_t tries = 1 + on.fake().settings().retries.retries;
    on.fake().faults().add({.kind = fault_kind::throttled, .operation = "GetRecords", .times = tries});
    CHECK(!read_some(on.stream(), at).empty());
    on.fake().faults().clear();
    on.fake().faults().add({.kind = fault_kind::throttled, .operation = "GetRecords", .times = fake_aws::always});
    CHECK(laws::code_of(on.stream().read(at, 9)) == errc::throttled);
}

TEST_CASE("checkpoints are kept by the table's name, each position as it was, also in another process") {
    one_shard on;
    put(on, "P", {"1"});
    const auto at = got(on.stream().oldest());
    REQUIRE(on.stream().save_checkpoint("reader", at).ok());
    auto other = on.open();
    CHECK(*other.checkpoint("reader") == at);
    const auto items = on.fake().dynamodb().items("state");
    REQUIRE(items.size() == 1);
    CHECK(items[0]["id"]["S"] == "checkpoint/items/reader");
    auto nowhere = got(
        one_shard::stream_type::open(on.client(), on.clock(), {.name = one_shard::name}, {.checkpoints = "nowhere"}));
    CHECK(laws::code_of(nowhere.checkpoint("reader")) == errc::denied);
    const auto saved = nowhere.save_checkpoint("reader", at);
    REQUIRE(!saved.ok());
    CHECK(saved.why().code == errc::denied);
    CHECK(saved.why().note.starts_with("stream of table items: the checkpoint: "));
    // A write whose answer is lost is repeated.
    on.fake().faults().add({.kind = fault_kind::dropped, .operation = "PutItem", .done = true});
    CHECK(on.stream().save_checkpoint("reader", got(on.stream().latest())).ok());
}

TEST_CASE("a checkpoint's row without a position is denied: who begins anew would lose or repeat without a word") {
    one_shard on;
    for (const std::string position : {"", R"(,"position":{"N":"7"})", R"(,"position":{"S":""})"}) {
        CAPTURE(position);
        const auto request = R"({"TableName":"state","Item":{"id":{"S":"checkpoint/items/reader"})" + position + "}}";
        REQUIRE(on.client().call(adapters::aws::dynamodb, "PutItem", request).body.ok());
        const auto kept = on.stream().checkpoint("reader");
        REQUIRE(!kept.ok());
        CHECK(kept.why().code == errc::denied);
        CHECK(kept.why().note == "stream of table items: the checkpoint: its row in state has no position");
    }
    CHECK(!got(on.stream().checkpoint("another")));
}

TEST_CASE("a checkpoint of texts that are no UTF-8 is malformed, and none is kept in its place") {
    one_shard on;
    const auto at = got(on.stream().oldest());
    for (const std::string reader : {"\xff", "reader\xc3"}) {
        const auto saved = on.stream().save_checkpoint(reader, at);
        REQUIRE(!saved.ok());
        CHECK(saved.why().code == errc::malformed);
        CHECK(saved.why().note.starts_with("stream of table items: the checkpoint: no UTF-8 text: "));
        CHECK(laws::code_of(on.stream().checkpoint(reader)) == errc::malformed);
    }
    CHECK(laws::code_of(on.stream().save_checkpoint("reader", "\xff")) == errc::malformed);
    CHECK(on.fake().dynamodb().items("state").empty());
}

TEST_CASE("the list of shards is asked for seldom: when a shard ends, and when it is old") {
    one_shard on;
    auto at = got(on.stream().latest());
    put(on, "P", {"1"});
    CHECK(read_all(on.stream(), at) == "1");
    const request_count made{on.fake()};
    for (int i = 0; i < 10; ++i) {
        on.clock().advance(5s);
        CHECK(read_all(on.stream(), at).empty());
    }
    CHECK(made("DescribeStream") == 0);
    on.clock().advance(10s);
    CHECK(read_all(on.stream(), at).empty());
    CHECK(made("DescribeStream") == 1);
    on.split(2);
    CHECK(read_all(on.stream(), at).empty());
    CHECK(made("DescribeStream") == 2);
}

TEST_CASE("each item's changes come once and in order, whatever is written, split, expired and restarted when") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t run = 0; run < support::cases(12); ++run) {
        CAPTURE(run);
        std::mt19937_64 random{seed + run};
        const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
        four_shards on;
        std::size_t splits = 0;
        std::map<freshet::row_key, std::vector<std::size_t>> written; // the numbers that each item was given
        std::map<freshet::row_key, std::vector<std::size_t>> seen;
        std::size_t number = 0;
        const auto write = [&](bool counts) {
            const freshet::row_key key{"P" + std::to_string(below(6)), std::to_string(below(3))};
            put_numbered(on, key, ++number);
            if (counts) { written[key].push_back(number); }
        };
        const bool from_latest = run % 2 == 0;
        for (auto n = below(5); n > 0; --n) { write(!from_latest); }
        // A position from latest may repeat what was made shortly before it.
        on.clock().advance(adapters::aws::shard_rules{}.uncertainty + 1min);
        auto at = got(from_latest ? on.stream().latest() : on.stream().oldest());
        const auto read = [&](std::size_t limit) {
            const auto batch = got(on.stream().read(at, limit));
            CHECK(!batch.gap);
            CHECK(batch.changes.size() <= limit);
            // Sometimes only a part of it is used.
            const auto used =
                batch.changes.empty() || below(3) != 0 ? batch.changes.size() : 1 + below(batch.changes.size());
            for (std::size_t i = 0; i < used; ++i) {
                seen[batch.changes[i].key].push_back(number_in(batch.changes[i]));
            }
            at = used == batch.changes.size() ? batch.next : on.stream().position_after(batch, used - 1);
            return batch.changes.size();
        };
        for (int step = 0; step < 120; ++step) {
            switch (below(12)) {
                case 0: on.split(++splits <= 2 ? 2 : 1); break;
                case 1: on.restart(1 + below(9)); break;
                case 2: on.fake().dynamodb().expire_iterators(); break;
                case 3: on.clock().advance(below(2) == 0 ? 20min : 1s); break;
                case 4: on.fake().dynamodb().answer_empty(below(4)); break;
                case 5:
                    if (below(8) == 0 && !on.stream().save_checkpoint("r", at)) { FAIL("not saved"); }
                    break;
                case 6:
                case 7:
                case 8: static_cast<void>(read(below(7))); break;
                default: write(true);
            }
        }
        on.fake().dynamodb().answer_empty(0);
        while (read(1 + below(5)) != 0) {}
        CHECK(seen == written);
    }
}

TEST_CASE("a gap is said where a change was lost, and otherwise only to who was away for a day") {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::uint64_t run = 0; run < support::cases(12); ++run) {
        CAPTURE(run);
        std::mt19937_64 random{seed + 1'000 + run};
        const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
        four_shards on;
        std::size_t splits = 0;
        std::map<std::string, std::vector<freshet::time_point>> written; // when each change of a partition was made
        std::map<std::string, std::size_t> next;                         // that must come, of each partition
        auto at = got(on.stream().oldest());
        auto last_read = on.clock().now();
        const auto read = [&] {
            const auto batch = got(on.stream().read(at, 1 + below(4)));
            const auto now = on.clock().now();
            if (batch.gap) {
                CHECK(now - last_read >= 22h); // a batch does not bring the reader to the end
                for (const auto& [partition, all] : written) {
                    auto& wanted = next[partition];
                    while (wanted < all.size() && now - all[wanted] >= 24h) { ++wanted; }
                }
            }
            for (const auto& change : batch.changes) {
                const auto number = number_in(change);
                auto& wanted = next[change.key.partition];
                CHECK(number == wanted);
                wanted = number + 1;
            }
            at = batch.next;
            return batch.changes.size();
        };
        for (int step = 0; step < 80; ++step) {
            switch (below(9)) {
                case 0: on.split(++splits <= 2 ? 2 : 1); break;
                case 1: on.restart(1 + below(9)); break;
                case 2: on.clock().advance(std::chrono::hours{below(4) == 0 ? 30 : below(5)}); break;
                case 3:
                    while (read() != 0) {}
                    last_read = on.clock().now();
                    break;
                case 4: static_cast<void>(read()); break;
                default: {
                    const auto partition = "P" + std::to_string(below(6));
                    auto& all = written[partition];
                    put_numbered(on, {partition, "S"}, all.size());
                    all.push_back(on.clock().now());
                }
            }
        }
        while (read() != 0) {}
        for (const auto& [partition, all] : written) { CHECK(next[partition] == all.size()); }
    }
}

template <class Clock>
concept can_be_lent = requires(const adapters::aws::client& service, const adapters::item_table_options& table) {
    one_shard::stream_type::open(service, std::declval<Clock>(), table);
};
static_assert(can_be_lent<manual_clock&>);
static_assert(!can_be_lent<manual_clock>);
