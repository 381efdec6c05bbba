#include <receipts/change_messages.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/observe.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <support/count_allocations.hpp>
#include <support/event_text.hpp>

namespace {

using receipts::change_messages;
using receipts::change_messages_options;
using support::decoded_event;
using support::record_text;
using support::to_json;

constexpr std::string_view image = "IMAGE#550e8400-e29b-41d4-a716-446655440000";
constexpr auto metadata_key = "RECEIPT#00001#METADATA";
constexpr auto label_key = "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TOTAL";

auto keys(std::string_view sort, std::string_view partition = image) -> std::string {
    return R"("PK":{"S":")" + std::string{partition} + R"("},"SK":{"S":")" + std::string{sort} + R"("})";
}

auto modified(std::string_view sort, std::string before, std::string after) -> record_text {
    return {.keys = keys(sort), .old_image = std::move(before), .new_image = std::move(after)};
}

auto renamed() -> record_text {
    return modified(metadata_key, R"("canonical_merchant_name":{"S":"Old Merchant"})",
                    R"("canonical_merchant_name":{"S":"New Merchant"})");
}

auto relabelled(std::string_view sort = label_key) -> record_text {
    return modified(sort, R"("validation_status":{"S":"PENDING"})", R"("validation_status":{"S":"VALID"})");
}

auto numbered(record_text text, int number) -> std::string {
    text.event_id = "\"e" + std::to_string(number) + '"';
    text.sequence = "\"" + std::to_string(100 + number) + '"';
    return to_json(text);
}

/// What became of an event, and who heard of it.
struct outcome {
    freshet::message_batch messages;
    receipts::change_counts counts;
    freshet::batch_response response;
    std::vector<std::string> failures; // event id, sequence number and reason
    std::vector<std::string> mapped;
};

auto with(const freshet::fifo_message_builder_options& builder) -> change_messages_options {
    change_messages_options options;
    options.builder = builder;
    return options;
}

auto outcome_of(const std::string& event, change_messages_options options = {}) -> outcome {
    outcome seen;
    freshet::watch observer{
        freshet::on<freshet::record_failed>([&](const freshet::record_failed& failed) {
            std::string line;
            line.append(failed.event_id).append("|").append(failed.sequence).append("|").append(failed.why.note).append("|");
            seen.failures.push_back(line);
        }),
        freshet::on<freshet::id_mapped>([&](const freshet::id_mapped& id) { seen.mapped.emplace_back(id.raw); })};
    change_messages maker{std::move(options), observer};
    const decoded_event decoded{event};
    freshet::batch_verdict verdict{decoded.records().size()};
    seen.counts = maker.add(decoded.records(), seen.messages, verdict);
    seen.response = verdict.response([&](std::size_t i) { return decoded.records()[i].sequence(); });
    CHECK(seen.counts.built + seen.counts.unchanged + seen.counts.ignored + seen.counts.expired + seen.counts.failed ==
          decoded.records().size());
    CHECK(seen.failures.size() == seen.counts.failed);
    return seen;
}

auto outcome_of(const record_text& record, change_messages_options options = {}) -> outcome {
    return outcome_of(support::event_of({to_json(record)}), std::move(options));
}

} // namespace

TEST_CASE("changed metadata tells the lines and the words, with the receipt's group on both") {
    const auto seen = outcome_of(renamed());
    CHECK(seen.counts.built == 1);
    REQUIRE(seen.messages.size() == 2);
    CHECK(seen.messages[0].queue == "lines");
    CHECK(seen.messages[1].queue == "words");
    for (const auto message : seen.messages) {
        CHECK(message.group_id == std::string{image} + "#RECEIPT#1");
        CHECK(message.deduplication_id == "c4ca4238a0b923820dcc509a6f75849b");
        CHECK(message.sequence == "4421584500000000017450439091");
    }
    CHECK(nlohmann::json::parse(seen.messages[0].body) ==
          nlohmann::json::parse(R"({"source": "dynamodb_stream", "entity_type": "RECEIPT_METADATA",
        "entity_data": {"image_id": "550e8400-e29b-41d4-a716-446655440000", "receipt_id": 1},
        "changes": {"canonical_merchant_name": {"old": "Old Merchant", "new": "New Merchant"}},
        "event_name": "MODIFY", "timestamp": "2025-01-15T10:30:00.000Z", "stream_record_id": "c4ca4238a0b923820dcc509a6f75849b",
        "aws_region": "us-east-1", "record_snapshot": {"canonical_merchant_name": "New Merchant"}})"));
}

