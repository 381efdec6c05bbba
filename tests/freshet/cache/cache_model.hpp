#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/cache/cache_statistics.hpp>
#include <freshet/cache/ttl_cache_options.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/fault.hpp>

namespace tests {

using freshet::duration;
using freshet::time_point;
using fault_kind = freshet::testing::fault::kind;

/// What a load will do in the step to come.
struct planned_load {
    bool succeeds{};
    std::optional<int> value{};
    std::optional<duration> ttl{};
    duration takes{};
};

/// What goes wrong in the next call of each operation of the store.
struct planned_faults {
    fault_kind get{fault_kind::none};
    fault_kind put{fault_kind::none};
    fault_kind touch{fault_kind::none};
    fault_kind erase{fault_kind::none};
};

/// A ttl cache over a store in memory, as one thread sees it: a map, and the rules in plain words. Without jitter.
class cache_model {
public:
    explicit cache_model(const freshet::ttl_cache_options& options) : options_{options} {}

    time_point now{std::chrono::seconds{1'736'936'000}};
    freshet::cache_statistics counted{};

    [[nodiscard]] auto get(const std::string& key, const planned_faults& faults) -> std::string {
        auto* it = look(key, faults);
        if (it != nullptr && is_fresh(*it)) { return old(key, *it, "fresh", faults); }
        ++counted.misses;
        return faults.get != fault_kind::none ? "unavailable" : "nothing";
    }

    [[nodiscard]] auto ask(const std::string& key, const planned_load& load, const planned_faults& faults)
        -> std::string {
        auto* found = look(key, faults);
        std::optional<entry> seen;
        if (found != nullptr && covers(*found)) { seen = *found; }
        if (seen) {
            const bool fresh = is_fresh(*seen);
            if (fresh && !is_due(*seen)) { return old(key, *seen, "fresh", faults); }
            if (is_paused(key)) { return old(key, *seen, fresh ? "fresh" : "stale_error", faults); }
            if (options_.refreshing == freshet::refreshed_by::host && revalidates(*seen)) {
                due_.insert(key);
                return old(key, *seen, fresh ? "fresh" : "stale_refreshing", faults);
            }
        }
        const auto origin = carry_out(key, load, seen.has_value(), found != nullptr, faults);
        if (!origin.empty()) {
            ++counted.misses;
            return text(load.value, origin, load.takes);
        }
        if (seen && is_fresh(*seen)) { return old(key, *seen, "fresh", faults); }
        if (seen && covers(*seen)) { return old(key, *seen, "stale_error", faults); }
        ++counted.misses;
        return load.succeeds ? "expired" : "unavailable";
    }

    [[nodiscard]] auto put(const std::string& key, int value, std::optional<duration> ttl, const planned_faults& faults)
        -> bool {
        if (!erase(key, faults)) { return false; }
        const auto* there = look(key, faults);
        if (faults.get != fault_kind::none) { return false; }
        return store(key, value, ttl, now, there != nullptr, faults);
    }

    auto erase(const std::string& key, const planned_faults& faults) -> bool {
        pauses_.erase(key);
        due_.erase(key);
        if (takes_effect(faults.erase)) { entries_.erase(key); }
        return faults.erase == fault_kind::none;
    }

    void clear() {
        pauses_.clear();
        due_.clear();
        entries_.clear();
    }

    /// Each load takes no time. How many were refreshed, spared and failed.
    [[nodiscard]] auto refresh(const std::map<std::string, planned_load>& loads) -> std::string {
        int refreshed = 0;
        int spared = 0;
        int failed = 0;
        for (const auto& key : std::exchange(due_, {})) {
            auto* it = look(key, {});
            const bool useful = it != nullptr && covers(*it);
            if ((useful && !is_due(*it)) || is_paused(key)) {
                ++spared;
            } else if (carry_out(key, loads.at(key), useful, it != nullptr, {}).empty()) {
                ++failed;
            } else {
                ++refreshed;
            }
        }
        return std::to_string(refreshed) + " " + std::to_string(spared) + " " + std::to_string(failed);
    }

    [[nodiscard]] static auto text(std::optional<int> value, std::string_view origin, duration age) -> std::string {
        return (value ? std::to_string(*value) : "none") + " " + std::string{origin} + " " +
               std::to_string(age.count());
    }

private:
    struct entry {
        std::optional<int> value{};
        time_point at{};
        duration ttl{};
        time_point keep_until{};
    };

    /// Whether the call reaches the store, which then forgets what is over; one whose answer is lost does.
    auto takes_effect(fault_kind what) -> bool {
        if (what != fault_kind::none) { ++counted.store_failures; }
        if (what == fault_kind::before) { return false; }
        std::erase_if(entries_, [&](const auto& each) { return now >= each.second.keep_until; });
        return true;
    }
    auto look(const std::string& key, const planned_faults& faults) -> entry* {
        takes_effect(faults.get);
        const auto at = entries_.find(key);
        return faults.get != fault_kind::none || at == entries_.end() ? nullptr : &at->second;
    }
    auto old(const std::string& key, const entry& it, std::string_view origin, const planned_faults& faults)
        -> std::string {
        ++(origin == "fresh" ? counted.hits : counted.stale);
        const auto answer = text(it.value, origin, std::max(now - it.at, duration::zero()));
        if (options_.idle > duration::zero() && takes_effect(faults.touch)) {
            const auto at = entries_.find(key);
            if (at != entries_.end() && at->second.at == it.at) { at->second.keep_until = end_of(at->second); }
        }
        return answer;
    }
    /// As what it answers, or nothing where it failed or came too late.
    [[nodiscard]] auto carry_out(const std::string& key, const planned_load& load, bool has_old, bool is_there,
                                 const planned_faults& faults) -> std::string {
        const auto began = now;
        now += load.takes;
        counted.load_time += load.takes;
        if (!load.succeeds || load.takes >= options_.load_time) {
            ++counted.load_failures;
            if (has_old) { pauses_[key] = now + options_.error_pause; }
            return {};
        }
        ++counted.loads;
        pauses_.erase(key);
        if (faults.get != fault_kind::none) { return "bypassed"; }
        return store(key, load.value, load.ttl, began, is_there, faults) ? "loaded" : "bypassed";
    }
    [[nodiscard]] auto store(const std::string& key, std::optional<int> value, std::optional<duration> wanted,
                             time_point began, bool is_there, const planned_faults& faults) -> bool {
        const auto ttl = wanted.value_or(value ? options_.ttl : options_.negative_ttl);
        entry it{value, began, ttl, began};
        if (ttl > duration::zero()) {
            it.keep_until = end_of(it);
        } else if (!is_there) {
            return true;
        } else {
            it = {std::nullopt, began, duration::zero(), began};
        }
        if (takes_effect(faults.put)) { entries_[key] = it; }
        return faults.put == fault_kind::none;
    }

    [[nodiscard]] auto end_of(const entry& it) const -> time_point {
        const auto hard = it.at + it.ttl + std::max(options_.stale_while_revalidate, options_.stale_if_error);
        return options_.idle > duration::zero() ? std::min(hard, now + options_.idle) : hard;
    }
    [[nodiscard]] auto is_sane(const entry& it) const -> bool { return now < it.keep_until && it.at - now <= it.ttl; }
    [[nodiscard]] auto is_fresh(const entry& it) const -> bool { return is_sane(it) && now < it.at + it.ttl; }
    [[nodiscard]] auto is_due(const entry& it) const -> bool {
        if (!is_fresh(it)) { return true; }
        const auto part = static_cast<double>(it.ttl.count()) * options_.refresh_ahead;
        return options_.refresh_ahead > 0 && now >= it.at + duration{static_cast<duration::rep>(part)};
    }
    [[nodiscard]] auto revalidates(const entry& it) const -> bool {
        return is_sane(it) && (is_fresh(it) || now - (it.at + it.ttl) < options_.stale_while_revalidate);
    }
    [[nodiscard]] auto covers(const entry& it) const -> bool {
        return revalidates(it) || (is_sane(it) && now - (it.at + it.ttl) < options_.stale_if_error);
    }
    [[nodiscard]] auto is_paused(const std::string& key) const -> bool {
        const auto at = pauses_.find(key);
        return at != pauses_.end() && now < at->second && at->second - now <= options_.error_pause;
    }

    freshet::ttl_cache_options options_;
    std::map<std::string, entry> entries_;
    std::map<std::string, time_point> pauses_;
    std::set<std::string> due_;
};

} // namespace tests
