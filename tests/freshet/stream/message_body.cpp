#include <freshet/stream/message_body.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>
#include <freshet/stream/change_detector.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <support/cases.hpp>
#include <support/event_text.hpp>
#include <support/message_model.hpp>

namespace {

using freshet::monitored_fields;
using support::decoded_event;
using support::json;
using support::read_exactly;
using support::record_text;

using part = freshet::entity<"PART", freshet::key_pattern<"ITEM#{item_id:d}">,
                             freshet::key_pattern<"PART#{part_id:03d}#LABEL#{label}">>;
using registry = freshet::key_registry<part>;

/// Written into a buffer of exactly the promised size, so that a sanitizer sees the first byte too many.
auto write_body(const freshet::stream_record& record, const freshet::entity_key& key,
                const freshet::change_set& changes) -> std::string {
    const freshet::message_parts parts{record, key, changes};
    const auto bound = message_body_bound(parts);
    const auto room = std::make_unique<char[]>(bound);
    const auto size = static_cast<std::size_t>(write_message_body(room.get(), parts) - room.get());
    REQUIRE(size <= bound);
    return {room.get(), size};
}

auto body_of(const freshet::stream_record& record, const monitored_fields& fields,
             freshet::change_detector_options options = {}) -> std::string {
    const auto key = registry::match(record.keys.find("PK")->text(), record.keys.find("SK")->text());
    REQUIRE(key.ok());
    freshet::change_detector detector{fields, options};
    return write_body(record, key.erased(), detector.detect(record, key.erased()));
}

auto body_of(const record_text& text, const monitored_fields& fields = {"a"}) -> std::string {
    const decoded_event event{text};
    return body_of(event.record(), fields);
}

/// The snapshot in the body of a REMOVE of an item that is `image`, as text.
auto snapshot_of(const std::string& image) -> std::string {
    const auto body = body_of({.event = "REMOVE", .old_image = image}, {});
    constexpr std::string_view member = R"("record_snapshot":)";
    const auto at = body.find(member) + member.size();
    return body.substr(at, body.size() - 1 - at);
}

/// What a queue takes in a body (Amazon SQS, `SendMessage`), for valid UTF-8.
auto is_queue_text(std::string_view body) -> bool {
    for (const char c : body) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') { return false; }
    }
    return body.find("\xef\xbf\xbe") == std::string_view::npos && body.find("\xef\xbf\xbf") == std::string_view::npos;
}

} // namespace

TEST_CASE("a body has its nine members in their order and nothing else") {
    const auto body =
        body_of({.old_image = R"("a":{"S":"old"},"n":{"N":"1"})", .new_image = R"("a":{"S":"new"},"n":{"N":"1"})"});
    CHECK(
        body ==
        R"({"source":"dynamodb_stream","entity_type":"PART","entity_data":{"item_id":7,"part_id":1,"label":"TOTAL"},)"
        R"("changes":{"a":{"old":"old","new":"new"}},"event_name":"MODIFY","timestamp":"2025-01-15T10:30:00.000Z",)"
        R"("stream_record_id":"c4ca4238a0b923820dcc509a6f75849b","aws_region":"us-east-1","record_snapshot":{"a":"new","n":1}})");
}

TEST_CASE("a side that is absent is null, and so is a side that is NULL") {
    const auto changes = [](const record_text& text) {
        return read_exactly(body_of(text, {"a", "b", "label"}))["changes"].dump();
    };
    CHECK(changes({.old_image = "", .new_image = R"("a":{"S":"x"})"}) == R"({"a":{"old":null,"new":"x"}})");
    CHECK(changes({.old_image = R"("a":{"S":"x"})", .new_image = ""}) == R"({"a":{"old":"x","new":null}})");
    CHECK(changes({.old_image = R"("a":{"NULL":true},"b":{"S":""})", .new_image = R"("b":{"NULL":true})"}) ==
          R"({"a":{"old":null,"new":null},"b":{"old":"","new":null}})");
    CHECK(changes({.event = "INSERT", .new_image = R"("b":{"S":"x"})"}) ==
          R"({"b":{"old":null,"new":"x"},"label":{"old":null,"new":"TOTAL"}})");
    CHECK(changes({.event = "REMOVE", .old_image = R"("b":{"S":"x"})"}) ==
          R"({"b":{"old":"x","new":null},"label":{"old":"TOTAL","new":null}})");
    CHECK(changes({.old_image = R"("a":{"S":"x"})", .new_image = R"("a":{"S":"x"})"}) == "{}");
}

