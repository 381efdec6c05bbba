#include <freshet/item/nlohmann.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/item/plain_json.hpp>

#include <support/cases.hpp>
#include <support/decoded.hpp>
#include <support/event_maker.hpp>
#include <support/json_oracle.hpp>

using freshet::document;
using freshet::from_dynamodb_json;
using freshet::from_plain_json;
using freshet::to_dynamodb_json;
using freshet::to_plain_json;
using nlohmann::json;

namespace {

/// The attributes in the order that nlohmann-json gives them: by name, all the way down.
auto by_name(oracle::image item) -> oracle::image {
    for (auto& one : item) { one.inside = by_name(std::move(one.inside)); }
    if (!item.empty() && !item.front().name.empty()) {
        std::sort(item.begin(), item.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    }
    return item;
}

auto document_of(std::string text) -> document {
    auto read = document::parse(std::move(text));
    REQUIRE(read.ok());
    return *std::move(read);
}

/// The plain JSON of one number.
auto plain_number(std::string_view digits) -> freshet::result<json> {
    const auto item = document_of(R"({"n":{"N":")" + std::string{digits} + "\"}}");
    return to_plain_json(item.image()).transform([](json whole) { return std::move(whole["n"]); });
}

/// The digits that a plain JSON number becomes.
auto digits_of(json number) -> std::string {
    const auto read = from_plain_json({{"n", std::move(number)}});
    return read ? std::string{read->image().find("n")->text()} : "refused: " + read.why().note;
}

auto nested(std::size_t depth, json innermost) -> json {
    for (std::size_t i = 0; i < depth; ++i) {
        auto outer = i % 2 == 0 ? json::array() : json::object();
        if (i % 2 == 0) {
            outer.push_back(std::move(innermost));
        } else {
            outer["m"] = std::move(innermost);
        }
        innermost = std::move(outer);
    }
    return innermost;
}

auto typed_nested(std::size_t depth, json innermost) -> json {
    for (std::size_t i = 0; i < depth; ++i) {
        auto outer = json::object();
        if (i % 2 == 0) {
            outer["L"] = json::array();
            outer["L"].push_back(std::move(innermost));
        } else {
            outer["M"]["m"] = std::move(innermost);
        }
        innermost = std::move(outer);
    }
    return innermost;
}

void check_refused(const freshet::result<document>& read, std::string_view note) {
    REQUIRE(!read.ok());
    CHECK(read.why().code == freshet::errc::malformed);
    CHECK(read.why().note == note);
}

constexpr auto too_deep = "lists and maps nested deeper than DynamoDB's 32 levels";

} // namespace

TEST_CASE("every item comes back from DynamoDB JSON as it was, but for the order of names") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    for (auto left = support::cases(300); left > 0; --left) {
        const auto item = document_of(make.image());
        const auto tree = to_dynamodb_json(item.image());
        const auto back = from_dynamodb_json(tree);
        REQUIRE(back.ok());
        REQUIRE(by_name(support::retold(back->image())) == by_name(support::retold(item.image())));
        REQUIRE(to_dynamodb_json(back->image()) == tree);
        REQUIRE(json::parse(back->text()) == tree);
    }
}

TEST_CASE("what goes into plain JSON comes back with the same value") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    std::size_t exact = 0;
    std::string written;
    for (auto left = support::cases(300); left > 0; --left) {
        const auto item = document_of("{\"x\":" + make.value() + "}");
        const auto x = *item.image().find("x");
        const auto text = to_plain_json(item.image(), {.inexact = freshet::inexact_numbers::as_text});
        REQUIRE(text.ok());
        const auto back = from_plain_json(*text);
        REQUIRE(back.ok());
        REQUIRE(*to_plain_json(back->image()) == *text);
        const auto tree = to_plain_json(x);
        if (!tree) { continue; }
        ++exact;
        REQUIRE(*tree == *text->find("x"));
        written.resize(freshet::plain_json_bound(x));
        written.resize(static_cast<std::size_t>(freshet::write_plain_json(written.data(), x) - written.data()));
        REQUIRE(json::parse(written) == *tree);
    }
    CHECK(exact > 0);
}

