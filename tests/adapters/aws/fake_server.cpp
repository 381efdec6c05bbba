#include <fake_aws/server.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/http.hpp>
#include <adapters/aws/settings.hpp>
#include <fake_aws/batch_faults.hpp>
#include <fake_aws/faults.hpp>

using namespace std::chrono_literals;
using adapters::aws::client;
using adapters::aws::dynamodb;
using adapters::aws::dynamodb_streams;
using adapters::aws::settings;
using adapters::aws::sqs;
using fake_aws::fault_kind;
using nlohmann::json;

namespace {

auto noon() -> freshet::time_point { return freshet::time_point{1'705'320'000s}; }

auto keyed(settings with, const fake_aws::known_key& key) -> settings {
    with.keys = {key.access_key, key.secret_key, key.session_token};
    return with;
}

/// Without retries, so that a test sees every answer.
auto once(settings with) -> settings {
    with.retries.retries = 0;
    return with;
}

struct world {
    explicit world(fake_aws::server_options options = {}) : server{noon, std::move(options)} {}

    fake_aws::server server;
    client patient{server.settings()};
    client plain{once(server.settings())};

    /// The answer as it is on the wire, to a request signed as it should be.
    [[nodiscard]] auto raw(std::string_view target, std::string_view body,
                           std::string_view type = "application/x-amz-json-1.0", std::string path = "/")
        -> freshet::result<adapters::aws::http_response> {
        const auto key = fake_aws::good_key();
        const adapters::aws::http_signature signature{
            std::string{"aws:amz:us-east-1:"} + (target.starts_with("AmazonSQS") ? "sqs" : "dynamodb"), key.access_key,
            key.secret_key};
        return lines.call({.url = server.endpoint() + path,
                           .method = "POST",
                           .headers = {"Content-Type: " + std::string{type}, "X-Amz-Target: " + std::string{target}},
                           .body = body,
                           .signature = &signature});
    }

    [[nodiscard]] auto queue(const std::string& name) -> std::string {
        const auto made = patient.call(sqs, "CreateQueue", json{{"QueueName", name}}.dump());
        REQUIRE(made.body.ok());
        return json::parse(*made.body)["QueueUrl"];
    }
    [[nodiscard]] auto waiting(const std::string& url) -> std::string {
        const auto told = patient.call(sqs, "GetQueueAttributes",
                                       json{{"QueueUrl", url}, {"AttributeNames", {"All"}}}.dump());
        REQUIRE(told.body.ok());
        return json::parse(*told.body)["Attributes"]["ApproximateNumberOfMessages"];
    }

    adapters::aws::http_lines lines;
};

auto message(const std::string& url) -> std::string { return json{{"QueueUrl", url}, {"MessageBody", "hello"}}.dump(); }

auto batch(const std::string& url, int count) -> json {
    json body{{"QueueUrl", url}, {"Entries", json::array()}};
    for (int i = 0; i < count; ++i) {
        body["Entries"].push_back({{"Id", "id" + std::to_string(i)}, {"MessageBody", "body " + std::to_string(i)}});
    }
    return body;
}

auto ids(const json& list) -> std::vector<std::string> {
    std::vector<std::string> all;
    for (const auto& one : list) { all.push_back(one["Id"]); }
    return all;
}

/// The code and the service's name of a refusal.
auto refused(const adapters::aws::reply& said) -> std::string {
    return said.body.ok() ? "ok" : std::string{name_of(said.body.why().code)} + ' ' + said.refused_as;
}

} // namespace

TEST_CASE("the three services answer on one connection to who signs with a known key, with a session's token or not") {
    world here;
    for (const auto& key : {fake_aws::good_key(), fake_aws::session_key()}) {
        CAPTURE(key.access_key);
        const client caller{keyed(here.server.settings(), key)};
        CHECK(refused(caller.call(dynamodb, "ListTables", "{}")) == "ok");
        CHECK(refused(caller.call(dynamodb_streams, "ListStreams", "{}")) == "ok");
        CHECK(refused(caller.call(sqs, "ListQueues", "{}")) == "ok");
    }
    CHECK(here.server.requests("ListTables") == 2);
    CHECK(here.server.requests("ListStreams") == 2);
    CHECK(here.server.requests("ListQueues") == 2);
    CHECK(here.server.requests("GetItem") == 0);
    CHECK(here.server.connections() == 2);
}

TEST_CASE("an answer looks as the services' do") {
    world here;
    const auto good = here.raw("DynamoDB_20120810.ListTables", "{}");
    REQUIRE(good.ok());
    CHECK(good->status == 200);
    CHECK(good->header("content-type") == "application/x-amz-json-1.0");
    CHECK(good->header("x-amzn-requestid").size() == 26);
    CHECK(good->header("date").ends_with(" GMT"));
    CHECK(json::parse(good->body)["TableNames"] == json::array());

    const auto bad = here.raw("AmazonSQS.GetQueueUrl", R"({"QueueName":"none"})");
    REQUIRE(bad.ok());
    CHECK(bad->status == 400);
    CHECK(json::parse(bad->body)["__type"] == "com.amazonaws.sqs#QueueDoesNotExist");
}

TEST_CASE("what no service understands is refused as the services do") {
    world here;
    const auto error = [](const freshet::result<adapters::aws::http_response>& answer) -> std::string {
        return answer ? std::to_string(answer->status) + ' ' + answer->body : answer.why().note;
    };
    const std::string unknown = R"(400 {"__type":"com.amazon.coral.service#UnknownOperationException"})";
    CHECK(error(here.raw("Kinesis_20131202.PutRecord", "{}")) == unknown);
    CHECK(error(here.raw("DynamoDB_20120810.GetRecords", "{}")) == unknown);
    CHECK(error(here.raw("DynamoDBStreams_20120810.GetItem", "{}")) == unknown);
    CHECK(error(here.raw("nonsense", "{}")) == unknown);
    for (const auto* no_object : {"", "{", "[]", "\"text\"", "{\"a\":\"\xff\"}"}) {
        CAPTURE(no_object);
        CHECK(error(here.raw("DynamoDB_20120810.GetItem", no_object)) ==
              R"(400 {"Message":"Start of structure or map found where not expected.",)"
              R"("__type":"com.amazon.coral.service#SerializationException"})");
    }
    CHECK(error(here.raw("DynamoDB_20120810.GetItem", "{}", "application/json")).starts_with("404 <UnknownOperation"));
    CHECK(error(here.raw("DynamoDB_20120810.GetItem", "{}", "application/x-amz-json-1.0", "/table")).substr(0, 3) ==
          "404");
}

TEST_CASE("who is not let in is told so in JSON or in XML, and is denied either way") {
    for (const auto percent : {0U, 50U, 100U}) {
        CAPTURE(percent);
        world here{{.xml_percent = percent}};
        auto wrong_secret = fake_aws::good_key();
        wrong_secret.secret_key = "another";
        auto no_token = fake_aws::session_key();
        no_token.session_token.clear();
        auto elsewhere = once(here.server.settings());
        elsewhere.region = "eu-west-1";
        const std::vector<std::pair<settings, std::string>> all{
            {keyed(once(here.server.settings()), wrong_secret), "does not match the signature"},
            {keyed(once(here.server.settings()), {"AKIAUNKNOWN", "secret"}), "included in the request is invalid"},
            {keyed(once(here.server.settings()), no_token), "token included in the request is invalid"},
            {keyed(once(here.server.settings()), fake_aws::expired_key()), "token included in the request is expired"},
            {elsewhere, "not 'eu-west-1'"},
        };
        for (const auto& [with, words] : all) {
            for (const auto* service : {&dynamodb, &sqs, &dynamodb, &sqs}) {
                const auto said = client{with}.call(*service, "ListQueues", "{}");
                REQUIRE_FALSE(said.body.ok());
                CHECK(said.body.why().code == freshet::errc::denied);
                CHECK(said.body.why().note.find(words) != std::string::npos);
                CHECK(said.body.why().note.find('\n') == std::string::npos);
                CHECK_FALSE(said.refused_as.empty());
            }
        }
    }
}

TEST_CASE("the share of XML among authentication errors is the one asked for, and takes both of its forms") {
    world here{{.keys = {{"AKIDOTHER", "secret"}}, .xml_percent = 40}};
    int of_front_end = 0;
    int of_query_protocol = 0;
    int of_json = 0;
    for (int i = 0; i < 20; ++i) {
        const auto said = here.raw("AmazonSQS.ListQueues", "{}");
        REQUIRE(said.ok());
        of_front_end += said->body.starts_with("<UnrecognizedClientException>") ? 1 : 0;
        of_query_protocol += said->body.find("<Code>InvalidClientTokenId</Code>") != std::string::npos ? 1 : 0;
        of_json += said->body.starts_with('{') ? 1 : 0;
    }
    CHECK(of_front_end == 4);
    CHECK(of_query_protocol == 4);
    CHECK(of_json == 12);
}

TEST_CASE("faults of the answer are what a client without patience sees, once each") {
    world here;
    auto& faults = here.server.faults();
    const auto ask = [&](const adapters::aws::service& service = dynamodb) {
        return refused(here.plain.call(service, service.target == sqs.target ? "ListQueues" : "ListTables", "{}"));
    };
    faults.add({.kind = fault_kind::throttled});
    CHECK(ask() == "throttled ProvisionedThroughputExceededException");
    faults.add({.kind = fault_kind::throttled, .name = "ThrottlingException"});
    CHECK(ask() == "throttled ThrottlingException");
    faults.add({.kind = fault_kind::throttled});
    CHECK(ask(sqs) == "throttled RequestThrottled");
    faults.add({.kind = fault_kind::error_json});
    CHECK(ask() == "unavailable InternalServerError");
    faults.add({.kind = fault_kind::error_xml});
    CHECK(ask(sqs) == "unavailable ServiceUnavailable");
    faults.add({.kind = fault_kind::error_empty, .status = 502});
    CHECK(ask() == "unavailable ");
    faults.add({.kind = fault_kind::html, .status = 503});
    CHECK(ask() == "unavailable ");
    faults.add({.kind = fault_kind::html});
    CHECK(ask() == "denied ");
    faults.add({.kind = fault_kind::expired});
    CHECK(ask().starts_with("denied ExpiredToken"));
    faults.add({.kind = fault_kind::cut});
    CHECK(ask() == "unavailable ");
    CHECK(ask() == "ok");
    CHECK(faults.waiting() == 0);
}

TEST_CASE("a slow answer is one that comes too late, although the operation is done") {
    world here;
    auto with = once(here.server.settings());
    with.total_timeout = 100ms;
    const auto url = here.queue("q");
    here.server.faults().add({.kind = fault_kind::slow, .span = 1h});
    const auto said = client{with}.call(sqs, "SendMessage", message(url));
    CHECK(refused(said) == "unavailable ");
    CHECK(here.waiting(url) == "1");
}

TEST_CASE("a fault says whether the operation took effect although its answer is lost") {
    world here;
    const auto url = here.queue("q");
    const auto after = [&](fake_aws::fault one) {
        const auto before = std::stoi(here.waiting(url));
        one.operation = "SendMessage";
        here.server.faults().add(one);
        // on a connection of its own: libcurl repeats what was lost on one that it had kept
        CHECK_FALSE(client{once(here.server.settings())}.call(sqs, "SendMessage", message(url)).body.ok());
        return std::stoi(here.waiting(url)) - before;
    };
    CHECK(after({.kind = fault_kind::dropped}) == 0);
    CHECK(after({.kind = fault_kind::dropped, .done = true}) == 1);
    CHECK(after({.kind = fault_kind::error_json}) == 0);
    CHECK(after({.kind = fault_kind::error_json, .done = true}) == 1);
    CHECK(after({.kind = fault_kind::error_xml, .done = true}) == 1);
    CHECK(after({.kind = fault_kind::error_empty, .done = true}) == 1);
    CHECK(after({.kind = fault_kind::throttled}) == 0);
    CHECK(after({.kind = fault_kind::cut}) == 1);
}

TEST_CASE("a lost answer on a kept connection is asked for once more") {
    world here;
    const auto url = here.queue("q");
    here.server.faults().add({.kind = fault_kind::dropped, .operation = "SendMessage", .done = true});
    CHECK(refused(here.patient.call(sqs, "SendMessage", message(url))) == "ok");
    CHECK(here.waiting(url) == "2");
    CHECK(here.server.requests("SendMessage") == 2);
}

TEST_CASE("a fault waits for its operation, lets pass what it is told to, and lasts as often as it says") {
    world here;
    auto& faults = here.server.faults();
    const auto tables = [&] { return refused(here.plain.call(dynamodb, "ListTables", "{}")); };
    const auto queues = [&] { return refused(here.plain.call(sqs, "ListQueues", "{}")); };
    faults.add({.kind = fault_kind::error_json, .operation = "ListTables", .times = 2, .after = 1});
    CHECK(queues() == "ok");
    CHECK(tables() == "ok");
    CHECK(tables() == "unavailable InternalServerError");
    CHECK(queues() == "ok");
    CHECK(faults.waiting() == 1);
    CHECK(tables() == "unavailable InternalServerError");
    CHECK(tables() == "ok");

    faults.add({.kind = fault_kind::error_json, .times = fake_aws::always});
    for (int i = 0; i < 5; ++i) { CHECK(tables() == "unavailable InternalServerError"); }
    faults.clear();
    CHECK(tables() == "ok");
}

TEST_CASE("a client with patience does not notice faults that end") {
    world here;
    for (const auto kind : {fault_kind::throttled, fault_kind::error_json, fault_kind::error_xml,
                            fault_kind::error_empty, fault_kind::dropped, fault_kind::cut}) {
        here.server.faults().add({.kind = kind});
        CHECK(refused(here.patient.call(dynamodb, "ListTables", "{}")) == "ok");
    }
    CHECK(here.server.requests("ListTables") == 12);
}

TEST_CASE("a server whose clock is off by more than five minutes refuses, and says its time") {
    world here;
    for (const auto off : {10min, -10min}) {
        here.server.faults().add({.kind = fault_kind::clock_skew, .span = off});
        const auto said = here.raw("DynamoDB_20120810.ListTables", "{}");
        REQUIRE(said.ok());
        CHECK(said->status != 200);
        CHECK(said->body.find(off > 0min ? "Signature expired" : "Signature not yet current") != std::string::npos);
        const auto date = curl_getdate(std::string{said->header("date")}.c_str(), nullptr);
        CHECK(std::abs(date - std::time(nullptr) - std::chrono::seconds{off}.count()) <= 60);
    }
    here.server.faults().add({.kind = fault_kind::clock_skew, .span = 4min});
    CHECK(here.raw("DynamoDB_20120810.ListTables", "{}").value().status == 200);

    here.server.faults().add({.kind = fault_kind::clock_skew, .times = fake_aws::always, .span = 10min});
    CHECK(refused(here.plain.call(dynamodb, "ListTables", "{}")) == "ok"); // signed anew, by the server's time
    CHECK(refused(client{keyed(once(here.server.settings()), fake_aws::session_key())}.call(sqs, "ListQueues", "{}")) ==
          "ok");
}

TEST_CASE("chosen entries of a batch of SQS are refused, and the service sees the others") {
    world here;
    const auto url = here.queue("q");
    const auto send = [&](const json& body) { return here.plain.call(sqs, "SendMessageBatch", body.dump()); };
    for (const bool sender_fault : {false, true}) {
        here.server.faults().add(
            {.kind = fault_kind::refused, .sender_fault = sender_fault, .chosen = fake_aws::at({1, 2})});
        const auto said = send(batch(url, 4));
        REQUIRE(said.body.ok());
        const auto told = json::parse(*said.body);
        CHECK(ids(told["Successful"]) == std::vector<std::string>{"id0", "id3"});
        CHECK(ids(told["Failed"]) == std::vector<std::string>{"id1", "id2"});
        CHECK(told["Failed"][0]["SenderFault"] == sender_fault);
        CHECK(told["Failed"][0]["Code"] == (sender_fault ? "InvalidMessageContents" : "InternalError"));
    }
    CHECK(here.waiting(url) == "4");

    here.server.faults().add({.kind = fault_kind::refused, .name = "KmsThrottled", .chosen = [](auto, const json& e) {
                                  return e["MessageBody"] == "body 0";
                              }});
    const auto said = send(batch(url, 1));
    REQUIRE(said.body.ok());
    CHECK(json::parse(*said.body) == json{{"Failed",
                                           {{{"Id", "id0"},
                                             {"SenderFault", false},
                                             {"Code", "KmsThrottled"},
                                             {"Message", "The entry was refused."}}}}});
    CHECK(here.waiting(url) == "4");
}

TEST_CASE("a fault of entries waits for a batch that has them") {
    world here;
    const auto url = here.queue("q");
    here.server.faults().add({.kind = fault_kind::refused, .chosen = fake_aws::at({5})});
    const auto failed = [&](int count) {
        const auto said = here.plain.call(sqs, "SendMessageBatch", batch(url, count).dump());
        REQUIRE(said.body.ok());
        return json::parse(*said.body).value("Failed", json::array()).size();
    };
    CHECK(failed(5) == 0);
    CHECK(here.server.faults().waiting() == 1);
    CHECK(failed(6) == 1);
    CHECK(here.server.faults().waiting() == 0);
}

TEST_CASE("a service's own refusals stand beside those of a fault, and where it refuses all, that is the answer") {
    const fake_aws::fault first{.kind = fault_kind::refused};
    const auto own = fake_aws::without_chosen(first, batch("", 3), [](const json& rest) {
        CHECK(ids(rest["Entries"]) == std::vector<std::string>{"id1", "id2"});
        return fake_aws::answer{200, {{"Failed", {{{"Id", "id1"}}}}, {"Successful", {{{"Id", "id2"}}}}}};
    });
    CHECK(ids(own.body["Failed"]) == std::vector<std::string>{"id1", "id0"});
    const auto all = fake_aws::without_chosen(
        first, batch("", 3), [](const json&) { return fake_aws::refusal("QueueDoesNotExist", "no such queue"); });
    CHECK(all.status == 400);
    CHECK_FALSE(all.body.contains("Failed"));
}

TEST_CASE("chosen writes of each table come back unprocessed, and the service sees the others") {
    const auto put = [](int i) { return json{{"PutRequest", {{"Item", {{"PK", {{"N", std::to_string(i)}}}}}}}}; };
    const json body{{"RequestItems", {{"a", {put(0), put(1)}}, {"b", {put(2)}}}}};
    const fake_aws::fault second{.kind = fault_kind::unprocessed, .chosen = fake_aws::at({1})};
    CHECK(fake_aws::applies(second, "BatchWriteItem", body));
    CHECK_FALSE(fake_aws::applies(second, "PutItem", body));
    const auto some = fake_aws::without_chosen(second, body, [&](const json& rest) {
        CHECK(rest["RequestItems"] == json{{"a", {put(0)}}, {"b", {put(2)}}});
        return fake_aws::answer{200, {{"UnprocessedItems", json::object()}}};
    });
    CHECK(some.body["UnprocessedItems"] == json{{"a", {put(1)}}});

    const fake_aws::fault first{.kind = fault_kind::unprocessed};
    const auto fewer = fake_aws::without_chosen(first, body, [&](const json& rest) {
        CHECK(rest["RequestItems"] == json{{"a", {put(1)}}}); // a table without writes is not asked for
        return fake_aws::answer{};
    });
    CHECK(fewer.body["UnprocessedItems"] == json{{"a", {put(0)}}, {"b", {put(2)}}});
}

TEST_CASE("an unprocessed write has not been done, and the others have") {
    world here;
    const auto* const table = R"({"TableName": "items", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}]})";
    REQUIRE(refused(here.plain.call(dynamodb, "CreateTable", table)) == "ok");
    const auto put = [](const char* key) { return json{{"PutRequest", {{"Item", {{"PK", {{"S", key}}}}}}}}; };
    here.server.faults().add({.kind = fault_kind::unprocessed, .chosen = fake_aws::at({1})});
    const auto said = here.plain.call(dynamodb, "BatchWriteItem",
                                      json{{"RequestItems", {{"items", {put("a"), put("b"), put("c")}}}}}.dump());
    REQUIRE(said.body.ok());
    CHECK(json::parse(*said.body)["UnprocessedItems"] == json{{"items", {put("b")}}});
    const auto scanned = here.plain.call(dynamodb, "Scan", R"({"TableName":"items"})");
    REQUIRE(scanned.body.ok());
    CHECK(json::parse(*scanned.body)["Count"] == 2);
}

TEST_CASE("many threads are served at once, faults and all") {
    world here;
    const auto url = here.queue("q");
    here.server.faults().add({.kind = fault_kind::throttled, .operation = "SendMessage", .times = 20});
    auto with = here.server.settings();
    with.retries.retries = 50;
    const client shared{with};
    std::atomic<int> sent{};
    std::vector<std::thread> senders;
    for (int i = 0; i < 8; ++i) {
        senders.emplace_back([&] {
            for (int n = 0; n < 10; ++n) {
                if (shared.call(sqs, "SendMessage", message(url)).body.ok()) { ++sent; }
            }
        });
    }
    for (auto& one : senders) { one.join(); }
    CHECK(sent == 80);
    CHECK(here.waiting(url) == "80");
    CHECK(here.server.requests("SendMessage") == 100);
    CHECK(here.server.connections() <= 10);
}

TEST_CASE("a server that has ended is a service that nobody can reach") {
    world here;
    here.server.stop();
    const auto said = here.plain.call(dynamodb, "ListTables", "{}");
    CHECK(refused(said) == "unavailable ");
}