TEST_CASE("the snapshot is the new image, on REMOVE the old one, and null where the stream carries none") {
    const auto snapshot = [](const record_text& text) { return read_exactly(body_of(text))["record_snapshot"].dump(); };
    const std::string before = R"("a":{"S":"before"})";
    const std::string after = R"("a":{"S":"after"})";
    CHECK(snapshot({.event = "INSERT", .new_image = after}) == R"({"a":"after"})");
    CHECK(snapshot({.event = "MODIFY", .old_image = before, .new_image = after}) == R"({"a":"after"})");
    CHECK(snapshot({.event = "REMOVE", .old_image = before}) == R"({"a":"before"})");
    CHECK(snapshot({.event = "REMOVE", .old_image = ""}) == "{}");
    for (const auto event : {"INSERT", "MODIFY", "REMOVE"}) { CHECK(snapshot({.event = event}) == "null"); }
    CHECK(snapshot({.event = "MODIFY", .old_image = before}) == "null");
}

TEST_CASE("the time is the record's own, in UTC with milliseconds, and null where it has none") {
    const auto time = [](std::string_view text) {
        return read_exactly(body_of({.old_image = "", .new_image = "", .time = std::string{text}}))["timestamp"].dump();
    };
    CHECK(time("1736937000") == R"("2025-01-15T10:30:00.000Z")");
    CHECK(time("1736937000.0") == R"("2025-01-15T10:30:00.000Z")");
    CHECK(time("1.736937E9") == R"("2025-01-15T10:30:00.000Z")");
    CHECK(time(R"("1736937000")") == R"("2025-01-15T10:30:00.000Z")");
    CHECK(time(R"("2025-01-15T11:30:00+01:00")") == R"("2025-01-15T10:30:00.000Z")");
    CHECK(time("1736937000.1239") == R"("2025-01-15T10:30:00.123Z")");
    CHECK(time("0") == R"("1970-01-01T00:00:00.000Z")");
    CHECK(time("-0.5") == R"("1969-12-31T23:59:59.500Z")");
    CHECK(time("253402300799.9999") == R"("9999-12-31T23:59:59.999Z")");
    CHECK(time("null") == "null");
    CHECK(time("") == "null");
}

TEST_CASE("what the record does not say of itself is null") {
    const auto body = read_exactly(body_of({.old_image = "", .new_image = "", .event_id = "", .region = ""}));
    CHECK(body["stream_record_id"].is_null());
    CHECK(body["aws_region"].is_null());
}

TEST_CASE("numbers keep their own digits and become legal JSON numbers") {
    const auto number = [](const std::string& text) { return snapshot_of(R"("n":{"N":")" + text + R"("})"); };
    CHECK(number("12345678901234567890123456789012345678") == R"({"n":12345678901234567890123456789012345678})");
    CHECK(number("0.90") == R"({"n":0.90})");
    CHECK(number("1E-130") == R"({"n":1E-130})");
    CHECK(number("9.9E+125") == R"({"n":9.9E+125})");
    CHECK(number("007") == R"({"n":7})");
    CHECK(number("+1") == R"({"n":1})");
    CHECK(number(".5") == R"({"n":0.5})");
    CHECK(number("-.5") == R"({"n":-0.5})");
    CHECK(number("5.") == R"({"n":5})");
    CHECK(number(R"(\u0031\u0030)") == R"({"n":10})");
}

