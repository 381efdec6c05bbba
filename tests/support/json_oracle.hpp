#pragma once

// A second opinion on what a change event says: slow, plain, and written over nlohmann-json from the rules alone.
//
// Where nlohmann-json and RFC 8259 differ, the RFC counts: a NUL byte and a byte-order mark are refused, and a number
// beyond the range of double is good JSON. Only the reading of RFC 3339 times is shared with the library.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/core/rfc3339.hpp>

namespace oracle {

/// A JSON value with what a tree of nlohmann-json forgets: number texts, repeated names and the members' order.
struct value {
    enum class kind { null, boolean, number, string, array, object };
    kind is{};
    bool yes{};
    std::string text; // of a string or a number
    std::vector<value> inside;
    std::string name; // where it stands in an object
    bool repeats{};   // this object, or one inside, names a member twice

    [[nodiscard]] auto count(std::string_view wanted) const -> std::size_t {
        return static_cast<std::size_t>(
            std::count_if(inside.begin(), inside.end(), [&](const auto& m) { return m.name == wanted; }));
    }
};

/// Builds a `value` from nlohmann-json's events.
class tree_builder {
public:
    value root;
    bool beyond_double{};
    std::size_t error_at{};
    std::string error_token;

    auto null() -> bool { return add({}); }
    auto boolean(bool yes) -> bool { return add({value::kind::boolean, yes, {}, {}, {}, false}); }
    // A negative token that yields zero can only be `-0`; all others are printed as they were.
    auto number_integer(std::int64_t n) -> bool {
        return add({value::kind::number, false, n == 0 ? "-0" : std::to_string(n), {}, {}, false});
    }
    auto number_unsigned(std::uint64_t n) -> bool {
        return add({value::kind::number, false, std::to_string(n), {}, {}, false});
    }
    auto number_float(double, const std::string& text) -> bool {
        return add({value::kind::number, false, text, {}, {}, false});
    }
    auto string(std::string& text) -> bool { return add({value::kind::string, false, text, {}, {}, false}); }
    auto binary(nlohmann::json::binary_t&) -> bool { return false; }
    auto start_object(std::size_t) -> bool { return open(value::kind::object); }
    auto start_array(std::size_t) -> bool { return open(value::kind::array); }
    auto key(std::string& text) -> bool { return names_.back() = text, true; }
    auto end_object() -> bool {
        std::set<std::string_view> seen;
        for (const auto& member : open_.back().inside) { open_.back().repeats |= !seen.insert(member.name).second; }
        return close();
    }
    auto end_array() -> bool { return close(); }
    auto parse_error(std::size_t at, const std::string& token, const nlohmann::json::exception& why) -> bool {
        beyond_double = why.id == 406;
        error_at = at;
        error_token = token;
        return false;
    }

private:
    auto add(value v) -> bool {
        if (open_.empty()) {
            root = std::move(v);
        } else {
            open_.back().repeats |= v.repeats;
            v.name = names_.back();
            open_.back().inside.push_back(std::move(v));
        }
        return true;
    }
    auto open(value::kind is) -> bool {
        open_.push_back({is, false, {}, {}, {}, false});
        names_.emplace_back();
        return true;
    }
    auto close() -> bool {
        auto done = std::move(open_.back());
        open_.pop_back();
        names_.pop_back();
        return add(std::move(done));
    }

