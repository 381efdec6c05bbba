#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/graphql/bucket_sink.hpp>
#include <adapters/graphql/client.hpp>
#include <adapters/graphql/metrics_model.hpp>
#include <adapters/graphql/record_source.hpp>
#include <adapters/graphql/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/window.hpp>
#include <freshet/work/wall_clock.hpp>
#include <lambda/bootstrap.hpp>
#include <lambda/invocation.hpp>
#include <lambda/last_request.hpp>
#include <metrics/api_model.hpp>
#include <metrics/aggregation.hpp>
#include <metrics/dynamodb_place.hpp>
#include <metrics/event_pairs.hpp>
#include <metrics/outcome.hpp>
#include <metrics/recounting.hpp>
#include <metrics/table_source.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>

namespace lambda {

struct metrics_options {
    std::size_t hours{2};                ///< of the window
    std::string own_table{};             ///< the DynamoDB table with the keys of `metrics::item_table`, if there is one
    freshet::duration slowest_request{}; ///< of the source or the sink
    /// Called before hours beside the window are counted: the source may lag behind the changes.
    metrics::settle_wait settle{};
};

/// Answers a DynamoDB stream's event with a recount of every pair of table and account in it, and writes the log block.
///
/// The response says of each pair how many records were counted and buckets written. When one fails, or its cross-check
/// does, the others are counted all the same, and then the invocation fails: the stream delivers its event again, and
/// what was counted already is counted to the same end.
template <class Source, class Sink, class Clock>
class metrics_aggregator {
public:
    /// Borrows source, sink and clock. `write` gets the log block, whole lines. No request begins when less than
    /// `slowest_request` is left, as far as three quarters of an invocation's time.
    metrics_aggregator(Source& source, Sink& sink, const Clock& clock, metrics_options options, support::log log,
                       std::function<void(std::string_view)> write)
        : source_{source},
          sink_{sink},
          clock_{clock},
          options_{std::move(options)},
          log_{log},
          write_{std::move(write)} {}

    auto operator()(const invocation& event, const std::stop_token& stop) -> freshet::result<std::string> {
        const auto pairs = metrics::read_event(event.payload, options_.own_table);
        if (!pairs) { return pairs.why(); }
        const auto now = clock_.now();
        metrics::outcome done;
        done.header = {.stream_records = pairs->records,
                       .notes = pairs->notes(),
                       .window = freshet::current_window(now, options_.hours)};
        const auto until = last_request(event.deadline, now, options_.slowest_request);
        const auto changed = [](const auto& each) { return !each.second.empty(); };
        if (options_.settle && std::any_of(pairs->affected.begin(), pairs->affected.end(), changed)) {
            options_.settle(stop);
        }
        done.series =
            metrics::recount_all(source_, sink_, clock_, pairs->affected, done.header.window, log_, until, stop);
        for (const auto& [series, dirty] : pairs->affected) { done.header.affected.push_back(series); }
        write_(metrics::as_text(done));
        return answer_of(done);
    }

private:
    [[nodiscard]] static auto answer_of(const metrics::outcome& done) -> freshet::result<std::string> {
        auto counted = metrics::json::array();
        const metrics::series_log* first = nullptr;
        std::size_t failed = 0;
        for (const auto& each : done.series) {
            if (each.fault) {
                ++failed;
                if (first == nullptr || (each.check_failed && !first->check_failed)) { first = &each; }
                continue;
            }
            counted.push_back({{"table", each.series.table},
                               {"account", each.series.account},
                               {"records", each.check->records},
                               {"skipped", each.no_timestamp + each.bad_timestamp},
                               {"updated", each.updated},
                               {"overtaken", each.overtaken}});
        }
        if (first != nullptr) {
            return freshet::error{first->fault->code, fmt::format("{} of {} table/account pairs failed, first: {}",
                                                                  failed, done.series.size(), first->fault->note)};
        }
        const metrics::json answer{{"streamRecords", *done.header.stream_records}, {"counted", std::move(counted)}};
        return answer.dump(-1, ' ', false, metrics::json::error_handler_t::replace);
    }

