#include <freshet/key/key_pattern.hpp>

#include <cstdint>
#include <iterator>
#include <limits>
#include <memory_resource>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::errc;
using freshet::key_pattern;

using image = key_pattern<"IMAGE#{image_id:uuid}">;
using metadata = key_pattern<"RECEIPT#{receipt_id:05d}#METADATA">;
using receipt = key_pattern<"RECEIPT#{receipt_id:05d}">;
using line = key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}">;
using word = key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}">;
using label = key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}#LABEL#{label}">;

constexpr std::string_view uuid = "550e8400-e29b-41d4-a716-44665544ABCF";
constexpr std::string_view label_key = "RECEIPT#00001#LINE#00020#WORD#00300#LABEL#GRAND TOTAL";

static_assert(std::is_empty_v<label> && label::field_count == 4 && label::field_names[3] == "label");
static_assert(label::parse(label_key)->get<"receipt_id">() == 1 && label::parse(label_key)->get<"word_id">() == 300);
static_assert(label::parse(label_key)->get<"label">() == "GRAND TOTAL");
static_assert(std::is_same_v<decltype(label::parse(label_key)->get<"line_id">()), std::uint64_t>);
static_assert(image::parse("IMAGE#550e8400-e29b-41d4-a716-44665544ABCF")->get<"image_id">() == uuid);
static_assert(!label::parse("RECEIPT#00001") && label::parse("RECEIPT#00001").fault().offset == 13);
static_assert(label::formatted_size(1, 20, 300, "GRAND TOTAL").value() == label_key.size());

constexpr auto written_at_compile_time() -> bool {
    char room[64]{};
    const auto end = label::format_to(&room[0], 1, 20U, std::int8_t{100}, "X");
    return end.ok() && std::string_view{room, *end} == "RECEIPT#00001#LINE#00020#WORD#00100#LABEL#X";
}
static_assert(written_at_compile_time());

TEST_CASE("a key is taken apart by names and by a structured binding") {
    const auto fields = label::parse(label_key);
    REQUIRE(fields);
    const auto [receipt_id, line_id, word_id, text] = *fields;
    CHECK(receipt_id == 1);
    CHECK(line_id == 20);
    CHECK(word_id == 300);
    CHECK(text == "GRAND TOTAL");
    CHECK(*fields == label::fields_type{1, 20, 300, "GRAND TOTAL"});
    CHECK(text.data() == label_key.data() + label_key.size() - text.size());
}

TEST_CASE("a key matches from its first byte to its last or not at all") {
    CHECK(metadata::parse("RECEIPT#00001#METADATA"));
    CHECK_FALSE(metadata::parse("RECEIPT#00001#METADATA#X"));
    CHECK_FALSE(metadata::parse("RECEIPT#00001#METADATA "));
    CHECK_FALSE(metadata::parse(" RECEIPT#00001#METADATA"));
    CHECK_FALSE(metadata::parse("XRECEIPT#00001#METADATA"));
    CHECK_FALSE(metadata::parse("RECEIPT#00001#metadata"));
    CHECK_FALSE(receipt::parse("RECEIPT#00001#SECTION#SUMMARY"));
    CHECK_FALSE(receipt::parse("RECEIPT#00001\n"));
    CHECK_FALSE(receipt::parse(std::string_view{"RECEIPT#00001\0", 14}));
    CHECK_FALSE(word::parse("RECEIPT#00001#LINE#00001#WORD#00001#LETTER#00001"));
    CHECK_FALSE(label::parse("RECEIPT#00001#LINE#00001#WORD#00001#LABEL#A#B"));
    CHECK_FALSE(label::parse("RECEIPT#00001#LINE#00001#WORD#00001#LABEL#"));
    CHECK_FALSE(label::parse(""));
}

