#include <freshet/key/key_overlap.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <support/cases.hpp>

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
static_assert(overlap("{u:uuid}", "550e8400-e29b-41d4-a716-44665544ABCF") && !overlap("{u:uuid}", "{n:d}"));
static_assert(!overlap("{u:uuid}", "550e8400-e29b-41d4-a716-44665544ABCG") && overlap("{u:uuid}", "{v:uuid}"));
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

TEST_CASE("two patterns overlap when some short text matches both, and only then where both are short") {
    const auto seed = support::seed();
    constexpr std::size_t longest = 6;
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};

    std::vector<std::string> texts{""};
    for (std::size_t i = 0; texts[i].size() < longest; ++i) {
        for (const char c : alphabet) { texts.push_back(texts[i] + c); }
    }
    struct sample {
        std::string pattern;
        std::vector<bool> matches;
        std::size_t shortest; ///< of the texts that match, one more than `longest` where none does
    };
    std::vector<sample> samples;
    const auto wanted = support::cases(50);
    while (samples.size() < wanted) {
        const auto pattern = small_pattern(random);
        const auto layout = freshet::read_key_layout<64>(pattern);
        if (layout.flaw != freshet::key_pattern_flaw::none) { continue; }
        std::vector<bool> matches;
        for (const auto& text : texts) {
            std::array<freshet::key_slice, 4> slices{};
            matches.push_back(
                freshet::scan_key(pattern, {layout.pieces.data(), layout.size}, text, slices.data()).reason.empty());
        }
        const auto first = std::find(matches.begin(), matches.end(), true) - matches.begin();
        const auto at = static_cast<std::size_t>(first);
        const auto shortest = at < texts.size() ? texts[at].size() : longest + 1;
        samples.push_back({pattern, std::move(matches), shortest});
    }
    std::size_t overlapping = 0;
    std::size_t apart = 0;
    for (std::size_t one = 0; one < samples.size(); ++one) {
        for (std::size_t other = one; other < samples.size(); ++other) {
            const auto& a = samples[one];
            const auto& b = samples[other];
            bool shared = false;
            for (std::size_t i = 0; i < texts.size() && !shared; ++i) { shared = a.matches[i] && b.matches[i]; }
            // Whatever neither pattern asks for can be left out of a text that both match, so that the shortest such
            // text has no more bytes than the shortest texts of the two have together.
            const bool exact = shared || a.shortest + b.shortest <= longest;
            (shared ? overlapping : apart) += exact ? 1 : 0;
            if (exact && overlap(a.pattern, b.pattern) != shared) {
                FAIL_CHECK(a.pattern << " and " << b.pattern << std::string{shared ? " share " : " do not share "}
                                     << "a text");
            }
        }
    }
    if (wanted >= 50) {
        CHECK(overlapping > wanted * wanted / 25);
        CHECK(apart > wanted * wanted / 25);
    }
}

} // namespace
