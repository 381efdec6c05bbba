#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/later.hpp>
#include <adapters/redis/connection.hpp>
#include <adapters/redis/reply.hpp>
#include <adapters/redis/settings.hpp>

namespace adapters::redis {

struct ttl_store_options {
    /// Of the store within the server's database: not empty and without `/`. Stores of one name are one store.
    std::string name{};
    /// How long an invalidation of a key is remembered; the same for all who use the store.
    freshet::duration fence_time{std::chrono::minutes{15}};
};

/// A ttl_store in a Redis server, which may keep other things beside it; as many objects, threads and processes as want
/// may use it. Borrows the connection and the clock. Keys and values are any bytes.
///
/// The string `cache/NAME` is a number that a `clear` takes away, so that the next look-up draws another one; the hash
/// `cache/NAME/KEY` is a key's row, of use only with the number that is there now. A call is one script, or one
/// command. A server that comes back empty has another number, and what was looked up before is refused. One that comes
/// back in an older state (from a snapshot, or a replica that was behind) has forgotten the invalidations since; so has
/// one that evicts rows: its `maxmemory-policy` must be `noeviction`.
///
/// Whether an entry is over is said by the clock. Redis deletes rows by its own, a minute after the time that they had
/// left when they were last written: it cuts nothing short as long as the clock keeps up with it to that minute, and an
/// invalidation is remembered for the fence's time however much clocks differ, less what the server's own is set ahead
/// in that time. An entry kept for ever stays in memory
/// also after a `clear`, until its key is put or erased.
///
/// A server that is full is `throttled` to a `put` and to a `get` that must draw a number, and obeys the others. What
/// is no row where one should be is `denied`; a key and a value together beyond 512 MB are `too_large`.
template <class Clock>
class ttl_store {
    static_assert(freshet::clock<Clock>, "a ttl_store's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;
    using key_type = std::string;
    using mapped_type = std::string;
    static constexpr auto fence = freshet::fence_scope::shared;

    ttl_store(const connection& by, const Clock& clock, ttl_store_options options)
        : by_{by}, clock_{clock}, options_{std::move(options)}, space_id_{"cache/" + options_.name} {}
    ttl_store(const connection&&, const Clock&, ttl_store_options) = delete;
    ttl_store(const connection&, const Clock&&, ttl_store_options) = delete;
    ttl_store(const connection&&, const Clock&&, ttl_store_options) = delete;

    [[nodiscard]] auto get(const std::string& key) const -> freshet::result<freshet::looked_up<std::string>> {
        auto answer = run(get_script, key, {}, {unlikely_number()});
        if (!answer) { return answer.why(); }
        const auto* space_part = part_of(**answer, 0);
        const auto* row = part_of(**answer, 1);
        if (space_part == nullptr || row == nullptr) { return strange(key); }
        const auto space_text = text_of(*space_part);
        const auto space = number_in<std::uint64_t>(space_text);
        if (!space) { return strange(key); }
        freshet::looked_up<std::string> found{std::nullopt, {*space, 0}};
        const auto text = [&](std::size_t at) {
            const auto* part = part_of(*row, at);
            return part == nullptr ? std::nullopt : text_of(*part);
        };
        if (text(0) != space_text) { return found; }
        if (const auto generation = text(1)) {
            const auto number = number_in<std::uint64_t>(generation);
            if (!number) { return strange(key); }
            found.ticket.key = *number;
        }
        if (!text(4)) { return found; }
        const auto loaded_at = number_in<freshet::duration::rep>(text(2));
        const auto fresh_until = number_in<freshet::duration::rep>(text(3));
        const auto keep_until = number_in<freshet::duration::rep>(text(4));
        if (!loaded_at || !fresh_until || !keep_until) { return strange(key); }
        const auto at = [](freshet::duration::rep since) { return freshet::time_point{freshet::duration{since}}; };
        if (at(*keep_until) <= clock_.now()) { return found; }
        found.entry = {std::nullopt, at(*loaded_at), at(*fresh_until), at(*keep_until)};
        if (const auto value = text(5)) { found.entry->value = *value; }
        return found;
    }

    [[nodiscard]] auto put(const std::string& key, const freshet::cache_entry<std::string>& entry,
                           const freshet::store_ticket& ticket) const -> freshet::result<void> {
        // an invalidation that the ticket knows of may have been just now
        const auto until = std::max(entry.keep_until, ticket.key == 0 ? clock_.now() : fence_ends());
        auto answer = run(put_script, key, entry.value,
                          {std::to_string(ticket.space), std::to_string(ticket.key), ticks(entry.loaded_at),
                           ticks(entry.fresh_until), ticks(entry.keep_until), milliseconds_until(until)});
        if (!answer) { return answer.why(); }
        if ((*answer)->integer == 1) { return {}; }
        return about(key, {freshet::errc::conflict, "invalidated since it was looked up"});
    }

    /// The ticket is of no use here.
    [[nodiscard]] auto touch(const std::string& key, const freshet::cache_entry<std::string>& entry,
                             const freshet::store_ticket&) const -> freshet::result<void> {
        const auto until = std::max(entry.keep_until, fence_ends()); // there may have been an invalidation
        return done(run(touch_script, key, {},
                        {ticks(clock_.now()), ticks(entry.loaded_at), ticks(entry.fresh_until), ticks(entry.keep_until),
                         milliseconds_until(until)}));
    }

    [[nodiscard]] auto erase(const std::string& key) const -> freshet::result<void> {
        return done(run(erase_script, key, {}, {unlikely_number(), milliseconds_until(fence_ends())}));
    }

    [[nodiscard]] auto clear() const -> freshet::result<void> {
        const auto usable = check(0);
        if (!usable) { return about({}, usable.why()); }
        auto answer = by_.call({"DEL", space_id_});
        return answer ? freshet::result<void>{} : about({}, answer.why());
    }

private:
    // KEYS: the space, the row. Instants are microseconds; a number of Lua has 53 bits, good until the year 2255. A
    // full server stops a script at its first write or not at all: `put` begins with one that needs room, and those
    // that must get through with another.
    static constexpr std::string_view get_script = R"lua(
local space = redis.call('GET', KEYS[1])
if not space then
  space = ARGV[1]
  redis.call('SET', KEYS[1], space)
end
return {space, redis.call('HMGET', KEYS[2], 'space', 'generation', 'loaded_at', 'fresh_until', 'keep_until', 'value')}
)lua";
    // ARGV: space, generation, loaded_at, fresh_until, keep_until, milliseconds, and the value if there is one
    static constexpr std::string_view put_script = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local row = redis.call('HMGET', KEYS[2], 'space', 'generation')
if (row[1] == ARGV[1] and row[2] or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], 'space', ARGV[1], 'loaded_at', ARGV[3], 'fresh_until', ARGV[4], 'keep_until', ARGV[5])
if ARGV[2] == '0' then redis.call('HDEL', KEYS[2], 'generation') end
if ARGV[7] then redis.call('HSET', KEYS[2], 'value', ARGV[7]) else redis.call('HDEL', KEYS[2], 'value') end
redis.call('PEXPIRE', KEYS[2], ARGV[6])
return 1
)lua";
    // ARGV: now, loaded_at, fresh_until, keep_until, milliseconds. Whose space is gone, nobody sees.
    static constexpr std::string_view touch_script = R"lua(
