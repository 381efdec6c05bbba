#include <freshet/item/canonical_text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/number.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/same_value.hpp>

#include <support/cases.hpp>
#include <support/event_maker.hpp>

using freshet::canonical_text;
using freshet::document;

namespace {

auto item(std::string text) -> document {
    auto read = document::parse(std::move(text));
    if (!read) { FAIL(read.why().note); }
    return *std::move(read);
}

auto canonical(std::string text) -> std::string { return canonical_text(item(std::move(text)).image()); }

auto number(std::string_view text) -> std::string {
    std::string out;
    freshet::detail::append_canonical_number(out, text);
    return out;
}

auto same_item(const freshet::image& a, const freshet::image& b) -> bool {
    freshet::same_value same;
    const auto in_b = [&](freshet::attribute one) {
        const auto other = b.find(one.name());
        return other && same(one, *other);
    };
    return std::distance(a.begin(), a.end()) == std::distance(b.begin(), b.end()) &&
           std::all_of(a.begin(), a.end(), in_b);
}

/// Items that differ in little, from few names and values, so that random ones meet.
class near_maker {
public:
    explicit near_maker(std::uint64_t seed) : make_{seed} {}

    auto item() -> std::string {
        const auto a = R"("a":)" + value(0);
        if (!make_.one_in(4)) { return "{" + a + "}"; }
        const auto b = (make_.one_in(2) ? R"("b":)" : R"("\u0062":)") + value(2);
        return make_.one_in(2) ? "{" + a + "," + b + "}" : "{" + b + ", " + a + "}";
    }

private:
    auto value(unsigned depth) -> std::string {
        switch (make_.below(depth > 2 ? 5 : 7)) {
            case 0: return R"({"S":)" + one(strings) + "}";
            case 1: return R"({"N":")" + one(numbers) + "\"}";
            case 2: return make_.one_in(2) ? R"({"BOOL":true})" : R"({"BOOL":false})";
            case 3: return R"({"SS":)" + list(some(std::array<std::string, 2>{R"("x")", R"("y")"}, 1)) + "}";
            case 4: return R"({"NS":)" + list(quoted(some(sets, 1))) + "}";
            case 5: return R"({"L":)" + list({value(depth + 1), value(depth + 1)}) + "}";
            default: {
                const auto names = some(std::array<std::string, 2>{R"("a")", R"("b")"}, 1);
                std::string text;
                for (const auto& name : names) { text += (text.empty() ? "{" : ",") + name + ":" + value(depth + 1); }
                return R"({"M":)" + text + "}}";
            }
        }
    }

    template <std::size_t N>
    auto one(const std::array<std::string, N>& from) -> const std::string& {
        return from[make_.below(N)];
    }
    /// At least so many of them, in any order.
    template <std::size_t N>
    auto some(const std::array<std::string, N>& from, std::size_t least) -> std::vector<std::string> {
        std::vector<std::string> all{from.begin(), from.end()};
        for (auto i = N; i > 1; --i) { std::swap(all[i - 1], all[make_.below(i)]); }
        all.resize(least + make_.below(N - least + 1));
        return all;
    }
    static auto quoted(std::vector<std::string> all) -> std::vector<std::string> {
        for (auto& text : all) { text = '"' + text + '"'; }
        return all;
    }
    static auto list(const std::vector<std::string>& all) -> std::string {
        std::string text = "[";
        for (const auto& one : all) { text += (text.size() == 1 ? "" : ", ") + one; }
        return text + "]";
    }

    support::event_maker make_;
    std::array<std::string, 3> strings{R"("1")", R"("\u0031")", R"("")"};
    std::array<std::string, 6> numbers{"1", "1.0", "1e0", "0", "-0", "1.5"};
    std::array<std::string, 3> sets{"1.0", "10", "2e0"};
};

} // namespace

TEST_CASE("a number has one form, plain where that is short") {
    for (const auto* one : {"1", "1.0", "01", "+1", "1e0", "10E-1", "0.1e1", "1."}) { CHECK(number(one) == "1"); }
    for (const auto* zero : {"0", "-0", "0.0", "0e999", "-.0"}) { CHECK(number(zero) == "0"); }
    CHECK(number("-12.50") == "-12.5");
    CHECK(number("1200e-2") == "12");
    CHECK(number("1.2e3") == "1200");
    CHECK(number("123.456e1") == "1234.56");
    CHECK(number("1e-1") == "0.1");
    CHECK(number("-0.0000012") == "-0.0000012");
    CHECK(number("1e-6") == "0.000001");
    CHECK(number("1e-7") == "1E-7");
    CHECK(number("-0.00000015") == "-1.5E-7");
    CHECK(number("12345678901234567890123456789012345678") == "12345678901234567890123456789012345678");
    CHECK(number("1e37") == "1" + std::string(37, '0'));
    CHECK(number("1e38") == "1E38");
    CHECK(number("123e38") == "1.23E40");
    CHECK(number("1E-130") == "1E-130");
    CHECK(number("9.9999999999999999999999999999999999999e125") == "9.9999999999999999999999999999999999999E125");
}

