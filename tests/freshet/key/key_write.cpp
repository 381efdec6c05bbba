#include <freshet/key/key_write.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using freshet::key_field_kind;
using freshet::key_input;

constexpr auto layout_of(std::string_view pattern) { return freshet::read_key_layout<32>(pattern); }

/// The offset of the refusal, or npos where the value may be written.
constexpr auto refused_at(std::string_view pattern, key_input value) -> std::size_t {
    const auto layout = layout_of(pattern);
    const auto size = freshet::check_key({layout.pieces.data(), layout.size}, &value);
    return size ? std::string_view::npos : size.fault().offset;
}
constexpr auto allowed = std::string_view::npos;
constexpr auto text(std::string_view value) -> key_input { return freshet::to_key_input<key_field_kind::text>(value); }
template <class Number>
constexpr auto number(Number value) -> key_input {
    return freshet::to_key_input<key_field_kind::number>(value);
}

using freshet::key_number;
static_assert(key_number<signed char> && key_number<unsigned char> && key_number<short> && key_number<const int>);
static_assert(key_number<std::uint64_t> && key_number<std::int64_t> && key_number<unsigned long long>);
static_assert(!key_number<bool> && !key_number<char> && !key_number<wchar_t> && !key_number<const char8_t>);
static_assert(!key_number<char16_t> && !key_number<volatile char32_t> && !key_number<double> && !key_number<int*>);
static_assert(!key_number<key_field_kind>);
__extension__ using wide = __int128;
__extension__ using wide_unsigned = unsigned __int128;
static_assert(!key_number<wide> && !key_number<wide_unsigned>);

static_assert(refused_at("A#{n:d}", number(0)) == allowed && refused_at("A#{n:d}", number(-1)) == 2);
static_assert(refused_at("A#{n:d}", number(std::numeric_limits<std::int64_t>::min())) == 2);
static_assert(refused_at("A#{t}", text("x")) == allowed && refused_at("A#{t}", text("")) == 2);
static_assert(refused_at("A#{t}", text("xy#")) == 4);
static_assert(refused_at("A#{r:*}", text("x#")) == allowed && refused_at("A#{r:*}", text("")) == 2);
static_assert(refused_at("{u:uuid}", text("550e8400-e29b-41d4-a716-446655440000")) == allowed);
static_assert(refused_at("{u:uuid}", text("")) == 0 && refused_at("{u:uuid}", text("550e")) == 4);
static_assert(refused_at("{u:uuid}", text("550e8400-e29b-41d4-a716-4466554400000")) == 36);
static_assert(refused_at("{u:uuid}", text("550e8400-e29b-41d4-a716-44665544000#")) == 35);

auto written(std::string_view pattern, key_input value) -> std::string {
    const auto layout = layout_of(pattern);
    std::array<char, 64> room{};
    auto* end = freshet::write_key(pattern, {layout.pieces.data(), layout.size}, &value, room.data());
    return {room.data(), end};
}

TEST_CASE("numbers are written with their padding and no narrower than they are") {
    CHECK(written("A#{n:05d}#B", number(0)) == "A#00000#B");
    CHECK(written("A#{n:05d}#B", number(99999)) == "A#99999#B");
    CHECK(written("A#{n:05d}#B", number(100000)) == "A#100000#B");
    CHECK(written("{n:d}", number(0)) == "0");
    CHECK(written("{n:d}", number(std::numeric_limits<std::uint64_t>::max())) == "18446744073709551615");
    CHECK(written("{n:020d}", number(7)) == "00000000000000000007");
}

TEST_CASE("the checked size is the written size") {
    for (const auto n : {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{10}, std::uint64_t{999}, std::uint64_t{1000},
                         std::numeric_limits<std::uint64_t>::max()}) {
        CAPTURE(n);
        const auto layout = layout_of("A#{n:03d}#");
        const auto value = number(n);
        CHECK(*freshet::check_key({layout.pieces.data(), layout.size}, &value) == written("A#{n:03d}#", value).size());
    }
}

} // namespace