TEST_CASE("a changed label tells the words alone, in the word's group") {
    const auto seen = outcome_of(relabelled());
    REQUIRE(seen.messages.size() == 1);
    CHECK(seen.messages[0].queue == "words");
    CHECK(seen.messages[0].group_id == std::string{image} + "#RECEIPT#1#LINE#2#WORD#3");
    const auto body = nlohmann::json::parse(seen.messages[0].body);
    CHECK(body["entity_type"] == "RECEIPT_WORD_LABEL");
    CHECK(body["entity_data"] ==
          nlohmann::json::parse(R"({"image_id": "550e8400-e29b-41d4-a716-446655440000", "receipt_id": 1, "line_id": 2,
        "word_id": 3, "label": "TOTAL"})"));
}

TEST_CASE("a label that is changed arrives as REMOVE and INSERT, and both tell it") {
    record_text gone{.event = "REMOVE", .keys = keys(label_key), .old_image = R"("reasoning":{"NULL":true})"};
    record_text come{.event = "INSERT", .keys = keys("RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TAX"), .new_image = ""};
    const auto event = support::event_of({numbered(gone, 1), numbered(come, 2)});
    const auto both = outcome_of(event, with({.inserts = true}));
    REQUIRE(both.messages.size() == 2);
    CHECK(nlohmann::json::parse(both.messages[0].body)["changes"] ==
          nlohmann::json::parse(R"({"label": {"old": "TOTAL", "new": null}})"));
    CHECK(nlohmann::json::parse(both.messages[1].body)["changes"] ==
          nlohmann::json::parse(R"({"label": {"old": null, "new": "TAX"}})"));
    CHECK(both.messages[0].group_id == both.messages[1].group_id); // so that their order is kept

    const auto by_default = outcome_of(event);
    CHECK(by_default.messages.size() == 1);
    CHECK(by_default.counts.ignored == 1);
}

TEST_CASE("other items, and keys that are no text, are ignored") {
    for (const auto& other :
         {keys("RECEIPT#00001"), keys("RECEIPT#00001#LINE#00002#WORD#00003#LETTER#00001"),
          keys("RECEIPT#00001#SECTION#METADATA"), keys(metadata_key, "IMAGE#7"), std::string{R"("PK":{"S":"x"})"},
          std::string{R"("id":{"S":"x"},"SK":{"S":"y"})"}, std::string{R"("PK":{"N":"1"},"SK":{"B":"AAAA"})"}}) {
        auto text = renamed();
        text.keys = other;
        CAPTURE(other);
        const auto seen = outcome_of(text);
        CHECK(seen.counts.ignored == 1);
        CHECK(seen.messages.empty());
        CHECK(seen.response.success());
    }
}

TEST_CASE("a write that changes nothing monitored tells nobody, and a NULL counts as absent") {
    CHECK(outcome_of(modified(metadata_key, R"("matched_fields":{"SS":["a"]})", R"("matched_fields":{"SS":["b"]})"))
              .counts.unchanged == 1);
    CHECK(outcome_of(modified(metadata_key, R"("address":{"NULL":true})", "")).counts.unchanged == 1);
    change_messages_options null_counts;
    null_counts.detector.null_is_absent = false;
    CHECK(outcome_of(modified(metadata_key, R"("address":{"NULL":true})", ""), null_counts)
              .counts.built == 1);
    CHECK(outcome_of(modified(label_key, R"("merchant_name":{"S":"a"})", R"("merchant_name":{"S":"b"})"))
              .counts.unchanged == 1); // another entity's field
}