    Source& source_;
    Sink& sink_;
    const Clock& clock_;
    metrics_options options_;
    support::log log_;
    std::function<void(std::string_view)> write_;
};

namespace detail {

/// An index, and an API over one, lags behind its table by moments.
inline void wait_for_indexes(const std::stop_token& stop) {
    static_cast<void>(freshet::wall_clock{}.wait(std::chrono::seconds{2}, stop));
}

/// Where the service keeps what a function says.
inline void write_to_stdout(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// The aggregator with the GraphQL API that it owns.
class graphql_aggregator {
    using sink_type = adapters::graphql::bucket_sink<freshet::wall_clock>;

public:
    graphql_aggregator(adapters::graphql::settings how, adapters::graphql::metrics_model model, support::log log)
        : slowest_request_{adapters::graphql::longest_call(how)},
          by_{std::move(how)},
          source_{by_},
          sink_{by_, clock_, std::move(model)},
          count_{source_, sink_, clock_, {.slowest_request = slowest_request_, .settle = &wait_for_indexes},
                 log, &write_to_stdout} {}
    graphql_aggregator(const graphql_aggregator&) = delete;
    auto operator=(const graphql_aggregator&) -> graphql_aggregator& = delete;

    auto operator()(const invocation& event, const std::stop_token& stop) { return count_(event, stop); }

private:
    freshet::duration slowest_request_;
    freshet::wall_clock clock_;
    adapters::graphql::client by_;
    adapters::graphql::record_source source_;
    sink_type sink_;
    metrics_aggregator<adapters::graphql::record_source, sink_type, freshet::wall_clock> count_;
};

/// The aggregator with the DynamoDB tables that it owns.
class dynamodb_aggregator {
    using source_type = metrics::table_source<adapters::aws::table>;

public:
    dynamodb_aggregator(adapters::aws::settings how, const std::string& table, support::log log)
        : slowest_request_{how.total_timeout * (how.retries.retries + 1)},
          place_{std::move(how), table},
          source_{place_.table()},
          count_{source_, place_.sink(),   clock_, {.own_table = table, .slowest_request = slowest_request_, .settle = &wait_for_indexes},
                 log,     &write_to_stdout} {}
    dynamodb_aggregator(const dynamodb_aggregator&) = delete;
    auto operator=(const dynamodb_aggregator&) -> dynamodb_aggregator& = delete;

    [[nodiscard]] auto check() const -> freshet::result<void> { return place_.check(); }
    auto operator()(const invocation& event, const std::stop_token& stop) { return count_(event, stop); }

private:
    freshet::duration slowest_request_;
    freshet::wall_clock clock_;
    metrics::dynamodb_place place_;
    source_type source_;
    metrics_aggregator<source_type, adapters::aws::bucket_sink, freshet::wall_clock> count_;
};

} // namespace detail

/// The aggregator as the environment wants it: over the GraphQL API of `PLEXUS_API_URL` (or `GRAPHQL_ENDPOINT`) with
/// `PLEXUS_API_KEY` (or `GRAPHQL_API_KEY`) and `METRICS_RUN_FIELD`; where neither address is set, over the tables of
/// `DYNAMODB_TABLE_NAME`, and whether those are there is asked. Also `LOG_LEVEL`, and what
/// `adapters::aws::settings_from_environment` reads.
[[nodiscard]] inline auto make_metrics() -> freshet::result<function> {
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    const support::log log{*level};
    if (support::environment("PLEXUS_API_URL") || support::environment("GRAPHQL_ENDPOINT")) {
        auto how = adapters::graphql::settings_from_environment();
        if (!how) { return std::move(how).why(); }
        auto model = metrics::model_of(*how, log);
        auto made = std::make_shared<detail::graphql_aggregator>(*std::move(how), std::move(model), log);
        return function{[made](const invocation& event, const std::stop_token& stop) { return (*made)(event, stop); }};
    }
    const auto table = adapters::aws::table_name_from_environment();
    if (!table) { return table.why(); }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    how->total_timeout = std::chrono::seconds{3};
    auto made = std::make_shared<detail::dynamodb_aggregator>(*std::move(how), *table, log);
    if (auto good = made->check(); !good) { return std::move(good).why(); }
    return function{[made](const invocation& event, const std::stop_token& stop) { return (*made)(event, stop); }};
}

inline constexpr named_function metrics_function{"metrics", &make_metrics};

} // namespace lambda
