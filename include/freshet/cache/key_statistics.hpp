#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <freshet/cache/cache_events.hpp>
#include <freshet/core/observe.hpp>

namespace freshet {

/// How often one key was asked for.
struct key_count {
    std::string key;        ///< as `key_text` shows it
    std::uint64_t hits{};   ///< answered with what the store had, fresh or stale
    std::uint64_t misses{}; ///< answered from the source, or not at all

    /// The part of the answers that came from the store; zero where nobody asked.
    [[nodiscard]] auto hit_ratio() const noexcept -> double {
        const auto all = hits + misses;
        return all == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(all);
    }
    friend auto operator==(const key_count&, const key_count&) -> bool = default;
};

/// Counts the hits and misses of caches by their keys, of so many keys at most: those that come first.
///
/// A cache is given its `observer()`; a `shared_watch` that listens to more calls `on`. Thread safe, with one lock for
/// all: for many threads that ask at once, `ttl_cache::statistics` costs less.
class key_statistics {
public:
    explicit key_statistics(std::size_t most) : most_{most} {}
    key_statistics(const key_statistics&) = delete;
    auto operator=(const key_statistics&) -> key_statistics& = delete;

    void on(const cache_hit& e) { add(e.key, 1, 0); }
    void on(const cache_miss& e) { add(e.key, 0, 1); }

    /// What a cache owns as its observer; borrows this.
    class observing {
    public:
        using is_shareable = void;
        using watches = event_list<cache_hit, cache_miss>;
        explicit observing(key_statistics& into) noexcept : into_{&into} {}
        void on(const cache_hit& e) { into_->on(e); }
        void on(const cache_miss& e) { into_->on(e); }

    private:
        key_statistics* into_;
    };
    [[nodiscard]] auto observer() noexcept -> observing { return observing{*this}; }

    /// Each key that found room, ordered by key.
    [[nodiscard]] auto keys() const -> std::vector<key_count> {
        std::vector<key_count> all;
        {
            const std::scoped_lock lock{mutex_};
            all.reserve(counts_.size());
            for (const auto& [key, each] : counts_) { all.push_back({key, each.hits, each.misses}); }
        }
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
        return all;
    }

    /// The keys that found no room, counted together, as "others".
    [[nodiscard]] auto others() const -> key_count {
        const std::scoped_lock lock{mutex_};
        return {"others", others_.hits, others_.misses};
    }

private:
    struct counted {
        std::uint64_t hits{};
        std::uint64_t misses{};
    };
    struct hash_of_text {
        using is_transparent = void;
        auto operator()(std::string_view text) const noexcept -> std::size_t {
            return std::hash<std::string_view>{}(text);
        }
    };

    void add(std::string_view key, std::uint64_t hits, std::uint64_t misses) {
        const std::scoped_lock lock{mutex_};
        auto& counts = counts_of(key);
        counts.hits += hits;
        counts.misses += misses;
    }
    [[nodiscard]] auto counts_of(std::string_view key) -> counted& {
        if (const auto at = counts_.find(key); at != counts_.end()) { return at->second; }
        return counts_.size() < most_ ? counts_[std::string{key}] : others_;
    }

    std::size_t most_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, counted, hash_of_text, std::equal_to<>> counts_;
    counted others_;
};

} // namespace freshet
