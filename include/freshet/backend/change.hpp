#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <freshet/backend/row_key.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// What happened to the row.
enum class change_kind : std::uint8_t { insert, modify, remove };

/// Who did it.
enum class change_cause : std::uint8_t {
    write,  ///< somebody who wrote to the table
    expiry, ///< the table itself: the row's time to live had passed
};

/// One change of one row, as a change stream tells of it. Owns what it holds.
///
/// A side that is absent is none where the kind says so (nothing is before an insert, or after a remove), and is not
/// told otherwise: absent is not empty. `kind == modify` does not prove that the sides differ.
template <class Row>
struct change {
    row_key key;
    sequence_number sequence; ///< grows with each change of one row
    change_kind kind{};
    change_cause cause{};
    std::optional<time_point> made_at;
    std::optional<Row> before;
    std::optional<Row> after;
    std::string record; ///< the change as the stream itself wrote it, byte for byte
};

} // namespace freshet
