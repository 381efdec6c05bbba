#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/item/stream_record.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/shard_position.hpp>
#include <adapters/aws/shard_records.hpp>

namespace adapters::aws {

/// What a reader may take for granted.
struct shard_rules {
    freshet::duration kept_for{std::chrono::hours{24}}; ///< so long the service keeps a change
    /// Of times: the clock's and the service's differ, and changes arrive late. Where they differ by more, a position
    /// from `latest()` may lose changes when its iterator has expired.
    freshet::duration uncertainty{std::chrono::minutes{10}};
    unsigned looks{4}; ///< so many answers without records, one behind the other, are an open shard's end

    /// Whether a change that was made after the instant may be trimmed by now.
    [[nodiscard]] auto outlived(std::chrono::sys_seconds instant, freshet::time_point now) const -> bool {
        return now - instant >= kept_for - uncertainty;
    }
};

/// What reading on in a shard came to.
struct shard_answer {
    std::span<const freshet::decoded_record> records{}; ///< valid until the next read; none: there are no more now
    shard_place place{}; ///< where it was read from: another place than was asked for where there is a gap
    bool gap{};          ///< what followed the place is trimmed
    bool ended{};        ///< and there will be no more
    bool vanished{};     ///< the service does not know the shard any more
};

/// Reads the shards of one stream, and keeps the iterators with which reading goes on.
///
/// A place that was reached by reading is read on from with one request; so is the place before it, once more. Borrows
/// the client. One object belongs to one thread at a time.
///
/// Source: the DynamoDB Streams API reference (GetShardIterator, GetRecords): an iterator lives for 15 minutes, an
/// answer without records does not mean that none follow, and a shard ends where there is no next iterator.
class shard_reader {
public:
    shard_reader(const client& service, std::string stream, shard_rules rules)
        : client_{&service}, stream_{std::move(stream)}, rules_{rules} {}

    /// The records that follow a place, `limit` (1 to 1,000) at most. `closed`: no record will be added to the shard.
    [[nodiscard]] auto read(const std::string& shard, const shard_place& from, bool closed, std::size_t limit,
                            freshet::time_point now) -> freshet::result<shard_answer> {
        shard_answer answer{.place = from};
        bool own_expired = false;
        unsigned looks = 0;
        for (unsigned failures = 0; failures < 5;) {
            auto* at = find(shard, answer.place);
            if (at == nullptr) {
                auto opened = open(shard, own_expired, now, answer);
                if (!opened) { return std::move(opened).why(); }
                if (answer.vanished) { return answer; }
                at = &keep(shard, *std::move(opened));
            }
            if (at->over) {
                answer.ended = true;
                return answer;
            }
            auto got = records_at(at->iterator, at->passing_over ? most : limit);
            if (!got.body) {
                own_expired = own_expired || at->iterator == answer.place.iterator;
                if (auto known = interpret(got, now, answer); !known) { return std::move(known).why(); }
                if (answer.vanished) { return answer; }
                forget(shard);
                ++failures;
                continue;
            }
            body_ = *std::move(got.body);
            const auto decoded = decoder_.decode(body_);
            if (!decoded) {
                return freshet::error{freshet::errc::unavailable, decoded.fault().as_error("GetRecords").note};
            }
            auto next = detail::member_string(body_, "NextShardIterator");
            answer.records = wanted(*decoded, *at);
            if (!answer.records.empty()) {
                at->quiet_since.reset();
                if (answer.records.size() > limit) { // the next iterator is behind more than these
                    answer.records = answer.records.first(limit);
                } else {
                    go_behind(shard, *at, answer.records.back(), std::move(next));
                }
                return answer;
            }
            at->over = !next;
            at->iterator = std::move(next).value_or("");
            if (at->over || !decoded->empty()) { continue; } // what was passed over brings the end no nearer
            const auto enough = closed ? 100 : at->quiet_since ? 1 : rules_.looks;
            if (++looks >= enough) {
                if (!at->quiet_since) { at->quiet_since = now; }
                at->passing_over = false;
                return answer;
            }
        }
        return freshet::error{freshet::errc::unavailable, "shard " + shard + ": the iterators do not last"};
    }

