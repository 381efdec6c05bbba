#include <freshet/item/event_decoder.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/item/same_value.hpp>

#include <support/cases.hpp>
#include <support/count_allocations.hpp>
#include <support/decoded.hpp>
#include <support/event_maker.hpp>
#include <support/guarded_buffer.hpp>
#include <support/json_oracle.hpp>
#include <support/refusals.hpp>

using support::check_event_refused;
using support::event_around;
using support::right_record;

namespace {

auto repeated(std::string_view text, std::size_t times) -> std::string {
    std::string out;
    while (times-- > 0) { out += text; }
    return out;
}

constexpr std::string_view sample =
    R"( {"Records":[{"eventID":"\u0061","eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1.5e9,"Keys":{"PK":{"S":"ä🍀"}},)"
    R"("NewImage":{"PK":{"S":"\ud83c\udf40"},"n":{"N":"-1.5"},"b":{"B":"AA=="},"t":{"BOOL":true},"0":{"NULL":true},"l":{"L":[{"S":"x"},{"SS":["a","b"]}]},)"
    R"("m":{"M":{"a\"":{"NS":["1","2"]}}}},"SequenceNumber":"111","SizeBytes":26},"x":[-0.1e+1,null,{"y":false}]}],"NextShardIterator":null} )";

} // namespace

TEST_CASE("the decoder and a second one over nlohmann-json agree on every event, right, wrong or broken") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    support::guarded_buffer memory{1U << 20U};
    freshet::event_decoder decoder;
    freshet::event_decoder another;
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t good = 0;
    std::size_t failed = 0;
    const auto agree = [&](const std::string& event) {
        auto want = oracle::read_event(event);
        const auto got = support::decoded(decoder, memory.hold(event));
        ++(want ? accepted : refused);
        if (want) {
            for (auto& record : *want) {
                ++(record.good ? good : failed);
                record = oracle::without_content(record);
            }
        }
        if (got != want) { FAIL("they differ on: ", event); }
        if (!want || want->empty()) { return; }
        const auto records = *decoder.decode(event);
        const auto& one = records[make.below(records.size())];
        const auto alone = "{\"Records\":[" + std::string{one.bytes()} + "]}";
        if (support::decoded(another, alone) != std::vector{support::retold(one)}) {
            FAIL("a record reads otherwise alone: ", alone);
        }
    };
    for (auto left = support::cases(800); left > 0; --left) {
        const auto event = make.event();
        agree(event);
        agree(make.broken(event));
        agree(make.event(40));
        agree(make.broken(make.event(200)));
    }
    MESSAGE("seed ", seed, ": ", accepted, " events accepted, ", refused, " refused; ", good, " records good, ", failed,
            " failed");
    CHECK(accepted > refused / 4);
    CHECK(refused > 0);
    CHECK(failed > 0);
}

TEST_CASE("an event cut anywhere is refused at its end, and no byte behind it is read") {
    support::guarded_buffer memory{sample.size()};
    freshet::event_decoder decoder;
    REQUIRE(decoder.decode(memory.hold(sample)).ok());
    REQUIRE(decoder.decode(memory.hold(sample))->front().ok());
    const auto whole = sample.find_last_of('}') + 1;
    for (std::size_t size = 0; size < whole; ++size) {
        const auto event = decoder.decode(memory.hold(sample.substr(0, size)));
        REQUIRE_MESSAGE(!event.ok(), size);
        CHECK_MESSAGE(event.fault().offset <= size, size);
    }
    for (auto size = whole; size <= sample.size(); ++size) {
        CHECK(decoder.decode(memory.hold(sample.substr(0, size))).ok());
    }
}

TEST_CASE("a cut is named as one, save inside of what is wrong so far") {
    const auto* ends = "the text ends too soon";
    check_event_refused("@", ends);
    check_event_refused("  @", ends);
    check_event_refused("{@", ends);
    check_event_refused(R"({"Rec@)", ends);
    check_event_refused(R"({"Records"@)", ends);
    check_event_refused(R"({"Records":@)", ends);
    check_event_refused(R"({"Records":[@)", ends);
    check_event_refused(R"({"Records":[]@)", ends);
    check_event_refused(R"({"Records":[],@)", ends);
    check_event_refused(R"({"x":@)", ends);
    check_event_refused(R"({"x":-@)", ends);
    check_event_refused(R"({"x":1.@)", ends);
    check_event_refused(R"({"x":1e@)", ends);
    check_event_refused(R"({"x":@tru)", "a value was expected");
    check_event_refused(R"({"x":"@\)", "the text ends inside a string");
    check_event_refused(R"({"x":"@\u00)", "the text ends inside a string");
    check_event_refused(R"({"x":"@\ud83c\u)", "half a surrogate pair");
}

