#include <freshet/letter/dead_letter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/message_queue.hpp>
#include <adapters/queue_rules.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_queue.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/cases.hpp>
#include <support/part_stream.hpp>

namespace {

using freshet::dead_letter;
using freshet::errc;
using freshet::parse_dead_letter;
using freshet::send_dead_letter;
using freshet::to_text;
using freshet::testing::fault;
using support::emptied;
using support::plain_queue;
using namespace std::chrono_literals;

const freshet::time_point first_seen{std::chrono::seconds{1'736'936'000} + 123'456us};

auto letter_of(std::string bytes) -> dead_letter {
    return {.origin = "stream",
            .id = "c4ca4238",
            .sequence = "4421584500000000017450439091",
            .group = "ITEM#7",
            .why = {errc::malformed, "malformed record at byte 3: no object"},
            .attempts = 4,
            .first_seen = first_seen,
            .bytes = std::move(bytes)};
}

void check_same(const dead_letter& read, const dead_letter& written) {
    CHECK(read.origin == written.origin);
    CHECK(read.id == written.id);
    CHECK(read.sequence == written.sequence);
    CHECK(read.group == written.group);
    CHECK(read.why == written.why);
    CHECK(read.attempts == written.attempts);
    CHECK(read.first_seen == written.first_seen);
    CHECK(read.bytes == written.bytes);
    CHECK(read.complete == written.complete);
}

/// Reads back as it was written, and every queue takes it.
void check_round_trip(const dead_letter& letter) {
    const auto text = to_text(letter);
    CAPTURE(text);
    CHECK_FALSE(adapters::find_refused_character(text));
    const auto read = parse_dead_letter(text);
    REQUIRE(read.ok());
    check_same(*read, letter);
}

struct letter_queue {
    freshet::testing::manual_clock clock{};
    plain_queue stored;
    freshet::testing::faults script{};
    freshet::testing::faulty_queue<plain_queue> queue{stored, script, "dead"};

    explicit letter_queue(adapters::queue_options options = {.name = "dead"}) : stored{clock, std::move(options)} {}
};

/// The one letter in the queue.
auto only_letter(letter_queue& from) -> dead_letter {
    const auto messages = emptied(from.queue);
    REQUIRE(messages.size() == 1);
    auto read = parse_dead_letter(messages.front().body);
    REQUIRE(read.ok());
    return *std::move(read);
}

} // namespace

TEST_CASE("a letter reads back as it was written, with the bytes as they came") {
    for (const std::string_view bytes :
         {R"({"eventName":"UPSERT"})", "", "\n", "two\r\n\tlines\n", "caf\xc3\xa9 \xf0\x9f\xa7\xbe", "100%25 %",
          "}\n{\"escaped\":{\"BOOL\":true}}\n"}) {
        check_round_trip(letter_of(std::string{bytes}));
    }
}

TEST_CASE("a letter whose bytes no queue takes is taken, and reads back") {
    using namespace std::string_literals;
    for (const auto& bytes : {"\0"s, "a\x1f"s, "\x7f\x80"s, "\xef\xbf\xbe"s, "\xef\xbf\xbf"s, "\xed\xa0\x80"s,
                              "caf\xc3"s, "%41\x01"s, "\xff\xfe\n%"s}) {
        check_round_trip(letter_of(bytes));
    }
}

TEST_CASE("a letter's other texts may hold what no queue takes") {
    auto letter = letter_of("{}");
    letter.id = "id\x01";
    check_round_trip(letter);
    letter.id = "\"quoted\"\n";
    letter.group = std::string{"gr\0up", 5};
    check_round_trip(letter);
    letter = letter_of("{}");
    letter.why.note = "\xff%";
    check_round_trip(letter);
}

TEST_CASE("every reason, the largest number of attempts and a letter without its bytes read back") {
    for (const auto code : {errc::unavailable, errc::throttled, errc::too_large, errc::conflict, errc::malformed,
                            errc::denied, errc::expired, errc::failed}) {
        auto letter = letter_of("x");
        letter.why.code = code;
        letter.attempts = ~0U;
        letter.complete = code != errc::too_large;
        check_round_trip(letter);
    }
}

TEST_CASE("a person can read a letter: one line of DynamoDB JSON, then the bytes") {
    CHECK(to_text(letter_of("{\"a\": 1}")) ==
          R"({"origin":{"S":"stream"},"id":{"S":"c4ca4238"},"sequence":{"S":"4421584500000000017450439091"},)"
          R"("group":{"S":"ITEM#7"},"reason":{"S":"malformed"},"note":{"S":"malformed record at byte 3: no object"},)"
          R"("attempts":{"N":"4"},"first_seen":{"S":"2025-01-15T10:13:20.123456Z"},"complete":{"BOOL":true},)"
          R"("escaped":{"BOOL":false}})"
          "\n{\"a\": 1}");
    CHECK(to_text(letter_of("{\"a\": 1}\x01")).ends_with("\"escaped\":{\"BOOL\":true}}\n{\"a\": 1}%01"));
}

TEST_CASE("whatever the bytes and texts are, a letter is taken and reads back") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto text = [&](std::size_t most) {
        static constexpr char spices[] = "%\"\\\n\r\t{}:,\0\x01\x7f\x80\xc3\xa9\xef\xbf\xbe\xff";
        constexpr std::string_view spice{spices, sizeof spices - 1};
        std::string made;
        const bool plain = random() % 2 == 0;
        for (auto size = random() % (most + 1); size > 0; --size) {
            made += plain ? static_cast<char>(' ' + random() % 95) : spice[random() % spice.size()];
        }
        return made;
    };
    for (auto n = support::cases(2'000); n > 0; --n) {
        auto letter = letter_of(text(60));
        letter.id = text(8);
        letter.group = text(8);
        letter.why.note = text(20);
        letter.attempts = static_cast<unsigned>(random());
        check_round_trip(letter);
    }
}

TEST_CASE("what is no letter is malformed") {
    const auto good = to_text(letter_of("bytes"));
    const auto swapped = [&](std::string_view was, std::string_view is) {
        auto text = good;
        const auto at = text.find(was);
        REQUIRE(at != std::string::npos);
        return text.replace(at, was.size(), is);
    };
    for (const auto& body : {std::string{},
                             std::string{"\n"},
                             std::string{"{}\n"},
                             std::string{"hello"},
                             std::string{"hello\nworld"},
                             std::string{"{\"body\":{\"S\":\"an item\"}}\n"},
                             std::string{"[]\n"},
                             swapped("\n", ""),
                             swapped("\"origin\"", "\"Origin\""),
                             swapped("\"id\"", "\"no\""),
                             swapped("\"sequence\"", "\"no\""),
                             swapped("\"group\"", "\"no\""),
                             swapped("\"reason\"", "\"no\""),
                             swapped("\"note\"", "\"no\""),
                             swapped("\"attempts\"", "\"no\""),
                             swapped("\"first_seen\"", "\"no\""),
                             swapped("\"complete\"", "\"no\""),
                             swapped("\"escaped\"", "\"no\""),
                             swapped("{\"S\":\"malformed\"}", "{\"S\":\"bored\"}"),
                             swapped("{\"N\":\"4\"}", "{\"N\":\"-4\"}"),
                             swapped("{\"N\":\"4\"}", "{\"N\":\"4.5\"}"),
                             swapped("{\"N\":\"4\"}", "{\"N\":\"99999999999\"}"),
                             swapped("2025-01-15", "2025-02-30"),
                             swapped("{\"BOOL\":false}", "{\"S\":\"false\"}"),
                             swapped("{\"BOOL\":true}", "{\"NULL\":true}"),
                             swapped("{\"S\":\"stream\"}", "{\"L\":[]}"),
                             swapped("false}}\nbytes", "true}}\n%4"),
                             swapped("false}}\nbytes", "true}}\n%zz"),
                             swapped("false}}\nbytes", "true}}\n%-1"),
                             swapped("false}}\nbytes", "true}}\n% 1")}) {
        CAPTURE(body);
        const auto read = parse_dead_letter(body);
        REQUIRE_FALSE(read.ok());
        CHECK(read.why().code == errc::malformed);
        CHECK(read.why().note.starts_with("dead letter: "));
    }
}

TEST_CASE("a letter that is cut short, or changed in a byte, is another letter or malformed") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto good = to_text(letter_of("bytes\x01"));
    for (std::size_t size = 0; size < good.find('\n'); ++size) {
        CHECK_FALSE(parse_dead_letter(std::string_view{good}.substr(0, size)).ok());
    }
    for (auto n = support::cases(5'000); n > 0; --n) {
        auto text = good;
        text[random() % text.size()] = static_cast<char>(random());
        if (const auto read = parse_dead_letter(text)) { check_round_trip(*read); }
    }
}

TEST_CASE("the dead-letter queue has the letter in its group, with the sequence number of the change") {
    letter_queue dead;
    REQUIRE(send_dead_letter(dead.queue, letter_of("bytes")).ok());
    const auto messages = emptied(dead.queue);
    REQUIRE(messages.size() == 1);
    CHECK(messages.front().group_id == "ITEM#7");
    CHECK(messages.front().sequence == "4421584500000000017450439091");
    check_same(*parse_dead_letter(messages.front().body), letter_of("bytes"));
}

TEST_CASE("a group that no queue takes as it is, and no group at all, is mapped and kept in the letter") {
    for (const auto& group :
         {std::string{}, std::string{"a group"}, std::string(300, 'g'), std::string{"caf\xc3\xa9"}}) {
        letter_queue dead;
        auto letter = letter_of("bytes");
        letter.group = group;
        REQUIRE(send_dead_letter(dead.queue, letter).ok());
        CHECK(only_letter(dead).group == group);
    }
}

TEST_CASE("a letter that is sent again is one letter, however often it was tried meanwhile") {
    letter_queue dead;
    auto letter = letter_of("bytes");
    for (int i = 0; i < 3; ++i) {
        REQUIRE(send_dead_letter(dead.queue, letter).ok());
        ++letter.attempts;
        letter.first_seen += 1s;
        letter.why.note += "!";
    }
    CHECK(only_letter(dead).attempts == 4);

    letter.id = ""; // nobody knows what it is called
    for (int i = 0; i < 3; ++i) {
        REQUIRE(send_dead_letter(dead.queue, letter).ok());
        ++letter.attempts;
    }
    CHECK(emptied(dead.queue).size() == 1);
}

TEST_CASE("the server takes a letter and the connection drops: it is sent again and there once") {
    letter_queue dead;
    dead.script.next({fault::after()});
    CHECK(send_dead_letter(dead.queue, letter_of("bytes")).why().code == errc::unavailable);
    CHECK(send_dead_letter(dead.queue, letter_of("bytes")).ok());
    CHECK(emptied(dead.queue).size() == 1);
}

TEST_CASE("letters that share an id are two where their origin or their bytes differ") {
    letter_queue dead;
    auto letter = letter_of("bytes");
    REQUIRE(send_dead_letter(dead.queue, letter).ok());
    letter.origin = "lines"; // queues count their messages from 0 on
    REQUIRE(send_dead_letter(dead.queue, letter).ok());
    letter.bytes = "other";
    REQUIRE(send_dead_letter(dead.queue, letter).ok());
    CHECK(emptied(dead.queue).size() == 3);
}

TEST_CASE("a letter as large as the queue takes is whole, one byte more and it is sent without its bytes") {
    const auto letter = letter_of(std::string(5'000, 'x'));
    const auto size =
        freshet::message_view{
            .queue = {}, .group_id = {}, .deduplication_id = {}, .body = to_text(letter), .sequence = letter.sequence}
            .payload_bytes();
    for (const bool request : {false, true}) {
        letter_queue dead{{.name = "dead", .limits = {.message_bytes = size, .request_bytes = size}}};
        REQUIRE(send_dead_letter(dead.queue, letter).ok());
        check_same(only_letter(dead), letter);

        letter_queue small{
            {.name = "dead",
             .limits = {.message_bytes = request ? size : size - 1, .request_bytes = request ? size - 1 : size}}};
        REQUIRE(send_dead_letter(small.queue, letter).ok());
        auto told = letter;
        told.bytes.clear();
        told.complete = false;
        check_same(only_letter(small), told);
    }
}

TEST_CASE("two large letters of one id are two without their bytes") {
    letter_queue dead{{.name = "dead", .limits = {.message_bytes = 1'024}}};
    REQUIRE(send_dead_letter(dead.queue, letter_of(std::string(5'000, 'x'))).ok());
    REQUIRE(send_dead_letter(dead.queue, letter_of(std::string(5'000, 'y'))).ok());
    CHECK(emptied(dead.queue).size() == 2);
}

TEST_CASE("the smallest queue takes a letter whose texts alone are too large, with its texts cut") {
    for (const auto& text : {std::string(100'000, 'x'), std::string(100'000, '"'), std::string(100'000, '\x01'),
                             std::string(100'000, '\xff')}) {
        letter_queue dead{{.name = "dead", .limits = {.message_bytes = 1'024}}};
        auto letter = letter_of("bytes");
        letter.id = letter.group = letter.why.note = letter.origin = text;
        const auto sent = send_dead_letter(dead.queue, letter);
        REQUIRE_MESSAGE(sent.ok(), sent.why().note);
        const auto read = only_letter(dead);
        CHECK_FALSE(read.complete);
        CHECK(read.why.code == errc::malformed);
        CHECK(read.sequence == letter.sequence);
        CHECK(read.first_seen == first_seen);
    }
}

TEST_CASE("a queue that does not answer, or refuses the letter, does not have it") {
    letter_queue dead;
    dead.script.next({fault::before(errc::throttled), fault::refuse({0}, errc::unavailable, true)});
    CHECK(send_dead_letter(dead.queue, letter_of("bytes")).why().code == errc::throttled);
    CHECK(send_dead_letter(dead.queue, letter_of("bytes")).why().code == errc::unavailable);
    CHECK(emptied(dead.queue).empty());
}

TEST_CASE("a standard queue takes letters too") {
    letter_queue dead{{.name = "dead", .fifo = false}};
    REQUIRE(send_dead_letter(dead.queue, letter_of("bytes")).ok());
    check_same(only_letter(dead), letter_of("bytes"));
}
