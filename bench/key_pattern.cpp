// Reads the sort keys of labels: a key pattern, a parser written by hand, RE2 and std::regex.
#include <freshet/key/key_pattern.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <re2/re2.h>

#include <receipts/entities.hpp>

#include "ratios.hpp"

namespace {

struct label_fields {
    std::uint64_t receipt_id{};
    std::uint64_t line_id{};
    std::uint64_t word_id{};
    std::string_view label;
    friend auto operator==(const label_fields&, const label_fields&) -> bool = default;
};

using label_pattern = receipts::receipt_word_label::sort;

auto by_pattern(std::string_view key) -> std::optional<label_fields> {
    const auto read = label_pattern::parse(key);
    if (!read) { return std::nullopt; }
    const auto [receipt_id, line_id, word_id, label] = *read;
    return label_fields{receipt_id, line_id, word_id, label};
}

/// As strict as the pattern: padded numbers, wider ones without a leading zero and below 2^64, a label without '#'.
class hand_parser {
public:
    static auto parse(std::string_view key) -> std::optional<label_fields> {
        hand_parser p{key.data(), key.data() + key.size()};
        label_fields fields;
        if (p.literal("RECEIPT#") && p.number(fields.receipt_id) && p.literal("#LINE#") && p.number(fields.line_id) &&
            p.literal("#WORD#") && p.number(fields.word_id) && p.literal("#LABEL#") && p.last_text(fields.label)) {
            return fields;
        }
        return std::nullopt;
    }

private:
    hand_parser(const char* at, const char* end) : at_{at}, end_{end} {}

    template <std::size_t Size>
    auto literal(const char (&text)[Size]) -> bool {
        constexpr auto length = Size - 1;
        if (static_cast<std::size_t>(end_ - at_) < length || std::memcmp(at_, text, length) != 0) { return false; }
        at_ += length;
        return true;
    }

    auto number(std::uint64_t& value) -> bool {
        if (end_ - at_ < 5) { return false; }
        std::uint64_t read = 0;
        for (int i = 0; i < 5; ++i) {
            const auto digit = static_cast<unsigned char>(at_[i] - '0');
            if (digit > 9) { return false; }
            read = read * 10 + digit;
        }
        const auto* first = at_;
        at_ += 5;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') {
            if (*first == '0') { return false; }
            const auto digit = static_cast<std::uint64_t>(*at_ - '0');
            if (read > UINT64_MAX / 10 || read * 10 > UINT64_MAX - digit) { return false; }
            read = read * 10 + digit;
            ++at_;
        }
        value = read;
        return true;
    }

    auto last_text(std::string_view& text) -> bool {
        text = {at_, static_cast<std::size_t>(end_ - at_)};
        return !text.empty() && std::memchr(at_, '#', text.size()) == nullptr;
    }

    const char* at_;
    const char* end_;
};

constexpr auto expression = "RECEIPT#([0-9]{5}|[1-9][0-9]{5,19})#LINE#([0-9]{5}|[1-9][0-9]{5,19})"
                            "#WORD#([0-9]{5}|[1-9][0-9]{5,19})#LABEL#([^#]+)";

auto by_re2(const RE2& re, std::string_view key) -> std::optional<label_fields> {
    label_fields fields;
    re2::StringPiece label;
    if (!RE2::FullMatch({key.data(), key.size()}, re, &fields.receipt_id, &fields.line_id, &fields.word_id, &label)) {
        return std::nullopt;
    }
    fields.label = {label.data(), label.size()};
    return fields;
}

auto by_std_regex(const std::regex& re, std::string_view key) -> std::optional<label_fields> {
    std::cmatch found;
    if (!std::regex_match(key.data(), key.data() + key.size(), found, re)) { return std::nullopt; }
    label_fields fields;
    std::uint64_t* const numbers[] = {&fields.receipt_id, &fields.line_id, &fields.word_id};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto read = std::from_chars(found[i + 1].first, found[i + 1].second, *numbers[i]);
        if (read.ec != std::errc{}) { return std::nullopt; }
    }
    fields.label = {found[4].first, static_cast<std::size_t>(found[4].length())};
    return fields;
}