TEST_CASE("all ten types become plain JSON, at any depth") {
    CHECK(
        snapshot_of(
            R"("s":{"S":"x"},"b":{"B":"aGVsbG8="},"t":{"BOOL":true},"f":{"BOOL":false},"n":{"NULL":true},"e":{"S":""})") ==
        R"({"s":"x","b":"aGVsbG8=","t":true,"f":false,"n":null,"e":""})");
    CHECK(snapshot_of(R"("ss":{"SS":["y","x"]},"ns":{"NS":["02","1.0"]},"bs":{"BS":["AAAA"]})") ==
          R"({"ss":["y","x"],"ns":[2,1.0],"bs":["AAAA"]})");
    CHECK(
        snapshot_of(
            R"("l":{"L":[{"L":[]},{"M":{}},{"M":{"p":{"L":[{"N":"+1"},{"NULL":true}]}}}]},"m":{"M":{"q":{"SS":["z"]},"r":{"S":"s"}}})") ==
        R"({"l":[[],{},{"p":[1,null]}],"m":{"q":["z"],"r":"s"}})");
    std::string deep = R"({"S":"x"})";
    for (int level = 0; level < 32; ++level) {
        deep = (level % 2 == 0 ? R"({"L":[)" + deep + "]}" : R"({"M":{"k":)" + deep + "}}");
    }
    CHECK(read_exactly(snapshot_of(R"("d":)" + deep)).dump().find("\"x\"") != std::string::npos);
}

TEST_CASE("a key that is written with escapes gives the same message as without") {
    record_text text{.old_image = R"("a":{"S":"x"})", .new_image = R"("a":{"S":"y"})"};
    const auto plainly = body_of(text);
    text.keys = R"("\u0050K":{"S":"ITEM\u00237"},"SK":{"S":"PART#\u0030\u00301#LABEL\u0023TOT\u0041L"})";
    CHECK(body_of(text) == plainly);
}

TEST_CASE("a label with quotes, controls and noncharacters stays legal JSON and legal in a queue") {
    const auto body = body_of({.event = "REMOVE",
                               .keys = R"("PK":{"S":"ITEM#7"},"SK":{"S":"PART#001#LABEL#a\"\\\u0000\n/)"
                                       "\xef\xbf\xbf"
                                       R"("})",
                               .old_image = ""},
                              {"label"});
    const auto read = read_exactly(body);
    const std::string label{"a\"\\\0\n/\xef\xbf\xbf", 9};
    CHECK(read["entity_data"]["label"] == label);
    CHECK(read["changes"]["label"]["old"] == label);
    CHECK(is_queue_text(body));
}

TEST_CASE("the characters that queues refuse are escaped wherever they stand, and the body says the same") {
    const std::string fffe = "\xef\xbf\xbe";
    const std::string ffff = "\xef\xbf\xbf";
    for (const auto& bad :
         {fffe, ffff, fffe + ffff, "\xef\xbf\xbd" + ffff, "x" + fffe + "y" + ffff + fffe, std::string{"\\uFFFE"}}) {
        const auto says = bad == "\\uFFFE" ? fffe : bad;
        const auto image = R"("a":{"S":")" + bad + R"("},")" + bad + R"(":{"L":[{"SS":[")" + bad + R"("]},{"M":{")" +
                           bad + R"(":{"S":")" + bad + R"("}}}]})";
        const auto body = body_of(
            {.old_image = "", .new_image = image, .event_id = '"' + bad + '"', .region = '"' + bad + '"'}, {"a", says});
        CAPTURE(body);
        CHECK(is_queue_text(body));
        const auto read = read_exactly(body);
        REQUIRE_FALSE(read.is_discarded());
        CHECK(read["changes"]["a"]["new"] == says);
        CHECK(read["changes"][says]["new"][0][0] == says);
        CHECK(read["record_snapshot"][says][1][says] == says);
        CHECK(read["stream_record_id"] == says);
        CHECK(read["aws_region"] == says);
    }
    const std::string allowed =
        "\xf0\x9f\xbf\xbe\xf0\x9f\xbf\xbf\xef\xb7\x90\xef\xbf\xbd\x7f"; // noncharacters and all, but no queue minds
    CHECK(snapshot_of(R"("a":{"S":")" + allowed + R"("})") == R"({"a":")" + allowed + R"("})");
}

