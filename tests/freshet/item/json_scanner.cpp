#include <freshet/item/json_scanner.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <support/refusals.hpp>

using freshet::detail::json_scanner;
using freshet::detail::json_string;
using freshet::detail::scan_memory;
using std::string_view_literals::operator""sv;

namespace {

/// Whether `value` is JSON: as an unknown member inside a record and outside, where both must say the same.
auto is_json(std::string_view value) -> bool {
    freshet::event_decoder decoder;
    const std::string text{value};
    const auto inside = support::event_around(support::right_record("200", ",\"x\":" + text + ",\"y\":0"));
    const bool inside_is = decoder.decode(inside).ok();
    const auto outside = "{\"x\":" + text + ",\"Records\":[]}";
    CHECK(decoder.decode(outside).ok() == inside_is);
    scan_memory memory;
    json_scanner alone{value, memory};
    CHECK((alone.skip_value() && alone.at_end()) == inside_is);
    return inside_is;
}

} // namespace

TEST_CASE("what RFC 8259 calls a value is read past, in an unknown member of a record and outside") {
    for (const auto value : {"0"sv,
                             "-0"sv,
                             "1"sv,
                             "10"sv,
                             "-1"sv,
                             "0.0"sv,
                             "0.10"sv,
                             "-0.5"sv,
                             "1.5e3"sv,
                             "1E3"sv,
                             "1e+3"sv,
                             "1e-3"sv,
                             "0e0"sv,
                             "0E+00"sv,
                             "1e999"sv,
                             "-1e999"sv,
                             "1e-999"sv,
                             "123456789012345678901234567890"sv,
                             "true"sv,
                             "false"sv,
                             "null"sv,
                             R"("")"sv,
                             R"("a")"sv,
                             R"("\"\\\/\b\f\n\r\t\u0041")"sv,
                             R"("\u0000")"sv,
                             R"("\uFFFF")"sv,
                             R"("\ud83c\udf40")"sv,
                             R"("\uDBFF\uDFFF")"sv,
                             "\"\x7f\""sv,
                             "\"\xc2\x80\""sv,
                             "\"\xdf\xbf\""sv,
                             "\"\xe0\xa0\x80\""sv,
                             "\"\xed\x9f\xbf\""sv,
                             "\"\xee\x80\x80\""sv,
                             "\"\xef\xbf\xbf\""sv,
                             "\"\xef\xbb\xbf\""sv,
                             "\"\xf0\x90\x80\x80\""sv,
                             "\"\xf4\x8f\xbf\xbf\""sv,
                             "[]"sv,
                             "[ ]"sv,
                             "[1]"sv,
                             "[1,2]"sv,
                             "[[],[[]]]"sv,
                             "[\n1\t,\r2 ]"sv,
                             "{}"sv,
                             "{ }"sv,
                             R"({"":0})"sv,
                             R"({"a":1,"b":{"a":[{"a":{}}]}})"sv,
                             " \t\r\n null \t\r\n "sv,
                             R"(["]","}",",",":"])"sv,
                             R"({"{":"["})"sv}) {
        CAPTURE(value);
        CHECK(is_json(value));
    }
}

TEST_CASE("what RFC 8259 does not call a value refuses the event") {
    for (const auto value : {""sv,
                             " "sv,
                             "-"sv,
                             "+1"sv,
                             "01"sv,
                             "-01"sv,
                             "00"sv,
                             "1."sv,
                             ".5"sv,
                             "-.5"sv,
                             "1.e3"sv,
                             "1e"sv,
                             "1e+"sv,
                             "1e-"sv,
                             "1e1.5"sv,
                             "1 2"sv,
                             "--1"sv,
                             "0x10"sv,
                             "1_000"sv,
                             "1f"sv,
                             "NaN"sv,
                             "Infinity"sv,
                             "-Infinity"sv,
                             "nul"sv,
                             "nulll"sv,
                             "True"sv,
                             "TRUE"sv,
                             "fals"sv,
                             "truefalse"sv,
                             "undefined"sv,
                             "'a'"sv,
                             "a"sv,
                             "\"a"sv,
                             R"("a"b")"sv,
                             R"("a\")"sv,
                             R"("\x41")"sv,
                             R"("\u004")"sv,
                             R"("\u00g0")"sv,
                             R"("\U0041")"sv,
                             R"("\ud800")"sv,
                             R"("\udc00")"sv,
                             R"("\udc00\udc00")"sv,
                             R"("\ud800\u0041")"sv,
                             R"("\ud800 \udc00")"sv,
                             "\"\t\""sv,
                             "\"\n\""sv,
                             "\"\0\""sv,
                             "\"\x1f\""sv,
                             "\"\x80\""sv,
                             "\"\xc0\xaf\""sv,
                             "\"\xc1\xbf\""sv,
                             "\"\xc2\""sv,
                             "\"\xc2\x41\""sv,
                             "\"\xe0\x9f\xbf\""sv,
                             "\"\xe2\x82\""sv,
                             "\"\xed\xa0\x80\""sv,
                             "\"\xed\xbf\xbf\""sv,
                             "\"\xf0\x8f\xbf\xbf\""sv,
                             "\"\xf0\x90\x80\""sv,
                             "\"\xf4\x90\x80\x80\""sv,
                             "\"\xf5\x80\x80\x80\""sv,
                             "\"\xff\""sv,
                             "["sv,
                             "]"sv,
                             "[1"sv,
                             "[1,]"sv,
                             "[,1]"sv,
                             "[1,,2]"sv,
                             "[1 2]"sv,
                             "[1}"sv,
                             "[:]"sv,
                             "{"sv,
                             "}"sv,
                             R"({"a"})"sv,
                             R"({"a":})"sv,
                             R"({"a" 1})"sv,
                             R"({"a":1,})"sv,
                             R"({,"a":1})"sv,
                             R"({"a":1 "b":2})"sv,
                             R"({"a":1,,"b":2})"sv,
                             R"({"a"::1})"sv,
                             R"({a:1})"sv,
                             R"({1:1})"sv,
                             R"({null:1})"sv,
                             R"({"a":1])"sv,
                             R"({"a",1})"sv,
                             "\f1"sv,
                             "1\v"sv,
                             "\xc2\xa0"
                             "1"sv,
                             "\xe2\x80\xa8"
                             "1"sv,
                             "\xef\xbb\xbf"
                             "1"sv,
                             "1\0"sv,
                             "\0"sv,
                             "// x\n1"sv,
                             "/**/1"sv,
                             "1#"sv}) {
        CAPTURE(value);
        CHECK(!is_json(value));
    }
}

