#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

#include <adapters/aws/http.hpp>
#include <adapters/aws/known_errors.hpp>

namespace adapters::aws {

/// Which request an answer belongs to, for the line that a person reads.
struct request_place {
    std::string_view service;
    std::string_view operation;
    std::string_view endpoint;

    /// `DynamoDB PutItem at http://127.0.0.1:8000`
    [[nodiscard]] auto text() const -> std::string {
        return std::string{service}.append(" ").append(operation).append(" at ").append(endpoint);
    }
};

/// Why a service, or what answered in its place, did not do what it was asked.
struct service_error {
    freshet::error why;    ///< the reaction, and one line: the place, what it means, the name and the message
    std::string name{};    ///< the service's own, without prefix and suffix; empty where no service spoke
    std::string message{}; ///< the service's own, as it came
    bool again{};          ///< whether the same bytes may be sent again at once
    bool wrong_time{};     ///< whether the signature was refused for the caller's clock
};

namespace detail {

inline constexpr std::size_t shortest_secret = 8;

[[nodiscard]] inline auto holds_any(std::string_view text, std::initializer_list<std::string_view> words) -> bool {
    return std::any_of(words.begin(), words.end(),
                       [&](auto word) { return text.find(word) != std::string_view::npos; });
}

/// A name alone, of `com.amazonaws.dynamodb.v20120810#Name`, `Name:http://…`, `AWS.SimpleQueueService.Name;Sender`.
[[nodiscard]] inline auto bare_name(std::string_view name) -> std::string {
    name = name.substr(0, name.find_first_of(":;"));
    if (const auto hash = name.rfind('#'); hash != std::string_view::npos) { name.remove_prefix(hash + 1); }
    if (const auto dot = name.rfind('.'); dot != std::string_view::npos) { name.remove_prefix(dot + 1); }
    return freshet::printable(name, 100);
}

/// The text of the first element of this name; empty where there is none. No parser: error answers are flat.
[[nodiscard]] inline auto element(std::string_view xml, const std::string& name) -> std::string {
    const auto start = xml.find('<' + name + '>');
    if (start == std::string_view::npos) { return {}; }
    auto rest = xml.substr(start + name.size() + 2);
    rest = rest.substr(0, rest.find('<'));
    constexpr auto entities = std::to_array<std::pair<std::string_view, char>>({{"&lt;", '<'},
                                                                                {"&gt;", '>'},
                                                                                {"&quot;", '"'},
                                                                                {"&apos;", '\''},
                                                                                {"&#39;", '\''},
                                                                                {"&#xA;", '\n'},
                                                                                {"&amp;", '&'}});
    std::string text;
    while (!rest.empty()) {
        const auto entity = std::find_if(entities.begin(), entities.end(),
                                         [&](const auto& known) { return rest.starts_with(known.first); });
        text += entity == entities.end() ? rest.front() : entity->second;
        rest.remove_prefix(entity == entities.end() ? 1 : entity->first.size());
    }
    return text;
}

/// The name of the outermost element, after a declaration.
[[nodiscard]] inline auto root_of(std::string_view xml) -> std::string_view {
    if (const auto declared = xml.find("?>"); xml.starts_with("<?") && declared != std::string_view::npos) {
        xml.remove_prefix(declared + 2);
        xml.remove_prefix(std::min(xml.size(), xml.find_first_not_of(" \t\r\n")));
    }
    if (!xml.starts_with('<')) { return {}; }
    xml.remove_prefix(1);
    return xml.substr(0, xml.find_first_of(" />\t\r\n"));
}

/// What the service itself said; both empty where no service spoke.
struct spoken {
    std::string name{};
    std::string message{};
};

[[nodiscard]] inline auto read_json_error(std::string_view body) -> spoken {
    const auto parsed = nlohmann::json::parse(body, nullptr, false);
    if (!parsed.is_object()) { return {}; }
    const auto text_of = [&](std::initializer_list<const char*> keys) -> std::string {
        for (const auto* key : keys) {
            const auto found = parsed.find(key);
            if (found != parsed.end() && found->is_string()) { return found->get<std::string>(); }
        }
        return {};
    };
    return {bare_name(text_of({"__type", "code", "Code"})), text_of({"message", "Message"})};
}

[[nodiscard]] inline auto read_xml_error(std::string_view body) -> spoken {
    auto name = bare_name(element(body, "Code"));
    const auto root = root_of(body);
    if (name.empty() && (root.ends_with("Exception") || root.ends_with("Error"))) { name = bare_name(root); }
    if (name.empty()) { return {}; }
    auto message = element(body, "Message");
    return {std::move(name), message.empty() ? element(body, "message") : std::move(message)};
}

[[nodiscard]] inline auto read_spoken(const http_response& answer) -> spoken {
    std::string_view body = answer.body;
    body.remove_prefix(std::min(body.size(), body.find_first_not_of(" \t\r\n")));
    auto said = body.starts_with('{') ? read_json_error(body) : body.starts_with('<') ? read_xml_error(body) : spoken{};
    if (said.name.empty()) { said.name = bare_name(answer.header("x-amzn-errortype")); }
    if (said.name.empty()) { said.name = bare_name(answer.header("x-amzn-query-error")); }
    return said;
}

struct reaction {
    freshet::errc code;
    bool again;
    std::string_view meaning{};
    bool wrong_time{};
};

/// By status alone, where the name is unknown or there is none.
[[nodiscard]] inline auto reaction_to(int status) -> reaction {
    using enum freshet::errc;
    if (status == 429) { return {throttled, true}; }
    if (status >= 500 || status == 408) { return {unavailable, true}; }
    return {status == 413 ? too_large : denied, false};
}

/// By the reasons that stand in the message for each write.
[[nodiscard]] inline auto reaction_to_cancelled(std::string_view reasons) -> reaction {
    using enum freshet::errc;
    if (holds_any(reasons, {"ConditionalCheckFailed", "DuplicateItem"})) { return {conflict, false}; }
    if (holds_any(reasons, {"ValidationError"})) { return {malformed, false}; }
    if (holds_any(reasons, {"ItemCollectionSizeLimitExceeded"})) { return {too_large, false}; }
    if (holds_any(reasons, {"ThrottlingError", "ProvisionedThroughputExceeded"})) { return {throttled, true}; }
    return {conflict, holds_any(reasons, {"TransactionConflict"})};
}

[[nodiscard]] inline auto reaction_to(int status, std::string_view name, std::string_view message) -> reaction {
    using enum freshet::errc;
    if (name == "TransactionCanceledException") { return reaction_to_cancelled(message); }
    if (holds_any(name, {"Signature"}) && holds_any(message, {"Signature expired", "Signature not yet current"})) {
        return {denied, false, bad_clock, true};
    }
    if (holds_any(message, {"scoped to a valid region", "scoped to correct region"})) {
        return {denied, false, "wrong region"};
    }
    if (holds_any(message, {"scoped to correct service"})) { return {denied, false, no_service}; }
    const auto* known =
        std::find_if(known_errors.begin(), known_errors.end(), [&](const auto& entry) { return entry.name == name; });
    if (known == known_errors.end()) {
        if (holds_any(name, {"Throttl", "LimitExceeded", "TooManyRequests"})) { return {throttled, true}; }
        return holds_any(name, {"AccessDenied"}) ? reaction{denied, false, not_allowed} : reaction_to(status);
    }
    if (known->code == malformed) { // the services have one name for much that is wrong with a request
        if (holds_any(message, {"tem size has exceeded", "tem size to update has exceeded", "Too many items requested",
                                "length less than or equal to 25", "must be shorter than"})) {
            return {too_large, false};
        }
        if (holds_any(message, {"receipt handle has expired"})) { return {expired, false, delivery_over}; }
    }
    return {known->code, known->again == repeat::yes, known->meaning, known->meaning == bad_clock};
}

/// The message's first line, without what must not be shown: signature errors quote the request with its token.
[[nodiscard]] inline auto shown(std::string_view message, std::span<const std::string_view> secrets) -> std::string {
    std::string line{message.substr(0, std::min(message.find('\n'), message.find("The Canonical String")))};
    line.erase(line.find_last_not_of(" \t\r") + 1);
    for (const auto secret : secrets) {
        if (secret.size() < shortest_secret) { continue; }
        for (auto at = line.find(secret); at != std::string::npos; at = line.find(secret, at)) {
            line.replace(at, secret.size(), "...");
        }
    }
    return freshet::printable(line, 300);
}

/// What was answered where no service gave its error a name.
[[nodiscard]] inline auto unnamed(const http_response& answer, const request_place& where, std::string_view message,
                                  std::span<const std::string_view> secrets) -> std::string {
    const auto said = "answered " + std::to_string(answer.status);
    if (!message.empty()) { return said + ": " + shown(message, secrets); }
    const auto type = answer.header("content-type");
    const auto location = answer.header("location");
    const auto what = !location.empty()     ? "to go to " + shown(location, secrets)
                      : answer.body.empty() ? std::string{"with nothing"}
                      : type.empty()        ? std::string{"with text of no type"}
                                            : "with " + freshet::printable(type.substr(0, type.find(';')), 60);
    return (said + " " + what + ", which is no answer of ").append(where.service).append(": is a proxy in between?");
}

} // namespace detail

/// What an answer means that is not what was asked for. Pure.
///
/// The name decides, and the message where a name has several meanings; an unknown name, or none, leaves the status.
/// What no service said (a proxy's page, an empty body) is `unavailable` where the status is 5xx, and `denied` with
/// most others: somebody must look, and nothing is thrown away for it. The line holds none of the `secrets` of eight
/// bytes or more (shorter ones are words of a test).
[[nodiscard]] inline auto read_service_error(const http_response& answer, const request_place& where,
                                             std::span<const std::string_view> secrets = {}) -> service_error {
    auto [name, message] = detail::read_spoken(answer);
    const auto what =
        name.empty() ? detail::reaction_to(answer.status) : detail::reaction_to(answer.status, name, message);
    auto note = where.text() + ": ";
    if (name.empty()) {
        note += detail::unnamed(answer, where, message, secrets);
    } else {
        if (!what.meaning.empty()) { note.append(what.meaning).append(": "); }
        note += name;
        if (!message.empty()) { note += ": " + detail::shown(message, secrets); }
    }
    return {.why = {what.code, std::move(note)},
            .name = std::move(name),
            .message = std::move(message),
            .again = what.again,
            .wrong_time = what.wrong_time};
}

} // namespace adapters::aws
