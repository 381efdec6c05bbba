#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/http.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

namespace adapters::graphql {

/// A field that the API did not fill, and why.
struct refused_field {
    std::string name; ///< as the answer has it: the field's alias, where it has one
    freshet::error why;
};

/// What the API answered: the fields of its data, and those that it refused, which are null there.
struct answer {
    nlohmann::json data;
    std::vector<refused_field> refused;
};

namespace detail {

[[nodiscard]] inline auto has_any(std::string_view text, std::initializer_list<std::string_view> words) -> bool {
    return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != text.npos; });
}

/// A text member; empty where there is none.
[[nodiscard]] inline auto text_member(const nlohmann::json& object, const char* name) -> std::string {
    if (!object.is_object()) { return {}; }
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// What a message means where its error has a type that is not known, or none: custom resolvers give none.
[[nodiscard]] inline auto reaction_to_message(std::string_view message) -> freshet::errc {
    using enum freshet::errc;
    if (message.starts_with("The conditional request failed")) { return conflict; }
    if (message.starts_with("Not Authorized")) { return denied; }
    if (message.starts_with("Validation error")) { return malformed; }
    return failed;
}

/// By the type's words: data sources put their own name before it, as in `DynamoDB:ConditionalCheckFailedException`.
/// `conflict` is a condition that did not hold, and nothing else: its callers take it for an answer.
[[nodiscard]] inline auto reaction_to(std::string_view type, std::string_view message) -> freshet::errc {
    using enum freshet::errc;
    if (has_any(type, {"Unauthorized", "AccessDenied", "Forbidden"})) { return denied; }
    if (has_any(type, {"Throttl", "Throughput", "LimitExceeded", "TooManyRequests"})) { return throttled; }
    if (has_any(type, {"ConditionalCheckFailed"})) { return conflict; }
    if (has_any(type, {"Validation", "Malformed", "BadRequest", "WrongType"})) { return malformed; }
    if (has_any(type, {"ExecutionTimeout", "ServiceUnavailable", "InternalServerError", "InternalFailure",
                       "TransactionConflict"})) {
        return unavailable;
    }
    return reaction_to_message(message);
}

[[nodiscard]] inline auto reaction_to(int status) -> freshet::errc {
    using enum freshet::errc;
    if (status == 429) { return throttled; }
    if (status >= 500 || status == 408) { return unavailable; }
    if (status == 400) { return malformed; }
    return status == 413 ? too_large : denied;
}

/// The first line of a text from outside, without the key.
[[nodiscard]] inline auto shown(std::string text, std::string_view secret) -> std::string {
    text.resize(std::min(text.find('\n'), text.size()));
    constexpr std::string_view instead = "...";
    for (auto at = text.find(secret); at != text.npos && !secret.empty(); at = text.find(secret, at + instead.size())) {
        text.replace(at, secret.size(), instead);
    }
    return freshet::printable(text, 300);
}

/// `Type: message` of one of the answer's errors.
[[nodiscard]] inline auto words_of(const nlohmann::json& error, std::string_view secret) -> std::string {
    const auto type = text_member(error, "errorType");
    const auto message = text_member(error, "message");
    return shown(type + (type.empty() || message.empty() ? "" : ": ") + message, secret);
}

} // namespace detail

/// What an answer over HTTP says. Pure.
///
/// An error with a path is the failure of the field that the path begins with; any other is the failure of all, as are
/// a status other than 200, data that are missing or null, and what is no JSON (`unavailable`: the outcome is unknown).
/// `place` begins the notes; what is quoted from the answer is one line and does not hold the `secret`.
///
/// Source: the GraphQL specification (October 2021), 7.1; AppSync's `errorType` beside each message.
[[nodiscard]] inline auto read_answer(const aws::http_response& from, std::string_view place, std::string_view secret)
    -> freshet::result<answer> {
    using freshet::errc;
    const auto fails = [&](errc code, const std::string& how) {
        return freshet::error{code, std::string{place} + ": " + how};
    };
    auto body =
        aws::detail::is_too_deep(from.body) ? nlohmann::json{} : nlohmann::json::parse(from.body, nullptr, false);
    const auto errors = body.is_object() ? body.value("errors", nlohmann::json{}) : nlohmann::json{};
    const bool erred = errors.is_array() && !errors.empty();
    if (from.status != 200) {
        const auto words = erred ? detail::words_of(errors.front(), secret) : std::string{};
        return fails(detail::reaction_to(from.status),
                     "answered " + std::to_string(from.status) + (words.empty() ? "" : ": ") + words);
    }
    if (!body.is_object()) { return fails(errc::unavailable, "the answer is no JSON object"); }
    answer made;
    if (const auto data = body.find("data"); data != body.end()) { made.data = std::move(*data); }
    for (std::size_t i = 0; erred && i != errors.size(); ++i) {
        const auto& error = errors[i];
        const auto why =
            fails(detail::reaction_to(detail::text_member(error, "errorType"), detail::text_member(error, "message")),
                  detail::words_of(error, secret));
        const auto path = error.is_object() ? error.find("path") : error.end();
        const bool placed = error.is_object() && path != error.end() && path->is_array() && !path->empty();
        if (!placed || !path->front().is_string() || !made.data.is_object()) { return why; }
        made.refused.push_back({path->front().get<std::string>(), why});
    }
    if (!made.data.is_object()) { return fails(errc::unavailable, "an answer without data"); }
    return made;
}

} // namespace adapters::graphql
