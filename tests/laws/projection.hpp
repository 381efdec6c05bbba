#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/projection.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>

#include "../support/cases.hpp"

namespace laws {

/// What an item is: a number, or gone.
using projected_state = std::optional<unsigned>;

[[nodiscard]] inline auto mark(std::string_view sequence, std::uint64_t token = 1) -> freshet::applied_mark {
    return {*freshet::sequence_number::parse(sequence), token};
}

[[nodiscard]] auto update_for(auto& fixture, std::size_t item, projected_state state) {
    auto update = fixture.store().read(fixture.message(item, state));
    REQUIRE_MESSAGE(update.ok(), (update.ok() ? "" : update.why().note));
    return *std::move(update);
}

[[nodiscard]] auto apply(auto& fixture, std::size_t item, projected_state state, const freshet::applied_mark& mark)
    -> freshet::result<void> {
    return fixture.store().apply(update_for(fixture, item, state), mark);
}

[[nodiscard]] auto last_of(auto& fixture, std::size_t item) -> std::optional<freshet::applied_mark> {
    const std::string name = fixture.store().item_of(update_for(fixture, item, 0U));
    const auto last = fixture.store().last_applied(name);
    REQUIRE_MESSAGE(last.ok(), (last.ok() ? "" : last.why().note));
    return *last;
}

[[nodiscard]] inline auto is_refused(const freshet::result<void>& answer) -> bool {
    return !answer.ok() && answer.why().code == freshet::errc::conflict && !answer.why().note.empty();
}

} // namespace laws

TEST_CASE_TEMPLATE_DEFINE("reading a message changes nothing, and a message that says nothing usable is malformed",
                          Fixture, laws_projection_1) {
    Fixture fixture;
    for (const auto& broken : fixture.broken_messages()) {
        CAPTURE(broken.body);
        const auto read = fixture.store().read(broken);
        REQUIRE(!read.ok());
        CHECK(read.why().code == freshet::errc::malformed);
        CHECK(!read.why().note.empty());
    }
    const auto before = fixture.says(0);
    static_cast<void>(laws::update_for(fixture, 0, 7U));
    static_cast<void>(laws::update_for(fixture, 0, std::nullopt));
    CHECK(fixture.says(0) == before);
    CHECK(!laws::last_of(fixture, 0));
}

TEST_CASE_TEMPLATE_DEFINE("updates of one item name the same item, and those of others another one", Fixture,
                          laws_projection_2) {
    Fixture fixture;
    std::map<std::string, std::size_t> named;
    for (std::size_t item = 0; item < Fixture::items; ++item) {
        for (const auto& state : {laws::projected_state{0U}, laws::projected_state{5U}, laws::projected_state{}}) {
            const std::string name = fixture.store().item_of(laws::update_for(fixture, item, state));
            CHECK(named.try_emplace(name, item).first->second == item);
        }
    }
    CHECK(named.size() == Fixture::items);
}

TEST_CASE_TEMPLATE_DEFINE("an applied update shows, with its mark, and leaves the other items alone", Fixture,
                          laws_projection_3) {
    Fixture fixture;
    std::vector<laws::projected_state> others;
    for (std::size_t item = 0; item < Fixture::items; ++item) { others.push_back(fixture.says(item)); }
    CHECK(!laws::last_of(fixture, 1));
    REQUIRE(laws::apply(fixture, 1, 4U, laws::mark("10", 3)).ok());
    CHECK(fixture.says(1) == 4U);
    CHECK(laws::last_of(fixture, 1) == laws::mark("10", 3));
    REQUIRE(laws::apply(fixture, 1, 5U, laws::mark("11", 3)).ok());
    CHECK(fixture.says(1) == 5U);
    CHECK(laws::last_of(fixture, 1) == laws::mark("11", 3));
    for (std::size_t item = 0; item < Fixture::items; ++item) {
        if (item == 1) { continue; }
        CAPTURE(item);
        CHECK(fixture.says(item) == others[item]);
        CHECK(!laws::last_of(fixture, item));
    }
}

TEST_CASE_TEMPLATE_DEFINE("a removal shows, leaves its mark behind, and keeps what is older away", Fixture,
                          laws_projection_4) {
    Fixture fixture;
    REQUIRE(laws::apply(fixture, 0, 1U, laws::mark("5")).ok());
    REQUIRE(laws::apply(fixture, 0, std::nullopt, laws::mark("7")).ok());
    CHECK(!fixture.says(0));
    CHECK(laws::last_of(fixture, 0) == laws::mark("7"));
    CHECK(laws::is_refused(laws::apply(fixture, 0, 2U, laws::mark("6"))));
    CHECK(!fixture.says(0));
    REQUIRE(laws::apply(fixture, 0, 3U, laws::mark("8")).ok());
    CHECK(fixture.says(0) == 3U);
    CHECK_MESSAGE(laws::apply(fixture, 2, std::nullopt, laws::mark("1")).ok(), "also of an item that never was");
    CHECK(laws::last_of(fixture, 2) == laws::mark("1"));
}

