#include <adapters/aws/client.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fake_aws/authentication.hpp>
#include <fake_aws/server.hpp>
#include <fake_aws/wire.hpp>
#include <support/http_server.hpp>

using adapters::aws::client;
using adapters::aws::dynamodb;
using adapters::aws::reply;
using adapters::aws::settings;
using adapters::aws::sqs;
using freshet::errc;
using support::http_request;
using support::http_response;
using support::http_server;

namespace {

const fake_aws::known_key user{"AKIAFRESHETEXAMPLE01", "secret/of+the=user"};
const fake_aws::known_key session{"ASIAFRESHETEXAMPLE02", "secret/of+the=session", "token/of+the=session//=="};

auto settings_for(const std::string& endpoint, const fake_aws::known_key& key = user) -> settings {
    settings made{
        .region = "us-east-1", .keys = {key.access_key, key.secret_key, key.session_token}, .endpoint = endpoint};
    made.retries.base = made.retries.throttled_base = made.retries.cap = std::chrono::milliseconds{1};
    return made;
}

auto wall() -> freshet::time_point { return freshet::wall_clock{}.now(); }

auto rules(std::string service, freshet::time_point now = wall()) -> fake_aws::signature_rules {
    return {{user, session}, "us-east-1", std::move(service), now};
}

auto json(int status, std::string body) -> http_response {
    return {status, std::move(body), {{"Content-Type", "application/x-amz-json-1.0"}}};
}

auto refused(std::string_view name, std::string_view message = "some words", int status = 400) -> http_response {
    return json(status, fake_aws::refusal(name, message, status).body.dump());
}

auto good() -> http_response { return json(200, "{}"); }

/// The answer is this failure, in one line that names the call and has these words, and nothing secret.
void fails(const reply& answer, errc code, const std::string& words) {
    REQUIRE(!answer.body.ok());
    const auto& why = answer.body.why();
    CAPTURE(why.note);
    CHECK(why.code == code);
    CHECK(why.note.starts_with("DynamoDB PutItem at http"));
    CHECK(why.note.find(words) != std::string::npos);
    CHECK(why.note.find('\n') == std::string::npos);
    CHECK(why.note.size() < 700);
    CHECK(why.note.find("of+the") == std::string::npos);
}

/// How often a request is made that is answered so every time, and its last answer.
auto tries(const http_response& answer) -> std::pair<std::size_t, reply> {
    http_server server{[&](const http_request&) { return answer; }};
    auto last = client{settings_for(server.endpoint())}.call(dynamodb, "PutItem", "{}");
    return {server.requests(), std::move(last)};
}

} // namespace

