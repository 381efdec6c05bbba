#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/aws/attribute_json.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/placeholders.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/item_table.hpp>
#include <adapters/recounted_blocks.hpp>
#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace adapters::aws {

struct bucket_sink_options {
    /// The DynamoDB table: its partition key is `id`, its sort key `block`, both strings.
    std::string table{};
    /// No run has a wider width; the same for all who use the table. Reads look so much further back than they are
    /// asked.
    freshet::duration widest{std::chrono::hours{1}};
};

/// A bucket_sink in a DynamoDB table, which may keep other things beside it; as many objects, threads and processes as
/// want may use it. Borrows the client.
///
/// The rows of a series have the `id` `counts/TABLE/ACCOUNT` (a `/` in TABLE is `%2F`, a `%` is `%25`). The row `runs`
/// counts the tickets. A block is one row, `2024-01-01T10:00:00.000000Z/60min` of the widest width: its last `ticket`,
/// how often it was written (`writes`), and for each width a map of the counts that are not 0 by their place in the
/// block, `1min: {"0": 5, "59": 1}`. Rows of empty blocks stay, as a fence.
///
/// Runs of a series whose widths have one in common have the widest in common, else it is read from the blocks of both.
///
/// `begin_run` is one request; a read is one for each megabyte that its blocks take. A replacement is one query for a
/// hundred blocks, and one write for each block that it is not too late for and has not replaced with the same before.
///
/// Malformed are series that are no UTF-8 text or longer than 2,048 bytes, and times outside the years 0 to 9999; a
/// width above `widest` is denied. A block of more than an item can hold (400 KB) is too large.
///
/// Source: the DynamoDB API reference, "Query" and "UpdateItem"; the developer guide, "Quotas".
class bucket_sink {
public:
    using is_shareable = void;

    bucket_sink(const client& by, bucket_sink_options options) : by_{by}, options_{std::move(options)} {}
    bucket_sink(const client&&, bucket_sink_options) = delete;

    [[nodiscard]] auto begin_run(const freshet::series_key& series) const -> freshet::result<freshet::run_ticket> {
        const auto id = row_id(series);
        if (!id) { return about(series, id.why()); }
        placeholders of;
        const auto text = "ADD " + of.name("ticket") + ' ' + of.value(number_value(1));
        auto request = row_start(*id, "runs") + R"(,"UpdateExpression":)" + json_text(text);
        of.append_to(request);
        request += R"(,"ReturnValues":"UPDATED_NEW"})";
        const auto answer = read_json(by_.call(dynamodb, "UpdateItem", request), "UpdateItem");
        if (!answer) { return about(series, without_conflict(answer.why())); }
        const auto given = answer->find("Attributes");
        const auto number = given == answer->end() ? std::nullopt : number_in<std::uint64_t>(*given, "ticket");
        if (!number) { return about(series, {freshet::errc::unavailable, "UpdateItem: an answer without a ticket"}); }
        return freshet::run_ticket{*number};
    }

    [[nodiscard]] auto replace(const freshet::series_key& series, const freshet::recounted& found,
                               const freshet::run_ticket& ticket) const -> freshet::result<freshet::replaced_counts> {
        constexpr std::size_t blocks_a_query = 100;
        const auto id = row_id(series);
        if (!id) { return about(series, id.why()); }
        if (auto usable = check(found); !usable) { return about(series, usable.why()); }
        const run of{*id, found, ticket.number};
        const auto widest = found.widths.back();
        freshet::replaced_counts done;
        for (auto start = found.range.start; start < found.range.end;) {
            const auto blocks = std::min(blocks_a_query, buckets_in({start, found.range.end}, widest));
            const freshet::time_range part{start, start + static_cast<freshet::duration::rep>(blocks) * widest};
            const auto known = blocks_in(of, part);
            if (!known) { return about(series, known.why()); }
            for (; start != part.end; start += widest) {
                const auto row = known->find(start);
                const auto one = replace_block(of, start, row == known->end() ? block_row{} : row->second);
                if (!one) { return about(series, one.why()); }
                done.written += one->written;
                done.unchanged += one->unchanged;
                done.overtaken += one->overtaken;
            }
        }
        return done;
    }

