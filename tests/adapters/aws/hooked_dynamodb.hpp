#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/settings.hpp>
#include <fake_aws/answer.hpp>
#include <fake_aws/dynamodb.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/http_server.hpp>

/// A DynamoDB on loopback that shows a test every request before it is done, and lets the test come between.
class hooked_dynamodb {
public:
    using json = nlohmann::json;
    /// What comes first; an answer goes back in place of the service's.
    using hook = std::function<std::optional<fake_aws::answer>(std::string_view operation, const json& request)>;

    hooked_dynamodb() = default;

    [[nodiscard]] auto client() const -> const adapters::aws::client& { return client_; }
    [[nodiscard]] auto clock() -> freshet::testing::manual_clock& { return clock_; }

    void before(hook first) {
        const std::scoped_lock lock{guard_};
        first_ = std::move(first);
    }

    /// The requests that came since this was last asked.
    [[nodiscard]] auto requests() -> std::vector<std::pair<std::string, json>> {
        const std::scoped_lock lock{guard_};
        return std::exchange(requests_, {});
    }
    /// The same, their operations alone, with a blank behind each.
    [[nodiscard]] auto operations() -> std::string {
        std::string all;
        for (const auto& [operation, request] : requests()) { all += operation + ' '; }
        return all;
    }

private:
    [[nodiscard]] auto answered(const support::http_request& request) -> support::http_response {
        const auto target = request.header("x-amz-target");
        const auto operation = target.substr(target.find('.') + 1);
        const auto body = json::parse(request.body);
        hook first;
        {
            const std::scoped_lock lock{guard_};
            requests_.emplace_back(operation, body);
            first = first_;
        }
        auto answer = first ? first(operation, body) : std::nullopt;
        if (!answer) { answer = service_.handle(operation, body); }
        return {answer->status, answer->body.dump(), {{"Content-Type", "application/x-amz-json-1.0"}}};
    }

    freshet::testing::manual_clock clock_;
    fake_aws::dynamodb service_{[this] { return clock_.now(); }};
    std::mutex guard_; // of what follows
    hook first_;
    std::vector<std::pair<std::string, json>> requests_;
    support::http_server server_{[this](const support::http_request& request) { return answered(request); }};
    adapters::aws::client client_{adapters::aws::settings{
        .region = "us-east-1", .keys = {"AKIDEXAMPLE", "secret", ""}, .endpoint = server_.endpoint()}};
};
