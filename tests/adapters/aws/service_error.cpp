#include <adapters/aws/service_error.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using adapters::aws::http_response;
using adapters::aws::read_service_error;
using adapters::aws::service_error;
using freshet::errc;

namespace {

constexpr adapters::aws::request_place put{"DynamoDB", "PutItem", "http://127.0.0.1:8000"};

auto json_answer(std::string_view type, std::string_view message, int status = 400) -> http_response {
    return {status,
            {{"Content-Type", "application/x-amz-json-1.0"}},
            nlohmann::json{{"__type", type}, {"message", message}}.dump()};
}

/// The reading of an answer; its note is one bounded line that begins with the place.
auto reading(const http_response& answer) -> service_error {
    auto read = read_service_error(answer, put);
    CAPTURE(read.why.note);
    CHECK(read.why.note.starts_with("DynamoDB PutItem at http://127.0.0.1:8000: "));
    CHECK(read.why.note.find('\n') == std::string::npos);
    CHECK(read.why.note.size() < 700);
    return read;
}

auto note_of(const http_response& answer) -> std::string {
    return reading(answer).why.note.substr(put.text().size() + 2);
}

struct expectation {
    std::string_view name;
    errc code;
    bool again{};
};

} // namespace

TEST_CASE("each name has the reaction that helps, and only what may pass by itself is repeated") {
    using enum errc;
    for (const auto& expected : {
             expectation{"ThrottlingException", throttled, true},
             expectation{"ProvisionedThroughputExceededException", throttled, true},
             expectation{"RequestLimitExceeded", throttled, true},
             expectation{"RequestThrottled", throttled, true},
             expectation{"LimitExceededException", throttled, true},
             expectation{"TooManyRequestsException", throttled, true},
             expectation{"KmsThrottled", throttled, true},
             expectation{"OverLimit", throttled, true},
             expectation{"SomeNewThrottlingOfSomething", throttled, true},
             expectation{"InternalServerError", unavailable, true},
             expectation{"InternalFailure", unavailable, true},
             expectation{"InternalError", unavailable, true},
             expectation{"ServiceUnavailable", unavailable, true},
             expectation{"ConditionalCheckFailedException", conflict},
             expectation{"TransactionConflictException", conflict, true},
             expectation{"ReplicatedWriteConflictException", conflict, true},
             expectation{"ResourceInUseException", conflict},
             expectation{"QueueNameExists", conflict},
             expectation{"ValidationException", malformed},
             expectation{"SerializationException", malformed},
             expectation{"InvalidMessageContents", malformed},
             expectation{"ReceiptHandleIsInvalid", malformed},
             expectation{"BatchEntryIdsNotDistinct", malformed},
             expectation{"EmptyBatchRequest", malformed},
             expectation{"BatchRequestTooLong", too_large},
             expectation{"TooManyEntriesInBatchRequest", too_large},
             expectation{"ItemCollectionSizeLimitExceededException", too_large},
             expectation{"UnrecognizedClientException", denied},
             expectation{"InvalidSignatureException", denied},
             expectation{"SignatureDoesNotMatch", denied},
             expectation{"ExpiredTokenException", denied},
             expectation{"MissingAuthenticationToken", denied},
             expectation{"AccessDenied", denied},
             expectation{"AccessDeniedException", denied},
             expectation{"SomeNewAccessDeniedThing", denied},
             expectation{"InvalidClientTokenId", denied},
             expectation{"IncompleteSignature", denied},
             expectation{"ResourceNotFoundException", denied},
             expectation{"QueueDoesNotExist", denied},
             expectation{"AWS.SimpleQueueService.NonExistentQueue", denied},
             expectation{"UnknownOperationException", denied},
             expectation{"InvalidAddress", denied},
             expectation{"SomethingNeverHeardOf", denied},
             expectation{"ExpiredIteratorException", expired},
             expectation{"TrimmedDataAccessException", expired},
             expectation{"MessageNotInflight", expired},
         }) {
        CAPTURE(expected.name);
        const auto read = reading(json_answer(expected.name, "some words"));
        CHECK(read.why.code == expected.code);
        CHECK(read.again == expected.again);
        CHECK(!read.wrong_time);
        CHECK(read.message == "some words");
        CHECK(read.why.note.find(read.name + ": some words") != std::string::npos);
    }
    CHECK(reading(json_answer("SomethingNeverHeardOf", "", 500)).why.code == unavailable);
    CHECK(reading(json_answer("SomethingNeverHeardOf", "", 500)).again);
    CHECK(reading(json_answer("SomethingNeverHeardOf", "", 429)).why.code == throttled);
    CHECK(reading(json_answer("SomethingNeverHeardOf", "", 413)).why.code == too_large);
}