local row = redis.call('HMGET', KEYS[2], 'loaded_at', 'keep_until')
if row[1] ~= ARGV[2] or tonumber(row[2]) <= tonumber(ARGV[1]) then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('HSET', KEYS[2], 'fresh_until', ARGV[3], 'keep_until', ARGV[4])
return 1
)lua";
    // ARGV: the generation, milliseconds. Without a space there is no ticket that could be good.
    static constexpr std::string_view erase_script = R"lua(
redis.call('DEL', KEYS[2])
local space = redis.call('GET', KEYS[1])
if not space then return 0 end
redis.call('HSET', KEYS[2], 'space', space, 'generation', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
)lua";

    [[nodiscard]] auto check(std::size_t size) const -> freshet::result<void> {
        if (options_.name.empty() || options_.name.find('/') != std::string::npos) {
            return freshet::error{freshet::errc::denied, "a store's name is not empty and without /"};
        }
        constexpr std::size_t longest = std::size_t{512} << 20U; // proto-max-bulk-len, unless it is configured
        if (size > longest) {
            return freshet::error{freshet::errc::too_large,
                                  std::to_string(size) + " bytes, limit " + std::to_string(longest)};
        }
        return {};
    }

    [[nodiscard]] auto about(std::string_view key, const freshet::error& why) const -> freshet::error {
        return {why.code, "ttl store " + freshet::printable(options_.name) + ": " + freshet::printable(key) +
                              (key.empty() ? "" : ": ") + why.note};
    }
    [[nodiscard]] auto strange(std::string_view key) const -> freshet::error {
        return about(key, {freshet::errc::denied, "redis has something there that is not the store's"});
    }

    [[nodiscard]] auto run(std::string_view script, const std::string& key, const std::optional<std::string>& value,
                           std::initializer_list<std::string> arguments) const -> freshet::result<reply> {
        const auto row_id = space_id_ + '/' + key;
        const auto usable = check(row_id.size() + (value ? value->size() : 0));
        if (!usable) { return about(key, usable.why()); }
        connection::words words(arguments.begin(), arguments.end());
        if (value) { words.push_back(*value); }
        auto answer = by_.run(script, {space_id_, row_id}, words);
        return answer ? std::move(answer) : about(key, answer.why());
    }
    [[nodiscard]] static auto done(const freshet::result<reply>& answer) -> freshet::result<void> {
        return answer ? freshet::result<void>{} : answer.why();
    }

    [[nodiscard]] static auto ticks(freshet::time_point at) -> std::string {
        return std::to_string(at.time_since_epoch().count());
    }
    [[nodiscard]] auto fence_ends() const -> freshet::time_point { return later(clock_.now(), options_.fence_time); }
    /// How long Redis is to keep what is of use until that instant, of now or later.
    [[nodiscard]] auto milliseconds_until(freshet::time_point at) const -> std::string {
        using namespace std::chrono;
        const auto left = at - std::min(at, std::max(clock_.now(), freshet::time_point{}));
        return std::to_string((ceil<milliseconds>(left) + milliseconds{minutes{1}}).count());
    }

    /// So that what begins to count anew counts otherwise; never 0, which says that there is none.
    [[nodiscard]] static auto unlikely_number() -> std::string {
        std::random_device source;
        return std::to_string((std::uint64_t{source()} << 32U | source()) | 1U);
    }

    template <class Number>
    [[nodiscard]] static auto number_in(std::optional<std::string_view> text) -> std::optional<Number> {
        return text ? detail::number_of<Number>(*text) : std::nullopt;
    }

    const connection& by_;
    const Clock& clock_;
    ttl_store_options options_;
    std::string space_id_;
};

static_assert(freshet::ttl_store<ttl_store<freshet::testing::manual_clock>>);

} // namespace adapters::redis
