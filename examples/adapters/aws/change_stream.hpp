#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/shard_list.hpp>
#include <adapters/aws/shard_position.hpp>
#include <adapters/aws/shard_reader.hpp>
#include <adapters/aws/shard_records.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/item_table.hpp>

namespace adapters::aws {

struct stream_options {
    std::string checkpoints{}; ///< the table that keeps them; its partition key is the string `id`
    freshet::duration shard_refresh{std::chrono::minutes{1}}; ///< how old the list of shards may be
    /// How old a position may say that nothing follows it. Iterators of `latest()` live for 15 minutes.
    freshet::duration renewal{std::chrono::minutes{5}};
    std::size_t turn{1'000}; ///< so many changes of one shard may come before those that another one has
    shard_rules rules{};
};

/// The changes of a DynamoDB table, from its stream of new and old images. `Row` is `freshet::document`, or `unread`
/// where the images are not wanted.
///
/// A batch is of one shard; the shards take turns, and a shard waits until what it descends from has been read. A
/// position that is read again gives the same changes first to the object that read it before; another object may
/// begin with those that a shard has received since. A position from `latest()` that nobody reads for 15 minutes
/// repeats what was made in the minutes before it (`shard_rules::uncertainty`). A gap is also said where nobody knows
/// whether there is one: to who has not read for a day.
///
/// Checkpoints are the table's and not the stream's: a stream that is switched off and on again is another one, whose
/// reader learns of the gap. Borrows client and clock. One object belongs to one thread at a time.
///
/// Source: the DynamoDB developer guide, "Change data capture for DynamoDB Streams"; the Streams API reference.
template <class Clock, class Row = freshet::document>
class change_stream {
    static_assert(freshet::clock<Clock>, "the clock of a stream tells the time: now() -> freshet::time_point");

public:
    using row_type = Row;

    /// Finds the table's stream. `denied` where there is no table, or no stream of new and old images.
    [[nodiscard]] static auto open(const client& service, const Clock& clock, const item_table_options& table,
                                   stream_options options = {}) -> freshet::result<change_stream> {
        const auto found =
            detail::read_description(detail::ask_about(service, "DescribeTable", table.name), table.name);
        if (!found) { return of_stream(table.name, found.why()); }
        if (found->stream_arn.empty()) {
            return of_stream(table.name, {freshet::errc::denied, "there is no stream of new and old images"});
        }
        return change_stream{service, clock, table, found->stream_arn, std::move(options)};
    }
    static auto open(const client&, const Clock&&, const item_table_options&, stream_options = {})
        -> freshet::result<change_stream> = delete;

    /// More than 1,000 changes never come at once.
    [[nodiscard]] auto read(const freshet::stream_position& position, std::size_t limit)
        -> freshet::result<freshet::change_batch<Row>> {
        auto at = read_shard_position(position);
        if (!at) { return of_stream(table_.name, at.why()); }
        freshet::change_batch<Row> batch;
        batch.next = position;
        if (limit == 0) { return batch; }
        if (at->stream != stream_) {
            *at = {stream_};
            batch.gap = true;
        }
        auto found = find_changes(*at, position, limit, batch);
        if (!found) { return of_stream(table_.name, found.why()); }
        batch.next = position_of(*at);
        return batch;
    }

    [[nodiscard]] auto latest() -> freshet::result<freshet::stream_position> {
        const auto now = service_time();
        if (auto listed = list_shards(now); !listed) { return of_stream(table_.name, listed.why()); }
        shard_position at{stream_};
        for (const auto& shard : shards_->newest()) {
            auto place = shards_->closed(shard) ? shard_place::done(now) : reader_.latest(shard, now);
            if (!place) { return of_stream(table_.name, place.why()); }
            at.places.emplace(shard, *std::move(place));
        }
        return position_of(at);
    }

    [[nodiscard]] auto oldest() -> freshet::result<freshet::stream_position> {
        const auto now = service_time();
        shard_position at{stream_};
        bool gap = false;
        auto entered = list_shards(now);
        if (entered) { entered = enter(at.places, now, gap); }
        if (!entered) { return of_stream(table_.name, entered.why()); }
        return position_of(at);
    }

