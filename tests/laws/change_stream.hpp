#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/event_decoder.hpp>

#include <laws/items.hpp>
#include <support/cases.hpp>

/// The laws of `freshet::change_stream`, for every stream of a table of items: `FRESHET_CHANGE_STREAM_LAWS(fixture)`.
///
/// A fixture is default constructible and then fresh and empty. It gives `table()` as the laws of tables want it (where
/// the stream receives changes late, one whose writes return when the stream has them), `stream()` of that table with
/// rows of type `freshet::document`, `foreign_position()` of another stream of the same kind, and `trim()`, which trims
/// every change that is there now.
namespace laws {

/// A change of an item, and the same as its record tells it.
using item_change = freshet::change<freshet::document>;

/// What a stream gives from a position to its end, `limit` changes a batch.
struct changes_read {
    std::vector<item_change> changes;
    bool gap{}; // said by any batch
};

template <class Stream>
[[nodiscard]] auto read_on(Stream& stream, freshet::stream_position from, std::size_t limit = 100) -> changes_read {
    changes_read all;
    for (;;) {
        auto batch = got(stream.read(from, limit));
        REQUIRE(batch.changes.size() <= limit);
        all.gap = all.gap || batch.gap;
        if (batch.changes.empty()) {
            CHECK(got(stream.read(batch.next, limit)).changes.empty());
            return all;
        }
        for (auto& change : batch.changes) { all.changes.push_back(std::move(change)); }
        from = batch.next;
        REQUIRE(all.changes.size() < 100'000);
    }
}

template <class Stream>
[[nodiscard]] auto sorts_behind(Stream& stream, const freshet::stream_position& from) -> std::vector<std::string> {
    std::vector<std::string> sorts;
    for (const auto& change : read_on(stream, from).changes) { sorts.push_back(change.key.sort); }
    return sorts;
}

template <class Fixture>
void put_sorts(Fixture& fixture, const std::vector<std::string>& sorts) {
    for (const auto& sort : sorts) {
        REQUIRE(fixture.table().put(item(R"({"PK":{"S":"P"},"SK":{"S":")" + sort + R"("}})"), {}).ok());
    }
}

/// Whether the change's record is a good one and tells what the change does.
[[nodiscard]] inline auto tells_the_same(const item_change& change) -> bool {
    const auto event = "{\"Records\":[" + change.record + "]}";
    freshet::event_decoder decoder;
    const auto records = decoder.decode(event);
    if (!records || records->size() != 1 || !records->front()) { return false; }
    const auto& record = *records->front();
    const auto same = [](const std::optional<freshet::image>& said, const std::optional<freshet::document>& side) {
        return said.has_value() == side.has_value() && (!said || same_item(*said, side->image()));
    };
    const auto pk = record.keys.find("PK");
    const auto sk = record.keys.find("SK");
    return record.bytes == change.record && record.name == change.kind && record.sequence == change.sequence && pk &&
           pk->text() == change.key.partition && sk && sk->text() == change.key.sort &&
           same(record.new_image, change.after) && same(record.old_image, change.before) &&
           record.expired_by_ttl() == (change.cause == freshet::change_cause::expiry) &&
           record.created_at == change.made_at;
}

TEST_CASE_TEMPLATE_DEFINE("each change says what happened to which row, and what it was and became", Fixture,
                          laws_change_stream_1) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto start = got(stream.latest());
    const auto first = item(R"({"PK":{"S":"P"},"SK":{"S":"S"},"a":{"N":"1"}})");
    const auto second = item(R"({"PK":{"S":"P"},"SK":{"S":"S"},"a":{"N":"2"},"b":{"SS":["x","y"]}})");
    const freshet::row_key key{"P", "S"};
    REQUIRE(fixture.table().put(first, {}).ok());
    REQUIRE(fixture.table().update(key, {item(R"({"a":{"N":"2"},"b":{"SS":["y","x"]}})"), {}}, {}).ok());
    REQUIRE(fixture.table().erase(key, {}).ok());
    REQUIRE(fixture.table().erase(key, {}).ok());
    const auto seen = read_on(stream, start).changes;
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].kind == freshet::change_kind::insert);
    CHECK(same_item(seen[0].before, nullptr));
    CHECK(same_item(seen[0].after, &first));
    CHECK(seen[1].kind == freshet::change_kind::modify);
    CHECK(same_item(seen[1].before, &first));
    CHECK(same_item(seen[1].after, &second));
    CHECK(seen[2].kind == freshet::change_kind::remove);
    CHECK(same_item(seen[2].before, &second));
    CHECK(same_item(seen[2].after, nullptr));
    for (const auto& change : seen) {
        CHECK(change.key == key);
        CHECK(change.cause == freshet::change_cause::write);
        CHECK(tells_the_same(change));
    }
    CHECK(seen[0].sequence < seen[1].sequence);
    CHECK(seen[1].sequence < seen[2].sequence);
}