TEST_CASE("names and sets are sorted at every level, lists are not, and nothing is escaped that need not be") {
    CHECK(canonical("{}") == "{}");
    CHECK(canonical(R"({ "b" : {"S":"\u0041\/\n"}, "B":{"B":"AA=="},"a":{"BOOL":false},"\u0061b":{"NULL":true} })") ==
          R"({"B":{"B":"AA=="},"a":{"BOOL":false},"ab":{"NULL":true},"b":{"S":"A/\n"}})");
    CHECK(canonical(R"({"x":{"SS":["b","\u0061","\""]},"n":{"NS":["10","2.0","-3"]},"b":{"BS":["QUI=","AA=="]}})") ==
          R"({"b":{"BS":["AA==","QUI="]},"n":{"NS":["-3","2","10"]},"x":{"SS":["\"","a","b"]}})");
    CHECK(canonical(R"({"l":{"L":[{"M":{"b":{"L":[]},"a":{"M":{}}}},{"N":"2.0"},{"N":"1.0"}]}})") ==
          R"({"l":{"L":[{"M":{"a":{"M":{}},"b":{"L":[]}}},{"N":"2"},{"N":"1"}]}})");
}

TEST_CASE("attributes of several items make one text") {
    const auto one = item(R"({"b":{"N":"2.0"},"c":{"S":"x"}})");
    const auto other = item(R"({"a":{"S":"\u0079"}})");
    std::vector<freshet::attribute> all;
    for (const auto a : one.image()) { all.push_back(a); }
    for (const auto a : other.image()) { all.push_back(a); }
    CHECK(canonical_text(all) == R"({"a":{"S":"y"},"b":{"N":"2"},"c":{"S":"x"}})");
}

TEST_CASE("a canonical text is an item, the same one, and its own canonical text") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    for (auto left = support::cases(1'000); left > 0; --left) {
        const auto any = item(make.image());
        const auto text = canonical_text(any.image());
        const auto back = document::parse(text);
        REQUIRE_MESSAGE(back.ok(), any.text());
        if (!same_item(any.image(), back->image()) || canonical_text(back->image()) != text) {
            FAIL(any.text(), " and ", text);
        }
    }
}

TEST_CASE("two items have the same text if and only if they are the same item") {
    const auto seed = support::seed();
    CAPTURE(seed);
    near_maker make{seed};
    std::size_t equal = 0;
    std::size_t spelled = 0;
    const auto tried = support::cases(5'000);
    for (auto left = tried; left > 0; --left) {
        const auto a = item(make.item());
        const auto b = item(make.item());
        const bool same = same_item(a.image(), b.image());
        if ((canonical_text(a.image()) == canonical_text(b.image())) != same) { FAIL(a.text(), " and ", b.text()); }
        equal += same ? 1 : 0;
        spelled += same && a.text() != b.text() ? 1 : 0;
    }
    CHECK(equal > tried / 200);
    CHECK(spelled > tried / 500);
}

TEST_CASE("nested lists and maps to the limit, and large sets, are written at once") {
    std::string deep = R"({"N":"1.0"})";
    std::string wanted = R"({"N":"1"})";
    for (int i = 0; i < 32; ++i) {
        deep = R"({"M":{"b":{"S":""},"a":)" + deep + "}}";
        wanted = R"({"M":{"a":)" + wanted + R"(,"b":{"S":""}}})";
    }
    CHECK(canonical("{\"x\":" + deep + "}") == "{\"x\":" + wanted + "}");
    std::string set = "\"0\"";
    std::string sorted = "\"0\"";
    for (int i = 1; i < 5'000; ++i) {
        sorted += ",\"" + std::to_string(i) + '"';
        set = "\"" + std::to_string(i) + ".0\"," + set;
    }
    CHECK(canonical("{\"x\":{\"NS\":[" + set + "]}}") == "{\"x\":{\"NS\":[" + sorted + "]}}");
}
