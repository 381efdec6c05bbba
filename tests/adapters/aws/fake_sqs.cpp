#include <fake_aws/sqs.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/testing/manual_clock.hpp>

#include <fake_aws/md5.hpp>

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// The service, with a queue of each kind; the FIFO queue's dead letters go to `dead.fifo` after two receives.
class service {
public:
    service() {
        fifo = make("orders.fifo", {{"FifoQueue", "true"}});
        dead = make("dead.fifo", {{"FifoQueue", "true"}, {"ContentBasedDeduplication", "true"}});
        standard = make("plain", json::object());
    }

    [[nodiscard]] auto make(const std::string& name, const json& attributes) -> std::string {
        return ask("CreateQueue", {{"QueueName", name}, {"Attributes", attributes}})["QueueUrl"];
    }
    /// The answer's body; it is a good one.
    auto ask(std::string_view operation, const json& body) -> json {
        auto said = sqs.handle(operation, body);
        CAPTURE(said.body.dump());
        REQUIRE(said.ok());
        return said.body;
    }
    /// The name of the error.
    [[nodiscard]] auto refused(std::string_view operation, const json& body) -> std::string {
        const auto said = sqs.handle(operation, body);
        CAPTURE(said.body.dump());
        REQUIRE(!said.ok());
        return said.body["__type"];
    }
    auto send(const std::string& body, const std::string& group = "g", const std::string& id = {}) -> json {
        return ask("SendMessage", {{"QueueUrl", fifo},
                                   {"MessageBody", body},
                                   {"MessageGroupId", group},
                                   {"MessageDeduplicationId", id.empty() ? body : id}});
    }
    [[nodiscard]] auto receive(const std::string& url, json more = json::object()) -> json {
        more["QueueUrl"] = url;
        more["MessageSystemAttributeNames"] = {"All"};
        more["MessageAttributeNames"] = {"All"};
        if (!more.contains("MaxNumberOfMessages")) { more["MaxNumberOfMessages"] = 10; }
        return ask("ReceiveMessage", more).value("Messages", json::array());
    }
    [[nodiscard]] auto bodies(const std::string& url, const json& more = json::object()) -> std::string {
        std::string all;
        for (const auto& message : receive(url, more)) { all += message["Body"].get<std::string>() + " "; }
        return all;
    }
    [[nodiscard]] auto attribute(const std::string& url, const std::string& name) -> std::string {
        return ask("GetQueueAttributes", {{"QueueUrl", url}, {"AttributeNames", {name}}})["Attributes"][name];
    }
    [[nodiscard]] auto erase(const std::string& url, const json& message) -> fake_aws::answer {
        return sqs.handle("DeleteMessage", {{"QueueUrl", url}, {"ReceiptHandle", message["ReceiptHandle"]}});
    }
    [[nodiscard]] auto hide(const std::string& url, const json& message, int timeout) -> fake_aws::answer {
        return sqs.handle(
            "ChangeMessageVisibility",
            {{"QueueUrl", url}, {"ReceiptHandle", message["ReceiptHandle"]}, {"VisibilityTimeout", timeout}});
    }

    freshet::testing::manual_clock clock;
    fake_aws::sqs sqs{[this] { return clock.now(); }, 5ms};
    std::string fifo, dead, standard;
};

[[nodiscard]] auto entry(const std::string& id, const std::string& body) -> json {
    return {{"Id", id}, {"MessageBody", body}, {"MessageGroupId", "g"}, {"MessageDeduplicationId", id}};
}

[[nodiscard]] auto says(const fake_aws::answer& said, std::string_view words) -> bool {
    return !said.ok() && said.body["message"].get<std::string>().find(words) != std::string::npos;
}

} // namespace

