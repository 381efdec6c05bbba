#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

/// What a message about a change must say, worked out over nlohmann-json and without a line of the library.
///
/// Numbers are kept as `binary` values that hold their digits: nlohmann-json has no exact ones, and JSON no binary.
namespace support {

using json = nlohmann::ordered_json; // equal only where members stand in the same order

[[nodiscard]] inline auto exact_number(std::string_view digits) -> json {
    return json::binary({digits.begin(), digits.end()});
}

/// Reads plain JSON with the digits of its numbers kept, and refuses names that repeat; discarded if it is none.
[[nodiscard]] inline auto read_exactly(std::string_view text) -> json {
    struct reader : nlohmann::json_sax<json> {
        std::vector<json> open{json::array()};
        std::vector<std::string> names{""};
        bool good = true;

        auto value(json read) -> bool {
            if (open.back().is_array()) {
                open.back().push_back(std::move(read));
            } else if (open.back().contains(names.back())) {
                good = false;
            } else {
                open.back()[names.back()] = std::move(read);
            }
            return good;
        }
        auto begin(json empty) -> bool { return open.push_back(std::move(empty)), names.emplace_back(), true; }
        auto end() -> bool {
            auto done = std::move(open.back());
            open.pop_back(), names.pop_back();
            return value(std::move(done));
        }
        auto null() -> bool override { return value(nullptr); }
        auto boolean(bool read) -> bool override { return value(read); }
        auto number_integer(number_integer_t read) -> bool override {
            return value(exact_number(std::to_string(read)));
        }
        auto number_unsigned(number_unsigned_t read) -> bool override {
            return value(exact_number(std::to_string(read)));
        }
        auto number_float(number_float_t, const string_t& digits) -> bool override {
            return value(exact_number(digits));
        }
        auto string(string_t& read) -> bool override { return value(read); }
        auto binary(binary_t&) -> bool override { return false; }
        auto start_object(std::size_t) -> bool override { return begin(json::object()); }
        auto key(string_t& name) -> bool override { return names.back() = name, true; }
        auto end_object() -> bool override { return end(); }
        auto start_array(std::size_t) -> bool override { return begin(json::array()); }
        auto end_array() -> bool override { return end(); }
        auto parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) -> bool override {
            return false;
        }
    } sax;
    if (!json::sax_parse(text.begin(), text.end(), &sax) || !sax.good) { return json(json::value_t::discarded); }
    return sax.open.front().front();
}

/// A DynamoDB number's text as the JSON number with the same digits.
[[nodiscard]] inline auto legal_number(std::string text) -> std::string {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) { text.erase(0, 1); }
    while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') { text.erase(0, 1); }
    if (text.starts_with('.')) { text.insert(0, "0"); }
    const auto point = text.find('.');
    if (point != std::string::npos && (point + 1 == text.size() || text[point + 1] < '0' || text[point + 1] > '9')) {
        text.erase(point, 1);
    }
    return text == "0" ? text : (negative ? "-" : "") + text; // the reader cannot tell a whole -0 from 0
}

/// A number's value as text of one form: sign, digits without zeros at either end, power of ten of the last one.
[[nodiscard]] inline auto canonical_number(const std::string& text) -> std::string {
    std::string digits;
    long exponent = 0;
    bool fraction = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == 'e' || c == 'E') {
            exponent += std::stol(text.substr(i + 1));
            break;
        }
        if (c == '.') { fraction = true; }
        if (c < '0' || c > '9') { continue; }
        digits += c;
        exponent -= fraction ? 1 : 0;
    }
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.empty()) { return "0"; }
    for (; digits.back() == '0'; digits.pop_back()) { ++exponent; }
    return (text[0] == '-' ? "-" : "+") + digits + 'e' + std::to_string(exponent);
}

