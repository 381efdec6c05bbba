#include <freshet/stream/fifo_message_builder.hpp>

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/observe.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/text_arena.hpp>
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/stream/change_detector.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <freshet/stream/routes.hpp>
#include <support/count_allocations.hpp>
#include <support/event_text.hpp>
#include <support/message_model.hpp>

namespace {

using freshet::build_verdict;
using freshet::destination;
using freshet::errc;
using freshet::fifo_message_builder;
using freshet::fifo_message_builder_options;
using freshet::message_batch;
using freshet::monitored;
using freshet::result;
using support::decoded_event;
using support::record_text;

using part = freshet::entity<"PART", freshet::key_pattern<"ITEM#{item_id:d}">,
                             freshet::key_pattern<"PART#{part_id:03d}#LABEL#{label}">>;
using registry = freshet::key_registry<part>;
using fields = monitored<"a", "label">;

const std::vector<destination> one_queue{{"parts", "ITEM#7"}};
const record_text changed{.old_image = R"("a":{"S":"x"})", .new_image = R"("a":{"S":"y"})"};
const record_text inserted{.event = "INSERT", .new_image = R"("a":{"S":"y"})"};
const record_text removed{.event = "REMOVE", .old_image = R"("a":{"S":"x"})"};
const record_text unchanged{.old_image = R"("a":{"S":"x"})", .new_image = R"("a":{"S":"x"})"};

template <class Builder>
auto build_with(Builder& builder, const record_text& text, std::span<const destination> destinations,
                message_batch& out) -> result<build_verdict> {
    const decoded_event event{text};
    const auto& record = event.record();
    const auto match = registry::match(record.keys.find("PK")->text(), record.keys.find("SK")->text());
    REQUIRE(match.ok());
    freshet::change_detector detector{fields{}};
    return builder.build(record, 4, match.erased(), detector.detect(record, match.erased()), destinations, out);
}

auto build(const record_text& text, message_batch& out, fifo_message_builder_options options = {})
    -> result<build_verdict> {
    fifo_message_builder builder{options};
    return build_with(builder, text, one_queue, out);
}

auto verdict_of(const record_text& text, fifo_message_builder_options options = {}) -> build_verdict {
    message_batch out;
    const auto built = build(text, out, options);
    REQUIRE(built.ok());
    CHECK(out.size() == (*built == build_verdict::built ? 1 : 0));
    return *built;
}

auto hex_digest(std::string_view text) -> std::string {
    std::string digits(64, ' ');
    freshet::write_hex(digits.data(), freshet::sha256_of(text));
    return digits;
}

struct seen_mapping {
    std::string raw;
    std::string id;
    freshet::id_mapping how;
    friend auto operator==(const seen_mapping&, const seen_mapping&) -> bool = default;
};

/// The messages of a REMOVE with that event id (JSON) for these destinations, and the mappings reported.
auto messages_of(const std::string& event_id, std::span<const destination> destinations, message_batch& out)
    -> std::vector<seen_mapping> {
    std::vector<seen_mapping> seen;
    fifo_message_builder builder{{},
                                 freshet::watch{freshet::on<freshet::id_mapped>([&](const freshet::id_mapped& event) {
                                     seen.push_back({std::string{event.raw}, std::string{event.id}, event.mapping});
                                 })}};
    auto text = removed;
    text.event_id = event_id;
    REQUIRE(build_with(builder, text, destinations, out).value_or(build_verdict::ignored) == build_verdict::built);
    return seen;
}

} // namespace

TEST_CASE("a MODIFY makes a message when something monitored changed and only then") {
    CHECK(verdict_of(changed) == build_verdict::built);
    CHECK(verdict_of(unchanged) == build_verdict::unchanged);
    CHECK(verdict_of({.old_image = R"("b":{"S":"x"})", .new_image = R"("b":{"S":"y"})"}) == build_verdict::unchanged);
    CHECK(verdict_of(changed, {.modifies = false}) == build_verdict::ignored);
    CHECK(verdict_of(unchanged, {.modifies = false}) == build_verdict::ignored);
}

TEST_CASE("a REMOVE makes a message always, an INSERT when it is asked for") {
    CHECK(verdict_of(removed) == build_verdict::built);
    CHECK(verdict_of({.event = "REMOVE", .old_image = ""}) == build_verdict::built);
    CHECK(verdict_of(removed, {.removes = false}) == build_verdict::ignored);
    CHECK(verdict_of(inserted) == build_verdict::ignored);
    CHECK(verdict_of(inserted, {.inserts = true}) == build_verdict::built);
    CHECK(verdict_of({.event = "INSERT", .new_image = ""}, {.inserts = true}) == build_verdict::built);
}

