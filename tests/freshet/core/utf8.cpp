#include <freshet/core/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using freshet::detail::find_bad_utf8;
using freshet::detail::utf8_length;

static_assert(utf8_length("") == 0);
static_assert(utf8_length("ab") == 1);
static_assert(utf8_length("é") == 2);
static_assert(utf8_length("€") == 3);
static_assert(utf8_length("🌊") == 4);

static_assert(!find_bad_utf8(""));
static_assert(!find_bad_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x80"));
static_assert(find_bad_utf8("ab\xc0\x80") == 2);
static_assert(find_bad_utf8("\xed\xa0\x80") == 0);
static_assert(find_bad_utf8("\xc3\xa4\xf4\x90\x80\x80") == 2);
static_assert(find_bad_utf8("a\x80") == 1);
static_assert(find_bad_utf8("\xf0\x9f\x8d") == 0);

namespace {

/// By decoding and comparing with the one right encoding.
auto is_utf8(std::string_view text) -> bool {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t at) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
        };
        const auto lead = byte(i);
        const std::size_t size = lead < 0x80        ? 1
                                 : lead >> 5U == 6  ? 2
                                 : lead >> 4U == 14 ? 3
                                 : lead >> 3U == 30 ? 4
                                                    : 0;
        if (size == 0 || i + size > text.size()) { return false; }
        auto code = size == 1 ? lead : lead & (0x7fU >> size);
        for (std::size_t k = 1; k < size; ++k) {
            if (byte(i + k) >> 6U != 2) { return false; }
            code = code << 6U | (byte(i + k) & 63U);
        }
        constexpr std::uint32_t least[]{0, 0, 0x80, 0x800, 0x10000};
        if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) { return false; }
        i += size;
    }
    return true;
}

} // namespace

TEST_CASE("every code point but the surrogates is a character, and as long as it must be") {
    for (std::uint32_t c = 0; c <= 0x10ffff; ++c) {
        const auto byte = [](std::uint32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
        std::string text;
        if (c < 0x80) {
            text = {byte(c)};
        } else if (c < 0x800) {
            text = {byte(0xc0 | c >> 6), byte(0x80 | (c & 63))};
        } else if (c < 0x10000) {
            text = {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
        } else {
            text = {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
                    byte(0x80 | (c & 63))};
        }
        const bool surrogate = c >= 0xd800 && c <= 0xdfff;
        if (utf8_length(text + "x") != (surrogate ? 0 : text.size())) { FAIL(c); }
        if (!surrogate && text.size() > 1 && utf8_length(text.substr(0, text.size() - 1)) != 0) { FAIL(c); }
    }
}

TEST_CASE("overlong forms, lone bytes and values that are too large are no characters") {
    for (const auto* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3(", "\xe2\x82(", "\xf0\x9f\x8c("}) {
        CAPTURE(text);
        CHECK(utf8_length(text) == 0);
    }
}

TEST_CASE("UTF-8 is told from what is not: all texts of two bytes, and of three behind each kind of lead") {
    for (unsigned a = 0; a < 256; ++a) {
        for (unsigned b = 0; b < 256; ++b) {
            const char two[]{static_cast<char>(a), static_cast<char>(b)};
            const std::string_view text{two, 2};
            if (find_bad_utf8(text).has_value() == is_utf8(text)) { FAIL(a, " ", b); }
        }
    }
    std::size_t good = 0;
    for (unsigned a = 0xc0; a < 256; ++a) { // texts that begin with ASCII were all seen above
        for (unsigned b = 0x70; b < 256; ++b) {
            for (unsigned c = 0x7e; c < 0xc3; ++c) {
                const char three[]{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
                const std::string_view text{three, 3};
                const bool is = is_utf8(text);
                good += is ? 1 : 0;
                if (find_bad_utf8(text).has_value() == is) { FAIL(a, " ", b, " ", c); }
            }
        }
    }
    CHECK(good > 61'440); // the code points of three bytes, and pairs
}

TEST_CASE("four bytes are UTF-8 from U+10000 to U+10FFFF") {
    for (unsigned a = 0xef; a < 0xf9; ++a) {
        for (unsigned b = 0x70; b < 0x100; ++b) {
            for (const unsigned c : {0x7fU, 0x80U, 0xbfU, 0xc0U}) {
                for (const unsigned d : {0x7fU, 0x80U, 0xbfU, 0xc0U}) {
                    const char four[]{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                                      static_cast<char>(d)};
                    const std::string_view text{four, 4};
                    if (find_bad_utf8(text).has_value() == is_utf8(text)) { FAIL(a, " ", b, " ", c, " ", d); }
                    if (const auto bad = find_bad_utf8(text)) { REQUIRE(is_utf8(text.substr(0, *bad))); }
                }
            }
        }
    }
}
