#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <adapters/aws/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/wall_clock.hpp>
#include <label_counts/core_labels.hpp>
#include <label_counts/counting.hpp>
#include <label_counts/dynamodb_place.hpp>
#include <label_counts/metrics.hpp>
#include <label_counts/output.hpp>
#include <label_counts/settings.hpp>
#include <label_counts/updating.hpp>
#include <lambda/bootstrap.hpp>
#include <lambda/invocation.hpp>
#include <lambda/last_request.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>

namespace lambda {

/// Answers an event of a schedule, whatever it says, with a run of the label counts: how many labels succeeded and
/// failed, and what became of each. A run in which no label succeeded fails the invocation.
template <class Table, class Store, class Timer>
class label_counter {
public:
    /// Borrows table, store and timer, which threads share. `slowest_request` is how long the store may take to answer:
    /// that much before the invocation's end counting ends, as far as three quarters of its time are left for it.
    label_counter(Table& table, Store& store, Timer& timer, std::vector<std::string> labels, support::log log,
                  label_counts::metrics_file metrics, freshet::duration slowest_request = {})
        : table_{table},
          store_{store},
          timer_{timer},
          labels_{std::move(labels)},
          log_{log},
          metrics_{std::move(metrics)},
          slowest_request_{slowest_request} {}

    auto operator()(const invocation& event, std::stop_token stop) -> freshet::result<std::string> {
        using level = support::log_level;
        const auto until = last_request(event.deadline, timer_.now(), slowest_request_);
        const auto count = label_counts::counter_of(table_, timer_, stop);
        const auto report = label_counts::update(store_, timer_, count, labels_, {}, log_, until, stop);
        const bool whole = report.failed() == 0;
        log_.line(whole ? level::info : level::error, "{}", label_counts::summary_of(report));
        const auto now = timer_.now();
        if (const auto told = metrics_.write(report, now, now); !told) {
            log_.line(level::warning, "{}", told.why().note);
        }
        return report.as_result().transform([&] {
            return label_counts::as_json(report).dump(-1, ' ', false, label_counts::json::error_handler_t::replace);
        });
    }

private:
    Table& table_;
    Store& store_;
    Timer& timer_;
    std::vector<std::string> labels_;
    support::log log_;
    label_counts::metrics_file metrics_;
    freshet::duration slowest_request_;
};

namespace detail {

/// The label counter with the DynamoDB tables that it owns.
class dynamodb_label_counter {
    using place = label_counts::dynamodb_place<freshet::wall_clock>;

public:
    dynamodb_label_counter(adapters::aws::settings how, const std::string& table, std::vector<std::string> labels,
                           support::log log, label_counts::metrics_file metrics)
        : slowest_request_{how.total_timeout * (how.retries.retries + 1)},
          place_{std::move(how), table, clock_},
          count_{place_.table(), place_.store(), clock_, std::move(labels), log, std::move(metrics), slowest_request_} {
    }

    [[nodiscard]] auto check(const support::log& log) const -> freshet::result<void> { return place_.check(log); }
    auto operator()(const invocation& event, std::stop_token stop) { return count_(event, std::move(stop)); }

private:
    freshet::duration slowest_request_;
    freshet::wall_clock clock_;
    place place_;
    label_counter<adapters::aws::table, adapters::aws::ttl_store<freshet::wall_clock>, freshet::wall_clock> count_;
};

} // namespace detail

/// The label counter as the environment wants it: `DYNAMODB_TABLE_NAME`, `CORE_LABELS`, `LOG_LEVEL`, and what
/// `adapters::aws::settings_from_environment` reads. Metrics go to stdout, where CloudWatch finds them. Whether the
/// tables are there is asked.
[[nodiscard]] inline auto make_label_counts() -> freshet::result<function> {
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    auto labels = label_counts::core_labels();
    if (!labels) { return std::move(labels).why(); }
    const auto table = adapters::aws::table_name_from_environment();
    if (!table) { return table.why(); }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    how->total_timeout = std::chrono::seconds{3};
    auto metrics = label_counts::metrics_file::open("-");
    if (!metrics) { return std::move(metrics).why(); }

    const support::log log{*level};
    auto made = std::make_shared<detail::dynamodb_label_counter>(*std::move(how), *table, *std::move(labels), log,
                                                                 *std::move(metrics));
    if (auto good = made->check(log); !good) { return std::move(good).why(); }
    return function{[made](const invocation& event, std::stop_token stop) { return (*made)(event, std::move(stop)); }};
}

inline constexpr named_function label_counts_function{"label_counts", &make_label_counts};

} // namespace lambda
