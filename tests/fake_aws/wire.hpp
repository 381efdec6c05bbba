#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/core/time.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/authentication.hpp>
#include <support/http_server.hpp>

namespace fake_aws {

/// The two services behind one endpoint.
enum class service_name { dynamodb, sqs };

/// An operation as X-Amz-Target names it.
struct operation_target {
    service_name service{};
    std::string operation;

    /// Nothing where the target is none of DynamoDB, DynamoDB Streams and SQS.
    [[nodiscard]] static auto read(std::string_view target) -> std::optional<operation_target> {
        const auto dot = std::min(target.find('.'), target.size());
        const auto prefix = target.substr(0, dot);
        const std::string operation{target.substr(std::min(dot + 1, target.size()))};
        if (prefix == "AmazonSQS") { return operation_target{service_name::sqs, operation}; }
        const auto of_streams = operation == "ListStreams" || operation == "DescribeStream" ||
                                operation == "GetShardIterator" || operation == "GetRecords";
        if (prefix != (of_streams ? "DynamoDBStreams_20120810" : "DynamoDB_20120810")) { return std::nullopt; }
        return operation_target{service_name::dynamodb, operation};
    }
};

/// What stands before an exception's bare name in `__type`.
[[nodiscard]] inline auto error_namespace(service_name service, std::string_view name) -> std::string_view {
    for (const std::string_view common :
         {"UnknownOperationException", "SerializationException", "AccessDeniedException",
          "IncompleteSignatureException", "MissingAuthenticationTokenException", "UnrecognizedClientException",
          "InvalidSignatureException", "ExpiredTokenException"}) {
        if (name == common) { return "com.amazon.coral.service#"; }
    }
    if (name == "ThrottlingException") { return "com.amazon.coral.availability#"; }
    if (service == service_name::sqs) { return "com.amazonaws.sqs#"; }
    return name == "ValidationException" ? "com.amazon.coral.validate#" : "com.amazonaws.dynamodb.v20120810#";
}

/// A service's answer as HTTP, in the JSON 1.0 protocol.
[[nodiscard]] inline auto json_response(service_name service, const answer& given) -> support::http_response {
    auto body = given.body;
    if (const auto type = body.find("__type"); type != body.end() && type->is_string()) {
        const auto name = type->get<std::string>();
        *type = std::string{error_namespace(service, name)} + name;
        // The services do not agree with themselves about the letter.
        const auto message = body.find("message");
        if (message != body.end() && (name == "SerializationException" || name == "AccessDeniedException")) {
            body["Message"] = *message;
            body.erase("message");
        }
    }
    return {given.status,
            body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
            {{"Content-Type", "application/x-amz-json-1.0"}}};
}

/// The text with XML's own characters as entities.
[[nodiscard]] inline auto xml_text(std::string_view text) -> std::string {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

/// An error in the XML of a front end that gave up before it knew the protocol: the exception is the root element.
[[nodiscard]] inline auto xml_response(std::string_view name, std::string_view message, int status = 400)
    -> support::http_response {
    const std::string element{name};
    return {status,
            '<' + element + ">\n  <Message>" + xml_text(message) + "</Message>\n</" + element + ">\n",
            {{"Content-Type", "text/xml"}}};
}

/// An error in the XML of the older query protocol, which has other names for some of the errors.
[[nodiscard]] inline auto query_xml_response(std::string_view name, std::string_view message, int status = 403)
    -> support::http_response {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> older{
        {{"MissingAuthenticationTokenException", "MissingAuthenticationToken"},
         {"IncompleteSignatureException", "IncompleteSignature"},
         {"UnrecognizedClientException", "InvalidClientTokenId"},
         {"InvalidSignatureException", "SignatureDoesNotMatch"},
         {"ExpiredTokenException", "ExpiredToken"}}};
    std::string code{name};
    for (const auto& [now, then] : older) {
        if (name == now) { code = then; }
    }
    return {status,
            "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>" +
                std::string{status < 500 ? "Sender" : "Receiver"} + "</Type><Code>" + code + "</Code><Message>" +
                xml_text(message) + "</Message><Detail/></Error><RequestId>00000000-0000-0000-0000-000000000000"
                "</RequestId></ErrorResponse>",
            {{"Content-Type", "text/xml"}}};
}

/// What a proxy says instead of the service.
[[nodiscard]] inline auto html_response(int status) -> support::http_response {
    return {status,
            "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head>\n"
            "<body><h1>Please accept the terms of use</h1></body></html>\n",
            {{"Content-Type", "text/html; charset=utf-8"}}};
}

/// The instant as the Date header has it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
[[nodiscard]] inline auto http_date(freshet::time_point at) -> std::string {
    const auto seconds = static_cast<std::time_t>(
        std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

} // namespace fake_aws