TEST_CASE("a request is signed for its service, as the published rules have it") {
    std::optional<http_request> seen;
    http_server server{[&](const http_request& asked) {
        seen = asked;
        return good();
    }};
    for (const auto& key : {user, session}) {
        const client to{settings_for(server.endpoint() + "/", key)};
        for (const auto* service : {&dynamodb, &adapters::aws::dynamodb_streams, &sqs}) {
            for (const std::size_t size : {0U, 1U, 1000U, 900'000U, 1'300'000U}) {
                CAPTURE(service->target);
                CAPTURE(size);
                const auto body = nlohmann::json{{"Body", std::string(size, 'x')}}.dump();
                REQUIRE(to.call(*service, "Some", body).body.ok());
                REQUIRE(seen);
                const auto why = authentication_fault(*seen, rules(std::string{service->signing_name}));
                CHECK(!why);
                if (why) { FAIL(why->message); }
                CHECK(seen->method == "POST");
                CHECK(seen->target == "/");
                CHECK(seen->header("content-type") == "application/x-amz-json-1.0");
                CHECK(seen->header("x-amz-target") == std::string{service->target} + ".Some");
                CHECK(seen->body == body);
                const std::string how{seen->header("authorization")};
                CHECK((how.find(";x-amz-security-token;") != std::string::npos) == !key.session_token.empty());
                CHECK(how.find("expect") == std::string::npos);
            }
        }
    }
    CHECK(server.connections() == 2); // one a client
}

TEST_CASE("calls of several threads share a client, and each thread's connection stays") {
    http_server server{[&](const http_request& asked) {
        if (const auto why = authentication_fault(asked, rules("sqs"))) { return refused(why->name, why->message); }
        return json(200, asked.body);
    }};
    const client to{settings_for(server.endpoint(), session)};
    std::atomic<int> wrong{};
    {
        std::vector<std::jthread> callers;
        for (auto n = 0; n < 4; ++n) {
            callers.emplace_back([&, n] {
                for (auto i = 0; i < 50; ++i) {
                    const auto body = nlohmann::json{{"n", n}, {"i", i}}.dump();
                    const auto answer = to.call(sqs, "Some", body);
                    if (!answer.body.ok() || answer.body.value() != body) { ++wrong; }
                }
            });
        }
    }
    CHECK(wrong == 0);
    CHECK(server.requests() == 200);
    CHECK(server.connections() <= 4);
}

TEST_CASE("what may pass by itself is tried three times, and nothing else twice") {
    const auto with = [](http_response answer, const auto& change) {
        change(answer);
        return answer;
    };
    const auto page = fake_aws::html_response(503);
    const auto cut = with(json(200, R"({"Item":{"a":{"S":"b"}}})"), [](auto& answer) { answer.cut_after = 10; });
    const auto dropped = with(good(), [](auto& answer) { answer.dropped = answer.last = true; });
    struct expectation {
        http_response answer;
        errc code;
    };
    for (const auto& expected : {
             expectation{refused("ProvisionedThroughputExceededException"), errc::throttled},
             expectation{refused("ThrottlingException"), errc::throttled},
             expectation{refused("InternalServerError", "x", 500), errc::unavailable},
             expectation{fake_aws::query_xml_response("ServiceUnavailable", "x", 503), errc::unavailable},
             expectation{http_response{500, ""}, errc::unavailable},
             expectation{page, errc::unavailable},
             expectation{refused("TransactionConflictException"), errc::conflict},
             expectation{cut, errc::unavailable},
             expectation{json(200, R"({"Item":{"a")"), errc::unavailable}, // cut where the length does not tell
             expectation{dropped, errc::unavailable},
         }) {
        CAPTURE(expected.answer.status);
        CAPTURE(expected.answer.body);
        const auto [times, last] = tries(expected.answer);
        CHECK(times == 3);
        fails(last, expected.code, "");
    }
    for (const auto& expected : {
             expectation{refused("ValidationException"), errc::malformed},
             expectation{refused("ConditionalCheckFailedException"), errc::conflict},
             expectation{refused("ResourceNotFoundException"), errc::denied},
             expectation{refused("AccessDeniedException"), errc::denied},
             expectation{refused("UnrecognizedClientException"), errc::denied},
             expectation{refused("ExpiredIteratorException"), errc::expired},
             expectation{refused("SomethingNeverHeardOf"), errc::denied},
             expectation{http_response{413, ""}, errc::too_large},
             expectation{fake_aws::html_response(200), errc::denied},
             expectation{http_response{302, "", {{"Location", "http://127.0.0.1:1/"}}}, errc::denied},
         }) {
        CAPTURE(expected.answer.status);
        CAPTURE(expected.answer.body);
        const auto [times, last] = tries(expected.answer);
        CHECK(times == 1);
        fails(last, expected.code, "");
    }
}

TEST_CASE("a call that succeeds at last is a success") {
    std::atomic<int> asked{};
    http_server server{[&](const http_request&) {
        return ++asked == 1 ? refused("InternalServerError", "x", 500)
               : asked == 2 ? refused("ThrottlingException")
                            : json(200, R"({"a":1})");
    }};
    const auto answer = client{settings_for(server.endpoint())}.call(dynamodb, "PutItem", "{}");
    REQUIRE(answer.body.ok());
    CHECK(answer.body.value() == R"({"a":1})");
    CHECK(answer.refused_as.empty());
    CHECK(asked == 3);
}

TEST_CASE("the service's own name of an error comes bare beside it, and no name where no service spoke") {
    http_response named = json(400, R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"})");
    CHECK(tries(named).second.refused_as == "ConditionalCheckFailedException");
    CHECK(tries(fake_aws::html_response(200)).second.refused_as.empty());
    CHECK(tries(http_response{500, ""}).second.refused_as.empty());
}

TEST_CASE("every bad day is one clear line without secrets") {
    const auto put = [](const settings& with) { return client{with}.call(dynamodb, "PutItem", "{}"); };
    fake_aws::server server{wall};
    auto with = settings_for(server.endpoint());

    for (auto n = 0; n < 4; ++n) { // as JSON, and as XML in two forms
        CAPTURE(n);
        with.keys.access_key = "AKIANOBODY";
        fails(put(with), errc::denied, "the credentials are not accepted");
        with.keys = {user.access_key, "another-secret"};
        fails(put(with), errc::denied, "the signature does not match");
        const auto past = fake_aws::expired_key();
        with.keys = {past.access_key, past.secret_key, past.session_token};
        fails(put(with), errc::denied, "the session token has expired");
        with = settings_for(server.endpoint());
        with.region = "eu-west-1";
        fails(put(with), errc::denied, "wrong region");
        with = settings_for(server.endpoint());
    }

    const auto missing = client{with}.call(dynamodb, "PutItem", R"({"TableName":"nowhere","Item":{"a":{"S":"b"}}})");
    fails(missing, errc::denied, "there is no such table");
    CHECK(missing.refused_as == "ResourceNotFoundException");

    server.faults().add({.kind = fake_aws::fault_kind::html});
    fails(put(with), errc::denied,
          "answered 200 with text/html, which is no answer of DynamoDB: is a proxy in between?");
    server.faults().add({.kind = fake_aws::fault_kind::cut, .times = 3});
    fails(client{with}.call(dynamodb, "PutItem", "{}"), errc::unavailable, "the connection broke before");
    server.faults().add({.kind = fake_aws::fault_kind::slow, .times = 3, .span = std::chrono::hours{1}});
    with.total_timeout = std::chrono::milliseconds{100};
    fails(put(with), errc::unavailable, "no answer in time");
    server.stop();
    fails(put(with), errc::unavailable, "nothing answers there");

    // longer than a label of a name may be, so that no name server is asked
    fails(put(settings_for("http://" + std::string(64, 'a') + ".invalid")), errc::unavailable, "does not resolve");
    CHECK(server.faults().waiting() == 0);
}

TEST_CASE("settings that no request can be made with are denied before one is") {
    http_server server{[](const http_request&) { return good(); }};
    auto with = settings_for(server.endpoint() + "/path");
    const auto answer = client{with}.call(dynamodb, "PutItem", "{}");
    REQUIRE(!answer.body.ok());
    CHECK(answer.body.why().code == errc::denied);
    with = settings_for(server.endpoint());
    with.keys.session_token = "two\nlines";
    CHECK(!client{with}.call(dynamodb, "PutItem", "{}").body.ok());
    CHECK(server.requests() == 0);
}

TEST_CASE("a wrong clock is put right by the service's, once, and stays right for later calls") {
    std::atomic<int> hours{};
    http_server server{[&](const http_request& asked) {
        const auto now = wall() + std::chrono::hours{hours};
        const auto why = authentication_fault(asked, rules("dynamodb", now));
        auto answer = why ? fake_aws::xml_response(why->name, why->message) : good();
        answer.headers.emplace_back("Date", fake_aws::http_date(now));
        return answer;
    }};
    for (const auto& key : {user, session}) {
        const client to{settings_for(server.endpoint(), key)};
        auto before = server.requests();
        const auto requests = [&] {
            const auto body = nlohmann::json{{"Body", std::string(5000, 'x')}}.dump();
            const auto answer = to.call(dynamodb, "PutItem", body);
            CHECK(answer.body.ok());
            return server.requests() - std::exchange(before, server.requests());
        };
        CHECK(requests() == 1);
        for (const auto skew : {1, -30, 100'000, 0}) {
            hours = skew;
            CHECK(requests() == 2);
            CHECK(requests() == 1);
            CHECK(requests() == 1);
        }
    }
}

TEST_CASE("a clock that cannot be put right is denied, and the line says how far it is off") {
    const auto never = [](bool dated) {
        return [dated](const http_request&) {
            auto answer = refused("InvalidSignatureException", "Signature expired: 1 is now earlier than 2");
            if (dated) { answer.headers.emplace_back("Date", fake_aws::http_date(wall() + std::chrono::hours{1})); }
            return answer;
        };
    };
    http_server dated{never(true)};
    const client to{settings_for(dated.endpoint())};
    const auto answer = to.call(dynamodb, "PutItem", "{}");
    fails(answer, errc::denied, "refused for this machine's clock");
    CHECK(answer.refused_as == "InvalidSignatureException");
    const auto& note = answer.body.why().note;
    CAPTURE(note);
    CHECK(note.find(" s behind the service's)") != std::string::npos);
    CHECK((note.find(" 3600 s") != std::string::npos || note.find(" 3599 s") != std::string::npos));
    CHECK(dated.requests() == 2);

    http_server undated{never(false)};
    fails(client{settings_for(undated.endpoint())}.call(dynamodb, "PutItem", "{}"), errc::denied,
          "refused for this machine's clock");
    CHECK(undated.requests() == 1);
}

TEST_CASE("what is no JSON object, or nested without end, or nothing at all, is unavailable") {
    const auto read = [](std::string body) { return read_json(reply{std::move(body), {}}, "DynamoDB PutItem"); };
    CHECK(read(R"({"a":1})").value().at("a") == 1);
    for (const auto* bad : {"", "[1]", "{\"a\":", "text", "{\"a\":1}\nmore"}) {
        CAPTURE(bad);
        const auto answer = read(bad);
        REQUIRE(!answer.ok());
        CHECK(answer.why().code == errc::unavailable);
        CHECK(answer.why().note.starts_with("DynamoDB PutItem: the answer is no JSON"));
        CHECK(answer.why().note.find('\n') == std::string::npos);
    }
    const auto failed = read_json(reply{freshet::error{errc::conflict, "why"}, "Name"}, "what");
    CHECK(failed.why() == freshet::error{errc::conflict, "why"});
    const auto nested = [&](std::size_t depth) {
        return read(R"({"]\"":)" + std::string(depth, '[') + std::string(depth, ']') + "}");
    };
    CHECK(nested(150).ok());
    CHECK(nested(200'000).why().note == "DynamoDB PutItem: the answer is nested too deep");

    const auto [requests, nothing] = tries(http_response{200, ""});
    CHECK(requests > 1);
    CHECK(nothing.body.why().code == errc::unavailable);
    CHECK(nothing.body.why().note.ends_with(": an empty answer"));
}
