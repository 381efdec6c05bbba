#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
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

namespace adapters::memory {

struct ttl_store_options {
    /// How long an invalidation of a key is remembered.
    freshet::duration fence_time{std::chrono::minutes{15}};
};

/// A ttl_store in this process, for tests and examples: it has room for whatever is put. It ends with the object. An
/// operation costs the logarithm of the number of keys.
///
/// Never fails but with `conflict`. When the fence's time is over it forgets whose an invalidation was, and from then
/// on takes it for one of all keys: what was loaded before is kept out however long the load took, and so is what is
/// being loaded at that instant.
template <class Clock, class Value = std::string>
class ttl_store {
    static_assert(freshet::clock<Clock>, "a ttl_store's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;
    using key_type = std::string;
    using mapped_type = Value;
    using entry_type = freshet::cache_entry<Value>;
    static constexpr auto fence = freshet::fence_scope::process;

    /// Borrows the clock.
    explicit ttl_store(const Clock& clock, const ttl_store_options& options = {}) : clock_{clock}, options_{options} {}
    explicit ttl_store(const Clock&&, const ttl_store_options& = {}) = delete;

    [[nodiscard]] auto get(const std::string& key) -> freshet::result<freshet::looked_up<Value>> {
        const std::scoped_lock lock{mutex_};
        const auto now = forget_old();
        const auto at = known_.find(key);
        freshet::looked_up<Value> found{std::nullopt, {0, last_invalidation(at)}};
        if (at != known_.end() && at->second.is_kept(now)) { found.entry = at->second.entry; }
        return found;
    }

    [[nodiscard]] auto put(const std::string& key, const entry_type& entry, const freshet::store_ticket& ticket)
        -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        forget_old();
        if (ticket.key < last_invalidation(known_.find(key))) {
            return freshet::error{freshet::errc::conflict,
                                  "ttl store: " + freshet::printable(key) + ": invalidated since it was looked up"};
        }
        const auto at = known_.try_emplace(key).first;
        at->second.entry = entry;
        remember(*at);
        return {};
    }

    /// The ticket is of no use here.
    [[nodiscard]] auto touch(const std::string& key, const entry_type& entry, const freshet::store_ticket&)
        -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        const auto now = forget_old();
        const auto at = known_.find(key);
        if (at == known_.end() || !at->second.is_kept(now) || at->second.entry->loaded_at != entry.loaded_at) {
            return {};
        }
        at->second.entry->fresh_until = entry.fresh_until;
        at->second.entry->keep_until = entry.keep_until;
        remember(*at);
        return {};
    }

    [[nodiscard]] auto erase(const std::string& key) -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        const auto now = forget_old();
        const auto at = known_.try_emplace(key).first;
        at->second.entry.reset();
        at->second.invalidated = ++invalidations_;
        at->second.fenced_until = later(now, options_.fence_time);
        remember(*at);
        return {};
    }

    [[nodiscard]] auto clear() -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        by_age_.clear();
        known_.clear();
        forgotten_ = ++invalidations_;
        return {};
    }

    /// How many keys it has entries of, or remembers an invalidation of.
    [[nodiscard]] auto size() -> std::size_t {
        const std::scoped_lock lock{mutex_};
        forget_old();
        return known_.size();
    }

private:
    struct kept {
        std::optional<entry_type> entry;
        std::uint64_t invalidated{}; // by the invalidation of this number; 0: by none that is remembered
        freshet::time_point fenced_until;
        freshet::time_point age; // when some of this is to be forgotten

        [[nodiscard]] auto is_kept(freshet::time_point now) const -> bool { return entry && now < entry->keep_until; }
    };
    using known = std::map<std::string, kept>;

    /// Of the invalidations that may concern the key, the last one's number.
    [[nodiscard]] auto last_invalidation(typename known::const_iterator at) const -> std::uint64_t {
        return std::max(forgotten_, at == known_.end() ? 0 : at->second.invalidated);
    }

    void remember(typename known::value_type& at) {
        auto& [key, it] = at;
        by_age_.erase({it.age, key});
        const auto entry_ends = it.entry ? it.entry->keep_until : freshet::time_point::max();
        it.age = std::min(entry_ends, it.invalidated != 0 ? it.fenced_until : freshet::time_point::max());
        by_age_.insert({it.age, key});
    }

    // Who looked up before an invalidation that is forgotten did so longer ago than the fence's time.
    auto forget_old() -> freshet::time_point {
        const auto now = clock_.now();
        while (!by_age_.empty() && by_age_.begin()->first <= now) {
            const auto at = known_.find(std::string{by_age_.begin()->second});
            auto& it = at->second;
            if (!it.is_kept(now)) { it.entry.reset(); }
            if (it.fenced_until <= now) { forgotten_ = std::max(forgotten_, std::exchange(it.invalidated, 0)); }
            if (it.entry || it.invalidated != 0) {
                remember(*at);
            } else {
                by_age_.erase(by_age_.begin());
                known_.erase(at);
            }
        }
        return now;
    }

    const Clock& clock_;
    ttl_store_options options_;
    std::mutex mutex_;
    std::uint64_t invalidations_{};
    std::uint64_t forgotten_{}; // the number of the last one of all keys, or of a key that is forgotten
    known known_;
    std::set<std::pair<freshet::time_point, std::string_view>> by_age_; // views of the keys in `known_`
};

static_assert(freshet::ttl_store<ttl_store<freshet::testing::manual_clock>>);

} // namespace adapters::memory
