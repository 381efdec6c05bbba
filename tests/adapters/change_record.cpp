#include <adapters/change_record.hpp>

#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/backend/change.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/event_decoder.hpp>

#include <laws/items.hpp>

using adapters::change_entry;
using freshet::change_cause;
using freshet::change_kind;
using freshet::duration;
using freshet::time_point;

namespace {

const adapters::item_table_options options{.name = "receipts"};
const auto stream = adapters::stream_arn(options, "2026-11-22T02:47:26.480812");
constexpr std::string_view before = R"({"PK":{"S":"p"},"SK":{"S":"s"},"a":{"N":"1"}})";
constexpr std::string_view after = R"({"PK":{"S":"p"},"SK":{"S":"s"},"a":{"N":"2"}})";

auto record(const change_entry& change, const adapters::item_table_options& table = options) -> std::string {
    std::string out;
    adapters::write_change_record(out, change, table, stream);
    return out;
}

auto seconds(std::int64_t micros) -> std::string {
    std::string out;
    adapters::detail::append_seconds(out, time_point{duration{micros}});
    return out;
}

} // namespace

TEST_CASE("a record is written as the service writes it") {
    CHECK(record({7, time_point{duration{1'736'936'000'250'000}}, change_cause::write, "p", "s", before, after}) ==
          R"({"eventID":"b674f7d18d990beccee910089e3aafbe","eventName":"MODIFY","eventVersion":"1.1",)"
          R"("eventSource":"aws:dynamodb","awsRegion":"us-east-1","dynamodb":{)"
          R"("ApproximateCreationDateTime":1736936000.25,"Keys":{"PK":{"S":"p"},"SK":{"S":"s"}},)"
          R"("NewImage":{"PK":{"S":"p"},"SK":{"S":"s"},"a":{"N":"2"}},)"
          R"("OldImage":{"PK":{"S":"p"},"SK":{"S":"s"},"a":{"N":"1"}},"SequenceNumber":"100000000000000000007",)"
          R"("SizeBytes":152,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":)"
          R"("arn:aws:dynamodb:us-east-1:123456789012:table/receipts/stream/2026-11-22T02:47:26.480812"})");
}

TEST_CASE("a time has the decimals that it needs") {
    CHECK(seconds(0) == "0");
    CHECK(seconds(1) == "0.000001");
    CHECK(seconds(1'000'000) == "1");
    CHECK(seconds(1'500'000) == "1.5");
    CHECK(seconds(10'000'010) == "10.00001");
    CHECK(seconds(-500'000) == "-0.5");
    CHECK(seconds(-2'000'000) == "-2");
}

TEST_CASE("the decoder reads every kind of record, whatever its keys and names hold") {
    adapters::item_table_options table = options;
    table.partition = "P\"\\\n";
    table.sort = "S\xc3\xa9";
    table.region = "x\"y";
    for (const auto& text : laws::texts) {
        const auto image = "{\"v\":" + text.spellings[0] + "}";
        for (const int sides : {1, 2, 3}) {
            for (const auto cause : {change_cause::write, change_cause::expiry}) {
                const auto old_image = (sides & 1) != 0 ? std::optional<std::string_view>{image} : std::nullopt;
                const auto new_image = (sides & 2) != 0 ? std::optional<std::string_view>{image} : std::nullopt;
                const change_entry change{
                    3, time_point{duration{1'000'001}}, cause, text.text, text.text, old_image, new_image};
                const auto one = record(change, table);
                const auto event = "{\"Records\":[" + one + "," + one + "]}";
                freshet::event_decoder decoder;
                const auto records = decoder.decode(event);
                REQUIRE_MESSAGE(records.ok(), event);
                REQUIRE(records->size() == 2);
                REQUIRE_MESSAGE((*records)[1].ok(), event);
                const auto& read = *(*records)[1];
                CHECK(read.bytes == one);
                CHECK(read.event_id.size() == 32);
                CHECK(read.name == change.kind());
                CHECK(read.keys.find(table.partition)->text() == text.text);
                CHECK(read.keys.find(table.sort)->text() == text.text);
                CHECK(read.old_image.has_value() == old_image.has_value());
                CHECK(read.new_image.has_value() == new_image.has_value());
                if (read.new_image) { CHECK(read.new_image->find("v")->text() == text.text); }
                CHECK(read.sequence == adapters::sequence_of(3));
                CHECK(read.created_at == change.made_at);
                CHECK(read.view_type == freshet::stream_view_type::new_and_old_images);
                CHECK(read.aws_region == "x\"y");
                CHECK(read.event_source_arn == stream);
                CHECK(read.expired_by_ttl() == (cause == change_cause::expiry && !new_image));
            }
        }
    }
}

TEST_CASE("an eventID is one change's own") {
    const change_entry first{1, {}, {}, "p", "s", {}, after};
    change_entry second = first;
    second.number = 2;
    CHECK(record(first) == record(first));
    CHECK(record(first).substr(0, 45) != record(second).substr(0, 45));
    std::string elsewhere;
    adapters::write_change_record(elsewhere, first, options, adapters::stream_arn(options, "other"));
    CHECK(record(first).substr(0, 45) != elsewhere.substr(0, 45));
}

TEST_CASE("a table without sort keys has records without them") {
    auto table = options;
    table.sort = "";
    CHECK(record({1, {}, {}, "p", "", {}, after}, table).find(R"("Keys":{"PK":{"S":"p"}},)") != std::string::npos);
}

TEST_CASE("a change has its images read, or only its record, and a damaged log is no change") {
    const change_entry entry{4, time_point{duration{5}}, change_cause::write, "p", "s", before, after};
    const auto full = adapters::change_of<freshet::document>(entry, options, stream);
    const auto bare = adapters::change_of<adapters::unread>(entry, options, stream);
    REQUIRE(full.ok());
    REQUIRE(bare.ok());
    CHECK(full->record == record(entry));
    CHECK(bare->record == record(entry));
    CHECK(full->kind == change_kind::modify);
    CHECK(full->key == freshet::row_key{"p", "s"});
    CHECK(full->made_at == entry.made_at);
    CHECK(full->before->text() == before);
    CHECK(full->after->text() == after);
    CHECK(!bare->before);
    CHECK(!bare->after);
    const change_entry damaged{4, {}, {}, "p", "s", before.substr(1), after};
    CHECK(laws::code_of(adapters::change_of<freshet::document>(damaged, options, stream)) == freshet::errc::malformed);
}
