#pragma once

#include <adapters/graphql/metrics_model.hpp>
#include <adapters/graphql/settings.hpp>
#include <support/log.hpp>

namespace metrics {

/// The model that keeps the counts, as the settings have it; warns in one line where its runs cannot be fenced.
[[nodiscard]] inline auto model_of(const adapters::graphql::settings& how, const support::log& log)
    -> adapters::graphql::metrics_model {
    adapters::graphql::metrics_model made{.ticket = how.run_field};
    if (made.ticket.empty()) {
        log.line(support::log_level::warning,
                 "METRICS_RUN_FIELD names no Int field of {}: of two runs at once, the slower may undo what the later "
                 "one found",
                 made.name);
    }
    return made;
}

} // namespace metrics