TEST_CASE("fake SQS: MD5 is that of RFC 1321") {
    CHECK(fake_aws::md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(fake_aws::md5_hex("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
    CHECK(fake_aws::md5_hex("1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                            "0") == "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("fake SQS: a queue is made once, found by its name, and another of its name is a conflict") {
    service at;
    CHECK(at.fifo == "http://127.0.0.1/123456789012/orders.fifo");
    at.sqs.set_endpoint("http://127.0.0.1:4711");
    CHECK(at.make("orders.fifo", {{"FifoQueue", "true"}, {"VisibilityTimeout", "30"}}) ==
          "http://127.0.0.1:4711/123456789012/orders.fifo");
    CHECK(at.ask("GetQueueUrl", {{"QueueName", "plain"}})["QueueUrl"] == "http://127.0.0.1:4711/123456789012/plain");
    CHECK(at.refused("CreateQueue", {{"QueueName", "orders.fifo"},
                                     {"Attributes", {{"FifoQueue", "true"}, {"VisibilityTimeout", "31"}}}}) ==
          "QueueNameExists");
    CHECK(at.refused("GetQueueUrl", {{"QueueName", "nowhere"}}) == "QueueDoesNotExist");
    for (const std::string url : {"", "http://127.0.0.1/123456789012/nowhere", "http://127.0.0.1/1/plain"}) {
        CHECK(at.refused("ReceiveMessage", {{"QueueUrl", url}}) == "QueueDoesNotExist");
    }
    CHECK(at.refused("Destroy", {{"QueueUrl", at.fifo}}) == "UnknownOperationException");
    CHECK(at.refused("SendMessage", json::array()) == "SerializationException");
}

TEST_CASE("fake SQS: names and attributes of queues are checked") {
    service at;
    const auto refused = [&](const std::string& name, const json& attributes) {
        return at.refused("CreateQueue", {{"QueueName", name}, {"Attributes", attributes}});
    };
    for (const auto& name : std::vector<std::string>{"", "a b", "a.b", ".fifo", std::string(81, 'x')}) {
        CHECK(refused(name, json::object()) == "InvalidParameterValueException");
    }
    CHECK(refused("x.fifo", json::object()) == "InvalidParameterValueException");
    CHECK(refused("x", {{"FifoQueue", "true"}}) == "InvalidAttributeName");
    CHECK(refused("x", {{"Colour", "red"}}) == "InvalidAttributeName");
    for (const auto* bad : {"-1", "43201", "x", ""}) {
        CHECK(refused("x", {{"VisibilityTimeout", bad}}) == "InvalidAttributeValue");
    }
    CHECK(refused("x", {{"MessageRetentionPeriod", "59"}}) == "InvalidAttributeValue");
    CHECK(refused("x", {{"MaximumMessageSize", "1023"}}) == "InvalidAttributeValue");
    CHECK(refused("x", {{"RedrivePolicy", "dead"}}) == "InvalidParameterValueException");
    CHECK(
        refused("x",
                {{"RedrivePolicy",
                  json{{"deadLetterTargetArn", at.attribute(at.dead, "QueueArn")}, {"maxReceiveCount", 3}}.dump()}}) ==
        "InvalidParameterValueException");
    CHECK(at.refused("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"FifoQueue", "true"}}}}) ==
          "InvalidAttributeValue");
    CHECK(at.refused("GetQueueAttributes", {{"QueueUrl", at.fifo}, {"AttributeNames", {"Colour"}}}) ==
          "InvalidAttributeName");
    CHECK(!at.ask("GetQueueAttributes", {{"QueueUrl", at.fifo}}).contains("Attributes"));
    const auto all = at.ask("GetQueueAttributes", {{"QueueUrl", at.fifo}, {"AttributeNames", {"All"}}})["Attributes"];
    CHECK(all["FifoQueue"] == "true");
    CHECK(all["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:orders.fifo");
    CHECK(all["MaximumMessageSize"] == "1048576");
    CHECK(all["ContentBasedDeduplication"] == "false");
    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"VisibilityTimeout", "7"}}}});
    CHECK(at.attribute(at.fifo, "VisibilityTimeout") == "7");
}

TEST_CASE("fake SQS: queues are listed by prefix and page, and a deleted one leaves its name for a minute") {
    service at;
    CHECK(at.ask("ListQueues", json::object())["QueueUrls"].size() == 3);
    CHECK(at.ask("ListQueues", {{"QueueNamePrefix", "o"}})["QueueUrls"] == json{at.fifo});
    const auto page = at.ask("ListQueues", {{"MaxResults", 2}});
    CHECK(page["QueueUrls"].size() == 2);
    CHECK(at.ask("ListQueues", {{"MaxResults", 2}, {"NextToken", page["NextToken"]}})["QueueUrls"].size() == 1);
    at.ask("DeleteQueue", {{"QueueUrl", at.standard}});
    CHECK(at.refused("DeleteQueue", {{"QueueUrl", at.standard}}) == "QueueDoesNotExist");
    CHECK(at.refused("CreateQueue", {{"QueueName", "plain"}}) == "QueueDeletedRecently");
    at.clock.advance(60s);
    CHECK(at.make("plain", json::object()) == at.standard);
}

TEST_CASE("fake SQS: a purge takes everything, once a minute") {
    service at;
    at.send("a");
    CHECK(at.receive(at.fifo).size() == 1);
    at.send("b", "h");
    at.ask("PurgeQueue", {{"QueueUrl", at.fifo}});
    at.clock.advance(59s);
    CHECK(at.receive(at.fifo).empty());
    CHECK(at.refused("PurgeQueue", {{"QueueUrl", at.fifo}}) == "PurgeQueueInProgress");
    at.clock.advance(1s);
    at.ask("PurgeQueue", {{"QueueUrl", at.fifo}});
}

TEST_CASE("fake SQS: a message comes with what was sent and with what the service knows of it") {
    service at;
    const auto sent =
        at.ask("SendMessage", {{"QueueUrl", at.fifo},
                               {"MessageBody", "body"},
                               {"MessageGroupId", "group"},
                               {"MessageDeduplicationId", "id"},
                               {"MessageAttributes", {{"n", {{"DataType", "String"}, {"StringValue", "17"}}}}}});
    CHECK(sent["MD5OfMessageBody"] == "841a2d689ad86bd1611447453c22c6fc");
    CHECK(sent["SequenceNumber"].get<std::string>().size() == 20);
    at.clock.advance(1234567us);
    const auto got = at.receive(at.fifo).at(0);
    CHECK(got["MessageId"] == sent["MessageId"]);
    CHECK(got["MessageId"].get<std::string>().size() == 36);
    CHECK(got["MD5OfBody"] == sent["MD5OfMessageBody"]);
    CHECK(got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]);
    CHECK(got["MessageAttributes"]["n"]["StringValue"] == "17");
    const auto& known = got["Attributes"];
    CHECK(known["MessageGroupId"] == "group");
    CHECK(known["MessageDeduplicationId"] == "id");
    CHECK(known["SequenceNumber"] == sent["SequenceNumber"]);
    CHECK(known["ApproximateReceiveCount"] == "1");
    CHECK(known["SentTimestamp"] == "1736936000000");
    CHECK(known["ApproximateFirstReceiveTimestamp"] == "1736936001234");
    const auto bare = at.ask("ReceiveMessage", {{"QueueUrl", at.fifo}});
    CHECK(!bare.contains("Messages"));
    at.clock.advance(30s);
    const auto unasked = at.ask("ReceiveMessage", {{"QueueUrl", at.fifo}})["Messages"][0];
    CHECK(!unasked.contains("Attributes"));
    CHECK(!unasked.contains("MessageAttributes"));
}

TEST_CASE("fake SQS: attributes of messages are chosen by name and by prefix, and their checksum is of the chosen") {
    service at;
    json attributes;
    for (const auto* name : {"General", "Hello", "Help.Me"}) {
        attributes[name] = {{"DataType", "String"},
                            {"StringValue", std::string{name} == "General" ? "Kenobi"
                                            : name[3] == 'l'               ? "There"
                                                                           : "Me"}};
    }
    const auto sent =
        at.ask("SendMessage", {{"QueueUrl", at.standard}, {"MessageBody", "msg"}, {"MessageAttributes", attributes}});
    // The service was seen to answer these three.
    CHECK(sent["MD5OfMessageAttributes"] == "4c360f3fdafd970e05fae2f149d997f5");
    const auto chosen = [&](const json& names) {
        at.clock.advance(30s);
        return at.ask("ReceiveMessage", {{"QueueUrl", at.standard}, {"MessageAttributeNames", names}})["Messages"][0];
    };
    CHECK(chosen({"Hello", "General"})["MD5OfMessageAttributes"] == "fca026605781cb4126a1e9044df24232");
    CHECK(chosen({"Hel.*"})["MD5OfMessageAttributes"] == "83fee93c1bcd8b9a5a923ffacdc636c7");
    CHECK(chosen({".*"})["MessageAttributes"].size() == 3);
    CHECK(!chosen({"Other"}).contains("MessageAttributes"));
}

TEST_CASE("fake SQS: what breaks the rules of a batch refuses all of it") {
    service at;
    const auto refused = [&](const json& entries) {
        return at.refused("SendMessageBatch", {{"QueueUrl", at.fifo}, {"Entries", entries}});
    };
    CHECK(refused(json::array()) == "EmptyBatchRequest");
    json many = json::array();
    for (int i = 0; i < 11; ++i) { many.push_back(entry(std::to_string(i), "x")); }
    CHECK(refused(many) == "TooManyEntriesInBatchRequest");
    CHECK(refused({entry("a", "x"), entry("a", "y")}) == "BatchEntryIdsNotDistinct");
    for (const auto& id : std::vector<std::string>{"", "a b", "a:b", std::string(81, 'i')}) {
        CHECK(refused({entry("a", "x"), entry(id, "y")}) == "InvalidBatchEntryId");
    }
    CHECK(refused({entry("a", std::string(1'048'575, 'x')), entry("b", "yz")}) == "BatchRequestTooLong");
    for (const auto* lost : {"MessageGroupId", "MessageDeduplicationId", "MessageBody"}) {
        auto without = entry("b", "y");
        without.erase(lost);
        CHECK(refused({entry("a", "x"), without}) == "InvalidParameterValueException");
    }
    CHECK(at.receive(at.fifo).empty());
    for (const auto* operation : {"DeleteMessageBatch", "ChangeMessageVisibilityBatch"}) {
        CHECK(at.refused(operation, {{"QueueUrl", at.fifo}, {"Entries", json::array()}}) == "EmptyBatchRequest");
        CHECK(at.refused(operation, {{"QueueUrl", at.fifo}, {"Entries", many}}) == "TooManyEntriesInBatchRequest");
    }
}

TEST_CASE("fake SQS: a bad entry fails alone, by the sender's fault, and the others are stored in order") {
    service at;
    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"MaximumMessageSize", "1024"}}}});
    auto bad_group = entry("group", "x");
    bad_group["MessageGroupId"] = "a b";
    auto delayed = entry("delay", "x");
    delayed["DelaySeconds"] = 1;
    auto hollow = entry("hollow", "x");
    hollow["MessageAttributes"] = {{"a", {{"DataType", "String"}, {"StringValue", ""}}}};
    const auto said =
        at.ask("SendMessageBatch",
               {{"QueueUrl", at.fifo},
                {"Entries",
                 {entry("one", "1"), entry("control", "a\x01"), bad_group, entry("beyond", "\xef\xbf\xbf"),
                  entry("two", "2"), delayed, hollow, entry("large", std::string(1'025, 'x')), entry("three", "3")}}});
    std::string codes;
    for (const auto& failed : said["Failed"]) {
        CHECK(failed["SenderFault"] == true);
        codes += failed["Id"].get<std::string>() + "=" + failed["Code"].get<std::string>() + " ";
    }
    CHECK(codes ==
          "control=InvalidMessageContents group=InvalidParameterValue beyond=InvalidMessageContents "
          "delay=InvalidParameterValue hollow=InvalidParameterValue large=InvalidParameterValue ");
    REQUIRE(said["Successful"].size() == 3);
    CHECK(said["Successful"][0]["SequenceNumber"] < said["Successful"][1]["SequenceNumber"]);
    CHECK(at.bodies(at.fifo) == "1 2 3 ");
    CHECK(!at.ask("SendMessageBatch", {{"QueueUrl", at.fifo}, {"Entries", {entry("four", "4")}}}).contains("Failed"));
}

TEST_CASE("fake SQS: a call of its own is refused for the same reasons") {
    service at;
    const auto refused = [&](const std::string& url, const json& more) {
        json body{{"QueueUrl", url}, {"MessageBody", "x"}};
        body.update(more);
        return at.refused("SendMessage", body);
    };
    CHECK(refused(at.standard, {{"MessageBody", ""}}) == "MissingRequiredParameterException");
    CHECK(refused(at.standard, {{"MessageBody", "\x1f"}}) == "InvalidMessageContents");
    CHECK(refused(at.standard, {{"MessageBody", std::string(1'048'577, 'x')}}) == "InvalidParameterValueException");
    CHECK(refused(at.standard, {{"MessageDeduplicationId", "id"}}) == "InvalidParameterValueException");
    CHECK(refused(at.standard, {{"DelaySeconds", 901}}) == "InvalidParameterValueException");
    CHECK(refused(at.fifo, {{"MessageDeduplicationId", "id"}}) == "MissingRequiredParameterException");
    CHECK(refused(at.fifo, {{"MessageGroupId", "g"}}) == "InvalidParameterValueException");
    CHECK(refused(at.fifo, {{"MessageGroupId", std::string(129, 'g')}, {"MessageDeduplicationId", "id"}}) ==
          "InvalidParameterValueException");
    for (const json& bad :
         {json{{"MaxNumberOfMessages", 0}}, json{{"MaxNumberOfMessages", 11}}, json{{"VisibilityTimeout", 43'201}},
          json{{"VisibilityTimeout", -1}}, json{{"WaitTimeSeconds", 21}}, json{{"ReceiveRequestAttemptId", "a"}}}) {
        json body{{"QueueUrl", at.standard}};
        body.update(bad);
        CHECK(at.refused("ReceiveMessage", body) == "InvalidParameterValueException");
    }
}

TEST_CASE("fake SQS: a duplicate is answered with the first message for five minutes, also when that is gone") {
    service at;
    const auto first = at.send("a", "g", "id");
    CHECK(at.erase(at.fifo, at.receive(at.fifo).at(0)).ok());
    at.clock.advance(5min - 1us);
    const auto again = at.send("b", "h", "id");
    CHECK(again["MessageId"] == first["MessageId"]);
    CHECK(again["SequenceNumber"] == first["SequenceNumber"]);
    CHECK(at.receive(at.fifo).empty());
    at.clock.advance(1us);
    CHECK(at.send("c", "g", "id")["MessageId"] != first["MessageId"]);
    CHECK(at.bodies(at.fifo) == "c ");
}

TEST_CASE("fake SQS: without an id the SHA-256 of the body stands for it, where the queue allows that") {
    service at;
    const auto put = [&](const std::string& body, const json& more = json::object()) {
        json request{{"QueueUrl", at.dead}, {"MessageBody", body}, {"MessageGroupId", "g"}};
        request.update(more);
        at.ask("SendMessage", request);
    };
    put("abc");
    put("abc", {{"MessageAttributes", {{"n", {{"DataType", "String"}, {"StringValue", "17"}}}}}});
    put("other", {{"MessageDeduplicationId", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}});
    put("abc", {{"MessageDeduplicationId", "mine"}});
    CHECK(at.bodies(at.dead) == "abc abc ");
}

TEST_CASE("fake SQS: a scope of groups lets each group have the id") {
    service at;
    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"DeduplicationScope", "messageGroup"}}}});
    at.send("a", "g", "id");
    at.send("b", "g", "id");
    at.send("c", "h", "id");
    CHECK(at.bodies(at.fifo) == "a c ");
}

TEST_CASE("fake SQS: a FIFO queue gives many of a group at once, and nothing of a group that has one in flight") {
    service at;
    for (const auto* body : {"a1", "b1", "a2", "b2", "a3"}) { at.send(body, std::string{body[0]}); }
    const auto first = at.receive(at.fifo, {{"MaxNumberOfMessages", 2}});
    REQUIRE(first.size() == 2);
    CHECK(first[1]["Body"] == "a2");
    CHECK(at.attribute(at.fifo, "ApproximateNumberOfMessages") == "3");
    CHECK(at.attribute(at.fifo, "ApproximateNumberOfMessagesNotVisible") == "2");
    const auto rest = at.receive(at.fifo);
    REQUIRE(rest.size() == 2);
    CHECK(rest[0]["Body"] == "b1");
    CHECK(at.receive(at.fifo).empty());
    CHECK(at.erase(at.fifo, rest[0]).ok());
    CHECK(at.receive(at.fifo).empty());
    CHECK(at.hide(at.fifo, rest[1], 0).ok());
    CHECK(at.bodies(at.fifo) == "b2 ");
    CHECK(at.hide(at.fifo, first[0], 0).ok());
    CHECK_MESSAGE(at.receive(at.fifo).empty(), "the first is visible, and the second is not");
    at.clock.advance(30s);
    CHECK(at.bodies(at.fifo) == "a1 a2 a3 b2 ");
}

TEST_CASE("fake SQS: a visibility time ends at its instant, and may not go beyond twelve hours") {
    service at;
    at.send("a");
    auto got = at.receive(at.fifo, {{"VisibilityTimeout", 5}}).at(0);
    at.clock.advance(5s - 1us);
    CHECK(at.receive(at.fifo).empty());
    CHECK(at.hide(at.fifo, got, 43'195).ok());
    at.clock.advance(1s);
    CHECK(says(at.hide(at.fifo, got, 43'200), "beyond the limit"));
    CHECK(at.refused("ChangeMessageVisibility",
                     {{"QueueUrl", at.fifo}, {"ReceiptHandle", got["ReceiptHandle"]}, {"VisibilityTimeout", 43'201}}) ==
          "InvalidParameterValueException");
    CHECK(at.hide(at.fifo, got, 0).ok());
    CHECK(at.receive(at.fifo).size() == 1);
}

TEST_CASE("fake SQS: a receipt that is over is refused by a FIFO queue, and harmless in a standard one") {
    service at;
    at.send("a");
    const auto first = at.receive(at.fifo).at(0);
    at.clock.advance(30s);
    CHECK(says(at.erase(at.fifo, first), "The receipt handle has expired"));
    CHECK(says(at.hide(at.fifo, first, 1), "The receipt handle has expired"));
    const auto second = at.receive(at.fifo).at(0);
    CHECK(second["ReceiptHandle"] != first["ReceiptHandle"]);
    CHECK(says(at.erase(at.fifo, first), "The receipt handle has expired"));
    CHECK(at.erase(at.fifo, second).ok());
    CHECK(at.erase(at.fifo, second).ok());
    CHECK(says(at.hide(at.fifo, second, 1), "not available for visibility timeout change"));

    at.ask("SendMessage", {{"QueueUrl", at.standard}, {"MessageBody", "a"}});
    const auto early = at.receive(at.standard).at(0);
    at.clock.advance(30s);
    const auto late = at.receive(at.standard).at(0);
    CHECK(at.erase(at.standard, early).ok());
    at.clock.advance(30s);
    CHECK(at.hide(at.standard, late, 10).ok());
    CHECK(at.receive(at.standard).empty());
    at.clock.advance(10s);
    CHECK(at.erase(at.standard, late).ok());
    CHECK(at.receive(at.standard).empty());
}

TEST_CASE("fake SQS: what is no receipt of the queue is invalid, in a batch each for itself") {
    service at;
    at.send("a");
    at.ask("SendMessage", {{"QueueUrl", at.standard}, {"MessageBody", "a"}});
    const auto mine = at.receive(at.fifo).at(0);
    const auto other = at.receive(at.standard).at(0);
    CHECK(at.erase(at.fifo, other).status == 404);
    CHECK(at.refused("DeleteMessage", {{"QueueUrl", at.fifo}}) == "MissingRequiredParameterException");
    const auto said = at.ask("DeleteMessageBatch", {{"QueueUrl", at.fifo},
                                                    {"Entries",
                                                     {{{"Id", "0"}, {"ReceiptHandle", other["ReceiptHandle"]}},
                                                      {{"Id", "1"}, {"ReceiptHandle", mine["ReceiptHandle"]}},
                                                      {{"Id", "2"}, {"ReceiptHandle", mine["MessageId"]}}}}});
    REQUIRE(said["Failed"].size() == 2);
    CHECK(said["Failed"][0]["Id"] == "0");
    CHECK(said["Failed"][1]["Code"] == "ReceiptHandleIsInvalid");
    CHECK(said["Successful"] == json{{{"Id", "1"}}});
    CHECK(at.receive(at.fifo).empty());
    const auto hidden = at.ask("ChangeMessageVisibilityBatch",
                               {{"QueueUrl", at.standard},
                                {"Entries",
                                 {{{"Id", "0"}, {"ReceiptHandle", other["ReceiptHandle"]}, {"VisibilityTimeout", 0}},
                                  {{"Id", "1"}, {"ReceiptHandle", other["ReceiptHandle"]}, {"VisibilityTimeout", -1}},
                                  {{"Id", "2"}, {"ReceiptHandle", "x"}, {"VisibilityTimeout", 0}}}}});
    CHECK(hidden["Failed"].size() == 2);
    CHECK(at.receive(at.standard).size() == 1);
}

TEST_CASE(
    "fake SQS: what was received so often goes behind the dead letters, with what it had, and its count goes on") {
    service at;
    const auto policy =
        json{{"deadLetterTargetArn", at.attribute(at.dead, "QueueArn")}, {"maxReceiveCount", "2"}}.dump();
    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"RedrivePolicy", policy}}}});
    CHECK(json::parse(at.attribute(at.fifo, "RedrivePolicy"))["maxReceiveCount"] == 2);
    at.ask("SendMessage", {{"QueueUrl", at.dead}, {"MessageBody", "before"}, {"MessageGroupId", "g"}});
    at.send("poison", "g", "id");
    at.send("next");
    at.clock.advance(7s);
    for (int i = 0; i < 2; ++i) {
        CHECK(at.bodies(at.fifo, {{"MaxNumberOfMessages", 1}}) == "poison ");
        CHECK(at.receive(at.dead, {{"VisibilityTimeout", 0}}).size() == 1);
        at.clock.advance(30s);
    }
    CHECK(at.bodies(at.fifo) == "next ");
    const auto letters = at.receive(at.dead);
    REQUIRE(letters.size() == 2);
    CHECK(letters[0]["Body"] == "before");
    const auto& known = letters[1]["Attributes"];
    CHECK(known["MessageGroupId"] == "g");
    CHECK(known["MessageDeduplicationId"] == "id");
    CHECK(known["ApproximateReceiveCount"] == "3");
    CHECK(known["SentTimestamp"] == "1736936000000");
    CHECK(known["DeadLetterQueueSourceArn"] == at.attribute(at.fifo, "QueueArn"));
}

TEST_CASE("fake SQS: a dead letter of a FIFO queue is kept from when it was moved, one of a standard queue as it was") {
    service at;
    const auto kept = [&](const std::string& from, const std::string& to, const json& more) {
        const auto policy = json{{"deadLetterTargetArn", at.attribute(to, "QueueArn")}, {"maxReceiveCount", 1}}.dump();
        at.ask("SetQueueAttributes", {{"QueueUrl", from}, {"Attributes", {{"RedrivePolicy", policy}}}});
        json request{{"QueueUrl", from}, {"MessageBody", "x"}};
        request.update(more);
        at.ask("SendMessage", request);
        CHECK(at.receive(from).size() == 1);
        at.clock.advance(1h);
        CHECK(at.receive(from).empty());
        at.clock.advance(95h);
        return at.receive(to).size() == 1;
    };
    CHECK(kept(at.fifo, at.dead, {{"MessageGroupId", "g"}, {"MessageDeduplicationId", "id"}}));
    CHECK(!kept(at.standard, at.make("dead", json::object()), json::object()));
}

TEST_CASE("fake SQS: a message is kept for the retention time, and dropped at its end") {
    service at;
    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"MessageRetentionPeriod", "60"}}}});
    at.send("a");
    at.send("b");
    const auto got = at.receive(at.fifo, {{"MaxNumberOfMessages", 1}}).at(0);
    at.clock.advance(60s - 1us);
    CHECK(at.attribute(at.fifo, "ApproximateNumberOfMessages") == "2");
    at.clock.advance(1us);
    CHECK(at.attribute(at.fifo, "ApproximateNumberOfMessages") == "0");
    CHECK(at.receive(at.fifo).empty());
    CHECK(at.erase(at.fifo, got).ok());
}