TEST_CASE("a number wider than its padding is legal without a leading zero, up to 2^64 - 1") {
    CHECK(receipt::parse("RECEIPT#123456")->get<"receipt_id">() == 123456);
    CHECK(receipt::parse("RECEIPT#18446744073709551615")->get<0>() == std::numeric_limits<std::uint64_t>::max());
    CHECK_FALSE(receipt::parse("RECEIPT#18446744073709551616"));
    CHECK_FALSE(receipt::parse("RECEIPT#000001"));
    CHECK_FALSE(receipt::parse("RECEIPT#0001"));
    CHECK_FALSE(receipt::parse("RECEIPT#+0001"));
    CHECK(*line::format(123456, 99999) == "RECEIPT#123456#LINE#99999");
    CHECK(*line::parse("RECEIPT#123456#LINE#99999") == line::fields_type{123456, 99999});
}

TEST_CASE("a fault names the offending byte, at run time as in a constant expression") {
    constexpr auto early = label::parse("RECEIPT#00001#LINE#0002X#WORD#00003#LABEL#X").fault();
    const std::string key = "RECEIPT#00001#LINE#0002X#WORD#00003#LABEL#X";
    CHECK(label::parse(key).fault() == early);
    CHECK(early.offset == 23);
    const auto failed = label::parse(key).as_result("sort key");
    CHECK(failed.why().code == errc::malformed);
    CHECK(failed.why().note == "sort key: a number has fewer digits than its padding at byte 23");
}

TEST_CASE("format refuses what would not read back, and names pattern and byte") {
    CHECK(*label::format(1, 20, 300, "GRAND TOTAL") == label_key);
    CHECK(label::format(1, 2, 3, "").why().code == errc::malformed);
    CHECK(label::format(1, 2, 3, "A#B").why().note ==
          "key pattern RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}#LABEL#{label}: "
          "a text field was given text with '#' in it at byte 43");
    CHECK_FALSE(label::format(1, -2, 3, "A"));
    CHECK_FALSE(image::format("550e8400"));
    CHECK(*image::format(std::string{uuid}) == "IMAGE#" + std::string{uuid});
    using with_rest = key_pattern<"A#{rest:*}">;
    CHECK(*with_rest::format("b#c") == "A#b#c");
    CHECK_FALSE(with_rest::format(""));
    CHECK(*key_pattern<"CONFIG">::format() == "CONFIG");
    CHECK(key_pattern<"CONFIG">::parse("CONFIG"));
}

TEST_CASE("a refused key writes nothing, an accepted one exactly its size") {
    std::string room(64, '.');
    CHECK_FALSE(label::format_to(room.begin(), 1, 2, 3, "A#B"));
    CHECK(room == std::string(64, '.'));
    const auto end = label::format_to(room.begin(), label::fields_type{1, 2, 3, "AB"});
    REQUIRE(end);
    CHECK(static_cast<std::size_t>(*end - room.begin()) == *label::formatted_size(1, 2, 3, "AB"));
    CHECK(room.substr(0, 45) == "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#AB.");
}

TEST_CASE("a key is written behind what is there, through an iterator without a default constructor") {
    std::string keys = "first ";
    CHECK(receipt::format_to(std::back_inserter(keys), 1));
    const auto refused = label::format_to(std::back_inserter(keys), 1, 2, 3, "A#B");
    CHECK_FALSE(refused);
    CHECK(refused.fault() == label::formatted_size(1, 2, 3, "A#B").fault());
    auto end = *label::format_to(std::back_inserter(keys), label::fields_type{1, 2, 3, "AB"});
    *end++ = '.';
    CHECK(keys == "first RECEIPT#00001RECEIPT#00001#LINE#00002#WORD#00003#LABEL#AB.");
}

template <class Key>
concept parses = requires(Key&& key) { label::parse(std::forward<Key>(key)); };
template <class Key>
concept parses_bytewise = requires(Key&& key) { label::parse_bytewise(std::forward<Key>(key)); };
template <class Key>
concept matches =
    requires(Key&& key) { label::match<freshet::key_widths::any>(std::forward<Key>(key), nullptr); };
template <class Key>
concept number_parses = requires(Key&& key) { receipt::parse(std::forward<Key>(key)); };

