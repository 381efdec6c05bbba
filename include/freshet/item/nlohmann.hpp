#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/core/number.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/attribute_parser.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/json_string.hpp>

namespace freshet {

/// What becomes of a number that nlohmann-json cannot hold exactly.
enum class inexact_numbers : std::uint8_t {
    refuse,  ///< the conversion fails and names the attribute
    as_text, ///< it becomes a JSON string with its own digits, which comes back as a string
};

struct plain_json_options {
    inexact_numbers inexact = inexact_numbers::refuse;
};

namespace detail {

/// Where a conversion stands: a JSON pointer (RFC 6901) that grows and shrinks with the recursion.
class json_pointer_path {
public:
    /// Leaves what was entered.
    class step {
    public:
        step(std::string& path, std::string_view token) : path_{path}, size_{path.size()} {
            path += '/';
            for (const char c : token) {
                if (c == '~') { path += "~0"; }
                else if (c == '/') { path += "~1"; }
                else { path += c; }
            }
        }
        step(const step&) = delete;
        auto operator=(const step&) -> step& = delete;
        ~step() { path_.resize(size_); }

    private:
        std::string& path_;
        std::size_t size_;
    };

    [[nodiscard]] auto enter(std::string_view name) -> step { return {text_, name}; }
    [[nodiscard]] auto enter(std::size_t index) -> step { return {text_, std::to_string(index)}; }
    [[nodiscard]] auto error(std::string_view reason) const -> freshet::error;

private:
    std::string text_;
};

inline auto json_pointer_path::error(std::string_view reason) const -> freshet::error {
    std::string note = "item at "; // as a JSON string, so that the note stays one line whatever the names hold
    append_json_string(note, text_);
    (note += ": ") += reason;
    return {errc::malformed, std::move(note)};
}

/// The fewest digits that read back as the same double.
[[nodiscard]] inline auto shortest_digits(double number, std::array<char, 32>& out) -> std::string_view {
    constexpr double beyond =
        9'007'199'254'740'992; // 2^53: from here on the plain form has more digits than the fewest
    auto* const first = out.data();
    auto* const last = first + out.size();
    const auto* const end = std::abs(number) < beyond
                                ? std::to_chars(first, last, number).ptr
                                : std::to_chars(first, last, number, std::chars_format::scientific).ptr;
    return {first, static_cast<std::size_t>(end - first)};
}

/// The JSON number with the same decimal value, or nothing: an integer of 64 bits, or a double whose shortest text has
/// it.
[[nodiscard]] inline auto exact_json_number(std::string_view text) -> std::optional<nlohmann::json> {
    const auto number = *parse_number(text);
    if (number.is_zero()) { return nlohmann::json(std::uint64_t{0}); }
    std::string digits{number.negative ? "-" : ""};
    (digits += number.head) += number.tail;
    // The value is digits × 10^shift.
    const auto shift = number.magnitude + 1 - static_cast<std::int64_t>(number.digits());
    if (shift >= 0 && number.magnitude < 20) {
        const auto whole = digits + std::string(static_cast<std::size_t>(shift), '0');
        const auto holds = [&whole](auto& integer) {
            return std::from_chars(whole.data(), whole.data() + whole.size(), integer).ec == std::errc{};
        };
        if (std::int64_t integer = 0; number.negative && holds(integer)) { return nlohmann::json(integer); }
        if (std::uint64_t integer = 0; !number.negative && holds(integer)) { return nlohmann::json(integer); }
    }
    (digits += 'e') += std::to_string(shift);
    double nearest = 0;
    std::array<char, 32> shortest{};
    const auto bad = std::from_chars(digits.data(), digits.data() + digits.size(), nearest).ec;
    if (bad != std::errc{}) { return std::nullopt; }
    const auto again = parse_number(shortest_digits(nearest, shortest));
    if (!again || compare(*again, number) != 0) { return std::nullopt; }
    return nlohmann::json(nearest);
}

/// Builds plain JSON from attributes; stops at the first number that does not fit.
class plain_json_builder {
public:
    explicit plain_json_builder(plain_json_options options) : options_{options} {}