TEST_CASE("a string tells its text and whether it held escapes") {
    scan_memory memory;
    json_scanner in{R"( "plain" "es\u0063aped" "" "\/" )", memory};
    json_string out;
    REQUIRE(in.string(out));
    CHECK(out.token == "\"plain\"");
    CHECK(out.text == "plain");
    CHECK(out.text.data() == out.token.data() + 1);
    CHECK(!out.escaped());
    REQUIRE(in.string(out));
    CHECK(out.text == "escaped");
    CHECK(out.escaped());
    REQUIRE(in.string(out));
    CHECK(out.text.empty());
    CHECK(!out.escaped());
    REQUIRE(in.string(out));
    CHECK(out.text == "/");
    CHECK(out.escaped());
    CHECK(in.at_end());
    CHECK(!json_string{}.escaped());
}

TEST_CASE("strings keep their decoded text while others are read") {
    scan_memory memory;
    for (int round = 0; round < 3; ++round) {
        memory.reset();
        std::string text;
        for (int i = 0; i < 2000; ++i) { text += R"("\u0061bc)" + std::to_string(i) + '"'; }
        json_scanner in{text, memory};
        std::vector<std::string_view> read;
        json_string out;
        while (!in.at_end()) {
            REQUIRE(in.string(out));
            read.push_back(out.text);
        }
        REQUIRE(read.size() == 2000);
        for (int i = 0; i < 2000; ++i) { REQUIRE(read[static_cast<std::size_t>(i)] == "abc" + std::to_string(i)); }
    }
}

TEST_CASE("the first refusal and the first error are kept, and an error ends the reading") {
    scan_memory memory;
    json_scanner in{"[1,2,x]", memory};
    CHECK(!in.refuse(in.position() + 1, "first"));
    CHECK(!in.refuse(in.position() + 2, "second"));
    CHECK(in.refusal() == freshet::parse_fault{1, "first"});
    in.forget_refusal();
    CHECK(!in.refusal());
    CHECK(!in.skip_value());
    CHECK(in.error() == freshet::parse_fault{5, "a value was expected"});
    CHECK(in.at_end());
    CHECK(!in.skip_value());
    CHECK(!in.expect('[', "again"));
    CHECK(in.error()->offset == 5);
}

TEST_CASE("members and elements are handed out one by one") {
    scan_memory memory;
    json_scanner in{R"({"a" : [1 , 2.5e1,-3], "b":{}})", memory};
    std::string seen;
    REQUIRE(in.members([&](const json_string& name) {
        (seen += name.text) += '=';
        if (name.text != "a") { return in.skip_value(); }
        return in.elements([&] {
            std::string_view digits;
            if (!in.number(digits)) { return false; }
            (seen += digits) += ';';
            return true;
        });
    }));
    CHECK(seen == "a=1;2.5e1;-3;b=");
    CHECK(in.at_end());
}

TEST_CASE("a text without bytes is no value, and needs no memory to point at") {
    scan_memory memory;
    json_scanner in{{}, memory};
    CHECK(in.at_end());
    CHECK(in.peek() == '\0');
    CHECK(!in.take('\0'));
    CHECK(!in.take_text("true"));
    CHECK(!in.skip_value());
    CHECK(in.error() == freshet::parse_fault{0, "the text ends too soon"});
}
