#include <freshet/stream/batch_verdict.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <support/cases.hpp>

namespace {

using freshet::batch_response;
using freshet::batch_verdict;
using freshet::isolation;
using extent = batch_response::extent;

static_assert(batch_response{}.success());
static_assert(!batch_response::fail_all().success());

constexpr std::string_view success = R"({"batchItemFailures":[]})";
constexpr std::string_view whole = R"({"batchItemFailures":[{"itemIdentifier":""}]})";

auto from(std::string_view number) -> std::string {
    return R"({"batchItemFailures":[{"itemIdentifier":")" + std::string{number} + R"("}]})";
}

/// The response's text, for numbers in batch order of which those at `failures` failed and the rest was done.
auto answer(const std::vector<std::string_view>& numbers, const std::vector<std::size_t>& failures) -> std::string {
    batch_verdict verdict{numbers.size()};
    for (auto i = numbers.size(); i-- != 0;) {
        if (std::find(failures.begin(), failures.end(), i) == failures.end()) { verdict.done(i); }
        else { verdict.failed(i, "g"); }
    }
    std::string out;
    write_response(out, verdict.response([&](std::size_t i) { return numbers[i]; }));
    return out;
}

} // namespace

TEST_CASE("a batch of which all is done is a success") {
    CHECK(answer({"1", "2", "3"}, {}) == success);
    CHECK(answer({"", "x", "3"}, {}) == success);
    CHECK(answer({}, {}) == success);
}

TEST_CASE("the checkpoint is the first failure in batch order, whatever came first in time") {
    CHECK(answer({"11", "12", "13", "14", "15"}, {2}) == from("13"));
    CHECK(answer({"11", "12", "13", "14", "15"}, {4, 2, 3}) == from("13"));
    CHECK(answer({"9", "10", "11"}, {1}) == from("10"));
    CHECK(answer({"007", "8", "0009"}, {0, 2}) == from("007"));
}

TEST_CASE("a record that nobody reported is not done") {
    batch_verdict verdict{3};
    verdict.done(0);
    verdict.done(2);
    CHECK(verdict.unfinished() == 1);
    CHECK(verdict.is_done(0));
    CHECK(!verdict.is_done(1));
    const std::array<std::string_view, 3> numbers{"1", "2", "3"};
    const auto response = verdict.response([&](std::size_t i) { return numbers[i]; });
    CHECK(response.again == extent::from_checkpoint);
    CHECK(response.checkpoint.view() == "2");
}

TEST_CASE("a record that was reported as failed stays failed") {
    batch_verdict verdict{2};
    verdict.done(0), verdict.failed(0, "g"), verdict.done(0);
    verdict.failed(1, "g"), verdict.done(1);
    CHECK(verdict.unfinished() == 2);
}

TEST_CASE("a failure without a readable number answers with the nearest readable one before it") {
    CHECK(answer({"1", "2", "", "4"}, {2}) == from("2"));
    CHECK(answer({"1", "x", "3\"", "4"}, {2}) == from("1"));
    CHECK(answer({"1", "2", std::string_view{"3\0", 2}, "4"}, {2, 3}) == from("2"));
}

TEST_CASE("a failure with no readable number up to it fails the whole batch, and echoes nothing") {
    CHECK(answer({"", "2", "3"}, {0}) == whole);
    CHECK(answer({"\"}]}", "-1", "3"}, {1, 2}) == whole);
    CHECK(answer({"12345678901234567890123456789012345678901"}, {0}) == whole);
}

TEST_CASE("numbers that do not ascend never hide a failure behind the checkpoint") {
    CHECK(answer({"5", "3", "4"}, {0}) == whole);            // from 5 on is nothing by number
    CHECK(answer({"1", "5", "3"}, {1, 2}) == from("1"));     // 5 leaves 3 out by number, 3 leaves 5 out by place
    CHECK(answer({"1", "2", "2", "3"}, {1}) == from("1"));   // the second 2 might be taken for the checkpoint
    CHECK(answer({"1", "2", "2", "3"}, {2}) == from("2"));
    CHECK(answer({"2", "2"}, {0}) == whole);
    CHECK(answer({"9", "1", "2", "3"}, {2}) == from("2"));
    CHECK(answer({"9", "1", "", "3"}, {2}) == whole);        // nobody knows where the unreadable one belongs
}

TEST_CASE("an event that could not be taken apart fails as a whole") {
    std::string out = "> ";
    write_response(out, batch_response::fail_all());
    CHECK(out == "> " + std::string{whole});
}

TEST_CASE("after a failure isolation by batch holds everything that follows and nothing before") {
    batch_verdict verdict{5, isolation::batch};
    verdict.failed(2, "a");
    CHECK(verdict.may_process(0, "a"));
    CHECK(verdict.may_process(1, std::nullopt));
    CHECK(verdict.may_process(2, "a")); // the failed one itself: it may be tried again
    CHECK(!verdict.may_process(3, "b"));
    CHECK(!verdict.may_process(4, std::nullopt));
}

TEST_CASE("isolation by group holds the failed group's later records only") {
    batch_verdict verdict{6, isolation::group};
    CHECK(verdict.may_process(5, "a"));
    verdict.failed(4, "a");
    verdict.failed(2, "a");
    verdict.failed(3, "a");
    CHECK(verdict.may_process(1, "a"));
    CHECK(verdict.may_process(2, "a"));
    CHECK(!verdict.may_process(3, "a"));
    CHECK(!verdict.may_process(5, "a"));
    CHECK(verdict.may_process(5, "b"));
    CHECK(verdict.may_process(5, ""));
}

