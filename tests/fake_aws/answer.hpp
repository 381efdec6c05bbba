#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace fake_aws {

/// What a service answers to one operation, before it becomes HTTP.
struct answer {
    int status{200};
    nlohmann::json body = nlohmann::json::object();

    [[nodiscard]] auto ok() const -> bool { return status == 200; }
};

/// A refusal by the service's own bare name ("ConditionalCheckFailedException"); the server adds the namespace that
/// stands before it on the wire.
[[nodiscard]] inline auto refusal(std::string_view name, std::string_view message, int status = 400) -> answer {
    nlohmann::json body = nlohmann::json::object();
    body["__type"] = std::string{name};
    body["message"] = std::string{message};
    return {status, std::move(body)};
}

} // namespace fake_aws
