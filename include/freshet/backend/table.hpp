#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/core/result.hpp>

namespace freshet {

/// Where a scan or a query goes on: opaque text that can be kept and used later, also by another process.
using page_token = std::string;

/// Some of the rows that were asked for. Only an absent `next` ends a scan: an empty page does not.
template <class Row>
struct page {
    std::vector<Row> rows;
    std::optional<page_token> next;
};

/// Which page is wanted.
struct page_request {
    std::optional<page_token> from{}; ///< absent: from the start
    std::size_t limit{};              ///< at most so many rows; 0: as many as the backend likes to give
};

/// The rows of one partition of an index, in the order of its sort keys.
struct index_query {
    std::string index{}; ///< empty: the table's own keys
    std::string partition{};
    std::string sort_prefix{}; ///< only rows whose sort key in that index begins so
    std::string sort_first{};  ///< only rows whose sort key is not before this one
    std::string sort_last{};   ///< only rows whose sort key is not after this one; empty: no bound
};

/// What must hold of the stored row, or the write does not happen. A view: what it points at outlives the call.
template <class Row>
class write_condition {
public:
    enum class kind : std::uint8_t { always, absent, present, unchanged };

    /// No condition.
    write_condition() = default;
    /// There is no row of that key.
    [[nodiscard]] static auto if_absent() -> write_condition { return {kind::absent, nullptr}; }
    /// There is a row of that key.
    [[nodiscard]] static auto if_present() -> write_condition { return {kind::present, nullptr}; }
    /// The row is still as the caller saw it.
    [[nodiscard]] static auto if_unchanged(const Row& seen) -> write_condition { return {kind::unchanged, &seen}; }
    static void if_unchanged(const Row&&) = delete;

    [[nodiscard]] auto what() const noexcept -> kind { return kind_; }
    /// The row as it was seen; null unless `what()` is `unchanged`.
    [[nodiscard]] auto seen() const noexcept -> const Row* { return seen_; }

private:
    write_condition(kind what, const Row* seen) : kind_{what}, seen_{seen} {}

    kind kind_{kind::always};
    const Row* seen_{};
};

/// A `table` keeps rows by their keys, and finds them by the keys of its secondary indexes.
///
/// `row_type` holds its own key and its index keys; `patch_type` says which parts of a row become what.
///
/// Laws:
///  1. After a `put`, `get` of its key gives an equal row, until another write of that key. Equal means what the rows
///     mean: a table may write 0.90 as 0.9, or a set in another order.
///  2. `get` of a key that has no row is an absent optional, not an error.
///  3. `put` replaces the whole row. `update` changes the named parts alone and keeps the others, in one step that no
///     other writer can come between; where there is no row, it makes one; a patch that names an attribute of the row's
///     key, were it with the value that it has, is `malformed`. `erase` of a key without a row succeeds.
///  4. A write whose condition does not hold changes nothing and fails with `conflict`. To a write that fails with
///     another code, anything may have happened; the identical write may be repeated, and one that finds its own work
///     done succeeds whatever its condition: a put or an update whose row is as it would make it, an erase of a row
///     that is not there. A backend may judge `if_unchanged` by the whole row or by a version that it keeps in it; a
///     change that came between is noticed either way. One that cannot ask for a whole row judges by the attributes
///     that were seen and by those that the write names: another one that somebody added in between is not noticed
///     there; a put or an update leaves it where it is, an erase takes it along.
///  5. A row that lacks its key, or has an unusable one, is `malformed`; one beyond the table's limits is `too_large`.
///     Neither is stored in part.
///  6. `scan`, from its first page to the one without a `next`, gives every row that is there all the time exactly
///     once. A row that is written or removed meanwhile may be in it or not. A token stays good when rows come and go,
///     also the one it was made at; what is no token of this table and query is `malformed`.
///  7. `query` gives the rows whose keys in that index are the partition and begin with the prefix, or lie between the
///     bounds, these included, bytewise; ascending by the index's sort key, equal ones in an order that stays the same,
///     paged as a scan is. It reads what matches and not the table. A row that lacks an index's keys is not in that
///     index. An index that there is not is `malformed`, and so are a prefix and a bound at once, and a bound that no sort
///     key of that index can be.
/// Reads see every write that ended before they began, unless the backend says otherwise of its secondary indexes.
template <class T>
concept table = requires(T& t, const row_key& key, const typename T::row_type& row, const typename T::patch_type& patch,
                         const write_condition<typename T::row_type>& condition, const index_query& which,
                         const page_request& request) {
    { t.get(key) } -> std::same_as<result<std::optional<typename T::row_type>>>;
    { t.put(row, condition) } -> std::same_as<result<void>>;
    { t.update(key, patch, condition) } -> std::same_as<result<void>>;
    { t.erase(key, condition) } -> std::same_as<result<void>>;
    { t.scan(request) } -> std::same_as<result<page<typename T::row_type>>>;
    { t.query(which, request) } -> std::same_as<result<page<typename T::row_type>>>;
};

} // namespace freshet
