#include <adapters/item_write.hpp>

#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

#include <laws/items.hpp>

using adapters::item_condition;
using freshet::errc;
using freshet::row_key;

namespace {

const adapters::item_table_options options{.name = "t"};
const row_key key{"p", "s"};
constexpr std::string_view one = R"({"PK":{"S":"p"},"SK":{"S":"s"},"a":{"N":"1"}})";
constexpr std::string_view two = R"({"PK":{"S":"p"},"SK":{"S":"s"},"a":{"N":"2"}})";

/// `one`, spelled otherwise.
auto seen_one() -> const freshet::document& {
    static const auto seen = laws::item(R"({"a":{"N":"1.0"},"SK":{"S":"s"},"PK":{"S":"p"}})");
    return seen;
}

using stored = std::optional<std::string_view>;

/// `store`, `nothing to do`, or the failure.
auto put(stored there, std::string_view item, const item_condition& condition) -> std::string_view {
    const auto row = adapters::row_of(laws::item(std::string{item}).image(), options);
    const auto plan = adapters::plan_put(there, *row, condition, options);
    return !plan ? name_of(plan.why().code) : *plan ? "store" : "nothing to do";
}

auto update(stored there, std::string set, const item_condition& condition) -> std::string {
    auto plan = adapters::plan_update(there, key, {laws::item(std::move(set)), {}}, condition, options);
    return !plan ? std::string{name_of(plan.why().code)} : *plan ? (*plan)->text : "nothing to do";
}

auto erase(stored there, const item_condition& condition) -> std::string_view {
    const auto plan = adapters::plan_erase(there, key, condition, options);
    return !plan ? name_of(plan.why().code) : *plan ? "remove" : "nothing to do";
}

} // namespace

TEST_CASE("a put stores what is not there yet, if its condition holds") {
    CHECK(put({}, one, {}) == "store");
    CHECK(put(one, two, {}) == "store");
    CHECK(put(one, one, {}) == "nothing to do");
    CHECK(put({}, one, item_condition::if_absent()) == "store");
    CHECK(put(two, one, item_condition::if_absent()) == "conflict");
    CHECK(put(one, one, item_condition::if_absent()) == "nothing to do");
    CHECK(put({}, one, item_condition::if_present()) == "conflict");
    CHECK(put(two, one, item_condition::if_present()) == "store");
    CHECK(put(one, two, item_condition::if_unchanged(seen_one())) == "store");
    CHECK(put({}, two, item_condition::if_unchanged(seen_one())) == "conflict");
    CHECK(put(two, R"({"PK":{"S":"p"},"SK":{"S":"s"}})", item_condition::if_unchanged(seen_one())) == "conflict");
    CHECK(put(two, two, item_condition::if_unchanged(seen_one())) == "nothing to do");
}

TEST_CASE("an update makes a row of what is there, and knows its own earlier work") {
    CHECK(update({}, R"({"a":{"N":"1"}})", {}) == one);
    CHECK(update(two, R"({"a":{"N":"1"}})", {}) == one);
    CHECK(update(one, R"({"a":{"N":"1.0"}})", {}) == "nothing to do");
    CHECK(update({}, R"({"a":{"N":"1"}})", item_condition::if_absent()) == one);
    CHECK(update(one, R"({"a":{"N":"1"}})", item_condition::if_absent()) == "nothing to do");
    CHECK(update(one, "{}", item_condition::if_absent()) == "conflict");
    CHECK(update({}, "{}", item_condition::if_present()) == "conflict");
    CHECK(update(one, R"({"a":{"N":"2"}})", item_condition::if_unchanged(seen_one())) == two);
    CHECK(update(two, R"({"a":{"N":"2"}})", item_condition::if_unchanged(seen_one())) == "nothing to do");
    CHECK(update(two, R"({"a":{"N":"3"}})", item_condition::if_unchanged(seen_one())) == "conflict");
    CHECK(update(two, "{}", item_condition::if_unchanged(seen_one())) == "conflict");
}

TEST_CASE("an update that comes too late is a conflict, whatever it would have made") {
    const auto large = "{\"b\":{\"S\":\"" + std::string(options.limits.item_bytes, 'x') + "\"}}";
    CHECK(update(two, large, {}) == "too_large");
    CHECK(update(two, large, item_condition::if_unchanged(seen_one())) == "conflict");
    CHECK(update(two, large, item_condition::if_absent()) == "conflict");
    CHECK(update({}, large, item_condition::if_present()) == "conflict");
}

TEST_CASE("a patch leaves the key alone") {
    CHECK(update(one, R"({"PK":{"S":"q"}})", {}) == "malformed");
    CHECK(update(one, R"({"SK":{"N":"1"}})", {}) == "malformed");
    CHECK(update(one, R"({"SK":{"S":"s"}})", {}) == "malformed");
    CHECK(update({}, R"({"PK":{"S":"p"}})", {}) == "malformed");
    CHECK(update(one, R"({"PK":{"S":"p"}})", item_condition::if_absent()) == "malformed");
    CHECK(laws::code_of(adapters::plan_update(one, key, {{}, {"SK"}}, {}, options)) == errc::malformed);
    const auto unreadable = adapters::plan_update({}, {"\xff", "s"}, {}, {}, options);
    CHECK(laws::code_of(unreadable) == errc::malformed);
    CHECK(laws::code_of(adapters::plan_update({}, {"", "s"}, {}, {}, options)) == errc::malformed);
    const auto odd = adapters::plan_update({}, {"\"\\\n", "\x01"}, {}, {}, options);
    REQUIRE(odd.ok());
    CHECK((*odd)->text == R"({"PK":{"S":"\"\\\n"},"SK":{"S":"\u0001"}})");
}

TEST_CASE("an erase without a row has nothing to do, whatever its condition") {
    CHECK(erase(one, {}) == "remove");
    CHECK(erase(one, item_condition::if_present()) == "remove");
    CHECK(erase(one, item_condition::if_unchanged(seen_one())) == "remove");
    CHECK(erase(two, item_condition::if_unchanged(seen_one())) == "conflict");
    CHECK(erase(two, item_condition::if_absent()) == "conflict");
    for (const auto& any : {item_condition{}, item_condition::if_absent(), item_condition::if_present(),
                            item_condition::if_unchanged(seen_one())}) {
        CHECK(erase({}, any) == "nothing to do");
    }
}

TEST_CASE("a conflict names the table and the row, in one line") {
    const auto plan = adapters::plan_erase(one, {"p\n", "s"}, item_condition::if_absent(), options);
    CHECK(plan.why().note == "table t: the row p\\x0a / s is not as the write wants it");
}
