#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/core/time.hpp>

#include <adapters/aws/settings.hpp>
#include <fake_aws/answer.hpp>
#include <fake_aws/authentication.hpp>
#include <fake_aws/batch_faults.hpp>
#include <fake_aws/dynamodb.hpp>
#include <fake_aws/faults.hpp>
#include <fake_aws/sqs.hpp>
#include <fake_aws/wire.hpp>
#include <support/http_server.hpp>

namespace fake_aws {

/// A user's key, a session's, and that of a session which is over: all of them known to a server by default.
[[nodiscard]] inline auto good_key() -> known_key { return {"AKIAFRESHETEXAMPLE01", "secret/of+the=user"}; }
[[nodiscard]] inline auto session_key() -> known_key {
    return {"ASIAFRESHETEXAMPLE02", "secret/of+the=session", "token/of+the=session//=="};
}
[[nodiscard]] inline auto expired_key() -> known_key {
    return {"ASIAFRESHETEXAMPLE03", "secret/of+the=past", "token/of+the=past//==", true};
}

struct server_options {
    std::uint16_t port{}; ///< 0: a free one
    std::string region{"us-east-1"};
    std::vector<known_key> keys{good_key(), session_key(), expired_key()};
    unsigned xml_percent{50}; ///< how many of the authentication errors come as XML
};

/// DynamoDB, its streams and SQS on one loopback endpoint: what passes the checks of signature and form goes to the
/// services, unless a fault is waiting for it.
///
/// Signatures are checked against the machine's time, since clients sign with it; the services live by `now`, which is
/// called by several threads.
class server {
public:
    explicit server(std::function<freshet::time_point()> now, server_options options = {});
    server(const server&) = delete;
    auto operator=(const server&) -> server& = delete;
    ~server();

    [[nodiscard]] auto endpoint() const -> std::string { return http_.endpoint(); }

    /// Settings with which a client is let in and waits little between retries.
    [[nodiscard]] auto settings() const -> adapters::aws::settings {
        const auto& key = options_.keys.front();
        adapters::aws::settings good{};
        good.region = options_.region;
        good.keys = {key.access_key, key.secret_key, key.session_token};
        good.endpoint = endpoint();
        good.retries.base = good.retries.throttled_base = good.retries.cap = std::chrono::milliseconds{2};
        return good;
    }

    [[nodiscard]] auto faults() -> fake_aws::faults& { return faults_; }
    [[nodiscard]] auto dynamodb() -> fake_aws::dynamodb& { return dynamodb_; }
    [[nodiscard]] auto sqs() -> fake_aws::sqs& { return sqs_; }

    /// How many requests came for an operation, whatever became of them.
    [[nodiscard]] auto requests(std::string_view operation) const -> std::size_t {
        const std::lock_guard lock{guard_};
        const auto found = requests_.find(operation);
        return found == requests_.end() ? 0 : found->second;
    }
    /// The same for all operations that were asked for.
    [[nodiscard]] auto requests() const -> std::map<std::string, std::size_t, std::less<>> {
        const std::lock_guard lock{guard_};
        return requests_;
    }
    /// How many connections were opened to the server.
    [[nodiscard]] auto connections() const -> std::size_t { return http_.connections(); }

    /// Ends the server; afterwards its endpoint is down.
    void stop() { http_.stop(); }

private:
    auto answered(const support::http_request& request) -> support::http_response {
        auto served_at = std::chrono::time_point_cast<freshet::duration>(std::chrono::system_clock::now());
        auto response = served(request, served_at);
        response.headers.emplace_back("Date", http_date(served_at));
        response.headers.emplace_back("x-amzn-RequestId", request_id());
        return response;
    }

    auto served(const support::http_request& request, freshet::time_point& at) -> support::http_response {
        const auto target = operation_target::read(request.header("x-amz-target"));
        if (request.method != "POST" || request.target != "/" || request.header("x-amz-target").empty() ||
            request.header("content-type") != "application/x-amz-json-1.0") {
            return {404, "<UnknownOperationException/>\n", {{"Content-Type", "text/xml"}}};
        }
        count(target ? target->operation : std::string{request.header("x-amz-target")});
        if (!target) { return json_response({}, unknown_operation()); }

        const auto body = nlohmann::json::parse(request.body, nullptr, false);
        const auto met = faults_.next(
            target->operation, [&](const fault& one) { return applies(one, target->operation, body); });
        if (met && met->kind == fault_kind::clock_skew) { at += met->span; }
        if (const auto refused = authentication_fault(request, rules(target->service, at, met))) {
            return authentication_response(*refused);
        }
        if (!body.is_object()) {
            return json_response(target->service, refusal("SerializationException",
                                                          "Start of structure or map found where not expected."));
        }
        return met ? with_fault(*met, *target, body) : json_response(target->service, done(*target, body));
    }

