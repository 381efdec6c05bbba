#include <freshet/testing/faults.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <support/cases.hpp>

#include "../core/dies_with.hpp"

namespace {

using freshet::errc;
using freshet::result;
using freshet::testing::call_shape;
using freshet::testing::fault;
using freshet::testing::faults;
using kind = fault::kind;
using words = std::vector<std::string>;

/// Counts how often it was really called.
struct door {
    faults& script;
    int opened{};
    auto open(const std::string& name = "door.open") -> result<int> {
        return script.around(name, [this]() -> result<int> { return ++opened; });
    }
};

} // namespace

TEST_CASE("without a script nothing goes wrong, and the calls are counted and listed") {
    faults script;
    door d{script};
    CHECK(d.open().value() == 1);
    CHECK(d.open("door.shut").value() == 2);
    CHECK(d.open().value() == 3);
    CHECK(script.count("door.open") == 2);
    CHECK(script.count("door.lock") == 0);
    CHECK(script.calls() == std::vector<faults::call>{{"door.open", kind::none},
                                                      {"door.shut", kind::none},
                                                      {"door.open", kind::none}});
    CHECK(script.unused().empty());
}

TEST_CASE("a call that fails before it happens did not happen") {
    faults script;
    door d{script};
    script.next({fault::before(errc::throttled)});
    const auto answer = d.open();
    CHECK(answer.why().code == errc::throttled);
    CHECK(answer.why().note.find("door.open") != std::string::npos);
    CHECK(d.opened == 0);
    CHECK(d.open().ok());
}

TEST_CASE("a call that fails after it happened did happen") {
    faults script;
    door d{script};
    script.next({fault::after()});
    CHECK(d.open().why().code == errc::unavailable);
    CHECK(d.opened == 1);
}

TEST_CASE("others work, or time passes, while a call is held up") {
    faults script;
    door d{script};
    script.next({fault::meanwhile([&] { CHECK(d.open("other.open").value() == 1); })});
    CHECK(d.open().value() == 2);
    CHECK(script.calls().front().operation == "door.open");
}

TEST_CASE("a fault is scripted for the next calls of an operation, or of any") {
    faults script;
    door d{script};
    script.next("b", {fault::before(errc::denied)});
    script.next({fault::none(), fault::before(errc::throttled)});
    CHECK(d.open("a").ok());
    CHECK(d.open("b").why().code == errc::denied);
    CHECK(d.open("b").why().code == errc::throttled);
    CHECK(d.open("b").ok());

    script.next("a", {fault::before()});
    script.next("a", {fault::none(), fault::after()});
    CHECK_FALSE(d.open("a").ok());
    CHECK(d.open("a").ok());
    CHECK_FALSE(d.open("a").ok());
}

TEST_CASE("a fault is scripted for an operation's call of a number, counted from the start") {
    faults script;
    door d{script};
    CHECK(d.open("a").ok());
    script.at("a", 3, fault::before(errc::denied));
    script.next("a", {fault::none(), fault::before(errc::throttled)});
    CHECK(d.open("b").ok());
    CHECK(d.open("a").ok());
    CHECK(d.open("a").why().code == errc::denied);
    CHECK(d.open("a").why().code == errc::throttled);
}

TEST_CASE("a fault lasts until it is healed") {
    faults script;
    door d{script};
    script.always("a", fault::before());
    for (int i = 0; i < 5; ++i) { CHECK_FALSE(d.open("a").ok()); }
    CHECK(d.open("b").ok());
    script.heal("a");
    CHECK(d.open("a").ok());
}

TEST_CASE("a fault that met no call is not forgotten") {
    faults script;
    door d{script};
    script.next({fault::before(), fault::none(), fault::after()});
    script.next("a", {fault::none(), fault::after()});
    script.at("a", 9, fault::before());
    script.always("b", fault::before());
    CHECK(d.open("a").ok());
    CHECK(script.unused() == words{"a, call 9: before", "any call: before", "any call: after", "a: after",
                                   "b, always: before"});
    CHECK_FALSE(d.open("a").ok());
    CHECK_FALSE(d.open("a").ok());
    CHECK(d.open("c").ok());
    CHECK_FALSE(d.open("c").ok());
    CHECK_FALSE(d.open("b").ok());
    CHECK(script.unused() == words{"a, call 9: before"});
}

TEST_CASE("chance is seeded, hits its rate, and draws only what fits the call") {
    CAPTURE(support::seed());
    const auto codes = [](std::uint64_t seed) {
        faults script;
        door d{script};
        script.by_chance(0.25, seed, {fault::before(errc::throttled), fault::after(errc::denied), fault::partly(1)});
        std::string drawn;
        for (int i = 0; i < 4'000; ++i) {
            const auto answer = d.open();
            drawn += answer.ok() ? '.' : answer.why().code == errc::throttled ? 'b' : 'a';
        }
        return drawn;
    };
    const auto drawn = codes(support::seed());
    CHECK(drawn == codes(support::seed()));
    CHECK(drawn != codes(support::seed() + 1));
    for (const auto letter : {'a', 'b'}) {
        const auto times = std::count(drawn.begin(), drawn.end(), letter);
        CHECK(times > 400);
        CHECK(times < 600);
    }

    faults never;
    door d{never};
    never.by_chance(0, 1, {fault::before()});
    for (int i = 0; i < 100; ++i) { CHECK(d.open().ok()); }
    never.by_chance(1, 1, {fault::before()});
    for (int i = 0; i < 100; ++i) { CHECK_FALSE(d.open().ok()); }
    never.by_chance(1, 1, {fault::refuse({0}, errc::throttled, true)});
    CHECK(d.open().ok());
}

TEST_CASE("a scripted fault that cannot happen to its call is misuse") {
    CHECK(dies_with([] {
        faults script;
        script.next({fault::partly(3)});
        static_cast<void>(door{script}.open());
    }) == "freshet: faults: partly does not fit door.open\n");
}

TEST_CASE("faults fit the calls in which they can happen") {
    for (const auto what : {kind::none, kind::before, kind::after, kind::meanwhile}) {
        CHECK(fits(what, call_shape::single));
        CHECK(fits(what, call_shape::batch));
        CHECK(fits(what, call_shape::receive));
    }
    for (const auto what : {kind::partly, kind::refuse}) {
        CHECK(fits(what, call_shape::batch));
        CHECK_FALSE(fits(what, call_shape::receive));
    }
    for (const auto what : {kind::twice, kind::shuffled}) {
        CHECK(fits(what, call_shape::receive));
        CHECK_FALSE(fits(what, call_shape::single));
    }
}
