#include <freshet/item/item_patch.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/item/document.hpp>

using freshet::document;
using freshet::patched;

namespace {

auto item(std::string text) -> document { return *document::parse(std::move(text)); }

auto after(std::string before, std::string set, std::vector<std::string> remove) -> std::string {
    const auto outcome = patched(item(std::move(before)).image(), {item(std::move(set)), std::move(remove)});
    return outcome ? std::string{outcome->text()} : outcome.why().note;
}

} // namespace

TEST_CASE("a patch sets and removes whole attributes and keeps the others") {
    CHECK(after("{}", "{}", {}) == "{}");
    CHECK(after(R"({"b":{"N":"1.0"},"a":{"S":"x"}})", "{}", {}) == R"({"a":{"S":"x"},"b":{"N":"1"}})");
    CHECK(after(R"({"b":{"N":"1"},"a":{"M":{"i":{"N":"1"},"j":{"N":"2"}}},"c":{"NULL":true}})",
                R"({"a":{"M":{"i":{"N":"3"}}},"A":{"S":""}})",
                {"c", "d"}) == R"({"A":{"S":""},"a":{"M":{"i":{"N":"3"}}},"b":{"N":"1"}})");
    CHECK(after("{}", R"({"b":{"N":"2"},"a":{"N":"1"}})", {"c", "c"}) == R"({"a":{"N":"1"},"b":{"N":"2"}})");
    CHECK(after(R"({"a":{"N":"1"}})", "{}", {"a"}) == "{}");
}

TEST_CASE("names count as they are decoded") {
    CHECK(after(R"({"\u0061":{"N":"1"},"\"":{"N":"2"}})", R"({"a":{"N":"3"}})", {"\""}) == R"({"a":{"N":"3"}})");
}

TEST_CASE("a patch that sets and removes the same attribute is malformed, and says which") {
    const auto outcome = patched(document{}.image(), {item(R"({"a\n":{"N":"1"}})"), {"b", "a\n"}});
    REQUIRE(!outcome.ok());
    CHECK(outcome.why().code == freshet::errc::malformed);
    CHECK(outcome.why().note == "patch: sets and removes the attribute a\\x0a");
}

TEST_CASE("patching twice is patching once") {
    const freshet::item_patch patch{item(R"({"a":{"SS":["y","x"]}})"), {"b"}};
    const auto once = patched(item(R"({"a":{"N":"1"},"b":{"N":"2"},"c":{"N":"3"}})").image(), patch);
    REQUIRE(once.ok());
    CHECK(patched(once->image(), patch)->text() == once->text());
}

TEST_CASE("a patch of many names is one too, whatever their order") {
    std::string before = "{";
    std::string set = "{";
    std::vector<std::string> remove;
    for (int i = 0; i < 20'000; ++i) {
        const auto name = std::to_string(i * 7'919 % 20'000);
        before += (i == 0 ? "\"" : ",\"") + name + "\":{\"N\":\"1\"}";
        if (name.ends_with('1')) { set += (set.size() == 1 ? "\"" : ",\"") + name + "\":{\"N\":\"2\"}"; }
        if (name.ends_with('2')) { remove.push_back(name); }
    }
    const auto outcome = patched(item(before + "}").image(), {item(set + "}"), remove});
    REQUIRE(outcome.ok());
    int kept = 0;
    for (const auto a : outcome->image()) {
        ++kept;
        CHECK(a.text() == (a.name().ends_with('1') ? "2" : "1"));
        CHECK(!a.name().ends_with('2'));
    }
    CHECK(kept == 18'000);
}