TEST_CASE("no name is listed twice") {
    const auto& all = adapters::aws::detail::known_errors;
    for (auto one = all.begin(); one != all.end(); ++one) {
        CAPTURE(one->name);
        CHECK(std::none_of(all.begin(), one, [&](const auto& before) { return before.name == one->name; }));
    }
}

TEST_CASE("the name is found with a namespace and without, in the body and in headers, and comes bare") {
    const std::string name = "QueueDoesNotExist";
    const auto json = [](std::string body, std::string header = {}, std::string value = {}) {
        return http_response{400, {{std::move(header), std::move(value)}}, std::move(body)};
    };
    for (const auto& answer : {
             json(R"({"__type":"QueueDoesNotExist"})"),
             json(R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"})"),
             json(R"(  {"__type":"com.amazonaws.sqs#QueueDoesNotExist","Message":"m"})"),
             json(R"({"code":"QueueDoesNotExist"})"),
             json(R"({"message":"m"})", "X-Amzn-ErrorType", "QueueDoesNotExist:http://internal.amazon.com/coral/"),
             json(R"({})", "x-amzn-query-error", "AWS.SimpleQueueService.QueueDoesNotExist;Sender"),
             json("", "x-amzn-errortype", "QueueDoesNotExist"),
             json("{cut", "x-amzn-errortype", "QueueDoesNotExist"),
             json("<ErrorResponse><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.QueueDoesNotExist</Code>"
                  "<Message>m</Message></Error></ErrorResponse>"),
             json("<QueueDoesNotExist/>", "x-amzn-errortype", "QueueDoesNotExist"),
         }) {
        CAPTURE(answer.body);
        CHECK(reading(answer).name == name);
        CHECK(reading(answer).why.code == errc::denied);
    }
    CHECK(reading(json(R"({"__type":7,"message":[]})")).name.empty());
}

TEST_CASE("an authentication error in XML is read as its like in JSON") {
    const auto xml = [](std::string body, int status = 403) {
        return http_response{status, {{"Content-Type", "text/xml"}}, std::move(body)};
    };
    CHECK(note_of(xml("<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">"
                      "<Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The security token included "
                      "in the request is &lt;invalid&gt; &amp;quot;.</Message></Error></ErrorResponse>")) ==
          "the credentials are not accepted: InvalidClientTokenId: The security token included in the request is "
          "<invalid> &quot;.");
    CHECK(note_of(xml("<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be "
                      "authorized</Message>\n</AccessDeniedException>\n")) ==
          "not allowed with these credentials: AccessDeniedException: Unable to determine service/operation name to be "
          "authorized");
    CHECK(note_of(xml("<UnknownOperationException/>\n", 404)) ==
          "another service answers there: UnknownOperationException");
    const auto busy =
        reading(xml("<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>", 503));
    CHECK(busy.why.code == errc::unavailable);
    CHECK(busy.again);
}

TEST_CASE("what a person must change is said first") {
    CHECK(note_of(json_answer("com.amazon.coral.service#UnrecognizedClientException",
                              "The security token included in the request is invalid.")) ==
          "the credentials are not accepted: UnrecognizedClientException: The security token included in the request "
          "is invalid.");
    CHECK(note_of(json_answer("ExpiredTokenException", "The security token included in the request is expired")) ==
          "the session token has expired: ExpiredTokenException: The security token included in the request is "
          "expired");
    CHECK(note_of(json_answer("InvalidSignatureException",
                              "Credential should be scoped to a valid region, not 'eu-west-9'. ")) ==
          "wrong region: InvalidSignatureException: Credential should be scoped to a valid region, not 'eu-west-9'.");
    CHECK(note_of(json_answer("ResourceNotFoundException", "Requested resource not found: Table: x not found")) ==
          "there is no such table or stream in this region: ResourceNotFoundException: Requested resource not found: "
          "Table: x not found");
    CHECK(note_of(json_answer("QueueDoesNotExist", "The specified queue does not exist.")) ==
          "there is no such queue in this region: QueueDoesNotExist: The specified queue does not exist.");
}

TEST_CASE("an answer that no service gave is the proxy's: 5xx passes by itself, anything else needs a person") {
    const http_response page{200, {{"content-type", "text/html; charset=utf-8"}}, "<!DOCTYPE html><html>\n</html>"};
    CHECK(note_of(page) == "answered 200 with text/html, which is no answer of DynamoDB: is a proxy in between?");
    CHECK(reading(page).why.code == errc::denied);
    CHECK(reading(page).name.empty());
    const http_response gateway{502, {{"Content-Type", "text/html"}}, "<html><Message>x</Message></html>"};
    CHECK(reading(gateway).why.code == errc::unavailable);
    CHECK(reading(gateway).again);
    const http_response nothing{500, {}, ""};
    CHECK(note_of(nothing) == "answered 500 with nothing, which is no answer of DynamoDB: is a proxy in between?");
    CHECK(reading(nothing).again);
    const http_response moved{302, {{"Location", "http://login.example/\x1b[2J"}}, "<html>"};
    CHECK(note_of(moved) ==
          "answered 302 to go to http://login.example/\\x1b[2J, which is no answer of DynamoDB: is a "
          "proxy in between?");
    CHECK(reading(moved).why.code == errc::denied);
    CHECK(reading({413, {}, "<html>"}).why.code == errc::too_large);
    CHECK(reading({429, {}, "slow down"}).why.code == errc::throttled);
    CHECK(reading({403, {}, "plain"}).why.code == errc::denied);
    CHECK(note_of({504, {}, R"({"message":"Endpoint request timed out"})"}) ==
          "answered 504: Endpoint request timed out");
}

TEST_CASE("a name with several meanings is judged by its message") {
    using enum errc;
    const auto code = [](std::string_view name, std::string_view message) {
        return reading(json_answer(name, message)).why.code;
    };
    CHECK(code("ValidationException", "Item size has exceeded the maximum allowed size") == too_large);
    CHECK(code("ValidationException", "Item size to update has exceeded the maximum allowed size") == too_large);
    CHECK(code("ValidationException", "Too many items requested for the BatchWriteItem call") == too_large);
    CHECK(code("ValidationException",
               "One or more parameter values were invalid: Size of hashkey has exceeded the "
               "maximum size limit of2048 bytes") == malformed);
    CHECK(code("InvalidParameterValue",
               "One or more parameters are invalid. Reason: Message must be shorter than "
               "1048576 bytes.") == too_large);
    CHECK(code("InvalidParameterValue",
               "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle "
               "has expired.") == expired);

    const auto cancelled = [](std::string_view reasons) {
        return reading(json_answer("TransactionCanceledException",
                                   "Transaction cancelled, please refer cancellation "
                                   "reasons for specific reasons " +
                                       std::string{reasons}));
    };
    CHECK(cancelled("[None, ConditionalCheckFailed]").why.code == conflict);
    CHECK(!cancelled("[TransactionConflict, ConditionalCheckFailed]").again);
    CHECK(cancelled("[TransactionConflict, None]").why.code == conflict);
    CHECK(cancelled("[TransactionConflict, None]").again);
    CHECK(cancelled("[ThrottlingError]").why.code == throttled);
    CHECK(cancelled("[ValidationError]").why.code == malformed);
}

TEST_CASE("a signature refused for the time is told from one that is wrong") {
    const auto wrong_time = [](std::string_view name, std::string_view message) {
        const auto read = reading(json_answer(name, message));
        CHECK(read.why.code == errc::denied);
        CHECK(!read.again);
        return read.wrong_time;
    };
    CHECK(wrong_time("InvalidSignatureException", "Signature expired: 20240101T000000Z is now earlier than ..."));
    CHECK(wrong_time("SignatureDoesNotMatch", "Signature not yet current: 20240101T000000Z is still later than ..."));
    CHECK(wrong_time("RequestTimeTooSkewed", "The difference between the request time and ..."));
    CHECK(wrong_time("RequestExpired", "Request has expired."));
    CHECK(!wrong_time("InvalidSignatureException", "The request signature we calculated does not match"));
    CHECK(!wrong_time("ExpiredTokenException", "The security token included in the request is expired"));
}

TEST_CASE("the line shows neither the secrets nor the request that a signature error quotes") {
    constexpr std::string_view token = "token/of+somebody==";
    const std::array<std::string_view, 3> secrets{"secret-key-of-somebody", token, ""};
    auto answer = json_answer("InvalidSignatureException",
                              "The request signature we calculated does not match. "
                              "The Canonical String for this request should have been");
    CHECK(read_service_error(answer, put, secrets).why.note.ends_with("does not match."));
    answer = json_answer("AccessDenied", "no token/of+somebody==, nor secret-key-of-somebody\nx-amz-security-token:x");
    const auto note = read_service_error(answer, put, secrets).why.note;
    CHECK(note.ends_with("AccessDenied: no ..., nor ..."));
    answer = json_answer("AccessDenied", std::string(280, 'x') + std::string{token} + std::string(5000, 'y'));
    const auto cut = read_service_error(answer, put, secrets).why.note;
    CHECK(cut.find("token") == std::string::npos);
    CHECK(cut.size() < 500);
}
