#include <freshet/item/json_string.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <support/event_maker.hpp>

using freshet::detail::decode_string;
using freshet::detail::json_string_bound;
using freshet::detail::read_escape;
using freshet::detail::append_json_string;
using freshet::detail::write_json_string;
using freshet::detail::write_utf8;
using std::string_view_literals::operator""sv;

static_assert(read_escape(R"(\n...)")->code_point == '\n' && read_escape(R"(\n)")->size == 2);
static_assert(read_escape(R"(\u20aC)")->code_point == 0x20ac && read_escape(R"(\u20ac1)")->size == 6);
static_assert(read_escape(R"(\ud83c\udf40)")->code_point == 0x1f340 && read_escape(R"(\ud83c\udf40)")->size == 12);
static_assert(read_escape(R"(\uD800\uDC00)")->code_point == 0x10000 &&
              read_escape(R"(\udbff\udfff)")->code_point == 0x10ffff);
static_assert(!read_escape(R"(\)") && !read_escape(R"(\x)") && !read_escape(R"(\u123)") && !read_escape(R"(\u12/4)") &&
              !read_escape(R"(\u12:4)") && !read_escape(R"(\u12@4)") && !read_escape(R"(\u12`4)") &&
              !read_escape(R"(\u12G4)"));
static_assert(!read_escape(R"(\ud83c)") && !read_escape(R"(\udf40)") && !read_escape(R"(\udc00\udf40)") &&
              !read_escape(R"(\ud83c\ud83c)") && !read_escape(R"(\ud83c\u0041)") && !read_escape(R"(\ud83c\udf4)") &&
              !read_escape(R"(\ud83c/udf40)") && !read_escape(R"(\ud83c\Udf40)"));

namespace {

auto written(std::string_view text) -> std::string {
    std::string out(json_string_bound(text.size()), '~');
    out.resize(static_cast<std::size_t>(write_json_string(out.data(), text) - out.data()));
    return out;
}

auto decoded(std::string_view inside) -> std::string {
    std::string out(inside.size(), '~');
    out.resize(static_cast<std::size_t>(decode_string(out.data(), inside) - out.data()));
    return out;
}

} // namespace

TEST_CASE("every code point is written as the UTF-8 that says it") {
    for (std::uint32_t code = 0; code <= 0x10ffff; code += code < 0x3000 ? 1 : 61) {
        if (code >= 0xd800 && code <= 0xdfff) { continue; }
        char out[4]{};
        const std::string_view text{out, static_cast<std::size_t>(write_utf8(out, code) - out)};
        const auto size = code < 0x80 ? 1U : code < 0x800 ? 2U : code < 0x10000 ? 3U : 4U;
        if (freshet::detail::find_bad_utf8(text) || text.size() != size) {
            FAIL(code);
        }
    }
    char out[4]{};
    CHECK(std::string_view(out, static_cast<std::size_t>(write_utf8(out, 0x1f340) - out)) == "\xf0\x9f\x8d\x80");
    CHECK(std::string_view(out, static_cast<std::size_t>(write_utf8(out, 0x20ac) - out)) == "\xe2\x82\xac");
}

TEST_CASE("escapes are decoded") {
    CHECK(decoded("") == "");
    CHECK(decoded("plain") == "plain");
    CHECK(decoded(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
    CHECK(decoded(R"(a\u0000b)") == "a\0b"sv);
    CHECK(decoded(R"(\u0041\u00e4\u20ac\ud83c\udf40!)") == "Aä€🍀!");
}

TEST_CASE("a string is written with no more escapes than JSON demands") {
    CHECK(written("") == R"("")");
    CHECK(written("a/b ä€🍀 \x7f") == "\"a/b ä€🍀 \x7f\"");
    CHECK(written("\"\\\b\f\n\r\t") == R"("\"\\\b\f\n\r\t")");
    CHECK(written("\0\x01\x1f"sv) == R"("\u0000\u0001\u001f")");
    CHECK(written(std::string(1000, '\0')).size() == json_string_bound(1000));
}

TEST_CASE("what is written reads back, and never is longer than the token it was decoded from") {
    support::event_maker make{7};
    std::mt19937_64 random{7};
    for (int i = 0; i < 2000; ++i) {
        std::string text;
        for (auto n = random() % 8; n > 0; --n) {
            text += random() % 4 == 0 ? std::string(random() % 40, static_cast<char>(random() % 128)) : make.any_text();
        }
        const auto token = make.string(text);
        REQUIRE(decoded(std::string_view{token}.substr(1, token.size() - 2)) == text);
        const auto out = written(text);
        REQUIRE(out.size() <= token.size());
        REQUIRE(decoded(std::string_view{out}.substr(1, out.size() - 2)) == text);
        REQUIRE(nlohmann::json::parse(out).get<std::string>() == text);
    }
}

TEST_CASE("appending writes the same string behind what stands there") {
    std::string out = "[";
    append_json_string(out, "a\"\n");
    append_json_string(out, "");
    CHECK(out == R"(["a\"\n""")");
}
