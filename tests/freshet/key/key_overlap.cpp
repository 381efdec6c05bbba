#include <freshet/key/key_overlap.hpp>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

namespace {

constexpr auto overlap(std::string_view a, std::string_view b) -> bool {
    const auto one = freshet::read_key_layout<64>(a);
    const auto other = freshet::read_key_layout<64>(b);
    const freshet::key_automaton of_a{a, {one.pieces.data(), one.size}};
    const freshet::key_automaton of_b{b, {other.pieces.data(), other.size}};
    const bool forth = freshet::keys_overlap(of_a, of_b);
    const bool back = freshet::keys_overlap(of_b, of_a);
    if (forth != back) { freshet::abort_on_misuse("overlap depends on the order"); }
    return forth;
}

// literals
static_assert(overlap("A", "A") && !overlap("A", "B") && !overlap("A", "AA") && !overlap("AA", "A"));
// text
static_assert(overlap("{a}", "{b}") && overlap("{a}", "X") && !overlap("{a}", "#") && !overlap("{a}", "X#"));
static_assert(overlap("{a}#X", "Y#{b}") && !overlap("{a}#X", "Y#Z") && !overlap("{a}#{b}", "{c}"));
static_assert(!overlap("{a}#{b}", "{c}#{d}#{e}") && overlap("{a}#{b}", "{c}#{d}"));
static_assert(overlap("{a}", "{n:05d}") && overlap("{a}", "{u:uuid}"));
// rests
static_assert(overlap("A#{r:*}", "A#{b}#C") && overlap("{r:*}", "{a}#{b}#{c}") && !overlap("A#{r:*}", "A#"));
static_assert(!overlap("A#{r:*}", "{a}") && overlap("A{r:*}", "{a}") && overlap("A#{r:*}", "{s:*}"));
// numbers: a padding is a least width, and only a full one starts with zero
static_assert(overlap("{n:05d}", "{m:d}") && overlap("{n:05d}", "{m:03d}") && overlap("{n:05d}", "12345"));
static_assert(overlap("{n:05d}", "00001") && !overlap("{n:05d}", "0001") && !overlap("{n:05d}", "000001"));
static_assert(overlap("{n:05d}", "123456") && !overlap("{n:05d}", "1234") && overlap("{n:020d}", "{m:d}"));
static_assert(overlap("{n:d}", "0") && !overlap("{n:d}", "00") && !overlap("{n:d}", "X"));
static_assert(!overlap("{n:d}", "123456789012345678901") && overlap("{n:d}", "12345678901234567890"));
static_assert(!overlap("{n:05d}#{m:d}", "{a}") && overlap("{n:05d}#{m:d}", "{a}#7") && !overlap("{n:d}x", "{m:d}y"));
// uuids
static_assert(overlap("{u:uuid}", "8b360bb7-7573-520b-9d7d-F4CEFA69EEBF") && !overlap("{u:uuid}", "{n:d}"));
static_assert(!overlap("{u:uuid}", "8b360bb7-7573-520b-9d7d-F4CEFA69EEBG") && overlap("{u:uuid}", "{v:uuid}"));
static_assert(!overlap("{u:uuid}", "{v:uuid}0") && overlap("{u:uuid}{n:d}", "{v:uuid}0"));
static_assert(overlap("I#{u:uuid}", "I#{n:08d}-{m:04d}-{o:04d}-{p:04d}-{q:012d}"));
static_assert(!overlap("I#{u:uuid}", "I#{n:09d}-{m:04d}-{o:04d}-{p:04d}-{q:012d}"));
// the receipts table
constexpr std::string_view word = "RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}";
constexpr std::string_view label = "RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}#LABEL#{label}";
static_assert(!overlap(word, label) && overlap(label, label) && !overlap("RECEIPT#{receipt_id:05d}#METADATA", label));
static_assert(overlap("RECEIPT#{receipt_id:05d}#{rest:*}", label));
static_assert(overlap("RECEIPT#{id}#LINE#{line}", "RECEIPT#{i:05d}#{r:*}"));

constexpr std::string_view alphabet = "A#01";

/// A small pattern over the alphabet, or text that is none.
auto small_pattern(std::mt19937_64& random) -> std::string {
    constexpr std::array<std::string_view, 12> pieces{"A", "#",   "0",     "1",     "0A",    "A#",
                                                      "#", "{x}", "{x:d}", "{x:d}", "{x:02d}", "{x:*}"};
    std::string pattern;
    char name = 'a';
    for (auto n = 1 + random() % 4; n > 0; --n) {
        std::string piece{pieces[random() % pieces.size()]};
        if (piece.front() == '{') { piece[1] = name++; }
        pattern += piece;
    }
    return pattern;
}

TEST_CASE("two patterns overlap exactly when some short text matches both") {
    constexpr std::uint64_t seed = 99'991;
    constexpr std::size_t longest = 6; // enough for a text that two of these patterns share, if they share any
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};

    std::vector<std::string> texts{""};
    for (std::size_t i = 0; texts[i].size() < longest; ++i) {
        for (const char c : alphabet) { texts.push_back(texts[i] + c); }
    }
    struct sample {
        std::string pattern;
        std::vector<bool> matches;
    };
    std::vector<sample> samples;
    while (samples.size() < 50) {
        const auto pattern = small_pattern(random);
        const auto layout = freshet::read_key_layout<64>(pattern);
        if (layout.flaw != freshet::key_pattern_flaw::none) { continue; }
        std::vector<bool> matches;
        for (const auto& text : texts) {
            std::array<freshet::key_slice, 4> slices{};
            matches.push_back(
                freshet::scan_key(pattern, {layout.pieces.data(), layout.size}, text, slices.data()).reason.empty());
        }
        samples.push_back({pattern, std::move(matches)});
    }
    int overlapping = 0;
    for (std::size_t one = 0; one < samples.size(); ++one) {
        for (std::size_t other = one; other < samples.size(); ++other) {
            const auto& a = samples[one];
            const auto& b = samples[other];
            bool shared = false;
            for (std::size_t i = 0; i < texts.size() && !shared; ++i) { shared = a.matches[i] && b.matches[i]; }
            overlapping += shared ? 1 : 0;
            if (overlap(a.pattern, b.pattern) != shared) {
                FAIL_CHECK(a.pattern << " and " << b.pattern << (shared ? " share a text" : " share no short text"));
            }
        }
    }
    CHECK(overlapping > 100);
    CHECK(overlapping < 1'500);
}

} // namespace
