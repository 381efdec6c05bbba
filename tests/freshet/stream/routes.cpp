#include <freshet/stream/routes.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/text_arena.hpp>
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>

namespace {

using freshet::destination;
using freshet::key_pattern;
using freshet::route;

using item_key = key_pattern<"ITEM#{item_id:d}">;
using item = freshet::entity<"ITEM", item_key, key_pattern<"ITEM">>;
using part = freshet::entity<"PART", item_key, key_pattern<"PART#{part_id:03d}#LABEL#{label:*}">>;
using other = freshet::entity<"OTHER", item_key, key_pattern<"OTHER">>;
using registry = freshet::key_registry<item, part, other>;

using routes = freshet::routes<route<part, "parts", key_pattern<"ITEM#{item_id:d}#PART#{part_id:d}">>,
                               route<item, "items", item_key>, route<part, "items", item_key>>;

static_assert(routes::any_for("ITEM") && routes::any_for("PART"));
static_assert(!routes::any_for("OTHER") && !routes::any_for("") && !routes::any_for("PAR"));
static_assert(!freshet::routes<>::any_for("ITEM"));

using places = std::vector<std::pair<std::string, std::string>>;

template <class Routes>
auto places_of(std::string_view partition, std::string_view sort) -> places {
    const auto match = registry::match(partition, sort);
    REQUIRE(match.ok());
    freshet::text_arena memory;
    std::vector<destination> found;
    REQUIRE(Routes::destinations(match.erased(), memory, found).ok());
    places all;
    for (const auto& place : found) { all.emplace_back(place.queue, place.group); }
    return all;
}

} // namespace

TEST_CASE("a record goes where its entity's routes say, in their order") {
    CHECK(places_of<routes>("ITEM#7", "ITEM") == places{{"items", "ITEM#7"}});
    CHECK(places_of<routes>("ITEM#7", "PART#002#LABEL#x") == places{{"parts", "ITEM#7#PART#2"}, {"items", "ITEM#7"}});
    CHECK(places_of<routes>("ITEM#7", "OTHER").empty());
    CHECK(places_of<freshet::routes<>>("ITEM#7", "ITEM").empty());
}

TEST_CASE("a group writes numbers in its own width, and as they stand in the key where it takes them as text") {
    using padded = freshet::routes<route<part, "q", key_pattern<"{part_id:05d}#{item_id:d}">>,
                                   route<part, "q", key_pattern<"{part_id}">>>;
    CHECK(places_of<padded>("ITEM#7", "PART#002#LABEL#x") == places{{"q", "00002#7"}, {"q", "002"}});
    CHECK(places_of<padded>("ITEM#18446744073709551615", "PART#12345#LABEL#x") ==
          places{{"q", "12345#18446744073709551615"}, {"q", "12345"}});
}

TEST_CASE("a group may be one for all items") {
    CHECK(places_of<freshet::routes<route<item, "q", key_pattern<"ALL">>>>("ITEM#7", "ITEM") == places{{"q", "ALL"}});
}

TEST_CASE("destinations are added behind those that are there") {
    const auto match = registry::match("ITEM#7", "ITEM");
    freshet::text_arena memory;
    std::vector<destination> found{{"first", "g"}};
    REQUIRE(routes::destinations(match.erased(), memory, found).ok());
    REQUIRE(found.size() == 2);
    CHECK(found[0].queue == "first");
    CHECK(found[1].queue == "items");
}

TEST_CASE("a field's value that the group's pattern refuses is malformed, and the note names the pattern") {
    using by_label =
        freshet::routes<route<part, "parts", item_key>, route<part, "labels", key_pattern<"LABEL#{label}">>>;
    const auto match = registry::match("ITEM#7", "PART#002#LABEL#a#b");
    freshet::text_arena memory;
    std::vector<destination> found;
    const auto outcome = by_label::destinations(match.erased(), memory, found);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.why().code == freshet::errc::malformed);
    CHECK(outcome.why().note.find("LABEL#{label}") != std::string::npos);
    CHECK(found.size() == 1); // the one before
    CHECK(places_of<by_label>("ITEM#7", "PART#002#LABEL#ab").size() == 2);
}

TEST_CASE("a key that lacks a field of its entity, or has it of another kind, is malformed and not read") {
    using freshet::key_field;
    using text_group = freshet::routes<route<part, "parts", key_pattern<"{label}#{part_id}">>>;
    using number_group = freshet::routes<route<part, "parts", key_pattern<"{item_id:d}#{label}">>>;
    constexpr auto number = freshet::key_field_kind::number;
    constexpr auto text = freshet::key_field_kind::text;
    const key_field item_id{"item_id", number, "7", 7};
    const key_field part_id{"part_id", number, "002", 2};
    const key_field label{"label", text, "x", 0};

    freshet::text_arena memory;
    std::vector<destination> found;
    const auto note = [&]<class Routes>(Routes, const std::vector<key_field>& fields) -> std::string {
        const auto before = found.size();
        const auto outcome = Routes::destinations({"PART", fields}, memory, found);
        if (outcome.ok()) { return std::string{found.back().group}; }
        CHECK(outcome.why().code == freshet::errc::malformed);
        CHECK(found.size() == before);
        return outcome.why().note;
    };
    CHECK(note(number_group{}, {label, item_id}) == "7#x");
    CHECK(note(number_group{}, {label}) == "entity PART: its key has no number item_id");
    CHECK(note(number_group{}, {item_id}) == "entity PART: its key has no text label");
    CHECK(note(number_group{}, {}) == "entity PART: its key has no number item_id");
    CHECK(note(number_group{}, {label, {"item_id", text, "7", 0}}) == "entity PART: its key has no number item_id");
    CHECK(note(number_group{}, {item_id, {"label", number, "7", 7}}) == "entity PART: its key has no text label");
    CHECK(note(text_group{}, {part_id}) == "entity PART: its key has no text label");
    CHECK(note(text_group{}, {label, {"part_id", text, "002", 0}}) == "entity PART: its key has no number part_id");
    CHECK(note(routes{}, {item_id}) == "entity PART: its key has no number part_id");
}

TEST_CASE("the groups of many records stay in place until the memory is reset") {
    freshet::text_arena memory;
    std::vector<destination> found;
    std::vector<std::string> keys;
    for (int i = 0; i < 1000; ++i) { keys.push_back("ITEM#" + std::to_string(i)); }
    for (const auto& key : keys) {
        const auto match = registry::match(key, "ITEM");
        REQUIRE(routes::destinations(match.erased(), memory, found).ok());
    }
    REQUIRE(found.size() == keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) { REQUIRE(found[i].group == keys[i]); }
}
