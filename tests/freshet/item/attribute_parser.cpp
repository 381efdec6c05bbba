#include <freshet/item/attribute_parser.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <support/refusals.hpp>

using support::check_value_refused;
using support::value_is_right;

namespace {

auto repeated(std::string_view text, std::size_t times) -> std::string {
    std::string out;
    while (times-- > 0) { out += text; }
    return out;
}

/// `content` inside `depth` lists and maps in turn.
auto nested(std::size_t depth, std::string_view content) -> std::string {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) { text += i % 2 == 0 ? R"({"L":[)" : R"({"M":{"m":)"; }
    text += content;
    for (auto i = depth; i-- > 0;) { text += i % 2 == 0 ? "]}" : "}}"; }
    return text;
}

auto set_of(std::size_t size, std::string_view type) -> std::string {
    std::string text = "{\"" + std::string{type} + "\":[";
    for (std::size_t i = 0; i < size; ++i) { text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + '"'; }
    return text + "]}";
}

} // namespace

TEST_CASE("each of the ten types is read, also empty, escaped and with blanks") {
    for (const auto* value :
         {R"({"S":""})", R"({ "S" : "x" })", R"({"\u0053":"x"})", R"({"N":"\u0031"})", R"({"B":""})", R"({"B":"AA=="})",
          R"({"BOOL":true})", R"({"BOOL": false })", R"({"NULL":true})", R"({"L":[]})", R"({"M":{}})",
          R"({"M":{"":{"S":"a name may be empty in a map"}}})", R"({"SS":["",  "a"]})", R"({"NS":["1","2"]})",
          R"({"BS":["AA==","AQ=="]})"}) {
        CAPTURE(value);
        CHECK(value_is_right(value));
    }
}

TEST_CASE("an attribute value has exactly one known type") {
    check_value_refused(R"(@"text")", "an attribute value that is no object");
    check_value_refused("@5", "an attribute value that is no object");
    check_value_refused("@null", "an attribute value that is no object");
    check_value_refused(R"(@[{"S":"x"}])", "an attribute value that is no object");
    check_value_refused("@{}", "an attribute value without a type");
    check_value_refused(R"({@"X":"x"})", "an unknown attribute type");
    check_value_refused(R"({@"s":"x"})", "an unknown attribute type");
    check_value_refused(R"({@"":{"deep":[1]}})", "an unknown attribute type");
    check_value_refused(R"({@"\u0000S":"x"})", "an unknown attribute type");
    check_value_refused(R"({"S":"x",@"N":"1"})", "an attribute value with more than one type");
    check_value_refused(R"({"N":"1",@"S":"x"})", "an attribute value with more than one type");
    check_value_refused(R"({"NULL":true,@"M":{"a":{"S":"x"}}})", "an attribute value with more than one type");
    check_value_refused(R"({"S":"x",@"S":"x"})", "an attribute value with more than one type");
    check_value_refused(R"({"S":"x" , @"S":"x"})", "an attribute value with more than one type");
    check_value_refused(R"({"N":"1",@"N":"1"})", "a name that repeats");
}

TEST_CASE("each type holds its own kind of content") {
    check_value_refused(R"({"S":@1})", "text was expected");
    check_value_refused(R"({"S": @null})", "text was expected");
    check_value_refused(R"({"N":@1})", "text was expected");
    check_value_refused(R"({"B":@["AA=="]})", "text was expected");
    check_value_refused(R"({"BOOL":@"true"})", "a BOOL that is neither true nor false");
    check_value_refused(R"({"BOOL":@1})", "a BOOL that is neither true nor false");
    check_value_refused(R"({"BOOL":@null})", "a BOOL that is neither true nor false");
    check_value_refused(R"({"NULL":@false})", "a NULL that is not true");
    check_value_refused(R"({"NULL":@null})", "a NULL that is not true");
    check_value_refused(R"({"NULL":@"true"})", "a NULL that is not true");
    check_value_refused(R"({"L":@{}})", "an L that is no array");
    check_value_refused(R"({"L":@"x"})", "an L that is no array");
    check_value_refused(R"({"L":[@1]})", "an attribute value that is no object");
    check_value_refused(R"({"M":@[]})", "an M that is no object");
    check_value_refused(R"({"M":@null})", "an M that is no object");
    check_value_refused(R"({"M":{"m":@1}})", "an attribute value that is no object");
    check_value_refused(R"({"SS":@"x"})", "a set that is no array");
    check_value_refused(R"({"SS":@{}})", "a set that is no array");
    check_value_refused(R"({"SS":["x",@1]})", "text was expected");
    check_value_refused(R"({"NS":[@1]})", "text was expected");
    check_value_refused(R"({"BS":[@null]})", "text was expected");
}

