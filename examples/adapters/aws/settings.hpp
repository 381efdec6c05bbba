#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/retry_plan.hpp>

namespace adapters::aws {

struct credentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token{}; ///< of temporary credentials; empty: none
};

/// What tells one service from another on the wire.
struct service {
    std::string_view signing_name;       ///< in the scope of a signature
    std::string_view endpoint_prefix;    ///< of the host name
    std::string_view target;             ///< before the operation in `X-Amz-Target`
    std::string_view environment_suffix; ///< after `AWS_ENDPOINT_URL_`

    /// The service's name for people: the target without the company and its version.
    [[nodiscard]] constexpr auto name() const noexcept -> std::string_view {
        const auto bare = target.substr(0, target.find('_'));
        return bare.starts_with("Amazon") ? bare.substr(6) : bare;
    }
};

inline constexpr service dynamodb{"dynamodb", "dynamodb", "DynamoDB_20120810", "DYNAMODB"};
inline constexpr service dynamodb_streams{"dynamodb", "streams.dynamodb", "DynamoDBStreams_20120810",
                                          "DYNAMODB_STREAMS"};
inline constexpr service sqs{"sqs", "sqs", "AmazonSQS", "SQS"};

/// Where the services are, who asks, and how patiently.
struct settings {
    std::string region;
    credentials keys;
    std::string endpoint{};                                      ///< `http://host:port`; empty: the region's own
    std::map<std::string, std::string, std::less<>> endpoints{}; ///< by `environment_suffix`; wins over `endpoint`
    std::string ca_bundle{}; ///< a file of certificates to trust; empty: libcurl's own
    freshet::duration connect_timeout{std::chrono::seconds{3}};
    freshet::duration total_timeout{std::chrono::seconds{10}}; ///< of one attempt
    /// Few and short: what drives an adapter has a retry plan of its own.
    freshet::retry_options retries{.retries = 2,
                                   .base = std::chrono::milliseconds{50},
                                   .throttled_base = std::chrono::milliseconds{200},
                                   .cap = std::chrono::seconds{2},
                                   .retry_failed = false};
};

/// The address that a service's requests go to, without a path (AWS General Reference, "AWS service endpoints").
[[nodiscard]] inline auto endpoint_of(const settings& from, const service& of) -> std::string {
    const auto own = from.endpoints.find(of.environment_suffix);
    auto url = own != from.endpoints.end() && !own->second.empty() ? own->second : from.endpoint;
    if (url.empty()) {
        url = "https://";
        url.append(of.endpoint_prefix).append(".").append(from.region).append(".amazonaws.com");
        if (from.region.starts_with("cn-")) { url += ".cn"; }
    }
    if (url.ends_with('/')) { url.pop_back(); }
    return url;
}

namespace detail {

[[nodiscard]] inline auto all_of_text(std::string_view text, auto&& is) -> bool {
    return !text.empty() && std::all_of(text.begin(), text.end(), is);
}

/// Whether a text can be part of a header's line.
[[nodiscard]] inline auto is_word(std::string_view text) -> bool {
    return all_of_text(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

/// Whether an address is `http://host` or `https://host`, perhaps with a port and a last slash, and nothing else.
[[nodiscard]] inline auto is_endpoint(std::string_view url) -> bool {
    const auto scheme = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
    if (scheme == 0) { return false; }
    url.remove_prefix(scheme);
    if (url.ends_with('/')) { url.remove_suffix(1); }
    return all_of_text(url, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
    });
}

} // namespace detail

/// `denied`, in one line without secrets, where no request can be made with these settings.
///
/// Requests go to the path `/` alone, so that an endpoint may not have another, nor a user, nor a query.
[[nodiscard]] inline auto check(const settings& given) -> freshet::result<void> {
    const auto refuse = [](std::string why) { return freshet::error{freshet::errc::denied, std::move(why)}; };
    const auto is_region_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    if (!detail::all_of_text(given.region, is_region_letter) || given.region.size() > 40) {
        return refuse("AWS region: '" + freshet::printable(given.region, 40) + "' is no region's name");
    }
    const auto& keys = given.keys;
    if (!detail::is_word(keys.access_key)) { return refuse("AWS access key id: empty, or not a single word"); }
    if (!detail::is_word(keys.secret_key)) { return refuse("AWS secret access key: empty, or not a single word"); }
    if (!keys.session_token.empty() && !detail::is_word(keys.session_token)) {
        return refuse("AWS session token: not a single word");
    }
    const auto check_endpoint = [&](const std::string& url, std::string_view of) -> freshet::result<void> {
        if (url.empty() || detail::is_endpoint(url)) { return {}; }
        // what stands before an @ may be a password
        const auto shown = url.find('@') == std::string::npos ? freshet::printable(url) : "an address with a user";
        return refuse("AWS endpoint" + std::string{of} + ": '" + shown + "' is not http[s]://host[:port]");
    };
    if (auto looked_at = check_endpoint(given.endpoint, ""); !looked_at) { return looked_at; }
    for (const auto& [suffix, url] : given.endpoints) {
        if (auto looked_at = check_endpoint(url, " of " + freshet::printable(suffix)); !looked_at) { return looked_at; }
    }
    return {};
}

/// The settings that AWS's own tools read: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
/// `AWS_REGION` or else `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_CA_BUNDLE`.
///
/// A variable that is set to nothing is not set. What is missing is `denied`, and all of it is named; so is what
/// `check` refuses. No files are read, and no other source of credentials is asked (AWS SDKs and Tools Reference
/// Guide, "Environment variables").
[[nodiscard]] inline auto settings_from_environment() -> freshet::result<settings> {
    const auto read = [](const std::string& name) -> std::string {
        const char* const value = std::getenv(name.c_str());
        return value == nullptr ? std::string{} : std::string{value};
    };
    settings made{.region = read("AWS_REGION"),
                  .keys = {read("AWS_ACCESS_KEY_ID"), read("AWS_SECRET_ACCESS_KEY"), read("AWS_SESSION_TOKEN")},
                  .endpoint = read("AWS_ENDPOINT_URL"),
                  .ca_bundle = read("AWS_CA_BUNDLE")};
    if (made.region.empty()) { made.region = read("AWS_DEFAULT_REGION"); }
    for (const auto* of : {&dynamodb, &dynamodb_streams, &sqs}) {
        auto url = read("AWS_ENDPOINT_URL_" + std::string{of->environment_suffix});
        if (!url.empty()) { made.endpoints.emplace(of->environment_suffix, std::move(url)); }
    }
    std::string missing;
    const auto need = [&](const std::string& value, std::string_view name) {
        if (value.empty()) { missing.append(missing.empty() ? "" : ", ").append(name); }
    };
    need(made.keys.access_key, "AWS_ACCESS_KEY_ID");
    need(made.keys.secret_key, "AWS_SECRET_ACCESS_KEY");
    need(made.region, "AWS_REGION (or AWS_DEFAULT_REGION)");
    if (!missing.empty()) {
        return freshet::error{freshet::errc::denied, "the environment says too little about AWS: not set: " + missing};
    }
    if (auto looked_at = check(made); !looked_at) { return std::move(looked_at).why(); }
    return made;
}

} // namespace adapters::aws
