#include <freshet/stream/monitored_fields.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using freshet::monitored;
using freshet::monitored_fields;
using freshet::parse_monitored_fields;

using merchant = monitored<"merchant_name", "address", "a.b">;

static_assert(merchant::list.size() == 3);
static_assert(*merchant::begin() == "merchant_name" && *(merchant::end() - 1) == "a.b", "in the order given");
static_assert(!freshet::has_repeated_names(merchant::list) &&
              freshet::has_repeated_names(std::array<std::string_view, 3>{"a", "b", "a"}));
static_assert(monitored<>::begin() == monitored<>::end(), "nothing may be monitored");

struct refusal {
    std::string_view text;
    std::size_t offset;
};

} // namespace

TEST_CASE("names stand between commas, and the blanks around them do not count") {
    CHECK(*parse_monitored_fields("address") == monitored_fields{"address"});
    CHECK(*parse_monitored_fields("merchant_name,address") == monitored_fields{"merchant_name", "address"});
    CHECK(*parse_monitored_fields(" \tmerchant_name\t , address ") == monitored_fields{"merchant_name", "address"});
    CHECK(*parse_monitored_fields("b,a") == monitored_fields{"b", "a"});
}

TEST_CASE("a name is any text but a comma: blanks inside, dots, capitals and UTF-8 stay") {
    CHECK(*parse_monitored_fields("place id,address.city,Address,caf\xc3\xa9") ==
          monitored_fields{"place id", "address.city", "Address", "caf\xc3\xa9"});
    CHECK(*parse_monitored_fields("line\nbreak") == monitored_fields{"line\nbreak"});
}

TEST_CASE("an empty text monitors nothing") {
    CHECK(parse_monitored_fields("")->empty());
    CHECK(parse_monitored_fields(" \t ")->empty());
}

TEST_CASE("a name that is missing or repeats is refused where it stands") {
    for (const auto& wrong : {refusal{",", 0}, refusal{"a,", 2}, refusal{",a", 0}, refusal{"a, ,b", 2},
                              refusal{"a,,b", 2}, refusal{"a,a", 2}, refusal{"a, b,\ta ", 6}, refusal{" ,", 0}}) {
        CAPTURE(wrong.text);
        const auto read = parse_monitored_fields(wrong.text);
        REQUIRE_FALSE(read.ok());
        CHECK(read.fault().offset == wrong.offset);
        CHECK_FALSE(read.fault().reason.empty());
    }
}

TEST_CASE("what is printed between commas is read back") {
    const monitored_fields names{"canonical_merchant_name", "merchant_name", "x", "a b"};
    std::string text;
    for (const auto& name : names) { text += (text.empty() ? "" : ", ") + name; }
    CHECK(*parse_monitored_fields(text) == names);
}
