#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/sha256.hpp>

#include <support/http_server.hpp>

namespace fake_aws {

/// The keyed hash of a text (RFC 2104 with SHA-256).
[[nodiscard]] inline auto hmac_sha256(std::string_view key, std::string_view text) -> freshet::sha256_digest {
    std::array<char, 64> block{};
    if (key.size() > block.size()) {
        const auto digest = freshet::sha256_of(key);
        std::copy(digest.begin(), digest.end(), block.begin());
    } else {
        std::copy(key.begin(), key.end(), block.begin());
    }
    auto inner = block;
    auto outer = block;
    for (auto& c : inner) { c = static_cast<char>(c ^ 0x36); }
    for (auto& c : outer) { c = static_cast<char>(c ^ 0x5c); }
    const auto digest = freshet::sha256{}.update({inner.data(), inner.size()}).update(text).finish();
    return freshet::sha256{}.update({outer.data(), outer.size()}).update(std::as_bytes(std::span{digest})).finish();
}

/// The digest as lower-case hexadecimal text.
[[nodiscard]] inline auto hex_text(const freshet::sha256_digest& digest) -> std::string {
    const auto digits = freshet::hex(digest);
    return {digits.data(), digits.size()};
}

/// Where and when a signature is good for: `20150830/us-east-1/iam/aws4_request`.
struct signing_scope {
    std::string date, region, service;

    [[nodiscard]] auto text() const -> std::string { return date + '/' + region + '/' + service + "/aws4_request"; }
};

/// The key that signs within a scope, derived from the secret key of an account.
///
/// Source: AWS General Reference, "Create a signed AWS API request", step 4.
[[nodiscard]] inline auto signing_key(std::string_view secret_key, const signing_scope& scope)
    -> freshet::sha256_digest {
    const auto next = [](const freshet::sha256_digest& key, std::string_view text) {
        return hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()}, text);
    };
    auto key = hmac_sha256("AWS4" + std::string{secret_key}, scope.date);
    for (const std::string_view text : {scope.region, scope.service}) { key = next(key, text); }
    return next(key, "aws4_request");
}

/// Percent-encodes every byte that is neither unreserved (RFC 3986) nor in `kept`.
[[nodiscard]] inline auto percent_encoded(std::string_view text, std::string_view kept = {}) -> std::string {
    std::string out;
    for (const char c : text) {
        const auto alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (alphanumeric || std::string_view{"-._~"}.find(c) != std::string_view::npos ||
            kept.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(c);
        out += '%';
        out += "0123456789ABCDEF"[byte >> 4];
        out += "0123456789ABCDEF"[byte & 15];
    }
    return out;
}

/// Undoes percent-encoding; what is no escape stays as it is.
[[nodiscard]] inline auto percent_decoded(std::string_view text) -> std::string {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') { return c - '0'; }
        if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
            out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// The pieces of a text between the separators; one more than there are separators.
[[nodiscard]] inline auto pieces_of(std::string_view text, char separator) -> std::vector<std::string_view> {
    std::vector<std::string_view> pieces;
    for (;;) {
        const auto end = std::min(text.find(separator), text.size());
        pieces.push_back(text.substr(0, end));
        if (end == text.size()) { return pieces; }
        text.remove_prefix(end + 1);
    }
}

/// The path without `.`, `..` and doubled slashes, encoded once more than it was sent.
[[nodiscard]] inline auto canonical_path(std::string_view path) -> std::string {
    std::vector<std::string_view> kept;
    for (const auto piece : pieces_of(path, '/')) {
        if (piece == ".." && !kept.empty()) { kept.pop_back(); }
        if (!piece.empty() && piece != "." && piece != "..") { kept.push_back(piece); }
    }
    std::string out;
    for (const auto piece : kept) { out += '/' + percent_encoded(piece); }
    return out.empty() || path.ends_with('/') ? out + '/' : out;
}

/// The parameters sorted by name and then by value, each encoded exactly once.
[[nodiscard]] inline auto canonical_query(std::string_view query) -> std::string {
    std::vector<std::pair<std::string, std::string>> sorted;
    for (const auto piece : pieces_of(query, '&')) {
        if (piece.empty()) { continue; }
        const auto equals = std::min(piece.find('='), piece.size());
        const auto value = piece.substr(std::min(equals + 1, piece.size()));
        sorted.emplace_back(percent_encoded(percent_decoded(piece.substr(0, equals))),
                            percent_encoded(percent_decoded(value)));
    }
    std::sort(sorted.begin(), sorted.end());
    std::string out;
    for (const auto& [name, value] : sorted) { out += (out.empty() ? "" : "&") + name + '=' + value; }
    return out;
}

/// A header's value without blanks at its ends, and with one where several stood.
[[nodiscard]] inline auto canonical_value(std::string_view value) -> std::string {
    std::string out;
    for (const char c : value) {
        if (c != ' ' || (!out.empty() && out.back() != ' ')) { out += c; }
    }
    if (out.ends_with(' ')) { out.pop_back(); }
    return out;
}

/// What a signature is about: the request in the one form that client and server agree on.
///
/// `signed_headers` is the list of the Authorization header, as sent; repeated headers are joined by commas.
/// Source: AWS General Reference, "Create a signed AWS API request", step 1.
[[nodiscard]] inline auto canonical_request(const support::http_request& request, std::string_view signed_headers)
    -> std::string {
    const auto query = std::min(request.target.find('?'), request.target.size());
    const std::string_view target{request.target};
    auto out = request.method + '\n' + canonical_path(target.substr(0, query)) + '\n' +
               canonical_query(target.substr(std::min(query + 1, target.size()))) + '\n';
    for (const auto name : pieces_of(signed_headers, ';')) {
        out.append(name) += ':';
        auto separator = "";
        for (const auto& [sent, value] : request.headers) {
            if (sent == name) { out += std::exchange(separator, ",") + canonical_value(value); }
        }
        out += '\n';
    }
    return out.append("\n").append(signed_headers) + '\n' + hex_text(freshet::sha256_of(request.body));
}

/// What is signed: the digest of the canonical request with its time (`20150830T123600Z`) and scope.
[[nodiscard]] inline auto string_to_sign(std::string_view time, const signing_scope& scope,
                                         std::string_view canonical) -> std::string {
    return "AWS4-HMAC-SHA256\n" + std::string{time} + '\n' + scope.text() + '\n' +
           hex_text(freshet::sha256_of(canonical));
}

/// The signature of a text within a scope, in hexadecimal.
[[nodiscard]] inline auto signature_of(std::string_view to_sign, std::string_view secret_key,
                                       const signing_scope& scope) -> std::string {
    const auto key = signing_key(secret_key, scope);
    return hex_text(hmac_sha256({reinterpret_cast<const char*>(key.data()), key.size()}, to_sign));
}

} // namespace fake_aws