TEST_CASE("an event is one object with one array of Records and nothing behind it") {
    for (const auto* event : {"@[]", "@1", "@null", "@\"Records\""}) {
        check_event_refused(event, "an event that is no object");
    }
    for (const auto* event :
         {"@{}", R"(@{"records":[]})", R"(@{"Records":null})", R"(@{"Records":{}})", R"(@{"x":{"Records":[]}})"}) {
        check_event_refused(event, "an event without an array of Records");
    }
    const auto* behind = "bytes behind the event";
    for (const auto* rest : {"x", "{}", "]", ",", "\xef\xbb\xbf"}) {
        check_event_refused(R"({"Records":[]} @)" + std::string{rest}, behind);
    }
    check_event_refused(std::string{R"({"Records":[]}@)"} + '\0', behind);
    check_event_refused(std::string{R"({"Records":[]}@)"} + '\0' + "junk", behind);
    check_event_refused(std::string{"@"} + '\0' + R"({"Records":[]})", "a value was expected");
    check_event_refused(std::string{R"({"Records":[@)"} + '\0' + "]}", "a value was expected");
    check_event_refused("@\xef\xbb\xbf{\"Records\":[]}", "a value was expected");
    freshet::event_decoder decoder;
    CHECK(decoder.decode(R"({"Records":[]})")->empty());
    CHECK(decoder.decode("\r\n\t {\n\"Records\" : [ ] , \"NextShardIterator\":null}\n")->empty());
    CHECK(decoder.decode(R"({"\u0052ecords":[]})")->empty());
    CHECK(!decoder.decode({}).ok());
}

TEST_CASE("names that repeat outside the records refuse the event") {
    const auto* repeats = "a name that repeats";
    check_event_refused(R"({"Records":[],@"Records":[]})", repeats);
    check_event_refused(R"({"Records":[],@"\u0052ecords":[]})", repeats);
    check_event_refused(R"({"Records":null,@"Records":[]})", repeats);
    check_event_refused(R"({"a":1,"Records":[],@"a":1})", repeats);
    check_event_refused(R"({"a":[{"b":{"c":1,@"c":1}}],"Records":[]})", repeats);
    check_event_refused(R"({"a":{"c":1,@"\u0063":1},"Records":[{}]})", repeats);
    check_event_refused(R"({"Records":[{},1],"a":{"c":1,@"c":1}})", repeats);
}

TEST_CASE("a fault that two records share is the fault of both") {
    const auto* const twice = R"(,"NewImage":{"a":{"S":"x"},"a":{"S":"x"}})";
    const auto event = R"({"Records":[)" + right_record("1", twice) + "," + right_record("2", twice) + "]}";
    freshet::event_decoder decoder;
    const auto records = decoder.decode(event);
    REQUIRE(records.ok());
    for (const auto& record : *records) {
        REQUIRE(!record.ok());
        CHECK(record.fault().reason == "a name that repeats");
    }
}

TEST_CASE("the records of a decoded event may be walked in the loop that decodes it") {
    freshet::event_decoder decoder;
    int count = 0;
    for (const auto& record : *decoder.decode(R"({"Records":[{},{}]})")) { count += record.ok() ? 0 : 1; }
    CHECK(count == 2);
}

