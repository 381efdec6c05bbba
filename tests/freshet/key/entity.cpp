#include <freshet/key/entity.hpp>

#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

namespace {

using freshet::entities_overlap;
using freshet::entity;
using freshet::key_pattern;
using freshet::no_sort_key;
using freshet::patterns_overlap;

using image = key_pattern<"IMAGE#{image_id:uuid}">;
using other_image = key_pattern<"IMAGE#{id:uuid}">;
using receipt = entity<"RECEIPT", image, key_pattern<"RECEIPT#{receipt_id:05d}">>;
using note = entity<"NOTE", key_pattern<"NOTE#{note_id:d}">>;

static_assert(receipt::name == "RECEIPT" && receipt::field_count == 2 && note::field_count == 1);
static_assert(std::is_same_v<note::sort, no_sort_key>);
static_assert(receipt::fields_type{"x", 7}.get<"receipt_id">() == 7);
static_assert(receipt::fields_type{"x", 7}.get<"image_id">() == "x");

static_assert(patterns_overlap<image, image> && patterns_overlap<image, other_image>);
static_assert(patterns_overlap<no_sort_key, no_sort_key> && !patterns_overlap<no_sort_key, image>);
static_assert(!patterns_overlap<key_pattern<"{a:*}">, no_sort_key>, "every field takes a byte at least");

// both keys must be shareable for the entities to be
static_assert(entities_overlap<receipt, receipt> && !entities_overlap<receipt, note>);
static_assert(entities_overlap<receipt, entity<"R", other_image, key_pattern<"RECEIPT#{n}">>>);
static_assert(!entities_overlap<receipt, entity<"R", other_image, key_pattern<"RECEIPT#{n}#LINE">>>);
static_assert(!entities_overlap<receipt, entity<"R", key_pattern<"PICTURE#{id:uuid}">, receipt::sort>>);
static_assert(!entities_overlap<receipt, entity<"IMAGE", image>>);

TEST_CASE("an entity's fields are the partition key's and then the sort key's") {
    std::string names;
    receipt::fields_type{"x", 7}.for_each([&](std::string_view name, const auto&) { names += name; });
    CHECK(names == "image_idreceipt_id");
}

} // namespace