/// An attribute value in DynamoDB JSON as plain JSON.
[[nodiscard]] inline auto plain(const json& value) -> json {
    const auto& type = value.begin().key();
    const auto& inside = value.begin().value();
    if (type == "N") { return exact_number(legal_number(inside.get<std::string>())); }
    if (type == "NULL") { return nullptr; }
    if (type == "NS" || type == "L") {
        auto all = json::array();
        for (const auto& element : inside) {
            all.push_back(type == "L" ? plain(element) : exact_number(legal_number(element.get<std::string>())));
        }
        return all;
    }
    if (type == "M") {
        auto all = json::object();
        for (const auto& member : inside.items()) { all[member.key()] = plain(member.value()); }
        return all;
    }
    return inside; // S, B, BOOL, SS, BS
}

/// Equal for values that mean the same to DynamoDB.
[[nodiscard]] inline auto meaning(const json& value) -> nlohmann::json {
    const auto& type = value.begin().key();
    const auto& inside = value.begin().value();
    nlohmann::json said = inside.is_object() ? nlohmann::json::object() : nlohmann::json::array();
    if (type == "N") {
        said = canonical_number(inside.get<std::string>());
    } else if (type == "M") {
        for (const auto& member : inside.items()) { said[member.key()] = meaning(member.value()); }
    } else if (type == "L") {
        for (const auto& element : inside) { said.push_back(meaning(element)); }
    } else if (type == "NS") {
        for (const auto& element : inside) { said.push_back(canonical_number(element.get<std::string>())); }
    } else {
        said = nlohmann::json(inside);
    }
    if (type.ends_with('S') && type.size() == 2) { std::sort(said.begin(), said.end()); }
    return {{type, said}};
}

/// `{field: {"old": …, "new": …}}` for the fields that differ between two images in DynamoDB JSON (null: no such side).
[[nodiscard]] inline auto expected_changes(const json& before, const json& after,
                                           const std::vector<std::string>& fields, bool null_is_absent,
                                           const json& key_fields) -> json {
    auto changes = json::object();
    for (const auto& field : fields) {
        const auto side = [&](const json& image) -> std::optional<json> {
            if (image.is_null()) { return std::nullopt; }
            if (key_fields.contains(field)) { return json{{"S", key_fields[field]}}; }
            if (!image.contains(field) || (null_is_absent && image[field].contains("NULL"))) { return std::nullopt; }
            return image[field];
        };
        const auto from = side(before);
        const auto to = side(after);
        if (from && to ? meaning(*from) == meaning(*to) : !from && !to) { continue; }
        changes[field] = {{"old", from ? plain(*from) : json{}}, {"new", to ? plain(*to) : json{}}};
    }
    return changes;
}

/// Makes records at random, in DynamoDB JSON, of values that are hard to write down.
class record_maker {
public:
    explicit record_maker(std::uint64_t seed) : random_{seed} {}

    [[nodiscard]] auto below(std::size_t n) -> std::size_t { return static_cast<std::size_t>(random_() % n); }

    [[nodiscard]] auto text() -> std::string {
        constexpr std::array<std::string_view, 16> hard{"",
                                                        "plain",
                                                        "\"",
                                                        "\\",
                                                        "/",
                                                        "\n\r\t\b\f",
                                                        "\x01\x1f",
                                                        "\x7f",
                                                        "caf\xc3\xa9",
                                                        "\xe2\x82\xac",
                                                        "\xf0\x9f\x98\x80",
                                                        "\xef\xbf\xbe",
                                                        "\xef\xbf\xbf",
                                                        "\xef\xbf\xbd",
                                                        "\xf0\x9f\xbf\xbf",
                                                        "a.b"};
        std::string made;
        for (auto parts = below(4); parts-- > 0;) { made += hard[below(hard.size())]; }
        if (below(20) == 0) { made += '\0'; }
        return made;
    }

    [[nodiscard]] auto number() -> std::string {
        constexpr std::array<std::string_view, 22> hard{"0",
                                                        "-0",
                                                        "1",
                                                        "1.0",
                                                        "1E0",
                                                        "007",
                                                        "+1",
                                                        ".5",
                                                        "5.",
                                                        "0.5",
                                                        "-.5",
                                                        "1e5",
                                                        "100000",
                                                        "1.e+5",
                                                        "12345678901234567890123456789012345678",
                                                        "-0.12345678901234567890123456789012345678",
                                                        "1E-130",
                                                        "9.9E+125",
                                                        "00.10",
                                                        "-0.0",
                                                        "+0e7",
                                                        "18446744073709551616"};
        return std::string{hard[below(hard.size())]};
    }

