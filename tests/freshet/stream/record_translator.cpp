#include <freshet/stream/record_translator.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>
#include <freshet/item/document.hpp>
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/routes.hpp>
#include <support/event_text.hpp>
#include <support/part_stream.hpp>

#include "../core/dies_with.hpp"

namespace {

using freshet::build_verdict;
using freshet::errc;
using freshet::message_batch;
using freshet::result;
using support::decoded_event;
using support::edit_of;
using support::part_options;
using support::part_registry;
using support::part_translator;
using support::record_text;
using support::touch_of;
using words = std::vector<std::string>;

auto translated(auto& translator, const record_text& text, message_batch& out, std::size_t index = 0)
    -> result<build_verdict> {
    const decoded_event event{text};
    return translator.translate(event.record(), index, out);
}

/// Queue and group of each message.
auto places(const message_batch& messages) -> words {
    words all;
    for (const auto message : messages) {
        all.push_back(std::string{message.queue} + " " + std::string{message.group_id});
    }
    return all;
}

} // namespace

TEST_CASE("a record becomes the messages of its entity's routes") {
    part_translator translator{part_options()};
    message_batch out;
    CHECK(*translated(translator, edit_of(7, 1), out, 4) == build_verdict::built);
    CHECK(*translated(translator, edit_of(8, 2, "PAIR"), out, 5) == build_verdict::built);
    CHECK(places(out) == words{"parts ITEM#7", "parts ITEM#8", "others ITEM#8"});
    CHECK(out.record(0) == 4);
    CHECK(out.record(2) == 5);
    CHECK(out[0].sequence == "1");
    CHECK(out[0].deduplication_id == "e1");
    CHECK(out[0].body.find(R"("changes":{"score":{"old":-1,"new":1}})") != std::string_view::npos);
}

