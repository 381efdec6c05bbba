#include <freshet/job/batch_job.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/testing/shuffled_executor.hpp>
#include <support/cases.hpp>

#include "batch_world.hpp"

namespace {

using namespace std::chrono_literals;
using batch_world::process;
using freshet::batch_outcome;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};

struct random_job {
    std::mt19937_64 random;
    batch_world::stores world{};
    freshet::batch_job_options options{batch_world::quick_options()};
    std::uint64_t last_token{};
    std::string last_place{};
    std::set<std::string> worked{}; ///< in this round

    [[nodiscard]] auto upto(std::size_t most) -> std::size_t { return random() % (most + 1); }

    void begin() {
        const std::vector<std::string> kinds{"good",  "good",   "undecided", "malformed",
                                             "flaky", "throws", "down",      "slow"};
        std::vector<std::string> some;
        for (std::size_t i = upto(12); i != 0; --i) { some.push_back(kinds[upto(kinds.size() - 1)]); }
        world.fill(some.size(), some);
        options.batch = 1 + upto(6);
        options.at_once = 1 + upto(3); // what the executor does not do: batches take longer than planned
        options.page_size = upto(5);
        options.reserve = std::chrono::seconds{upto(8)};
        options.first_guess = std::chrono::milliseconds{upto(9'000)};
        options.retries = {.retries = static_cast<unsigned>(upto(3)), .base = std::chrono::milliseconds{upto(3'000)}};
        options.retries.retry_failed = upto(1) == 1;
        options.most_undecided = 1 + static_cast<unsigned>(upto(3));
        options.seed = random();
    }

    /// A run that has little time, and may die; whether the round is complete by what it answers.
    auto run(freshet::time_point due, const std::string& name, bool mortal) -> bool {
        freshet::testing::shuffled_executor crew{random()};
        process one{world, crew, options};
        if (mortal && upto(2) == 0) { one.of.last = 1 + upto(80); }
        one.of.reaches = upto(1) == 1;
        const auto limit = std::chrono::seconds{45 + upto(60)};
        const auto began = world.time.now();
        const auto answer = one.job.run({.due = due, .run = name, .limit = limit});
        check(one, freshet::deadline::in(limit, began));
        if (one.of.dead()) {
            world.time.advance(options.lease);
            return false;
        }
        REQUIRE(answer);
        CHECK(answer->outcome != batch_outcome::held);
        CHECK(answer->outcome != batch_outcome::failed);
        if (answer->outcome == batch_outcome::already_done) { return true; }
        CHECK(answer->report.resume >= last_place);
        CHECK(answer->report.took() <= limit + 10s); // what keeps the report may wait for nothing here
        last_place = answer->report.resume;
        return answer->outcome == batch_outcome::complete;
    }

    void check(const process<freshet::testing::shuffled_executor>& one, const freshet::deadline& until) {
        for (const auto& deed : one.does.deeds) {
            CAPTURE(deed.what);
            CAPTURE(deed.group);
            const bool is_work = deed.what == "work";
            CHECK_FALSE((is_work ? freshet::less_reserve(until, options.reserve) : until).passed(deed.at));
            if (is_work) { worked.insert(deed.group); }
            if (is_work) { continue; }
            CHECK(deed.token >= last_token);
            last_token = deed.token;
        }
        bool learned = false; // what one group costs may be more than there is, before
        for (const auto& line : one.lines) {
            learned = learned || line.starts_with("group_applied");
            const auto number = [&](const std::string& field) {
                return std::stoll(line.substr(line.find(' ' + field + '=') + field.size() + 2));
            };
            if (!line.starts_with("batch_began") || (!learned && number("groups") == 1)) { continue; }
            CHECK(number("expected") <= number("time_left"));
        }
    }
};

/// What two rounds make of an item, by its kind and its group's.
auto expected_state(const batch_world::item& one, const std::string& kind_of_group, unsigned most) -> std::string {
    const std::set<std::string> failing{"malformed", "throws", "down"};
    const bool decided = !failing.contains(kind_of_group) && one.kind != "undecided";
    return decided ? "VALID" : most <= 2 ? "NEEDS_REVIEW" : "PENDING";
}

} // namespace

TEST_CASE("whatever time runs have and wherever they die: in time, every group in every round, and the same end") {
    CAPTURE(support::seed());
    for (std::size_t i = 0; i != support::cases(60); ++i) {
        CAPTURE(i);
        random_job job{std::mt19937_64{support::seed() + i}};
        job.begin();
        std::vector<std::string> letters;
        const auto flaky_fails = job.options.retries.retries == 0;
        for (const auto due : {sunday, sunday + 168h}) {
            std::set<std::string> waiting;
            for (const auto& [key, one] : job.world.all()) {
                if (one.state == "PENDING") { waiting.insert(one.group); }
            }
            job.last_place.clear();
            job.worked.clear();
            for (int again = 0;; ++again) {
                REQUIRE(again < 60);
                if (job.run(due, "run " + std::to_string(again), again < 10)) { break; }
            }
            CHECK(job.worked == waiting);
            for (const auto& group : waiting) {
                const auto kind = job.world.all().at(group + "/a").kind;
                const bool fails = kind == "malformed" || kind == "throws" || kind == "down";
                if (fails) { letters.push_back(batch_world::text_of(due) + "/" + group); }
            }
        }
        std::sort(letters.begin(), letters.end());
        if (flaky_fails) { continue; }
        // A queue may remember a letter for less time than it takes to begin again twice: it may come twice, then.
        auto found = job.world.take_letters();
        found.erase(std::unique(found.begin(), found.end()), found.end());
        CHECK(found == letters);
        for (const auto& found_item : job.world.all()) {
            const auto& one = found_item.second;
            CAPTURE(one.group);
            CAPTURE(one.id);
            const auto kind = job.world.all().at(one.group + "/a").kind;
            CHECK(one.state == expected_state(one, kind, job.options.most_undecided));
        }
    }
}