    /// Where the records begin that the shard still has.
    [[nodiscard]] auto first_kept(const std::string& shard, bool closed, freshet::time_point now)
        -> freshet::result<shard_place> {
        forget(shard);
        const auto start = shard_place::start(now);
        const auto answer = read(shard, start, closed, 1, now);
        if (!answer) { return answer.why(); }
        if (answer->vanished) { return freshet::error{freshet::errc::unavailable, "shard " + shard + " is gone"}; }
        if (answer->ended) { return shard_place::done(now); }
        if (answer->records.empty()) { return answer->place; }
        const auto sequence = freshet::sequence_number::parse(answer->records.front().sequence());
        if (!sequence) { return start; } // whoever reads on from there is told, and other shards go on
        auto place = shard_place::at(*sequence);
        if (auto* at = find(shard, answer->place)) { at->place = place; }
        return place;
    }

    /// Behind whatever the shard has received.
    [[nodiscard]] auto latest(const std::string& shard, freshet::time_point now) -> freshet::result<shard_place> {
        return iterator_from(shard, "LATEST", {}).body.and_then(iterator_in).transform([&](std::string iterator) {
            return shard_place::latest(now, std::move(iterator));
        });
    }

    /// Since when reading on from this place has found nothing.
    [[nodiscard]] auto quiet_since(std::string_view shard, const shard_place& place) const
        -> std::optional<freshet::time_point> {
        const auto* at = find(shard, place);
        return at == nullptr ? std::nullopt : at->quiet_since;
    }

    /// The same place, now that nothing was found behind it.
    [[nodiscard]] auto renewed(std::string_view shard, const shard_place& place, freshet::time_point now)
        -> shard_place {
        auto fresh = place;
        fresh.ended_at = std::chrono::floor<std::chrono::seconds>(now);
        if (auto* at = find(shard, place)) {
            if (fresh.is == shard_place::kind::latest && !at->over) { fresh.iterator = at->iterator; }
            at->place = fresh;
        }
        return fresh;
    }

    /// Gives up the iterators of shards for which `keep(shard)` is false.
    template <class Keep>
    void forget_unless(Keep keep) {
        std::erase_if(held_, [&](const auto& one) { return !keep(one.first); });
    }

private:
    struct held_iterator {
        shard_place place;
        std::string iterator;
        bool passing_over{}; // it began at the first record that is kept, and the place is behind that
        bool over{};
        std::optional<freshet::time_point> quiet_since{};
    };

    [[nodiscard]] auto find(std::string_view shard, const shard_place& place) const -> const held_iterator* {
        const auto found = held_.find(shard);
        if (found == held_.end()) { return nullptr; }
        const auto at = std::find_if(found->second.begin(), found->second.end(),
                                     [&](const held_iterator& one) { return one.place == place; });
        return at == found->second.end() ? nullptr : &*at;
    }
    [[nodiscard]] auto find(std::string_view shard, const shard_place& place) -> held_iterator* {
        return const_cast<held_iterator*>(std::as_const(*this).find(shard, place));
    }

    auto keep(const std::string& shard, held_iterator one) -> held_iterator& {
        auto& all = held_[shard];
        all.clear();
        return all.emplace_back(std::move(one));
    }

    void forget(std::string_view shard) {
        if (const auto found = held_.find(shard); found != held_.end()) { held_.erase(found); }
    }

    /// Keeps the iterator behind these records beside the one that gave them.
    void go_behind(const std::string& shard, const held_iterator& at, const freshet::decoded_record& last,
                   std::optional<std::string> next) {
        const auto sequence = freshet::sequence_number::parse(last.sequence());
        if (!sequence) { return; }
        held_iterator behind{shard_place::after(*sequence), next.value_or(""), false, !next, {}};
        held_[shard] = {held_iterator{at}, std::move(behind)};
    }

    /// Without what a reader has behind it who had to begin at the first record that is kept. A record that does not
    /// say where it is has been passed if one after it has.
    [[nodiscard]] auto wanted(std::span<const freshet::decoded_record> records, const held_iterator& at) const
        -> std::span<const freshet::decoded_record> {
        if (!at.passing_over) { return records; }
        const auto passed = [&](const freshet::decoded_record& record) -> std::optional<bool> {
            if (at.place.is == shard_place::kind::after) {
                const auto sequence = freshet::sequence_number::parse(record.sequence());
                return sequence ? std::optional{*sequence <= at.place.sequence} : std::nullopt;
            }
            if (!record) { return std::nullopt; }
            return record->created_at && at.place.ended_at &&
                   *record->created_at < *at.place.ended_at - rules_.uncertainty;
        };
        std::size_t first = 0;
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto one = passed(records[i]);
            if (one == false) { break; }
            if (one == true) { first = i + 1; }
        }
        return records.subspan(first);
    }