    /// `index` is less than the batch's size.
    [[nodiscard]] auto position_after(const freshet::change_batch<Row>& batch, std::size_t index) const
        -> freshet::stream_position {
        if (index >= batch.changes.size()) { freshet::abort_on_misuse("a position behind a change that is not there"); }
        auto at = *read_shard_position(batch.next);
        at.places.insert_or_assign(at.turn, shard_place::after(batch.changes[index].sequence));
        at.given -= std::min(at.given, batch.changes.size() - 1 - index);
        return position_of(at);
    }

    [[nodiscard]] auto checkpoint(std::string_view reader) -> freshet::result<std::optional<freshet::stream_position>> {
        if (auto good = check_text(reader); !good) { return std::move(good).why(); }
        const nlohmann::json request{
            {"TableName", options_.checkpoints}, {"Key", checkpoint_key(reader)}, {"ConsistentRead", true}};
        const auto got = read_json(client_->call(dynamodb, "GetItem", detail::dumped(request)), "GetItem");
        if (!got) { return of_stream(table_.name, got.why(), "the checkpoint: "); }
        const auto& item = detail::member(*got, "Item");
        if (item.empty()) { return std::nullopt; }
        auto position = detail::word(detail::member(item, "position"), "S");
        if (!position.empty()) { return std::optional{std::move(position)}; }
        return of_stream(table_.name,
                         {freshet::errc::denied, "its row in " + options_.checkpoints + " has no position"},
                         "the checkpoint: ");
    }

    [[nodiscard]] auto save_checkpoint(std::string_view reader, const freshet::stream_position& position)
        -> freshet::result<void> {
        for (const std::string_view text : {reader, std::string_view{position}}) {
            if (auto good = check_text(text); !good) { return good; }
        }
        auto item = checkpoint_key(reader);
        item["position"]["S"] = position;
        const nlohmann::json request{{"TableName", options_.checkpoints}, {"Item", std::move(item)}};
        const auto put = client_->call(dynamodb, "PutItem", detail::dumped(request));
        if (!put.body) { return of_stream(table_.name, put.body.why(), "the checkpoint: "); }
        return {};
    }

private:
    change_stream(const client& service, const Clock& clock, const item_table_options& table, std::string stream,
                  stream_options options)
        : client_{&service},
          clock_{&clock},
          table_{table},
          stream_{std::move(stream)},
          options_{std::move(options)},
          reader_{service, stream_, options_.rules} {}

    [[nodiscard]] static auto of_stream(const std::string& table, const freshet::error& why, std::string_view what = {})
        -> freshet::error {
        return {why.code, "stream of table " + table + ": " + std::string{what} + why.note};
    }

    /// What the clock would say if it went with the service's, as far as the client knows how they differ.
    [[nodiscard]] auto service_time() const -> freshet::time_point { return clock_->now() + client_->clock_offset(); }