TEST_CASE("what nobody routes, and what is no entity of the registry, is ignored") {
    part_translator translator{part_options()};
    message_batch out;
    auto other = edit_of(7, 1);
    for (const std::string_view keys :
         {R"("PK":{"S":"ITEM#7"},"SK":{"S":"MEMO"})", R"("PK":{"S":"ITEM#7"},"SK":{"S":"NOTHING"})",
          R"("PK":{"S":"ITEM#x"},"SK":{"S":"PART#1"})", R"("PK":{"S":"ITEM#7"})", R"("SK":{"S":"PART#1"})",
          R"("PK":{"N":"7"},"SK":{"S":"PART#1"})", R"("PK":{"S":"ITEM#7"},"SK":{"B":"UEFSVCMx"})",
          R"("pk":{"S":"ITEM#7"},"SK":{"S":"PART#1"})", R"("PK":{"S":""},"SK":{"S":""})"}) {
        CAPTURE(keys);
        other.keys = keys;
        CHECK(*translated(translator, other, out) == build_verdict::ignored);
        CHECK(out.empty());
    }
}

TEST_CASE("what changes nothing that is monitored is unchanged") {
    part_translator translator{part_options()};
    message_batch out;
    CHECK(*translated(translator, touch_of(7, 1), out) == build_verdict::unchanged);
    auto other = edit_of(7, 2);
    other.old_image = R"("score":{"N":"1"},"text":{"S":"a"})";
    other.new_image = R"("score":{"N":"1.0"},"text":{"S":"b"})";
    CHECK(*translated(translator, other, out) == build_verdict::unchanged);
    CHECK(out.empty());
}

TEST_CASE("writing a NULL where nothing was is no change, unless somebody wants it to be") {
    auto nulled = edit_of(7, 1);
    nulled.old_image = R"("text":{"S":"a"})";
    nulled.new_image = R"("score":{"NULL":true},"text":{"S":"a"})";
    message_batch out;
    part_translator usual{part_options()};
    CHECK(*translated(usual, nulled, out) == build_verdict::unchanged);
    auto options = part_options();
    options.detector.null_is_absent = false;
    part_translator strict{options};
    CHECK(*translated(strict, nulled, out) == build_verdict::built);
}

TEST_CASE("an entity without monitored fields tells of removals alone") {
    part_translator translator; // no field of any entity
    message_batch out;
    CHECK(*translated(translator, edit_of(7, 1), out) == build_verdict::unchanged);
    auto removed = edit_of(7, 2);
    removed.event = "REMOVE";
    removed.new_image = std::nullopt;
    CHECK(*translated(translator, removed, out) == build_verdict::built);
    auto inserted = edit_of(7, 3);
    inserted.event = "INSERT";
    inserted.old_image = std::nullopt;
    CHECK(*translated(translator, inserted, out) == build_verdict::ignored);
    CHECK(out.size() == 1);
}

TEST_CASE("insertions make messages where they are asked for") {
    auto options = part_options();
    options.builder.inserts = true;
    part_translator translator{options};
    message_batch out;
    auto inserted = edit_of(7, 3);
    inserted.event = "INSERT";
    inserted.old_image = std::nullopt;
    CHECK(*translated(translator, inserted, out) == build_verdict::built);
}

TEST_CASE("a record that fails leaves the messages as they were") {
    auto options = part_options();
    options.builder.limits.message_bytes = 900;
    part_translator translator{options};
    message_batch out;
    CHECK(*translated(translator, edit_of(7, 1), out) == build_verdict::built);
    auto large = edit_of(8, 2, "PAIR");
    large.new_image = R"("score":{"N":"2"},"text":{"S":")" + std::string(1'000, 'x') + R"("})";
    CHECK(translated(translator, large, out).why().code == errc::too_large);
    auto bare = edit_of(9, 3);
    bare.new_image = std::nullopt;
    CHECK(translated(translator, bare, out).why().code == errc::denied);
    CHECK(places(out) == words{"parts ITEM#7"});
    CHECK(*translated(translator, edit_of(9, 4), out) == build_verdict::built);
    CHECK(places(out) == words{"parts ITEM#7", "parts ITEM#9"});
}

TEST_CASE("where a record's messages go can be told from its keys alone, whatever happened to it") {
    part_translator translator{part_options()};
    const auto route = [&](const record_text& text) {
        const decoded_event event{text};
        const auto found = translator.route(event.record().keys);
        REQUIRE(found.ok());
        words all;
        for (const auto& each : *found) { all.push_back(std::string{each.queue} + " " + std::string{each.group}); }
        return all;
    };
    CHECK(route(touch_of(7, 1)) == words{"parts ITEM#7"});
    CHECK(route(edit_of(7, 2, "PAIR")) == words{"parts ITEM#7", "others ITEM#7"});
    CHECK(route(edit_of(7, 3, "MEMO")).empty());
    CHECK(route(edit_of(7, 4, "NOTHING")).empty());
}

TEST_CASE("a table may have keys of other names, and no sort key") {
    using user = freshet::entity<"USER", freshet::key_pattern<"USER#{user_id:d}">>;
    using registry = freshet::key_registry<user>;
    using routes = freshet::routes<freshet::route<user, "mail", freshet::key_pattern<"USER#{user_id:d}">>>;
    freshet::record_translator_options<registry> options;
    options.fields.set("USER", freshet::monitored<"score">{});
    options.partition = "id";
    options.sort = "";
    freshet::record_translator<registry, routes> translator{options};
    auto record = edit_of(7, 1);
    record.keys = R"("id":{"S":"USER#5"})";
    message_batch out;
    CHECK(*translated(translator, record, out) == build_verdict::built);
    CHECK(places(out) == words{"mail USER#5"});
}

TEST_CASE("a key that is no text is none of the registry's, though its digits would fit") {
    using user = freshet::entity<"USER", freshet::key_pattern<"{user_id:d}">>;
    using registry = freshet::key_registry<user>;
    using routes = freshet::routes<freshet::route<user, "mail", freshet::key_pattern<"{user_id:d}">>>;
    freshet::record_translator_options<registry> options;
    options.fields.set("USER", freshet::monitored<"score">{});
    freshet::record_translator<registry, routes> translator{options};
    auto record = edit_of(7, 1);
    message_batch out;
    record.keys = R"("PK":{"N":"5"})";
    CHECK(*translated(translator, record, out) == build_verdict::ignored);
    record.keys = R"("PK":{"S":"5"})";
    CHECK(*translated(translator, record, out) == build_verdict::built);
}

TEST_CASE("each entity has its own monitored fields") {
    freshet::record_translator_options<part_registry> options;
    options.fields.set("PART", freshet::monitored<"text">{}).set("PAIR", std::vector<std::string>{"score", "text"});
    CHECK(options.fields[0] == freshet::monitored_fields{"text"});
    CHECK(options.fields[1] == freshet::monitored_fields{"score", "text"});
    CHECK(options.fields[2].empty());
    part_translator translator{options};
    message_batch out;
    CHECK(*translated(translator, edit_of(7, 1), out) == build_verdict::unchanged);
    CHECK(*translated(translator, edit_of(7, 2, "PAIR"), out) == build_verdict::built);
}

TEST_CASE("monitoring the fields of an entity that there is not is misuse") {
    CHECK(dies_with([] { freshet::entity_fields<part_registry>{}.set("PARD", freshet::monitored<"a">{}); }) ==
          "freshet: entity_fields: the registry has no entity PARD\n");
}

TEST_CASE("an id that queues do not take is mapped, and that is told") {
    words told;
    freshet::watch seen{freshet::on<freshet::id_mapped>([&](const freshet::id_mapped& event) {
        told.push_back(std::string{event.raw} + " is " + std::string{event.id});
    })};
    freshet::record_translator<part_registry, support::part_routes, decltype(seen)> translator{part_options(),
                                                                                               std::move(seen)};
    auto record = edit_of(7, 1);
    record.event_id = R"("an id")";
    message_batch out;
    CHECK(*translated(translator, record, out) == build_verdict::built);
    CHECK(told == words{"an id is an%20id"});
    CHECK(out[0].deduplication_id == "an%20id");
}
