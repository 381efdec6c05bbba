#pragma once

#include <cstddef>
#include <string_view>

#include <freshet/cache/refresh_policy.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// A follower scanned its table; its rows answer when it has read what happened meanwhile.
struct follower_loaded {
    static constexpr std::string_view name = "follower_loaded";
    std::size_t rows;
    std::size_t pages;
    duration took;
    refresh_reason reason; ///< `never_loaded` or `stream_gap`
    void fields(auto&& visit) const {
        visit("rows", rows);
        visit("pages", pages);
        visit("took", took);
        visit("reason", name_of(reason));
    }
};

/// A batch of changes came.
struct changes_followed {
    static constexpr std::string_view name = "changes_followed";
    std::size_t changes;
    std::size_t edits;  ///< rows that became others, or none
    std::size_t fenced; ///< changes that are no newer than what is there
    void fields(auto&& visit) const {
        visit("changes", changes);
        visit("edits", edits);
        visit("fenced", fenced);
    }
};

/// Changes were lost: what a follower has answers no more, and the table is scanned anew.
struct follower_lost {
    static constexpr std::string_view name = "follower_lost";
    std::string_view position; ///< from where on it wanted to read
    void fields(auto&& visit) const { visit("position", position); }
};

/// The stream or the table could not be read.
struct follower_failed {
    static constexpr std::string_view name = "follower_failed";
    const error& why;
    void fields(auto&& visit) const {
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
    }
};

} // namespace freshet
