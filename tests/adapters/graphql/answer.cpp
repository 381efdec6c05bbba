#include <adapters/graphql/answer.hpp>

#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

using adapters::graphql::answer;
using adapters::graphql::read_answer;
using freshet::errc;

namespace {

[[nodiscard]] auto read(const std::string& body, int status = 200) -> freshet::result<answer> {
    auto made = read_answer({.status = status, .body = body}, "API", "da2-secret");
    if (!made) {
        CHECK(made.why().note.starts_with("API: "));
        CHECK(made.why().note.find("da2-secret") == std::string::npos);
        CHECK(made.why().note.find('\n') == std::string::npos);
    }
    return made;
}

[[nodiscard]] auto error_of(const std::string& type, const std::string& message) -> std::string {
    return R"({"data":null,"errors":[{"errorType":)" + (type.empty() ? "null" : '"' + type + '"') + R"(,"message":")" +
           message + R"("}]})";
}

} // namespace

TEST_CASE("data without errors are the answer") {
    const auto made = read(R"({"data":{"a":{"b":1},"c":null}})");
    REQUIRE(made.ok());
    CHECK(made->data["a"]["b"] == 1);
    CHECK(made->refused.empty());
    CHECK(read(R"({"data":{},"errors":[]})").ok());
    CHECK(read(R"({"data":{},"errors":null})").ok());
}

TEST_CASE("the status decides what a caller can do, and the first error says why") {
    const std::vector<std::tuple<int, errc>> reactions{
        {401, errc::denied},      {403, errc::denied},      {429, errc::throttled},   {500, errc::unavailable},
        {502, errc::unavailable}, {503, errc::unavailable}, {504, errc::unavailable}, {408, errc::unavailable},
        {413, errc::too_large},   {400, errc::malformed},   {404, errc::denied},      {302, errc::denied}};
    for (const auto& each : reactions) {
        const auto number = std::get<0>(each);
        const auto code = std::get<1>(each);
        CAPTURE(number);
        CHECK(read("<html>", number).why() == freshet::error{code, "API: answered " + std::to_string(number)});
        CHECK(read(error_of("SomeException", "no da2-secret here\\nsecond"), number).why() ==
              freshet::error{code, "API: answered " + std::to_string(number) + ": SomeException: no ... here"});
    }
}

TEST_CASE("an error's type decides what a caller can do") {
    const std::vector<std::tuple<std::string, std::string, errc>> reactions{
        {"Unauthorized", "Not Authorized to access x on type Query", errc::denied},
        {"UnauthorizedException", "You are not authorized to make this call.", errc::denied},
        {"ThrottlingException", "Rate exceeded", errc::throttled},
        {"DynamoDB:ProvisionedThroughputExceededException", "slow", errc::throttled},
        {"Lambda:TooManyRequestsException", "slow", errc::throttled},
        {"LambdaThrottle", "slow", errc::throttled},
        {"DynamoDB:ConditionalCheckFailedException", "The conditional request failed", errc::conflict},
        {"", "The conditional request failed (Service: DynamoDb, Status Code: 400)", errc::conflict},
        {"DynamoDB:TransactionConflictException", "Transaction is ongoing for the item", errc::unavailable},
        {"ConflictUnhandled", "Conflict resolver rejects mutation.", errc::failed},
        {"DynamoDB:ValidationException", "One or more parameter values were invalid", errc::malformed},
        {"ValidationError", "x", errc::malformed},
        {"", "Validation error of type FieldUndefined: Field 'x' in type 'Query' is undefined", errc::malformed},
        {"MalformedHttpRequestException", "x", errc::malformed},
        {"BadRequestException", "x", errc::malformed},
        {"ExecutionTimeout", "Execution timed out.", errc::unavailable},
        {"Lambda:Unhandled", "x", errc::failed},
        {"", "x", errc::failed}};
    for (const auto& each : reactions) {
        const auto& type = std::get<0>(each);
        const auto& message = std::get<1>(each);
        const auto code = std::get<2>(each);
        CAPTURE(type);
        CAPTURE(message);
        const auto made = read(error_of(type, message));
        REQUIRE(!made.ok());
        CHECK(made.why().code == code);
        CHECK(made.why().note == "API: " + type + (type.empty() ? "" : ": ") + message);
    }
}

TEST_CASE("a key that is a part of what stands for it is hidden once") {
    const auto made = read_answer({.status = 200, .body = error_of("", "a.b.")}, "API", ".");
    REQUIRE(!made.ok());
    CHECK(made.why().note == "API: a...b...");
}

TEST_CASE("an error with a path is its field's, and the others are there") {
    const auto made = read(R"({"data":{"m0":{"n":1},"m1":null},)"
                           R"("errors":[{"path":["m1","n"],"errorType":"ThrottlingException","message":"t"}]})");
    REQUIRE(made.ok());
    CHECK(made->data["m0"]["n"] == 1);
    REQUIRE(made->refused.size() == 1);
    CHECK(made->refused[0].name == "m1");
    CHECK(made->refused[0].why == freshet::error{errc::throttled, "API: ThrottlingException: t"});
    for (const auto* path : {"null", "[]", "[0]", "\"m1\""}) {
        const auto whole =
            read(R"({"data":{"m1":null},"errors":[{"path":)" + std::string{path} + R"(,"message":"t"}]})");
        CHECK(!whole.ok());
    }
}

TEST_CASE("what is no answer leaves the outcome open") {
    const auto deep = R"({"data":{"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}}";
    for (const auto& body : {std::string{}, std::string{"{"}, std::string{"<html>"}, std::string{"[]"},
                             std::string{"null"}, std::string{"{}"}, std::string{R"({"data":null})"},
                             std::string{R"({"data":[]})"}, std::string{R"({"data":{}} x)"}, deep}) {
        CAPTURE(body.substr(0, 40));
        const auto made = read(body);
        REQUIRE(!made.ok());
        CHECK(made.why().code == errc::unavailable);
    }
    for (const auto* errors : {"[null]", "[1]", "[{}]", R"([{"message":1,"errorType":{}}])"}) {
        CHECK(read(R"({"data":{},"errors":)" + std::string{errors} + "}").why().code == errc::failed);
    }
}
