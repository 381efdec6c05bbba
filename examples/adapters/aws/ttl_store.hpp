#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/aws/attribute_json.hpp>
#include <adapters/aws/base64.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/placeholders.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/item_table.hpp>
#include <adapters/later.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/retry_plan.hpp>
#include <freshet/work/wall_clock.hpp>

namespace adapters::aws {

struct ttl_store_options {
    /// The DynamoDB table: its partition key is `id`, a string, it has no sort key, and rows expire by `expires`.
    std::string table{};
    /// Of the store within the table: UTF-8, not empty and without `/`. Stores of one name are one store.
    std::string name{};
    /// How long an invalidation of a key is remembered; the same for all who use the store.
    freshet::duration fence_time{std::chrono::minutes{15}};
    /// How often and how soon `get` asks again for what the service leaves over.
    freshet::retry_options unprocessed{
        .retries = 8, .throttled_base = std::chrono::milliseconds{50}, .cap = std::chrono::seconds{5}};
};

/// A ttl_store in a DynamoDB table, which may keep other things beside it; as many objects, threads and processes as
/// want may use it. Borrows the client and the clock.
///
/// The row `cache/NAME` counts the clears, and a key's row is called `cache/NAME/CLEARS/KEY`: what is put too late
/// after a `clear` lies where nobody looks, until it expires. A `get` is one request, and a second one where somebody
/// cleared since the last; `put`, `touch` and `clear` are one, `erase` is two. Nothing depends on when the table
/// deletes what has expired, unless that is too early: clocks (DynamoDB's too) that differ take from the fence's time
/// what they differ; a writer whose clock is wrong by more than that has no fence.
///
/// Keys are UTF-8, also empty, and with the name up to 2,020 bytes long; others are `malformed`. What makes an item
/// larger than DynamoDB takes (400 KB, less the key and 128 bytes) is `too_large`.
template <class Clock>
class ttl_store {
    static_assert(freshet::clock<Clock>, "a ttl_store's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;
    using key_type = std::string;
    using mapped_type = std::string;
    static constexpr auto fence = freshet::fence_scope::shared;

    ttl_store(const client& by, const Clock& clock, ttl_store_options options)
        : by_{by}, clock_{clock}, options_{std::move(options)}, space_id_{"cache/" + options_.name} {}
    ttl_store(const client&&, const Clock&, ttl_store_options) = delete;
    ttl_store(const client&, const Clock&&, ttl_store_options) = delete;
    ttl_store(const client&&, const Clock&&, ttl_store_options) = delete;

    [[nodiscard]] auto get(const std::string& key) const -> freshet::result<freshet::looked_up<std::string>> {
        const auto usable = check(key);
        if (!usable) { return about(key, usable.why()); }
        const auto last_seen = space_seen_.load();
        auto found = read(last_seen, key);
        if (!found) { return about(key, found.why()); }
        const auto space = found->space;
        if (space != last_seen) {
            space_seen_.store(space);
            // A clear that comes in between is one that this look-up need not know of.
            auto row = read_row(row_id(space, key));
            if (!row) { return about(key, row.why()); }
            found->row = *std::move(row);
        }
        auto seen = looked_up(space, found->row);
        if (!seen) { return about(key, seen.why()); }
        if (seen->entry && seen->entry->keep_until <= clock_.now()) { seen->entry.reset(); }
        return seen;
    }

    [[nodiscard]] auto put(const std::string& key, const freshet::cache_entry<std::string>& entry,
                           const freshet::store_ticket& ticket) const -> freshet::result<void> {
        const auto usable = check(key);
        if (!usable) { return about(key, usable.why()); }
        constexpr std::size_t names_and_numbers = 128;
        const auto id = row_id(ticket.space, key);
        const auto size = id.size() + names_and_numbers + (entry.value ? entry.value->size() : 0);
        if (const auto most = item_limits{}.item_bytes; size > most) {
            return about(key,
                         {freshet::errc::too_large, std::to_string(size) + " bytes, limit " + std::to_string(most)});
        }
        const auto now = clock_.now();
        auto until = std::max(entry.keep_until, now);
        auto item = R"({"id":)" + text_value(id) + R"(,"loaded_at":)" + time_value(entry.loaded_at) +
                    R"(,"fresh_until":)" + time_value(entry.fresh_until) + R"(,"keep_until":)" +
                    time_value(entry.keep_until);
        if (entry.value) { item += R"(,"value":{"B":")" + base64_of(*entry.value) + R"("})"; }
        placeholders of;
        auto condition = "attribute_not_exists(" + of.name("generation") + ')';
        if (ticket.key != 0) {
            item += R"(,"generation":)" + number_value(ticket.key);
            condition = of.name("generation") + '=' + of.value(number_value(ticket.key));
            until = std::max(until, later(now, options_.fence_time)); // the invalidation may have been just now
        }
        item += R"(,"expires":)" + seconds_after(until) + '}';
        auto request = row_start("Item", item) + R"(,"ConditionExpression":)" + json_text(condition);
        of.append_to(request);
        const auto answer = by_.call(dynamodb, "PutItem", request += '}');
        if (answer.body.ok()) { return {}; }
        if (answer.refused_as != condition_failed) { return about(key, without_conflict(answer.body.why())); }
        return about(key, {freshet::errc::conflict, "invalidated since it was looked up"});
    }

    /// Touches what is in the space of the ticket: an entry that came after a `clear` needs a ticket that did, too.
    [[nodiscard]] auto touch(const std::string& key, const freshet::cache_entry<std::string>& entry,
                             const freshet::store_ticket& ticket) const -> freshet::result<void> {
        const auto usable = check(key);
        if (!usable) { return about(key, usable.why()); }
        const auto now = clock_.now();
        // there may have been an invalidation just now, which the ticket does not know of
        const auto until = std::max(entry.keep_until, later(now, options_.fence_time));
        placeholders of;
        const auto keep_until = of.name("keep_until");
        const auto text = "SET " + of.name("fresh_until") + '=' + of.value(time_value(entry.fresh_until)) + ',' +
                          keep_until + '=' + of.value(time_value(entry.keep_until)) + ',' + of.name("expires") + '=' +
                          of.value(seconds_after(until));
        const auto condition = of.name("loaded_at") + '=' + of.value(time_value(entry.loaded_at)) + " AND " +
                               keep_until + '>' + of.value(time_value(now));
        return update(row_id(ticket.space, key), text, condition, of, key);
    }

    [[nodiscard]] auto erase(const std::string& key) const -> freshet::result<void> {
        const auto usable = check(key);
        if (!usable) { return about(key, usable.why()); }
        const auto row = read_row(space_id_);
        if (!row) { return about(key, row.why()); }
        const auto space = generation_of(*row);
        if (!space) { return about(key, space.why()); }
        space_seen_.store(*space);
        placeholders of;
        const auto generation = of.name("generation");
        const auto text = "SET " + generation + "=if_not_exists(" + generation + ',' +
                          of.value(number_value(unlikely_number())) + ")+" + of.value(number_value(1)) + ',' +
                          of.name("expires") + '=' + of.value(seconds_after(later(clock_.now(), options_.fence_time))) +
                          " REMOVE " + of.name("value") + ',' + of.name("loaded_at") + ',' + of.name("fresh_until") +
                          ',' + of.name("keep_until");
        return update(row_id(*space, key), text, {}, of, key);
    }

    [[nodiscard]] auto clear() const -> freshet::result<void> {
        const auto usable = check({});
        if (!usable) { return about({}, usable.why()); }
        placeholders of;
        const auto text = "ADD " + of.name("generation") + ' ' + of.value(number_value(1));
        return update(space_id_, text, {}, of, {});
    }

private:
    using json = nlohmann::json;

    /// What one look-up reads: how often all was cleared, and the row of the key, null where there is none.
    struct both {
        std::uint64_t space{};
        json row;
    };

    [[nodiscard]] auto check(std::string_view key) const -> freshet::result<void> {
        using freshet::detail::find_bad_utf8;
        if (options_.name.empty() || find_bad_utf8(options_.name) || options_.name.find('/') != std::string::npos) {
            return freshet::error{freshet::errc::denied, "a store's name is UTF-8, not empty and without /"};
        }
        constexpr std::size_t counted = 20; // digits of the clears, however many there were
        const auto longest = item_limits{}.partition_key_bytes - std::string_view{"cache///"}.size() - counted;
        if (options_.name.size() + key.size() > longest) {
            return freshet::error{freshet::errc::malformed,
                                  "with the store's name the key is longer than " + std::to_string(longest) + " bytes"};
        }
        if (find_bad_utf8(key)) { return freshet::error{freshet::errc::malformed, "the key is no UTF-8 text"}; }
        return {};
    }

    [[nodiscard]] auto about(std::string_view key, const freshet::error& why) const -> freshet::error {
        return {why.code, "ttl store " + freshet::printable(options_.name) + ": " + freshet::printable(key) +
                              (key.empty() ? "" : ": ") + why.note};
    }

    [[nodiscard]] auto row_id(std::uint64_t space, std::string_view key) const -> std::string {
        return (space_id_ + '/' + std::to_string(space) + '/').append(key);
    }
    [[nodiscard]] static auto id_item(std::string_view id) -> std::string { return R"({"id":)" + text_value(id) + '}'; }
    [[nodiscard]] auto row_start(std::string_view member, const std::string& item) const -> std::string {
        return R"({"TableName":)" + json_text(options_.table) + ",\"" + std::string{member} + "\":" + item;
    }
    [[nodiscard]] static auto time_value(freshet::time_point at) -> std::string {
        return number_value(at.time_since_epoch().count());
    }
    [[nodiscard]] static auto seconds_after(freshet::time_point at) -> std::string {
        return number_value(std::chrono::ceil<std::chrono::seconds>(at).time_since_epoch().count());
    }

    /// Where a key's invalidations begin to count, so that what an expired row had counted is not counted again.
    [[nodiscard]] static auto unlikely_number() -> std::uint64_t {
        std::random_device source;
        return (std::uint64_t{source()} << 32U | source()) >> 2U;
    }

    [[nodiscard]] auto strange_row() const -> freshet::error {
        return {freshet::errc::denied,
                "table " + freshet::printable(options_.table) + " has a row that is not the store's"};
    }

    [[nodiscard]] auto generation_of(const json& row) const -> freshet::result<std::uint64_t> {
        if (!row.is_object() || !row.contains("generation")) { return std::uint64_t{0}; }
        const auto generation = number_in<std::uint64_t>(row, "generation");
        if (!generation) { return strange_row(); }
        return *generation;
    }

    [[nodiscard]] auto looked_up(std::uint64_t space, const json& row) const
        -> freshet::result<freshet::looked_up<std::string>> {
        const auto generation = generation_of(row);
        if (!generation) { return generation.why(); }
        freshet::looked_up<std::string> found{std::nullopt, {space, *generation}};
        if (!row.is_object() || !row.contains("keep_until")) { return found; }
        const auto loaded_at = number_in<freshet::duration::rep>(row, "loaded_at");
        const auto fresh_until = number_in<freshet::duration::rep>(row, "fresh_until");
        const auto keep_until = number_in<freshet::duration::rep>(row, "keep_until");
        const auto text = attribute_text(row, "value", "B");
        auto value = text ? bytes_of(*text) : std::nullopt;
        if (!loaded_at || !fresh_until || !keep_until || row.contains("value") != value.has_value()) {
            return strange_row();
        }
        const auto at = [](freshet::duration::rep since) { return freshet::time_point{freshet::duration{since}}; };
        found.entry = {std::move(value), at(*loaded_at), at(*fresh_until), at(*keep_until)};
        return found;
    }

    [[nodiscard]] auto read_row(std::string_view id) const -> freshet::result<json> {
        const auto request = row_start("Key", id_item(id)) + R"(,"ConsistentRead":true})";
        auto answer = read_json(by_.call(dynamodb, "GetItem", request), "GetItem");
        if (!answer) { return without_conflict(std::move(answer).why()); }
        const auto item = answer->find("Item");
        return item == answer->end() ? json{} : std::move(*item);
    }

    /// The row of the key in this space, and which space it is now. The two are not of one instant: see `get`.
    [[nodiscard]] auto read(std::uint64_t space, std::string_view key) const -> freshet::result<both> {
        const freshet::retry_plan plan{options_.unprocessed};
        freshet::wall_clock clock;
        std::random_device random;
        both found{};
        auto tables = '{' + json_text(options_.table) + R"(:{"Keys":[)" + id_item(space_id_) + ',' +
                      id_item(row_id(space, key)) + R"(],"ConsistentRead":true}})";
        for (unsigned attempts = 1;; ++attempts) {
            auto answer =
                read_json(by_.call(dynamodb, "BatchGetItem", R"({"RequestItems":)" + tables + '}'), "BatchGetItem");
            if (!answer) { return without_conflict(std::move(answer).why()); }
            if (auto taken = take(*answer, found); !taken) { return taken.why(); }
            const auto over = answer->find("UnprocessedKeys");
            if (over == answer->end() || !over->is_object() || over->empty()) { return found; }
            const auto next =
                plan.verdict(freshet::errc::throttled, attempts, (std::uint64_t{random()} << 32U) | random());
            if (!next.again) {
                return freshet::error{freshet::errc::throttled, "BatchGetItem: keys were left over each time"};
            }
            static_cast<void>(clock.wait(next.wait, {}));
            tables = over->dump();
        }
    }

    [[nodiscard]] auto take(json& answer, both& found) const -> freshet::result<void> {
        const auto responses = answer.find("Responses");
        if (responses == answer.end() || !responses->is_object()) {
            return freshet::error{freshet::errc::unavailable, "BatchGetItem: an answer without rows"};
        }
        const auto rows = responses->find(options_.table);
        if (rows == responses->end()) { return {}; }
        for (auto& row : *rows) {
            if (attribute_text(row, "id", "S") != space_id_) {
                found.row = std::move(row);
                continue;
            }
            const auto space = generation_of(row);
            if (!space) { return space.why(); }
            found.space = *space;
        }
        return {};
    }

    /// Changes a row, where it meets the condition if there is one.
    [[nodiscard]] auto update(std::string_view id, std::string_view text, std::string_view condition,
                              const placeholders& of, std::string_view key) const -> freshet::result<void> {
        auto request = row_start("Key", id_item(id)) + R"(,"UpdateExpression":)" + json_text(text);
        if (!condition.empty()) { request += R"(,"ConditionExpression":)" + json_text(condition); }
        of.append_to(request);
        const auto answer = by_.call(dynamodb, "UpdateItem", request += '}');
        if (answer.body.ok() || answer.refused_as == condition_failed) { return {}; }
        return about(key, without_conflict(answer.body.why()));
    }

    const client& by_;
    const Clock& clock_;
    ttl_store_options options_;
    std::string space_id_;
    mutable std::atomic<std::uint64_t> space_seen_{}; // spares a request where it is right
};

static_assert(freshet::ttl_store<ttl_store<freshet::testing::manual_clock>>);

} // namespace adapters::aws
