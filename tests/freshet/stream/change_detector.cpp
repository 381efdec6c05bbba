#include <freshet/stream/change_detector.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <support/cases.hpp>
#include <support/event_text.hpp>
#include "../core/dies_with.hpp"

namespace {

using freshet::attribute;
using freshet::attribute_type;
using freshet::change_detector;
using freshet::change_verdict;
using freshet::monitored;
using freshet::monitored_fields;
using support::decoded_event;
using support::record_text;

using part = freshet::entity<"PART", freshet::key_pattern<"ITEM#{item_id:d}">,
                             freshet::key_pattern<"PART#{part_id:03d}#LABEL#{label}">>;
using registry = freshet::key_registry<part>;

const auto part_key = registry::match("ITEM#7", "PART#001#LABEL#TOTAL");

/// A side of a change as text: its type's descriptor, a colon, its characters; `-` where it is absent.
auto shown(const std::optional<attribute>& side) -> std::string {
    if (!side) { return "-"; }
    return std::string{freshet::descriptor_of(side->type())} + ':' +
           std::string{side->text().empty() ? side->token() : side->text()};
}

auto shown(const freshet::change_set& changes) -> std::vector<std::string> {
    std::vector<std::string> lines;
    for (const auto& change : changes.changes) {
        lines.push_back(std::string{change.field} + ' ' + shown(change.before) + " > " + shown(change.after));
    }
    return lines;
}

using lines = std::vector<std::string>;

/// What a detector over `fields` makes of a MODIFY between these images.
template <class Fields>
auto changes_between(std::string before, std::string after, Fields fields,
                     freshet::change_detector_options options = {}) -> lines {
    const decoded_event event{record_text{.old_image = std::move(before), .new_image = std::move(after)}};
    change_detector detector{std::move(fields), options};
    const auto found = detector.detect(event.record(), part_key.erased());
    CHECK((found.verdict == change_verdict::changed) == !found.changes.empty());
    CHECK(found.verdict != change_verdict::cannot_tell);
    return shown(found);
}

auto value_changes(const std::string& before, const std::string& after) -> bool {
    return !changes_between(R"("a":)" + before, R"("a":)" + after, monitored<"a">{}).empty();
}

auto verdict_of(const record_text& text, monitored_fields fields = {"a", "label"}) -> std::pair<change_verdict, lines> {
    const decoded_event event{text};
    change_detector detector{std::move(fields)};
    const auto found = detector.detect(event.record(), part_key.erased());
    return {found.verdict, shown(found)};
}

} // namespace

TEST_CASE("only monitored fields count") {
    CHECK(
        changes_between(R"("a":{"S":"1"},"b":{"S":"1"})", R"("a":{"S":"1"},"b":{"S":"2"})", monitored<"a">{}).empty());
    CHECK(changes_between(R"("a":{"S":"1"},"b":{"S":"1"})", R"("a":{"S":"1"},"b":{"S":"2"})", monitored<"b">{}) ==
          lines{"b S:1 > S:2"});
    CHECK(changes_between(R"("a":{"S":"1"})", R"("a":{"S":"2"})", monitored<>{}).empty());
    CHECK(changes_between(R"("a":{"S":"1"})", R"("a":{"S":"2"})", monitored_fields{}).empty());
}

TEST_CASE("changes are listed in the order of the monitored fields, whatever the order in the images") {
    constexpr auto before = R"("c":{"S":"1"},"a":{"S":"1"},"b":{"S":"1"})";
    constexpr auto after = R"("b":{"S":"2"},"c":{"S":"2"},"a":{"S":"2"})";
    CHECK(changes_between(before, after, monitored<"b", "a", "c">{}) ==
          lines{"b S:1 > S:2", "a S:1 > S:2", "c S:1 > S:2"});
    CHECK(changes_between(before, after, monitored<"a", "c">{}) == lines{"a S:1 > S:2", "c S:1 > S:2"});
}

TEST_CASE("a MODIFY that changes nothing is no change, also when the values are written differently") {
    CHECK_FALSE(value_changes(R"({"S":"x"})", R"({"S":"x"})"));
    CHECK_FALSE(value_changes(R"({"S":"A\/"})", R"({"S":"\u0041/"})"));
    CHECK_FALSE(value_changes(R"({"N":"0.90"})", R"({"N":"0.9"})"));
    CHECK_FALSE(value_changes(R"({"N":"-0"})", R"({"N":"0E5"})"));
    CHECK_FALSE(value_changes(R"({"SS":["x","y"]})", R"({"SS":[ "y", "x" ]})"));
    CHECK_FALSE(value_changes(R"({"NS":["1","20"]})", R"({"NS":["2E1","1.0"]})"));
    CHECK_FALSE(
        value_changes(R"({"M":{"p":{"N":"1"},"q":{"NULL":true}}})", R"({"M":{"q":{"NULL": true},"p":{"N":"1.0"}}})"));
    CHECK_FALSE(value_changes(R"({"L":[{"M":{"p":{"SS":["a","b"]}}}]})", R"({"L":[{"M":{"p":{"SS":["b","a"]}}}]})"));
}

