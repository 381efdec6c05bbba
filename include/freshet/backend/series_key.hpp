#pragma once

#include <compare>
#include <string>

namespace freshet {

/// Whose records are counted: those of one kind, of one account. Ordered by table, then by account, bytewise.
struct series_key {
    std::string table;   ///< the kind of record, as in `items`
    std::string account; ///< empty where accounts are not told apart
    friend auto operator<=>(const series_key&, const series_key&) = default;
};

} // namespace freshet
