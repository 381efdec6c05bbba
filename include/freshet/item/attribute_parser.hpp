#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/number.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/base64.hpp>
#include <freshet/item/json_scanner.hpp>

namespace freshet::detail {

/// Reads attribute values in DynamoDB JSON (`{"S": "text"}`) onto a tape of nodes.
///
/// Bad JSON fails the scanner. What is good JSON and no attribute value is refused there, its nodes mean
/// nothing, and reading goes on behind it.
class attribute_parser {
public:
    /// How many lists and maps may stand inside each other (the DynamoDB quota of 32 nested levels).
    static constexpr unsigned max_depth = 32;

    attribute_parser(json_scanner& in, std::vector<attribute_node>& tape) : in_{in}, tape_{tape} {}

    /// Reads `{"name": value, …}`; the attributes are marked as standing at the top.
    ///
    /// Most images have the names of the one before. As long as they do, no name need be looked for, or at twice.
    [[nodiscard]] auto image() -> bool {
        const auto earlier = std::exchange(last_, {});
        const auto first = tape_.size();
        if (in_.peek() != '{') { return refuse_and_skip(no_object); }
        static_cast<void>(in_.take('{'));
        if (in_.take('}')) { return true; }
        if (!follow(earlier) && !on_from(first)) { return false; }
        if (!in_.refusal()) { last_ = {first, tape_.size()}; }
        return true;
    }

    /// Reads one `{"descriptor": value}` into a new node called `name`.
    [[nodiscard]] auto value(const json_string& name, unsigned depth) -> bool {
        const auto at = tape_.size();
        tape_.push_back({.name = name.text, .plain_name = !name.escaped(), .top = depth == 0});
        if (in_.take_text(R"({"S":)")) { // how most values begin
            if (!text(at, attribute_type::string)) { return false; }
            if (in_.take('}')) { return true; }
            if (!in_.expect(',', json_scanner::more_or_end)) { return false; }
            static_cast<void>(in_.peek());
            in_.refuse(in_.position(), more_types);
            return in_.skip_members();
        }
        if (in_.peek() != '{') { return refuse_and_skip("an attribute value that is no object"); }
        const char* const open = in_.position();
        static_cast<void>(in_.take('{'));
        if (in_.take('}')) { return in_.refuse(open, "an attribute value without a type"), true; }
        json_string descriptor;
        if (!in_.string(descriptor) || !in_.expect(':', "a colon was expected") || !typed(at, descriptor, depth)) {
            return false;
        }
        tape_[at].inner = static_cast<std::uint32_t>(tape_.size() - at - 1);
        return in_.take('}') || (in_.expect(',', json_scanner::more_or_end) && refuse_more_types(descriptor));
    }

private:
    /// Where an image without a fault stands on the tape.
    struct nodes {
        std::size_t first{};
        std::size_t last{};
    };

    /// Reads members as long as they are called as those of `earlier`, in order; whether this ended the object.
    [[nodiscard]] auto follow(nodes earlier) -> bool {
        for (auto at = earlier.first; at != earlier.last && in_.peek() == '"'; at += 1 + tape_[at].inner) {
            if (!tape_[at].plain_name) { return false; }
            const auto name = tape_[at].name;
            // A plain name stands in the event, in quotes.
            const std::string_view token{name.data() - 1, name.size() + 2};
            if (!in_.take_text(token)) { return false; }
            if (!in_.expect(':', "a colon was expected") || !value({token, name}, 0)) { return false; }
            if (in_.take('}')) { return true; }
            if (!in_.expect(',', json_scanner::more_or_end)) { return false; }
        }
        return false;
    }

    /// Reads the members behind those on the tape from `first` on.
    [[nodiscard]] auto on_from(std::size_t first) -> bool {
        object_names names{in_.memory().names};
        for (auto at = first; at != tape_.size(); at += 1 + tape_[at].inner) {
            static_cast<void>(names.add(tape_[at].name));
        }
        return in_.more_members(names, [&](const json_string& name) { return value(name, 0); });
    }

    static constexpr std::string_view more_types = "an attribute value with more than one type";
    static constexpr std::string_view no_object = "attributes that are no object";

    [[nodiscard]] auto attributes(unsigned depth) -> bool {
        if (in_.peek() != '{') { return refuse_and_skip(no_object); }
        return in_.members([&](const json_string& name) { return value(name, depth); });
    }

    [[nodiscard]] auto typed(std::size_t at, const json_string& descriptor, unsigned depth) -> bool {
        const auto type = type_called(descriptor.text);
        if (!type) {
            in_.refuse(descriptor.token.data(), "an unknown attribute type");
            return in_.skip_value();
        }
        tape_[at].type = *type;
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        if (!content(at, *type, depth)) { return false; }
        tape_[at].token = {from, static_cast<std::size_t>(in_.position() - from)};
        return true;
    }

    [[nodiscard]] auto refuse_more_types(const json_string& first) -> bool {
        object_names names{in_.memory().names};
        static_cast<void>(names.add(first.text));
        return in_.more_members(names, [&](const json_string& other) {
            in_.refuse(other.token.data(), more_types);
            return in_.skip_value();
        });
    }