    std::vector<value> open_;
    std::vector<std::string> names_;
};

/// The value, or nothing where the text is no JSON.
[[nodiscard]] inline auto read_json(std::string text) -> std::optional<value> {
    if (text.find('\0') != std::string::npos || text.starts_with("\xef\xbb\xbf")) { return std::nullopt; }
    for (;;) {
        tree_builder builder;
        if (nlohmann::json::sax_parse(text, &builder)) { return std::move(builder.root); }
        if (!builder.beyond_double) { return std::nullopt; }
        // Another number in its place that is out of every range, too, but not of that of double.
        auto& token = builder.error_token;
        const bool negative = token.starts_with('-');
        const auto most = token.size() - (negative ? 4 : 3);
        const auto other = std::string{negative ? "-9e" : "9e"} + std::string(most - 1, '0') + "99";
        const auto at = text.rfind(token, builder.error_at);
        if (at == std::string::npos || other.size() != token.size()) { return std::nullopt; }
        text.replace(at, token.size(), other);
    }
}

/// A decimal number taken apart: ± 0.digits × 10^point. Zero has no digits, no sign and the point 0.
struct decimal {
    bool negative{};
    std::string digits;
    long point{};
    friend auto operator==(const decimal&, const decimal&) -> bool = default;
};

/// Reads `[+-]? (digits [.digits?] | .digits) ([eE][+-]?digits)?`.
[[nodiscard]] inline auto read_decimal(std::string_view text) -> std::optional<decimal> {
    decimal number;
    std::size_t at = 0;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) { number.negative = text[at++] == '-'; }
    std::size_t seen = 0;
    bool point = false;
    for (; at < text.size() && (std::isdigit(static_cast<unsigned char>(text[at])) != 0 || (text[at] == '.' && !point));
         ++at) {
        if (text[at] == '.') {
            point = true;
            continue;
        }
        ++seen;
        number.digits += text[at];
        number.point += point ? 0 : 1;
    }
    if (seen == 0) { return std::nullopt; }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        auto digits = std::string{text.substr(at + 1)};
        const bool down = digits.starts_with('-');
        if (down || digits.starts_with('+')) { digits.erase(0, 1); }
        if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) { return std::nullopt; }
        digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
        const long shift = digits.empty() ? 0 : digits.size() > 9 ? 1'000'000'000 : std::stol(digits);
        number.point += down ? -shift : shift;
        at = text.size();
    }
    if (at != text.size()) { return std::nullopt; }
    const auto zeros = std::min(number.digits.find_first_not_of('0'), number.digits.size());
    number.digits.erase(0, zeros);
    number.point -= static_cast<long>(zeros);
    while (number.digits.ends_with('0')) { number.digits.pop_back(); }
    return number.digits.empty() ? decimal{} : number;
}

/// A number that DynamoDB can hold: 38 digits, 1E-130 to 9.99…E+125, or zero.
[[nodiscard]] inline auto read_number(std::string_view text) -> std::optional<decimal> {
    const auto number = read_decimal(text);
    if (!number || number->digits.size() > 38) { return std::nullopt; }
    if (!number->digits.empty() && (number->point - 1 < -130 || number->point - 1 > 125)) { return std::nullopt; }
    return number;
}

/// Base64 as RFC 4648 writes it, by decoding and encoding again.
[[nodiscard]] inline auto is_base64(const std::string& text) -> bool {
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    auto body = text;
    while (body.ends_with('=')) { body.pop_back(); }
    std::string bits;
    for (const char c : body) {
        const auto at = letters.find(c);
        if (at == std::string::npos) { return false; }
        for (int bit = 5; bit >= 0; --bit) { bits += (at >> bit & 1) != 0 ? '1' : '0'; }
    }
    const auto spare = bits.size() % 8; // 0, 2 or 4 bits of padding, all zero; six would be a lone letter
    if (spare == 6 || bits.substr(bits.size() - spare).find('1') != std::string::npos) { return false; }
    auto again = body;
    while (again.size() % 4 != 0) { again += '='; }
    return again == text;
}

/// Microseconds since 1970, cut toward the past, in the years 0000 to 9999.
[[nodiscard]] inline auto read_seconds(const std::string& text) -> std::optional<std::int64_t> {
    // As JSON writes numbers, and with leading zeros.
    const auto plain = text.starts_with('-') ? text.substr(1) : text;
    const auto whole = plain.find_first_not_of("0123456789");
    if (plain.empty() || whole == 0) { return std::nullopt; }
    if (whole != std::string::npos && plain[whole] == '.' && plain.find_first_of("0123456789", whole) != whole + 1) {
        return std::nullopt;
    }
    auto number = read_decimal(text);
    if (!number) { return std::nullopt; }
    number->point += 6;
    if (number->point > 18) { return std::nullopt; }
    const auto kept = static_cast<std::size_t>(std::max(0L, number->point));
    auto digits = number->digits.substr(0, kept);
    const bool cut = number->digits.size() > kept;
    digits.append(kept - digits.size(), '0');
    auto micros = digits.empty() ? 0 : std::stoll(digits);
    if (number->negative) { micros = -micros - (cut ? 1 : 0); }
    if (micros < -62'167'219'200'000'000 || micros > 253'402'300'799'999'999) { return std::nullopt; }
    return micros;
}

/// An attribute value; `type` is its descriptor.
struct attribute {
    std::string name;
    std::string type;
    std::string text; // of S, N, B and of set elements; "true" or "false" of BOOL
    std::vector<attribute> inside;
    friend auto operator==(const attribute&, const attribute&) -> bool = default;
};
using image = std::vector<attribute>;

