#include <freshet/key/key_registry.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::entity;
using freshet::key_pattern;
using freshet::key_registry;

using image = key_pattern<"IMAGE#{image_id:uuid}">;
using metadata = entity<"RECEIPT_METADATA", image, key_pattern<"RECEIPT#{receipt_id:05d}#METADATA">>;
using label = entity<"RECEIPT_WORD_LABEL", image,
                     key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}#LABEL#{label}">>;
using receipt = entity<"RECEIPT", image, key_pattern<"RECEIPT#{receipt_id:05d}">>;
using line = entity<"RECEIPT_LINE", image, key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}">>;
using word =
    entity<"RECEIPT_WORD", image, key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}">>;
using receipts = key_registry<metadata, label, receipt, line, word>;

constexpr std::string_view image_key = "IMAGE#550e8400-e29b-41d4-a716-446655440000";

constexpr auto found = receipts::match(image_key, "RECEIPT#00001#LINE#00002");
static_assert(found && found.name() == "RECEIPT_LINE" && found.index() == 3 && found.fields().size() == 3);
static_assert(found.get_if<line>()->get<"line_id">() == 2 && !found.get_if<receipt>());
static_assert(found.erased().find("line_id")->number == 2 && found.erased().entity == "RECEIPT_LINE");
static_assert(receipts::size == 5 && receipts::names[1] == "RECEIPT_WORD_LABEL");

TEST_CASE("every entity is known by its own keys, with its fields in the order of its patterns") {
    const auto match = receipts::match(image_key, "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TOTAL");
    REQUIRE(match);
    CHECK(match.name() == "RECEIPT_WORD_LABEL");
    CHECK(match.index() == 1);
    const auto fields = match.fields();
    REQUIRE(fields.size() == 5);
    CHECK(fields[0] == freshet::key_field{"image_id", freshet::key_field_kind::text, image_key.substr(6), 0});
    CHECK(fields[1] == freshet::key_field{"receipt_id", freshet::key_field_kind::number, "00001", 1});
    CHECK(fields[4] == freshet::key_field{"label", freshet::key_field_kind::text, "TOTAL", 0});
    const auto typed = match.get_if<label>();
    REQUIRE(typed);
    const auto [image_id, receipt_id, line_id, word_id, text] = *typed;
    CHECK(image_id == image_key.substr(6));
    CHECK(receipt_id == 1);
    CHECK(line_id == 2);
    CHECK(word_id == 3);
    CHECK(text == "TOTAL");
    CHECK_FALSE(match.get_if<word>());
}

TEST_CASE("the erased match is the match") {
    const auto match = receipts::match(image_key, "RECEIPT#00042#METADATA");
    const auto key = match.erased();
    CHECK(key.entity == "RECEIPT_METADATA");
    CHECK(key.fields.size() == 2);
    CHECK(key.fields.data() == match.fields().data());
    CHECK(key.find("receipt_id")->number == 42);
    CHECK(key.find("line_id") == nullptr);
}

TEST_CASE("a longer, a shorter and a foreign key belong to nothing, and say so") {
    for (const std::string_view sort :
         {"RECEIPT#00001#METADATA#X", "RECEIPT#00001#SECTION#SUMMARY",
          "RECEIPT#00001#LINE#00001#WORD#00001#LETTER#00001", "RECEIPT#00001#LINE#00001#WORD#00001#LABEL#",
          "RECEIPT#00001#LINE#", "RECEIPT#0001", "RECEIPT", "", "LINE#00001"}) {
        CAPTURE(sort);
        const auto match = receipts::match(image_key, sort);
        CHECK_FALSE(match);
        CHECK(match.name().empty());
        CHECK(match.fields().empty());
        CHECK(match.index() == receipts::size);
        CHECK_FALSE(match.get_if<receipt>());
    }
    CHECK_FALSE(receipts::match("IMAGE#", "RECEIPT#00001"));
    CHECK_FALSE(receipts::match("RECEIPT#00001", image_key));
    CHECK_FALSE(receipts::match("IMAGE#550e8400-e29b-41d4-a716-446655440000#X", "RECEIPT#00001"));
}

