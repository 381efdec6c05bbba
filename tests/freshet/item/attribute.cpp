#include <freshet/item/attribute.hpp>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/item/document.hpp>

using freshet::attribute;
using freshet::attribute_type;
using freshet::document;
using freshet::image;

static_assert(std::forward_iterator<attribute::iterator>);
static_assert(freshet::descriptor_of(attribute_type::string) == "S" &&
              freshet::descriptor_of(attribute_type::number) == "N" &&
              freshet::descriptor_of(attribute_type::binary) == "B");
static_assert(freshet::descriptor_of(attribute_type::boolean) == "BOOL" &&
              freshet::descriptor_of(attribute_type::null) == "NULL");
static_assert(freshet::descriptor_of(attribute_type::list) == "L" &&
              freshet::descriptor_of(attribute_type::map) == "M");
static_assert(freshet::descriptor_of(attribute_type::string_set) == "SS" &&
              freshet::descriptor_of(attribute_type::number_set) == "NS" &&
              freshet::descriptor_of(attribute_type::binary_set) == "BS");
static_assert(image{}.empty() && !image{}.find("a"));

namespace {

constexpr std::string_view text =
    R"({"s":{"S":"x\n"},"m":{"M":{"s":{"S":"inner"},"deep":{"L":[{"M":{"s":{"N":"1"}}}]}}},"set":{"NS":[ "1", "2" ]},"t":{ "BOOL" : true },"f":{"BOOL":false},"0":{"NULL":true},"l":{"L":[]},"b":{"B":"AA=="}})";

auto sample() -> document { return *document::parse(std::string{text}); }

auto names(const image& item) -> std::string {
    std::string all;
    for (const auto a : item) { (all += a.name()) += ' '; }
    return all;
}

} // namespace

TEST_CASE("an image steps over its own attributes only, in their order") {
    const auto item = sample();
    CHECK(names(item.image()) == "s m set t f 0 l b ");
    CHECK(!item.image().empty());
    CHECK(std::distance(item.image().begin(), item.image().end()) == 8);
    auto at = item.image().begin();
    CHECK((*at++).name() == "s");
    CHECK((*at).name() == "m");
    CHECK(++at != item.image().begin());
}

TEST_CASE("an attribute tells its name, type, text and token") {
    const auto item = sample();
    const auto told = [&](std::string_view name) {
        const auto a = *item.image().find(name);
        return std::string{freshet::descriptor_of(a.type())} + "|" + std::string{a.text()} + "|" +
               std::string{a.token()};
    };
    CHECK(told("s") == "S|x\n|\"x\\n\"");
    CHECK(told("set") == R"(NS||[ "1", "2" ])");
    CHECK(told("t") == "BOOL||true");
    CHECK(told("f") == "BOOL||false");
    CHECK(told("0") == "NULL||true");
    CHECK(told("l") == "L||[]");
    CHECK(told("b") == R"(B|AA==|"AA==")");
    CHECK(told("m") == R"(M||{"s":{"S":"inner"},"deep":{"L":[{"M":{"s":{"N":"1"}}}]}})");
    CHECK(item.image().find("t")->boolean());
    CHECK(!item.image().find("f")->boolean());
    CHECK(!item.image().find("0")->boolean()); // a NULL's token is true, too
}

TEST_CASE("lists, maps and sets hand out what is inside, scalars nothing") {
    const auto item = sample();
    const auto map = *item.image().find("m");
    CHECK(std::distance(map.begin(), map.end()) == 2);
    CHECK((*map.begin()).text() == "inner");
    const auto deep = *++map.begin();
    CHECK(deep.name() == "deep");
    CHECK((*deep.begin()).name().empty());
    CHECK((*(*deep.begin()).begin()).text() == "1");
    std::string elements;
    const auto set = *item.image().find("set");
    for (const auto element : set) { (elements += freshet::descriptor_of(element.type())) += element.text(); }
    CHECK(elements == "N1N2");
    for (const auto* name : {"s", "t", "0", "l", "b"}) {
        CHECK(item.image().find(name)->begin() == item.image().find(name)->end());
    }
}

TEST_CASE("a hint finds an attribute at once, helps nothing when wrong, and is never believed") {
    const auto item = sample();
    std::uint32_t hint = 0;
    CHECK(item.image().find("set", hint)->name() == "set");
    const auto place = hint;
    CHECK(place > 2); // behind all that is inside the map
    CHECK(item.image().find("set", hint)->name() == "set");
    CHECK(hint == place);
    CHECK(item.image().find("s", hint)->text() == "x\n");
    CHECK(hint == 0);
    for (hint = 0; hint < 40; ++hint) { // also the inner ones called "s", which are none of the image's
        auto any = hint;
        CHECK(item.image().find("s", any)->text() == "x\n");
        CHECK(any == 0);
        any = hint;
        CHECK(!item.image().find("deep", any));
        CHECK(any == hint);
    }
    CHECK(!image{}.find("s", hint));
}
