#include <freshet/cache/local_store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <freshet/testing/manual_clock.hpp>

#include <support/cases.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::testing::manual_clock;
using entry_type = freshet::cache_entry<std::string>;

struct weigh_size {
    auto operator()(const int&, const entry_type& entry) const -> std::size_t {
        return entry.value ? entry.value->size() : 1;
    }
};

/// Follows the removals that a store tells: at any time it knows which keys are there.
struct followed_keys {
    using is_shareable = void;
    std::map<int, entry_type>* entries;
    std::vector<std::string>* wrong;
    freshet::time_point* now;

    void on(const freshet::entry_removed& e) const {
        const auto at = entries->find(std::stoi(std::string{e.key}));
        if (at == entries->end()) { return wrong->push_back(std::string{e.key} + " was not there"); }
        const bool over = at->second.keep_until <= *now;
        const bool right = e.cause == freshet::removal_cause::expired   ? over
                           : e.cause == freshet::removal_cause::evicted ? !over
                                                                        : true;
        if (!right) { wrong->push_back(std::string{e.key} + " was not " + std::string{name_of(e.cause)}); }
        entries->erase(at);
    }
};

} // namespace

TEST_CASE(
    "whatever happens to a store, it gives only what was put last, within its bounds, and tells of all that goes") {
    const auto steps = support::cases(100'000);
    const std::vector<freshet::local_store_options> all_options{{.max_entries = 1},
                                                                {.max_entries = 7},
                                                                {.max_entries = 300},
                                                                {.max_entries = 9'000},
                                                                {.max_entries = 20, .max_weight = 100},
                                                                {.max_entries = 9'000, .max_weight = 1'000}};
    for (const auto& options : all_options) {
        const auto seed = support::seed();
        CAPTURE(seed);
        CAPTURE(options.max_entries);
        CAPTURE(options.max_weight);
        std::mt19937_64 random{seed};
        const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
        manual_clock clock;
        auto now = clock.now();
        std::map<int, entry_type> there; // by what was put, and by the removals that were told
        std::vector<std::string> wrong;
        freshet::local_store<int, std::string, manual_clock, weigh_size, followed_keys> store{
            clock, options, {}, {&there, &wrong, &now}};
        const auto keys = 2 * options.max_entries + 3;
        struct pending {
            int key;
            std::size_t step;
            freshet::store_ticket ticket;
        };
        std::vector<pending> loads;
        std::map<int, std::size_t> invalidated;
        std::size_t cleared = 0;
        std::size_t refused_wrongly = 0;
        for (std::size_t step = 1; step <= steps; ++step) {
            now = clock.now();
            const auto key = static_cast<int>(std::min(below(keys), below(keys)));
            const auto action = below(10'000);
            if (action < 4'000) {
                const auto before = there.find(key) == there.end() ? std::nullopt : std::optional{there[key]};
                const auto found = store.get(key);
                const bool kept = before && now < before->keep_until;
                if (found->entry != (kept ? before : std::nullopt)) { wrong.push_back("get " + std::to_string(key)); }
                if (loads.size() < 50) {
                    loads.push_back({key, step, found->ticket});
                } else {
                    loads[below(50)] = {key, step, found->ticket};
                }
            } else if (action < 8'500 && !loads.empty()) {
                const auto load = loads[below(loads.size())];
                const std::size_t longest = options.max_weight == 0 ? 30 : options.max_weight;
                entry_type entry{std::string(1 + below(below(8) == 0 ? longest : 8), 'x'), now, now,
                                 now + freshet::duration{below(10'000)}};
                entry.value->front() = static_cast<char>('a' + step % 26);
                if (below(10) == 0) { entry.value.reset(); }
                const auto put = store.put(load.key, entry, load.ticket);
                const bool late = std::max(cleared, invalidated[load.key]) > load.step;
                if (put.ok()) {
                    if (late) { wrong.push_back("put " + std::to_string(load.key)); }
                    there[load.key] = entry;
                } else {
                    refused_wrongly += late ? 0 : 1;
                }
            } else if (action < 9'000) {
                static_cast<void>(store.erase(key));
                invalidated[key] = step;
                if (there.contains(key)) { wrong.push_back("erase " + std::to_string(key)); }
            } else if (action < 9'003) {
                static_cast<void>(store.clear());
                cleared = step;
                if (!there.empty()) { wrong.push_back("clear"); }
            } else if (action < 9'010) {
                store.sweep();
                for (const auto& [name, entry] : there) {
                    if (entry.keep_until <= now) { wrong.push_back("sweep " + std::to_string(name)); }
                }
            } else if (action < 9'500) {
                const auto at = there.find(key);
                auto to = at == there.end() ? entry_type{} : at->second;
                if (below(4) == 0) { to.loaded_at += 1us; }
                to.fresh_until = now;
                to.keep_until = now + freshet::duration{below(10'000)};
                static_cast<void>(store.touch(key, to, {}));
                if (at != there.end() && at->second.keep_until > now && at->second.loaded_at == to.loaded_at) {
                    at->second = to;
                }
            } else {
                clock.advance(freshet::duration{below(100)});
            }
            if (store.size() > options.max_entries) { wrong.emplace_back("too many"); }
            if (options.max_weight != 0 && store.weight() > options.max_weight) { wrong.emplace_back("too heavy"); }
            if (step % 1'000 == 0) {
                std::size_t weight = 0;
                for (const auto& [name, entry] : there) { weight += weigh_size{}(name, entry); }
                if (store.size() != there.size()) { wrong.emplace_back("size"); }
                if (store.weight() != weight) { wrong.emplace_back("weight"); }
            }
            CAPTURE(step);
            REQUIRE_MESSAGE(wrong.empty(), wrong.front());
        }
        CHECK_MESSAGE(refused_wrongly < steps / 20, "few keys share the memory of their invalidations");
    }
}
