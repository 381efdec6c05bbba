#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/number.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/json_string.hpp>

namespace freshet {

namespace detail {

/// Appends a number that `parse_number` accepts in the one form that all spellings of its value share.
///
/// Plain notation from 1E-6 up to 38 digits before the point (`0.000001`, `-12.5`, `100`); beyond these one digit
/// before the point and an exponent without a plus sign (`1.5E-7`, `1E40`). Zero is `0`.
inline void append_canonical_number(std::string& out, std::string_view text) {
    constexpr std::int64_t least_plain = -6;
    constexpr std::int64_t most_plain = 37;
    const auto number = *parse_number(text);
    if (number.is_zero()) {
        out += '0';
        return;
    }
    if (number.negative) { out += '-'; }
    const auto count = static_cast<std::int64_t>(number.digits());
    const auto put = [&](std::int64_t from, std::int64_t to) {
        for (auto at = from; at < to; ++at) { out += number.digit(static_cast<std::size_t>(at)); }
    };
    const bool plain = number.magnitude >= least_plain && number.magnitude <= most_plain;
    if (plain && number.magnitude < 0) {
        (out += "0.").append(static_cast<std::size_t>(-number.magnitude - 1), '0');
        put(0, count);
        return;
    }
    const auto whole = plain ? number.magnitude + 1 : 1; // how many digits stand before the point
    put(0, std::min(whole, count));
    if (whole > count) { out.append(static_cast<std::size_t>(whole - count), '0'); }
    if (whole < count) {
        out += '.';
        put(whole, count);
    }
    if (!plain) { (out += 'E') += std::to_string(number.magnitude); }
}

/// Writes attribute values so that equal values have equal texts. Keeps scratch memory between the values inside.
class canonical_writer {
public:
    explicit canonical_writer(std::string& out) : out_{out} {}

    /// Appends `{"name":value,…}`, sorted by name; no name stands twice.
    template <class Attributes>
    void object(const Attributes& members) {
        out_ += '{';
        sorted(members, by_name, [this](attribute member) {
            string(member.name(), member.node().plain_name);
            out_ += ':';
            value(member);
        });
        out_ += '}';
    }

private:
    static constexpr auto by_name = [](attribute a, attribute b) { return a.name() < b.name(); };
    static constexpr auto by_text = [](attribute a, attribute b) { return a.text() < b.text(); };
    static constexpr auto by_number = [](attribute a, attribute b) {
        return compare(*parse_number(a.text()), *parse_number(b.text())) < 0;
    };

    void value(attribute a) {
        using enum attribute_type;
        ((out_ += "{\"") += descriptor_of(a.type())) += "\":";
        switch (a.type()) {
            case string:
            case number:
            case binary: scalar(a); break;
            case boolean: out_ += a.boolean() ? "true" : "false"; break;
            case null: out_ += "true"; break;
            case map: object(a); break;
            case list:
                out_ += '[';
                for (const auto element : a) {
                    separate('[');
                    value(element);
                }
                out_ += ']';
                break;
            case string_set:
            case binary_set: set(a, by_text); break;
            case number_set: set(a, by_number); break;
        }
        out_ += '}';
    }

    void scalar(attribute a) {
        if (a.type() != attribute_type::number) { return string(a.text(), a.token().size() == a.text().size() + 2); }
        out_ += '"';
        append_canonical_number(out_, a.text());
        out_ += '"';
    }

    /// `plain`: nothing in it needs an escape. Every escape is longer than what it stands for.
    void string(std::string_view text, bool plain) {
        if (!plain) { return append_json_string(out_, text); }
        ((out_ += '"') += text) += '"';
    }

    template <class Before>
    void set(attribute a, Before before) {
        out_ += '[';
        sorted(a, before, [this](attribute element) { scalar(element); });
        out_ += ']';
    }

    void separate(char open) {
        if (out_.back() != open) { out_ += ','; } // no value ends in an opening bracket
    }

    template <class Attributes, class Before, class Write>
    void sorted(const Attributes& values, Before before, Write write) {
        const auto open = out_.back();
        const auto first = scratch_.size();
        for (const auto one : values) { scratch_.push_back(one); }
        const auto last = scratch_.size();
        const auto begin = scratch_.begin() + static_cast<std::ptrdiff_t>(first);
        if (!std::is_sorted(begin, scratch_.end(), before)) { std::sort(begin, scratch_.end(), before); }
        for (auto at = first; at != last; ++at) {
            separate(open);
            write(attribute{scratch_[at]}); // by value: what is inside may move `scratch_`
        }
        scratch_.erase(scratch_.begin() + static_cast<std::ptrdiff_t>(first), scratch_.end());
    }

    std::string& out_;
    std::vector<attribute> scratch_; // those that are being written, level upon level
};

} // namespace detail

/// The DynamoDB JSON text of an item that is the same for every spelling of it: two items have equal texts if and only
/// if they have the same names with values that are the same by `same_value`.
///
/// No blanks; names sorted bytewise at every level, sets sorted (numbers by value, others bytewise), lists as they
/// are; numbers in one form, strings with no more escapes than JSON demands, binaries as they are.
[[nodiscard]] inline auto canonical_text(const image& item) -> std::string {
    std::string text;
    detail::canonical_writer{text}.object(item);
    return text;
}

/// The same of attributes that need not stand side by side; no name stands twice.
[[nodiscard]] inline auto canonical_text(const std::vector<attribute>& item) -> std::string {
    std::string text;
    detail::canonical_writer{text}.object(item);
    return text;
}

} // namespace freshet
