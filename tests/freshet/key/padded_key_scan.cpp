#include <freshet/key/padded_key_scan.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/key/key_pattern.hpp>
#include <support/cases.hpp>

namespace {

using freshet::hex_check;
using freshet::key_slice;

/// Bytes that end where an unreadable page begins: a read past the end ends the process.
class guarded_bytes {
public:
    guarded_bytes() : page_{static_cast<std::size_t>(sysconf(_SC_PAGESIZE))} {
        auto* mapped = mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(mapped != MAP_FAILED);
        begin_ = static_cast<char*>(mapped);
        REQUIRE(mprotect(begin_ + page_, page_, PROT_NONE) == 0);
    }
    guarded_bytes(const guarded_bytes&) = delete;
    auto operator=(const guarded_bytes&) -> guarded_bytes& = delete;
    ~guarded_bytes() { munmap(begin_, 2 * page_); }

    auto hold(std::string_view text) -> std::string_view {
        auto* at = begin_ + page_ - text.size();
        std::copy(text.begin(), text.end(), at);
        return {at, text.size()};
    }

private:
    std::size_t page_;
    char* begin_{};
};

/// Whether the quick scan takes `key`; checks that it takes only what the rule takes, and reads it the same.
template <class Parts>
auto taken(std::string_view key) -> bool {
    std::array<key_slice, Parts::field_names.size() + 1> quick{};
    std::array<key_slice, Parts::field_names.size() + 1> slow{};
    const bool took = freshet::padded_key_scan<Parts>::match(key, quick.data());
    const auto fault = freshet::scan_key(Parts::text, Parts::pieces, key, slow.data());
    CAPTURE(Parts::text);
    CAPTURE(key);
    if (took) {
        CHECK(fault.reason.empty());
        for (std::size_t i = 0; i < Parts::field_names.size(); ++i) {
            CHECK(quick[i].text == slow[i].text);
            CHECK(quick[i].number == slow[i].number);
        }
    } else if (fault.reason.empty()) { // only a wider number may be left to the rule
        const bool wide = freshet::longest_digit_run(key) > Parts::padded_digits;
        CHECK(wide);
    }
    return took;
}

template <freshet::fixed_text Text>
using parts = freshet::key_parts<Text>;

using label = parts<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}#LABEL#{label}">;
using image = parts<"IMAGE#{image_id:uuid}">;

constexpr std::string_view uuid = "550e8400-e29b-41d4-a716-44665544ABCF";

TEST_CASE("digits of every width are valued as they are read") {
    constexpr std::string_view digits = "9876543210123456789";
    CHECK(freshet::known_digits<1>(digits.data()) == 9);
    CHECK(freshet::known_digits<4>(digits.data()) == 9876);
    CHECK(freshet::known_digits<5>(digits.data()) == 98765);
    CHECK(freshet::known_digits<8>(digits.data()) == 98765432);
    CHECK(freshet::known_digits<13>(digits.data()) == 9876543210123);
    CHECK(freshet::known_digits<19>(digits.data()) == 9876543210123456789U);
    CHECK(freshet::known_digits<19>("9999999999999999999") == 9999999999999999999U);
}

TEST_CASE("of all bytes at all places only hexadecimal digits pass, whatever their neighbours are") {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool hex = std::isxdigit(static_cast<int>(byte)) != 0;
        for (unsigned place = 0; place < 64; place += 8) {
            for (const std::uint64_t neighbours : {0x3030303030303030U, 0x6666666666666666U, 0x4646464646464646U}) {
                const auto word = (neighbours & ~(std::uint64_t{0xff} << place)) | std::uint64_t{byte} << place;
                const bool fits = (hex_check::misfits(word) & hex_check::high_bits) == 0;
                if (fits != hex) { FAIL_CHECK("byte " << byte << " at bit " << place); }
            }
        }
    }
}

TEST_CASE("every byte at every place of a key is taken or refused as the rule says") {
    const std::string keys[] = {"RECEIPT#00001#LINE#00020#WORD#00300#LABEL#TOTAL", "IMAGE#" + std::string{uuid}};
    for (const auto& key : keys) {
        const bool is_image = key.front() == 'I';
        CHECK((is_image ? taken<image>(key) : taken<label>(key)));
        for (std::size_t at = 0; at < key.size(); ++at) {
            auto broken = key;
            for (unsigned byte = 0; byte < 256; ++byte) {
                broken[at] = static_cast<char>(byte);
                std::array<key_slice, 4> slices{};
                const auto& rule = is_image ? std::span<const freshet::key_piece>{image::pieces}
                                            : std::span<const freshet::key_piece>{label::pieces};
                const auto text = is_image ? image::text : label::text;
                const bool legal = freshet::scan_key(text, rule, broken, slices.data()).reason.empty();
                const bool took = is_image ? freshet::padded_key_scan<image>::match(broken, slices.data())
                                           : freshet::padded_key_scan<label>::match(broken, slices.data());
                if (took != legal) { FAIL_CHECK("byte " << byte << " at " << at); }
            }
        }
    }
}