TEST_CASE("a poison record, third of five, leaves the other four alone and is delivered again") {
    const auto poison = [](const std::string& third) {
        return support::event_of({numbered(relabelled(), 1), numbered(renamed(), 2), third, numbered(relabelled(), 4),
                                  numbered(renamed(), 5)});
    };
    auto unknown_type = relabelled();
    unknown_type.new_image = R"("validation_status":{"X":"VALID"})";
    SUBCASE("of an unknown attribute type") {
        const auto seen = outcome_of(poison(numbered(unknown_type, 3)));
        CHECK(seen.counts.built == 4);
        CHECK(seen.counts.failed == 1);
        REQUIRE(seen.messages.size() == 6);
        std::vector<std::size_t> from;
        for (std::size_t i = 0; i < seen.messages.size(); ++i) { from.push_back(seen.messages.record(i)); }
        CHECK(from == std::vector<std::size_t>{0, 1, 1, 3, 4, 4});
        REQUIRE(seen.failures.size() == 1);
        CHECK(seen.failures[0].starts_with("e3|103|"));
        CHECK(seen.failures[0].find("an unknown attribute type at byte ") != std::string::npos);
        CHECK(seen.response.again == freshet::batch_response::extent::from_checkpoint);
        CHECK(seen.response.checkpoint.view() == "103");
    }
    SUBCASE("of no readable sequence number") {
        unknown_type.sequence = "7";
        unknown_type.event_id = "";
        const auto seen = outcome_of(poison(to_json(unknown_type)));
        CHECK(seen.counts.failed == 1);
        CHECK(seen.failures[0].starts_with("||"));
        CHECK(seen.response.checkpoint.view() == "102"); // the nearest readable one before
    }
    SUBCASE("of a stream that lacks images") {
        const auto seen = outcome_of(poison(numbered({.keys = keys(label_key)}, 3)));
        CHECK(seen.counts.built == 4);
        CHECK(seen.failures[0].find("NEW_AND_OLD_IMAGES") != std::string::npos);
        CHECK(seen.response.checkpoint.view() == "103");
    }
    SUBCASE("of too large a message") {
        auto large = relabelled();
        *large.new_image += R"(,"reasoning":{"S":")" + std::string(1000, 'x') + R"("})";
        const auto seen = outcome_of(poison(numbered(large, 3)), with({.limits = {.message_bytes = 1024}}));
        CHECK(seen.counts.built == 4);
        CHECK(seen.messages.size() == 6);
        CHECK(seen.failures[0].starts_with("e3|103|"));
        CHECK(seen.response.checkpoint.view() == "103");
    }
}

TEST_CASE("a record made before the oldest instant wanted is left out, one made at it is not") {
    change_messages_options options;
    options.oldest = *freshet::parse_rfc3339("2025-01-15T10:30:00Z");
    auto text = renamed();
    CHECK(outcome_of(text, options).counts.built == 1);
    text.time = "1736936999.999999";
    const auto late = outcome_of(text, options);
    CHECK(late.counts.expired == 1);
    CHECK(late.messages.empty());
    CHECK(late.response.success());
    text.time = "";
    CHECK(outcome_of(text, options).counts.built == 1); // no time, no age
}

TEST_CASE("the monitored fields can be given at run time, also for one entity alone") {
    change_messages_options options;
    options.fields[0] = *freshet::parse_monitored_fields("matched_fields, a.b");
    const auto matched = modified(metadata_key, R"("matched_fields":{"SS":["a"]})", R"("matched_fields":{"SS":["b"]})");
    CHECK(outcome_of(matched).counts.unchanged == 1);
    const auto seen = outcome_of(matched, options);
    REQUIRE(seen.messages.size() == 2);
    CHECK(nlohmann::json::parse(seen.messages[0].body)["changes"] ==
          nlohmann::json::parse(R"({"matched_fields": {"old": ["a"], "new": ["b"]}})"));
    CHECK(outcome_of(renamed(), options).counts.unchanged == 1);
    CHECK(outcome_of(relabelled(), options).counts.built == 1); // its fields are the default ones still
    options.fields[1].clear();
    CHECK(outcome_of(relabelled(), options).counts.unchanged == 1);
}