    /// Asks one shard after the other until one has changes, and moves `at` along.
    [[nodiscard]] auto find_changes(shard_position& at, const freshet::stream_position& position, std::size_t limit,
                                    freshet::change_batch<Row>& batch) -> freshet::result<void> {
        const auto now = service_time();
        if (list_is_due(at.places, now)) {
            if (auto listed = list_shards(now); !listed) { return listed; }
        }
        if (auto entered = enter(at.places, now, batch.gap); !entered) { return entered; }
        std::optional<freshet::error> failed;
        std::set<std::string> asked;
        while (true) {
            const auto shard = whose_turn(at, position, asked);
            if (!shard) { break; }
            asked.insert(*shard);
            auto& place = at.places.find(*shard)->second;
            const auto rest = options_.turn - (*shard == at.turn && at.given < options_.turn ? at.given : 0);
            auto answer = reader_.read(*shard, place, shards_->closed(*shard), std::min(limit, rest), now);
            if (!answer) {
                if (!failed) { failed = answer.why(); } // the others are not held up by it
                continue;
            }
            batch.gap = batch.gap || answer->gap;
            place = std::move(answer->place);
            if (!answer->records.empty()) {
                auto taken = take(at, *shard, position, answer->records, batch);
                if (taken) { return taken; }
                if (!failed) { failed = std::move(taken).why(); }
                continue;
            }
            if (!answer->ended && !answer->vanished) { continue; }
            if (answer->ended) { place = shard_place::done(now); }
            if (answer->vanished || !shards_->has_children(*shard)) {
                if (auto listed = list_shards(now); !listed) { return listed; }
                if (answer->vanished && shards_->has(*shard)) {
                    return freshet::error{freshet::errc::unavailable, "shard " + *shard + " is listed and not there"};
                }
            }
            if (auto entered = enter(at.places, now, batch.gap); !entered) { return entered; }
        }
        if (failed) { return *failed; }
        const bool all_done = std::all_of(at.places.begin(), at.places.end(),
                                          [](const auto& one) { return one.second.is == shard_place::kind::done; });
        if (all_done && switched_off_) {
            return freshet::error{freshet::errc::denied, "it is switched off, and all of it has been read"};
        }
        renew(at.places, now);
        return {};
    }

    /// Makes a batch of a shard's records, up to the first that cannot be told; an error where that is the first.
    [[nodiscard]] auto take(shard_position& at, const std::string& shard, const freshet::stream_position& position,
                            std::span<const freshet::decoded_record> records, freshet::change_batch<Row>& batch)
        -> freshet::result<void> {
        batch.changes.reserve(records.size());
        for (const auto& record : records) {
            auto change = change_of<Row>(record, table_, stream_);
            if (!change && !batch.changes.empty()) { break; }
            if (!change) { return freshet::error{change.why().code, "shard " + shard + ": " + change.why().note}; }
            batch.changes.push_back(*std::move(change));
        }
        const bool goes_on = shard == at.turn && at.given < options_.turn;
        at.given = batch.changes.size() + (goes_on ? at.given : 0);
        at.turn = shard;
        at.places.insert_or_assign(shard, shard_place::after(batch.changes.back().sequence));
        read_before_ = {position, shard};
        return {};
    }

    /// The shard that is to be asked next: the one whose turn it is, until it has nothing or its turn is over; then
    /// those behind it. A position that was read before begins with the shard that had changes then.
    [[nodiscard]] auto whose_turn(const shard_position& at, const freshet::stream_position& position,
                                  const std::set<std::string>& asked) const -> std::optional<std::string> {
        const auto open = [&](const auto& one) {
            return one.second.is != shard_place::kind::done && !asked.contains(one.first);
        };
        const auto& all = at.places;
        const auto begin = position == read_before_.position ? all.lower_bound(read_before_.shard)
                           : at.given < options_.turn        ? all.lower_bound(at.turn)
                                                             : all.upper_bound(at.turn);
        auto found = std::find_if(begin, all.end(), open);
        if (found == all.end()) { found = std::find_if(all.begin(), begin, open); }
        return found == all.end() || !open(*found) ? std::nullopt : std::optional{found->first};
    }

    /// Names the shards whose turn has come, and gives up the names of those that are behind the reader.
    [[nodiscard]] auto enter(shard_places& places, freshet::time_point now, bool& gap) -> freshet::result<void> {
        const auto outlived = [&](const shard_place& place) {
            return !place.ended_at || options_.rules.outlived(*place.ended_at, now);
        };
        std::erase_if(places, [&](const auto& one) {
            if (shards_->has(one.first)) { return false; }
            gap = gap || one.second.is != shard_place::kind::done || outlived(one.second);
            return true;
        });
        while (true) {
            const auto entering = shards_->entering(places);
            if (entering.empty()) { break; }
            for (const auto& shard : entering) {
                const auto parent = places.find(shards_->parent_of(shard));
                gap = gap || (parent != places.end() && outlived(parent->second));
                auto place = reader_.first_kept(shard, shards_->closed(shard), now);
                if (!place) {
                    shards_.reset();
                    return std::move(place).why();
                }
                places.insert_or_assign(shard, *std::move(place));
            }
        }
        std::erase_if(places, [&](const auto& one) {
            return one.second.is == shard_place::kind::done && shards_->has_children(one.first);
        });
        return {};
    }

