#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_state.hpp>
#include <fake_aws/dynamodb_streams.hpp>
#include <fake_aws/dynamodb_tables.hpp>
#include <freshet/core/time.hpp>

namespace fake_aws::ddb {

namespace detail {

/// Streams whose tables are gone vanish with their last record.
inline void forget_old(state& all) {
    for (const auto& stream : all.streams) { stream->forget_old(all.now()); }
    std::erase_if(all.streams, [](const auto& stream) { return !stream->enabled() && stream->shards().empty(); });
}

[[nodiscard]] inline auto stream_of(state& all, const std::string& arn) -> change_log& {
    if (arn.size() < 37 || arn.size() > 1'024 || !arn.starts_with("arn:")) {
        refuse_constraint("'" + arn + "'", "streamArn", "have length greater than or equal to 37");
    }
    forget_old(all);
    const auto found = std::find_if(all.streams.begin(), all.streams.end(),
                                    [&](const auto& stream) { return stream->about().arn == arn; });
    if (found == all.streams.end()) {
        refuse("ResourceNotFoundException", "Requested resource not found: Stream: " + arn + " not found");
    }
    return **found;
}

[[nodiscard]] inline auto shard_of(const change_log& stream, const std::string& id) -> const stream_shard& {
    const auto* shard = stream.find(id);
    if (shard == nullptr) { refuse("ResourceNotFoundException", "Requested resource not found: Shard does not exist"); }
    return *shard;
}

[[noreturn]] inline void refuse_trimmed() {
    refuse("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard.");
}

/// A place in a shard: behind the record of that number.
struct shard_place {
    std::string arn;
    std::string shard;
    std::uint64_t behind{};
};

[[nodiscard]] inline auto iterator_text(const state& all, const shard_place& at) -> std::string {
    const json content{at.shard, at.behind, all.now().time_since_epoch().count(), all.iterator_age};
    std::string text = at.arn + "|1|";
    for (const char c : content.dump()) {
        const auto byte = static_cast<unsigned char>(c);
        text += static_cast<char>('A' + (byte >> 4U));
        text += static_cast<char>('A' + (byte & 15U));
    }
    return text;
}

[[nodiscard]] inline auto place_of_iterator(const state& all, const std::string& iterator) -> shard_place {
    const auto bar = iterator.find("|1|");
    std::string text;
    for (auto i = bar == std::string::npos ? iterator.size() : bar + 3; i + 1 < iterator.size(); i += 2) {
        text += static_cast<char>((iterator[i] - 'A') * 16 + (iterator[i + 1] - 'A'));
    }
    const auto content = json::parse(text, nullptr, false);
    if (!content.is_array() || content.size() != 4) { refuse_invalid("Invalid ShardIterator"); }
    const freshet::time_point made_at{freshet::duration{content[2].get<std::int64_t>()}};
    if (content[3] != all.iterator_age || all.now() - made_at >= std::chrono::minutes{15}) {
        refuse("ExpiredIteratorException",
               "The shard iterator has expired: iterators are valid for 15 minutes after they were given.");
    }
    return {iterator.substr(0, bar), content[0].get<std::string>(), content[1].get<std::uint64_t>()};
}

[[nodiscard]] inline auto shown(const stream_shard& shard) -> json {
    json made{{"ShardId", shard.id}, {"SequenceNumberRange", {{"StartingSequenceNumber", sequence_text(shard.first)}}}};
    if (shard.last) { made["SequenceNumberRange"]["EndingSequenceNumber"] = sequence_text(*shard.last); }
    if (!shard.parent.empty()) { made["ParentShardId"] = shard.parent; }
    return made;
}

} // namespace detail

[[nodiscard]] inline auto list_streams(state& all, const json& body) -> json {
    allow(body, {"TableName", "Limit", "ExclusiveStartStreamArn"});
    const auto limit = limit_of(body, 100, 100);
    const auto table = text_or(body, "TableName", "");
    const auto after = text_or(body, "ExclusiveStartStreamArn", "");
    detail::forget_old(all);
    bool begun = after.empty();
    json answer{{"Streams", json::array()}};
    auto& streams = answer["Streams"];
    for (const auto& stream : all.streams) {
        const auto& about = stream->about();
        if (begun && (table.empty() || about.table == table)) {
            if (streams.size() == limit) {
                answer["LastEvaluatedStreamArn"] = streams.back()["StreamArn"];
                break;
            }
            streams.push_back({{"StreamArn", about.arn}, {"StreamLabel", about.label}, {"TableName", about.table}});
        }
        begun = begun || about.arn == after;
    }
    return answer;
}

[[nodiscard]] inline auto describe_stream(state& all, const json& body) -> json {
    allow(body, {"StreamArn", "Limit", "ExclusiveStartShardId"});
    const auto limit = limit_of(body, 100, 100);
    const auto& stream = detail::stream_of(all, text_of(body, "StreamArn"));
    const auto& about = stream.about();
    json description{{"StreamArn", about.arn},
                     {"StreamLabel", about.label},
                     {"StreamStatus", stream.enabled() ? "ENABLED" : "DISABLED"},
                     {"StreamViewType", about.view},
                     {"TableName", about.table},
                     {"KeySchema", about.key_schema},
                     {"CreationRequestDateTime", epoch_number(about.created_at)},
                     {"Shards", json::array()}};
    auto& shards = description["Shards"];
    const auto after = text_or(body, "ExclusiveStartShardId", "");
    // The ids ascend, so a shard that vanished since still says where to go on.
    for (const auto& shard : stream.shards()) {
        if (shard.id <= after) { continue; }
        if (shards.size() == limit) {
            description["LastEvaluatedShardId"] = shards.back()["ShardId"];
            break;
        }
        shards.push_back(detail::shown(shard));
    }
    return {{"StreamDescription", std::move(description)}};
}

[[nodiscard]] inline auto get_shard_iterator(state& all, const json& body) -> json {
    allow(body, {"StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber"});
    const auto arn = text_of(body, "StreamArn");
    const auto id = text_of(body, "ShardId");
    static_cast<void>(text_of(body, "ShardIteratorType"));
    const auto type =
        word_of(body, "ShardIteratorType", {"TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"});
    const auto& stream = detail::stream_of(all, arn);
    const auto& shard = detail::shard_of(stream, id);
    const bool by_number = type.ends_with("NUMBER");
    if (by_number != body.contains("SequenceNumber")) {
        refuse_invalid(by_number ? "SequenceNumber is required for ShardIteratorType " + type
                                 : "SequenceNumber is not allowed for ShardIteratorType " + type);
    }
    detail::shard_place at{arn, id, type == "LATEST" ? stream.newest() : shard.trimmed};
    if (by_number) {
        const auto number = sequence_of(text_of(body, "SequenceNumber"));
        if (!number || *number < shard.first || *number > shard.last.value_or(stream.newest())) {
            refuse_invalid("Invalid SequenceNumber: it is none of the shard's");
        }
        at.behind = type == "AT_SEQUENCE_NUMBER" ? *number - 1 : *number;
        if (at.behind < shard.trimmed) { detail::refuse_trimmed(); }
    }
    return {{"ShardIterator", detail::iterator_text(all, at)}};
}

/// Source: the DynamoDB Streams API reference, "GetRecords".
[[nodiscard]] inline auto get_records(state& all, const json& body) -> json {
    allow(body, {"ShardIterator", "Limit"});
    const auto limit = limit_of(body, 1'000, 1'000);
    auto at = detail::place_of_iterator(all, text_of(body, "ShardIterator"));
    const auto& shard = detail::shard_of(detail::stream_of(all, at.arn), at.shard);
    if (at.behind < shard.trimmed) { detail::refuse_trimmed(); }
    json answer{{"Records", json::array()}};
    auto& records = answer["Records"];
    auto next = std::find_if(shard.records.begin(), shard.records.end(),
                             [&](const auto& record) { return record.number > at.behind; });
    if (all.empty_answers != 0) {
        --all.empty_answers;
    } else {
        std::size_t bytes = 0;
        for (; next != shard.records.end() && records.size() < limit; ++next) {
            bytes += next->bytes;
            if (!records.empty() && bytes > 1'024 * 1'024) { break; }
            records.push_back(next->wire);
            at.behind = next->number;
        }
    }
    if (next != shard.records.end() || !shard.last) { answer["NextShardIterator"] = detail::iterator_text(all, at); }
    return answer;
}

} // namespace fake_aws::ddb