TEST_CASE("fake SQS: a delayed message comes late, and in a FIFO queue what is behind it in its group waits") {
    service at;
    at.ask("SendMessage", {{"QueueUrl", at.standard}, {"MessageBody", "late"}, {"DelaySeconds", 5}});
    at.ask("SendMessage", {{"QueueUrl", at.standard}, {"MessageBody", "now"}});
    CHECK(at.attribute(at.standard, "ApproximateNumberOfMessagesDelayed") == "1");
    CHECK(at.bodies(at.standard) == "now ");
    at.clock.advance(5s);
    CHECK(at.bodies(at.standard) == "late ");

    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"DelaySeconds", "5"}}}});
    at.send("a");
    at.ask("SetQueueAttributes", {{"QueueUrl", at.fifo}, {"Attributes", {{"DelaySeconds", "0"}}}});
    at.send("b");
    at.send("c", "h");
    CHECK(at.bodies(at.fifo) == "c ");
    at.clock.advance(5s);
    CHECK(at.bodies(at.fifo) == "a b ");
}

TEST_CASE("fake SQS: a repeated attempt gets the same messages and receipts for five minutes, if nothing was done") {
    service at;
    at.send("a");
    at.send("b", "h");
    const json attempt{{"ReceiveRequestAttemptId", "try-1"}};
    const auto first = at.receive(at.fifo, attempt);
    at.clock.advance(20s);
    CHECK(at.receive(at.fifo, attempt) == first);
    CHECK(at.receive(at.fifo, {{"ReceiveRequestAttemptId", "try-2"}}).empty());
    at.clock.advance(29s); // the repetition began the visibility time anew
    CHECK(at.receive(at.fifo).empty());
    SUBCASE("not when one was erased") {
        CHECK(at.erase(at.fifo, first[0]).ok());
        CHECK(at.receive(at.fifo, attempt).empty());
    }
    SUBCASE("not when the visibility of one was changed") {
        CHECK(at.hide(at.fifo, first[0], 10).ok());
        CHECK(at.receive(at.fifo, attempt).empty());
    }
    SUBCASE("not when they are visible again: then they are handed out anew") {
        at.clock.advance(1s);
        const auto anew = at.receive(at.fifo, attempt);
        REQUIRE(anew.size() == 2);
        CHECK(anew[0]["ReceiptHandle"] != first[0]["ReceiptHandle"]);
    }
    SUBCASE("not after five minutes") {
        for (int i = 0; i < 12; ++i) {
            CHECK(at.receive(at.fifo, attempt) == first);
            at.clock.advance(20s);
        }
        at.clock.advance(9s);
        CHECK(at.receive(at.fifo, attempt) == first);
        at.clock.advance(2s);
        CHECK(at.receive(at.fifo, attempt).empty());
    }
}

