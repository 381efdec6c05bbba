#include <freshet/stream/message_batch.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using freshet::message_batch;
using freshet::message_view;

static_assert(std::forward_iterator<message_batch::iterator>);
static_assert(!std::is_copy_constructible_v<message_batch> && std::is_nothrow_move_constructible_v<message_batch>);

auto write_raw(message_batch& batch, std::string_view text) -> freshet::text_range {
    std::copy(text.begin(), text.end(), batch.reserve(text.size() + 100));
    return batch.commit(text.size());
}

} // namespace

TEST_CASE("a message reads as it was added") {
    message_batch batch;
    CHECK(batch.empty());
    const message_view message{"lines", "IMAGE#1", "dedup-1", "{\"a\":1}", "17"};
    batch.add(message, 3);
    REQUIRE(batch.size() == 1);
    CHECK(batch[0] == message);
    CHECK(batch[0].body.data() != message.body.data());
    CHECK(batch.record(0) == 3);
}

TEST_CASE("a message without texts is a message") {
    message_batch batch;
    batch.add(message_view{}, 0);
    batch.add(freshet::message_texts{}, 1);
    CHECK(batch[0] == message_view{});
    CHECK(batch[1] == message_view{});
}

TEST_CASE("two messages of one record share one body") {
    message_batch batch;
    const auto body = write_raw(batch, "{\"shared\":true}");
    const auto group = batch.write("G");
    batch.add({.queue = batch.write("lines"), .group_id = group, .deduplication_id = {}, .body = body, .sequence = {}},
              0);
    batch.add({.queue = batch.write("words"), .group_id = group, .deduplication_id = {}, .body = body, .sequence = {}},
              0);
    CHECK(batch[0].body == "{\"shared\":true}");
    CHECK(batch[0].body.data() == batch[1].body.data());
    CHECK(batch[0].queue == "lines");
    CHECK(batch[1].queue == "words");
}

TEST_CASE("a body written in pieces is one text") {
    message_batch batch;
    batch.write("before");
    const auto begun = batch.mark();
    std::string expected;
    for (int i = 0; i < 1000; ++i) { // beyond the first buffer
        write_raw(batch, "piece,");
        expected += "piece,";
    }
    CHECK(batch.text(batch.since(begun)) == expected);
}

TEST_CASE("messages survive the growth of the buffer") {
    message_batch batch;
    for (std::size_t i = 0; i < 500; ++i) {
        const auto number = std::to_string(i);
        batch.add(message_view{"q", number, number, std::string(i, 'x'), number}, i / 2);
    }
    for (std::size_t i = 0; i < 500; ++i) {
        REQUIRE(batch[i] == message_view{"q", std::to_string(i), std::to_string(i), std::string(i, 'x'),
                                         std::to_string(i)});
        REQUIRE(batch.record(i) == i / 2);
    }
}

TEST_CASE("a batch may be given its own texts, also when it must grow for them") {
    message_batch batch;
    batch.add(message_view{"queue", "group", "dedup", std::string(3000, 'b'), "1"}, 0);
    for (int i = 0; i < 6; ++i) { batch.add(batch[0], 1); }
    for (int i = 0; i < 6; ++i) { batch.write(batch[0].body); }
    for (const auto& message : batch) { CHECK(message == batch[0]); }
    CHECK(batch[6].body == std::string(3000, 'b'));
}

TEST_CASE("a half-built message is rolled back and the ones before it stay") {
    message_batch batch;
    batch.add(message_view{"q", "g", "d", "first", "1"}, 0);
    const auto begun = batch.mark();
    batch.add(message_view{"q", "g", "d", "second", "2"}, 1);
    write_raw(batch, "half a third");
    batch.roll_back(begun);
    CHECK(batch.since(begun).size == 0);
    REQUIRE(batch.size() == 1);
    CHECK(batch[0].body == "first");
    batch.add(message_view{"q", "g", "d", "another", "3"}, 2);
    CHECK(batch[0].body == "first");
    CHECK(batch[1].body == "another");
    CHECK(batch.record(1) == 2);
}

TEST_CASE("clear forgets the messages and keeps the memory") {
    message_batch batch;
    const char* before = nullptr;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 50; ++i) { batch.add(message_view{"q", "g", "d", std::string(997, 'x'), "1"}, i); }
        if (round != 0) { CHECK(batch[0].queue.data() == before); }
        before = batch[0].queue.data();
        batch.clear();
        CHECK(batch.empty());
        CHECK(batch.begin() == batch.end());
    }
}

TEST_CASE("the messages are visited in the order of adding") {
    message_batch batch;
    for (const auto* body : {"a", "b", "c"}) { batch.add(message_view{"q", "g", "d", body, ""}, 0); }
    std::string all;
    for (const auto& message : batch) { all += message.body; }
    CHECK(all == "abc");
    CHECK(std::distance(batch.begin(), batch.end()) == 3);
}

TEST_CASE("a moved-from batch is empty and can be filled again") {
    message_batch batch;
    batch.add(message_view{"q", "g", "d", "b", "1"}, 7);
    message_batch other{std::move(batch)};
    CHECK(other[0].body == "b");
    CHECK(batch.empty()); // NOLINT(bugprone-use-after-move): the promise
    batch.add(message_view{"q", "g", "d", "again", "1"}, 0);
    other = std::move(batch);
    CHECK(other.size() == 1);
    CHECK(other[0].body == "again");
    CHECK(batch.empty()); // NOLINT(bugprone-use-after-move): the promise
}
