#include <freshet/item/same_value.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/item/document.hpp>

#include <support/cases.hpp>
#include <support/decoded.hpp>
#include <support/event_maker.hpp>
#include <support/json_oracle.hpp>

using freshet::document;
using freshet::same_value;

namespace {

auto document_of(std::string_view value) -> document {
    auto read = document::parse("{\"x\":" + std::string{value} + "}");
    REQUIRE(read.ok());
    return *std::move(read);
}

auto x(const document& item) -> freshet::attribute { return *item.image().find("x"); }

auto same(std::string_view a, std::string_view b) -> bool {
    const auto one = document_of(a);
    const auto other = document_of(b);
    same_value compare;
    const bool forth = compare(x(one), x(other));
    CHECK(compare(x(other), x(one)) == forth);
    return forth;
}

/// The comparison told from the rules: every member of a set or map finds its partner.
auto slow_same(const oracle::attribute& a, const oracle::attribute& b) -> bool {
    if (a.type != b.type || a.inside.size() != b.inside.size()) { return false; }
    if (a.type == "N") { return oracle::read_number(a.text) == oracle::read_number(b.text); }
    if (a.type == "L") { return std::equal(a.inside.begin(), a.inside.end(), b.inside.begin(), slow_same); }
    return a.text == b.text && std::all_of(a.inside.begin(), a.inside.end(), [&](const auto& one) {
               return std::any_of(b.inside.begin(), b.inside.end(),
                                  [&](const auto& other) { return one.name == other.name && slow_same(one, other); });
           });
}

/// DynamoDB JSON of the value with another order where order does not count, and other spellings of numbers.
auto respelled(oracle::attribute value, support::event_maker& make) -> std::string {
    if (value.type != "L") {
        for (auto i = value.inside.size(); i > 1; --i) { std::swap(value.inside[i - 1], value.inside[make.below(i)]); }
    }
    const auto number = [&](std::string text) {
        return make.one_in(2) && text.find_first_of(".eE") == std::string::npos ? text + ".0" : text;
    };
    std::string content;
    if (value.type == "BOOL") {
        content = value.text;
    } else if (value.type == "NULL") {
        content = "true";
    } else if (value.type == "N") {
        content = make.string(number(value.text));
    } else if (value.type == "S" || value.type == "B") {
        content = make.string(value.text);
    } else {
        const bool set = value.type.ends_with('S');
        content = value.type == "M" ? "{" : "[";
        for (std::size_t i = 0; i < value.inside.size(); ++i) {
            const auto& inner = value.inside[i];
            content += i == 0 ? "" : ",";
            if (value.type == "M") { content += make.string(inner.name) + ":"; }
            content += set ? make.string(inner.type == "N" ? number(inner.text) : inner.text) : respelled(inner, make);
        }
        content += value.type == "M" ? "}" : "]";
    }
    return "{\"" + value.type + "\":" + content + "}";
}

/// One change somewhere inside.
void change(oracle::attribute& value, support::event_maker& make) {
    if (!value.inside.empty() && !make.one_in(3)) {
        return change(value.inside[make.below(value.inside.size())], make);
    }
    if (value.type == "S" || value.type == "SS") {
        value.type == "S" ? value.text += "!" : value.inside.front().text += "!";
    } else if (value.type == "N") {
        value.text = value.text == "77" ? "78" : "77";
    } else if (value.type == "BOOL") {
        value.text = value.text == "true" ? "false" : "true";
    } else if (value.type == "L") {
        value.inside.push_back({"", "NULL", "", {}});
    } else if (value.type == "M") {
        value.inside.push_back({"new", "NULL", "", {}});
    } else if (value.type == "NS") {
        value.inside.push_back({"", "N", "987654", {}});
    }
}

/// A map in a map, 32 deep, with two members at each level, in this or the other order.
auto deep_maps(bool turned, std::string_view bottom) -> std::string {
    std::string value{bottom};
    for (int i = 0; i < 32; ++i) {
        value = turned ? R"({"M":{"b":{"S":""},"a":)" + value + "}}" : R"({"M":{"a":)" + value + R"(,"b":{"S":""}}})";
    }
    return value;
}

} // namespace