TEST_CASE("a failed record without a readable group is a barrier to all that follows") {
    batch_verdict verdict{5, isolation::group};
    verdict.failed(2, std::nullopt);
    CHECK(verdict.may_process(1, "a"));
    CHECK(verdict.may_process(2, "a")); // the failed one itself, its group by now known
    CHECK(verdict.may_process(2, std::nullopt));
    CHECK(!verdict.may_process(3, "a"));
    CHECK(!verdict.may_process(4, "b"));
}

TEST_CASE("a record without a readable group waits for every failure before it") {
    batch_verdict verdict{5, isolation::group};
    verdict.failed(2, "a");
    CHECK(verdict.may_process(1, std::nullopt));
    CHECK(!verdict.may_process(3, std::nullopt));
}

TEST_CASE("isolation by record holds nothing") {
    batch_verdict verdict{3, isolation::record};
    verdict.failed(0, std::nullopt);
    verdict.failed(1, "a");
    CHECK(verdict.may_process(2, "a"));
}

TEST_CASE("a held record is delivered again with the failure that holds it") {
    batch_verdict verdict{4, isolation::group};
    const std::array<std::string_view, 4> groups{"a", "b", "a", "b"};
    const std::array<std::string_view, 4> numbers{"10", "20", "30", "40"};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (!verdict.may_process(i, groups[i])) { continue; }
        if (i == 0) { verdict.failed(i, groups[i]); }
        else { verdict.done(i); }
    }
    CHECK(verdict.unfinished() == 2);
    CHECK(verdict.response([&](std::size_t i) { return numbers[i]; }).checkpoint.view() == "10");
}

TEST_CASE("the verdict is a value") {
    batch_verdict verdict{2};
    verdict.done(0);
    auto copy = verdict;
    copy.done(1);
    CHECK(copy.unfinished() == 0);
    CHECK(verdict.unfinished() == 1);
}

// The service knows every record's true number, also where the batch shows something unreadable. It may read a
// checkpoint by number (all records from that number on) or by place (from the first or the last with that number).
TEST_CASE("whatever the service makes of the response, every record that is not done comes again") {
    const auto seed = support::seed();
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::uint64_t n) { return random() % n; };
    std::array<std::size_t, 3> answers{};

    const auto rounds = support::cases(25'000);
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto n = static_cast<std::size_t>(1 + below(8));
        const bool ascending = below(2) == 0;
        const bool masks = ascending ? below(2) == 0 : below(3) == 0;
        std::vector<std::uint64_t> truth(n);
        std::uint64_t next = 8 + below(5); // so that 9 < 10 is met as text
        for (auto& number : truth) { number = ascending ? (next += 1 + below(3)) : 8 + below(6); }
        std::vector<std::string> shown(n);
        std::vector<std::size_t> order(n);
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::shuffle(order.begin(), order.end(), random);

        batch_verdict verdict{n};
        std::vector<bool> failed(n), readable(n, true);
        const auto failure_rate = 1 + below(5);
        for (const auto i : order) {
            shown[i] = std::string(below(3), '0') + std::to_string(truth[i]);
            if (masks && below(3) == 0) { readable[i] = false, shown[i] = below(2) == 0 ? "" : "1e5"; }
            failed[i] = below(failure_rate) == 0;
            if (!failed[i]) { verdict.done(i); }
            else if (below(2) == 0) { verdict.failed(i, "g"); } // or is not reported at all
        }

        const auto response = verdict.response([&](std::size_t i) -> std::string_view { return shown[i]; });
        const auto first = static_cast<std::size_t>(std::find(failed.begin(), failed.end(), true) - failed.begin());
        CAPTURE(round);
        ++answers[static_cast<std::size_t>(response.again)];
        REQUIRE((first == n) == response.success());
        if (response.again != extent::from_checkpoint) {
            // Where the service keeps its promise to deliver in order, the whole batch is the last resort only.
            const auto before = readable.begin() + static_cast<std::ptrdiff_t>(std::min(first + 1, n));
            if (ascending && first != n) { REQUIRE(std::find(readable.begin(), before, true) == before); }
            continue;
        }

        std::uint64_t checkpoint = 0;
        for (const char c : response.checkpoint.view()) {
            checkpoint = 10 * checkpoint + static_cast<unsigned>(c - '0');
        }
        std::size_t first_place = n, last_place = n;
        for (std::size_t i = 0; i < n; ++i) {
            if (!readable[i] || truth[i] != checkpoint) { continue; }
            first_place = std::min(first_place, i);
            last_place = i;
        }
        REQUIRE(first_place < n);
        if (ascending) {
            auto nearest = first;
            while (!readable[nearest]) { --nearest; }
            REQUIRE(first_place == nearest);
        }
        for (std::size_t i = 0; i < n; ++i) {
            if (!failed[i]) { continue; }
            REQUIRE(i >= first_place);
            REQUIRE(i >= last_place);
            // A number that is both unreadable and out of order cannot be foreseen by number.
            if (ascending || readable[i]) { REQUIRE(truth[i] >= checkpoint); }
        }
    }
    if (rounds >= 1'000) {
        for (const auto count : answers) { CHECK(count > rounds / 25); }
    }
}