    [[nodiscard]] auto convert(attribute value) -> result<nlohmann::json> {
        nlohmann::json out;
        if (auto bad = value.name().empty() ? build(value, out) : named(value, out)) { return *std::move(bad); }
        return out;
    }
    [[nodiscard]] auto convert(const image& item) -> result<nlohmann::json> {
        auto out = nlohmann::json::object();
        if (auto bad = members(item, out)) { return *std::move(bad); }
        return out;
    }

private:
    using failure = std::optional<freshet::error>;

    [[nodiscard]] auto build(attribute value, nlohmann::json& out) -> failure {
        using enum attribute_type;
        switch (value.type()) {
            case string:
            case binary: out = std::string{value.text()}; return {};
            case number: return build_number(value.text(), out);
            case boolean: out = value.boolean(); return {};
            case null: out = nullptr; return {};
            case map: out = nlohmann::json::object(); return members(value, out);
            case list:
            case string_set:
            case number_set:
            case binary_set: return elements(value, out);
        }
        return {};
    }

    [[nodiscard]] auto named(attribute value, nlohmann::json& out) -> failure {
        const auto here = path_.enter(value.name());
        return build(value, out);
    }

    [[nodiscard]] auto build_number(std::string_view text, nlohmann::json& out) -> failure {
        if (auto exact = exact_json_number(text)) { out = *std::move(exact); }
        else if (options_.inexact == inexact_numbers::as_text) { out = std::string{text}; }
        else {
            return path_.error("nlohmann-json cannot hold the number " + std::string{text} +
                               " exactly; DynamoDB JSON, or the option inexact_numbers::as_text, keeps it as text");
        }
        return {};
    }

    template <class Attributes>
    [[nodiscard]] auto members(const Attributes& all, nlohmann::json& out) -> failure {
        for (const auto member : all) {
            if (auto bad = named(member, out[std::string{member.name()}])) { return bad; }
        }
        return {};
    }

    [[nodiscard]] auto elements(attribute all, nlohmann::json& out) -> failure {
        out = nlohmann::json::array();
        std::size_t index = 0;
        for (const auto element : all) {
            const auto here = path_.enter(index++);
            if (auto bad = build(element, out.emplace_back())) { return bad; }
        }
        return {};
    }

    plain_json_options options_;
    json_pointer_path path_;
};

/// Writes a tree of nlohmann-json as the DynamoDB JSON text of an item; refuses what no item can hold.
class item_writer {
public:
    item_writer() = default;
    /// Refuses, for the fault's reason, the value or name that is written at the fault's offset.
    explicit item_writer(const parse_fault& known) : known_{known} {}

    /// Writes an object whose members are plain values.
    [[nodiscard]] auto plain_item(const nlohmann::json& item) -> bool {
        return item.is_object() ? members(item, 0, &item_writer::plain) : refuse("an item is an object");
    }

    /// Writes a tree that says it is DynamoDB JSON, as it is, `depth` arrays and objects inside others.
    [[nodiscard]] auto typed(const nlohmann::json& value, unsigned depth = 0) -> bool {
        // The item, for every level a descriptor and its content, and an innermost value that may be a set.
        constexpr auto most = 1 + 2 * attribute_parser::max_depth + 2;
        if (value.is_structured() && depth == most) { return refuse(too_deep); }
        using is = nlohmann::json::value_t;
        switch (value.type()) {
            case is::object: return members(value, depth + 1, &item_writer::typed);
            case is::array: return elements(value, depth + 1, &item_writer::typed);
            case is::string: return quoted(value.get_ref<const std::string&>());
            case is::boolean: return put(value.get<bool>() ? "true" : "false");
            case is::null: return put("null");
            case is::number_integer:
            case is::number_unsigned:
            case is::number_float: return put("0"); // whichever it is: numbers are texts in DynamoDB JSON
            case is::binary:
            case is::discarded: break;
        }
        return refuse(no_json);
    }