TEST_CASE("values that differ are a change, all the way down") {
    CHECK(value_changes(R"({"S":"x"})", R"({"S":"x "})"));
    CHECK(value_changes(R"({"S":""})", R"({"S":" "})"));
    CHECK(value_changes(R"({"N":"12345678901234567890123456789012345678"})",
                        R"({"N":"12345678901234567890123456789012345679"})"));
    CHECK(value_changes(R"({"BOOL":true})", R"({"BOOL":false})"));
    CHECK(value_changes(R"({"L":[{"S":"x"},{"S":"y"}]})", R"({"L":[{"S":"y"},{"S":"x"}]})"));
    CHECK(value_changes(R"({"SS":["x","y"]})", R"({"SS":["x"]})"));
    CHECK(value_changes(R"({"M":{"p":{"S":"x"}}})", R"({"M":{"q":{"S":"x"}}})"));
    CHECK(value_changes(R"({"L":[{"M":{"p":{"N":"1"}}}]})", R"({"L":[{"M":{"p":{"N":"2"}}}]})"));
}

TEST_CASE("a change of type is a change even where the characters are the same") {
    CHECK(changes_between(R"("a":{"N":"1"})", R"("a":{"S":"1"})", monitored<"a">{}) == lines{"a N:1 > S:1"});
    CHECK(value_changes(R"({"S":"AAAA"})", R"({"B":"AAAA"})"));
    CHECK(value_changes(R"({"SS":["1"]})", R"({"NS":["1"]})"));
    CHECK(value_changes(R"({"L":[]})", R"({"M":{}})"));
    CHECK(value_changes(R"({"BOOL":true})", R"({"NULL":true})"));
}

TEST_CASE("an attribute that comes or goes is a change with one side") {
    CHECK(changes_between("", R"("a":{"S":"x"})", monitored<"a">{}) == lines{"a - > S:x"});
    CHECK(changes_between(R"("a":{"S":"x"})", "", monitored<"a">{}) == lines{"a S:x > -"});
    CHECK(changes_between("", R"("a":{"S":""})", monitored<"a">{}).size() == 1);
    CHECK(changes_between("", "", monitored<"a">{}).empty());
}

TEST_CASE("NULL and absent are two things unless the options make them one") {
    constexpr auto null = R"("a":{"NULL":true})";
    constexpr auto text = R"("a":{"S":"x"})";
    CHECK(changes_between(null, "", monitored<"a">{}) == lines{"a NULL:true > -"});
    CHECK(changes_between("", null, monitored<"a">{}) == lines{"a - > NULL:true"});
    CHECK(changes_between(null, null, monitored<"a">{}).empty());
    CHECK(changes_between(null, text, monitored<"a">{}) == lines{"a NULL:true > S:x"});

    constexpr freshet::change_detector_options one{.null_is_absent = true};
    CHECK(changes_between(null, "", monitored<"a">{}, one).empty());
    CHECK(changes_between("", null, monitored<"a">{}, one).empty());
    CHECK(changes_between(null, null, monitored<"a">{}, one).empty());
    CHECK(changes_between(null, text, monitored<"a">{}, one) == lines{"a - > S:x"});
    CHECK(changes_between(text, null, monitored<"a">{}, one) == lines{"a S:x > -"});
    CHECK(changes_between(R"("a":{"S":""})", null, monitored<"a">{}, one).size() == 1); // an empty string is neither

    // All the way down, where something can be absent: in maps, not in lists.
    constexpr auto holds_null = R"("a":{"L":[{"M":{"x":{"NULL":true},"y":{"N":"1"}}}]})";
    constexpr auto lacks_it = R"("a":{"L":[{"M":{"y":{"N":"1.0"}}}]})";
    CHECK(changes_between(holds_null, lacks_it, monitored<"a">{}).size() == 1);
    CHECK(changes_between(holds_null, lacks_it, monitored<"a">{}, one).empty());
    CHECK(changes_between(lacks_it, holds_null, monitored<"a">{}, one).empty());
    CHECK(changes_between(holds_null, R"("a":{"L":[{"M":{"x":{"N":"1"}}}]})", monitored<"a">{}, one).size() == 1);
    CHECK(changes_between(R"("a":{"L":[{"NULL":true}]})", R"("a":{"L":[]})", monitored<"a">{}, one).size() == 1);
}