TEST_CASE("an INSERT or a REMOVE of an item without monitored fields is a message too, since the item came or went") {
    for (const auto& text :
         {record_text{.event = "INSERT", .new_image = ""}, record_text{.event = "REMOVE", .old_image = ""}}) {
        const decoded_event event{text};
        const auto match = registry::match("ITEM#7", "PART#001#LABEL#TOTAL");
        freshet::change_detector detector{monitored<"a">{}};
        const auto changes = detector.detect(event.record(), match.erased());
        CHECK(changes.verdict == freshet::change_verdict::unchanged);
        fifo_message_builder builder{{.inserts = true}};
        message_batch out;
        CHECK(builder.build(event.record(), 0, match.erased(), changes, one_queue, out)
                  .value_or(build_verdict::ignored) == build_verdict::built);
        CHECK(out.size() == 1);
    }
}

TEST_CASE("without the images that the answer needs a MODIFY or an INSERT is denied, and the note says what to set") {
    const auto why = [](const record_text& text, fifo_message_builder_options options = {}) {
        message_batch out;
        const auto built = build(text, out, options);
        REQUIRE_FALSE(built.ok());
        CHECK(out.empty());
        CHECK(out.mark().bytes == 0);
        CHECK(built.why().code == errc::denied);
        CHECK(built.why().note.find("c4ca4238a0b923820dcc509a6f75849b") != std::string::npos);
        CHECK(built.why().note.find("NEW_AND_OLD_IMAGES") != std::string::npos);
        return built.why().note;
    };
    CHECK(why({.event = "MODIFY"}).find("no NewImage") != std::string::npos);
    CHECK(why({.event = "MODIFY", .old_image = ""}).find("no NewImage") != std::string::npos);
    CHECK(why({.event = "MODIFY", .new_image = ""}).find("no OldImage") != std::string::npos);
    CHECK(why({.event = "INSERT"}, {.inserts = true}).find("no NewImage") != std::string::npos);
    CHECK(verdict_of({.event = "MODIFY"}, {.modifies = false}) == build_verdict::ignored); // nobody asked
}

TEST_CASE("a note is one line whatever the event id says") {
    message_batch out;
    const auto built = build({.event_id = R"("a\nb\u001b")"}, out);
    REQUIRE_FALSE(built.ok());
    CHECK(built.why().note.starts_with("record a\\x0ab\\x1b: "));
}

TEST_CASE("a REMOVE without an image is still a message, with a null snapshot and no made-up changes") {
    message_batch out;
    REQUIRE(build({.event = "REMOVE"}, out).ok());
    REQUIRE(out.size() == 1);
    const auto body = nlohmann::json::parse(out[0].body);
    CHECK(body["record_snapshot"].is_null());
    CHECK(body["changes"] == nlohmann::json::object());
    CHECK(body["entity_data"]["label"] == "TOTAL");
}

TEST_CASE("a message has its queue, group, id, body and sequence number, and knows its record") {
    message_batch out;
    REQUIRE(build(changed, out).ok());
    REQUIRE(out.size() == 1);
    CHECK(out[0].queue == "parts");
    CHECK(out[0].group_id == "ITEM#7");
    CHECK(out[0].deduplication_id == "c4ca4238a0b923820dcc509a6f75849b");
    CHECK(out[0].sequence == "4421584500000000017450439091");
    REQUIRE(out[0].attributes().size() == 1);
    CHECK(out[0].attributes().begin()->name == "sequence_number");
    CHECK(out[0].attributes().begin()->value == "4421584500000000017450439091");
    CHECK(out.record(0) == 4);
    CHECK(nlohmann::json::parse(out[0].body)["changes"] == nlohmann::json{{"a", {{"old", "x"}, {"new", "y"}}}});
}

TEST_CASE("a sequence number of forty digits travels with all of them") {
    auto text = changed;
    text.sequence = R"("0123456789012345678901234567890123456789")";
    message_batch out;
    REQUIRE(build(text, out).ok());
    CHECK(out[0].sequence == "0123456789012345678901234567890123456789");
}

TEST_CASE("all messages of a record share one body") {
    const std::vector<destination> places{{"lines", "ITEM#7"}, {"words", "ITEM#7"}};
    message_batch out;
    messages_of(R"("e")", places, out);
    REQUIRE(out.size() == 2);
    CHECK(out[0].body.data() == out[1].body.data());
    CHECK(out[0].queue == "lines");
    CHECK(out[1].queue == "words");
    CHECK(out[0].deduplication_id == "e");
    CHECK(out[1].deduplication_id == "e"); // another queue, another memory of ids
}

