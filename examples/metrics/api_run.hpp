#pragma once

#include <utility>

#include <adapters/graphql/bucket_sink.hpp>
#include <adapters/graphql/client.hpp>
#include <adapters/graphql/record_source.hpp>
#include <adapters/graphql/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/window.hpp>
#include <metrics/api_model.hpp>
#include <metrics/outcome.hpp>
#include <metrics/recounting.hpp>
#include <metrics/settings.hpp>

namespace metrics {

/// Counts the window of the one series that the settings select over a GraphQL API, as the function in Lambda does;
/// fails where the environment, and the file of variables, name no API, or its counts cannot be read back.
template <class Clock>
[[nodiscard]] auto run_on_api(const settings& wanted, freshet::time_point now, const Clock& clock)
    -> freshet::result<outcome> {
    auto how = adapters::graphql::settings_from_environment(wanted.env_file);
    if (!how) { return std::move(how).why(); }
    auto model = model_of(*how, wanted.log);
    const adapters::graphql::client by{*std::move(how)};
    adapters::graphql::record_source source{by};
    adapters::graphql::bucket_sink<Clock> sink{by, clock, std::move(model)};

    outcome made;
    made.header.window = freshet::current_window(now, wanted.hours);
    made.header.affected = {{wanted.of.table.value_or(""), wanted.of.account.value_or("")}};
    affected_series affected;
    affect(affected, made.header.affected.front());
    made.series = recount_all(source, sink, clock, affected, made.header.window, wanted.log);
    if (made.series.front().fault) { return made; }
    auto kept = window_counts(sink, made.header.affected, made.header.window);
    if (!kept) { return std::move(kept).why(); }
    made.set_buckets(*std::move(kept));
    return made;
}

} // namespace metrics