TEST_CASE_TEMPLATE_DEFINE("a write that is refused makes no change", Fixture, laws_change_stream_2) {
    Fixture fixture;
    put_sorts(fixture, {"1"});
    const auto start = got(fixture.stream().latest());
    const auto other = item(R"({"PK":{"S":"P"},"SK":{"S":"1"},"a":{"N":"1"}})");
    CHECK(!fixture.table().put(other, freshet::write_condition<freshet::document>::if_absent()).ok());
    CHECK(!fixture.table().put(item(R"({"PK":{"S":"P"}})"), {}).ok());
    CHECK(!fixture.table().update({"P", "1"}, {freshet::document{}, {"SK"}}, {}).ok());
    CHECK(read_on(fixture.stream(), start).changes.empty());
}

TEST_CASE_TEMPLATE_DEFINE("a position reads the same again, byte for byte, and a limit is kept", Fixture,
                          laws_change_stream_3) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto start = got(stream.latest());
    for (const auto& text : texts) {
        for (const auto& value : {values[3], values[11], values[17]}) {
            REQUIRE(fixture.table()
                        .put(item("{\"PK\":" + text.spellings[0] + ",\"SK\":" + text.spellings[0] +
                                  ",\"v\":" + value.spellings.back() + "}"),
                             {})
                        .ok());
        }
    }
    const auto once = read_on(stream, start, 1'000);
    REQUIRE(once.changes.size() == 36);
    for (const std::size_t limit : {1U, 2U, 5U, 35U, 36U, 37U}) {
        CAPTURE(limit);
        const auto again = read_on(stream, start, limit);
        CHECK(!again.gap);
        REQUIRE(again.changes.size() == 36);
        for (std::size_t i = 0; i < 36; ++i) {
            CHECK(again.changes[i].record == once.changes[i].record);
            CHECK(again.changes[i].sequence == once.changes[i].sequence);
            CHECK(again.changes[i].key == once.changes[i].key);
        }
    }
    for (const auto& change : once.changes) { CHECK(tells_the_same(change)); }
    const auto nothing = stream.read(start, 0);
    REQUIRE(nothing.ok());
    CHECK(nothing->changes.empty());
    CHECK(read_on(stream, nothing->next).changes.size() == 36);
}

TEST_CASE_TEMPLATE_DEFINE("latest is between what was changed and what will be, oldest before all of it", Fixture,
                          laws_change_stream_4) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto empty = got(stream.oldest());
    const auto first = got(stream.latest());
    put_sorts(fixture, {"1", "2"});
    const auto middle = got(stream.latest());
    CHECK(sorts_behind(stream, middle).empty());
    put_sorts(fixture, {"3"});
    using sorts = std::vector<std::string>;
    CHECK(sorts_behind(stream, middle) == sorts{"3"});
    CHECK(sorts_behind(stream, got(stream.latest())).empty());
    for (const auto& start : {empty, first, got(stream.oldest())}) {
        CHECK(sorts_behind(stream, start) == sorts{"1", "2", "3"});
        CHECK(!read_on(stream, start).gap);
    }
}

