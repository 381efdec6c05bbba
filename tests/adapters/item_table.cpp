#include <adapters/item_table.hpp>

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

#include <laws/items.hpp>

using adapters::item_size;
using adapters::row_of;
using freshet::row_key;

namespace {

const adapters::item_table_options options{
    .name = "t", .indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}, .limits = {5, 4, 60}};

auto note(const std::string& text) -> std::string {
    const auto row = row_of(laws::item(text).image(), options);
    return row ? "" : row.why().note;
}

auto size(const std::string& text) -> std::size_t { return item_size(laws::item(text).image()); }

} // namespace

TEST_CASE("a row has its key, its canonical text and its key in each index that it is in") {
    const auto row = row_of(
        laws::item(R"({"SK":{"S":"s"},"GSI1SK":{"S":"y"},"PK":{"S":"p"},"GSI1PK":{"S":"x"},"n":{"N":"1.0"}})").image(),
        options);
    REQUIRE(row.ok());
    CHECK(row->key == row_key{"p", "s"});
    CHECK(row->text == R"({"GSI1PK":{"S":"x"},"GSI1SK":{"S":"y"},"PK":{"S":"p"},"SK":{"S":"s"},"n":{"N":"1"}})");
    REQUIRE(row->indexed.size() == 2);
    CHECK(row->indexed[0] == row_key{"x", "y"});
    CHECK(row->indexed[1] == std::nullopt);
    const auto other =
        row_of(laws::item(R"({"SK":{"S":"s"},"PK":{"S":"p"},"GSI1SK":{"S":"y"},"GSI3PK":{"S":"z"}})").image(), options);
    REQUIRE(other.ok());
    CHECK(other->indexed[0] == std::nullopt);
    CHECK(other->indexed[1] == row_key{"z", ""});
}

TEST_CASE("what is wrong with a key is said with the attribute's name") {
    CHECK(note(R"({"SK":{"S":"s"}})") == "table t: the key attribute PK is absent");
    CHECK(note(R"({"PK":{"S":"s"}})") == "table t: the key attribute SK is absent");
    CHECK(note(R"({"PK":{"N":"1"},"SK":{"S":"s"}})") == "table t: the key attribute PK is not of type S");
    CHECK(note(R"({"PK":{"S":"p"},"SK":{"S":""}})") == "table t: the key attribute SK is empty");
    CHECK(note(R"({"PK":{"S":"12345"},"SK":{"S":"1234"}})").empty());
    CHECK(note("{\"PK\":{\"S\":\"1234\xc3\xa9\"},\"SK\":{\"S\":\"s\"}}") ==
          "table t: the key attribute PK is longer than 5 bytes");
    CHECK(note(R"({"PK":{"S":"p"},"SK":{"S":"12345"}})") == "table t: the key attribute SK is longer than 4 bytes");
    CHECK(note(R"({"PK":{"S":"p"},"SK":{"S":"s"},"GSI3PK":{"NULL":true}})") ==
          "table t: the key attribute GSI3PK is not of type S");
    CHECK(note(R"({"PK":{"S":"p"},"SK":{"S":"s"},"GSI1SK":{"S":"12345"}})") ==
          "table t: the key attribute GSI1SK is longer than 4 bytes");
}

TEST_CASE("an item's size is that of its names and values, and at most the limit") {
    CHECK(size("{}") == 0);
    CHECK(size("{\"\xc3\xa4\":{\"S\":\"\\u00e4\\n\"}}") == 5);
    CHECK(size(R"({"n":{"N":"1.00"}})") == 3);
    CHECK(size(R"({"n":{"N":"-1234.5e10"}})") == 5);
    CHECK(size(R"({"b":{"B":"AAAAAAAA"}})") == 7);
    CHECK(size(R"({"t":{"BOOL":true},"n":{"NULL":true}})") == 4);
    CHECK(size(R"({"s":{"SS":["ab","c"]}})") == 4);
    CHECK(size(R"({"l":{"L":[{"S":"ab"},{"L":[]}]}})") == 1 + 3 + 1 + 2 + 1 + 3);
    CHECK(size(R"({"m":{"M":{"ab":{"S":"c"}}}})") == 1 + 3 + 1 + 2 + 1);
    const auto full = std::string{R"({"PK":{"S":"p"},"SK":{"S":"s"},"a":{"S":")"} + std::string(53, 'x');
    CHECK(note(full + "\"}}").empty());
    CHECK(note(full + "x\"}}") == "table t: an item of 61 bytes; the limit is 60");
}

TEST_CASE("an index is found by its name, the table itself by none") {
    CHECK(*adapters::index_called("GSI1", options) == 0);
    CHECK(*adapters::index_called("GSI3", options) == 1);
    CHECK(*adapters::index_called("", options) == 2);
    CHECK(adapters::index_called("gsi1\n", options).why() ==
          freshet::error{freshet::errc::malformed, "table t: there is no index gsi1\\x0a"});
}
