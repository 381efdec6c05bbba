#include <freshet/core/printable.hpp>

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using freshet::printable;

TEST_CASE("what a person can read stays as it is") {
    CHECK(printable("") == "");
    CHECK(printable("c4ca4238-a0b9#RECEIPT#1 café 茶房") == "c4ca4238-a0b9#RECEIPT#1 café 茶房");
    CHECK(printable("é") == "é"); // begins with the byte that control characters beyond ASCII begin with too
}

TEST_CASE("no control character gets through: no second line, no escape sequence") {
    CHECK(printable("a\nERROR: forged") == "a\\x0aERROR: forged");
    CHECK(printable("\x1b[31m") == "\\x1b[31m");
    CHECK(printable(std::string_view{"\0\x7f", 2}) == "\\x00\\x7f");
    CHECK(printable("\xc2\x9b" "31m") == "\\x9b31m"); // U+009B, a control sequence introducer
    for (int byte = 0; byte < 256; ++byte) {
        for (const char c : printable(std::string(1, static_cast<char>(byte)))) {
            CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
        }
    }
}

TEST_CASE("a long text is cut between characters, and says so") {
    CHECK(printable(std::string(200, 'a')) == std::string(200, 'a'));
    CHECK(printable(std::string(201, 'a')) == std::string(200, 'a') + "…");
    CHECK(printable("aé", 2) == "aé");
    CHECK(printable("aéb", 2) == "aé…");
}
