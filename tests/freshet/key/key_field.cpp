#include <freshet/key/key_field.hpp>

#include <array>

#include <doctest/doctest.h>

namespace {

using freshet::key_field;
using freshet::key_field_kind;

constexpr std::array fields{key_field{"image_id", key_field_kind::text, "abc", 0},
                            key_field{"receipt_id", key_field_kind::number, "00007", 7}};
constexpr freshet::entity_key key{"RECEIPT", fields};

static_assert(key.find("receipt_id")->number == 7);
static_assert(key.find("receipt_id")->text == "00007");
static_assert(key.find("line_id") == nullptr);
static_assert(key.find("receipt") == nullptr, "a part of a name is not the name");
static_assert(freshet::entity_key{}.find("") == nullptr);
static_assert(fields[0] != fields[1]);

TEST_CASE("a field of an erased key is found by its name, and an unknown name finds nothing") {
    const auto* found = key.find("image_id");
    REQUIRE(found != nullptr);
    CHECK(found == &fields[0]);
    CHECK(found->text == "abc");
    CHECK(key.find("IMAGE_ID") == nullptr);
}

} // namespace