TEST_CASE("fake SQS: a receive that waits is woken by a message") {
    const freshet::testing::manual_clock clock;
    fake_aws::sqs sqs{[&] { return clock.now(); }, 10s};
    const json url = sqs.handle("CreateQueue", {{"QueueName", "q"}}).body["QueueUrl"];
    json got;
    {
        const std::jthread waiting{[&] {
            got = sqs.handle("ReceiveMessage", {{"QueueUrl", url}, {"WaitTimeSeconds", 20}}).body;
        }};
        CHECK(sqs.handle("SendMessage", {{"QueueUrl", url}, {"MessageBody", "x"}}).ok());
    }
    CHECK(got["Messages"].size() == 1);
}

TEST_CASE("fake SQS: of many threads, each message reaches one") {
    service at;
    constexpr std::size_t threads = 3, each = 100;
    std::atomic<std::size_t> erased{0};
    std::vector<std::vector<std::string>> seen(threads);
    {
        std::vector<std::jthread> all;
        for (std::size_t t = 0; t < threads; ++t) {
            all.emplace_back([&, t] {
                for (std::size_t i = 0; i < each; ++i) {
                    const auto body = std::to_string(t) + "/" + std::to_string(i);
                    static_cast<void>(at.sqs.handle("SendMessage", {{"QueueUrl", at.fifo},
                                                                    {"MessageBody", body},
                                                                    {"MessageGroupId", "g" + std::to_string(i % 7)},
                                                                    {"MessageDeduplicationId", body}}));
                }
                while (erased != threads * each) {
                    const auto got = at.sqs.handle("ReceiveMessage", {{"QueueUrl", at.fifo}}).body;
                    for (const auto& message : got.value("Messages", json::array())) {
                        seen[t].push_back(message["Body"]);
                        if (at.erase(at.fifo, message).ok()) { ++erased; }
                    }
                }
            });
        }
    }
    std::set<std::string> all;
    for (const auto& one : seen) { all.insert(one.begin(), one.end()); }
    CHECK(all.size() == threads * each);
    CHECK(at.attribute(at.fifo, "ApproximateNumberOfMessages") == "0");
}
