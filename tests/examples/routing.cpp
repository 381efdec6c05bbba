#include <receipts/routing.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/text_arena.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <receipts/entities.hpp>

namespace {

using places = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view image = "IMAGE#550e8400-e29b-41d4-a716-446655440000";

auto places_of(std::string_view sort, std::string_view partition = image) -> places {
    const auto match = receipts::registry::match(partition, sort);
    freshet::text_arena memory;
    std::vector<freshet::destination> found;
    REQUIRE(receipts::routes::destinations(match.erased(), memory, found).ok());
    places all;
    for (const auto& place : found) {
        CHECK(freshet::is_queue_id(place.group));
        all.emplace_back(place.queue, place.group);
    }
    return all;
}

template <class Fields>
constexpr auto monitors(std::string_view name) -> bool {
    return std::find(Fields::begin(), Fields::end(), name) != Fields::end();
}

static_assert(receipts::metadata_fields::list.size() == 6 && receipts::label_fields::list.size() == 5);
static_assert(monitors<receipts::metadata_fields>("place_id") && !monitors<receipts::metadata_fields>("label"));
static_assert(monitors<receipts::label_fields>("label") && monitors<receipts::label_fields>("label_consolidated_from"));

static_assert(receipts::routes::any_for("RECEIPT_METADATA") && receipts::routes::any_for("RECEIPT_WORD_LABEL"));
static_assert(!receipts::routes::any_for("RECEIPT") && !receipts::routes::any_for("RECEIPT_LINE"));
static_assert(!receipts::routes::any_for("RECEIPT_WORD") && !receipts::routes::any_for(""));

} // namespace

TEST_CASE("metadata goes to both queues, in the receipt's group, without padding") {
    const auto group = std::string{image} + "#RECEIPT#1";
    CHECK(places_of("RECEIPT#00001#METADATA") == places{{"lines", group}, {"words", group}});
    CHECK(places_of("RECEIPT#123456#METADATA").front().second == std::string{image} + "#RECEIPT#123456");
}

TEST_CASE("a label goes to the words, in its word's group, whatever the label is") {
    const auto group = std::string{image} + "#RECEIPT#1#LINE#2#WORD#3";
    CHECK(places_of("RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TOTAL") == places{{"words", group}});
    CHECK(places_of("RECEIPT#00001#LINE#00002#WORD#00003#LABEL#caf\xc3\xa9 \"x\"") == places{{"words", group}});
    CHECK(places_of("RECEIPT#00000#LINE#00000#WORD#00000#LABEL#x").front().second ==
          std::string{image} + "#RECEIPT#0#LINE#0#WORD#0");
}

TEST_CASE("the case of an image's id is kept: another case is another item and another group") {
    constexpr std::string_view upper = "IMAGE#550E8400-E29B-41D4-A716-446655440000";
    CHECK(places_of("RECEIPT#00001#METADATA", upper).front().second == std::string{upper} + "#RECEIPT#1");
}

TEST_CASE("other items go nowhere") {
    for (const auto* sort :
         {"RECEIPT#00001", "RECEIPT#00001#LINE#00002", "RECEIPT#00001#LINE#00002#WORD#00003",
          "RECEIPT#00001#SECTION#METADATA", "RECEIPT#00001#METADATA#", "RECEIPT#1#METADATA", "METADATA", ""}) {
        CAPTURE(sort);
        CHECK(places_of(sort).empty());
    }
    CHECK(places_of("RECEIPT#00001#METADATA", "IMAGE#7").empty());
}

TEST_CASE("the longest group fits into an id of a queue without a mapping") {
    const std::string most = "99999999999999999";
    const auto found = places_of("RECEIPT#" + most + "#LINE#" + most + "#WORD#" + most + "#LABEL#x");
    REQUIRE(found.size() == 1);
    CHECK(found.front().second.size() <= freshet::queue_id_capacity);
}
