#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

namespace adapters::graphql {

using env_variables = std::map<std::string, std::string, std::less<>>;

namespace detail {

[[nodiscard]] inline auto trimmed(std::string_view text) -> std::string_view {
    constexpr std::string_view blanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

[[nodiscard]] inline auto is_variable_name(std::string_view name) -> bool {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// What is meant by what stands behind the `=`; nothing where the quotation marks do not match.
[[nodiscard]] inline auto value_in(std::string_view text) -> std::optional<std::string_view> {
    const auto quoted = trimmed(text);
    if (!quoted.starts_with('"') && !quoted.starts_with('\'')) {
        const auto comment = std::min(text.find(" #"), text.find("\t#"));
        return trimmed(text.substr(0, comment));
    }
    const auto close = quoted.find(quoted.front(), 1);
    if (close == std::string_view::npos) { return std::nullopt; }
    const auto behind = quoted.substr(close + 1);
    const bool apart = behind.starts_with(' ') || behind.starts_with('\t');
    if (!behind.empty() && !(apart && trimmed(behind).starts_with('#'))) { return std::nullopt; }
    return quoted.substr(1, close - 1);
}

} // namespace detail

/// The variables of a text of lines `KEY=VALUE` or `export KEY=VALUE`; of two with the same key, the later one.
///
/// A value may stand between single or double quotation marks, and is taken as it is. What begins with `#` is a
/// comment, in a line of its own or behind a blank. Another line is `malformed`; the note names it by `name` and its
/// number, and does not show it: it may be a secret.
[[nodiscard]] inline auto parse_env_file(std::string_view text, std::string_view name)
    -> freshet::result<env_variables> {
    env_variables found;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = detail::trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) { continue; }
        const auto wrong = [&](std::string_view how) {
            return freshet::error{freshet::errc::malformed,
                                  freshet::printable(name) + ':' + std::to_string(number) + ": " + std::string{how}};
        };
        constexpr std::string_view exported = "export";
        if (line.starts_with(exported) && line.find_first_of(" \t") == exported.size()) {
            line = detail::trimmed(line.substr(exported.size()));
        }
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) { return wrong("the line has no ="); }
        const auto key = detail::trimmed(line.substr(0, equals));
        if (!detail::is_variable_name(key)) { return wrong("before the = there is no variable's name"); }
        const auto value = detail::value_in(line.substr(equals + 1));
        if (!value) { return wrong("the value's quotation marks do not match"); }
        found.insert_or_assign(std::string{key}, std::string{*value});
    }
    return found;
}

/// The variables of a file, as `parse_env_file` has them; `denied` where it cannot be read.
[[nodiscard]] inline auto read_env_file(const std::string& path) -> freshet::result<env_variables> {
    std::ifstream file{path, std::ios::binary};
    std::string text;
    for (std::array<char, 4'096> some; file.read(some.data(), some.size()) || file.gcount() > 0;) {
        text.append(some.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad()) {
        return freshet::error{freshet::errc::denied, freshet::printable(path) + ": cannot be read"};
    }
    return parse_env_file(text, path);
}

} // namespace adapters::graphql
