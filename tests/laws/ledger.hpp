#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <freshet/backend/ledger.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/time.hpp>

#include "../support/cases.hpp"

namespace laws {

[[nodiscard]] auto ask(auto& ledger, std::string_view key, std::string_view owner,
                       freshet::duration lease = std::chrono::seconds{30}) -> freshet::claim_answer {
    auto answer = ledger.claim(freshet::claim_request{key, owner, lease});
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
    return *std::move(answer);
}

/// A claim that the ledger must give.
[[nodiscard]] auto granted(auto& ledger, std::string_view key, std::string_view owner,
                           freshet::duration lease = std::chrono::seconds{30}) -> freshet::work_claim {
    const auto answer = ask(ledger, key, owner, lease);
    REQUIRE(answer.verdict == freshet::claim_verdict::granted);
    return answer.claim;
}

[[nodiscard]] auto is_conflict(const auto& answer) -> bool {
    return !answer.ok() && answer.why().code == freshet::errc::conflict && !answer.why().note.empty();
}

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("a key that nobody has is granted for the lease that was asked for", Fixture, laws_ledger_1) {
    using namespace std::chrono_literals;
    Fixture fixture;
    const auto answer = laws::ask(fixture.ledger(), "key", "a", 17s);
    CHECK(answer.verdict == freshet::claim_verdict::granted);
    CHECK(answer.mine());
    CHECK(answer.claim.key == "key");
    CHECK(answer.claim.expires_at == fixture.clock().now() + 17s);
}

TEST_CASE_TEMPLATE_DEFINE("a claim is held until the instant of its end, and taken over from then on", Fixture,
                          laws_ledger_2) {
    using namespace std::chrono_literals;
    for (const auto after : {freshet::duration{30s - 1us}, freshet::duration{30s}, freshet::duration{31s}}) {
        CAPTURE(after.count());
        Fixture fixture;
        const auto first = laws::granted(fixture.ledger(), "key", "a", 30s);
        fixture.clock().advance(after);
        const auto answer = laws::ask(fixture.ledger(), "key", "b", 10s);
        if (after < 30s) {
            CHECK(answer.verdict == freshet::claim_verdict::held);
            CHECK(!answer.mine());
            CHECK(answer.claim.expires_at == first.expires_at);
            CHECK_MESSAGE(fixture.ledger().complete(first).ok(), "asking took nothing away");
        } else {
            CHECK(answer.verdict == freshet::claim_verdict::taken_over);
            CHECK(answer.mine());
            CHECK(answer.claim.token > first.token);
            CHECK(answer.claim.expires_at == fixture.clock().now() + 10s);
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("the owner of a live claim gets it anew, and its earlier token is void", Fixture,
                          laws_ledger_3) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto first = laws::granted(ledger, "key", "a");
    fixture.clock().advance(20s);
    const auto second = laws::granted(ledger, "key", "a");
    CHECK(second.token > first.token);
    CHECK(second.expires_at == fixture.clock().now() + 30s);
    CHECK(laws::is_conflict(ledger.complete(first)));
    fixture.clock().advance(29s);
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::held);
    CHECK(ledger.complete(second).ok());
}

TEST_CASE_TEMPLATE_DEFINE("an owner that let its lease end is told so when it asks again", Fixture, laws_ledger_4) {
    using namespace std::chrono_literals;
    Fixture fixture;
    const auto first = laws::granted(fixture.ledger(), "key", "a", 30s);
    fixture.clock().advance(30s);
    const auto again = laws::ask(fixture.ledger(), "key", "a");
    CHECK(again.verdict == freshet::claim_verdict::taken_over);
    CHECK(again.claim.token > first.token);
}

TEST_CASE_TEMPLATE_DEFINE("completed work is done for everybody, also when its lease would have ended", Fixture,
                          laws_ledger_5) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto claim = laws::granted(ledger, "key", "a");
    REQUIRE(ledger.complete(claim).ok());
    CHECK_MESSAGE(ledger.complete(claim).ok(), "repeated");
    for (const auto later : {0s, 30s, 3600s}) {
        fixture.clock().advance(later);
        for (const auto* owner : {"a", "b"}) {
            const auto answer = laws::ask(ledger, "key", owner);
            CHECK(answer.verdict == freshet::claim_verdict::completed);
            CHECK(!answer.mine());
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("released work is open at once, and was not taken over", Fixture, laws_ledger_6) {
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto first = laws::granted(ledger, "key", "a");
    REQUIRE(ledger.release(first).ok());
    CHECK_MESSAGE(ledger.release(first).ok(), "repeated");
    const auto second = laws::granted(ledger, "key", "b");
    CHECK(second.token > first.token);
    CHECK(laws::ask(ledger, "key", "a").verdict == freshet::claim_verdict::held);
}

TEST_CASE_TEMPLATE_DEFINE("a token that is not the last one changes nothing", Fixture, laws_ledger_7) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto first = laws::granted(ledger, "key", "a", 30s);
    fixture.clock().advance(30s);
    const auto second = laws::ask(ledger, "key", "b", 30s).claim;

    CHECK(laws::is_conflict(ledger.complete(first)));
    CHECK(laws::is_conflict(ledger.release(first)));
    CHECK(laws::is_conflict(ledger.renew(first, 1h)));
    const auto answer = laws::ask(ledger, "key", "c");
    CHECK(answer.verdict == freshet::claim_verdict::held);
    CHECK(answer.claim.expires_at == second.expires_at);

    SUBCASE("nor after the last one completed") {
        REQUIRE(ledger.complete(second).ok());
        CHECK(laws::is_conflict(ledger.complete(first)));
        CHECK(laws::is_conflict(ledger.release(first)));
        CHECK(laws::is_conflict(ledger.renew(first, 1h)));
        CHECK(laws::ask(ledger, "key", "c").verdict == freshet::claim_verdict::completed);
    }
    SUBCASE("nor after the last one was released") {
        REQUIRE(ledger.release(second).ok());
        CHECK(laws::is_conflict(ledger.complete(first)));
        CHECK(laws::is_conflict(ledger.renew(first, 1h)));
        CHECK(laws::ask(ledger, "key", "c").verdict == freshet::claim_verdict::granted);
    }
    SUBCASE("nor does one of another key, or one that was never given") {
        const auto other = laws::granted(ledger, "other", "a");
        auto strange = second;
        strange.token = other.token;
        CHECK(laws::is_conflict(ledger.complete(strange)));
        strange = other;
        strange.key = "never claimed";
        CHECK(laws::is_conflict(ledger.complete(strange)));
        CHECK(laws::is_conflict(ledger.release(strange)));
        CHECK(laws::is_conflict(ledger.renew(strange, 1h)));
        CHECK(laws::ask(ledger, "never claimed", "c").verdict == freshet::claim_verdict::granted);
        CHECK(laws::ask(ledger, "key", "c").verdict == freshet::claim_verdict::held);
    }
}

TEST_CASE_TEMPLATE_DEFINE("the last token is good after its lease ended, as long as nobody took the work over", Fixture,
                          laws_ledger_8) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto claim = laws::granted(ledger, "key", "a", 30s);
    fixture.clock().advance(10min);
    SUBCASE("to complete") {
        CHECK(ledger.complete(claim).ok());
        CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::completed);
    }
    SUBCASE("to release") {
        CHECK(ledger.release(claim).ok());
        CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::granted);
    }
    SUBCASE("to renew") {
        const auto renewed = ledger.renew(claim, 30s);
        REQUIRE(renewed.ok());
        CHECK(renewed->token == claim.token);
        const auto answer = laws::ask(ledger, "key", "b");
        CHECK(answer.verdict == freshet::claim_verdict::held);
        CHECK(answer.claim.expires_at == fixture.clock().now() + 30s);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a renewed lease runs from now on, longer or shorter, under the same token", Fixture,
                          laws_ledger_9) {
    using namespace std::chrono_literals;
    for (const auto lease : {freshet::duration{1min}, freshet::duration{5s}}) {
        CAPTURE(lease.count());
        Fixture fixture;
        auto& ledger = fixture.ledger();
        const auto claim = laws::granted(ledger, "key", "a", 30s);
        fixture.clock().advance(20s);
        const auto renewed = ledger.renew(claim, lease);
        REQUIRE(renewed.ok());
        CHECK((*renewed == freshet::work_claim{"key", claim.token, fixture.clock().now() + lease}));
        fixture.clock().advance(lease - 1us);
        CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::held);
        fixture.clock().advance(1us);
        CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::taken_over);
        CHECK(laws::is_conflict(ledger.renew(*renewed, lease)));
    }
}