TEST_CASE("a number is a number, here and in sets") {
    struct row {
        std::string text;
        std::string_view reason;
    };
    const auto byte = "this byte does not belong in a number";
    const auto digit = "a digit is missing";
    for (const auto& [text, reason] : {row{"", "a number is not empty"},
                                       row{" 1", digit},
                                       row{"1 ", byte},
                                       row{"NaN", digit},
                                       row{"Infinity", digit},
                                       row{"-", digit},
                                       row{"+", digit},
                                       row{".", digit},
                                       row{"-.", digit},
                                       row{"--1", digit},
                                       row{"1.2.3", byte},
                                       row{"1,000", byte},
                                       row{"0x10", byte},
                                       row{"1e", "an exponent has at least one digit"},
                                       row{"1e+", "an exponent has at least one digit"},
                                       row{"1e5.0", byte},
                                       row{"e5", digit},
                                       row{"1E126", "a number is too far from zero"},
                                       row{"-1E126", "a number is too far from zero"},
                                       row{"1E-131", "a number is too close to zero"},
                                       row{"1e99999999999999999999", "a number is too far from zero"},
                                       row{std::string(39, '1'), "a number has too many significant digits"},
                                       row{"\\u0661", digit},
                                       row{"1\\u0000", byte}}) {
        check_value_refused(R"({"N":@")" + text + "\"}", reason);
        check_value_refused(R"({"NS":["12345",@")" + text + "\"]}", reason);
    }
    for (const auto& text :
         {std::string{"0"}, std::string{"-0"}, std::string{"+1"}, std::string{"007"}, std::string{".5"},
          std::string{"5."}, std::string{"1E125"}, std::string{"9.9999999999999999999999999999999999999E+125"},
          std::string{"1E-130"}, std::string{"0e999999"}, std::string(38, '9'),
          std::string(38, '9') + std::string(80, '0'), std::string(500, '0') + "1"}) {
        CAPTURE(text);
        CHECK(value_is_right(R"({"N":")" + text + "\"}"));
        CHECK(value_is_right(R"({"NS":[")" + text + "\"]}"));
    }
}

TEST_CASE("a set is not empty and holds nothing twice, whatever the spelling") {
    for (const auto* type : {"SS", "NS", "BS"}) {
        check_value_refused("{\"" + std::string{type} + "\": @[ ]}", "an empty set");
    }
    const auto repeats = "a value that repeats in a set";
    check_value_refused(R"({"SS":["a","b",@"a"]})", repeats);
    check_value_refused(R"({"SS":["a",@"\u0061"]})", repeats);
    check_value_refused(R"({"SS":["",@""]})", repeats);
    check_value_refused(R"({"BS":["AA==",@"AA=="]})", repeats);
    for (const auto* again : {"1", "1.0", "1E0", "+1", "01", "10e-1", ".1e1", "1.", "\\u0031"}) {
        check_value_refused(R"({"NS":["1",@")" + std::string{again} + "\"]}", repeats);
    }
    check_value_refused(R"({"NS":["0",@"-0"]})", repeats);
    check_value_refused(R"({"NS":["-0.0",@"0e5"]})", repeats);
    check_value_refused(R"({"NS":["100",@"1e2"]})", repeats);
    CHECK(value_is_right(R"({"NS":["1","-1","10","0.1","11","1.1"]})"));
    CHECK(value_is_right(R"({"SS":["1","1.0","a","A","a "]})"));
    // Whoever joins sign, digits and magnitude without care takes these for equal.
    CHECK(value_is_right(R"({"NS":["11","1e11","-11","1e-1","1.1","1e10","12e9","129","1e29"]})"));
}

