#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/time.hpp>

namespace laws {

using cached = freshet::cache_entry<std::string>;

/// What a store must be able to look up.
[[nodiscard]] auto looked(auto& store, const std::string& key) -> freshet::looked_up<std::string> {
    auto answer = store.get(key);
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
    return *std::move(answer);
}

[[nodiscard]] auto ticket_of(auto& store, const std::string& key) -> freshet::store_ticket {
    return looked(store, key).ticket;
}

/// Whether a look-up finds just that, to the microsecond.
[[nodiscard]] auto holds(auto& store, const std::string& key, const cached& entry) -> bool {
    return looked(store, key).entry == entry;
}
[[nodiscard]] auto lacks(auto& store, const std::string& key) -> bool { return !looked(store, key).entry; }

/// An entry that was loaded just now, by a fixture's clock.
[[nodiscard]] auto entry_of(auto& fixture, std::optional<std::string> value,
                            freshet::duration keep = std::chrono::hours{1}) -> cached {
    const auto now = fixture.clock().now();
    return {std::move(value), now, now + keep / 2, now + keep};
}

[[nodiscard]] inline auto is_kept_out(const freshet::result<void>& put) -> bool {
    return !put.ok() && put.why().code == freshet::errc::conflict && !put.why().note.empty();
}

/// Puts what was loaded before an invalidation: refused, or stored where nobody looks.
void put_late(auto& store, const std::string& key, const cached& entry, const freshet::store_ticket& ticket) {
    const auto put = store.put(key, entry, ticket);
    CHECK_MESSAGE((put.ok() || is_kept_out(put)), (put.ok() ? "" : put.why().note));
}

} // namespace laws