struct record {
    bool good{};
    std::string event_id, event_version, event_source, aws_region, event_source_arn, name;
    std::string sequence;
    std::optional<image> keys, new_image, old_image;
    std::optional<std::int64_t> created_at;
    std::optional<std::uint64_t> size_bytes;
    std::string view_type, identity_type, identity_principal;
    bool expired{};
    friend auto operator==(const record&, const record&) -> bool = default;
};

[[nodiscard]] inline auto read_attribute(const value& v, const std::string& name, int above)
    -> std::optional<attribute>;

[[nodiscard]] inline auto read_attributes(const value& v, int above) -> std::optional<image> {
    if (v.is != value::kind::object) { return std::nullopt; }
    image read;
    for (const auto& inner : v.inside) {
        auto one = read_attribute(inner, inner.name, above);
        if (!one || v.count(inner.name) != 1) { return std::nullopt; }
        read.push_back(std::move(*one));
    }
    return read;
}

[[nodiscard]] inline auto read_text(const value& v, char type) -> bool {
    return v.is == value::kind::string && (type != 'N' || read_number(v.text)) && (type != 'B' || is_base64(v.text));
}

/// `above` lists and maps enclose the value.
inline auto read_attribute(const value& v, const std::string& name, int above) -> std::optional<attribute> {
    if (v.is != value::kind::object || v.inside.size() != 1) { return std::nullopt; }
    const auto& content = v.inside.front();
    const auto& type = content.name;
    attribute read{name, type, {}, {}};
    if (type == "S" || type == "N" || type == "B") {
        if (!read_text(content, type[0])) { return std::nullopt; }
        read.text = content.text;
    } else if (type == "BOOL") {
        if (content.is != value::kind::boolean) { return std::nullopt; }
        read.text = content.yes ? "true" : "false";
    } else if (type == "NULL") {
        if (content.is != value::kind::boolean || !content.yes) { return std::nullopt; }
    } else if (type == "L") {
        if (content.is != value::kind::array || above == 32) { return std::nullopt; }
        for (const auto& element : content.inside) {
            auto one = read_attribute(element, "", above + 1);
            if (!one) { return std::nullopt; }
            read.inside.push_back(std::move(*one));
        }
    } else if (type == "M") {
        if (above == 32) { return std::nullopt; }
        auto members = read_attributes(content, above + 1);
        if (!members) { return std::nullopt; }
        read.inside = std::move(*members);
    } else if (type == "SS" || type == "NS" || type == "BS") {
        if (content.is != value::kind::array || content.inside.empty()) { return std::nullopt; }
        for (const auto& element : content.inside) {
            if (!read_text(element, type[0])) { return std::nullopt; }
            for (const auto& before : read.inside) {
                const bool same =
                    type == "NS" ? read_number(before.text) == read_number(element.text) : before.text == element.text;
                if (same) { return std::nullopt; }
            }
            read.inside.push_back({"", type.substr(0, 1), element.text, {}});
        }
    } else {
        return std::nullopt;
    }
    return read;
}

