#include <freshet/core/text_hash.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using freshet::detail::text_hash;

namespace {

/// The hash of a table at an address like those that programs have, the same in every run.
auto hash_at(std::uintptr_t place) -> text_hash {
    return text_hash{reinterpret_cast<const void*>(0x7ffc'1a2b'0000 + 16 * place)};
}

/// How many of `texts` share the fullest of 1024 places.
auto fullest(const text_hash& hash, const std::vector<std::string>& texts) -> std::size_t {
    std::vector<std::size_t> places(1024);
    for (const auto& text : texts) { ++places[hash(0, text) % places.size()]; }
    return *std::max_element(places.begin(), places.end());
}


/// Group ids that `std::hash` of this standard library takes for one and the same: pairs of 8 bytes of which the
/// second undoes what the first did (MurmurHash64A with the library's own seed).
auto prepared_to_collide(std::size_t count) -> std::vector<std::string> {
    constexpr std::uint64_t seed = 0xc70f6907, factor = 0xc6a4a7935bd1e995;
    const auto inverse = [](std::uint64_t odd) {
        auto found = odd;
        for (int i = 0; i < 6; ++i) { found *= 2 - odd * found; }
        return found;
    }(factor);
    std::vector<std::string> ids;
    for (std::uint64_t first = 1; first <= count; ++first) {
        auto mixed = first * factor;
        mixed = (mixed ^ mixed >> 47) * factor;
        auto second = (0x1234567890abcdefu * inverse) ^ (((seed ^ 16 * factor) ^ mixed) * factor);
        second *= inverse;
        second = (second ^ second >> 47) * inverse;
        auto& id = ids.emplace_back(16, '\0');
        std::memcpy(id.data(), &first, 8);
        std::memcpy(id.data() + 8, &second, 8);
    }
    return ids;
}

} // namespace

TEST_CASE("equal texts hash alike wherever they lie, and a copy of the hash agrees") {
    const auto hash = hash_at(1);
    const auto copy = hash;
    for (std::size_t size = 0; size < 40; ++size) {
        const std::string text(size, 'x');
        const auto shifted = "y" + text;
        CHECK(hash(7, text) == hash(7, std::string_view{shifted}.substr(1)));
        CHECK(hash(7, text) == copy(7, text));
        CHECK(hash_at(1)(7, text) == hash(7, text));
    }
}

TEST_CASE("another table hashes otherwise") {
    std::set<std::uint64_t> seen;
    for (std::uintptr_t place = 0; place < 64; ++place) { seen.insert(hash_at(place)(0, "IMAGE#1")); }
    CHECK(seen.size() == 64);
}

TEST_CASE("length, every byte, NULs at the end and the owner count") {
    using std::string_view_literals::operator""sv;
    const auto hash = hash_at(1);
    std::set<std::uint64_t> seen;
    const std::array texts{""sv, "\0"sv, "\0\0"sv, "a"sv, "a\0"sv, "aaaaaaaa"sv, "aaaaaaaa\0"sv, "aaaaaaab"sv,
                           "aaaaaaaabaaaaaaa"sv, "baaaaaaaaaaaaaaa"sv, "\0\0\0\0\0\0\0\0"sv, "\0\0\0\0\0\0\0\0\0"sv};
    for (const auto text : texts) { seen.insert(hash(0, text)); }
    CHECK(seen.size() == texts.size());

    std::string text(21, 'm');
    const auto before = hash(0, text);
    for (auto& byte : text) {
        byte = 'n';
        CHECK(hash(0, text) != before);
        byte = 'm';
    }
    CHECK(hash(1, text) != before);
}

TEST_CASE("like texts are spread under any salt") {
    std::vector<std::string> numbered, strided;
    for (std::size_t i = 0; i < 4096; ++i) {
        numbered.push_back("IMAGE#550e8400-e29b-41d4-a716-446655440000#RECEIPT#" + std::to_string(i));
        std::string high(8, '\0'); // differ in their last bytes only, the highest of a word
        high[6] = static_cast<char>(i % 256), high[7] = static_cast<char>(i / 256);
        strided.push_back(high);
    }
    for (std::uintptr_t place = 0; place < 16; ++place) { // 4 texts a place in the mean
        CHECK(fullest(hash_at(place), numbered) < 24);
        CHECK(fullest(hash_at(place), strided) < 24);
    }
}

TEST_CASE("texts that were prepared to share one std::hash are spread like others") {
    const auto prepared = prepared_to_collide(4096);
    if (std::hash<std::string>{}(prepared.front()) != std::hash<std::string>{}(prepared.back())) {
        MESSAGE("this standard library hashes otherwise: these texts collide nowhere");
    }
    for (std::uintptr_t place = 0; place < 16; ++place) { CHECK(fullest(hash_at(place), prepared) < 24); }
}
