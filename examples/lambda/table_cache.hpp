#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/ledger.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <freshet/cache/refresh_policy.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>
#include <lambda/bootstrap.hpp>
#include <lambda/invocation.hpp>
#include <lambda/last_request.hpp>
#include <support/environment.hpp>
#include <support/log.hpp>
#include <table_cache/agent.hpp>
#include <table_cache/cache_lines.hpp>
#include <table_cache/counted_table.hpp>
#include <table_cache/tables.hpp>
#include <table_cache/transcript.hpp>
#include <table_cache/work_messages.hpp>

namespace lambda {

/// Answers an event of SQS messages with how many steps of work orders were done and how many failed. The tables stay
/// cached from one invocation to the next, and each `start` message empties the cache before any step is taken: that of
/// the instance that it came to. Others that are warm do not hear of it, so one instance at most should run.
///
/// What failed is not tried again: of the `batchItemFailures` are only messages whose work order somebody else is at.
template <class Table, class Clock, class Ledger>
class work_order_agent {
public:
    /// Borrows what it is given. `slowest_request` is how long a table or the ledger may take to answer: time for two
    /// is kept before the invocation's end, for a read that is under way and to unlock its order, as far as three
    /// quarters of the invocation's time are left for the steps.
    work_order_agent(email_agent::counted_tables<Table>& tables, const Clock& clock, Ledger& ledger,
                     email_agent::agent_options options, const email_agent::transcript& to,
                     freshet::duration slowest_request = {})
        : clock_{clock},
          reserve_{2 * slowest_request},
          to_{to},
          agent_{tables, clock, ledger, std::move(options), email_agent::cache_lines<Table>{tables, to, tally_}} {}

    auto operator()(const invocation& event, const std::stop_token& stop) -> freshet::result<std::string> {
        using level = support::log_level;
        std::size_t failed = 0;
        const auto messages = email_agent::read_messages(event.payload, [&](const auto& id, const auto& why) {
            ++failed;
            to_.line(level::error, fmt::format("message {}: {}", freshet::printable(id), why));
        });
        if (!messages) { return messages.why(); }
        for (const auto& message : *messages) { static_cast<void>(agent_.heard(message.action)); }
        const auto until = last_request(event.deadline, clock_.now(), reserve_);
        std::size_t done = 0;
        auto again = nlohmann::ordered_json::array();
        for (const auto& message : *messages) {
            if (!message.step) { continue; }
            const auto& [order, which] = *message.step;
            const auto head = fmt::format("{} {}", freshet::printable(order), name_of(which));
            const auto step = until.passed(clock_.now()) ? no_time() : agent_.do_step(order, which, until, stop);
            if (step) {
                ++done;
                to_.line(level::info,
                         fmt::format("{}: {}, {}", head, email_agent::counted(step->recipients, "recipient"),
                                     email_agent::counted(step->letters, "letter")));
                continue;
            }
            to_.line(level::error, fmt::format("{} failed: {}", head, freshet::printable(step.why().note)));
            if (step.why().code == freshet::errc::conflict) {
                again.push_back({{"itemIdentifier", message.id}});
            } else {
                ++failed;
            }
        }
        return nlohmann::ordered_json{{"done", done}, {"failed", failed}, {"batchItemFailures", std::move(again)}}.dump(
            -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }

private:
    [[nodiscard]] static auto no_time() -> freshet::result<email_agent::step_report> {
        return freshet::error{freshet::errc::expired, "the invocation's time was over before the step began"};
    }

    const Clock& clock_;
    freshet::duration reserve_;
    const email_agent::transcript& to_;
    email_agent::verdict_tally tally_;
    email_agent::agent<Table, Clock, Ledger> agent_;
};

namespace detail {

/// The agent with the DynamoDB tables that it owns; they are called `PREFIX-students` and so on, and `PREFIX-ledger`.
class dynamodb_agent {
public:
    dynamodb_agent(adapters::aws::settings how, const std::string& prefix, email_agent::agent_options options,
                   support::log_level least)
        : slowest_request_{how.total_timeout * (how.retries.retries + 1)},
          by_{std::move(how)},
          to_{least, [](const std::string& line) { std::fwrite(line.data(), 1, line.size(), stderr); }},
          ledger_{by_, clock_, {.table = prefix + "-ledger"}} {
        for (const auto name : email_agent::table_names) {
            auto named = email_agent::options_of(name);
            named.name = prefix + "-" + named.name;
            tables_.try_emplace(name, by_, std::move(named));
        }
        agent_.emplace(
            counted_.emplace(
                [this](std::string_view name) -> adapters::aws::table& { return tables_.find(name)->second; },
                email_agent::consistency::strong),
            clock_, ledger_, std::move(options), to_, slowest_request_);
    }
    dynamodb_agent(const dynamodb_agent&) = delete;
    auto operator=(const dynamodb_agent&) -> dynamodb_agent& = delete;

    /// Whether all tables are there.
    [[nodiscard]] auto check(const std::string& prefix) const -> freshet::result<void> {
        for (const auto name : email_agent::table_names) {
            const auto there = adapters::aws::describe_table(by_, prefix + "-" + std::string{name});
            if (!there) { return there.why(); }
        }
        const auto ledger = adapters::aws::describe_table(by_, prefix + "-ledger");
        return ledger ? freshet::result<void>{} : ledger.why();
    }
    auto operator()(const invocation& event, const std::stop_token& stop) { return (*agent_)(event, stop); }

private:
    using ledger_type = adapters::aws::ledger<freshet::wall_clock>;

    freshet::duration slowest_request_;
    adapters::aws::client by_;
    freshet::wall_clock clock_;
    email_agent::transcript to_;
    ledger_type ledger_;
    std::map<std::string_view, adapters::aws::table> tables_;
    std::optional<email_agent::counted_tables<adapters::aws::table>> counted_;
    std::optional<work_order_agent<adapters::aws::table, freshet::wall_clock, ledger_type>> agent_;
};

} // namespace detail

/// The agent as the environment wants it: `DYNAMODB_TABLE_PREFIX` (email-agent), `CACHE_REFRESH_INTERVAL_SECS` (600),
/// `LOG_LEVEL`, and what `adapters::aws::settings_from_environment` reads. Whether the tables are there is asked.
[[nodiscard]] inline auto make_table_cache() -> freshet::result<function> {
    const auto level = support::log_level_or(support::log_level::info);
    if (!level) { return level.why(); }
    email_agent::agent_options options;
    options.owner = fmt::format("email-agent-{:08x}{:08x}", std::random_device{}(), std::random_device{}());
    if (const auto text = support::environment("CACHE_REFRESH_INTERVAL_SECS")) {
        const auto interval = freshet::parse_interval_seconds(*text);
        if (!interval) {
            return freshet::error{freshet::errc::denied, "CACHE_REFRESH_INTERVAL_SECS: '" + freshet::printable(*text) +
                                                             "': " + std::string{interval.fault().reason}};
        }
        options.interval = *interval;
    }
    auto how = adapters::aws::settings_from_environment();
    if (!how) { return std::move(how).why(); }
    how->total_timeout = std::chrono::seconds{3};
    const auto prefix = support::environment("DYNAMODB_TABLE_PREFIX").value_or("email-agent");
    auto made = std::make_shared<detail::dynamodb_agent>(*std::move(how), prefix, std::move(options), *level);
    if (auto good = made->check(prefix); !good) { return std::move(good).why(); }
    return function{[made](const invocation& event, const std::stop_token& stop) { return (*made)(event, stop); }};
}

inline constexpr named_function table_cache_function{"table_cache", &make_table_cache};

} // namespace lambda