    auto with_fault(const fault& met, const operation_target& target, const nlohmann::json& body)
        -> support::http_response {
        const auto status = [&](int usual) { return met.status == 0 ? usual : met.status; };
        const auto name = [&](std::string_view usual) { return met.name.empty() ? std::string{usual} : met.name; };
        const auto of_sqs = target.service == service_name::sqs;
        if (met.done) { static_cast<void>(done(target, body)); }

        switch (met.kind) {
            case fault_kind::throttled:
                return json_response(target.service,
                                     refusal(name(of_sqs ? "RequestThrottled"
                                                         : "ProvisionedThroughputExceededException"),
                                             "The rate of requests exceeds the allowed throughput.", status(400)));
            case fault_kind::error_json:
                return json_response(target.service, refusal(name(of_sqs ? "InternalError" : "InternalServerError"),
                                                             "Internal server error", status(500)));
            case fault_kind::error_xml:
                return query_xml_response(name("ServiceUnavailable"), "Service is unable to handle request.",
                                          status(503));
            case fault_kind::error_empty:
                return {status(500), ""};
            case fault_kind::html:
                return html_response(status(200));
            case fault_kind::dropped: {
                support::http_response none{};
                none.dropped = true;
                return none;
            }
            case fault_kind::refused:
            case fault_kind::unprocessed:
                return json_response(target.service, without_chosen(met, body, [&](const nlohmann::json& rest) {
                                         return done(target, rest);
                                     }));
            case fault_kind::slow:
            case fault_kind::cut:
            case fault_kind::clock_skew: // within what is tolerated
            case fault_kind::expired:
                break;
        }
        auto response = json_response(target.service, done(target, body));
        if (met.kind == fault_kind::slow) { response.delay = met.span; }
        if (met.kind == fault_kind::cut) { response.cut_after = response.body.size() / 2; }
        return response;
    }

    auto done(const operation_target& target, const nlohmann::json& body) -> answer {
        return target.service == service_name::sqs ? sqs_.handle(target.operation, body)
                                                   : dynamodb_.handle(target.operation, body);
    }

    [[nodiscard]] static auto unknown_operation() -> answer {
        return {400, nlohmann::json{{"__type", "UnknownOperationException"}}};
    }

    [[nodiscard]] auto rules(service_name service, freshet::time_point at, const std::optional<fault>& met) const
        -> signature_rules {
        return {options_.keys, options_.region, service == service_name::sqs ? "sqs" : "dynamodb", at,
                met && met->kind == fault_kind::expired};
    }

    // Every so-many-th as XML, in turn in either of its two forms.
    auto authentication_response(const authentication_error& refused) -> support::http_response {
        const std::lock_guard lock{guard_};
        const auto before = authentication_errors_ * options_.xml_percent / 100;
        const auto after = ++authentication_errors_ * options_.xml_percent / 100;
        if (after == before) { return json_response({}, refusal(refused.name, refused.message)); }
        return after % 2 == 1 ? xml_response(refused.name, refused.message)
                              : query_xml_response(refused.name, refused.message);
    }

    void count(std::string operation) {
        const std::lock_guard lock{guard_};
        ++requests_[std::move(operation)];
    }

    [[nodiscard]] auto request_id() -> std::string {
        const std::lock_guard lock{guard_};
        auto digits = std::to_string(++request_ids_);
        return std::string(26 - digits.size(), '0') + digits;
    }

    server_options options_;
    fake_aws::faults faults_;
    fake_aws::dynamodb dynamodb_;
    fake_aws::sqs sqs_;
    mutable std::mutex guard_; // of what follows
    std::map<std::string, std::size_t, std::less<>> requests_;
    std::size_t authentication_errors_{};
    std::size_t request_ids_{};
    support::http_server http_; // the last: ends before what it serves
};

} // namespace fake_aws