TEST_CASE("a number wider than its padding is found as well") {
    const auto match = receipts::match(image_key, "RECEIPT#123456#LINE#99999#WORD#100000");
    CHECK(match.name() == "RECEIPT_WORD");
    CHECK(match.fields()[3].number == 100'000);
    CHECK(match.fields()[3].text == "100000");
    for (const std::string_view sort : {"RECEIPT#123456", "RECEIPT#123456#METADATA", "RECEIPT#00001#LINE#100000",
                                        "RECEIPT#00001#LINE#00001#WORD#00001234#LABEL#X"}) {
        CAPTURE(sort);
        CHECK(receipts::match(image_key, sort).ok() == (sort.find("0001234") == sort.npos));
    }
}

// partitions that differ, that overlap, and tables without sort keys
using note = entity<"NOTE", key_pattern<"NOTE#{note_id:d}">>;
using any_page = entity<"PAGE", key_pattern<"{owner}#{page}">, key_pattern<"PAGE#{n:d}">>;
using picture = entity<"PICTURE", key_pattern<"IMAGE#{id}">, key_pattern<"PICTURE">>;
using mixed = key_registry<note, any_page, picture, receipt>;

TEST_CASE("entities with partition patterns of their own are told apart by both keys") {
    CHECK(mixed::match("NOTE#7").name() == "NOTE");
    const auto largest = mixed::match("NOTE#18446744073709551615");
    CHECK(largest.fields()[0].number == 18'446'744'073'709'551'615U);
    CHECK(mixed::match("NOTE#7", "PAGE#3").name() == "PAGE");
    CHECK(mixed::match(image_key, "PAGE#3").name() == "PAGE");
    CHECK(mixed::match(image_key, "PICTURE").name() == "PICTURE");
    CHECK(mixed::match(image_key, "RECEIPT#00001").name() == "RECEIPT");
    CHECK_FALSE(mixed::match("IMAGE#x", "RECEIPT#00001"));
    CHECK_FALSE(mixed::match("NOTE#7", "PICTURE"));
    CHECK(mixed::match(image_key, "PAGE#3").get_if<any_page>()->get<"page">() == image_key.substr(6));
}

template <class... Keys>
concept matches = requires(Keys&&... keys) { mixed::match(std::forward<Keys>(keys)...); };

static_assert(matches<std::string&> && matches<const std::string&, std::string_view> && matches<const char (&)[2]>);
static_assert(matches<const char (&)[2], const char*> && matches<const std::string&, std::string&>);
static_assert(!matches<std::string> && !matches<std::string, std::string> && !matches<const std::string>);
static_assert(!matches<std::string_view, std::string> && !matches<std::string, const char (&)[2]>);

// eight entities below one uuid stay within the limits that compilers set by default
template <freshet::fixed_text Name, freshet::fixed_text Sort>
using item = entity<Name, image, key_pattern<Sort>>;
using eight = key_registry<metadata, label, receipt, line, word,
                           item<"LETTER", "RECEIPT#{r:05d}#LINE#{l:05d}#WORD#{w:05d}#LETTER#{n:05d}">,
                           item<"SUMMARY", "RECEIPT#{r:05d}#SUMMARY">,
                           item<"SECTION", "RECEIPT#{r:05d}#SECTION#{name}">>;
static_assert(eight::match(image_key, "RECEIPT#00001#SECTION#A").name() == "SECTION");

TEST_CASE("the registry names an entity exactly when that entity's two patterns match") {
    const auto seed = support::seed();
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    constexpr std::string_view words[] = {"RECEIPT", "LINE", "WORD", "LABEL", "METADATA", "SECTION", "X"};
    std::size_t known = 0;
    const auto cases = support::cases(4'000);
    for (auto left = cases; left > 0; --left) {
        std::string sort;
        for (std::size_t part = 0, parts = 1 + below(4); part < parts; ++part) {
            sort += part == 0 ? "" : "#";
            sort += words[below(4) == 0 ? below(7) : part];
            if (part == 1 && below(3) == 0) { sort = sort.substr(0, 13) + "#METADATA"; }
            sort += "#0000" + std::to_string(below(10));
        }
        if (below(4) == 0) { sort.resize(below(sort.size() + 1)); }
        if (below(6) == 0) { sort += "#METADATA"; }
        const auto match = receipts::match(image_key, sort);
        std::string_view expected;
        const auto ask = [&]<class Entity>(std::type_identity<Entity>) {
            if (Entity::sort::parse_bytewise(sort)) {
                if (!expected.empty()) { FAIL_CHECK("two entities for " << sort); }
                expected = Entity::name;
            }
        };
        ask(std::type_identity<metadata>{});
        ask(std::type_identity<label>{});
        ask(std::type_identity<receipt>{});
        ask(std::type_identity<line>{});
        ask(std::type_identity<word>{});
        known += expected.empty() ? 0 : 1;
        if (match.name() != expected) { FAIL_CHECK("another entity for " << sort); }
    }
    if (cases >= 1'000) {
        CHECK(known > cases / 8);
        CHECK(known < cases - cases / 8);
    }
}

} // namespace
