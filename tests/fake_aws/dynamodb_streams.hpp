#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_table.hpp>
#include <fake_aws/dynamodb_values.hpp>
#include <freshet/core/time.hpp>

namespace fake_aws::ddb {

/// A sequence number's text. The numbers ascend, and soon become a digit longer, so that their order as texts is not
/// their order.
[[nodiscard]] inline auto sequence_text(std::uint64_t number) -> std::string {
    return "1000000000" + std::to_string(number);
}

/// The number of a text that `sequence_text` wrote.
[[nodiscard]] inline auto sequence_of(std::string_view text) -> std::optional<std::uint64_t> {
    if (!text.starts_with("1000000000") || text.size() < 11 || text.size() > 28) { return std::nullopt; }
    std::uint64_t number = 0;
    for (const char c : text.substr(10)) {
        if (c < '0' || c > '9') { return std::nullopt; }
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
}

/// What happened to an item; `before` or `after` is null where there was or is none.
struct item_change {
    std::uint64_t hash{}; ///< of its partition
    json key;
    const json* before{};
    const json* after{};
    bool expired{};
};

/// A shard: the records of the partitions whose hashes are from `low` to `high`.
struct stream_shard {
    struct record {
        std::uint64_t number{};
        freshet::time_point made_at{};
        std::size_t bytes{};
        json wire;
    };

    std::string id;
    std::string parent;
    std::uint64_t low{};
    std::uint64_t high{};
    std::uint64_t first{};
    std::optional<std::uint64_t> last{};
    freshet::time_point closed_at{};
    std::uint64_t trimmed{}; ///< the number of the last record that is gone; before that, what is before `first`
    std::deque<record> records{};

    void forget_first() {
        trimmed = records.front().number;
        records.pop_front();
    }
};

/// The stream of one table: its shards and their records, which are kept for a day.
///
/// Source: the DynamoDB Streams API reference; the developer guide, "Change data capture for DynamoDB Streams".
class change_log {
public:
    struct identity {
        std::string arn;
        std::string label;
        std::string table;
        std::string region;
        std::string view; ///< KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES
        json key_schema;
        freshet::time_point created_at{};
    };
    static constexpr auto kept_for = std::chrono::hours{24};

    explicit change_log(identity of) : of_{std::move(of)} {
        open_shard("", 0, std::numeric_limits<std::uint64_t>::max());
    }

    [[nodiscard]] auto about() const -> const identity& { return of_; }
    [[nodiscard]] auto enabled() const -> bool { return enabled_; }
    [[nodiscard]] auto shards() const -> const std::vector<stream_shard>& { return shards_; }
    [[nodiscard]] auto newest() const -> std::uint64_t { return newest_; }

    /// Writes a record. `fraction`: the creation time keeps its fraction, where the service cuts it.
    void append(const item_change& change, freshet::time_point now, bool fraction) {
        for (auto& shard : shards_) {
            if (shard.last || change.hash < shard.low || change.hash > shard.high) { continue; }
            const auto number = draw();
            auto bytes = size_of_item(change.key);
            shard.records.push_back({number, now, 0, wire(change, number, now, fraction, bytes)});
            shard.records.back().bytes = bytes;
            return;
        }
    }

    /// Every open shard closes, and `children` new ones go on with its partitions.
    void split(std::size_t children, freshet::time_point now) {
        const auto count = shards_.size();
        for (std::size_t i = 0; i < count; ++i) {
            if (shards_[i].last) { continue; }
            shards_[i].last = draw();
            shards_[i].closed_at = now;
            const auto parent = shards_[i].id;
            divide(parent, shards_[i].low, shards_[i].high, children);
        }
    }

    void close(freshet::time_point now) {
        split(0, now);
        enabled_ = false;
    }

    /// So many open shards from the start on: there is no record yet.
    void set_shards(std::size_t count) {
        const bool fresh = std::all_of(shards_.begin(), shards_.end(), [](const stream_shard& shard) {
            return !shard.last && shard.records.empty() && shard.trimmed < shard.first;
        });
        if (count == 0 || !fresh) { throw std::logic_error{"the shards of a stream that was written to are split"}; }
        shards_.clear();
        divide("", 0, std::numeric_limits<std::uint64_t>::max(), count);
    }

    /// Forgets every record that is there now, and the closed shards.
    void trim() {
        for (auto& shard : shards_) {
            while (!shard.records.empty()) { shard.forget_first(); }
        }
        std::erase_if(shards_, [](const stream_shard& shard) { return shard.last.has_value(); });
    }

    /// Forgets the records that are a day old, and the shards that closed a day ago.
    void forget_old(freshet::time_point now) {
        const auto old = [&](freshet::time_point then) { return now - then >= kept_for; };
        for (auto& shard : shards_) {
            while (!shard.records.empty() && old(shard.records.front().made_at)) { shard.forget_first(); }
        }
        std::erase_if(shards_, [&](const stream_shard& shard) {
            return shard.last && shard.records.empty() && old(shard.closed_at);
        });
    }

    /// The record that was written last; null where there is none.
    [[nodiscard]] auto newest_record() -> json* {
        stream_shard::record* newest = nullptr;
        for (auto& shard : shards_) {
            if (shard.records.empty()) { continue; }
            if (newest == nullptr || shard.records.back().number > newest->number) { newest = &shard.records.back(); }
        }
        return newest == nullptr ? nullptr : &newest->wire;
    }

    [[nodiscard]] auto find(std::string_view id) const -> const stream_shard* {
        const auto found =
            std::find_if(shards_.begin(), shards_.end(), [&](const stream_shard& shard) { return shard.id == id; });
        return found == shards_.end() ? nullptr : &*found;
    }

private:
    // The numbers of a stream have gaps.
    auto draw() -> std::uint64_t { return newest_ += 1 + newest_ * 7 % 11; }

    void open_shard(std::string_view parent, std::uint64_t low, std::uint64_t high) {
        const auto serial = std::to_string(++opened_);
        const auto millis =
            std::chrono::duration_cast<std::chrono::milliseconds>(of_.created_at.time_since_epoch()).count();
        stream_shard shard;
        shard.id = "shardId-" + padded(std::to_string(millis), 20) + "-" + padded(serial, 8);
        shard.parent = parent;
        shard.low = low;
        shard.high = high;
        shard.first = draw();
        shard.trimmed = shard.first - 1;
        shards_.push_back(std::move(shard));
    }

    void divide(const std::string& parent, std::uint64_t low, std::uint64_t high, std::size_t parts) {
        if (parts == 0) { return; }
        const auto width = (high - low) / parts;
        for (std::size_t i = 0; i < parts; ++i) {
            const auto from = low + width * i + (i == 0 ? 0U : 1U);
            open_shard(parent, from, i + 1 == parts ? high : low + width * (i + 1));
        }
    }

    [[nodiscard]] static auto padded(std::string digits, std::size_t width) -> std::string {
        return std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
    }

    [[nodiscard]] auto wire(const item_change& change, std::uint64_t number, freshet::time_point now, bool fraction,
                            std::size_t& bytes) const -> json {
        json data{{"Keys", change.key}, {"SequenceNumber", sequence_text(number)}, {"StreamViewType", of_.view}};
        const auto micros = now.time_since_epoch().count();
        if (fraction) {
            data["ApproximateCreationDateTime"] = static_cast<double>(micros) / 1e6;
        } else {
            data["ApproximateCreationDateTime"] = micros / 1'000'000;
        }
        const auto add = [&](const char* side, const json* image) {
            if (image == nullptr) { return; }
            data[side] = *image;
            bytes += size_of_item(*image);
        };
        if (of_.view == "NEW_IMAGE" || of_.view == "NEW_AND_OLD_IMAGES") { add("NewImage", change.after); }
        if (of_.view == "OLD_IMAGE" || of_.view == "NEW_AND_OLD_IMAGES") { add("OldImage", change.before); }
        data["SizeBytes"] = bytes;
        const auto hash = partition_hash(of_.arn + sequence_text(number));
        json record{{"eventID", padded(std::to_string(hash), 32)},
                    {"eventName", change.before == nullptr  ? "INSERT"
                                  : change.after == nullptr ? "REMOVE"
                                                            : "MODIFY"},
                    {"eventVersion", "1.1"},
                    {"eventSource", "aws:dynamodb"},
                    {"awsRegion", of_.region},
                    {"dynamodb", std::move(data)}};
        if (change.expired) {
            record["userIdentity"] = {{"PrincipalId", "dynamodb.amazonaws.com"}, {"Type", "Service"}};
        }
        return record;
    }

    identity of_;
    bool enabled_{true};
    std::vector<stream_shard> shards_;
    std::uint64_t newest_{9'999'999'900};
    std::uint64_t opened_{};
};

} // namespace fake_aws::ddb
