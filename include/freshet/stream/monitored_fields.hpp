#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/fixed_text.hpp>
#include <freshet/core/parsed.hpp>

namespace freshet {

/// Whether some name in the range occurs twice.
template <class Names>
[[nodiscard]] constexpr auto has_repeated_names(const Names& names) -> bool {
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (std::find(names.begin(), name, *name) != name) { return true; }
    }
    return false;
}

/// The attribute names whose changes matter, fixed at compile time: `monitored<"merchant_name", "address">`.
///
/// A name that repeats does not compile.
template <fixed_text... Names>
struct monitored {
    static constexpr std::array<std::string_view, sizeof...(Names)> list{Names.view()...};

    static_assert(!has_repeated_names(list), "a monitored field occurs twice");

    [[nodiscard]] static constexpr auto begin() noexcept { return list.begin(); }
    [[nodiscard]] static constexpr auto end() noexcept { return list.end(); }
};

/// The attribute names whose changes matter, given at run time.
using monitored_fields = std::vector<std::string>;

/// Reads `merchant_name, address`: names between commas, blanks around them cut. A dotted name is one name.
///
/// Refuses empty names and names that repeat; an empty text is no names at all, which monitors nothing.
[[nodiscard]] inline auto parse_monitored_fields(std::string_view text) -> parsed<monitored_fields> {
    constexpr std::string_view blanks = " \t";
    monitored_fields names;
    if (text.find_first_not_of(blanks) == std::string_view::npos) { return names; }
    for (std::size_t at = 0; at <= text.size();) {
        const auto comma = std::min(text.find(',', at), text.size());
        const auto first = text.find_first_not_of(blanks, at);
        if (first >= comma) { return parse_fault{at, "a monitored field without a name"}; }
        const auto last = text.find_last_not_of(blanks, comma - 1);
        auto name = std::string{text.substr(first, last + 1 - first)};
        if (std::find(names.begin(), names.end(), name) != names.end()) {
            return parse_fault{first, "a monitored field that repeats"};
        }
        names.push_back(std::move(name));
        at = comma + 1;
    }
    return names;
}

} // namespace freshet
