#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/core/time.hpp>

namespace freshet {

/// Where an answer of a cache comes from.
enum class cache_origin : std::uint8_t {
    fresh,            ///< the store, and it is not too old
    stale_refreshing, ///< the store; too old, and somebody is loading it anew
    stale_error,      ///< the store; too old, and it could not be loaded anew
    loaded,           ///< the source, just now
    bypassed,         ///< the source, because the store failed; it is not kept
};

/// The origin's name as it stands in the enumeration, for logs.
[[nodiscard]] constexpr auto name_of(cache_origin origin) noexcept -> std::string_view {
    switch (origin) {
        case cache_origin::fresh: return "fresh";
        case cache_origin::stale_refreshing: return "stale_refreshing";
        case cache_origin::stale_error: return "stale_error";
        case cache_origin::loaded: return "loaded";
        case cache_origin::bypassed: return "bypassed";
    }
    return "unknown";
}

/// What a cache answers.
template <class Value>
struct cached {
    std::optional<Value> value; ///< absent: the source has none
    cache_origin origin{};
    duration age{}; ///< since the load of it began; never below zero
};

/// What a loader brings: a value, or the knowledge that there is none; and, where it differs from the cache's, how long
/// that is fresh.
template <class Value>
struct loaded {
    std::optional<Value> value;
    std::optional<duration> ttl; ///< zero or less: not to be kept

    loaded(std::nullopt_t none, std::optional<duration> fresh_for = {}) : value{none}, ttl{fresh_for} {}
    template <class From>
    requires(std::constructible_from<std::optional<Value>, From>&& std::convertible_to<From, std::optional<Value>>)
        loaded(From&& from, std::optional<duration> fresh_for = {})
        : value{std::forward<From>(from)}, ttl{fresh_for} {}
};

} // namespace freshet
