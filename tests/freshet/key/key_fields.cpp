#include <freshet/key/key_fields.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

namespace key_fields_test {

struct word_schema {
    static constexpr std::array<std::string_view, 2> field_names{"word_id", "label"};
    static constexpr std::array field_kinds{freshet::key_field_kind::number, freshet::key_field_kind::text};
};
struct empty_schema {
    static constexpr std::array<std::string_view, 0> field_names{};
    static constexpr std::array<freshet::key_field_kind, 0> field_kinds{};
};
} // namespace key_fields_test

namespace {

using key_fields_test::empty_schema;
using key_fields_test::word_schema;
using word = freshet::key_fields<word_schema>;
using none = freshet::key_fields<empty_schema>;

static_assert(std::is_same_v<decltype(word{}.get<"word_id">()), std::uint64_t>);
static_assert(std::is_same_v<decltype(word{}.get<1>()), std::string_view>);
static_assert(word{3, "TOTAL"}.get<"word_id">() == 3 && word{3, "TOTAL"}.get<"label">() == "TOTAL");
static_assert(word{3, "TOTAL"} == word{3, "TOTAL"} && word{3, "TOTAL"} != word{4, "TOTAL"} &&
              word{3, "TOTAL"} != word{3, "TOTAl"});
static_assert(word{} == word{0, ""});
static_assert(none{} == none{} && none::size() == 0 && std::tuple_size_v<word> == 2);
static_assert(std::is_trivially_copy_constructible_v<word>);

TEST_CASE("key fields are taken apart by a structured binding in the pattern's order") {
    const auto [id, label] = word{7, "X"};
    CHECK(id == 7);
    CHECK(label == "X");
}

TEST_CASE("for_each shows every field with its name in order") {
    std::string seen;
    word{7, "X"}.for_each([&](std::string_view name, const auto& value) {
        seen += name;
        if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(value)>>) { seen += std::to_string(value); }
        else { seen += value; }
    });
    CHECK(seen == "word_id7labelX");
    none{}.for_each([](std::string_view, const auto&) { FAIL("there is no field"); });
}

} // namespace
