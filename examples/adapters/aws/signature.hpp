#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/sha256.hpp>

#include <adapters/aws/settings.hpp>

namespace adapters::aws {

/// Header fields; the names in lower case, the values without blanks at their ends.
using header_fields = std::vector<std::pair<std::string, std::string>>;

namespace detail {

[[nodiscard]] inline auto bytes_of(const freshet::sha256_digest& digest) -> std::string {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

[[nodiscard]] inline auto hex_of(const freshet::sha256_digest& digest) -> std::string {
    const auto digits = freshet::hex(digest);
    return {digits.data(), digits.size()};
}

/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] inline auto keyed_hash(std::string key, std::string_view text) -> freshet::sha256_digest {
    constexpr std::size_t block = 64;
    if (key.size() > block) { key = bytes_of(freshet::sha256_of(key)); }
    key.resize(block);
    const auto padded = [&](char pad) {
        std::string out{key};
        for (auto& c : out) { c = static_cast<char>(c ^ pad); }
        return out;
    };
    const auto inner = freshet::sha256{}.update(padded(0x36)).update(text).finish();
    return freshet::sha256{}.update(padded(0x5c)).update(bytes_of(inner)).finish();
}

} // namespace detail

/// `20150830T123600Z`
[[nodiscard]] inline auto amz_date(std::int64_t epoch_seconds) -> std::string {
    const auto instant = static_cast<std::time_t>(epoch_seconds);
    std::tm parts{};
    gmtime_r(&instant, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts)};
}

/// The header fields with which a POST to `/` is signed as if it were that time: the given ones, with `host` among
/// them, and `x-amz-date`, `x-amz-security-token` and `authorization`.
///
/// For a machine whose clock is wrong. libcurl signs with the machine's time, or that of an `X-Amz-Date` header, which
/// up to 7.88 it then sends twice and signs once. Source: AWS General Reference, "Create a signed AWS API request".
[[nodiscard]] inline auto sign_for_time(header_fields fields, std::string_view body, const credentials& keys,
                                        std::string_view region, std::string_view service, std::int64_t epoch_seconds)
    -> header_fields {
    const auto time = amz_date(epoch_seconds);
    const auto day = time.substr(0, 8);
    fields.emplace_back("x-amz-date", time);
    if (!keys.session_token.empty()) { fields.emplace_back("x-amz-security-token", keys.session_token); }
    std::sort(fields.begin(), fields.end());
    std::string names;
    std::string request{"POST\n/\n\n"};
    for (const auto& [name, value] : fields) {
        names.append(names.empty() ? "" : ";").append(name);
        request.append(name).append(":").append(value).append("\n");
    }
    request.append("\n").append(names).append("\n").append(detail::hex_of(freshet::sha256_of(body)));

    std::string scope{day};
    scope.append("/").append(region).append("/").append(service).append("/aws4_request");
    auto key = "AWS4" + keys.secret_key;
    for (const auto part : {std::string_view{day}, region, service, std::string_view{"aws4_request"}}) {
        key = detail::bytes_of(detail::keyed_hash(std::move(key), part));
    }
    const auto to_sign =
        "AWS4-HMAC-SHA256\n" + time + '\n' + scope + '\n' + detail::hex_of(freshet::sha256_of(request));
    const auto signature = detail::hex_of(detail::keyed_hash(std::move(key), to_sign));
    fields.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=" + keys.access_key + '/' + scope +
                                             ", SignedHeaders=" + names + ", Signature=" + signature);
    return fields;
}

} // namespace adapters::aws