static_assert(parses<std::string&> && parses<const std::string&> && parses<std::string_view>);
static_assert(parses<const char*> && parses<const char (&)[3]>);
static_assert(!parses<std::string> && !parses<const std::string> && !parses<std::pmr::string>);
static_assert(!parses_bytewise<std::string> && parses_bytewise<std::string&> && parses_bytewise<const char (&)[3]>);
static_assert(!matches<std::string> && matches<std::string&> && matches<const char (&)[3]>);
static_assert(number_parses<std::string>, "numbers are no views");

TEST_CASE("a prefix holds the first fields and the literal text before the next one") {
    CHECK(*label::prefix() == "RECEIPT#");
    CHECK(*label::prefix(1) == "RECEIPT#00001#LINE#");
    CHECK(*label::prefix(1, 2, 3) == "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#");
    CHECK(*metadata::prefix() == "RECEIPT#");
    CHECK(*key_pattern<"{u:uuid}{n:d}">::prefix(uuid) == uuid);
    CHECK_FALSE(label::prefix(-1));
    CHECK(label::format(1, 2, 3, "X")->starts_with(*label::prefix(1, 2)));
}

struct source {
    std::mt19937_64 random;

    auto below(std::uint64_t n) -> std::uint64_t { return random() % n; }
    auto number() -> std::uint64_t { return random() >> below(64); }
    auto text(std::string_view never) -> std::string {
        std::string made;
        for (auto n = 1 + below(20); n > 0; --n) {
            const auto c = static_cast<char>(random());
            made += never.find(c) == std::string_view::npos ? c : 'x';
        }
        return made;
    }
    auto uuid_text() -> std::string {
        std::string made{uuid};
        for (auto& c : made) {
            if (c != '-') { c = "0123456789abcdefABCDEF"[below(22)]; }
        }
        return made;
    }
    void mutate(std::string& key) {
        if (key.empty()) { return; }
        const auto at = static_cast<std::size_t>(below(key.size()));
        switch (below(5)) {
            case 0: key[at] = static_cast<char>(random()); break;
            case 1: key.erase(at, 1); break;
            case 2: key.insert(at, 1, "0#1a "[below(5)]); break;
            case 3: key.resize(at); break;
            default: key.insert(at, key.substr(at, 4));
        }
    }
};

/// Fields written and read back are the same fields, and whatever can be read is written the same.
template <class Pattern, class... Values>
void goes_round(source& from, const Values&... values) {
    const typename Pattern::fields_type fields{values...};
    const auto key = Pattern::format(fields);
    REQUIRE(key);
    const auto read = Pattern::parse(*key);
    REQUIRE(read);
    if (!(*read == fields) || *key != *Pattern::format(values...)) { FAIL_CHECK("not the same fields: " << *key); }
    auto near_miss = *key;
    for (auto n = 1 + from.below(3); n > 0; --n) { from.mutate(near_miss); }
    const auto quick = Pattern::parse(near_miss);
    const auto bytewise = Pattern::parse_bytewise(near_miss);
    if (quick.ok() != bytewise.ok() || (quick.ok() ? !(*quick == *bytewise) : !(quick.fault() == bytewise.fault()))) {
        FAIL_CHECK("two answers for " << near_miss);
    }
    if (quick && *Pattern::format(*quick) != near_miss) { FAIL_CHECK("not the same key: " << near_miss); }
}

TEST_CASE("parse(format(x)) is x and format(parse(k)) is k, near misses included") {
    const auto seed = support::seed();
    MESSAGE("seed " << seed);
    source from{std::mt19937_64{seed}};
    for (auto left = support::cases(4'000); left > 0; --left) {
        const auto text = from.text("#");
        const auto rest = from.text("");
        const auto id = from.uuid_text();
        goes_round<label>(from, from.number(), from.below(100'000), from.number(), text);
        goes_round<image>(from, id);
        goes_round<metadata>(from, from.below(200'000));
        goes_round<key_pattern<"{a}#{b:020d}:{c:d}">>(from, text, from.number(), from.number());
        goes_round<key_pattern<"X{u:uuid}{n:02d}#{r:*}">>(from, id, from.number(), rest);
    }
}

} // namespace
