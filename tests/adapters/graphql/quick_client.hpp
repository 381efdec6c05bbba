#pragma once

#include <chrono>

#include <adapters/graphql/settings.hpp>

#include "fake_appsync.hpp"

namespace adapters::graphql::testing {

/// Settings for this API that wait little between retries.
[[nodiscard]] inline auto quick_settings(const support::fake_appsync& api) -> settings {
    settings made{.endpoint = api.endpoint(), .api_key = support::fake_appsync::key()};
    made.retries.base = made.retries.throttled_base = made.retries.cap = std::chrono::milliseconds{1};
    return made;
}

} // namespace adapters::graphql::testing