    [[nodiscard]] auto take_text() noexcept -> std::string { return std::move(text_); }
    [[nodiscard]] auto take_failure() noexcept -> freshet::error { return std::move(failure_); }

private:
    using write = bool (item_writer::*)(const nlohmann::json&, unsigned);

    [[nodiscard]] auto plain(const nlohmann::json& value, unsigned depth) -> bool {
        if (value.is_structured() && depth == attribute_parser::max_depth) { return refuse(too_deep); }
        using is = nlohmann::json::value_t;
        switch (value.type()) {
            case is::object: return put(R"({"M":)") && members(value, depth + 1, &item_writer::plain) && put("}");
            case is::array: return put(R"({"L":)") && elements(value, depth + 1, &item_writer::plain) && put("}");
            case is::string: return put(R"({"S":)") && quoted(value.get_ref<const std::string&>()) && put("}");
            case is::boolean: return put(value.get<bool>() ? R"({"BOOL":true})" : R"({"BOOL":false})");
            case is::null: return put(R"({"NULL":true})");
            case is::number_integer: return number(std::to_string(value.get<std::int64_t>()));
            case is::number_unsigned: return number(std::to_string(value.get<std::uint64_t>()));
            case is::number_float: {
                const auto real = value.get<double>();
                if (!std::isfinite(real)) { return refuse("a number is neither NaN nor Infinity"); }
                std::array<char, 32> digits{};
                return number(shortest_digits(real, digits));
            }
            case is::binary:
            case is::discarded: break;
        }
        return refuse(no_json);
    }

    [[nodiscard]] auto number(std::string_view digits) -> bool {
        if (const auto bad = check_number(digits)) { return refuse(bad->reason); }
        return put(R"({"N":")") && put(digits) && put("\"}");
    }

    [[nodiscard]] auto members(const nlohmann::json& object, unsigned depth, write value) -> bool {
        if (!put("{")) { return false; }
        std::string_view before;
        for (const auto& [name, inner] : object.get_ref<const nlohmann::json::object_t&>()) {
            if (find_bad_utf8(name)) { return refuse("a name that is not UTF-8"); }
            const auto here = path_.enter(name);
            if (!put(before) || !quoted(name) || !put(":") || !(this->*value)(inner, depth)) { return false; }
            before = ",";
        }
        return put("}");
    }

    [[nodiscard]] auto elements(const nlohmann::json& array, unsigned depth, write value) -> bool {
        if (!put("[")) { return false; }
        for (std::size_t index = 0; index < array.size(); ++index) {
            const auto here = path_.enter(index);
            if (!put(index == 0 ? "" : ",") || !(this->*value)(array[index], depth)) { return false; }
        }
        return put("]");
    }

    [[nodiscard]] auto quoted(const std::string& text) -> bool {
        if (find_bad_utf8(text)) { return refuse("a string that is not UTF-8"); }
        append_json_string(text_, text);
        return put("");
    }

    [[nodiscard]] auto put(std::string_view piece) -> bool {
        text_ += piece;
        return !known_ || text_.size() <= known_->offset || refuse(known_->reason);
    }

    auto refuse(std::string_view reason) -> bool {
        failure_ = path_.error(reason);
        return false;
    }

    static constexpr std::string_view too_deep = "lists and maps nested deeper than DynamoDB's 32 levels";
    static constexpr std::string_view no_json = "a value that JSON cannot say";

    std::optional<parse_fault> known_;
    std::string text_;
    json_pointer_path path_;
    freshet::error failure_;
};

[[nodiscard]] inline auto typed_json(std::string_view descriptor, nlohmann::json content) -> nlohmann::json {
    auto out = nlohmann::json::object();
    out[std::string{descriptor}] = std::move(content);
    return out;
}

} // namespace detail

