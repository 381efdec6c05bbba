#include <receipts/entities.hpp>

#include <cstdint>
#include <string_view>

#include <doctest/doctest.h>

namespace {

constexpr std::string_view image = "IMAGE#550e8400-e29b-41d4-a716-446655440000";

static_assert(receipts::registry::match(image, "RECEIPT#00001#METADATA").name() == "RECEIPT_METADATA");
static_assert(receipts::registry::match(image, "RECEIPT#00001").name() == "RECEIPT");
static_assert(receipts::registry::match(image, "RECEIPT#00001#LINE#00002").name() == "RECEIPT_LINE");
static_assert(receipts::registry::match(image, "RECEIPT#00001#LINE#00002#WORD#00003").name() == "RECEIPT_WORD");

TEST_CASE("a word's label is known by its key, with the ids of receipt, line and word as numbers") {
    const auto match = receipts::registry::match(image, "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#MERCHANT_NAME");
    REQUIRE(match.name() == "RECEIPT_WORD_LABEL");
    const auto fields = match.get_if<receipts::receipt_word_label>();
    REQUIRE(fields);
    CHECK(fields->get<"image_id">() == image.substr(6));
    CHECK(fields->get<"receipt_id">() == 1);
    CHECK(fields->get<"line_id">() == 2);
    CHECK(fields->get<"word_id">() == 3);
    CHECK(fields->get<"label">() == "MERCHANT_NAME");
}

TEST_CASE("the table's other items are none of the five") {
    for (const std::string_view sort : {"RECEIPT#00001#SECTION#SUMMARY", "RECEIPT#00001#METADATA#OLD", "METADATA",
                                        "RECEIPT#00001#LINE#00002#WORD#00003#LETTER#00004", "RECEIPT#1"}) {
        CAPTURE(sort);
        CHECK_FALSE(receipts::registry::match(image, sort));
    }
    CHECK_FALSE(receipts::registry::match("PLACE#x", "RECEIPT#00001"));
}

} // namespace