[[nodiscard]] inline auto is_digits(std::string_view text, std::size_t most) -> bool {
    return !text.empty() && text.size() <= most && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Every value that stands under `name`, however often it is named.
[[nodiscard]] inline auto all(const value& v, std::string_view name) -> std::vector<const value*> {
    std::vector<const value*> found;
    for (const auto& member : v.inside) {
        if (member.name == name && v.is == value::kind::object) { found.push_back(&member); }
    }
    return found;
}

[[nodiscard]] inline auto read_record(const value& v) -> record {
    record r;
    if (v.is != value::kind::object) { return r; }
    r.good = !v.repeats;
    const auto wrong = [&] { r.good = false; };
    // An optional text; null counts as absent.
    const auto optional_text = [&](const value& from, std::string_view name, std::string& into) {
        for (const auto* found : all(from, name)) {
            if (found->is == value::kind::string) {
                into = found->text;
            } else if (found->is != value::kind::null) {
                wrong();
            }
        }
    };
    optional_text(v, "eventID", r.event_id);
    if (all(v, "eventID").size() > 1) { r.event_id.clear(); }
    optional_text(v, "eventName", r.name);
    if (r.name != "INSERT" && r.name != "MODIFY" && r.name != "REMOVE") { wrong(); }
    optional_text(v, "eventVersion", r.event_version);
    optional_text(v, "eventSource", r.event_source);
    if (!r.event_source.empty() && r.event_source != "aws:dynamodb") { wrong(); }
    optional_text(v, "awsRegion", r.aws_region);
    optional_text(v, "eventSourceARN", r.event_source_arn);
    for (const auto* who : all(v, "userIdentity")) {
        if (who->is == value::kind::null) { continue; }
        if (who->is != value::kind::object) {
            wrong();
            continue;
        }
        for (const auto& text : who->inside) { // either spelling; the later one counts
            const auto& name = text.name;
            if (name != "type" && name != "Type" && name != "principalId" && name != "PrincipalId") { continue; }
            auto& into = name == "type" || name == "Type" ? r.identity_type : r.identity_principal;
            if (text.is == value::kind::string) {
                into = text.text;
            } else if (text.is != value::kind::null) {
                wrong();
            }
        }
    }

    std::vector<const value*> keys, sequences, news, olds, times, sizes;
    for (const auto* change : all(v, "dynamodb")) {
        if (change->is != value::kind::object) { wrong(); }
        const auto gather = [&](std::string_view name, std::vector<const value*>& into) {
            for (const auto* found : all(*change, name)) { into.push_back(found); }
        };
        gather("Keys", keys), gather("SequenceNumber", sequences), gather("NewImage", news), gather("OldImage", olds);
        gather("ApproximateCreationDateTime", times), gather("SizeBytes", sizes);
        optional_text(*change, "StreamViewType", r.view_type);
    }
    if (!std::set<std::string>{"", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}.contains(r.view_type)) {
        wrong();
    }

    if (keys.size() == 1) { r.keys = read_attributes(*keys[0], 0); }
    if (r.keys) {
        bool scalar = r.keys->size() == 1 || r.keys->size() == 2;
        for (const auto& key : *r.keys) {
            scalar = scalar && std::string_view{"SNB"}.find(key.type) != std::string_view::npos;
        }
        if (!scalar) { r.keys.reset(); }
    }
    if (sequences.size() == 1 && sequences[0]->is == value::kind::string && is_digits(sequences[0]->text, 40)) {
        r.sequence = sequences[0]->text;
    }
    if (!r.keys || r.sequence.empty()) { wrong(); }

    const auto picture = [&](const std::vector<const value*>& found, std::optional<image>& into,
                             std::string_view never) {
        for (const auto* one : found) {
            if (one->is == value::kind::null) { continue; }
            into = read_attributes(*one, 0);
            if (!into || r.name == never) { wrong(); }
        }
    };
    picture(news, r.new_image, "REMOVE");
    picture(olds, r.old_image, "INSERT");
    for (const auto* time : times) {
        if (time->is == value::kind::null) { continue; }
        if (time->is != value::kind::number && time->is != value::kind::string) {
            wrong();
            continue;
        }
        r.created_at = read_seconds(time->text);
        if (!r.created_at) {
            if (const auto instant = freshet::parse_rfc3339(time->text)) {
                r.created_at = instant->time_since_epoch().count();
            } else {
                wrong();
            }
        }
    }
    for (const auto* size : sizes) {
        if (size->is == value::kind::null) { continue; }
        constexpr std::string_view most = "18446744073709551615";
        if (size->is == value::kind::number && is_digits(size->text, most.size()) &&
            (size->text.size() < most.size() || size->text <= most)) {
            r.size_bytes = std::stoull(size->text);
        } else {
            wrong();
        }
    }
    r.expired = r.name == "REMOVE" && r.identity_type == "Service" && r.identity_principal == "dynamodb.amazonaws.com";
    return r;
}

/// The records, or nothing where the whole event is refused.
[[nodiscard]] inline auto read_event(std::string_view text) -> std::optional<std::vector<record>> {
    const auto event = read_json(std::string{text});
    if (!event || event->is != value::kind::object || event->count("Records") != 1) { return std::nullopt; }
    std::vector<record> records;
    std::set<std::string_view> names;
    for (const auto& member : event->inside) {
        if (!names.insert(member.name).second) { return std::nullopt; }
        if (member.name != "Records") {
            if (member.repeats) { return std::nullopt; }
            continue;
        }
        if (member.is != value::kind::array) { return std::nullopt; }
        for (const auto& one : member.inside) { records.push_back(read_record(one)); }
    }
    return records;
}

/// A failed record as far as it can still be told which one it was.
[[nodiscard]] inline auto without_content(const record& r) -> record {
    if (r.good) { return r; }
    record rest;
    rest.event_id = r.event_id;
    rest.sequence = r.sequence;
    rest.keys = r.keys;
    return rest;
}

} // namespace oracle