TEST_CASE("a decoder may be moved and used again") {
    const std::string event = R"({"Records":[{"eventID":"\u0041"}]})";
    freshet::event_decoder first;
    CHECK(first.decode(event)->front().event_id() == "A");
    freshet::event_decoder second{std::move(first)};
    { const freshet::event_decoder gone{std::move(second)}; }
    CHECK(second.decode(event)->front().event_id() == "A"); // NOLINT(bugprone-use-after-move): that is the promise
    CHECK(first.decode(event)->front().event_id() == "A");  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("bad JSON inside a record refuses the whole event") {
    const auto bad = [](std::string_view more, std::string_view reason) {
        check_event_refused(event_around(right_record("200", more)), reason);
    };
    bad(R"(,"NewImage":{"a":{"S":"@)"
        "\xc0\x80"
        R"("}})",
        "invalid UTF-8");
    bad(R"(,"NewImage":{"@)"
        "\xed\xa0\x80"
        R"(":{"S":""}})",
        "invalid UTF-8");
    bad(R"(,"NewImage":{"a":{"N":"@)"
        "\xf4\x90\x80\x80"
        R"("}})",
        "invalid UTF-8");
    bad(R"(,"x":"ok ä @)"
        "\xe2\x82"
        R"(")",
        "invalid UTF-8");
    bad(R"(,"x":"@)"
        "\xff"
        R"(")",
        "invalid UTF-8");
    bad(R"(,"x":@)"
        "\xc3\xa4",
        "a value was expected");
    bad(R"(,"x":"@\ud83c")", "half a surrogate pair");
    bad(R"(,"x":"@\udf40\ud83c")", "half a surrogate pair");
    bad(R"(,"x":"@\ud83c\ud83c")", "half a surrogate pair");
    bad(R"(,"x":"@\ud83cx")", "half a surrogate pair");
    bad(R"(,"x":"@\ud83c\n")", "half a surrogate pair");
    for (const auto* escape : {"x", "'", "U0041", "0", "a", " ", "\n"}) {
        bad(R"(,"x":"fine\n@\)" + std::string{escape} + '"', "unknown escape");
    }
    for (const auto* escape : {"u", "u1", "u123", "u12g4", "u 123", "u+123", "u-001", "u12\\u"}) {
        bad(R"(,"x":"@\)" + std::string{escape} + '"', "\\u without four hexadecimal digits");
    }
    bad(std::string{R"(,"x":"a@)"} + '\0' + '"', "a control character inside a string");
    bad(",\"x\":\"@\n\"", "a control character inside a string");
    bad(",\"NewImage\":{\"a\":{\"S\":\"a rather longer text @\x1f\"}}", "a control character inside a string");
    bad(R"(,"NewImage":{"a":{"S":"x"@]})", "a comma or a closing brace was expected");
    bad(R"(,"NewImage":{"a":{"S":"x",@}})", "a string was expected");
    bad(R"(,"NewImage":{"a":{"S":"x","y"@}})", "a colon was expected");
    bad(R"(,"NewImage":{"a":{"L":[{"S":"x"}@}}})", "a comma or a closing bracket was expected");
    bad(R"(,"NewImage":{@a:{"S":"x"}})", "a string was expected");
    bad(R"(,@1:2)", "a string was expected");
    bad(R"(,"SizeBytes":0@1)", "a comma or a closing brace was expected");
}

TEST_CASE("two hundred thousand levels in an unknown member do not overflow the stack, inside records and outside") {
    constexpr std::size_t deep = 200'000;
    freshet::event_decoder decoder;
    for (const auto& [open, close] : {std::pair{"[", "]"}, std::pair{"{\"a\":", "}"}}) {
        const auto value = repeated(open, deep) + "1" + repeated(close, deep);
        const auto inside = event_around(right_record("200", ",\"x\":" + value));
        const auto records = decoder.decode(inside);
        REQUIRE(records.ok());
        for (const auto& one : *records) { CHECK(one.ok()); }
        CHECK(decoder.decode("{\"x\":" + value + ",\"Records\":[]}").ok());
        CHECK(!decoder.decode("{\"Records\":[],\"x\":" + repeated(open, deep) + "}").ok());
        CHECK(!decoder.decode(repeated(open, deep)).ok());
    }
}

TEST_CASE("names and values may hold escapes anywhere") {
    freshet::event_decoder decoder;
    const std::string event =
        R"({"\u0052ecords":[{"event\u004eame":"INSER\u0054","\u0064ynamodb":{"K\u0065ys":{"P\u004b":{"\u0053":"IMAGE\u00231"}},"SequenceNumber":"\u0031",)"
        R"("NewImage":{"a\/b":{"N":"\u002d1"},"\ud83c\udf40":{"L":[{"S":"\"\\\/\b\f\n\r\t"}]}}}}]})";
    const auto records = decoder.decode(event);
    REQUIRE(records.ok());
    const auto& one = *(*records)[0];
    CHECK(one.name == freshet::event_name::insert);
    CHECK(one.keys.find("PK")->text() == "IMAGE#1");
    CHECK(one.sequence.view() == "1");
    CHECK(one.new_image->find("a/b")->text() == "-1");
    CHECK((*one.new_image->find("🍀")->begin()).text() == "\"\\/\b\f\n\r\t");
}