TEST_CASE("any plain JSON that DynamoDB can hold comes back equal") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    support::event_maker make{seed + 1};
    const auto number = [&]() -> json {
        switch (random() % 4) {
            case 0:
                return json(static_cast<std::int64_t>(random()));
            case 1:
                return json(random());
            case 2:
                return json(static_cast<double>(random() % 100'000) / 100);
            default:
                return json(std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 600) - 400));
        }
    };
    const auto any = [&](const auto& self, unsigned depth) -> json {
        switch (random() % (depth > 3 ? 5 : 7)) {
            case 0:
                return nullptr;
            case 1:
                return random() % 2 == 0;
            case 2:
                return make.any_text();
            case 3:
            case 4:
                return number();
            case 5: {
                auto list = json::array();
                for (auto n = random() % 4; n > 0; --n) { list.push_back(self(self, depth + 1)); }
                return list;
            }
            default: {
                auto map = json::object();
                for (auto n = random() % 4; n > 0; --n) { map[make.any_text()] = self(self, depth + 1); }
                return map;
            }
        }
    };
    for (auto left = support::cases(300); left > 0; --left) {
        json item = json::object();
        item["x"] = any(any, 0);
        const auto read = from_plain_json(item);
        REQUIRE_MESSAGE(read.ok(), read.why().note);
        const auto back = to_plain_json(read->image());
        REQUIRE_MESSAGE(back.ok(), back.why().note);
        REQUIRE(*back == item);
    }
}

TEST_CASE("each type has its plain form") {
    const auto item = document_of(
        R"({"s":{"S":"t\n"},"n":{"N":"1.50"},"b":{"B":"AA=="},"t":{"BOOL":true},"f":{"BOOL":false},"0":{"NULL":true},"l":{"L":[{"N":"1"},{"L":[]}]},"m":{"M":{"":{"S":""}}},)"
        R"("ss":{"SS":["b","a"]},"ns":{"NS":["2","1"]},"bs":{"BS":["AA=="]}})");
    CHECK(
        to_plain_json(item.image())->dump() ==
        R"({"0":null,"b":"AA==","bs":["AA=="],"f":false,"l":[1,[]],"m":{"":""},"n":1.5,"ns":[2,1],"s":"t\n","ss":["b","a"],"t":true})");
    CHECK(
        to_dynamodb_json(item.image()).dump() ==
        R"({"0":{"NULL":true},"b":{"B":"AA=="},"bs":{"BS":["AA=="]},"f":{"BOOL":false},"l":{"L":[{"N":"1"},{"L":[]}]},"m":{"M":{"":{"S":""}}},"n":{"N":"1.50"},)"
        R"("ns":{"NS":["2","1"]},"s":{"S":"t\n"},"ss":{"SS":["b","a"]},"t":{"BOOL":true}})");
    CHECK(to_dynamodb_json(*item.image().find("n")).dump() == R"({"N":"1.50"})");
    CHECK(
        from_plain_json(json::parse(R"({"s":"t","n":-1,"r":0.5,"t":true,"0":null,"l":[1,"a"],"m":{"k":[]}})"))
            ->text() ==
        R"({"0":{"NULL":true},"l":{"L":[{"N":"1"},{"S":"a"}]},"m":{"M":{"k":{"L":[]}}},"n":{"N":"-1"},"r":{"N":"0.5"},"s":{"S":"t"},"t":{"BOOL":true}})");
}

TEST_CASE("a number becomes a JSON number where that is exact") {
    CHECK(plain_number("0")->dump() == "0");
    CHECK(plain_number("-0")->dump() == "0");
    CHECK(plain_number("1.0")->dump() == "1");
    CHECK(plain_number("1E3")->dump() == "1000");
    CHECK(plain_number("0.10")->dump() == "0.1");
    CHECK(plain_number("+.5")->dump() == "0.5");
    CHECK(plain_number("18446744073709551615")->dump() == "18446744073709551615");
    CHECK(plain_number("18446744073709551615")->is_number_unsigned());
    CHECK(plain_number("-9223372036854775808")->dump() == "-9223372036854775808");
    CHECK(plain_number("-9223372036854775808")->is_number_integer());
    CHECK(plain_number("1e22")->get<double>() == 1e22);
    CHECK(plain_number("9.99e125")->get<double>() == 9.99e125);
    CHECK(plain_number("-1E-130")->get<double>() == -1e-130);
    CHECK(plain_number("0.30000000000000004")->get<double>() == 0.1 + 0.2);
}