TEST_CASE("a dotted name is a name and no path") {
    constexpr auto before = R"("a":{"M":{"b":{"S":"1"}}},"a.b":{"S":"x"})";
    CHECK(changes_between(before, R"("a":{"M":{"b":{"S":"2"}}},"a.b":{"S":"x"})", monitored<"a.b">{}).empty());
    CHECK(changes_between(before, R"("a":{"M":{"b":{"S":"1"}}},"a.b":{"S":"y"})", monitored<"a.b">{}) ==
          lines{"a.b S:x > S:y"});
    CHECK(changes_between(before, R"("a":{"M":{"b":{"S":"1"}}})", monitored<"a.b">{}) == lines{"a.b S:x > -"});
}

TEST_CASE("an attribute's name is what its escapes say, and the inside of a map is not searched") {
    CHECK(changes_between(R"("\u0061":{"S":"1"})", R"("a":{"S":"2"})", monitored<"a">{}) == lines{"a S:1 > S:2"});
    CHECK(changes_between(R"("m":{"M":{"a":{"S":"1"}}})", R"("m":{"M":{"a":{"S":"2"}}})", monitored<"a">{}).empty());
}

TEST_CASE("a field of the key is read from the key: it comes with INSERT, goes with REMOVE and is the same on MODIFY") {
    const record_text inserted{.event = "INSERT", .new_image = R"("a":{"S":"x"})"};
    CHECK(verdict_of(inserted) == std::pair{change_verdict::changed, lines{"a - > S:x", "label - > S:TOTAL"}});
    const record_text removed{.event = "REMOVE", .old_image = ""};
    CHECK(verdict_of(removed) == std::pair{change_verdict::changed, lines{"label S:TOTAL > -"}});
    const record_text modified{.event = "MODIFY", .old_image = "", .new_image = ""};
    CHECK(verdict_of(modified) == std::pair{change_verdict::unchanged, lines{}});

    SUBCASE("what the images say of it does not matter") {
        const record_text contradicted{.old_image = R"("label":{"S":"x"})", .new_image = R"("label":{"S":"y"})"};
        CHECK(verdict_of(contradicted) == std::pair{change_verdict::unchanged, lines{}});
    }
    SUBCASE("a number of the key is a number, with the key's own digits") {
        CHECK(verdict_of(removed, {"part_id"}).second == lines{"part_id N:001 > -"});
    }
}

TEST_CASE("INSERT and REMOVE have one side, and an item without monitored fields changed nothing") {
    CHECK(verdict_of({.event = "INSERT", .new_image = R"("a":{"NULL":true},"b":{"S":"x"})"}, {"a", "b", "c"}).second ==
          lines{"a - > NULL:true", "b - > S:x"});
    CHECK(verdict_of({.event = "REMOVE", .old_image = R"("a":{"NULL":true},"b":{"S":"x"})"}, {"a", "b", "c"}).second ==
          lines{"a NULL:true > -", "b S:x > -"});
    CHECK(verdict_of({.event = "INSERT", .new_image = ""}, {"a"}).first == change_verdict::unchanged);
    CHECK(verdict_of({.event = "REMOVE", .old_image = ""}, {"a"}).first == change_verdict::unchanged);
}

TEST_CASE("a stream that lacks an image cannot tell, and no change is made up") {
    const std::pair cannot_tell{change_verdict::cannot_tell, lines{}};
    const std::string image = R"("a":{"S":"x"})";
    SUBCASE("KEYS_ONLY") {
        for (const auto event : {"INSERT", "MODIFY", "REMOVE"}) { CHECK(verdict_of({.event = event}) == cannot_tell); }
    }
    SUBCASE("NEW_IMAGE") {
        CHECK(verdict_of({.event = "INSERT", .new_image = image}).first == change_verdict::changed);
        CHECK(verdict_of({.event = "MODIFY", .new_image = image}) == cannot_tell);
        CHECK(verdict_of({.event = "REMOVE"}) == cannot_tell);
    }
    SUBCASE("OLD_IMAGE") {
        CHECK(verdict_of({.event = "INSERT"}) == cannot_tell);
        CHECK(verdict_of({.event = "MODIFY", .old_image = image}) == cannot_tell);
        CHECK(verdict_of({.event = "REMOVE", .old_image = image}).first == change_verdict::changed);
    }
    SUBCASE("an empty image is known") {
        CHECK(verdict_of({.event = "MODIFY", .old_image = "", .new_image = image}).first == change_verdict::changed);
    }
    SUBCASE("a null image is absent") {
        auto text = support::to_json({.old_image = image, .new_image = image});
        text.replace(text.find(R"("NewImage":{)"), std::string_view{R"("NewImage":{"a":{"S":"x"}})"}.size(),
                     R"("NewImage":null)");
        const decoded_event event{support::event_of({text})};
        change_detector detector{monitored<"a">{}};
        CHECK(detector.detect(event.record(), part_key.erased()).verdict == change_verdict::cannot_tell);
    }
}