    [[nodiscard]] auto read(const freshet::series_key& series, const freshet::time_range& range,
                            freshet::duration width) const -> freshet::result<std::vector<freshet::bucket>> {
        const auto id = row_id(series);
        if (!id) { return about(series, id.why()); }
        const freshet::time_range shown{std::max(range.start, first_time), std::min(range.end, end_of_time)};
        std::vector<freshet::bucket> all;
        if (shown.empty() || width <= freshet::duration::zero()) { return all; }
        // a block that begins earlier ends before the range
        const auto from = shown.start - std::min(shown.start - first_time, options_.widest - freshet::duration{1});
        auto read = each_row(*id, {from, shown.end}, {width}, [&](const place& at, const json& row) {
            const auto counts = counts_in(row, at.start, width);
            if (!counts) { return false; }
            std::copy_if(counts->begin(), counts->end(), std::back_inserter(all),
                         [&](const freshet::bucket& each) { return shown.contains(each.start); });
            return true;
        });
        if (!read) { return about(series, read.why()); }
        return all;
    }

private:
    using json = nlohmann::json;

    static constexpr unsigned most_tries = 10;
    static constexpr freshet::time_point first_time = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    static constexpr freshet::time_point end_of_time = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};

    /// One run's counts of one series.
    struct run {
        const std::string& id;
        const freshet::recounted& found;
        std::uint64_t ticket;
    };

    /// Where a block begins, and of what width it is.
    struct place {
        freshet::time_point start;
        std::string_view width;
    };

    /// What is stored of a block; no `writes`: it has no row.
    struct block_row {
        std::uint64_t ticket{};
        std::uint64_t writes{};
        std::map<freshet::duration, std::vector<freshet::bucket>> counts{}; // by width
    };

    [[nodiscard]] static auto about(const freshet::series_key& series, const freshet::error& why) -> freshet::error {
        return {why.code, "bucket sink: " + freshet::printable(series.table) + '/' +
                              freshet::printable(series.account) + ": " + why.note};
    }

    [[nodiscard]] static auto row_id(const freshet::series_key& series) -> freshet::result<std::string> {
        using freshet::detail::find_bad_utf8;
        std::string id = "counts/";
        for (const auto c : series.table) {
            if (c == '/') {
                id += "%2F";
            } else if (c == '%') {
                id += "%25";
            } else {
                id += c;
            }
        }
        id.append("/").append(series.account);
        if (find_bad_utf8(id)) { return freshet::error{freshet::errc::malformed, "the series is no UTF-8 text"}; }
        if (const auto longest = item_limits{}.partition_key_bytes; id.size() > longest) {
            return freshet::error{freshet::errc::malformed,
                                  "the series' key is longer than " + std::to_string(longest) + " bytes"};
        }
        return id;
    }

    [[nodiscard]] auto check(const freshet::recounted& found) const -> freshet::result<void> {
        if (auto usable = check_recounted(found); !usable) { return usable; }
        if (found.widths.back() > options_.widest) {
            return freshet::error{freshet::errc::denied, "a run of widths up to " + width_name(found.widths.back()) +
                                                             ", the table's widest is " + width_name(options_.widest)};
        }
        if (!found.range.empty() && (found.range.start < first_time || end_of_time < found.range.end)) {
            return freshet::error{freshet::errc::malformed, "times outside the years 0 to 9999"};
        }
        return {};
    }

    [[nodiscard]] auto strange_row() const -> freshet::error {
        return {freshet::errc::denied,
                "table " + freshet::printable(options_.table) + " has a row that is not the sink's"};
    }

    /// In whole minutes, else in whole seconds, else in microseconds.
    [[nodiscard]] static auto width_name(freshet::duration width) -> std::string {
        using namespace std::chrono_literals;
        if (width % 1min == 0us) { return std::to_string(width / 1min) + "min"; }
        if (width % 1s == 0us) { return std::to_string(width / 1s) + "s"; }
        return std::to_string(width.count()) + "us";
    }

    /// An instant as a sort key has it: their order is that of the instants. The end of time comes behind all.
    [[nodiscard]] static auto time_text(freshet::time_point at) -> std::string {
        const auto text = freshet::format_rfc3339(at, 6);
        return text ? std::string{text->view()} : "9999-12-31T24";
    }
    [[nodiscard]] static auto block_name(freshet::time_point start, freshet::duration widest) -> std::string {
        return time_text(start) + '/' + width_name(widest);
    }
    [[nodiscard]] static auto place_of(std::string_view name) -> std::optional<place> {
        const auto slash = name.find('/');
        const auto start = freshet::parse_rfc3339(name.substr(0, slash));
        if (slash == std::string_view::npos || !start) { return std::nullopt; }
        return place{*start, name.substr(slash + 1)};
    }

    [[nodiscard]] auto row_start(std::string_view id, std::string_view block) const -> std::string {
        return R"({"TableName":)" + json_text(options_.table) + R"(,"Key":{"id":)" + text_value(id) + R"(,"block":)" +
               text_value(block) + '}';
    }

    /// Counts as the value of a width's attribute, by their places in the block.
    [[nodiscard]] static auto counts_value(std::span<const freshet::bucket> counts, freshet::time_point block)
        -> std::string {
        std::string map;
        for (const auto& each : counts) {
            if (each.count == 0) { continue; }
            map += map.empty() ? "\"" : ",\"";
            map += std::to_string((each.start - block) / each.width) + "\":" + number_value(each.count);
        }
        return R"({"M":{)" + map + "}}";
    }

    /// The counts of a width in a block's row, ascending; nothing where they are none of this sink's.
    [[nodiscard]] auto counts_in(const json& row, freshet::time_point block, freshet::duration width) const
        -> std::optional<std::vector<freshet::bucket>> {
        std::vector<freshet::bucket> counts;
        const auto attribute = row.find(width_name(width));
        if (attribute == row.end()) { return counts; }
        const auto map = attribute->is_object() ? attribute->find("M") : attribute->end();
        if (map == attribute->end() || !map->is_object()) { return std::nullopt; }
        for (const auto& [at, value] : map->items()) {
            freshet::duration::rep number{};
            const auto [end, bad] = std::from_chars(at.data(), at.data() + at.size(), number);
            const auto count = number_in<std::uint64_t>(*map, at);
            if (bad != std::errc{} || end != at.data() + at.size() || !count) { return std::nullopt; }
            if (number < 0 || number >= options_.widest / width) { return std::nullopt; }
            counts.push_back({width, block + number * width, *count});
        }
        std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
        return counts;
    }

    /// Calls `take(place, row)` for the blocks that begin in the range, ascending, of whatever widest width; of their
    /// counts they have those of these widths. A row that `take` does not know is strange.
    template <class Take>
    [[nodiscard]] auto each_row(const std::string& id, const freshet::time_range& range,
                                const std::vector<freshet::duration>& widths, Take take) const
        -> freshet::result<void> {
        placeholders of;
        const auto block = of.name("block");
        auto condition = of.name("id") + '=' + of.value(text_value(id)) + " AND " + block + " BETWEEN " +
                         of.value(text_value(time_text(range.start))) + " AND " +
                         of.value(text_value(time_text(range.end)));
        auto wanted = block + ',' + of.name("ticket") + ',' + of.name("writes");
        for (const auto width : widths) { wanted += ',' + of.name(width_name(width)); }
        auto question = R"({"TableName":)" + json_text(options_.table) + R"(,"ConsistentRead":true)" +
                        R"(,"KeyConditionExpression":)" + json_text(condition) + R"(,"ProjectionExpression":)" +
                        json_text(wanted);
        of.append_to(question);
        for (std::string from;;) {
            const auto answer = read_json(by_.call(dynamodb, "Query", question + from + '}'), "Query");
            if (!answer) { return without_conflict(answer.why()); }
            const auto rows = answer->find("Items");
            if (rows == answer->end() || !rows->is_array()) {
                return freshet::error{freshet::errc::unavailable, "Query: an answer without rows"};
            }
            for (const auto& row : *rows) {
                const auto name = attribute_text(row, "block", "S");
                const auto at = name ? place_of(*name) : std::nullopt;
                if (!at || !take(*at, row)) { return strange_row(); }
            }
            const auto next = answer->find("LastEvaluatedKey");
            if (next == answer->end() || !next->is_object() || next->empty()) { return {}; }
            from = R"(,"ExclusiveStartKey":)" + next->dump();
        }
    }

    /// What is stored of the run's blocks in a part of its range; those without a row are missing.
    [[nodiscard]] auto blocks_in(const run& of, const freshet::time_range& part) const
        -> freshet::result<std::map<freshet::time_point, block_row>> {
        const auto widest = width_name(of.found.widths.back());
        std::map<freshet::time_point, block_row> all;
        auto read = each_row(of.id, part, of.found.widths, [&](const place& at, const json& row) {
            if (at.width != widest) { return true; }
            const auto ticket = number_in<std::uint64_t>(row, "ticket");
            const auto writes = number_in<std::uint64_t>(row, "writes");
            if (!ticket || !writes || *writes == 0) { return false; }
            auto& block = all[at.start] = {*ticket, *writes, {}};
            for (const auto width : of.found.widths) {
                auto counts = counts_in(row, at.start, width);
                if (!counts) { return false; }
                block.counts[width] = *std::move(counts);
            }
            return true;
        });
        if (!read) { return read.why(); }
        return all;
    }

    /// Writes a block of which that was stored just now, as often as others come between.
    ///
    /// A write that was done and whose answer was lost is known by that nothing is left to do for its ticket.
    [[nodiscard]] auto replace_block(const run& of, freshet::time_point start, block_row stored) const
        -> freshet::result<freshet::replaced_counts> {
        const freshet::time_range block{start, start + of.found.widths.back()};
        const auto all = buckets_in(block, of.found.widths);
        std::size_t tried = 0; // how many counts the write changes whose outcome is not known
        for (unsigned tries = 0; tries != most_tries; ++tries) {
            if (stored.ticket > of.ticket) { return freshet::replaced_counts{0, 0, all}; }
            std::vector<freshet::duration> changed;
            std::size_t written = 0;
            for (const auto width : of.found.widths) {
                const auto count =
                    changed_buckets(stored.counts[width], part_of(of.found.buckets, width, block)).size();
                if (count != 0) { changed.push_back(width); }
                written += count;
            }
            if (written == 0 && stored.writes != 0 && stored.ticket == of.ticket) {
                return freshet::replaced_counts{tried, all - tried, 0};
            }
            const auto done = write(of, block, changed, stored.writes);
            if (!done) { return done.why(); }
            if (*done) { return freshet::replaced_counts{written, all - written, 0}; }
            tried = written;
            auto known = blocks_in(of, block);
            if (!known) { return known.why(); }
            stored = std::move((*known)[start]);
        }
        return freshet::error{freshet::errc::unavailable, "others came between each time"};
    }

    /// Writes the changed widths of a block and the run's ticket where nobody has written since; whether it did.
    [[nodiscard]] auto write(const run& of, const freshet::time_range& block,
                             const std::vector<freshet::duration>& changed, std::uint64_t writes) const
        -> freshet::result<bool> {
        placeholders named;
        const auto count = named.name("writes");
        auto text = "SET " + named.name("ticket") + '=' + named.value(number_value(of.ticket)) + ',' + count + '=' +
                    named.value(number_value(writes + 1));
        for (const auto width : changed) {
            text += ',' + named.name(width_name(width)) + '=' +
                    named.value(counts_value(part_of(of.found.buckets, width, block), block.start));
        }
        const auto condition =
            writes == 0 ? "attribute_not_exists(" + count + ')' : count + '=' + named.value(number_value(writes));
        auto request = row_start(of.id, block_name(block.start, of.found.widths.back())) + R"(,"UpdateExpression":)" +
                       json_text(text) + R"(,"ConditionExpression":)" + json_text(condition);
        named.append_to(request);
        const auto answer = by_.call(dynamodb, "UpdateItem", request += '}');
        if (answer.body.ok()) { return true; }
        if (answer.refused_as == condition_failed) { return false; }
        return without_conflict(answer.body.why());
    }

    const client& by_;
    bucket_sink_options options_;
};

static_assert(freshet::bucket_sink<bucket_sink>);
static_assert(freshet::shareable<bucket_sink>);

} // namespace adapters::aws