TEST_CASE_TEMPLATE_DEFINE("an end that was read to goes on with what is changed later", Fixture, laws_change_stream_5) {
    Fixture fixture;
    auto& stream = fixture.stream();
    auto at = got(stream.latest());
    std::vector<std::string> seen;
    for (int i = 0; i < 4; ++i) {
        const auto batch = stream.read(at, 3);
        REQUIRE(batch.ok());
        CHECK(!batch->gap);
        for (const auto& change : batch->changes) { seen.push_back(change.key.sort); }
        at = batch->next;
        put_sorts(fixture, {std::to_string(i) + "a", std::to_string(i) + "b"});
    }
    for (const auto& sort : sorts_behind(stream, at)) { seen.push_back(sort); }
    CHECK(seen == std::vector<std::string>{"0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"});
}

TEST_CASE_TEMPLATE_DEFINE("the place behind a change of a batch reads the changes after it", Fixture,
                          laws_change_stream_6) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto start = got(stream.latest());
    const std::vector<std::string> all{"1", "2", "3", "4", "5"};
    put_sorts(fixture, all);
    const auto batch = stream.read(start, 4);
    REQUIRE(batch.ok());
    REQUIRE(batch->changes.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        const auto rest = sorts_behind(stream, stream.position_after(*batch, i));
        CHECK(rest == std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()));
    }
}

TEST_CASE_TEMPLATE_DEFINE("a reader whose changes are trimmed is told of the gap, and one that lost nothing is not",
                          Fixture, laws_change_stream_7) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto start = got(stream.latest());
    put_sorts(fixture, {"1", "2", "3"});
    const auto batch = stream.read(start, 2);
    REQUIRE(batch.ok());
    const auto end = got(stream.latest());
    fixture.trim();
    for (const auto& lost : {start, batch->next, stream.position_after(*batch, 0)}) {
        const auto rest = stream.read(lost, 10);
        REQUIRE(rest.ok());
        CHECK(rest->gap);
        CHECK(rest->changes.empty());
        CHECK(!stream.read(rest->next, 10)->gap);
    }
    CHECK(!read_on(stream, end).gap);
    CHECK(!read_on(stream, got(stream.oldest())).gap);
    CHECK(!read_on(stream, got(stream.latest())).gap);
    put_sorts(fixture, {"4", "5"});
    for (const auto& lost : {start, batch->next}) {
        const auto rest = stream.read(lost, 1);
        REQUIRE(rest.ok());
        CHECK(rest->gap);
        REQUIRE(rest->changes.size() == 1);
        CHECK(rest->changes[0].key.sort == "4");
        const auto more = read_on(stream, rest->next);
        CHECK(!more.gap);
        REQUIRE(more.changes.size() == 1);
        CHECK(more.changes[0].key.sort == "5");
    }
    for (const auto& good : {end, got(stream.oldest())}) {
        const auto rest = read_on(stream, good);
        CHECK(!rest.gap);
        CHECK(rest.changes.size() == 2);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a position of another stream is a gap, and what is no position is malformed", Fixture,
                          laws_change_stream_8) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto foreign = fixture.foreign_position();
    CHECK(stream.read(foreign, 10)->gap);
    put_sorts(fixture, {"1", "2"});
    const auto all = stream.read(foreign, 10);
    REQUIRE(all.ok());
    CHECK(all->gap);
    CHECK(all->changes.size() == 2);
    CHECK(!stream.read(all->next, 10)->gap);
    for (const std::string bad : {"", "x", "@", "17", "-1", "{}"}) {
        CAPTURE(bad);
        CHECK(code_of(stream.read(bad, 10)) == freshet::errc::malformed);
    }
}

TEST_CASE_TEMPLATE_DEFINE("each reader has its own checkpoint, the last that it saved", Fixture, laws_change_stream_9) {
    Fixture fixture;
    auto& stream = fixture.stream();
    const auto none = stream.checkpoint("a");
    REQUIRE(none.ok());
    CHECK(!none->has_value());
    put_sorts(fixture, {"1", "2"});
    const auto first = got(stream.oldest());
    const auto last = got(stream.latest());
    REQUIRE(stream.save_checkpoint("a", last).ok());
    REQUIRE(stream.save_checkpoint("a'; --\xc3\xa9", first).ok());
    CHECK(*stream.checkpoint("a") == last);
    CHECK(*stream.checkpoint("a'; --\xc3\xa9") == first);
    CHECK(!stream.checkpoint("A")->has_value());
    CHECK(!stream.checkpoint("")->has_value());
    REQUIRE(stream.save_checkpoint("a", first).ok());
    CHECK(*stream.checkpoint("a") == first);
    CHECK(sorts_behind(stream, **stream.checkpoint("a")) == std::vector<std::string>{"1", "2"});
}

