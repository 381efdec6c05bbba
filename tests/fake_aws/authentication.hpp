#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>

#include <fake_aws/sigv4.hpp>
#include <support/http_server.hpp>

namespace fake_aws {

/// Credentials that a service knows; with a session token the request has to carry it.
struct known_key {
    std::string access_key, secret_key;
    std::string session_token{};
    bool expired{};
};

/// What a service demands of a request's signature.
struct signature_rules {
    std::vector<known_key> keys;
    std::string region, service;
    freshet::time_point now;
    bool all_expired{}; ///< whatever the keys say
};

/// Why a request is not let in: the exception's bare name and the service's own words.
struct authentication_error {
    std::string name, message;
};

/// The parts of `AWS4-HMAC-SHA256 Credential=…/…, SignedHeaders=…, Signature=…`.
struct authorization {
    std::string_view access_key, signed_headers, signature;
    signing_scope scope;

    /// Nothing where a part is missing.
    [[nodiscard]] static auto read(std::string_view header) -> std::optional<authorization> {
        constexpr std::string_view algorithm = "AWS4-HMAC-SHA256 ";
        if (!header.starts_with(algorithm)) { return std::nullopt; }
        authorization read;
        std::vector<std::string_view> credential;
        for (auto part : pieces_of(header.substr(algorithm.size()), ',')) {
            part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
            const auto equals = std::min(part.find('='), part.size());
            const auto value = part.substr(std::min(equals + 1, part.size()));
            if (part.starts_with("Credential=")) { credential = pieces_of(value, '/'); }
            if (part.starts_with("SignedHeaders=")) { read.signed_headers = value; }
            if (part.starts_with("Signature=")) { read.signature = value; }
        }
        if (credential.size() != 5 || credential[4] != "aws4_request") { return std::nullopt; }
        if (read.signed_headers.empty() || read.signature.empty()) { return std::nullopt; }
        read.access_key = credential[0];
        read.scope = {std::string{credential[1]}, std::string{credential[2]}, std::string{credential[3]}};
        return read;
    }
};

/// The instant as X-Amz-Date has it: `20150830T123600Z`.
[[nodiscard]] inline auto amz_date(freshet::time_point at) -> std::string {
    const auto text = freshet::format_rfc3339(std::chrono::floor<std::chrono::seconds>(at), 0);
    std::string out;
    for (const char c : text.value().view()) {
        if (c != '-' && c != ':') { out += c; }
    }
    return out;
}

/// Reads `20150830T123600Z`, and nothing looser.
[[nodiscard]] inline auto read_amz_date(std::string_view text) -> std::optional<freshet::time_point> {
    if (text.size() != 16) { return std::nullopt; }
    std::string plain{text};
    for (const auto& [place, mark] : {std::pair{13, ':'}, {11, ':'}, {6, '-'}, {4, '-'}}) {
        plain.insert(static_cast<std::size_t>(place), 1, mark);
    }
    const auto at = freshet::parse_rfc3339(plain);
    return at && plain.back() == 'Z' ? std::optional{at.value()} : std::nullopt;
}

/// Whether a service lets the request in; nothing means yes.
///
/// Names and texts are those of the services ("Common Errors" of the DynamoDB and SQS API references); clocks may
/// differ by 5 minutes.
[[nodiscard]] inline auto authentication_fault(const support::http_request& request, const signature_rules& rules)
    -> std::optional<authentication_error> {
    const auto refused = [](std::string_view name, std::string message) {
        return authentication_error{std::string{name}, std::move(message)};
    };
    const auto header = request.header("authorization");
    if (header.empty()) { return refused("MissingAuthenticationTokenException", "Missing Authentication Token"); }
    const auto given = authorization::read(header);
    const auto date = request.header("x-amz-date");
    const auto signed_at = read_amz_date(date);
    if (!given || !signed_at) {
        return refused("IncompleteSignatureException",
                       "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters and "
                       "existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=" + std::string{header});
    }

    const auto key = std::find_if(rules.keys.begin(), rules.keys.end(),
                                  [&](const known_key& one) { return one.access_key == given->access_key; });
    const auto token = request.header("x-amz-security-token");
    if (key == rules.keys.end() || key->session_token != token) {
        return refused("UnrecognizedClientException", "The security token included in the request is invalid.");
    }
    if (key->expired || rules.all_expired) {
        return refused("ExpiredTokenException", "The security token included in the request is expired");
    }

    const auto invalid = [&](std::string message) { return refused("InvalidSignatureException", std::move(message)); };
    if (given->scope.region != rules.region) {
        return invalid("Credential should be scoped to a valid region, not '" + given->scope.region + "'. ");
    }
    if (given->scope.service != rules.service) {
        return invalid("Credential should be scoped to correct service: '" + rules.service + "'. ");
    }
    if (given->scope.date != date.substr(0, 8)) {
        return invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
                       given->scope.date + "' != '" + std::string{date.substr(0, 8)} + "', from '" +
                       std::string{date} + "'.");
    }
    constexpr std::chrono::minutes tolerated{5};
    const auto now = amz_date(rules.now);
    if (*signed_at < rules.now - tolerated) {
        return invalid("Signature expired: " + std::string{date} + " is now earlier than " +
                       amz_date(rules.now - tolerated) + " (" + now + " - 5 min.)");
    }
    if (*signed_at > rules.now + tolerated) {
        return invalid("Signature not yet current: " + std::string{date} + " is still later than " +
                       amz_date(rules.now + tolerated) + " (" + now + " + 5 min.)");
    }

    const auto names = pieces_of(given->signed_headers, ';');
    const auto is_signed = [&](std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const std::string_view name : {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"}) {
        const auto sent = std::any_of(request.headers.begin(), request.headers.end(),
                                      [&](const auto& field) { return field.first == name; });
        if ((sent || name == "host") && !is_signed(name)) {
            return invalid("'" + std::string{name} + "' must be a 'SignedHeader' in the AWS Authorization.");
        }
    }
    for (const auto name : names) {
        const auto sent = std::any_of(request.headers.begin(), request.headers.end(),
                                      [&](const auto& field) { return field.first == name; });
        if (!sent) { return invalid("The signed header '" + std::string{name} + "' is not in the request."); }
    }
    if (!std::is_sorted(names.begin(), names.end())) {
        return invalid("The signed headers are not sorted: " + std::string{given->signed_headers});
    }

    const auto canonical = canonical_request(request, given->signed_headers);
    const auto to_sign = string_to_sign(date, given->scope, canonical);
    if (signature_of(to_sign, key->secret_key, given->scope) != given->signature) {
        return invalid("The request signature we calculated does not match the signature you provided. Check your AWS "
                       "Secret Access Key and signing method. Consult the service documentation for details.\n\n"
                       "The Canonical String for this request should have been\n'" + canonical +
                       "'\n\nThe String-to-Sign should have been\n'" + to_sign + "'\n");
    }
    return std::nullopt;
}

} // namespace fake_aws
