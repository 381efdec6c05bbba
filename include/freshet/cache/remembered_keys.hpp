#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <freshet/core/time.hpp>

namespace freshet {

/// Some keys, each until an instant. Thread safe, and never more of them than the limit: what finds no room, once those
/// that are over have gone, is not remembered.
template <class Key>
class remembered_keys {
public:
    explicit remembered_keys(std::size_t limit) : limit_{limit} {}

    /// Whether there is room for it.
    auto remember(const Key& key, time_point until, time_point now) -> bool {
        const std::scoped_lock lock{mutex_};
        if (const auto at = until_.find(key); at != until_.end()) {
            at->second = until;
            first_over_ = std::min(first_over_, until);
            return true;
        }
        if (until_.size() >= limit_ && now >= first_over_) { forget_those_over(now); }
        if (until_.size() >= limit_) { return false; }
        until_.emplace(key, until);
        first_over_ = std::min(first_over_, until);
        return true;
    }

    void forget(const Key& key) {
        const std::scoped_lock lock{mutex_};
        until_.erase(key);
    }

    void forget_all() {
        const std::scoped_lock lock{mutex_};
        until_.clear();
        first_over_ = time_point::max();
    }

    /// Until when; `time_point::min()` for a key that is not remembered.
    [[nodiscard]] auto until(const Key& key) const -> time_point {
        const std::scoped_lock lock{mutex_};
        const auto at = until_.find(key);
        return at == until_.end() ? time_point::min() : at->second;
    }

    /// All of them, which are forgotten.
    [[nodiscard]] auto take() -> std::vector<Key> {
        const std::scoped_lock lock{mutex_};
        std::vector<Key> all;
        all.reserve(until_.size());
        for (const auto& each : until_) { all.push_back(each.first); }
        until_.clear();
        first_over_ = time_point::max();
        return all;
    }

private:
    void forget_those_over(time_point now) {
        std::erase_if(until_, [&](const auto& each) { return each.second <= now; });
        first_over_ = time_point::max();
        for (const auto& each : until_) { first_over_ = std::min(first_over_, each.second); }
    }

    std::size_t limit_;
    mutable std::mutex mutex_;
    std::unordered_map<Key, time_point> until_;
    time_point first_over_{time_point::max()}; // before it nobody is over: so a full memory is not searched in vain
};

} // namespace freshet
