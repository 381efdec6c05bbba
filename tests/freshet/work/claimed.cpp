#include <freshet/work/claimed.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/ledger.hpp>
#include <freshet/core/result.hpp>

namespace {

using freshet::claim_answer;
using freshet::claim_request;
using freshet::claim_verdict;
using freshet::claimed_outcome;
using freshet::claimed_state;
using freshet::do_claimed;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::time_point;
using freshet::work_claim;
using namespace std::chrono_literals;

constexpr time_point noon{freshet::duration{1'736'942'400'000'000}};
const error down{errc::unavailable, "ledger: down"};
const error lost{errc::conflict, "ledger: token 7 is not the last"};

/// Writes down each call, and answers with the next scripted failure of that call, if there is one.
struct scripted_ledger {
    claim_answer answer{claim_verdict::granted, {"item", 7, noon + 30s}};
    std::vector<error> claims{}, completions{}, releases{};
    std::vector<std::string> calls{};

    auto claim(const claim_request& request) -> result<claim_answer> {
        calls.push_back("claim " + std::string{request.key} + " by " + std::string{request.owner});
        if (auto why = next(claims); why.code != none) { return why; }
        return answer;
    }
    auto complete(const work_claim& claim) -> result<void> { return ended("complete", claim, completions); }
    auto release(const work_claim& claim) -> result<void> { return ended("release", claim, releases); }

private:
    static constexpr auto none = static_cast<errc>(-1);
    static auto next(std::vector<error>& failures) -> error {
        if (failures.empty()) { return {none, {}}; }
        auto first = failures.front();
        failures.erase(failures.begin());
        return first;
    }
    auto ended(const char* how, const work_claim& claim, std::vector<error>& failures) -> result<void> {
        calls.push_back(how + (" " + claim.key) + " " + std::to_string(claim.token));
        if (auto why = next(failures); why.code != none) { return why; }
        return {};
    }
};

struct bench {
    scripted_ledger ledger{};
    std::vector<std::uint64_t> applied{}; ///< tokens
    result<void> answer{};

    auto run() -> result<claimed_outcome> {
        return do_claimed(ledger, {.key = "item", .owner = "a"}, [this](const work_claim& claim) {
            applied.push_back(claim.token);
            return answer;
        });
    }
};

using words = std::vector<std::string>;

} // namespace

TEST_CASE("granted work is applied once, with its token, and completed") {
    bench b;
    CHECK(b.run().value() == claimed_outcome{claimed_state::done, {}, false});
    CHECK(b.applied == std::vector<std::uint64_t>{7});
    CHECK(b.ledger.calls == words{"claim item by a", "complete item 7"});
}

TEST_CASE("work that somebody left half done is applied too, and the outcome says so") {
    bench b;
    b.ledger.answer.verdict = claim_verdict::taken_over;
    CHECK(b.run().value() == claimed_outcome{claimed_state::done, {}, true});
    CHECK(b.applied.size() == 1);
}

TEST_CASE("work that is done is not applied again") {
    bench b;
    b.ledger.answer.verdict = claim_verdict::completed;
    CHECK(b.run()->state == claimed_state::already_done);
    CHECK(b.applied.empty());
    CHECK(b.ledger.calls.size() == 1);
}

TEST_CASE("work that somebody else is at says until when") {
    bench b;
    b.ledger.answer.verdict = claim_verdict::held;
    CHECK(b.run().value() == claimed_outcome{claimed_state::held, noon + 30s, false});
    CHECK(b.applied.empty());
    CHECK(b.ledger.calls.size() == 1);
}

TEST_CASE("failing work is given back, and its failure is the answer") {
    bench b;
    b.answer = error{errc::throttled, "store: slower"};
    CHECK(b.run().why() == error{errc::throttled, "store: slower"});
    CHECK(b.ledger.calls == words{"claim item by a", "release item 7"});
}

TEST_CASE("throwing work is given back, and what it said is kept") {
    scripted_ledger ledger;
    const auto answer = do_claimed(ledger, {.key = "item", .owner = "a"},
                                   [](const work_claim&) -> result<void> { throw std::runtime_error{"disk full"}; });
    CHECK(answer.why() == error{errc::failed, "disk full"});
    CHECK(ledger.calls.back() == "release item 7");

    const auto odd = do_claimed(ledger, {.key = "item", .owner = "a"},
                                [](const work_claim&) -> result<void> { throw 7; });
    CHECK(odd.why().code == errc::failed);
}

TEST_CASE("a release that fails hides nothing: the lease ends by itself") {
    bench b;
    b.answer = error{errc::malformed, "store: no such row"};
    b.ledger.releases = {down};
    CHECK(b.run().why().code == errc::malformed);
}

TEST_CASE("a lease that was lost meanwhile is a conflict, and is not completed twice") {
    bench b;
    b.ledger.completions = {lost};
    CHECK(b.run().why() == lost);
    CHECK(b.ledger.calls == words{"claim item by a", "complete item 7"});
}

TEST_CASE("a claim whose answer was lost is asked once more") {
    bench b;
    b.ledger.claims = {down};
    CHECK(b.run()->state == claimed_state::done);
    CHECK(b.applied.size() == 1);

    b.ledger.claims = {down, down};
    CHECK(b.run().why() == down);
    CHECK(b.applied.size() == 1);

    b.ledger.claims = {{errc::throttled, "ledger: slower"}};
    CHECK(b.run().why().code == errc::throttled);
}

TEST_CASE("a completion whose answer was lost is repeated once, and the work is not") {
    bench b;
    b.ledger.completions = {down};
    CHECK(b.run()->state == claimed_state::done);
    CHECK(b.applied.size() == 1);

    b.ledger.completions = {down, down};
    b.ledger.calls.clear();
    CHECK(b.run().why() == down);
    CHECK(b.ledger.calls == words{"claim item by a", "complete item 7", "complete item 7"});
}