TEST_CASE("a number that nlohmann-json cannot hold exactly is refused with its path, or stays text") {
    for (const auto* digits : {"18446744073709551616", "-9223372036854775809", "0.1000000000000000055511151231257827",
                               "12345678901234567890123456789012345678", "1.00000000000000001", "9007199254740993.5"}) {
        CAPTURE(std::string{digits});
        const auto refused = plain_number(digits);
        REQUIRE(!refused.ok());
        CHECK(refused.why().code == freshet::errc::malformed);
        CHECK(refused.why().note.find(digits) != std::string::npos);
        const auto item = document_of(R"({"n":{"N":")" + std::string{digits} + "\"}}");
        CHECK(*to_plain_json(*item.image().find("n"), {.inexact = freshet::inexact_numbers::as_text}) == digits);
    }
    const auto item = document_of(R"({"a/b":{"M":{"~":{"L":[{"N":"1"},{"NS":["1","1.00000000000000001"]}]}}}})");
    const auto note = R"(item at "/a~1b/~0/1/1": nlohmann-json cannot hold the number 1.00000000000000001 exactly; )"
                      "DynamoDB JSON, or the option inexact_numbers::as_text, keeps it as text";
    CHECK(to_plain_json(item.image()).why().note == note);
    CHECK(to_plain_json(*item.image().find("a/b")).why().note == note);
}

