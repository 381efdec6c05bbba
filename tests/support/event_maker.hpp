#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// Makes texts of change events, right or a little wrong, that wander through everything the format allows.
class event_maker {
public:
    explicit event_maker(std::uint64_t seed) : random_{seed} {}

    /// An event; one choice in `rate` is one that a writer should not have made (0: all are right).
    [[nodiscard]] auto event(unsigned rate = 0) -> std::string {
        wrong_one_in_ = rate;
        members event;
        std::vector<std::string> records;
        for (auto n = below(4); n > 0; --n) { records.push_back(wrong() ? junk(0) : record()); }
        event.emplace_back("Records", list(records));
        if (one_in(3)) { event.emplace_back("NextShardIterator", one_in(2) ? "null" : string("AAAA+/=")); }
        if (one_in(4)) { event.emplace_back(any_text(), junk(0)); }
        return padded(object(std::move(event)));
    }

    /// One attribute value, `depth` lists and maps inside others.
    [[nodiscard]] auto value(unsigned depth = 0) -> std::string {
        if (wrong()) { return wrong_value(depth); }
        switch (below(depth >= 4 ? 8U : 10U)) {
            case 0:
                return typed("S", string(any_text()));
            case 1:
                return typed("N", string(number()));
            case 2:
                return typed("B", string(binary()));
            case 3:
                return typed("BOOL", one_in(2) ? "true" : "false");
            case 4:
                return typed("NULL", "true");
            case 5:
                return typed("SS", set([this] { return any_text(); }));
            case 6:
                return typed("NS", set([this] { return std::to_string(next_++) + (one_in(2) ? "" : ".50"); }));
            case 7:
                return typed("BS", set([this] { return "AA" + std::string{"ABCDEFGHIJ"[next_++ % 10]} + "A"; }));
            case 8:
                return typed("M", image(depth + 1));
            default: {
                std::vector<std::string> elements;
                for (auto n = below(4); n > 0; --n) { elements.push_back(value(depth + 1)); }
                return typed("L", list(elements));
            }
        }
    }

    /// `{"name": value, …}`
    [[nodiscard]] auto image(unsigned depth = 0) -> std::string {
        members all;
        for (auto n = below(5); n > 0; --n) { all.emplace_back(any_text(), value(depth)); }
        return object(std::move(all));
    }

    /// A text that differs from `text` in one to three places.
    [[nodiscard]] auto broken(std::string text) -> std::string {
        for (auto n = 1 + below(3); n > 0 && !text.empty(); --n) {
            const auto at = below(text.size());
            switch (below(8)) {
                case 0:
                    text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
                    break;
                case 1:
                    text.insert(at, 1, any_byte());
                    break;
                case 2:
                    text.erase(at, 1 + below(3));
                    break;
                case 3:
                    text.resize(at);
                    break;
                case 4: {
                    const auto other = below(text.size());
                    std::swap(text[at], text[other]);
                    break;
                }
                default:
                    swap_tokens(text);
                    break;
            }
        }
        return text;
    }

    [[nodiscard]] auto below(std::size_t limit) -> std::size_t { return static_cast<std::size_t>(random_() % limit); }
    [[nodiscard]] auto one_in(unsigned n) -> bool { return n != 0 && random_() % n == 0; }

    /// A number that DynamoDB takes, in any of its spellings.
    [[nodiscard]] auto number() -> std::string {
        constexpr std::array texts{
            "0",    "-0",       "1",     "1.0",    "+1",       "007",   ".5",
            "5.",   "-3.25E-3", "1e+05", "1E-130", "9.99e125", "0e999", "12345678901234567890123456789012345678",
            "0.10", "100"};
        return texts[below(texts.size())];
    }
    /// Texts with and without what has to be escaped.
    [[nodiscard]] auto any_text() -> std::string {
        constexpr std::array<std::string_view, 14> pieces{
            "a", "Records", "Keys", "#",    "label",    "\"",           "\\",
            "/", "\n",      "\x01", "\x7f", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8d\x80"};
        std::string text;
        for (auto n = below(4); n > 0; --n) { text += pieces[below(pieces.size())]; }
        return text + std::to_string(wrong() ? 1 : next_++); // so that names differ
    }
    /// The text as a JSON string, some characters as escapes that need not be.
    [[nodiscard]] auto string(std::string_view text) -> std::string {
        constexpr std::string_view hex = "0123456789abcdefABCDEF";
        std::string out = "\"";
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            if (byte == '"' || byte == '\\') {
                (out += '\\') += text[i];
            } else if (byte == '\n' && one_in(2)) {
                out += "\\n";
            } else if (byte == '/' && one_in(2)) {
                out += "\\/";
            } else if (byte < 0x20 || (byte < 0x80 && one_in(12))) {
                const auto low = byte & 15U;
                (out += "\\u00") += hex[byte >> 4U];
                out += hex[low >= 10 && one_in(2) ? low + 6 : low];
            } else if (text.substr(i).starts_with("\xf0\x9f\x8d\x80") && one_in(2)) {
                out += one_in(2) ? "\\uD83C\\uDF40" : "\\ud83c\\udf40";
                i += 3;
            } else {
                out += text[i];
            }
        }
        return out + '"';
    }

private:
    using members = std::vector<std::pair<std::string, std::string>>;