TEST_CASE("the default fields are those of the compile-time lists") {
    const auto fields = receipts::default_monitored_fields();
    CHECK(std::vector<std::string_view>(fields[0].begin(), fields[0].end()) ==
          std::vector<std::string_view>(receipts::metadata_fields::begin(), receipts::metadata_fields::end()));
    CHECK(std::vector<std::string_view>(fields[1].begin(), fields[1].end()) ==
          std::vector<std::string_view>(receipts::label_fields::begin(), receipts::label_fields::end()));
    CHECK(receipts::registry::names[0] == receipts::receipt_metadata::name);
    CHECK(receipts::registry::names[1] == receipts::receipt_word_label::name);
    for (std::size_t i = 2; i < receipts::registry::size; ++i) { CHECK(fields[i].empty()); }
}

TEST_CASE("a key with escapes is a key like any other") {
    auto text = renamed();
    text.keys =
        R"("PK":{"S":"IMAGE\u0023550e8400-e29b-41d4-a716-446655440000"},"\u0053K":{"S":"RECEIPT\u002300001\u0023METADAT\u0041"})";
    const auto escaped = outcome_of(text);
    const auto plain = outcome_of(renamed());
    REQUIRE(escaped.messages.size() == 2);
    CHECK(escaped.messages[0] == plain.messages[0]);
    CHECK(escaped.messages[1] == plain.messages[1]);
}

TEST_CASE("a mapped event id is told to the observer of the whole") {
    auto text = renamed();
    text.event_id = R"("a b")";
    const auto seen = outcome_of(text);
    CHECK(seen.mapped == std::vector<std::string>{"a b", "a b"}); // on either queue
    CHECK(seen.messages[0].deduplication_id == "a%20b");
    CHECK(outcome_of(renamed()).mapped.empty());
}

TEST_CASE("messages are added behind those of earlier events, and counts add up") {
    freshet::unobserved nobody;
    change_messages maker{{}, nobody};
    freshet::message_batch out;
    receipts::change_counts counts;
    for (int i = 0; i < 3; ++i) {
        const decoded_event event{support::event_of(
            {numbered(renamed(), i), numbered({.keys = keys("RECEIPT#00001"), .old_image = "", .new_image = ""}, i)})};
        freshet::batch_verdict verdict{event.records().size()};
        counts += maker.add(event.records(), out, verdict);
        CHECK(verdict.unfinished() == 0);
    }
    CHECK(out.size() == 6);
    CHECK(counts.built == 3);
    CHECK(counts.ignored == 3);
}

TEST_CASE("an event like one before it is worked off without an allocation") {
    freshet::unobserved nobody;
    change_messages maker{{}, nobody};
    freshet::message_batch out;
    std::string records;
    for (int i = 0; i < 60; ++i) {
        records += (i == 0 ? "" : ",") + numbered(i % 3 == 0   ? renamed()
                                                  : i % 3 == 1 ? relabelled()
                                                               : modified(label_key, "", ""),
                                                  i);
    }
    const decoded_event event{support::event_of({records})};
    freshet::batch_verdict first{event.records().size()};
    const auto counts = maker.add(event.records(), out, first);
    CHECK(counts.built == 40);
    out.clear();
    freshet::batch_verdict second{event.records().size()};
    const auto before = support::allocations.load();
    const auto again = maker.add(event.records(), out, second);
    const auto made = support::allocations.load() - before;
    CHECK(again.built == 40);
    CHECK(out.size() == 60);
    CHECK(made == 0);
}