TEST_CASE("a record that cannot be told leaves nothing behind for the next one") {
    change_detector detector{monitored<"a">{}};
    const decoded_event changed{record_text{.old_image = "", .new_image = R"("a":{"S":"x"})"}};
    const decoded_event keys_only{record_text{}};
    CHECK(detector.detect(changed.record(), part_key.erased()).changes.size() == 1);
    CHECK(detector.detect(keys_only.record(), part_key.erased()).changes.empty());
    CHECK(detector.detect(changed.record(), part_key.erased()).changes.size() == 1);
}

TEST_CASE("a monitored field that occurs twice is misuse and aborts with a line") {
    CHECK(dies_with([] {
              change_detector{monitored_fields{"a", "label", "a"}};
          }).find("a monitored field occurs twice") != std::string::npos);
}

TEST_CASE("more monitored fields than the key has, key fields among them, all stay readable") {
    change_detector detector{monitored<"label", "a", "part_id", "b", "item_id", "c">{}};
    const decoded_event event{
        record_text{.event = "REMOVE", .old_image = R"("c":{"S":"3"},"b":{"S":"2"},"a":{"S":"1"})"}};
    CHECK(shown(detector.detect(event.record(), part_key.erased())) ==
          lines{"label S:TOTAL > -", "a S:1 > -", "part_id N:001 > -", "b S:2 > -", "item_id N:7 > -", "c S:3 > -"});
}

TEST_CASE(
    "a detector that has seen other shapes answers like a fresh one, and run-time names like compile-time names") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    constexpr std::array<std::string_view, 8> names{"a", "b", "c", "d", "e", "a.b", "", "f"};
    constexpr std::array<std::string_view, 9> values{R"({"S":"x"})",
                                                     R"({"S":"y"})",
                                                     R"({"N":"1"})",
                                                     R"({"N":"1.0"})",
                                                     R"({"NULL":true})",
                                                     R"({"SS":["x","y"]})",
                                                     R"({"SS":["y","x"]})",
                                                     R"({"M":{"a":{"S":"in"},"b":{"L":[{"S":"a"},{"N":"2"}]}}})",
                                                     R"({"L":[{"M":{"a":{"S":"in"}}},{"S":"b"}]})"};
    const auto image = [&]() -> std::string {
        std::string text;
        std::array<std::size_t, names.size()> order{0, 1, 2, 3, 4, 5, 6, 7};
        if (pick(2) == 0) { std::shuffle(order.begin(), order.end(), random); }
        for (const auto at : order) {
            if (pick(3) == 0) { continue; }
            text.append(text.empty() ? "\"" : ",\"")
                .append(names[at])
                .append("\":")
                .append(values[pick(values.size())]);
        }
        return text;
    };
    using fields = monitored<"c", "a", "label", "a.b", "f", "">;
    change_detector detector{fields{}};
    change_detector at_run_time{monitored_fields(fields::begin(), fields::end())};
    std::size_t changed = 0;
    const auto rounds = support::cases(600);
    for (std::size_t round = 0; round < rounds; ++round) {
        record_text text;
        text.event = std::array{"INSERT", "MODIFY", "MODIFY", "REMOVE"}[pick(4)];
        if (text.event != "INSERT") { text.old_image = image(); }
        if (text.event != "REMOVE" && pick(10) != 0) { text.new_image = image(); }
        const decoded_event event{text};
        change_detector fresh{fields{}};
        const auto want = fresh.detect(event.record(), part_key.erased());
        const auto got = detector.detect(event.record(), part_key.erased());
        CAPTURE(support::to_json(text));
        REQUIRE(got.verdict == want.verdict);
        REQUIRE(shown(got) == shown(want));
        REQUIRE(shown(at_run_time.detect(event.record(), part_key.erased())) == shown(want));
        changed += want.verdict == change_verdict::changed ? 1 : 0;
    }
    CHECK(changed > rounds / 4); // the property would be empty otherwise
    CHECK((changed < rounds || rounds < 100));
}
