// Looks up entries of a local_store, a flat map without lock, clock and bound, and an unordered_map with a mutex and
// steady_clock; and how often each policy of eviction has what is asked for.
#include <freshet/cache/local_store.hpp>

#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/anchored_clock.hpp>

#include "peers/eviction_policies.hpp"
#include "ratios.hpp"
#include "support/traces.hpp"

namespace {

using namespace std::chrono_literals;

struct value_and_expiry {
    std::uint64_t value;
    std::chrono::steady_clock::time_point expires_at;
};

class locked_map {
public:
    void put(const std::string& key, std::uint64_t value) {
        const std::scoped_lock lock{mutex_};
        map_[key] = {value, std::chrono::steady_clock::now() + 1h};
    }
    [[nodiscard]] auto get(const std::string& key) -> std::uint64_t {
        const std::scoped_lock lock{mutex_};
        const auto at = map_.find(key);
        return at != map_.end() && std::chrono::steady_clock::now() < at->second.expires_at ? at->second.value : 0;
    }

private:
    std::mutex mutex_;
    std::unordered_map<std::string, value_and_expiry> map_;
};

void put(auto& store, const auto& key, std::uint64_t value, freshet::time_point now) {
    const auto found = store.get(key);
    if (!store.put(key, {value, now, now + 1h, now + 1h}, found->ticket).ok()) { std::abort(); }
}

[[nodiscard]] auto value_of(auto& store, const std::string& key) -> std::uint64_t {
    const auto found = store.get(key);
    return found->entry ? *found->entry->value : 0;
}

[[nodiscard]] auto key_of(std::uint64_t number) -> std::string { return "user:" + std::to_string(number); }

[[nodiscard]] auto live_bytes() -> std::size_t {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Bytes of memory for each entry of what `fill` makes.
[[nodiscard]] auto bytes_each(std::size_t entries, auto&& fill) -> double {
    const auto before = live_bytes();
    const auto filled = fill();
    return static_cast<double>(live_bytes() - before) / static_cast<double>(entries);
}

/// What part of the requests finds its key, in hundredths.
[[nodiscard]] auto hits_of(const std::vector<std::uint64_t>& trace, auto&& ask) -> double {
    std::size_t hits = 0;
    for (const auto key : trace) { hits += ask(key) ? 1 : 0; }
    return 100 * static_cast<double>(hits) / static_cast<double>(trace.size());
}

void print_hits(const char* title, const std::vector<std::uint64_t>& trace, std::size_t most, bool is_wanted = true) {
    const freshet::testing::manual_clock clock;
    freshet::local_store<std::uint64_t, std::uint64_t, freshet::testing::manual_clock> store{clock,
                                                                                             {.max_entries = most}};
    const auto now = clock.now();
    freshet_bench::w_tiny_lfu tiny{most};
    freshet_bench::lru least{most};
    const auto ours = hits_of(trace, [&](std::uint64_t key) {
        const auto found = store.get(key);
        if (found->entry) { return true; }
        static_cast<void>(store.put(key, {key, now, now + 1h, now + 1h}, found->ticket));
        return false;
    });
    const auto wanted = hits_of(trace, [&](std::uint64_t key) { return tiny.ask(key); });
    std::printf("  %-34s %8zu %12.2f %12.2f %8.2f  %s\n", title, most, ours, wanted,
                hits_of(trace, [&](std::uint64_t key) { return least.ask(key); }),
                !is_wanted           ? ""
                : ours >= wanted - 1 ? "reached"
                                     : "missed");
}

void print_all_hits() {
    constexpr std::size_t requests = 4'000'000;
    std::printf(
        "hits in hundredths; wanted on Zipf and scan traces: no more than one below W-TinyLFU\n  %-34s %8s %12s %12s "
        "%8s\n",
        "requests", "entries", "local_store", "W-TinyLFU", "LRU");
    for (const std::size_t most : {1'000u, 10'000u, 100'000u}) {
        const auto keys = most * 10;
        print_hits("Zipf 0.7", freshet_bench::zipf_trace(requests, keys, 0.7), most);
        print_hits("Zipf 0.99", freshet_bench::zipf_trace(requests, keys, 0.99), most);
        print_hits("Zipf 0.9 with scans", freshet_bench::scan_trace(requests, keys, 0.9, most), most);
        print_hits("Zipf 0.9 that moves on", freshet_bench::moving_trace(requests, keys, 0.9, 10), most);
        print_hits("loop over 1.2 times the entries", freshet_bench::loop_trace(requests, most * 12 / 10), most, false);
    }
}

/// Ten million keys pass through a store of a hundred thousand entries, and its memory stays.
void print_growth() {
    const freshet::testing::manual_clock clock;
    freshet::local_store<std::string, std::uint64_t, freshet::testing::manual_clock> store{clock};
    const auto before = live_bytes();
    std::size_t at_first = 0;
    for (std::uint64_t i = 0; i != 10'000'000; ++i) {
        put(store, key_of(i), i, clock.now());
        if (i == 1'000'000) { at_first = live_bytes() - before; }
    }
    const auto at_last = live_bytes() - before;
    std::printf("memory of 100,000 entries after 10^6 keys: %.1f MB, after 10^7: %.1f MB: %s\n",
                static_cast<double>(at_first) / 1e6, static_cast<double>(at_last) / 1e6,
                at_last <= at_first ? "flat" : "grows");
}

} // namespace

auto main(int argc, char** argv) -> int {
    print_all_hits();
    print_growth();

    constexpr std::size_t entries = 1'000'000;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i != entries; ++i) { keys.push_back(key_of(i * 7919 % entries)); }

    const freshet::anchored_clock clock;
    const freshet::testing::manual_clock stopped;
    using store_type = freshet::local_store<std::string, std::uint64_t, freshet::anchored_clock>;
    using stopped_store = freshet::local_store<std::string, std::uint64_t, freshet::testing::manual_clock>;
    const auto fill = [&](auto& store, freshet::time_point now) {
        for (std::size_t i = 0; i != entries; ++i) { put(store, keys[i], i + 1, now); }
    };
    std::printf("bytes an entry, %zu entries of short keys and eight bytes: local_store %.1f", entries,
                bytes_each(entries, [&] {
                    auto store =
                        std::make_unique<stopped_store>(stopped, freshet::local_store_options{.max_entries = entries});
                    fill(*store, stopped.now());
                    return store;
                }));
    std::printf(", boost::unordered_flat_map %.1f, std::unordered_map %.1f\n",
                bytes_each(entries,
                           [&] {
                               boost::unordered_flat_map<std::string, value_and_expiry> map;
                               for (const auto& key : keys) { map[key] = {}; }
                               return map;
                           }),
                bytes_each(entries, [&] {
                    std::unordered_map<std::string, value_and_expiry> map;
                    for (const auto& key : keys) { map[key] = {}; }
                    return map;
                }));

    // room for all of them also in the parts that have more of them than others: every contender has the same answers
    store_type store{clock, {.max_entries = entries * 11 / 10}};
    stopped_store ticked{stopped, {.max_entries = entries * 11 / 10}};
    fill(store, clock.now());
    fill(ticked, stopped.now());
    boost::unordered_flat_map<std::string, std::uint64_t> flat;
    locked_map locked;
    for (std::size_t i = 0; i != entries; ++i) {
        flat[keys[i]] = i + 1;
        locked.put(keys[i], i + 1);
    }

    const auto numbers = freshet_bench::zipf_trace(1 << 20, entries, 0.99);
    std::vector<std::string> asked;
    for (const auto number : numbers) { asked.push_back(keys[number]); }
    for (std::size_t i = 0; i != asked.size(); ++i) {
        const auto wanted = numbers[i] + 1;
        if (value_of(store, asked[i]) != wanted || value_of(ticked, asked[i]) != wanted || flat[asked[i]] != wanted ||
            locked.get(asked[i]) != wanted) {
            std::fprintf(stderr, "the contenders differ on '%s'\n", asked[i].c_str());
            return 1;
        }
    }
    const auto over_keys = [&asked](auto get) -> std::function<void()> {
        return [&asked, get] {
            std::uint64_t sum = 0;
            for (const auto& key : asked) { sum += get(key); }
            benchmark::DoNotOptimize(sum);
        };
    };
    freshet_bench::race(
        "get of 1M string keys, Zipf 0.99",
        {{"local_store", over_keys([&](const std::string& key) { return value_of(store, key); })},
         {"local_store, the time given", over_keys([&](const std::string& key) { return value_of(ticked, key); })},
         {"flat map, no lock, no clock",
          over_keys([&](const std::string& key) { return flat.find(key)->second; }),
          {.ratio = 1.0}},
         {"unordered_map, mutex, steady_clock",
          over_keys([&](const std::string& key) { return locked.get(key); }),
          {.ratio = 4.0}}},
        asked.size());
    return freshet_bench::run_races(argc, argv);
}