    /// An iterator for the answer's place; where there is none any more, the place is moved to the first kept record.
    [[nodiscard]] auto open(const std::string& shard, bool own_expired, freshet::time_point now, shard_answer& answer)
        -> freshet::result<held_iterator> {
        using enum shard_place::kind;
        const auto& place = answer.place;
        const bool fresh = place.ended_at && !rules_.outlived(*place.ended_at, now);
        if (place.is == latest && !own_expired) { return held_iterator{place, place.iterator}; }
        reply got{freshet::error{}, {}};
        if (place.is == after || place.is == at) {
            got = iterator_from(shard, place.is == after ? "AFTER_SEQUENCE_NUMBER" : "AT_SEQUENCE_NUMBER",
                                place.sequence.view());
            if (got.body) {
                return iterator_in(*got.body).transform([&](std::string i) { return held_iterator{place, i}; });
            }
            if (got.refused_as != "TrimmedDataAccessException" && got.refused_as != "ResourceNotFoundException") {
                return got.body.why();
            }
        }
        // Nothing followed the place a short time ago: so nothing that followed it since is trimmed.
        if (!fresh) {
            answer.gap = true;
            answer.place = shard_place::start(now);
        }
        got = iterator_from(shard, "TRIM_HORIZON", {});
        if (got.refused_as == "ResourceNotFoundException") {
            answer.vanished = true;
            return held_iterator{};
        }
        return std::move(got.body).and_then(iterator_in).transform([&](std::string iterator) {
            return held_iterator{answer.place, std::move(iterator), answer.place.is != start};
        });
    }

    /// What a refused GetRecords means for the answer; an error where it means nothing.
    [[nodiscard]] static auto interpret(const reply& refused, freshet::time_point now, shard_answer& answer)
        -> freshet::result<void> {
        if (refused.refused_as == "ExpiredIteratorException") { return {}; }
        if (refused.refused_as == "TrimmedDataAccessException") {
            answer.gap = true;
            answer.place = shard_place::start(now);
            return {};
        }
        if (refused.refused_as == "ResourceNotFoundException") {
            answer.vanished = true;
            return {};
        }
        return refused.body.why();
    }

    [[nodiscard]] auto iterator_from(const std::string& shard, std::string_view type, std::string_view sequence) const
        -> reply {
        auto json = object({{"StreamArn", stream_}, {"ShardId", shard}, {"ShardIteratorType", type}});
        if (!sequence.empty()) {
            json.pop_back();
            freshet::detail::append_json_string(json += ",\"SequenceNumber\":", sequence);
            json += '}';
        }
        return client_->call(dynamodb_streams, "GetShardIterator", json);
    }

    [[nodiscard]] auto records_at(const std::string& iterator, std::size_t limit) const -> reply {
        auto json = object({{"ShardIterator", iterator}});
        json.pop_back();
        json += ",\"Limit\":" + std::to_string(std::clamp<std::size_t>(limit, 1, most)) + '}';
        return client_->call(dynamodb_streams, "GetRecords", json);
    }

    [[nodiscard]] static auto iterator_in(const std::string& answer) -> freshet::result<std::string> {
        if (auto iterator = detail::member_string(answer, "ShardIterator")) { return *std::move(iterator); }
        return freshet::error{freshet::errc::unavailable,
                              "GetShardIterator gave no iterator: " + freshet::printable(answer, 60)};
    }

    [[nodiscard]] static auto object(std::initializer_list<std::pair<std::string_view, std::string_view>> members)
        -> std::string {
        std::string json;
        for (const auto& [name, text] : members) {
            freshet::detail::append_json_string(json += json.empty() ? '{' : ',', name);
            freshet::detail::append_json_string(json += ':', text);
        }
        return json += '}';
    }

    static constexpr std::size_t most = 1'000; // records that one answer has

    const client* client_;
    std::string stream_;
    shard_rules rules_;
    std::map<std::string, std::vector<held_iterator>, std::less<>> held_; // at most two a shard
    freshet::event_decoder decoder_;
    std::string body_; // what the decoder's records are views of
};

} // namespace adapters::aws
