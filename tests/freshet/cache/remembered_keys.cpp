#include <freshet/cache/remembered_keys.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/cases.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::remembered_keys;
using freshet::time_point;

constexpr time_point start{24h * 20'000};
constexpr auto never = time_point::min();

auto sorted(std::vector<std::string> keys) -> std::vector<std::string> {
    std::sort(keys.begin(), keys.end());
    return keys;
}
using names = std::vector<std::string>;

} // namespace

TEST_CASE("a key is remembered until it is forgotten, and the last instant counts") {
    remembered_keys<std::string> keys{10};
    CHECK(keys.until("a") == never);
    CHECK(keys.remember("a", start + 5s, start));
    CHECK(keys.until("a") == start + 5s);
    CHECK(keys.remember("a", start + 2s, start));
    CHECK(keys.until("a") == start + 2s);
    CHECK_MESSAGE(keys.until("b") == never, "and no other one");
    keys.forget("a");
    keys.forget("never there");
    CHECK(keys.until("a") == never);
}

TEST_CASE("what is taken is forgotten") {
    remembered_keys<std::string> keys{10};
    CHECK(keys.take().empty());
    for (const auto* key : {"a", "b", "a"}) { CHECK(keys.remember(key, start, start)); }
    CHECK(sorted(keys.take()) == names{"a", "b"});
    CHECK(keys.take().empty());
    CHECK(keys.remember("c", start, start));
    keys.forget_all();
    CHECK(keys.until("c") == never);
    CHECK(keys.take().empty());
}

TEST_CASE("where there is no room, those that are over go, from the very instant on, and no others") {
    remembered_keys<std::string> keys{2};
    CHECK(keys.remember("short", start + 1s, start));
    CHECK(keys.remember("long", start + 3s, start));
    CHECK_FALSE(keys.remember("new", start + 9s, start + 1s - 1us));
    CHECK_MESSAGE(keys.remember("long", start + 4s, start), "who is there needs no room");
    CHECK(keys.remember("new", start + 9s, start + 1s));
    CHECK(sorted(keys.take()) == names{"long", "new"});
    CHECK_MESSAGE(keys.remember("a", start, start), "what was taken leaves room");

    remembered_keys<std::string> none{0};
    CHECK_FALSE(none.remember("a", start, start + 1h));
}

TEST_CASE("a key whose instant was moved to an earlier one makes room then") {
    remembered_keys<std::string> keys{1};
    CHECK(keys.remember("a", time_point::max(), start));
    CHECK_FALSE(keys.remember("b", start + 1h, start + 30min));
    CHECK(keys.remember("a", start + 31min, start));
    CHECK(keys.remember("b", start + 1h, start + 31min));
    CHECK(keys.until("a") == never);
}

TEST_CASE("whatever is remembered and forgotten, the memory is that of a plain map with a limit") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    constexpr std::size_t limit = 5;
    remembered_keys<std::string> keys{limit};
    std::map<std::string, time_point> known;
    auto now = start;
    for (std::size_t step = 0; step < support::cases(20'000); ++step) {
        CAPTURE(step);
        const std::string key(1, static_cast<char>('a' + random() % 9));
        const auto action = random() % 40;
        if (action < 25) {
            const auto until = action < 2 ? time_point::max() : now + std::chrono::seconds{random() % 10};
            if (known.count(key) == 0 && known.size() >= limit) {
                std::erase_if(known, [&](const auto& each) { return each.second <= now; });
            }
            const bool room = known.count(key) != 0 || known.size() < limit;
            if (room) { known[key] = until; }
            CHECK(keys.remember(key, until, now) == room);
        } else if (action < 30) {
            known.erase(key);
            keys.forget(key);
        } else if (action == 30) {
            names all;
            for (const auto& each : known) { all.push_back(each.first); }
            known.clear();
            CHECK(sorted(keys.take()) == all);
        } else {
            now += std::chrono::seconds{random() % 4};
        }
        CHECK(keys.until(key) == (known.count(key) == 0 ? never : known[key]));
    }
}

TEST_CASE("threads share a memory, and each key is taken once") {
    remembered_keys<int> keys{1'000};
    std::atomic<std::size_t> taken{0};
    {
        std::vector<std::jthread> crew;
        for (int worker = 0; worker != 4; ++worker) {
            crew.emplace_back([&, worker] {
                for (int n = 0; n != 200; ++n) {
                    static_cast<void>(keys.remember(worker * 200 + n, start, start));
                    if (n % 16 == 0) { taken += keys.take().size(); }
                    static_cast<void>(keys.until(n));
                }
            });
        }
    }
    CHECK(taken + keys.take().size() == 800);
}