TEST_CASE("a body never outgrows its bound, however much its content swells") {
    const auto repeated = [](std::string_view text, std::size_t times) {
        std::string all;
        while (times-- > 0) { all += text; }
        return all;
    };
    for (const std::string_view unit :
         {R"(\u0001)", R"(\n)", "\x7f", "\xef\xbf\xbf", R"(\uffff)", R"(\")", "x", R"(\u0041)"}) {
        const auto long_text = repeated(unit, 2000);
        CAPTURE(unit);
        {
            INFO("in the values of one field");
            const auto image = R"("a":{"S":")" + long_text + R"("})";
            CHECK_FALSE(
                read_exactly(body_of({.old_image = image + R"(,"b":{"S":"x"})", .new_image = image}, {"a", "b"}))
                    .is_discarded());
        }
        {
            INFO("in key and ids");
            const auto keys = R"("PK":{"S":"ITEM#7"},"SK":{"S":"PART#001#LABEL#)" + long_text + R"("})";
            const record_text text{.event = "REMOVE",
                                   .keys = keys,
                                   .old_image = "",
                                   .event_id = '"' + long_text + '"',
                                   .region = '"' + long_text + '"'};
            CHECK_FALSE(read_exactly(body_of(text, {"label"})).is_discarded());
        }
        {
            INFO("in many monitored names");
            std::string before, after;
            monitored_fields fields;
            for (int i = 0; i < 300; ++i) {
                const auto name = repeated(unit, 5) + std::to_string(i);
                before.append(i == 0 ? "" : ",").append("\"" + name + R"(":{"NS":[".5"]})");
                after.append(i == 0 ? "" : ",")
                    .append("\"" + name + R"(":{"L":[{"NULL":true},{"N":"+.5"},{"SS":[")" + unit.data() + R"("]}]})");
                const auto decoded = nlohmann::json::parse('"' + name + '"').get<std::string>();
                fields.push_back(decoded);
            }
            const auto body = read_exactly(body_of({.old_image = before, .new_image = after}, fields));
            REQUIRE_FALSE(body.is_discarded());
            CHECK(body["changes"].size() == 300);
        }
    }
}

TEST_CASE("a bound holds for each part alone, though none stands in the record's own text") {
    constexpr std::size_t size = 5000;
    const std::string long_text(size, '\x01'); // six bytes each
    const auto body_size = [&](const freshet::stream_record& record, freshet::key_field field,
                               std::string_view entity = "PART", const freshet::change_set& changes = {}) {
        const auto body = write_body(record, {entity, {&field, 1}}, changes);
        CHECK(nlohmann::json::accept(body));
        return body.size();
    };
    const freshet::key_field id{"id", freshet::key_field_kind::number, "18446744073709551615",
                                18'446'744'073'709'551'615U};
    freshet::stream_record record;
    const auto usual = body_size(record, id);
    CHECK(usual < 300);

    CHECK(body_size(record, id, long_text) > 6 * size);
    CHECK(body_size(record, {long_text, freshet::key_field_kind::number, "1", 1}) > 6 * size);
    CHECK(body_size(record, {"id", freshet::key_field_kind::text, long_text, 0}) > 6 * size);
    record.event_id = long_text;
    CHECK(body_size(record, id) > 6 * size);
    record.event_id = "";
    record.aws_region = long_text;
    CHECK(body_size(record, id) > 6 * size);
    record.aws_region = "";

    const freshet::detail::attribute_node long_value{
        .name = "a", .text = long_text, .type = freshet::attribute_type::string, .top = true};
    const freshet::detail::attribute_node long_name{
        .name = long_text, .token = "true", .type = freshet::attribute_type::boolean, .plain_name = false, .top = true};
    for (const auto* node : {&long_value, &long_name}) {
        record.new_image = freshet::image{node, 1};
        CHECK(body_size(record, id) > 6 * size);
    }
    record.new_image.reset();
    const freshet::attribute value{long_value};
    for (const auto& change : {freshet::field_change{"a", value, {}}, freshet::field_change{"a", {}, value},
                               freshet::field_change{long_text, {}, {}}, freshet::field_change{"a", value, value}}) {
        CHECK(body_size(record, id, "PART", {freshet::change_verdict::changed, {&change, 1}}) > 6 * size);
    }
    const std::vector<freshet::field_change> many(size, {"", {}, {}});
    CHECK(body_size(record, id, "PART", {freshet::change_verdict::changed, many}) > 20 * size);
    const std::vector<freshet::key_field> fields(size, freshet::key_field{"", id.kind, "", id.number});
    CHECK(write_body(record, {"PART", fields}, {}).size() > 20 * size);
    const std::vector<freshet::detail::attribute_node> nulls(
        size, {.name = "", .token = "true", .type = freshet::attribute_type::null, .top = true});
    record.new_image = freshet::image{nulls.data(), nulls.size()};
    CHECK(write_body(record, {"PART", {}}, {}).size() > 7 * size);
}