TEST_CASE("no byte behind a key is read, wherever the key is cut") {
    guarded_bytes guarded;
    const std::string key = "RECEIPT#00001#LINE#00020#WORD#00300#LABEL#TOTAL";
    for (std::size_t size = 0; size <= key.size(); ++size) {
        CHECK(taken<label>(guarded.hold(key.substr(0, size))) == (size > key.size() - 5));
    }
    const std::string image_key = "IMAGE#" + std::string{uuid};
    for (std::size_t size = 0; size <= image_key.size(); ++size) {
        CHECK(taken<image>(guarded.hold(image_key.substr(0, size))) == (size == image_key.size()));
    }
    CHECK(taken<parts<"{n:03d}">>(guarded.hold("123")));
    CHECK_FALSE(taken<parts<"{n:03d}">>(guarded.hold("12")));
    CHECK(taken<parts<"A">>(guarded.hold("A")));
    CHECK(taken<parts<"{n:d}#{r:*}">>(guarded.hold("7##")));
    CHECK_FALSE(taken<parts<"{n:d}#{r:*}">>(guarded.hold("7#")));
    CHECK(taken<parts<"{u:uuid}{t}#x">>(guarded.hold(std::string{uuid} + "t#x")));
    CHECK_FALSE(taken<label>(std::string_view{}));
}

TEST_CASE("wide numbers are left to the rule, and none is read modulo 2^64") {
    CHECK(taken<parts<"{n:019d}">>("9999999999999999999"));
    CHECK_FALSE(taken<parts<"{n:019d}">>("18446744073709551615"));
    CHECK_FALSE(taken<parts<"{n:020d}">>("00000000000000000007"));
    CHECK(taken<parts<"{n:d}">>("9999999999999999999"));
    CHECK_FALSE(taken<parts<"{n:d}">>("18446744073709551616"));
    CHECK_FALSE(taken<parts<"{n:05d}">>("100000"));
    CHECK_FALSE(taken<parts<"{n:d}">>("00"));
    CHECK(taken<parts<"{n:d}">>("0"));
}

/// Random bytes of the pattern's own alphabet, and the pattern's own literals, in the order that a key would have.
template <class Parts>
auto near_key(std::mt19937_64& random) -> std::string {
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    std::string key;
    for (const auto& piece : Parts::pieces) {
        switch (piece.kind) {
            case freshet::key_piece_kind::literal: key += piece.of(Parts::text); break;
            case freshet::key_piece_kind::uuid: key += uuid; break;
            case freshet::key_piece_kind::number: {
                const auto width = below(8) == 0 ? below(22) : piece.width;
                for (std::size_t i = 0; i < width; ++i) { key += static_cast<char>('0' + below(10)); }
                break;
            }
            default:
                for (auto n = 1 + below(12); n > 0; --n) { key += "abcXYZ019 #-"[below(below(4) == 0 ? 12 : 10)]; }
        }
    }
    for (auto changes = below(3); changes > 0 && !key.empty(); --changes) {
        const auto at = below(key.size());
        switch (below(4)) {
            case 0: key[at] = static_cast<char>(random()); break;
            case 1: key.erase(at, 1); break;
            case 2: key.insert(at, 1, "0#1a"[below(4)]); break;
            default: key[at] = "0123456789#aF-"[below(14)];
        }
    }
    return key;
}

template <class... Parts>
void agree(std::mt19937_64& random, std::size_t rounds) {
    guarded_bytes guarded;
    std::size_t took = 0;
    for (std::size_t i = 0; i < rounds; ++i) {
        ((took += taken<Parts>(guarded.hold(near_key<Parts>(random))) ? 1 : 0), ...);
    }
    if (rounds < 100) { return; }
    CHECK(took > rounds);                    // the walk is no walk among refusals alone,
    CHECK(took < rounds * sizeof...(Parts)); // nor among good keys
}

TEST_CASE("the quick scan takes what the rule takes, and says the same, on random keys and near misses") {
    const auto seed = support::seed();
    MESSAGE("seed " << seed);
    std::mt19937_64 random{seed};
    agree<label, image, parts<"A{a:02d}B{b:019d}">, parts<"{a:uuid}{b:d}x{c:07d}">, parts<"{a}#{b}#{c:020d}#{d:*}">,
          parts<"K#{a:d}">, parts<"{a:012d}-{b:03d}">>(random, support::cases(1'500));
}

} // namespace