    [[nodiscard]] auto value(unsigned depth = 0) -> json {
        constexpr std::array<std::string_view, 4> base64{"", "AAAA", "aGVsbG8=", "//8="};
        switch (below(depth < 3 ? 12 : 7)) {
            case 0:
                return {{"N", number()}};
            case 1:
                return {{"NULL", true}};
            case 2:
                return {{"BOOL", below(2) == 0}};
            case 3:
                return {{"B", base64[below(4)]}};
            case 4:
                return {{"SS", some_of([this] { return text(); }, [](const std::string& s) { return s; })}};
            case 5:
                return {{"NS", some_of([this] { return number(); }, canonical_number)}};
            case 6:
                return {{"BS", some_of([&] { return std::string{base64[below(4)]}; },
                                       [](const std::string& s) { return s; })}};
            case 7:
                return {{"M", image(depth + 1)}};
            case 8: {
                auto list = json::array();
                for (auto size = below(4); size-- > 0;) { list.push_back(value(depth + 1)); }
                return {{"L", list}};
            }
            default:
                return {{"S", text()}};
        }
    }

    [[nodiscard]] auto image(unsigned depth = 0) -> json {
        auto made = json::object();
        for (auto size = below(depth == 0 ? 7 : 4); size-- > 0;) { made[name()] = value(depth); }
        return made;
    }

    [[nodiscard]] auto name() -> std::string {
        return below(3) == 0 ? text() : std::string{std::array{"a", "b", "c", "d", "a.b"}[below(5)]};
    }

    /// The JSON text of a value, with blanks and escapes strewn in where they change nothing.
    [[nodiscard]] auto written(const json& value) -> std::string {
        if (value.is_string()) { return quoted(value.get<std::string>()); }
        if (!value.is_structured()) { return value.dump(); }
        std::string out(1, value.is_object() ? '{' : '[');
        for (const auto& member : value.items()) {
            if (out.size() > 1) { out += ','; }
            out += blank();
            if (value.is_object()) { out += quoted(member.key()) + blank() + ':' + blank(); }
            out += written(member.value()) + blank();
        }
        return out + (value.is_object() ? '}' : ']');
    }

private:
    template <class Make, class Identity>
    [[nodiscard]] auto some_of(Make make, Identity identity) -> json {
        auto all = json::array();
        std::vector<std::string> seen;
        for (auto size = 1 + below(4); size-- > 0;) {
            const std::string one = make();
            if (std::find(seen.begin(), seen.end(), identity(one)) != seen.end()) { continue; }
            seen.push_back(identity(one));
            all.push_back(one);
        }
        return all;
    }

    [[nodiscard]] auto blank() -> std::string {
        return below(12) == 0 ? std::string(1, " \n\t\r"[below(4)]) : std::string{};
    }

    [[nodiscard]] auto quoted(const std::string& text) -> std::string {
        const bool often = below(4) == 0;
        std::string out = "\"";
        for (std::size_t i = 0; i < text.size();) {
            const auto lead = static_cast<unsigned char>(text[i]);
            const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
            const auto one = text.substr(i, size);
            i += size;
            if (lead >= 0x20 && one != "\"" && one != "\\" && !(often && below(2) == 0)) {
                out += one;
            } else {
                const auto escaped = json(one).dump(-1, ' ', true);
                out += escaped == '"' + one + '"' ? by_number(lead) : escaped.substr(1, escaped.size() - 2);
            }
        }
        return out + '"';
    }

    /// `\u0041` of an ASCII character.
    [[nodiscard]] auto by_number(unsigned char c) -> std::string {
        const std::string_view digits = below(2) == 0 ? "0123456789abcdef" : "0123456789ABCDEF";
        return {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    }

    std::mt19937_64 random_;
};

} // namespace support
