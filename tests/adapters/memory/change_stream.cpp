#include <adapters/memory/change_stream.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/table.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/change_stream.hpp>

using namespace std::chrono_literals;
using freshet::testing::manual_clock;

namespace {

class in_memory {
public:
    [[nodiscard]] auto table() -> adapters::memory::table<manual_clock>& { return table_; }
    [[nodiscard]] auto stream() -> adapters::memory::change_stream<manual_clock>& { return stream_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto foreign_position() -> freshet::stream_position {
        adapters::memory::table other{clock_, {.name = "other"}};
        return *adapters::memory::change_stream{other}.latest();
    }
    void trim() { table_.trim_changes(); }

private:
    manual_clock clock_;
    adapters::memory::table<manual_clock> table_{clock_,
                                                 {.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}}};
    adapters::memory::change_stream<manual_clock> stream_{table_};
};

} // namespace

FRESHET_CHANGE_STREAM_LAWS(in_memory);

TEST_CASE("a change is kept for a day, to the microsecond, and bears the clock's time") {
    in_memory memory;
    const auto start = memory.stream().latest();
    const auto made_at = memory.clock().now();
    laws::put_sorts(memory, {"1"});
    memory.clock().advance(1h);
    laws::put_sorts(memory, {"2"});
    memory.clock().advance(23h - 1us);
    auto batch = memory.stream().read(*start, 9);
    CHECK(!batch->gap);
    REQUIRE(batch->changes.size() == 2);
    CHECK(batch->changes[0].made_at == made_at);
    CHECK(batch->changes[1].made_at == made_at + 1h);
    const auto middle = memory.stream().position_after(*batch, 0);
    memory.clock().advance(1us);
    batch = memory.stream().read(*start, 9);
    CHECK(batch->gap);
    REQUIRE(batch->changes.size() == 1);
    CHECK(batch->changes[0].key.sort == "2");
    CHECK(!memory.stream().read(middle, 9)->gap);
    CHECK(*memory.stream().oldest() == middle);
    memory.clock().advance(1h);
    CHECK(memory.stream().read(middle, 9)->gap);
    CHECK(memory.stream().oldest().value() == memory.stream().latest().value());
}

TEST_CASE("for ever is a time to keep changes") {
    manual_clock clock;
    adapters::memory::table table{clock, {}, freshet::duration::max()};
    adapters::memory::change_stream stream{table};
    const auto start = stream.latest();
    REQUIRE(table.put(laws::item(R"({"PK":{"S":"P"},"SK":{"S":"1"}})")).ok());
    clock.advance(24h * 365'000);
    const auto batch = stream.read(*start, 9);
    CHECK(!batch->gap);
    CHECK(batch->changes.size() == 1);
}

TEST_CASE("a write that leaves the item as it was makes no change, however it is spelled") {
    in_memory memory;
    REQUIRE(
        memory.table().put(laws::item(R"({"PK":{"S":"P"},"SK":{"S":"S"},"n":{"N":"1"},"s":{"SS":["a","b"]}})")).ok());
    const auto end = memory.stream().latest();
    REQUIRE(memory.table()
                .put(laws::item(R"({"s":{"SS":["b","a"]},"n":{"N":"1.0"},"PK":{"S":"\u0050"},"SK":{"S":"S"}})"))
                .ok());
    REQUIRE(memory.table().update({"P", "S"}, {laws::item(R"({"n":{"N":"1e0"}})"), {"m"}}).ok());
    CHECK(*memory.stream().latest() == *end);
}

TEST_CASE("a position ahead of the stream is one of another stream") {
    in_memory memory;
    laws::put_sorts(memory, {"1", "2"});
    const auto ahead = memory.stream().latest();
    in_memory shorter; // of the same name, made at the same time
    laws::put_sorts(shorter, {"1"});
    const auto batch = shorter.stream().read(*ahead, 9);
    CHECK(batch->gap);
    CHECK(batch->changes.size() == 1);
}

TEST_CASE("a stream whose images nobody reads gives the same records without them") {
    in_memory memory;
    const auto start = memory.stream().latest();
    laws::put_sorts(memory, {"1", "2"});
    REQUIRE(memory.table().erase({"P", "1"}).ok());
    adapters::memory::change_stream<manual_clock, adapters::unread> records{memory.table()};
    const auto full = memory.stream().read(*start, 9);
    const auto bare = records.read(*start, 9);
    REQUIRE(bare->changes.size() == 3);
    CHECK(bare->next == full->next);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(bare->changes[i].record == full->changes[i].record);
        CHECK(bare->changes[i].kind == full->changes[i].kind);
        CHECK(bare->changes[i].key == full->changes[i].key);
        CHECK(!bare->changes[i].before);
        CHECK(!bare->changes[i].after);
    }
}

static_assert(
    !std::is_constructible_v<adapters::memory::change_stream<manual_clock>, adapters::memory::table<manual_clock>&&>);
