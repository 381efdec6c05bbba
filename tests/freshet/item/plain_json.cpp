#include <freshet/item/plain_json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/item/document.hpp>

#include <support/cases.hpp>
#include <support/decoded.hpp>
#include <support/event_maker.hpp>
#include <support/guarded_buffer.hpp>
#include <support/json_oracle.hpp>

using freshet::attribute;
using freshet::attribute_type;
using freshet::document;
using freshet::plain_json_bound;
using freshet::write_plain_json;

namespace {

/// Writes into memory of exactly the promised size: a byte more ends the process.
auto written(attribute value) -> std::string {
    support::guarded_buffer memory{plain_json_bound(value) + 1};
    const auto room = memory.hold(std::string(plain_json_bound(value) + 1, '['));
    auto* out = const_cast<char*>(room.data()) + 1;
    return {out, write_plain_json(out, value)};
}

auto plain(std::string_view value) -> std::string {
    const auto item = document::parse("{\"x\":" + std::string{value} + "}");
    REQUIRE(item.ok());
    return written(*item->image().find("x"));
}

/// The tree that the text must be, numbers as their texts' values.
auto says(const oracle::value& json, const oracle::attribute& value) -> bool {
    using kind = oracle::value::kind;
    if (value.type == "S" || value.type == "B") { return json.is == kind::string && json.text == value.text; }
    if (value.type == "N") {
        return json.is == kind::number && oracle::read_number(json.text) == oracle::read_number(value.text);
    }
    if (value.type == "BOOL") { return json.is == kind::boolean && json.yes == (value.text == "true"); }
    if (value.type == "NULL") { return json.is == kind::null; }
    if (json.is != (value.type == "M" ? kind::object : kind::array) || json.inside.size() != value.inside.size()) {
        return false;
    }
    for (std::size_t i = 0; i < value.inside.size(); ++i) {
        if (json.inside[i].name != value.inside[i].name || !says(json.inside[i], value.inside[i])) { return false; }
    }
    return true;
}

} // namespace

TEST_CASE("each type has its plain form") {
    CHECK(plain(R"({"S":"a\u0062\n"})") == R"("a\u0062\n")");
    CHECK(plain(R"({"N":"1.50"})") == "1.50");
    CHECK(plain(R"({"N":"12345678901234567890123456789012345678"})") == "12345678901234567890123456789012345678");
    CHECK(plain(R"({"N":"+.5"})") == "0.5");
    CHECK(plain(R"({"N":"\u0035."})") == "5");
    CHECK(plain(R"({"B":"AA=="})") == R"("AA==")");
    CHECK(plain(R"({"BOOL":true})") == "true");
    CHECK(plain(R"({"BOOL":false})") == "false");
    CHECK(plain(R"({"NULL":true})") == "null");
    CHECK(plain(R"({"L":[]})") == "[]");
    CHECK(plain(R"({"M":{}})") == "{}");
    CHECK(plain(R"({"L":[{"L":[]},{"M":{}},{"S":"["},{"N":"007"}]})") == R"([[],{},"[",7])");
    CHECK(plain(R"({"M":{"a":{"N":".5"},"\u0062\"":{"M":{"":{"NULL":true}}}}})") == R"({"a":0.5,"b\"":{"":null}})");
    CHECK(plain(R"({"SS":["b","a"]})") == R"(["b","a"])");
    CHECK(plain(R"({"NS":["2","+1"]})") == "[2,1]");
    CHECK(plain(R"({"BS":["AA=="]})") == R"(["AA=="])");
}

TEST_CASE("a text that was made, not read, is written with its escapes") {
    const freshet::detail::attribute_node made{
        .name = "key\"", .text = "say \"x\"\n", .type = attribute_type::string, .plain_name = false};
    CHECK(written(attribute{made}) == R"("say \"x\"\n")");
    std::string out(64, '~');
    out.resize(static_cast<std::size_t>(freshet::write_plain_json_name(out.data(), attribute{made}) - out.data()));
    CHECK(out == R"("key\"":)");
    const freshet::detail::attribute_node binary{.text = "AA==", .type = attribute_type::binary};
    CHECK(written(attribute{binary}) == R"("AA==")");
    const freshet::detail::attribute_node number{.text = ".5", .type = attribute_type::number};
    CHECK(written(attribute{number}) == "0.5");
}

TEST_CASE("whatever an item holds is written as the JSON that says it, within the promised room") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    for (auto left = support::cases(400); left > 0; --left) {
        const auto item = document::parse("{\"x\":" + make.value() + "}");
        REQUIRE(item.ok());
        const auto x = *item->image().find("x");
        const auto text = written(x);
        const auto json = oracle::read_json(text);
        if (!json || !says(*json, support::retold(x))) { FAIL(item->text(), " became ", text); }
    }
}