TEST_CASE("what the Streams API answers reads like what Lambda hands over") {
    freshet::event_decoder decoder;
    const auto records = decoder.decode(
        R"({"NextShardIterator":"AAA","Records":[{"awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1479499740,)"
        R"("Keys":{"a":{"S":"x"}},"SequenceNumber":"300000000000000499659","SizeBytes":41,"StreamViewType":"KEYS_ONLY"},"eventID":"e","eventName":"REMOVE",)"
        R"("eventSource":"aws:dynamodb","eventVersion":"1.1","userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}]})");
    REQUIRE(records.ok());
    const auto& one = *(*records)[0];
    CHECK(one.expired_by_ttl());
    CHECK(one.created_at == freshet::time_point{std::chrono::seconds{1'479'499'740}});
    CHECK(one.size_bytes == 41);
    CHECK(one.view_type == freshet::stream_view_type::keys_only);
    CHECK(!one.new_image);
    CHECK(!one.old_image);
    CHECK(one.event_version == "1.1");
}

TEST_CASE("decoding the same events again and comparing what they hold allocates nothing") {
    support::event_maker make{support::seed()};
    std::vector<std::string> events;
    for (int i = 0; i < 50; ++i) { events.push_back(make.event(i % 2 == 0 ? 0 : 60)); }
    std::string names = R"(,"NewImage":{"many":{"M":{"a":{"SS":["x)";
    for (int i = 0; i < 500; ++i) { names += "\",\"\\u0061" + std::to_string(i); }
    names += "\"]}";
    for (int i = 0; i < 500; ++i) { names += ",\"\\u0062" + std::to_string(i) + R"(":{"N":"1.0"})"; }
    events.push_back(event_around(right_record("200", names + "}}}")));
    events.push_back("{\"x\":" + repeated("[", 1000) + repeated("]", 1000) + R"(,"Records":[1,{}]})");
    freshet::event_decoder decoder;
    freshet::event_decoder another;
    const std::string turned = R"(,"NewImage":{"m":{"M":{"b":{"SS":["b","a"]},"a":{"NS":["2","1"]}}}})";
    const std::string straight = R"(,"NewImage":{"m":{"M":{"a":{"NS":["1.0","2"]},"b":{"SS":["a","b"]}}}})";
    const auto turned_event = event_around(right_record("200", turned));
    const auto straight_event = event_around(right_record("200", straight));
    const auto turned_image = (*another.decode(turned_event))[1]->new_image;
    freshet::event_decoder third;
    const auto straight_image = (*third.decode(straight_event))[1]->new_image;
    freshet::same_value same;
    std::size_t comparisons = 1;
    std::size_t comparisons_done = 0;
    const auto decode_all = [&] {
        const auto before = support::allocations.load();
        std::size_t records = 0;
        for (const auto& event : events) {
            const auto read = decoder.decode(event);
            records += read ? read->size() : 0;
        }
        CHECK(records > 50);
        for (comparisons *= 10; comparisons_done < comparisons;
             ++comparisons_done) { // each gives its scratch memory back
            if (!same(*turned_image->begin(), *straight_image->begin())) { FAIL("they are the same"); }
        }
        return support::allocations - before;
    };
    CHECK(decode_all() > 0);
    decode_all(); // the memory for decoded strings becomes one piece
    CHECK(decode_all() == 0);
}

TEST_CASE("a decoder goes on after an event that was refused") {
    freshet::event_decoder decoder;
    const auto good = event_around(right_record("200"));
    for (const auto& bad :
         {std::string{R"({"Records":[{"a":{"b":[{"c":)"}, std::string{R"({"Records":[{"a":1,"a":2}],"b":1,"b":2})"},
          good.substr(0, good.size() - 5)}) {
        CHECK(!decoder.decode(bad).ok());
        const auto records = decoder.decode(good);
        REQUIRE(records.ok());
        for (const auto& one : *records) { CHECK(one.ok()); }
    }
}
