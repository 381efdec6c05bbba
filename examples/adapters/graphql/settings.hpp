#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <adapters/graphql/env_file.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/retry_plan.hpp>

namespace adapters::graphql {

/// Where the API is, who asks, and how patiently.
struct settings {
    std::string endpoint; ///< `https://host/path`
    std::string api_key;
    std::string run_field{};     ///< the field of the counts' model that fences their runs; empty: it has none
    std::string stack_pattern{}; ///< selects the stack whose tables' streams tell of changes, by a part of its name
    std::string ca_bundle{};     ///< a file of certificates to trust; empty: libcurl's own
    freshet::duration connect_timeout{std::chrono::seconds{3}};
    freshet::duration total_timeout{std::chrono::seconds{35}}; ///< of one attempt; AppSync itself takes up to 30 s
    /// Few and short: what drives an adapter has a retry plan of its own.
    freshet::retry_options retries{.retries = 2,
                                   .base = std::chrono::milliseconds{100},
                                   .throttled_base = std::chrono::milliseconds{500},
                                   .cap = std::chrono::seconds{2},
                                   .retry_failed = false};
};

/// `denied`, in one line without secrets, where no request can be made with these settings.
[[nodiscard]] inline auto check(const settings& given) -> freshet::result<void> {
    const auto refuse = [](std::string_view why) { return freshet::error{freshet::errc::denied, std::string{why}}; };
    const auto is_word = [](std::string_view text) {
        return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    };
    if (!is_word(given.api_key)) { return refuse("GraphQL API key: empty, or not a single word"); }
    const std::string_view url = given.endpoint;
    const auto scheme = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
    if (url.find_first_of("@?#") != std::string_view::npos) { // may be a password or a key
        return refuse("GraphQL endpoint: an address with a user, a query or a fragment");
    }
    if (scheme == 0) { return refuse("GraphQL endpoint: it does not begin with http:// or https://"); } // a key?
    if (!is_word(url.substr(scheme)) || url[scheme] == '/') {
        return refuse("GraphQL endpoint: '" + freshet::printable(url) + "' is not http[s]://host[:port][/path]");
    }
    constexpr std::string_view of_all_models[]{"accountId",    "compositeKey",  "count",           "complete",
                                               "createdAt",    "updatedAt",     "numberOfMinutes", "recordType",
                                               "timeRangeEnd", "timeRangeStart"};
    const auto& field = given.run_field;
    if (std::find(std::begin(of_all_models), std::end(of_all_models), field) != std::end(of_all_models) ||
        (!field.empty() && !detail::is_variable_name(field))) {
        return refuse("GraphQL field for a run's number: '" + freshet::printable(field, 60) +
                      "' is no name, or has another use");
    }
    return {};
}

/// How long a call takes at most, with all its attempts and the waits between them.
[[nodiscard]] inline auto longest_call(const settings& given) -> freshet::duration {
    return given.total_timeout * (given.retries.retries + 1) + given.retries.cap * given.retries.retries;
}

/// The settings that the environment says: `PLEXUS_API_URL` or else `GRAPHQL_ENDPOINT`, `PLEXUS_API_KEY` or else
/// `GRAPHQL_API_KEY`, `METRICS_RUN_FIELD`, and `AMPLIFY_STACK_PATTERN`.
///
/// A variable that is set to nothing is not set. What the environment does not say, under either name, is taken from
/// the file of variables, if one is named (`read_env_file`). What is missing then is `denied`, and all of it is named;
/// so is what `check` refuses.
[[nodiscard]] inline auto settings_from_environment(const std::optional<std::string>& env_file = {})
    -> freshet::result<settings> {
    env_variables in_file;
    if (env_file) {
        auto read = read_env_file(*env_file);
        if (!read) { return read.why(); }
        in_file = *std::move(read);
    }
    const auto first_of = [&](std::initializer_list<const char*> names) -> std::string {
        for (const auto* name : names) {
            const char* const value = std::getenv(name);
            if (value != nullptr && *value != '\0') { return value; }
        }
        for (const auto* name : names) {
            const auto found = in_file.find(name);
            if (found != in_file.end() && !found->second.empty()) { return found->second; }
        }
        return {};
    };
    settings made{.endpoint = first_of({"PLEXUS_API_URL", "GRAPHQL_ENDPOINT"}),
                  .api_key = first_of({"PLEXUS_API_KEY", "GRAPHQL_API_KEY"}),
                  .run_field = first_of({"METRICS_RUN_FIELD"}),
                  .stack_pattern = first_of({"AMPLIFY_STACK_PATTERN"})};
    std::string missing = made.endpoint.empty() ? "PLEXUS_API_URL (or GRAPHQL_ENDPOINT)" : "";
    if (made.api_key.empty()) {
        missing += (missing.empty() ? "" : ", ") + std::string{"PLEXUS_API_KEY (or GRAPHQL_API_KEY)"};
    }
    if (!missing.empty()) {
        return freshet::error{freshet::errc::denied,
                              "the environment says too little about the GraphQL API: not set: " + missing};
    }
    if (auto looked_at = check(made); !looked_at) { return std::move(looked_at).why(); }
    return made;
}

} // namespace adapters::graphql
