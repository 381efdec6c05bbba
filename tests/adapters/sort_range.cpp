#include <adapters/sort_range.hpp>

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

using adapters::index_of;
using adapters::range_of;
using freshet::index_query;
using namespace std::string_literals;

namespace {

const adapters::item_table_options options{
    .name = "t", .indexes = {{"by_day", "day", "at"}, {"by_state", "state"}}, .limits = {.sort_key_bytes = 4}};

[[nodiscard]] auto note(const index_query& which) -> std::string {
    const auto at = index_of(which, options);
    if (at) { return {}; }
    CHECK(at.why().code == freshet::errc::malformed);
    return at.why().note;
}

} // namespace

TEST_CASE("a prefix ends before the next text that does not begin so") {
    using adapters::end_of_prefix;
    CHECK(end_of_prefix("") == std::nullopt);
    CHECK(end_of_prefix("ab") == "ac");
    CHECK(end_of_prefix("a\xff") == "b");
    CHECK(end_of_prefix("\xff\xff") == std::nullopt);
    CHECK(end_of_prefix("a\x7f") == "a\x80");
}

TEST_CASE("a range begins with its prefix or first bound, and its last bound is the last text in it") {
    const auto check = [](const index_query& which, const std::string& first, const std::optional<std::string>& end) {
        CHECK(range_of(which).first == first);
        CHECK(range_of(which).end == end);
    };
    check({"", "P"}, "", std::nullopt);
    check({"", "P", "ab"}, "ab", "ac");
    check({"", "P", "", "a", "b"}, "a", "b\0"s);
    check({"", "P", "", "a"}, "a", std::nullopt);
    check({"", "P", "", "", "b"}, "", "b\0"s);
}

TEST_CASE("a query is of the index that it names, or says what is wrong with it") {
    CHECK(*index_of({"by_day", "P", "", "a", "b"}, options) == 0);
    CHECK(*index_of({"by_state", "P", "a"}, options) == 1);
    CHECK(*index_of({"", "P", "", "", "1234"}, options) == 2);
    CHECK(note({"none", "P"}) == "table t: there is no index none");
    CHECK(note({"by_day", "P", "a", "a"}) == "table t: a query with a prefix and a bound at once");
    CHECK(note({"by_day", "P", "a", "", "b"}) == "table t: a query with a prefix and a bound at once");
    CHECK(note({"by_state", "P", "", "a"}) == "table t: a query with a bound of an index that has no sort keys");
    CHECK(note({"by_day", "P", "", "", "12345"}) == "table t: a query with a bound that no sort key can be");
    CHECK(note({"by_day", "P", "", "\xff"}) == "table t: a query with a bound that no sort key can be");
    CHECK(!index_of({"", "P", "", "a"}, {.sort = ""}).ok());
}