TEST_CASE("a binary is base64 with its padding and nothing behind the last byte") {
    for (const auto* text :
         {"A", "AA", "AAA", "AA=", "A===", "====", "AB==", "AAB=", "AA==AA==", "AA==\\n", "A-_A", "A A=", "=AAA"}) {
        check_value_refused(R"({"B":@")" + std::string{text} + "\"}", "a binary that is not base64");
        check_value_refused(R"({"BS":["QUJD",@")" + std::string{text} + "\"]}", "a binary that is not base64");
    }
}

TEST_CASE("no name stands twice in an image or a map, whatever the spelling") {
    const auto repeats = "a name that repeats";
    check_value_refused(R"({"M":{"a":{"S":"x"},@"a":{"S":"x"}}})", repeats);
    check_value_refused(R"({"M":{"a":{"S":"x"},@"\u0061":{"S":"x"}}})", repeats);
    check_value_refused(R"({"L":[{"M":{"":{"S":"x"},@"":{"S":"x"}}}]})", repeats);
    check_value_refused(R"({"S":"x"},@"wrong":{"S":"x"})", repeats);
    check_value_refused(R"({"S":"x"},@"wron\u0067":{"N":"nor is this looked at any more"})", repeats);
    check_value_refused(R"({"S":"x"},@"a":{"S":"x"})", repeats);
    CHECK(
        value_is_right(R"({"M":{"a":{"M":{"a":{"S":"x"}}},"A":{"L":[{"M":{"a":{"S":"x"}}},{"M":{"a":{"S":"x"}}}]}}})"));
    std::string many;
    for (int i = 0; i < 30; ++i) { many += "\"n" + std::to_string(i) + R"(":{"S":""},)"; }
    check_value_refused(R"({"M":{)" + many + R"(@"n0":{"S":""}}})", repeats);
    check_value_refused(R"({"M":{)" + many + R"(@"n29":{"S":""}}})", repeats);
    CHECK(value_is_right(R"({"M":{)" + many + R"("n30":{"S":""}}})"));
}

TEST_CASE("32 lists and maps inside each other are right, 33 are that record's failure") {
    const auto* too_deep = "an attribute value nested deeper than 32 lists and maps";
    CHECK(value_is_right(nested(32, R"({"S":"x"})")));
    CHECK(value_is_right(nested(32, R"({"SS":["a set is no level"]})")));
    CHECK(value_is_right(nested(31, R"({"L":[]})")));
    check_value_refused(nested(32, R"({"L":@[]})"), too_deep);
    check_value_refused(nested(32, R"({"M":@{}})"), too_deep);
    check_value_refused(nested(32, R"({"L":@[1,[2,{"a":1,"a":2}]]})"), too_deep);
}

TEST_CASE("two hundred thousand levels neither overflow the stack nor spoil other records") {
    constexpr std::size_t deep = 200'000;
    const auto* too_deep = "an attribute value nested deeper than 32 lists and maps";
    check_value_refused(nested(32, R"({"L":@[)" + repeated(R"({"L":[)", deep) + repeated("]}", deep) + "]}"), too_deep);
    check_value_refused(R"({@"X":)" + repeated("[", deep) + repeated("]", deep) + "}", "an unknown attribute type");
    check_value_refused(R"({"S":@)" + repeated(R"({"S":)", deep) + "1" + repeated("}", deep) + "}",
                        "text was expected");
}

TEST_CASE("work is linear in names and set elements: two hundred thousand of each") {
    constexpr std::size_t many = 200'000;
    CHECK(value_is_right(set_of(many, "SS")));
    CHECK(value_is_right(set_of(many, "NS")));
    std::string names = R"({"M":{"x":{"NULL":true})";
    for (std::size_t i = 0; i < many; ++i) { names += ",\"" + std::to_string(i) + R"(":{"NULL":true})"; }
    CHECK(value_is_right(names + "}}"));
    check_value_refused(names + R"(,@"100000":{"NULL":true}}})", "a name that repeats");
}
