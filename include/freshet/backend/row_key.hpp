#pragma once

#include <compare>
#include <string>

namespace freshet {

/// A row's identity in its table: a partition and a place in it. The place is empty in a table without sort keys.
///
/// Ordered by partition, then by sort key, bytewise; that is the order of UTF-8.
struct row_key {
    std::string partition;
    std::string sort;
    friend auto operator<=>(const row_key&, const row_key&) = default;
};

} // namespace freshet