TEST_CASE("several messages on one queue have ids of their own") {
    const std::vector<destination> places{
        {"words", "g1"}, {"lines", "g"}, {"words", "g2"}, {"words", "g3"}, {"lines", "g"}};
    message_batch out;
    CHECK(messages_of(R"("e")", places, out).empty()); // a suffix is no mapping
    std::vector<std::string_view> ids;
    for (const auto message : out) { ids.push_back(message.deduplication_id); }
    CHECK(ids == std::vector<std::string_view>{"e", "e", "e%:2", "e%:3", "e%:2"});
    for (const auto message : out) { CHECK(freshet::is_queue_id(message.deduplication_id)); }
}

TEST_CASE("without an event id the deduplication id is the SHA-256 of the body") {
    const std::vector<destination> places{{"words", "g"}, {"words", "h"}};
    for (const auto* absent : {"", R"("")", "null"}) {
        message_batch out;
        CHECK(messages_of(absent, places, out).empty()); // nothing was mapped
        REQUIRE(out.size() == 2);
        CHECK(out[0].deduplication_id == hex_digest(out[0].body));
        CHECK(out[1].deduplication_id == hex_digest(out[0].body) + "%:2");
    }
}

TEST_CASE("hostile event ids become ids that a queue takes, each mapping is told, and no two meet") {
    const std::string long_id(129, 'x');
    const std::vector<std::string> raws{"a b",
                                        "a%20b",
                                        "a%2520b",
                                        "%",
                                        "%25",
                                        "caf\xc3\xa9",
                                        std::string{"\0", 1},
                                        "\x7f",
                                        "\n",
                                        "%empty",
                                        "%sha256:",
                                        "e%:2",
                                        long_id,
                                        long_id + 'x',
                                        std::string(100, ' '),
                                        std::string(128, '%'),
                                        "\xef\xbf\xbf"};
    const std::vector<destination> places{{"words", "g"}, {"words", "g"}};
    std::set<std::string> ids;
    for (const auto& raw : raws) {
        message_batch out;
        const auto seen = messages_of(support::json(raw).dump(), places, out);
        CAPTURE(raw);
        REQUIRE(out.size() == 2);
        for (const auto message : out) {
            CHECK(freshet::is_queue_id(message.deduplication_id));
            CHECK(ids.insert(std::string{message.deduplication_id}).second);
        }
        REQUIRE(seen.size() == 2);
        CHECK(seen[0].raw == raw);
        CHECK(seen[0].id == out[0].deduplication_id);
        CHECK(seen[1].id == out[1].deduplication_id);
        CHECK(seen[0].how == (raw.size() >= 100 ? freshet::id_mapping::hashed : freshet::id_mapping::escaped));
    }
}

TEST_CASE(
    "an id that fits is kept and nothing is told; one that fits only without its suffix is told where it does not") {
    message_batch out;
    const std::string fits(128, 'x');
    const std::vector<destination> places{{"words", "g"}, {"words", "g"}};
    const auto seen = messages_of('"' + fits + '"', places, out);
    CHECK(out[0].deduplication_id == fits);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == seen_mapping{fits, std::string{out[1].deduplication_id}, freshet::id_mapping::hashed});
    CHECK(out[1].deduplication_id == "%sha256:" + hex_digest(fits) + "%:2");
}

TEST_CASE("group ids are mapped like event ids, without a suffix") {
    const std::string long_group(200, 'g');
    const std::vector<destination> places{
        {"words", "ITEM 7"}, {"words", "ITEM 7"}, {"lines", long_group}, {"lines", ""}};
    message_batch out;
    const auto seen = messages_of(R"("e")", places, out);
    REQUIRE(out.size() == 4);
    CHECK(out[0].group_id == "ITEM%207");
    CHECK(out[1].group_id == "ITEM%207"); // the same group: the order is kept
    CHECK(out[2].group_id == "%sha256:" + hex_digest(long_group));
    CHECK(out[3].group_id == "%empty");
    REQUIRE(seen.size() == 4);
    CHECK(seen[2] == seen_mapping{long_group, std::string{out[2].group_id}, freshet::id_mapping::hashed});
}

TEST_CASE("the event of a mapping describes itself") {
    std::string said;
    const freshet::id_mapped event{"a b", "a%20b", freshet::id_mapping::escaped};
    event.fields([&](std::string_view field, std::string_view value) {
        said.append(field).append("=").append(value).append(";");
    });
    CHECK(freshet::id_mapped::name == "id_mapped");
    CHECK(said == "raw=a b;id=a%20b;");
}

TEST_CASE("a message that is too large by one byte fails its record and leaves the batch as it was") {
    message_batch out;
    REQUIRE(build(changed, out).ok());
    const auto exactly = out[0].payload_bytes();
    CHECK(exactly == out[0].body.size() + std::string_view{"sequence_number"}.size() +
                         std::string_view{"String"}.size() + out[0].sequence.size());
    const auto before = out.mark();
    const std::string body{out[0].body};

    const auto refused = build(changed, out, {.limits = {.message_bytes = exactly - 1}});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.why().code == errc::too_large);
    CHECK(refused.why().note.find("c4ca4238a0b923820dcc509a6f75849b") != std::string::npos);
    CHECK(refused.why().note.find(std::to_string(exactly)) != std::string::npos);
    CHECK(out.size() == 1);
    CHECK(out.mark().bytes == before.bytes);
    CHECK(out[0].body == body);

    CHECK(build(changed, out, {.limits = {.message_bytes = exactly}}).ok());
    CHECK(out.size() == 2);
}