TEST_CASE_TEMPLATE_DEFINE("a row that the table removed itself was expired, and no other", Fixture,
                          laws_change_stream_10) {
    Fixture fixture;
    if constexpr (requires { fixture.table().expire(freshet::row_key{}); }) {
        const auto start = got(fixture.stream().latest());
        put_sorts(fixture, {"1", "2"});
        REQUIRE(fixture.table().expire({"P", "1"}).ok());
        REQUIRE(fixture.table().expire({"P", "1"}).ok());
        REQUIRE(fixture.table().erase({"P", "2"}, {}).ok());
        const auto seen = read_on(fixture.stream(), start).changes;
        REQUIRE(seen.size() == 4);
        CHECK(seen[2].kind == freshet::change_kind::remove);
        CHECK(seen[2].cause == freshet::change_cause::expiry);
        CHECK(seen[2].key.sort == "1");
        CHECK(seen[3].cause == freshet::change_cause::write);
        for (const auto& change : seen) { CHECK(tells_the_same(change)); }
    }
}

TEST_CASE_TEMPLATE_DEFINE("the stream tells every change of every row in order, whatever is written and read when",
                          Fixture, laws_change_stream_11) {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::size_t run = 0; run < 4; ++run) {
        CAPTURE(run);
        Fixture fixture;
        auto& stream = fixture.stream();
        random_writer writer{fixture.table(), seed + 1'000 + run, notices_additions<Fixture>()};
        const auto start = got(stream.latest());
        auto at = start;
        std::map<freshet::row_key, std::vector<item_change>> seen; // without those that changed nothing
        std::map<freshet::row_key, freshet::sequence_number> newest;
        std::size_t count = 0;
        const auto read_some = [&](std::size_t limit) {
            auto batch = got(stream.read(at, limit));
            CHECK(!batch.gap);
            CHECK(batch.changes.size() <= limit);
            at = batch.next;
            for (auto& change : batch.changes) {
                ++count;
                CHECK(newest[change.key] < change.sequence);
                newest[change.key] = change.sequence;
                CHECK(tells_the_same(change));
                const bool same =
                    change.before && change.after && same_item(change.before->image(), change.after->image());
                if (!same) { seen[change.key].push_back(std::move(change)); }
            }
            return batch.changes.size();
        };
        for (std::size_t i = 0; i < support::cases(400); ++i) {
            writer.step();
            if (writer.below(10) == 0) { static_cast<void>(read_some(writer.below(12))); }
        }
        while (read_some(7) != 0) {}
        CHECK(read_on(stream, start, 50).changes.size() == count);

        std::map<freshet::row_key, std::size_t> next;
        for (const auto& wanted : writer.history()) {
            const auto i = next[wanted.key]++;
            const auto& row = seen[wanted.key];
            REQUIRE(i < row.size());
            CHECK(row[i].kind == (!wanted.before  ? freshet::change_kind::insert
                                  : !wanted.after ? freshet::change_kind::remove
                                                  : freshet::change_kind::modify));
            const auto same = [&](const std::optional<plain_item>& side, const std::optional<freshet::document>& told) {
                if (!side) { return !told; }
                const auto expected = writer.spelled(*side);
                return same_item(told, &expected);
            };
            CHECK(same(wanted.before, row[i].before));
            CHECK(same(wanted.after, row[i].after));
        }
        for (const auto& [key, row] : seen) { CHECK(row.size() == next[key]); }
    }
}

} // namespace laws

/// Every law of change streams on one or more fixtures.
#define FRESHET_CHANGE_STREAM_LAWS(...)                                  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_11, __VA_ARGS__)