TEST_CASE("a double is written with the fewest digits that read back as the same one") {
    CHECK(digits_of(0.1) == "0.1");
    CHECK(digits_of(0.1 + 0.2) == "0.30000000000000004");
    CHECK(digits_of(1e22) == "1e+22");
    CHECK(digits_of(9007199254740991.0) == "9007199254740991");
    CHECK(digits_of(18446744073709551616.0) == "1.8446744073709552e+19");
    CHECK(digits_of(-0.0) == "-0");
    CHECK(digits_of(9.99e125) == "9.99e+125");
    CHECK(digits_of(1e-130) == "1e-130");
    CHECK(digits_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(digits_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(digits_of(1e126) == R"(refused: item at "/n": a number is too far from zero)");
    CHECK(digits_of(1e-131) == R"(refused: item at "/n": a number is too close to zero)");
    CHECK(digits_of(std::numeric_limits<double>::denorm_min()) ==
          R"(refused: item at "/n": a number is too close to zero)");
    CHECK(digits_of(std::numeric_limits<double>::max()) == R"(refused: item at "/n": a number is too far from zero)");
    CHECK(digits_of(std::nan("")) == R"(refused: item at "/n": a number is neither NaN nor Infinity)");
    CHECK(digits_of(-std::numeric_limits<double>::infinity()) ==
          R"(refused: item at "/n": a number is neither NaN nor Infinity)");
}

TEST_CASE("what no item holds is refused with its path, and nothing throws") {
    check_refused(from_plain_json(json::array()), R"(item at "": an item is an object)");
    check_refused(from_plain_json(nullptr), R"(item at "": an item is an object)");
    check_refused(from_plain_json({{"a", {1, json::binary({1, 2})}}}),
                  R"(item at "/a/1": a value that JSON cannot say)");
    check_refused(from_plain_json({{"a", json(json::value_t::discarded)}}),
                  R"(item at "/a": a value that JSON cannot say)");
    check_refused(from_plain_json({{"a", {{"b", "\xc0\x80"}}}}), R"(item at "/a/b": a string that is not UTF-8)");
    check_refused(from_plain_json({{"a", {{"\xff", 1}}}}), R"(item at "/a": a name that is not UTF-8)");
    check_refused(from_plain_json({{"a\nb/", {{"b", "\xed\xa0\x80"}}}}),
                  R"(item at "/a\nb~1/b": a string that is not UTF-8)");
    check_refused(from_dynamodb_json({{"a", {{"S", "\xff"}}}}), R"(item at "/a/S": a string that is not UTF-8)");
    check_refused(from_dynamodb_json({{"\xff", {{"S", ""}}}}), R"(item at "": a name that is not UTF-8)");
    check_refused(from_dynamodb_json({{"a", {{"B", json::binary({1})}}}}),
                  R"(item at "/a/B": a value that JSON cannot say)");
}

TEST_CASE("a tree that is no DynamoDB JSON is refused with the path of what is wrong") {
    const auto refused = [](const char* text, std::string_view note) {
        CAPTURE(text);
        check_refused(from_dynamodb_json(json::parse(text)), note);
    };
    refused("[]", R"(item at "": attributes that are no object)");
    refused("1", R"(item at "": attributes that are no object)");
    refused(R"({"a":"x"})", R"(item at "/a": an attribute value that is no object)");
    refused(R"({"a":{"S":"x"},"b":{}})", R"(item at "/b": an attribute value without a type)");
    refused(R"({"a":{"X":"x"}})", R"(item at "/a/X": an unknown attribute type)");
    refused(R"({"a":{"N":"1","S":"x"}})", R"(item at "/a/S": an attribute value with more than one type)");
    refused(R"({"a":{"S":"1","SS":["x"]}})", R"(item at "/a/SS": an attribute value with more than one type)");
    refused(R"({"a":{"N":1}})", R"(item at "/a/N": text was expected)");
    refused(R"({"a":{"NULL":null}})", R"(item at "/a/NULL": a NULL that is not true)");
    refused(R"({"a":{"N":"1e126"}})", R"(item at "/a/N": a number is too far from zero)");
    refused(R"({"a":{"L":[{"S":"x"},{"M":{"m":{"NULL":false}}}]}})",
            R"(item at "/a/L/1/M/m/NULL": a NULL that is not true)");
    refused(R"({"a":{"NS":["1","2","1.0"]}})", R"(item at "/a/NS/2": a value that repeats in a set)");
    refused(R"({"a":{"SS":[]}})", R"(item at "/a/SS": an empty set)");
    refused(R"({"a":{"B":"?"}})", R"(item at "/a/B": a binary that is not base64)");
    CHECK(from_dynamodb_json(json::object())->image().empty());
    CHECK(from_plain_json(json::object())->image().empty());
}

TEST_CASE("32 levels convert both ways, and more are refused before they can overflow the stack") {
    const auto plain = [](std::size_t depth, json innermost) {
        return json{{"a", nested(depth, std::move(innermost))}};
    };
    const auto typed = [](std::size_t depth, json innermost) {
        return json{{"a", typed_nested(depth, std::move(innermost))}};
    };
    const auto note = [](const freshet::result<document>& read) {
        const auto text = read.ok() ? std::string{"accepted"} : read.why().note;
        return text.substr(text.rfind(": ") == std::string::npos ? 0 : text.rfind(": ") + 2);
    };
    const auto deepest = from_plain_json(plain(32, "x"));
    REQUIRE(deepest.ok());
    CHECK(*to_plain_json(deepest->image()) == plain(32, "x"));
    CHECK(*from_plain_json(plain(31, json::array())).transform([](document read) {
        return to_dynamodb_json(read.image());
    }) == typed(31, {{"L", json::array()}}));
    CHECK(note(from_plain_json(plain(33, "x"))) == too_deep);
    CHECK(note(from_plain_json(plain(32, json::array()))) == too_deep);
    CHECK(to_dynamodb_json(deepest->image()) == typed(32, {{"S", "x"}}));
    CHECK(from_dynamodb_json(typed(32, {{"S", "x"}})).ok());
    CHECK(from_dynamodb_json(typed(32, {{"SS", {"x", "y"}}})).ok());
    CHECK(note(from_dynamodb_json(typed(32, {{"L", json::array()}}))) ==
          "an attribute value nested deeper than 32 lists and maps");
    CHECK(note(from_dynamodb_json(typed(33, {{"S", "x"}}))) == too_deep);
    CHECK(note(from_plain_json(plain(100'000, "x"))) == too_deep);
    CHECK(note(from_dynamodb_json(typed(100'000, {{"S", "x"}}))) == too_deep);
}