/// Keys as a table of receipts holds them.
auto make_keys(std::size_t count) -> std::vector<std::string> {
    constexpr std::string_view labels[] = {"MERCHANT_NAME", "DATE",       "TIME",     "PRODUCT_NAME", "QUANTITY",
                                           "UNIT_PRICE",    "LINE_TOTAL", "SUBTOTAL", "TAX",          "GRAND_TOTAL",
                                           "ADDRESS_LINE",  "PHONE_NUMBER"};
    std::mt19937_64 random{7};
    std::vector<std::string> keys;
    while (keys.size() < count) {
        keys.push_back(*label_pattern::format(1 + random() % 3, 1 + random() % 60, 1 + random() % 12,
                                              labels[random() % std::size(labels)]));
    }
    return keys;
}

/// What must be told apart, beside the keys themselves.
auto near_misses(const std::string& key) -> std::vector<std::string> {
    std::vector<std::string> misses{"",
                                    key + "#",
                                    key + "#X",
                                    "X" + key,
                                    "RECEIPT#123456#LINE#00001#WORD#00001#LABEL#X",
                                    "RECEIPT#012345#LINE#00001#WORD#00001#LABEL#X",
                                    "RECEIPT#18446744073709551615#LINE#00001#WORD#00001#LABEL#X",
                                    "RECEIPT#18446744073709551616#LINE#00001#WORD#00001#LABEL#X"};
    for (std::size_t at = 0; at < key.size(); ++at) {
        misses.push_back(key.substr(0, at));
        for (const char c : {'0', '#', '9', ':', '/', 'a', ' '}) {
            misses.push_back(key);
            misses.back()[at] = c;
        }
    }
    return misses;
}

} // namespace

auto main(int argc, char** argv) -> int {
    const RE2 re2{expression};
    const std::regex std_regex{expression, std::regex::optimize};
    const auto keys = make_keys(1024);

    auto asked = keys;
    for (auto& miss : near_misses(keys.front())) { asked.push_back(std::move(miss)); }
    for (const auto& key : asked) {
        const auto ours = by_pattern(key);
        if (ours != hand_parser::parse(key) || ours != by_re2(re2, key) || ours != by_std_regex(std_regex, key)) {
            std::fprintf(stderr, "the contenders differ on '%s'\n", key.c_str());
            return 1;
        }
    }

    const auto over_keys = [&keys](auto use) -> std::function<void()> {
        return [&keys, use] {
            for (const auto& key : keys) { benchmark::DoNotOptimize(use(key)); }
        };
    };
    const auto every_field = [](auto parse) {
        return [parse](std::string_view key) {
            const auto fields = parse(key);
            return fields ? fields->receipt_id + fields->line_id + fields->word_id + fields->label.size() : 0;
        };
    };
    const auto every_pattern_field = [](std::string_view key) -> std::uint64_t {
        const auto fields = label_pattern::parse(key);
        return fields ? fields->get<"receipt_id">() + fields->get<"line_id">() + fields->get<"word_id">() +
                            fields->get<"label">().size()
                      : 0;
    };
    freshet_bench::race(
        "label key, parse",
        {{"key_pattern", over_keys(every_pattern_field)},
         {"hand-written", over_keys(every_field([](std::string_view key) { return hand_parser::parse(key); }))},
         {"RE2", over_keys(every_field([&](std::string_view key) { return by_re2(re2, key); }))},
         {"std::regex", over_keys(every_field([&](std::string_view key) { return by_std_regex(std_regex, key); }))}},
        keys.size());

    constexpr std::string_view image = "IMAGE#550e8400-e29b-41d4-a716-446655440000";
    freshet_bench::race(
        "partition and sort key, five entities",
        {{"key_registry, a label",
          over_keys([=](std::string_view key) { return receipts::registry::match(image, key).index(); })},
         {"key_registry, none of them", over_keys([=](std::string_view key) {
              return receipts::registry::match(image, key.substr(0, key.rfind('#'))).index();
          })}},
        keys.size());
    return freshet_bench::run_races(argc, argv);
}
