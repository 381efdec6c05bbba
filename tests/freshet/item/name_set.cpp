#include <freshet/item/name_set.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using freshet::detail::name_set;
using freshet::detail::object_names;

TEST_CASE("a set knows the names of many open objects, as std::set does, again and again") {
    std::mt19937_64 random{3};
    std::vector<std::string> stock;
    for (int i = 0; i < 600; ++i) {
        stock.push_back(std::string(random() % 20, static_cast<char>('a' + i % 3)) + std::to_string(i / 2));
    }
    name_set names;
    for (int round = 0; round < 20; ++round) {
        std::set<std::pair<std::uint64_t, std::string_view>> wanted;
        std::vector<std::uint64_t> objects;
        for (int i = 0; i < 1000; ++i) {
            if (objects.empty() || random() % 50 == 0) {
                objects.push_back(names.open());
                REQUIRE(objects.back() != 0);
            }
            const auto object = objects[random() % objects.size()];
            const std::string_view name = stock[random() % stock.size()];
            REQUIRE(names.add(object, name) == wanted.emplace(object, name).second);
        }
        names.reset();
    }
}

TEST_CASE("names with equal beginnings, ends, lengths and NULs are told apart") {
    name_set names;
    const auto object = names.open();
    using std::string_view_literals::operator""sv;
    for (const auto name : {""sv, "\0"sv, "\0\0"sv, "a"sv, "a\0"sv, "aaaaaaaa"sv, "aaaaaaaa\0"sv, "aaaaaaab"sv,
                            "baaaaaaa"sv, "aaaaaaaabaaaaaaa"sv, "aaaaaaaaaaaaaaab"sv, "\0\0\0\0\0\0\0\0"sv}) {
        CHECK(names.add(object, name));
        CHECK(!names.add(object, name));
        CHECK(names.add(names.open(), name));
    }
}

TEST_CASE("the names of one object are known before and after they move to a set") {
    std::mt19937_64 random{4};
    name_set many;
    std::vector<std::string> stock;
    for (int i = 0; i < 200; ++i) {
        stock.push_back(i == 0 ? ""
                               : std::string(1 + random() % 3, static_cast<char>('a' + random() % 4)) +
                                     (i % 2 == 0 ? std::to_string(i) : ""));
    }
    for (int round = 0; round < 300; ++round) {
        object_names one{many};
        std::set<std::string_view> wanted;
        for (auto n = random() % 80; n > 0; --n) {
            const std::string_view name = stock[random() % stock.size()];
            REQUIRE(one.add(name) == wanted.insert(name).second);
            if (wanted.size() == 30) { // an object inside knows nothing of the outer one
                object_names inner{many};
                for (const auto& outer : wanted) { REQUIRE(inner.add(outer)); }
                for (const auto& outer : wanted) { REQUIRE(!inner.add(outer)); }
            }
        }
        if (round % 3 == 0) { many.reset(); }
    }
}