TEST_CASE("for random records the body is what a model over another JSON library expects") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::record_maker maker{seed};
    const monitored_fields fields{"a", "label", "a.b", "c", "", "\xef\xbf\xbf"};
    std::size_t changed = 0;
    const auto rounds = support::cases(250);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto event = std::vector<std::string>{"INSERT", "MODIFY", "MODIFY", "MODIFY", "REMOVE"}[maker.below(5)];
        const auto sides = maker.below(12);
        json before, after;
        if (event != "INSERT" && sides != 0) { before = maker.image(); }
        if (event != "REMOVE" && sides != 1) {
            after = maker.below(6) == 0 && !before.is_null() ? before : maker.image();
        }
        std::string label = maker.text();
        std::erase(label, '#');
        if (label.empty()) { label = "TOTAL"; }
        const auto item = maker.below(100'000);
        const auto part_id = maker.below(1000);
        const auto padded = std::to_string(1000 + part_id).substr(1);
        const auto id = maker.text();
        const bool null_is_absent = maker.below(2) == 0;

        auto change = json{
            {"Keys",
             {{"PK", {{"S", "ITEM#" + std::to_string(item)}}}, {"SK", {{"S", "PART#" + padded + "#LABEL#" + label}}}}},
            {"SequenceNumber", "1" + std::to_string(round)},
            {"ApproximateCreationDateTime", 1736937000 + round % 60}};
        if (!before.is_null()) { change["OldImage"] = before; }
        if (!after.is_null()) { change["NewImage"] = after; }
        const auto record =
            json{{"eventID", id}, {"eventName", event}, {"awsRegion", "eu-west-3"}, {"dynamodb", change}};
        const decoded_event decoded{maker.written({{"Records", json::array({record})}})};

        const bool known = (event == "INSERT" || !before.is_null()) && (event == "REMOVE" || !after.is_null());
        const auto changes = known
                                 ? support::expected_changes(before, after, fields, null_is_absent, {{"label", label}})
                                 : json::object();
        const auto& shown = event == "REMOVE" ? before : after;
        auto seconds = std::to_string(100 + round % 60).substr(1);
        const json expected{{"source", "dynamodb_stream"},
                            {"entity_type", "PART"},
                            {"entity_data",
                             {{"item_id", support::exact_number(std::to_string(item))},
                              {"part_id", support::exact_number(std::to_string(part_id))},
                              {"label", label}}},
                            {"changes", changes},
                            {"event_name", event},
                            {"timestamp", "2025-01-15T10:30:" + seconds + ".000Z"},
                            {"stream_record_id", id.empty() ? json{} : json(id)},
                            {"aws_region", "eu-west-3"},
                            {"record_snapshot", shown.is_null() ? json{} : support::plain({{"M", shown}})}};
        const auto body = body_of(decoded.record(), fields, {.null_is_absent = null_is_absent});
        const auto read = read_exactly(body);
        CAPTURE(round);
        CAPTURE(body);
        CAPTURE(decoded.record().bytes);
        REQUIRE_FALSE(read.is_discarded());
        REQUIRE(is_queue_text(body));
        REQUIRE((read == expected));
        changed += changes.empty() ? 0 : 1;
    }
    CHECK((changed > rounds / 5 || rounds < 100)); // the property would be empty otherwise
    CHECK((changed < rounds || rounds < 100));
}