TEST_CASE_TEMPLATE_DEFINE(
    "what is not newer than the mark is refused and changes nothing; the very mark succeeds again", Fixture,
    laws_projection_5) {
    Fixture fixture;
    REQUIRE(laws::apply(fixture, 0, 1U, laws::mark("100", 5)).ok());
    CHECK(laws::is_refused(laws::apply(fixture, 0, 2U, laws::mark("99", 6))));
    CHECK(laws::is_refused(laws::apply(fixture, 0, 2U, laws::mark("100", 6))));
    CHECK(laws::is_refused(laws::apply(fixture, 0, 2U, laws::mark("100", 4))));
    CHECK(laws::is_refused(laws::apply(fixture, 0, 2U, laws::mark("9", 6))));
    CHECK(laws::apply(fixture, 0, 1U, laws::mark("100", 5)).ok());
    CHECK_MESSAGE(laws::apply(fixture, 0, 1U, laws::mark("0100", 5)).ok(), "a leading zero is no other number");
    CHECK(fixture.says(0) == 1U);
    CHECK(laws::last_of(fixture, 0) == laws::mark("100", 5));
}

TEST_CASE_TEMPLATE_DEFINE("a worker whose token is smaller than the mark's is refused, however new his update", Fixture,
                          laws_projection_6) {
    Fixture fixture;
    REQUIRE(laws::apply(fixture, 0, 1U, laws::mark("100", 5)).ok());
    CHECK(laws::is_refused(laws::apply(fixture, 0, 2U, laws::mark("200", 4))));
    CHECK(fixture.says(0) == 1U);
    CHECK(laws::last_of(fixture, 0) == laws::mark("100", 5));
    CHECK_MESSAGE(laws::apply(fixture, 0, 3U, laws::mark("101", 5)).ok(), "the same worker goes on");
    CHECK_MESSAGE(laws::apply(fixture, 0, 4U, laws::mark("102", 9)).ok(), "and so does his successor");
    CHECK(fixture.says(0) == 4U);
}

TEST_CASE_TEMPLATE_DEFINE("sequence numbers are compared as numbers of up to 40 digits", Fixture, laws_projection_7) {
    Fixture fixture;
    const std::string most(40, '9');
    const auto below = most.substr(1) + "8";
    REQUIRE(laws::apply(fixture, 0, 1U, laws::mark("9")).ok());
    REQUIRE(laws::apply(fixture, 0, 2U, laws::mark("10")).ok());
    REQUIRE(laws::apply(fixture, 0, 3U, laws::mark("18446744073709551616")).ok());
    REQUIRE(laws::apply(fixture, 0, 4U, laws::mark(below)).ok());
    REQUIRE(laws::apply(fixture, 0, 5U, laws::mark(most)).ok());
    CHECK(laws::is_refused(laws::apply(fixture, 0, 6U, laws::mark(below))));
    CHECK(laws::last_of(fixture, 0) == laws::mark(most));
    CHECK(fixture.says(0) == 5U);
}

TEST_CASE_TEMPLATE_DEFINE("whatever comes, in whatever order and how often, each item ends as its newest update says",
                          Fixture, laws_projection_8) {
    struct known {
        freshet::applied_mark mark;
        laws::projected_state state;
    };
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
    for (auto run = support::cases(3); run != 0; --run) {
        Fixture fixture;
        std::map<std::size_t, known> oracle;
        std::map<std::size_t, laws::projected_state> first;
        for (std::size_t item = 0; item < Fixture::items; ++item) { first[item] = fixture.says(item); }
        for (std::size_t step = 0; step < 120; ++step) {
            const auto item = below(Fixture::items);
            const auto mark = laws::mark(std::to_string(below(40)), below(4));
            const auto state =
                below(4) == 0 ? laws::projected_state{} : laws::projected_state{static_cast<unsigned>(below(10))};
            const auto at = oracle.find(item);
            const bool again = at != oracle.end() && at->second.mark == mark;
            const bool newer =
                at == oracle.end() || (at->second.mark.sequence < mark.sequence && at->second.mark.token <= mark.token);
            const auto answer = laws::apply(fixture, item, again ? at->second.state : state, mark);
            CHECK(answer.ok() == (again || newer));
            CHECK((answer.ok() || laws::is_refused(answer)));
            if (newer) { oracle.insert_or_assign(item, known{mark, state}); }
            const auto now = oracle.find(item);
            CHECK(fixture.says(item) == (now == oracle.end() ? first[item] : now->second.state));
        }
        Fixture other;
        for (const auto& [item, is] : oracle) { // the newest alone ends where all of them did
            REQUIRE(laws::apply(other, item, is.state, is.mark).ok());
            CHECK(other.says(item) == is.state);
            CHECK(other.says(item) == fixture.says(item));
            CHECK(laws::last_of(other, item) == laws::last_of(fixture, item));
        }
    }
}

/// Every law of `freshet::projection`, on these fixtures.
///
/// A fixture is default constructible and then fresh: nothing was applied. It gives `store()`, the projection; `items`,
/// how many items it knows, at least 3; `message(item, state)`, the `received_message` that says that this item is that
/// number now, or is gone; `says(item)`, which of them the store shows; and `broken_messages()`, some that are
/// malformed.
#define FRESHET_PROJECTION_LAWS(...)                           \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_1, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_2, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_3, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_4, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_5, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_6, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_7, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_projection_8, __VA_ARGS__)
