#include <receipts/text_match.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/work/random_source.hpp>
#include <support/cases.hpp>

namespace {

using receipts::folded;
using receipts::slips_within;
using receipts::squashed;
using receipts::stands_in;
using receipts::tokens_of;

TEST_CASE("a squashed text is its capital letters and digits, and other scripts as they are") {
    CHECK(squashed("J.K. (Taman 5)") == "JKTAMAN5");
    CHECK(squashed("茶房") == "茶房");
    CHECK(squashed(" -/& ").empty());
}

TEST_CASE("characters that scanners mistake for each other compare equal once folded") {
    CHECK(folded("BOOK") == folded("800K"));
    CHECK(folded("SINGLE") == folded("51NGIE"));
    CHECK(folded("TAN") != folded("TAM"));
}

TEST_CASE("a part is found with as many slips as it has, and no more are looked for than asked") {
    CHECK(slips_within("HARDWARE", "AIKHUATHARDWAREENTERPRISE", 2) == 0);
    CHECK(slips_within("HARDWARE", "AIKHUATHARBWAREENTERPRISE", 2) == 1);
    CHECK(slips_within("HARDWARE", "AIKHUATHARWAREENTERPRISE", 2) == 1);
    CHECK(slips_within("HARDWARE", "AIKHUATHARDDWAREENTERPRISE", 2) == 1);
    CHECK(slips_within("HARDWARE", "STATIONERY", 2) == 3);
    CHECK(slips_within("HARDWARE", "", 2) == 3);
}

/// The same by the definition: the least edit distance to any stretch.
auto least_distance(const std::string& part, const std::string& whole) -> std::size_t {
    auto least = part.size();
    for (std::size_t from = 0; from <= whole.size(); ++from) {
        std::vector<std::size_t> row(whole.size() - from + 1);
        for (std::size_t i = 0; i < row.size(); ++i) { row[i] = i; }
        for (const auto c : part) {
            auto diagonal = row[0]++;
            for (std::size_t i = 1; i < row.size(); ++i) {
                const auto changed = diagonal + (whole[from + i - 1] == c ? 0 : 1);
                diagonal = row[i];
                row[i] = std::min({changed, row[i] + 1, row[i - 1] + 1});
            }
        }
        least = std::min(least, *std::min_element(row.begin(), row.end()));
    }
    return least;
}

TEST_CASE("slips are the least edit distance to any stretch of the whole") {
    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    const auto made = [&random](std::size_t most) {
        std::string text;
        for (auto left = random() % (most + 1); left != 0; --left) {
            text.push_back(static_cast<char>('A' + random() % 3));
        }
        return text;
    };
    for (auto left = support::cases(500); left != 0; --left) {
        const auto part = made(6);
        const auto whole = made(12);
        const auto most = random() % 4;
        CAPTURE(part);
        CAPTURE(whole);
        CHECK(slips_within(part, whole, most) == std::min(least_distance(part, whole), most + 1));
    }
}

TEST_CASE("one slip in five characters is forgiven, none in four") {
    CHECK(stands_in(folded("KLANG"), folded("41050 KLAMG SELANGOR")));
    CHECK_FALSE(stands_in(folded("KAMPAR"), folded("KLANG")));
    CHECK_FALSE(stands_in(folded("TAMAN").substr(0, 4), folded("TANAH")));
    CHECK_FALSE(stands_in("", "KLANG"));
}

TEST_CASE("tokens are the stretches of letters and digits") {
    CHECK(tokens_of("NO.53, JALAN 7/118B") == std::vector<std::string_view>{"NO", "53", "JALAN", "7", "118B"});
    CHECK(tokens_of(" ., ").empty());
    CHECK(tokens_of("").empty());
}

} // namespace
