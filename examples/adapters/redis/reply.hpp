#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <hiredis/hiredis.h>

#include <freshet/core/result.hpp>

namespace adapters::redis {

struct free_reply {
    void operator()(redisReply* of) const noexcept { freeReplyObject(of); }
};

/// What the server answered; never null.
using reply = std::unique_ptr<redisReply, free_reply>;

/// The bytes of a string or of a status; nothing where it is neither, as where a key has no value.
[[nodiscard]] inline auto text_of(const redisReply& of) noexcept -> std::optional<std::string_view> {
    if (of.type != REDIS_REPLY_STRING && of.type != REDIS_REPLY_STATUS) { return std::nullopt; }
    return std::string_view{of.str, static_cast<std::size_t>(of.len)};
}

/// The `at`th of a list; null where it is none, or a shorter one.
[[nodiscard]] inline auto part_of(const redisReply& of, std::size_t at) noexcept -> const redisReply* {
    return of.type == REDIS_REPLY_ARRAY && at < of.elements ? of.element[at] : nullptr;
}

/// What a caller can do about an error that the server answered. What is not known here a person must look at.
///
/// A server that may store no more is `throttled`: room comes with time. Source: the first words of the errors in
/// Redis's server.c; up to Redis 6 those of a script stand in the midst of another one.
[[nodiscard]] constexpr auto errc_of(std::string_view said) noexcept -> freshet::errc {
    using enum freshet::errc;
    constexpr std::array<std::pair<std::string_view, freshet::errc>, 9> known{
        {{"OOM ", throttled},
         {"LOADING ", unavailable},
         {"BUSY ", unavailable},
         {"MASTERDOWN ", unavailable},
         {"READONLY ", unavailable},
         {"NOREPLICAS ", unavailable},
         {"MISCONF ", unavailable},
         {"CLUSTERDOWN ", unavailable},
         {"ERR max number of clients", unavailable}}};
    const bool of_script = said.starts_with("ERR Error running script");
    for (const auto& [words, code] : known) {
        if (said.starts_with(words) || (of_script && said.find(words) != std::string_view::npos)) { return code; }
    }
    return denied;
}

} // namespace adapters::redis
