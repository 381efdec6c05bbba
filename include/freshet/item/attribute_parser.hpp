#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
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
    [[nodiscard]] auto image() -> bool { return attributes(0); }

    /// Reads one `{"descriptor": value}` into a new node called `name`.
    [[nodiscard]] auto value(const json_string& name, unsigned depth) -> bool {
        const auto at = tape_.size();
        tape_.push_back({.name = name.text, .plain_name = !name.escaped(), .top = depth == 0});
        if (in_.take_text(R"({"S":)")) { // how most values begin: no descriptor to look up, no members to compare
            if (!text(at, attribute_type::string)) { return false; }
            if (in_.take('}')) { return true; }
            if (!in_.expect(',', "a comma or a closing brace was expected")) { return false; }
            in_.refuse(in_.position(), more_types);
            return in_.skip_members();
        }
        if (in_.peek() != '{') { return refuse_and_skip("an attribute value that is no object"); }
        const char* const open = in_.position();
        std::size_t descriptors = 0;
        if (!in_.members([&](const json_string& descriptor) {
                return descriptors++ == 0 ? typed(at, descriptor, depth) : refuse_and_skip(more_types);
            })) {
            return false;
        }
        if (descriptors == 0) { in_.refuse(open, "an attribute value without a type"); }
        tape_[at].inner = static_cast<std::uint32_t>(tape_.size() - at - 1);
        return true;
    }

private:
    static constexpr std::string_view more_types = "an attribute value with more than one type";

    [[nodiscard]] auto attributes(unsigned depth) -> bool {
        if (in_.peek() != '{') { return refuse_and_skip("attributes that are no object"); }
        return in_.members([&](const json_string& name) { return value(name, depth); });
    }

    [[nodiscard]] auto typed(std::size_t at, const json_string& descriptor, unsigned depth) -> bool {
        std::size_t index = 0;
        while (index < 10 && descriptor.text != descriptor_of(static_cast<attribute_type>(index))) { ++index; }
        if (index == 10) {
            in_.refuse(descriptor.token.data(), "an unknown attribute type");
            return in_.skip_value();
        }
        const auto type = static_cast<attribute_type>(index);
        tape_[at].type = type;
        static_cast<void>(in_.peek());
        const char* const from = in_.position();
        if (!content(at, type, depth)) { return false; }
        tape_[at].token = {from, static_cast<std::size_t>(in_.position() - from)};
        return true;
    }

    [[nodiscard]] auto content(std::size_t at, attribute_type type, unsigned depth) -> bool {
        switch (type) {
            case attribute_type::string:
            case attribute_type::number:
            case attribute_type::binary: return text(at, type);
            case attribute_type::boolean:
                if (in_.peek() != 't' && in_.peek() != 'f') { return refuse_and_skip("a BOOL that is neither true nor false"); }
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
    [[nodiscard]] auto text(std::size_t at, attribute_type type) -> bool {
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
                if (!in_.refusal() && !seen.add(identity(tape_[at]))) { in_.refuse(tape_[at].token.data(), "a value that repeats in a set"); }
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
};

} // namespace freshet::detail
