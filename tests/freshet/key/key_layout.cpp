#include <freshet/key/key_layout.hpp>

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using freshet::key_layout;
using freshet::key_pattern_flaw;
using freshet::key_piece_kind;

constexpr auto read(std::string_view pattern) { return freshet::read_key_layout<24>(pattern); }

constexpr auto flawed(std::string_view pattern, key_pattern_flaw flaw, std::size_t at) -> bool {
    const auto layout = read(pattern);
    return layout.flaw == flaw && layout.flaw_at == at;
}
constexpr auto fine(std::string_view pattern) -> bool { return flawed(pattern, key_pattern_flaw::none, 0); }

constexpr std::string_view line = "A#{id:05d}#L#{name}";
static_assert(read(line).size == 4);
static_assert(read(line).pieces[0].of(line) == "A#" && !read(line).pieces[0].is_field());
static_assert(read(line).pieces[1].of(line) == "id" && read(line).pieces[1].width == 5);
static_assert(read(line).pieces[2].of(line) == "#L#" && read(line).pieces[2].kind == key_piece_kind::literal);
static_assert(read(line).pieces[3].of(line) == "name" && read(line).pieces[3].kind == key_piece_kind::text);
static_assert(read("{n:d}").pieces[0].width == 1);

using enum key_pattern_flaw;

// every kind, alone and with the neighbours that keep it apart
static_assert(fine("A") && fine("{a}") && fine("{a:d}") && fine("{a:01d}") && fine("{a:020d}") && fine("{a:uuid}"));
static_assert(fine("{a:*}") && fine("{a}#{b}") && fine("{a}#{b:*}") && fine("{a:d}x{b}") && fine("1{a:d}#1"));
static_assert(fine("{a:uuid}{b}") && fine("{a:uuid}1{b:d}") && fine("{a:uuid}{b:uuid}{c:*}") && fine("{_a9}"));

static_assert(flawed("", empty_pattern, 0));
static_assert(flawed("A{", braces, 1) && flawed("A{b", braces, 1) && flawed("A}", braces, 1) && flawed("}", braces, 0));
static_assert(flawed("{a{b}}", braces, 0) && flawed("{a}#}", braces, 4) && flawed("{{a}}", braces, 0));
static_assert(flawed("{}", field_name, 1) && flawed("{:d}", field_name, 1) && flawed("A{ a}", field_name, 2));
static_assert(flawed("{1a}", field_name, 1) && flawed("{a-b}", field_name, 1) && flawed("{\xc3\xa4}", field_name, 1));
static_assert(flawed("{a}#{b}#{a:d}", repeated_name, 9) && fine("{a}#a#{b}"), "a literal is no name");
static_assert(flawed("{a:}", field_kind, 3) && flawed("{a:05x}", field_kind, 3) && flawed("{a:D}", field_kind, 3));
static_assert(flawed("{a:00d}", field_kind, 3) && flawed("{a:021d}", field_kind, 3));
static_assert(flawed("{a:5d}", field_kind, 3));
static_assert(flawed("{a:0d}", field_kind, 3) && flawed("{a:005d}", field_kind, 3));
static_assert(flawed("{a:0-1d}", field_kind, 3));
static_assert(flawed("{a:099d}", field_kind, 3) && flawed("{a:UUID}", field_kind, 3));
static_assert(flawed("{a:**}", field_kind, 3));
static_assert(flawed("{a:d:d}", field_kind, 3) && flawed("{a:0100d}", field_kind, 3));
static_assert(flawed("{a: d}", field_kind, 3));
static_assert(flawed("A#{a:*}#", rest_before_the_end, 3) && flawed("{a:*}{b}", rest_before_the_end, 1));
static_assert(flawed("{a}b", text_neighbour, 1) && flawed("{a}{b}", text_neighbour, 1));
static_assert(flawed("{a}{b:*}", text_neighbour, 1) && flawed("{a}{b:uuid}", text_neighbour, 1));
static_assert(flawed("{a:d}{b}", number_neighbour, 1) && flawed("{a:05d}{b:uuid}", number_neighbour, 1));
static_assert(flawed("{a:d}0", number_neighbour, 1) && flawed("{a:d}9#", number_neighbour, 1));

TEST_CASE("a pattern as long as its capacity is read, one piece a byte at most") {
    const std::string literal(24, 'x');
    CHECK(read(literal).size == 1);
    CHECK(read(literal).pieces[0].size == 24);
}

TEST_CASE("what is no digit next to the digits in ASCII is none") {
    CHECK(freshet::is_decimal_digit('0'));
    CHECK(freshet::is_decimal_digit('9'));
    CHECK_FALSE(freshet::is_decimal_digit('/'));
    CHECK_FALSE(freshet::is_decimal_digit(':'));
}

} // namespace
