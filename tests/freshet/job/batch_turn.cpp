#include <freshet/job/batch_turn.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/ledger.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::apply_counts;
using freshet::deadline;
using freshet::errc;
using freshet::result;
using freshet::turn_end;

using clock = freshet::testing::manual_clock;
using group = freshet::item_group<int>;

struct steps {
    using item_type = int;
    std::function<result<std::string>()> how = [] { return std::string{"outcome"}; };
    std::function<result<apply_counts>()> effects = [] { return apply_counts{.validated = 2}; };
    std::vector<std::string> calls{};
    freshet::work_context worked_under{};
    freshet::apply_context applied_under{};

    [[nodiscard]] auto work(const group& of, const freshet::work_context& context) -> result<std::string> {
        calls.push_back("work " + of.key);
        worked_under = context;
        return how();
    }
    [[nodiscard]] auto apply(const group& of, const std::string& outcome, const freshet::apply_context& context)
        -> result<apply_counts> {
        calls.push_back("apply " + of.key + " " + outcome);
        applied_under = context;
        return effects();
    }
};

struct world {
    clock time{clock{}.now()};
    adapters::memory::ledger<clock> ledger{time};
    freshet::work_claim claim{ledger.claim({"round", "mine", 60s})->claim};
    freshet::round_lease<adapters::memory::ledger<clock>> lease{ledger, claim, 60s};
    freshet::patience<clock> calls{time, {.retries = 2, .base = 8s}, 1};
    std::stop_source stop{};
    freshet::apply_context context{{deadline::in(30s, time.now()), stop.get_token(), time.now()}, claim.token, 3};
    deadline effects_until{deadline::in(40s, time.now())};
    steps does{};
    freshet::duration needs{};

    auto turn() -> freshet::batch_turn {
        return take_turn(does, group{"a", {1}}, context, effects_until, lease, calls, needs);
    }
};

} // namespace

TEST_CASE("a turn is the work and its effects, under the contexts that were given") {
    world now{};
    now.does.how = [&] {
        now.time.advance(3s);
        return std::string{"done"};
    };
    const auto turn = now.turn();
    CHECK(turn.how == turn_end::applied);
    CHECK(turn.counts == apply_counts{.validated = 2});
    CHECK(turn.took == 3s);
    CHECK(turn.retries == 0);
    CHECK(now.does.calls == std::vector<std::string>{"work a", "apply a done"});
    CHECK(now.does.worked_under.until == now.context.until);
    CHECK(now.does.applied_under.token == now.claim.token);
    CHECK(now.does.applied_under.most_undecided == 3);
}

TEST_CASE("a turn does not begin after a stop, at the deadline, or without the claim") {
    std::vector<std::function<void(world&)>> reasons{[](world& now) { now.stop.request_stop(); },
                                                     [](world& now) { now.time.advance(30s); },
                                                     [](world& now) { now.needs = 30s; },
                                                     [](world& now) {
                                                         now.context.until = deadline::never();
                                                         now.time.advance(60s);
                                                         REQUIRE(now.ledger.claim({"round", "other", 60s}));
                                                     }};
    for (const auto& reason : reasons) {
        world now{};
        reason(now);
        CHECK(now.turn().how == turn_end::cut_short);
        CHECK(now.does.calls.empty());
    }
}

TEST_CASE("work that took too long has no effects, nor has work whose claim is lost") {
    for (const bool lost : {false, true}) {
        world now{};
        if (lost) { now.effects_until = deadline::never(); }
        now.does.how = [&] {
            now.time.advance(60s);
            if (lost) { REQUIRE(now.ledger.claim({"round", "other", 60s})); }
            return std::string{};
        };
        const auto turn = now.turn();
        CHECK(turn.how == (lost ? turn_end::cut_short : turn_end::out_of_time));
        CHECK(turn.why.code == errc::expired);
        CHECK(now.does.calls == std::vector<std::string>{"work a"});
    }
}

TEST_CASE("work that ends in the reserve is applied still") {
    world now{};
    now.does.how = [&] {
        now.time.advance(35s);
        return std::string{};
    };
    CHECK(now.turn().how == turn_end::applied);
}

TEST_CASE("what helps is tried again, in the work and in the effects, and only what failed") {
    world now{};
    int left = 2;
    now.does.effects = [&]() -> result<apply_counts> {
        if (left-- > 0) { return freshet::error{errc::throttled, "slower"}; }
        return apply_counts{};
    };
    const auto turn = now.turn();
    CHECK(turn.how == turn_end::applied);
    CHECK(turn.retries == 2);
    CHECK(now.does.calls.size() == 4); // the work once
}

TEST_CASE("a failure is the turn's own, be it answered or thrown; expired before its time is one") {
    world now{};
    now.does.how = []() -> result<std::string> { throw std::runtime_error{"thrown"}; };
    CHECK(now.turn().why == freshet::error{errc::failed, "thrown"});
    CHECK(now.turn().how == turn_end::failed);
    now.does.how = [] { return freshet::error{errc::expired, "a session ended"}; };
    CHECK(now.turn().how == turn_end::failed);
    now.does.how = [&] {
        now.stop.request_stop();
        return freshet::error{errc::expired, "stopped"};
    };
    CHECK(now.turn().how == turn_end::cut_short);
}

TEST_CASE("a deadline that ends the work, or keeps it from its next try, is no failure of the group's, and is told") {
    world now{};
    now.does.how = [&] {
        now.time.advance(30s);
        return freshet::error{errc::expired, "no time"};
    };
    CHECK(now.turn().how == turn_end::out_of_time);
    now.context.until = deadline::in(1us, now.time.now());
    now.does.how = [] { return freshet::error{errc::throttled, "slower"}; };
    CHECK(now.turn().how == turn_end::out_of_time);
    CHECK(now.turn().why.note == "slower");
}

TEST_CASE("effects are not tried again without the claim, whatever the waits before it took") {
    world now{};
    now.effects_until = deadline::never();
    now.does.effects = [&]() -> result<apply_counts> {
        now.time.advance(60s);
        REQUIRE(now.ledger.claim({"round", "other", 60s}));
        return freshet::error{errc::unavailable, "not yet"};
    };
    CHECK(now.turn().how == turn_end::cut_short);
    CHECK(now.does.calls.size() == 2);
}
