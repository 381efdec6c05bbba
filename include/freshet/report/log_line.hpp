#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include <freshet/core/observe.hpp>
#include <freshet/core/utf8.hpp>
#include <freshet/report/field_text.hpp>

namespace freshet {

/// What stands before an event in its line; as it is given, each followed by a blank unless it is empty.
struct log_line_head {
    std::string_view level{};
    std::string_view prefix{}; ///< such as `[CACHE]`
};

namespace detail {

/// Whether a character, given whole, may end a line, move a cursor, or is no character at all.
[[nodiscard]] constexpr auto must_be_escaped(std::string_view character) noexcept -> bool {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(character[at]); };
    if (character.size() == 1) { return byte(0) < 0x20 || byte(0) >= 0x7f; } // alone, a byte above ASCII is malformed
    const bool c1_control = character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
    return c1_control || character == "\u2028" || character == "\u2029"; // line and paragraph separator
}

inline void append_log_text(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto start = out.size();
    bool quoted = text.empty() || text == "-"; // which is what an absent value looks like
    while (!text.empty()) {
        const auto size = utf8_length(text);
        const auto character = text.substr(0, size == 0 ? 1 : size);
        if (must_be_escaped(character)) {
            quoted = true;
            for (const char c : character) {
                const auto byte = static_cast<unsigned char>(c);
                out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
            }
        } else {
            if (character == " " || character == "=" || character == "\"" || character == "\\") { quoted = true; }
            if (character == "\"" || character == "\\") { out += '\\'; }
            out += character;
        }
        text.remove_prefix(character.size());
    }
    if (quoted) {
        out.insert(start, 1, '"');
        out += '"';
    }
}

template <class Value>
void append_log_value(std::string& out, const Value& value) {
    if constexpr (is_optional<Value>) {
        if (value) {
            append_log_value(out, *value);
        } else {
            out += '-';
        }
    } else if constexpr (std::convertible_to<const Value&, std::string_view>) {
        append_log_text(out, value);
    } else {
        append_field_text(out, value);
    }
}

} // namespace detail

/// Appends an event as `name field=value field=value`, without an end of line in it or after it.
///
/// Values are as `append_field_text` has them. A text stands in quotes where it is empty, is a lone `-`, or has a
/// blank, `=`, `"`, `\`, a control character, a line separator or a byte that is no UTF-8; in quotes `"` and `\` follow
/// a `\`, and of the last three kinds each byte is `\x` and two hexadecimal digits. So an event is always one line, of
/// well-formed UTF-8, and every text can be read back from it. Nothing is cut.
template <class Event>
void append_log_line(std::string& out, const Event& e, const log_line_head& head = {}) {
    static_assert(event<Event>, "an event has a static name and a fields(visitor): see the concept freshet::event");
    for (const auto part : {head.level, head.prefix}) {
        if (!part.empty()) { (out += part) += ' '; }
    }
    out += Event::name;
    e.fields([&](std::string_view field, const auto& value) {
        ((out += ' ') += field) += '=';
        detail::append_log_value(out, value);
    });
}

/// The same as a text of its own.
template <class Event>
[[nodiscard]] auto log_line(const Event& e, const log_line_head& head = {}) -> std::string {
    std::string line;
    append_log_line(line, e, head);
    return line;
}

} // namespace freshet
