#pragma once

#include <string_view>

#include <freshet/cache/cached.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

// Of each event `key` is the key as `key_text` shows it. For each question there is one `cache_hit` or one
// `cache_miss`, told with the answer.

/// A question was answered with what the store had.
struct cache_hit {
    static constexpr std::string_view name = "cache_hit";
    std::string_view key;
    cache_origin origin; ///< `fresh` or stale
    duration age;
    void fields(auto&& visit) const {
        visit("key", key);
        visit("origin", name_of(origin));
        visit("age", age);
    }
};

/// A question was answered from the source, or not at all: the store had nothing that is good enough.
struct cache_miss {
    static constexpr std::string_view name = "cache_miss";
    std::string_view key;
    void fields(auto&& visit) const { visit("key", key); }
};

/// A loader brought something.
struct cache_loaded {
    static constexpr std::string_view name = "cache_loaded";
    std::string_view key;
    duration took;
    bool found; ///< not: the source has none
    void fields(auto&& visit) const {
        visit("key", key);
        visit("took", took);
        visit("found", found);
    }
};

/// A loader failed, or came too late (`expired`).
struct cache_load_failed {
    static constexpr std::string_view name = "cache_load_failed";
    std::string_view key;
    const error& why;
    duration took;
    void fields(auto&& visit) const {
        visit("key", key);
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
        visit("took", took);
    }
};

/// What was loaded was not kept: the key was invalidated since the load began.
struct cache_load_overtaken {
    static constexpr std::string_view name = "cache_load_overtaken";
    std::string_view key;
    void fields(auto&& visit) const { visit("key", key); }
};

/// The store failed in a call: the cache did without it. The key is empty where the call was of all keys.
struct cache_bypassed {
    static constexpr std::string_view name = "cache_bypassed";
    std::string_view key;
    const error& why;
    void fields(auto&& visit) const {
        visit("key", key);
        visit("error", name_of(why.code));
        visit("note", std::string_view{why.note});
    }
};

/// Somebody invalidated the key.
struct cache_erased {
    static constexpr std::string_view name = "cache_erased";
    std::string_view key;
    void fields(auto&& visit) const { visit("key", key); }
};

/// Somebody invalidated all keys.
struct cache_cleared {
    static constexpr std::string_view name = "cache_cleared";
    void fields(auto&&) const {}
};

} // namespace freshet
