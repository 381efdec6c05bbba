#include <freshet/letter/queue_id.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <support/cases.hpp>

namespace {

using freshet::id_mapping;
using freshet::is_queue_id;
using freshet::make_queue_id;
using freshet::write_queue_id;

struct written {
    std::array<char, freshet::queue_id_capacity> text{};
    freshet::queue_id_written how;

    constexpr written(std::string_view raw, unsigned ordinal = 1) : how{write_queue_id(text.data(), raw, ordinal)} {}
    [[nodiscard]] constexpr auto view() const -> std::string_view { return {text.data(), how.size}; }
};

constexpr auto gives(std::string_view raw, std::string_view id, id_mapping mapping, unsigned ordinal = 1) -> bool {
    const written w{raw, ordinal};
    return w.view() == id && w.how.mapping == mapping && is_queue_id(w.view());
}

static_assert(gives("IMAGE#550e8400#RECEIPT#1#LINE#2", "IMAGE#550e8400#RECEIPT#1#LINE#2", id_mapping::kept));
static_assert(gives("", "%empty", id_mapping::escaped));
static_assert(gives("a b", "a%20b", id_mapping::escaped));
static_assert(gives("100%", "100%25", id_mapping::escaped));
static_assert(gives("\xC3\xA9", "%C3%A9", id_mapping::escaped), "hexadecimal digits are upper case");
static_assert(gives({"\0\x7F", 2}, "%00%7F", id_mapping::escaped));
static_assert(gives("%empty", "%25empty", id_mapping::escaped), "what looks like an output is escaped itself");
static_assert(gives("%sha256:", "%25sha256:", id_mapping::escaped));
static_assert(gives("a", "a%:2", id_mapping::kept, 2));
static_assert(gives("a%:2", "a%25:2", id_mapping::escaped));
static_assert(gives("", "%empty%:4294967295", id_mapping::escaped, 4294967295));
static_assert(gives("a", "a%:0", id_mapping::kept, 0), "every ordinal but the first shows");

constexpr std::string_view punctuation{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"};
static_assert(is_queue_id(punctuation));
static_assert(is_queue_id("AZaz09"));
static_assert(!is_queue_id("") && !is_queue_id(" ") && !is_queue_id("\x7F") && !is_queue_id("\x80"));

} // namespace

TEST_CASE("an id of 128 bytes is kept and one of 129 is hashed") {
    const std::string fits(128, 'x');
    CHECK(written{fits}.view() == fits);
    CHECK(written{fits}.how.mapping == id_mapping::kept);

    const written hashed{fits + 'x'};
    CHECK(hashed.how.mapping == id_mapping::hashed);
    CHECK(hashed.view().substr(0, 8) == "%sha256:");
    CHECK(hashed.view().size() == 72);
}

TEST_CASE("the hash is the raw bytes' own, so that anybody can compute it") {
    const auto digest = freshet::hex(freshet::sha256_of(std::string(200, 'y')));
    CHECK(make_queue_id(std::string(200, 'y')) == "%sha256:" + std::string(digest.data(), digest.size()));
}

TEST_CASE("an id whose escaped form is 128 bytes is escaped and one of 129 or more is hashed") {
    const auto fits = std::string(125, 'x') + ' ';
    CHECK(written{fits}.view() == std::string(125, 'x') + "%20");
    CHECK(written{fits}.how.mapping == id_mapping::escaped);
    CHECK(written{fits + 'x'}.how.mapping == id_mapping::hashed);
    CHECK(written{std::string(126, 'x') + '%'}.how.mapping == id_mapping::hashed);
}

TEST_CASE("the suffix of a later message counts towards the 128 bytes") {
    const std::string raw(125, 'x');
    CHECK(written{raw, 9}.view() == raw + "%:9");
    CHECK(written{raw, 9}.how.mapping == id_mapping::kept);
    CHECK(written{raw, 10}.how.mapping == id_mapping::hashed);
    const auto id = make_queue_id(raw, 10);
    CHECK(id.substr(id.size() - 4) == "%:10");
    CHECK(make_queue_id(std::string(500, 'x'), std::numeric_limits<unsigned>::max()).size() == 72 + 12);
}

TEST_CASE("every byte at every place of a word is judged as it is alone") {
    for (std::size_t size = 1; size <= 17; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string raw(size, 'a');
                raw[at] = static_cast<char>(byte);
                const bool kept = byte > 0x20 && byte < 0x7F && byte != '%';
                const written w{raw};
                REQUIRE((w.how.mapping == id_mapping::kept) == kept);
                REQUIRE((w.view() == raw) == kept);
            }
        }
    }
}

TEST_CASE("a hundred thousand hostile ids are all legal and no two share an output") {
    const auto seed = support::seed();
    CAPTURE(seed);
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };

    std::unordered_map<std::string, std::pair<std::string, unsigned>> raw_of; // by output
    std::vector<std::string> seen{"", "%", "%%", "%empty", "%25empty", "%41", "A", "%sha256:", "a%:2", "a", "%:2",
                                  std::string(128, 'a'), std::string(129, 'a'), std::string(42, ' '),
                                  std::string(43, ' '), std::string(127, 'a') + '%'};
    std::array<std::size_t, 3> mappings{};
    const auto check = [&](const std::string& raw, unsigned ordinal) {
        char text[freshet::queue_id_capacity];
        const auto how = write_queue_id(text, raw, ordinal);
        const std::string id{text, how.size};
        if (!is_queue_id(id)) { FAIL("not legal: " << id); }
        const auto [at, fresh] = raw_of.try_emplace(id, raw, ordinal);
        if (!fresh && at->second != std::pair{raw, ordinal}) { FAIL("two ids became " << id); }
        ++mappings[static_cast<std::size_t>(how.mapping)];
    };

    for (const auto& raw : seen) { check(raw, 1), check(raw, 2); }
    constexpr std::string_view alphabet{"%%%%:2A415e0 a\xC3#empty"};
    const auto cases = support::cases(100'000);
    for (auto left = cases; left > 0; --left) {
        std::string raw;
        switch (below(5)) {
            case 0: // any bytes
                raw.resize(below(150));
                for (auto& c : raw) { c = static_cast<char>(random()); }
                break;
            case 1: // short texts of the mapping's own signs, so that many nearly collide
                raw.resize(below(9));
                for (auto& c : raw) { c = alphabet[below(alphabet.size())]; }
                break;
            case 2: // an output, as an input
                raw = make_queue_id(seen[below(seen.size())], static_cast<unsigned>(1 + below(3)));
                break;
            case 3: // one byte changed, added or taken away
                raw = seen[below(seen.size())];
                if (raw.empty() || below(3) == 0) { raw += alphabet[below(alphabet.size())]; }
                else if (below(2) == 0) { raw[below(raw.size())] = alphabet[below(alphabet.size())]; }
                else { raw.erase(below(raw.size()), 1); }
                break;
            default: // lengths around the limit
                raw.assign(120 + below(12), 'a');
                if (below(2) == 0) { raw[below(raw.size())] = alphabet[below(alphabet.size())]; }
        }
        check(raw, below(4) == 0 ? static_cast<unsigned>(1 + below(12)) : 1);
        if (seen.size() < 2000) { seen.push_back(std::move(raw)); }
        else { seen[below(seen.size())] = std::move(raw); }
    }
    if (cases >= 1'000) {
        for (const auto count : mappings) { CHECK(count > cases / 100); }
    }
}
