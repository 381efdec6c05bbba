#pragma once

#include <cstddef>
#include <string_view>

#include <freshet/cache/refresh_policy.hpp>
#include <freshet/cache/scan_answer.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

// Of each event `table` is the name that the cache knows the table by.

/// Somebody was answered without a scan or a read of his own.
struct table_used {
    static constexpr std::string_view name = "table_used";
    std::string_view table;
    scan_origin origin;
    duration age;
    refresh_reason reason;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("origin", name_of(origin));
        visit("age", age);
        visit("reason", name_of(reason));
    }
};

/// A table was scanned to its end.
struct table_scanned {
    static constexpr std::string_view name = "table_scanned";
    std::string_view table;
    std::size_t rows;
    std::size_t pages;
    duration took;
    refresh_reason reason;
    bool kept; ///< not: caching is off, or failed, or the table was invalidated meanwhile
    void fields(auto&& visit) const {
        visit("table", table);
        visit("rows", rows);
        visit("pages", pages);
        visit("took", took);
        visit("reason", name_of(reason));
        visit("kept", kept);
    }
};

/// A row was read from its table.
struct table_row_read {
    static constexpr std::string_view name = "table_row_read";
    std::string_view table;
    bool found;
    refresh_reason reason;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("found", found);
        visit("reason", name_of(reason));
    }
};

/// A scan, or the read of a row, failed.
struct table_read_failed {
    static constexpr std::string_view name = "table_read_failed";
    std::string_view table;
    const error& why;
    refresh_reason reason;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
        visit("reason", name_of(reason));
    }
};

/// What was scanned is not plausible; what was kept before stays.
struct snapshot_refused {
    static constexpr std::string_view name = "snapshot_refused";
    std::string_view table;
    const error& why;
    std::size_t rows;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
        visit("rows", rows);
    }
};

/// What was scanned cannot be kept, because its rows cannot be found by their keys; it still answers.
struct table_bypassed {
    static constexpr std::string_view name = "table_bypassed";
    std::string_view table;
    const error& why;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
    }
};

/// The probe or the policy failed, so the table is scanned.
struct refresh_undecided {
    static constexpr std::string_view name = "refresh_undecided";
    std::string_view table;
    const error& why;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
    }
};

/// What was kept answers nobody who asks from now on.
struct caches_invalidated {
    static constexpr std::string_view name = "caches_invalidated";
    std::string_view table; ///< empty: all tables
    refresh_reason reason;
    void fields(auto&& visit) const {
        visit("table", table);
        visit("reason", name_of(reason));
    }
};

} // namespace freshet