    /// Dates the places behind which nothing was found, now and then: so rarely, because a reader saves a position that
    /// has changed.
    void renew(shard_places& places, freshet::time_point now) {
        const auto due = [&](const auto& one) {
            const auto& [shard, place] = one;
            const auto since = place.ended_at ? std::optional<freshet::time_point>{*place.ended_at}
                                              : reader_.quiet_since(shard, place);
            return place.is != shard_place::kind::at && since && now - *since >= options_.renewal;
        };
        if (std::none_of(places.begin(), places.end(), due)) { return; }
        for (auto& [shard, place] : places) {
            if (place.is != shard_place::kind::at) { place = reader_.renewed(shard, place, now); }
        }
    }

    [[nodiscard]] auto list_is_due(const shard_places& places, freshet::time_point now) const -> bool {
        if (!shards_) { return true; }
        const auto age = now - listed_at_;
        const auto unsettled = [&](const auto& one) {
            if (!shards_->has(one.first)) { return true; }
            return one.second.is == shard_place::kind::done && age >= std::chrono::seconds{1};
        };
        return age >= options_.shard_refresh || age < freshet::duration{} ||
               std::any_of(places.begin(), places.end(), unsettled);
    }

    [[nodiscard]] auto list_shards(freshet::time_point now) -> freshet::result<void> {
        shard_list all;
        nlohmann::json request{{"StreamArn", stream_}};
        bool off = false;
        while (true) {
            const auto got =
                read_json(client_->call(dynamodb_streams, "DescribeStream", detail::dumped(request)), "DescribeStream");
            if (!got) { return got.why(); }
            const auto& about = detail::member(*got, "StreamDescription");
            if (!detail::member(about, "Shards").is_array()) {
                return freshet::error{freshet::errc::unavailable, "DescribeStream: the answer lists no shards"};
            }
            const auto status = detail::word(about, "StreamStatus");
            off = status == "DISABLED" || status == "DISABLING";
            for (const auto& shard : detail::member(about, "Shards")) {
                const auto& range = detail::member(shard, "SequenceNumberRange");
                all.add(detail::word(shard, "ShardId"), detail::word(shard, "ParentShardId"),
                        !detail::word(range, "EndingSequenceNumber").empty());
            }
            auto last = detail::word(about, "LastEvaluatedShardId");
            if (last.empty()) { break; }
            request["ExclusiveStartShardId"] = std::move(last);
        }
        switched_off_ = off;
        listed_at_ = now;
        reader_.forget_unless([&](const std::string& shard) { return all.has(shard); });
        shards_ = std::move(all);
        return {};
    }

    /// A request holds no other texts: two of them could become one.
    [[nodiscard]] auto check_text(std::string_view text) const -> freshet::result<void> {
        if (!freshet::detail::find_bad_utf8(text)) { return {}; }
        return of_stream(table_.name, {freshet::errc::malformed, "no UTF-8 text: " + freshet::printable(text)},
                         "the checkpoint: ");
    }

    [[nodiscard]] auto checkpoint_key(std::string_view reader) const -> nlohmann::json {
        return {{"id", {{"S", "checkpoint/" + table_.name + "/" + std::string{reader}}}}};
    }

    struct reading {
        freshet::stream_position position;
        std::string shard;
    };

    const client* client_;
    const Clock* clock_;
    item_table_options table_;
    std::string stream_;
    stream_options options_;
    shard_reader reader_;
    std::optional<shard_list> shards_;
    freshet::time_point listed_at_{};
    bool switched_off_{};
    reading read_before_; // the last position that had changes behind it
};

static_assert(freshet::change_stream<change_stream<freshet::testing::manual_clock>>);
static_assert(freshet::change_stream<change_stream<freshet::testing::manual_clock, unread>>);

} // namespace adapters::aws