    [[nodiscard]] auto wrong() -> bool { return one_in(wrong_one_in_); }

    [[nodiscard]] auto record() -> std::string {
        constexpr std::array names{"INSERT", "MODIFY", "REMOVE"};
        constexpr std::array views{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"};
        const auto what = below(3);
        members change;
        members keys;
        keys.emplace_back("PK", typed("S", string(any_text())));
        if (one_in(2)) {
            keys.emplace_back("SK", one_in(2) ? typed("N", string(number())) : typed("B", string(binary())));
        }
        change.emplace_back("Keys", object(std::move(keys)));
        change.emplace_back("SequenceNumber",
                            string(std::to_string(random_() % 1'000'000) + std::string(one_in(4) ? 34 : 0, '0')));
        if (what != 2 && one_in(2)) { change.emplace_back("NewImage", image()); }
        if (what != 0 && one_in(2)) { change.emplace_back("OldImage", image()); }
        if (one_in(2)) { change.emplace_back("ApproximateCreationDateTime", time()); }
        if (one_in(2)) { change.emplace_back("SizeBytes", std::to_string(one_in(3) ? random_() : below(1000))); }
        if (one_in(2)) { change.emplace_back("StreamViewType", string(views[below(4)])); }
        if (one_in(5)) { change.emplace_back(any_text(), junk(0)); }
        members all;
        all.emplace_back("eventName", string(names[what]));
        all.emplace_back("dynamodb", object(std::move(change)));
        if (!one_in(4)) { all.emplace_back("eventID", string(any_text())); }
        if (one_in(2)) { all.emplace_back("eventSource", string("aws:dynamodb")); }
        if (one_in(2)) { all.emplace_back("awsRegion", string("eu-central-1")); }
        if (one_in(3)) { all.emplace_back("eventVersion", string("1.1")); }
        if (one_in(3)) { all.emplace_back("eventSourceARN", string("arn:aws:dynamodb:x:1:table/t/stream/s")); }
        if (one_in(2)) {
            members who;
            const bool capital = one_in(2);
            who.emplace_back(capital ? "Type" : "type", string(one_in(2) ? "Service" : "User"));
            who.emplace_back(capital ? "PrincipalId" : "principalId", string("dynamodb.amazonaws.com"));
            all.emplace_back("userIdentity", one_in(4) ? "null" : object(std::move(who)));
        }
        if (one_in(5)) { all.emplace_back(any_text(), junk(0)); }
        return object(std::move(all));
    }

    [[nodiscard]] auto time() -> std::string {
        switch (below(6)) {
            case 0:
                return std::to_string(1'700'000'000 + below(1'000'000));
            case 1:
                return "1479499740.123456789";
            case 2:
                return "1.47949974E9";
            case 3:
                return "-" + std::to_string(below(1000)) + ".0000005";
            case 4:
                return string("1479499740");
            default:
                return string("2024-01-15T10:30:00.25+01:00");
        }
    }

    /// Any JSON value at all.
    [[nodiscard]] auto junk(unsigned depth) -> std::string {
        switch (below(depth > 3 ? 6U : 8U)) {
            case 0:
                return "null";
            case 1:
                return one_in(2) ? "true" : "false";
            case 2:
                return string(any_text());
            case 3:
                return std::array{"0", "-0", "-1.5e-7", "1e999", "18446744073709551616", "2E+3"}[below(6)];
            case 4:
                return "{}";
            case 5:
                return "[]";
            case 6: {
                std::vector<std::string> elements;
                for (auto n = below(3); n > 0; --n) { elements.push_back(junk(depth + 1)); }
                return list(elements);
            }
            default: {
                members all;
                for (auto n = below(3); n > 0; --n) { all.emplace_back(any_text(), junk(depth + 1)); }
                return object(std::move(all));
            }
        }
    }

    [[nodiscard]] auto wrong_value(unsigned depth) -> std::string {
        constexpr std::array types{"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "s", "", "X", "NSS"};
        const auto* type = types[below(types.size())];
        switch (below(6)) {
            case 0:
                return junk(0);
            case 1:
                return typed(type, junk(0));
            case 2:
                return typed(type, value(depth + 1));
            case 3:
                return object({{"S", string("x")}, {type, string("1")}});
            case 4:
                return typed(one_in(2) ? "NS" : "SS", list({string("1"), string("1.0"), string(number())}));
            default:
                return typed(type, string(std::array{"1e126", "1 ", "", "NaN", "AA=", "AB==", "A===", "QUJD", "1e-131",
                                                     "123456789012345678901234567890123456789", "--1", "1.2.3",
                                                     "true"}[below(13)]));
        }
    }

    [[nodiscard]] auto binary() -> std::string {
        return std::array{"", "AA==", "QUI=", "QUJD", "+/+/", "AAECAwQ="}[below(6)];
    }
    [[nodiscard]] auto typed(const char* type, const std::string& content) -> std::string {
        return object({{type, content}});
    }

    template <class Make>
    [[nodiscard]] auto set(Make make) -> std::string {
        std::vector<std::string> elements;
        for (auto n = 1 + below(4); n > 0; --n) { elements.push_back(string(make())); }
        return list(elements);
    }
    [[nodiscard]] auto list(const std::vector<std::string>& elements) -> std::string {
        std::string text = "[" + blank();
        for (std::size_t i = 0; i < elements.size(); ++i) {
            text += (i == 0 ? "" : "," + blank()) + elements[i] + blank();
        }
        return text + "]";
    }
    [[nodiscard]] auto object(members all) -> std::string {
        if (wrong() && !all.empty()) { all.pop_back(); }
        if (wrong() && !all.empty()) { all.push_back(all[below(all.size())]); }
        if (wrong() && !all.empty()) { all[below(all.size())].second = junk(2); }
        std::shuffle(all.begin(), all.end(), random_);
        std::string text = "{" + blank();
        for (std::size_t i = 0; i < all.size(); ++i) {
            text += (i == 0 ? "" : "," + blank()) + string(all[i].first) + blank() + ":" + blank() + all[i].second +
                    blank();
        }
        return text + "}";
    }
    [[nodiscard]] auto padded(const std::string& text) -> std::string { return blank() + text + blank(); }
    [[nodiscard]] auto blank() -> std::string {
        return one_in(10) ? std::array{" ", "\n", "\t", "\r", "  ", "\r\n\t "}[below(6)] : "";
    }

    [[nodiscard]] auto any_byte() -> char {
        constexpr std::string_view likely = "{}[]\",:\\u0eE.-+tfn/ \n\xc3\xa9\xed\xa0\x80\xff\x0b\x1f";
        return one_in(3) ? static_cast<char>(below(256)) : likely[below(likely.size())];
    }

    /// Swaps two tokens, or replaces one by another or by one from a stock.
    void swap_tokens(std::string& text) {
        std::vector<std::pair<std::size_t, std::size_t>> tokens; // begin and size
        for (std::size_t at = 0; at < text.size();) {
            auto end = at + 1;
            if (text[at] == '"') {
                while (end < text.size() && text[end] != '"') { end += text[end] == '\\' ? 2 : 1; }
                end = std::min(end + 1, text.size());
            } else if (std::string_view{"{}[],: \t\r\n"}.find(text[at]) == std::string_view::npos) {
                end = std::min(text.find_first_of("{}[],: \t\r\n\"", at), text.size());
            }
            tokens.emplace_back(at, end - at);
            at = end;
        }
        constexpr std::array<std::string_view, 24> stock{"null",
                                                         "true",
                                                         "false",
                                                         "0",
                                                         "-1",
                                                         "1.5e3",
                                                         "\"S\"",
                                                         "\"N\"",
                                                         "\"NS\"",
                                                         "\"L\"",
                                                         "\"M\"",
                                                         "\"INSERT\"",
                                                         "\"REMOVE\"",
                                                         "\"Keys\"",
                                                         "\"dynamodb\"",
                                                         "\"\\u0053\"",
                                                         "\"\\ud800\"",
                                                         "\"\\udc00\\ud800\"",
                                                         "\"\xed\xa0\x80\"",
                                                         "\"\xc0\x80\"",
                                                         "{}",
                                                         "[]",
                                                         "\"\"",
                                                         "{\"a\":[1,{\"b\":2}]}"};
        auto a = tokens[below(tokens.size())];
        auto b = tokens[below(tokens.size())];
        if (a.first > b.first) { std::swap(a, b); }
        const auto first = text.substr(a.first, a.second);
        const auto second = text.substr(b.first, b.second);
        switch (below(3)) {
            case 0:
                text.replace(b.first, b.second, first);
                text.replace(a.first, a.second, second);
                break;
            case 1:
                text.replace(b.first, b.second, first);
                break;
            default:
                text.replace(b.first, b.second, stock[below(stock.size())]);
                break;
        }
    }

    std::mt19937_64 random_;
    unsigned wrong_one_in_{};
    std::size_t next_{2};
};

} // namespace support
