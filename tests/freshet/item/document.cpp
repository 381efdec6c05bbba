#include <freshet/item/document.hpp>

#include <string>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

using freshet::document;

static_assert(!std::is_copy_constructible_v<document>);
static_assert(std::is_nothrow_move_constructible_v<document>);

TEST_CASE("a document reads an item and owns what it says") {
    auto text = std::string{R"( {"a":{"S":"\u0061bc"},"n":{"L":[{"N":"1"}]}} )"};
    const auto read = document::parse(text);
    text.assign(text.size(), '!');
    REQUIRE(read.ok());
    CHECK(read->image().find("a")->text() == "abc");
    CHECK((*read->image().find("n")->begin()).text() == "1");
    CHECK(!read->image().find("b"));
    CHECK(read->text() == R"( {"a":{"S":"\u0061bc"},"n":{"L":[{"N":"1"}]}} )");
}

TEST_CASE("views of a document stay where they are while it moves, however short its text is") {
    for (const auto* text : {R"({"a":{"S":"x"}})", R"({"a":{"S":"\u0078"}})",
                             R"({"a":{"S":"x"},"and":{"S":"a longer text that no string keeps inside itself"}})"}) {
        auto first = std::move(document::parse(text)).value();
        const auto a = *first.image().find("a");
        const document second = std::move(first);
        CHECK(a.name() == "a");
        CHECK(a.text() == "x");
        CHECK(second.image().find("a")->text() == "x");
        CHECK(first.image().empty()); // NOLINT(bugprone-use-after-move): what is left behind is promised
        CHECK(first.text() == "{}");
        first = std::move(document::parse(R"({"b":{"NULL":true}})")).value();
        CHECK(first.image().find("b"));
    }
}

TEST_CASE("a document without attributes is one") {
    CHECK(document{}.image().empty());
    CHECK(document{}.text() == "{}");
    CHECK(document::parse("{}")->image().empty());
}

TEST_CASE("what is no item is malformed, with its byte") {
    const auto refused = [](std::string text, std::string_view note) {
        const auto read = document::parse(std::move(text));
        REQUIRE(!read.ok());
        CHECK(read.why().code == freshet::errc::malformed);
        CHECK(read.why().note == note);
    };
    refused("", "item: the text ends too soon at byte 0");
    refused("[]", "item: attributes that are no object at byte 0");
    refused(R"({"a":{"S":"x"}}{)", "item: bytes behind the item at byte 15");
    refused(R"({"a":{"S":"x"})", "item: the text ends too soon at byte 14");
    refused(R"({"a":{"N":"x"}})", "item: a digit is missing at byte 10");
    refused(R"({"a":{"N":"x"}} {)", "item: bytes behind the item at byte 16");
    refused(R"({"a":{"S":"x"},"a":{"S":"x"}})", "item: a name that repeats at byte 15");
    refused(std::string{"{}\0", 3}, "item: bytes behind the item at byte 2");
}
