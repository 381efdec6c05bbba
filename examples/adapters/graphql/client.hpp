#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/aws/http.hpp>
#include <adapters/graphql/answer.hpp>
#include <adapters/graphql/settings.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>
#include <freshet/work/wall_clock.hpp>

namespace adapters::graphql {

/// A GraphQL API over HTTP that knows its callers by an `x-api-key`, as AWS AppSync does; any thread may call.
///
/// What the network or the service makes worth repeating is sent again unchanged, as `settings.retries` says, so send
/// only what may arrive twice. A call takes no longer than all its attempts and waits. Notes name the endpoint and
/// never hold the key.
class client {
public:
    using is_shareable = void;

    explicit client(settings given)
        : settings_{std::move(given)},
          usable_{check(settings_)},
          lines_{{.connect_timeout = settings_.connect_timeout,
                  .total_timeout = settings_.total_timeout,
                  .ca_bundle = settings_.ca_bundle}},
          plan_{settings_.retries} {}

    /// What the API answers to a document; the fields that it refused are in the answer.
    ///
    /// One that is refused for the moment alone (`throttled`, `unavailable`) is the failure of all. A document or
    /// variables that are no UTF-8 text are `malformed`.
    [[nodiscard]] auto ask(const std::string& document, const nlohmann::json& variables) const
        -> freshet::result<answer> {
        if (!usable_) { return usable_.why(); }
        std::string body;
        try {
            body = nlohmann::json{{"query", document}, {"variables", variables}}.dump();
        } catch (const nlohmann::json::type_error&) {
            return freshet::error{freshet::errc::malformed, place() + ": a question that is no UTF-8 text"};
        }
        freshet::wall_clock clock;
        auto random = [] {
            std::random_device source;
            return (std::uint64_t{source()} << 32U) | source();
        };
        return freshet::retry(plan_, clock, {}, freshet::deadline::never(), random, [&] { return send(body); });
    }

    /// As `ask`, but a refused field is the failure of all.
    [[nodiscard]] auto call(const std::string& document, const nlohmann::json& variables) const
        -> freshet::result<nlohmann::json> {
        auto answered = ask(document, variables);
        if (!answered) { return std::move(answered).why(); }
        if (!answered->refused.empty()) { return answered->refused.front().why; }
        return std::move(answered->data);
    }

private:
    [[nodiscard]] auto place() const -> std::string { return "GraphQL at " + settings_.endpoint; }

    [[nodiscard]] auto send(const std::string& body) const -> freshet::result<answer> {
        const auto got = lines_.call({.url = settings_.endpoint,
                                      .method = "POST",
                                      .headers = {"content-type: application/json", "x-api-key: " + settings_.api_key},
                                      .body = body});
        if (!got) { return freshet::error{got.why().code, place() + ": " + got.why().note}; }
        auto read = read_answer(*got, place(), settings_.api_key);
        if (!read) { return read; }
        for (const auto& field : read->refused) {
            const auto code = field.why.code;
            if (code == freshet::errc::throttled || code == freshet::errc::unavailable) { return field.why; }
        }
        return read;
    }

    settings settings_;
    freshet::result<void> usable_;
    aws::http_lines lines_;
    freshet::retry_plan plan_;
};

static_assert(freshet::shareable<client>);

} // namespace adapters::graphql