    [[nodiscard]] static constexpr auto type_called(std::string_view descriptor) noexcept
        -> std::optional<attribute_type> {
        const auto word = [](std::string_view text) {
            std::uint64_t w = text.size(); // NULs in front count too
            for (const char c : text) { w = w << 8 | static_cast<unsigned char>(c); }
            return w;
        };
        if (descriptor.size() > 4) { return std::nullopt; }
        switch (word(descriptor)) {
            case word("S"): return attribute_type::string;
            case word("N"): return attribute_type::number;
            case word("B"): return attribute_type::binary;
            case word("BOOL"): return attribute_type::boolean;
            case word("NULL"): return attribute_type::null;
            case word("L"): return attribute_type::list;
            case word("M"): return attribute_type::map;
            case word("SS"): return attribute_type::string_set;
            case word("NS"): return attribute_type::number_set;
            case word("BS"): return attribute_type::binary_set;
            default: return std::nullopt;
        }
    }

    [[nodiscard]] auto content(std::size_t at, attribute_type type, unsigned depth) -> bool {
        switch (type) {
            case attribute_type::string:
            case attribute_type::number:
            case attribute_type::binary: return text(at, type);
            case attribute_type::boolean:
                if (in_.peek() != 't' && in_.peek() != 'f') {
                    return refuse_and_skip("a BOOL that is neither true nor false");
                }
                return in_.skip_value();
            case attribute_type::null:
                if (in_.peek() != 't') { return refuse_and_skip("a NULL that is not true"); }
                return in_.skip_value();
            case attribute_type::list:
                if (in_.peek() != '[') { return refuse_and_skip("an L that is no array"); }
                if (depth == max_depth) { return refuse_and_skip(too_deep); }
                return in_.elements([&] { return value({}, depth + 1); });
            case attribute_type::map:
                if (in_.peek() != '{') { return refuse_and_skip("an M that is no object"); }
                if (depth == max_depth) { return refuse_and_skip(too_deep); }
                return attributes(depth + 1);
            case attribute_type::string_set: return set(attribute_type::string);
            case attribute_type::number_set: return set(attribute_type::number);
            case attribute_type::binary_set: return set(attribute_type::binary);
        }
        return false;
    }

    /// Reads the JSON string of an S, N, B or set element into node `at`.
    [[nodiscard, gnu::always_inline]] auto text(std::size_t at, attribute_type type) -> bool {
        if (in_.peek() != '"') { return refuse_and_skip("text was expected"); }
        json_string read;
        if (!in_.string(read)) { return false; }
        auto& node = tape_[at];
        node.type = type;
        node.token = read.token;
        node.text = read.text;
        if (type == attribute_type::number) {
            if (const auto bad = check_number(read.text)) { in_.refuse(read.token.data(), bad->reason); }
        } else if (type == attribute_type::binary && !is_base64(read.text)) {
            in_.refuse(read.token.data(), "a binary that is not base64");
        }
        return true;
    }

    [[nodiscard]] auto set(attribute_type element) -> bool {
        if (in_.peek() != '[') { return refuse_and_skip("a set that is no array"); }
        const char* const open = in_.position();
        const auto first = tape_.size();
        object_names seen{in_.memory().names};
        if (!in_.elements([&] {
                const auto at = tape_.size();
                tape_.push_back({.type = element});
                if (!text(at, element)) { return false; }
                if (!in_.refusal() && !seen.add(identity(tape_[at]))) {
                    in_.refuse(tape_[at].token.data(), "a value that repeats in a set");
                }
                return true;
            })) {
            return false;
        }
        if (tape_.size() == first) { in_.refuse(open, "an empty set"); }
        return true;
    }

    /// Equal for equal set elements: a number's sign, significant digits and magnitude, however they were written.
    [[nodiscard]] auto identity(const attribute_node& element) -> std::string_view {
        if (element.type != attribute_type::number) { return element.text; }
        const auto number = *parse_number(element.text);
        constexpr std::size_t magnitude_size = 4;
        const auto most = 2 + number.digits() + magnitude_size;
        char* const begin = in_.memory().decoded.allocate(most);
        char* out = begin;
        *out++ = number.negative && !number.is_zero() ? '-' : '+';
        out = std::copy(number.head.begin(), number.head.end(), out);
        out = std::copy(number.tail.begin(), number.tail.end(), out);
        *out++ = 'e';
        out = std::to_chars(out, begin + most, number.magnitude).ptr;
        in_.memory().decoded.shrink_last(out);
        return {begin, static_cast<std::size_t>(out - begin)};
    }

    auto refuse_and_skip(std::string_view reason) -> bool {
        in_.refuse(in_.position(), reason);
        return in_.skip_value();
    }

    static constexpr std::string_view too_deep = "an attribute value nested deeper than 32 lists and maps";

    json_scanner& in_;
    std::vector<attribute_node>& tape_;
    nodes last_;
};

} // namespace freshet::detail