TEST_CASE("numbers compare by value, texts by bytes, and types never meet") {
    CHECK(same(R"({"N":"1"})", R"({"N":"1.0"})"));
    CHECK(same(R"({"N":"-0"})", R"({"N":"0e5"})"));
    CHECK(!same(R"({"N":"1"})", R"({"N":"1.0000000000000000000000000000000000001"})"));
    CHECK(!same(R"({"N":"12345678901234567890123456789012345678"})",
                R"({"N":"12345678901234567890123456789012345679"})"));
    CHECK(same(R"({"S":"a"})", R"({"S":"\u0061"})"));
    CHECK(!same(R"({"S":"1"})", R"({"S":"1.0"})"));
    CHECK(!same(R"({"S":"1"})", R"({"N":"1"})"));
    CHECK(!same(R"({"S":"AA=="})", R"({"B":"AA=="})"));
    CHECK(same(R"({"BOOL":true})", R"({ "BOOL" : true })"));
    CHECK(!same(R"({"BOOL":true})", R"({"BOOL":false})"));
    CHECK(same(R"({"NULL":true})", R"({"NULL":true})"));
    CHECK(!same(R"({"NULL":true})", R"({"BOOL":true})"));
    CHECK(!same(R"({"L":[]})", R"({"M":{}})"));
    CHECK(!same(R"({"SS":["1"]})", R"({"NS":["1"]})"));
    CHECK(!same(R"({"SS":["1"]})", R"({"L":[{"S":"1"}]})"));
}

TEST_CASE("sets have no order, lists have theirs, and maps go by name") {
    CHECK(same(R"({"SS":["a","b"]})", R"({"SS":["b", "a"]})"));
    CHECK(!same(R"({"SS":["a","b"]})", R"({"SS":["b","c"]})"));
    CHECK(!same(R"({"SS":["a","b"]})", R"({"SS":["a"]})"));
    CHECK(same(R"({"NS":["1","2","10"]})", R"({"NS":["1e1","2.0","1"]})"));
    CHECK(!same(R"({"NS":["1","2"]})", R"({"NS":["1","2","3"]})"));
    CHECK(same(R"({"BS":["AA==","AQ=="]})", R"({"BS":["AQ==","AA=="]})"));
    CHECK(!same(R"({"L":[{"S":"a"},{"S":"b"}]})", R"({"L":[{"S":"b"},{"S":"a"}]})"));
    CHECK(same(R"({"L":[{"SS":["a","b"]}]})", R"({"L":[{"SS":["b","a"]}]})"));
    CHECK(!same(R"({"L":[{"S":"a"}]})", R"({"L":[{"S":"a"},{"S":"a"}]})"));
    CHECK(same(R"({"M":{"a":{"N":"1"},"b":{"S":"x"}}})", R"({"M":{"b":{"S":"x"},"a":{"N":"1.0"}}})"));
    CHECK(!same(R"({"M":{"a":{"N":"1"},"b":{"N":"2"}}})", R"({"M":{"a":{"N":"2"},"b":{"N":"1"}}})"));
    CHECK(!same(R"({"M":{"a":{"N":"1"}}})", R"({"M":{"b":{"N":"1"}}})"));
    CHECK(!same(R"({"M":{"a":{"N":"1"}}})", R"({"M":{"a":{"N":"1"},"b":{"N":"1"}}})"));
    CHECK(!same(R"({"M":{"a.b":{"N":"1"}}})", R"({"M":{"a":{"M":{"b":{"N":"1"}}}}})"));
    CHECK(!same(R"({"M":{"a":{"S":""}}})", R"({"M":{"a":{"NULL":true}}})"));
}

TEST_CASE("maps nested 32 deep compare at once, however they are ordered and wherever they differ") {
    for (const bool turned : {false, true}) {
        CHECK(same(deep_maps(false, R"({"N":"1"})"), deep_maps(turned, R"({"N":"1.0"})")));
        CHECK(!same(deep_maps(false, R"({"N":"1"})"), deep_maps(turned, R"({"N":"2"})")));
    }
}

TEST_CASE("large sets and maps in another order take no square of time") {
    constexpr std::size_t many = 10'000;
    std::string forth = R"({"NS":["0")";
    std::string back = R"({"NS":["0")";
    for (std::size_t i = 1; i < many; ++i) {
        forth += ",\"" + std::to_string(i) + '"';
        back += ",\"" + std::to_string(many - i) + ".0\"";
    }
    CHECK(same(forth + "]}", back + "]}"));
    CHECK(!same(forth + R"(,"-1"]})", back + R"(,"-2"]})"));
}

TEST_CASE("both opinions agree on values that are spelled otherwise, and on values that differ") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    same_value compare; // one object for all: its memory must not leak from one comparison into the next
    std::size_t equal = 0;
    std::size_t different = 0;
    for (auto left = support::cases(600); left > 0; --left) {
        const auto one = document_of(make.value());
        auto told = support::retold(x(one));
        if (make.one_in(2)) { change(told, make); }
        const auto other = document_of(respelled(told, make));
        const bool wanted = slow_same(support::retold(x(one)), support::retold(x(other)));
        ++(wanted ? equal : different);
        if (compare(x(one), x(other)) != wanted || compare(x(other), x(one)) != wanted) {
            FAIL(one.text(), " and ", other.text());
        }
    }
    CHECK(equal > different / 4);
    CHECK(different > equal / 4);
}