TEST_CASE_TEMPLATE_DEFINE("tokens grow from claim to claim, whatever the keys and whatever became of them", Fixture,
                          laws_ledger_10) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    std::uint64_t last = 0;
    const auto grows = [&](const freshet::work_claim& claim) {
        CHECK(claim.token > last);
        last = claim.token;
        return claim;
    };
    CHECK(ledger.complete(grows(laws::granted(ledger, "done", "a"))).ok());
    CHECK(ledger.release(grows(laws::granted(ledger, "given back", "a"))).ok());
    grows(laws::granted(ledger, "given back", "b"));
    grows(laws::granted(ledger, "left", "a", 1s));
    fixture.clock().advance(1s);
    grows(laws::ask(ledger, "left", "b").claim);
    grows(laws::granted(ledger, "new", "c"));
}

TEST_CASE_TEMPLATE_DEFINE("completed work stays done when its claim is released or renewed", Fixture, laws_ledger_11) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto claim = laws::granted(ledger, "key", "a", 30s);
    REQUIRE(ledger.complete(claim).ok());
    CHECK(ledger.release(claim).ok());
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::completed);
    CHECK(ledger.renew(claim, 1s).ok());
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::completed);
    fixture.clock().advance(30s);
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::completed);
}

TEST_CASE_TEMPLATE_DEFINE("work that was released may still be completed, until somebody else has it", Fixture,
                          laws_ledger_12) {
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto claim = laws::granted(ledger, "key", "a");
    REQUIRE(ledger.release(claim).ok());
    CHECK(ledger.complete(claim).ok());
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::completed);
}