/// The value as DynamoDB JSON, `{"N": "1.50"}`: nothing is lost, and numbers and binaries keep their texts.
[[nodiscard]] inline auto to_dynamodb_json(attribute value) -> nlohmann::json {
    using enum attribute_type;
    const auto descriptor = descriptor_of(value.type());
    switch (value.type()) {
        case boolean: return detail::typed_json(descriptor, value.boolean());
        case null: return detail::typed_json(descriptor, true);
        case string:
        case number:
        case binary: return detail::typed_json(descriptor, std::string{value.text()});
        case list: {
            auto elements = nlohmann::json::array();
            for (const auto element : value) { elements.push_back(to_dynamodb_json(element)); }
            return detail::typed_json(descriptor, std::move(elements));
        }
        case map: {
            auto members = nlohmann::json::object();
            for (const auto member : value) { members[std::string{member.name()}] = to_dynamodb_json(member); }
            return detail::typed_json(descriptor, std::move(members));
        }
        case string_set:
        case number_set:
        case binary_set: {
            auto elements = nlohmann::json::array();
            for (const auto element : value) { elements.push_back(std::string{element.text()}); }
            return detail::typed_json(descriptor, std::move(elements));
        }
    }
    return {};
}

/// The item as DynamoDB JSON, `{"name": {"S": "text"}, …}`, without loss; the members' order becomes the names'.
[[nodiscard]] inline auto to_dynamodb_json(const image& item) -> nlohmann::json {
    auto out = nlohmann::json::object();
    for (const auto member : item) { out[std::string{member.name()}] = to_dynamodb_json(member); }
    return out;
}

/// The value as plain JSON: numbers as JSON numbers, binaries as base64 text, sets as arrays.
///
/// A number becomes an integer of 64 bits where its value is one, else a double if the shortest text of that double has
/// the very same decimal value; any other is refused (`errc::malformed`, with the JSON pointer of the attribute) or
/// kept as text, as the options say. What plain JSON cannot tell does not come back: a set comes back as a list, a
/// binary as a string, and of a number its value, not its spelling (`1.0` becomes 1).
[[nodiscard]] inline auto to_plain_json(attribute value, plain_json_options options = {}) -> result<nlohmann::json> {
    return detail::plain_json_builder{options}.convert(value);
}

/// The item as one plain JSON object, by the same rules.
[[nodiscard]] inline auto to_plain_json(const image& item, plain_json_options options = {}) -> result<nlohmann::json> {
    return detail::plain_json_builder{options}.convert(item);
}

/// The item that a tree of DynamoDB JSON says, by the rules of the event decoder.
///
/// A tree that is no such item is `errc::malformed`, with a JSON pointer into the tree.
[[nodiscard]] inline auto from_dynamodb_json(const nlohmann::json& item) -> result<document> {
    detail::item_writer writer;
    if (!writer.typed(item)) { return writer.take_failure(); }
    auto read = detail::read_document(writer.take_text());
    if (read) { return *std::move(read); }
    detail::item_writer again{read.fault()};
    if (!again.typed(item)) { return again.take_failure(); }
    return read.fault().as_error("item");
}

/// The item whose attributes are the members of a plain JSON object: S, N, BOOL, NULL, L and M, never a set or binary.
///
/// Doubles are written with the fewest digits that read back as the same double. Refused, with a JSON pointer
/// (`errc::malformed`): NaN, infinities, numbers that DynamoDB cannot hold, nlohmann-json's binary values, strings
/// and names that are not UTF-8, more than 32 levels. Digits that nlohmann-json dropped when it read a long number
/// are gone before this looks; `document::parse` keeps them.
[[nodiscard]] inline auto from_plain_json(const nlohmann::json& item) -> result<document> {
    detail::item_writer writer;
    if (!writer.plain_item(item)) { return writer.take_failure(); }
    return document::parse(writer.take_text());
}

} // namespace freshet