TEST_CASE("when a later message of a record is too large, the earlier ones go too") {
    message_batch out;
    fifo_message_builder builder{{.limits = {.id_bytes = 8}}};
    auto text = removed;
    text.event_id = R"("e")";
    const std::vector<destination> places{{"words", "ITEM#7"}, {"lines", "ITEM#1234"}};
    const auto refused = build_with(builder, text, places, out);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.why().code == errc::too_large);
    CHECK(out.empty());
    CHECK(out.mark().bytes == 0);
    CHECK(build_with(builder, text, std::span{places}.first(1), out).ok());
}

TEST_CASE("ids and attributes are held against the limits too") {
    const auto code = [](freshet::queue_limits limits) {
        message_batch out;
        const auto built = build(changed, out, {.limits = limits});
        return built.ok() ? errc::failed : built.why().code;
    };
    CHECK(code({}) == errc::failed); // all well
    CHECK(code({.id_bytes = 32}) == errc::failed);
    CHECK(code({.id_bytes = 31}) == errc::too_large); // the deduplication id
    CHECK(code({.id_bytes = 5}) == errc::too_large);  // the group id
    CHECK(code({.attributes = 0}) == errc::too_large);
    CHECK(code(freshet::queue_limits::older_endpoint()) == errc::failed);
}

TEST_CASE("a body of more than 256 KiB is too large for the older endpoints and not for the newer ones") {
    auto text = changed;
    text.new_image =
        R"("a":{"S":")" + std::string(140 * 1024, 'x') + R"("})"; // it stands in the changes and in the snapshot
    message_batch out;
    CHECK(build(text, out).ok());
    const auto refused = build(text, out, {.limits = freshet::queue_limits::older_endpoint()});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.why().code == errc::too_large);
}

TEST_CASE("a record without destinations is ignored and leaves no byte") {
    message_batch out;
    fifo_message_builder builder;
    CHECK(build_with(builder, changed, {}, out).value_or(build_verdict::built) == build_verdict::ignored);
    CHECK(out.empty());
    CHECK(out.mark().bytes == 0);
}

TEST_CASE("detecting, routing and building allocate nothing once they have seen the work") {
    using routes =
        freshet::routes<freshet::route<part, "parts", freshet::key_pattern<"ITEM#{item_id:d}#PART#{part_id:d}">>,
                        freshet::route<part, "items", freshet::key_pattern<"ITEM#{item_id:d}">>,
                        freshet::route<part, "items", freshet::key_pattern<"LABEL#{label}">>>;
    std::string all;
    constexpr std::size_t count = 50;
    for (std::size_t i = 0; i < count; ++i) {
        record_text text = i % 3 == 0 ? changed : i % 3 == 1 ? removed : unchanged;
        text.event_id = i % 5 == 0 ? ""
                                   : '"' + std::string(i % 7 == 0 ? 140 : 20, 'e') + std::to_string(i) +
                                         (i % 4 == 0 ? " \"" : "\"");
        if (text.new_image) {
            *text.new_image += R"(,"m":{"M":{"p":{"SS":["x","y"]},"\u0001":{"N":"007"}}},"z":{"S":"\uffff)"
                               "\xef\xbf\xbf"
                               R"("})";
        }
        all.append(all.empty() ? "" : ",").append(support::to_json(text));
    }
    const decoded_event event{support::event_of({all})};
    freshet::change_detector detector{monitored<"a", "label", "m">{}};
    fifo_message_builder builder;
    freshet::text_arena memory;
    std::vector<destination> places;
    message_batch out;
    const auto once = [&] {
        out.clear();
        std::size_t failures = 0;
        for (const auto& record : event.records()) {
            const auto match = registry::match(record->keys.find("PK")->text(), record->keys.find("SK")->text());
            const auto key = match.erased();
            memory.reset();
            places.clear();
            failures += routes::destinations(key, memory, places).ok() ? 0 : 1;
            failures += builder.build(*record, 0, key, detector.detect(*record, key), places, out).ok() ? 0 : 1;
        }
        return failures;
    };
    CHECK(once() == 0);
    CHECK(out.size() > count); // two messages a record and more
    const auto before = support::allocations.load();
    const auto failures = once();
    const auto made = support::allocations.load() - before;
    CHECK(failures == 0);
    CHECK(made == 0);
    CHECK(before > 0); // somebody counts
}