TEST_CASE_TEMPLATE_DEFINE("renewing a released claim takes it back, and fails once somebody else had the work",
                          Fixture, laws_ledger_16) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const auto claim = laws::granted(ledger, "key", "a");
    REQUIRE(ledger.release(claim).ok());
    fixture.clock().advance(10s);
    const auto renewed = ledger.renew(claim, 20s);
    REQUIRE(renewed.ok());
    CHECK((*renewed == freshet::work_claim{"key", claim.token, fixture.clock().now() + 20s}));
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::held);
    fixture.clock().advance(20s);
    CHECK(laws::ask(ledger, "key", "b").verdict == freshet::claim_verdict::taken_over);
    CHECK(laws::is_conflict(ledger.renew(claim, 20s)));
}

TEST_CASE_TEMPLATE_DEFINE("a token is never given twice, also when everything was forgotten since", Fixture,
                          laws_ledger_17) {
    using namespace std::chrono_literals;
    Fixture fixture;
    auto& ledger = fixture.ledger();
    std::uint64_t last = 0;
    for (int round = 0; round < 3; ++round) {
        for (const auto* key : {"a", "b", "c"}) {
            const auto answer = laws::ask(ledger, key + std::to_string(round), "owner");
            REQUIRE(answer.mine());
            CHECK(answer.claim.token > last);
            last = answer.claim.token;
        }
        fixture.clock().advance(24h * 3'650);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a lease of no time ends at once", Fixture, laws_ledger_13) {
    using namespace std::chrono_literals;
    Fixture fixture;
    const auto first = laws::granted(fixture.ledger(), "key", "a", 0s);
    const auto second = laws::ask(fixture.ledger(), "key", "b");
    CHECK(second.verdict == freshet::claim_verdict::taken_over);
    CHECK(second.claim.token > first.token);
}

TEST_CASE_TEMPLATE_DEFINE("keys that look alike are different keys, and owners are compared whole", Fixture,
                          laws_ledger_14) {
    Fixture fixture;
    auto& ledger = fixture.ledger();
    const std::vector<std::string> keys{"",  " ",         "a", "A",  "a ", "a'b\"", "IMAGE#1#RECEIPT#00001",
                                        "é", "e\xcc\x81", "%", "a%", "1",  "01",    std::string(2048, 'k')};
    for (const auto& key : keys) {
        CAPTURE(key);
        CHECK(laws::granted(ledger, key, "worker").key == key);
    }
    for (const auto& key : keys) {
        CAPTURE(key);
        for (const auto* owner : {"", "Worker", "worker ", "work"}) {
            CHECK(laws::ask(ledger, key, owner).verdict == freshet::claim_verdict::held);
        }
        CHECK(laws::ask(ledger, key, "worker").mine());
    }
}

namespace laws {

/// What a ledger must know of one key.
struct ledger_entry {
    enum class state { open, held, done } now{state::open};
    std::string owner{};
    std::optional<freshet::work_claim> last{};

    [[nodiscard]] auto verdict(std::string_view asker, freshet::time_point at) const -> freshet::claim_verdict {
        if (now == state::done) { return freshet::claim_verdict::completed; }
        if (now == state::open) { return freshet::claim_verdict::granted; }
        if (last->expires_at <= at) { return freshet::claim_verdict::taken_over; }
        return owner == asker ? freshet::claim_verdict::granted : freshet::claim_verdict::held;
    }
};

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("whatever owners do, a ledger answers as a plain list of keys would", Fixture,
                          laws_ledger_15) {
    using namespace std::chrono_literals;
    using state = laws::ledger_entry::state;
    const auto rounds = support::cases(20);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto seed = support::seed() + round;
        CAPTURE(seed);
        std::mt19937_64 random{seed};
        const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
        Fixture fixture;
        auto& ledger = fixture.ledger();
        std::map<std::string, laws::ledger_entry> known;
        std::vector<freshet::work_claim> claims; // every one that was ever given
        std::uint64_t last_token = 0;
        for (int step = 0; step < 200; ++step) {
            CAPTURE(step);
            const auto now = fixture.clock().now();
            const auto action = below(10);
            if (action < 4) {
                const auto key = "key" + std::to_string(below(8));
                const auto owner = "owner" + std::to_string(below(3));
                const auto lease = std::chrono::seconds{below(60)};
                auto& entry = known[key];
                const auto answer = laws::ask(ledger, key, owner, lease);
                CHECK(answer.verdict == entry.verdict(owner, now));
                if (answer.verdict == freshet::claim_verdict::held) {
                    CHECK(answer.claim.expires_at == entry.last->expires_at);
                }
                if (!answer.mine()) { continue; }
                CHECK(answer.claim.key == key);
                CHECK(answer.claim.token > last_token);
                CHECK(answer.claim.expires_at == now + lease);
                last_token = answer.claim.token;
                claims.push_back(answer.claim);
                entry = {state::held, owner, answer.claim};
            } else if (action < 8 && !claims.empty()) {
                const auto claim = claims[claims.size() - 1 - below(std::min<std::size_t>(claims.size(), 12))];
                auto& entry = known[claim.key];
                const bool is_last = entry.last->token == claim.token;
                if (action == 4) {
                    const auto answer = ledger.complete(claim);
                    CHECK((is_last ? answer.ok() : laws::is_conflict(answer)));
                    if (is_last) { entry.now = state::done; }
                } else if (action == 5) {
                    const auto answer = ledger.release(claim);
                    CHECK((is_last ? answer.ok() : laws::is_conflict(answer)));
                    if (is_last && entry.now == state::held) { entry.now = state::open; }
                } else {
                    const auto lease = std::chrono::seconds{below(60)};
                    const auto answer = ledger.renew(claim, lease);
                    CHECK((is_last ? answer.ok() : laws::is_conflict(answer)));
                    if (answer.ok()) {
                        CHECK((*answer == freshet::work_claim{claim.key, claim.token, now + lease}));
                        entry.last->expires_at = now + lease;
                        if (entry.now == state::open) { entry.now = state::held; }
                    }
                }
            } else if (action == 8) {
                fixture.clock().advance(freshet::duration{std::chrono::seconds{below(20)}});
            } else if (!claims.empty()) { // to the end of a lease, or one microsecond before it
                const auto end = known[claims[below(claims.size())].key].last->expires_at;
                fixture.clock().advance(std::max<freshet::duration>(0us, end - now - freshet::duration{below(2)}));
            }
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("of many threads that ask at once, each time one has the work, under a token of its own",
                          Fixture, laws_ledger_18) {
    Fixture fixture;
    auto& ledger = fixture.ledger();
    if constexpr (freshet::shareable<std::remove_reference_t<decltype(ledger)>>) {
        std::atomic<int> inside{0};
        std::atomic<int> failures{0};
        std::vector<std::vector<std::uint64_t>> tokens(4);
        {
            std::vector<std::jthread> threads;
            for (std::size_t t = 0; t < tokens.size(); ++t) {
                threads.emplace_back([&, t] {
                    const auto owner = "owner" + std::to_string(t);
                    while (tokens[t].size() < 25) {
                        const auto answer = ledger.claim({"key", owner});
                        if (!answer.ok() || !answer->mine()) {
                            std::this_thread::yield();
                            continue;
                        }
                        failures += inside.fetch_add(1);
                        tokens[t].push_back(answer->claim.token);
                        inside.fetch_sub(1);
                        if (!ledger.release(answer->claim).ok()) { ++failures; }
                    }
                });
            }
        }
        CHECK(failures == 0);
        std::vector<std::uint64_t> all;
        for (const auto& some : tokens) { all.insert(all.end(), some.begin(), some.end()); }
        std::sort(all.begin(), all.end());
        CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    }
}

/// Every law of `freshet::ledger`, on these fixtures.
///
/// A fixture is default constructible and then fresh and empty. It gives `ledger()`, and `clock()`, the `manual_clock`
/// that it obeys. The ledger remembers a key for a day at least.
#define FRESHET_LEDGER_LAWS(...)                            \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_11, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_12, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_13, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_14, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_15, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_16, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_17, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_ledger_18, __VA_ARGS__)
