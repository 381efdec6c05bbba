#include <adapters/aws/message_queue.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/testing/manual_clock.hpp>

#include "../../laws/message_queue.hpp"
#include "sqs_bench.hpp"

namespace {

using namespace std::chrono_literals;
using adapters::aws::client;
using adapters::aws::message_queue;
using fake_aws::fault_kind;
using freshet::errc;
using nlohmann::json;
using sqs_bench::bench;
using sqs_bench::fails;
using sqs_bench::scripted_queue;

struct queues {
    bench on;
    message_queue dead_{on.open({.name = "dead"})};
    message_queue fifo_{on.open({.name = "fifo", .max_receives = 3, .dead_letters = "dead"})};
    message_queue standard_{on.open({.name = "standard", .fifo = false})};

    auto fifo() -> message_queue& { return fifo_; }
    auto dead() -> message_queue& { return dead_; }
    auto standard() -> message_queue& { return standard_; }
    auto clock() -> freshet::testing::manual_clock& { return on.clock; }
};

/// So many messages of groups of their own.
auto letters(std::size_t count, const std::string& mark = "m") -> std::vector<laws::letter> {
    std::vector<laws::letter> all;
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = std::to_string(i);
        all.push_back({"g" + mark + number, mark + number, mark + ":" + number, number});
    }
    return all;
}

auto outcome_of(const message_queue& queue, const std::vector<laws::letter>& some) {
    return queue.send(std::span<const freshet::message_view>{laws::views(some)});
}

/// Sends any number of messages of groups of their own, ten a request.
void put_all(message_queue& queue, std::size_t count) {
    for (std::size_t from = 0; from < count; from += 10) {
        const auto some = letters(std::min<std::size_t>(10, count - from), std::to_string(from) + "-");
        REQUIRE(laws::send(queue, some).empty());
    }
}

auto batch(std::string_view operation) -> std::string { return std::string{operation} + "MessageBatch"; }

} // namespace

FRESHET_MESSAGE_QUEUE_LAWS(queues);

TEST_CASE("entries that the service refuses are named by their places in the request, the local ones among them") {
    bench on;
    auto queue = on.open({.name = "q"});
    auto some = letters(10);
    some[1].body = "";
    some[4].group = "";
    // of the eight that are sent, the places 0, 2 and 7: of the request, 0, 3 and 9
    on.fail({.kind = fault_kind::refused, .operation = batch("Send"), .sender_fault = true,
             .chosen = fake_aws::at({0, 2})});
    auto refused = laws::send(queue, some);
    REQUIRE(refused.size() == 4);
    CHECK(refused[0].entry == 0);
    CHECK(refused[1].entry == 1);
    CHECK(refused[2].entry == 3);
    CHECK(refused[3].entry == 4);
    for (const auto& each : refused) {
        CHECK(each.why.code == errc::malformed);
        CHECK(!each.retry_helps);
    }
    CHECK(queue.size().value_or(0) == 6);

    on.fail({.kind = fault_kind::refused, .operation = batch("Send"), .chosen = fake_aws::at({7})});
    refused = laws::send(queue, some);
    REQUIRE(refused.size() == 3);
    CHECK(refused[2].entry == 9);
    CHECK(refused[2].why.code == errc::unavailable);
    CHECK(refused[2].retry_helps);
    CHECK(queue.size().value_or(0) == 8);
}

TEST_CASE("an entry refused for its rate may be taken another time, whosever fault the service calls it") {
    bench on;
    auto queue = on.open({.name = "q"});
    for (const bool sender_fault : {true, false}) {
        on.fail({.kind = fault_kind::refused, .operation = batch("Send"), .name = "RequestThrottled",
                 .sender_fault = sender_fault, .chosen = fake_aws::at({1})});
        const auto refused = laws::send(queue, letters(3));
        REQUIRE(refused.size() == 1);
        CHECK(refused[0].entry == 1);
        CHECK(refused[0].why.code == errc::throttled);
        CHECK(refused[0].retry_helps);
    }
}

TEST_CASE("an entry that was not allowed is no fault of the message: the call is denied") {
    bench on;
    auto queue = on.open({.name = "q"});
    on.fail({.kind = fault_kind::refused, .operation = batch("Send"), .name = "KmsAccessDenied", .sender_fault = true});
    fails(outcome_of(queue, letters(2)), errc::denied, "queue q.fifo: KmsAccessDenied");
}

TEST_CASE("a refusal means what its code says, or its words where a code has several meanings") {
    using adapters::aws::code_of_failed_entry;
    CHECK(code_of_failed_entry("AWS.SimpleQueueService.InternalError", "", false) == errc::unavailable);
    CHECK(code_of_failed_entry("SomethingNew", "", false) == errc::unavailable);
    CHECK(code_of_failed_entry("SomethingNew", "", true) == errc::malformed);
    CHECK(code_of_failed_entry("InvalidMessageContents", "", true) == errc::malformed);
    CHECK(code_of_failed_entry("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be "
                                                        "shorter than 1024 bytes.", true) == errc::too_large);
    const std::string value = "Value x for parameter ReceiptHandle is invalid. Reason: ";
    for (const auto* code : {"InvalidParameterValue", "ReceiptHandleIsInvalid"}) {
        CHECK(code_of_failed_entry(code, value + "The receipt handle has expired.", true) == errc::expired);
        CHECK(code_of_failed_entry(code, value + "Message does not exist or is not available for visibility timeout "
                                                 "change.", true) == errc::expired);
        CHECK(code_of_failed_entry(code, "The receipt handle \"x\" is not valid for this queue.", true) ==
              errc::malformed);
    }
    CHECK(code_of_failed_entry("AWS.SimpleQueueService.MessageNotInflight", "", true) == errc::expired);
}

TEST_CASE("a whole request that fails says how, and is tried again where that may help") {
    bench on;
    auto queue = on.open({.name = "q"});
    const auto tries = on.server.settings().retries.retries + 1;
    struct failure {
        fake_aws::fault what;
        errc code;
        std::size_t requests;
    };
    for (const auto& [what, code, requests] : {
             failure{{.kind = fault_kind::throttled}, errc::throttled, tries},
             failure{{.kind = fault_kind::error_json}, errc::unavailable, tries},
             failure{{.kind = fault_kind::error_xml}, errc::unavailable, tries},
             failure{{.kind = fault_kind::error_empty}, errc::unavailable, tries},
             failure{{.kind = fault_kind::html}, errc::denied, 1},
             failure{{.kind = fault_kind::expired}, errc::denied, 1},
             failure{{.kind = fault_kind::error_json, .name = "BatchRequestTooLong", .status = 400}, errc::too_large,
                     1},
             failure{{.kind = fault_kind::error_json, .name = "AccessDeniedException", .status = 403}, errc::denied, 1},
             failure{{.kind = fault_kind::error_json, .name = "QueueDoesNotExist", .status = 400}, errc::denied, 1},
         }) {
        const auto before = on.server.requests("SendMessageBatch");
        auto always = what;
        always.operation = "SendMessageBatch";
        always.times = fake_aws::always;
        on.fail(always);
        fails(outcome_of(queue, letters(3)), code, "queue q.fifo: ");
        CHECK(on.server.requests("SendMessageBatch") - before == requests);
        on.server.faults().clear();
    }
    CHECK(queue.size().value_or(9) == 0);
    CHECK(laws::send(queue, letters(3)).empty());
}

TEST_CASE("a send whose answer is lost, cut or late is repeated, and stores nothing twice") {
    for (const auto kind : {fault_kind::dropped, fault_kind::cut, fault_kind::error_json, fault_kind::error_empty}) {
        CAPTURE(static_cast<int>(kind));
        bench on;
        auto queue = on.open({.name = "q"});
        on.fail({.kind = kind, .operation = batch("Send"), .done = kind != fault_kind::cut});
        CHECK(laws::send(queue, {{"g", "", "one", {}}, {"g", "", "two", {}}}).empty());
        CHECK(on.server.requests("SendMessageBatch") == 2);
        CHECK(laws::told(laws::drain(queue)) == "one two");
    }
}

TEST_CASE("a receive whose answer is lost is repeated, and gives the same messages, which can be erased") {
    for (const auto kind : {fault_kind::dropped, fault_kind::cut, fault_kind::error_empty}) {
        CAPTURE(static_cast<int>(kind));
        bench on;
        auto queue = on.open({.name = "q"});
        REQUIRE(laws::send(queue, {{"g", "", "one", {}}, {"g", "", "two", {}}, {"h", "", "three", {}}}).empty());
        on.fail({.kind = kind, .operation = "ReceiveMessage", .done = kind != fault_kind::cut});
        const auto got = laws::take(queue);
        CHECK(on.server.requests("ReceiveMessage") == 2);
        CHECK(laws::told(got) == "one two three");
        CHECK(laws::erase(queue, laws::receipts(got)).empty());
        CHECK(queue.size().value_or(9) == 0);
    }
}

TEST_CASE("erase and change_visibility survive a lost answer") {
    bench on;
    auto queue = on.open({.name = "q"});
    laws::put(queue, "g", "x");
    const auto got = laws::take_one(queue);
    on.fail({.kind = fault_kind::dropped, .operation = "ChangeMessageVisibilityBatch", .done = true});
    CHECK(laws::hide(queue, {got.receipt}, 1h).empty());
    on.clock.advance(59min);
    on.fail({.kind = fault_kind::dropped, .operation = "DeleteMessageBatch", .done = true});
    CHECK(laws::erase(queue, {got.receipt}).empty());
    CHECK(queue.size().value_or(9) == 0);
}

TEST_CASE("an answer that does not mention each entry once leaves the outcome unknown") {
    scripted_queue at;
    auto queue = at.open();
    for (const auto* answer :
         {R"({})", R"({"Successful":[{"Id":"0"}]})", R"({"Failed":[{"Id":"1","SenderFault":true,"Code":"x"}]})",
          R"({"Successful":[{"Id":"0"},{"Id":"2"}]})", R"({"Successful":[{"Id":"0"},{"Id":"0"}]})",
          R"({"Successful":[{"Id":"0"},{"Id":"1"}],"Failed":[{"Id":"1","SenderFault":true,"Code":"x"}]})",
          R"({"Successful":[{"Id":"0"},{"Id":"1"},{"Id":"-1"}]})", R"({"Successful":[{"Id":0},{"Id":1}]})",
          R"({"Successful":[{"Id":"0"},{"Id":"1"},{"Id":"99999999999999999999"}]})",
          R"({"Successful":{"Id":"0"},"Failed":null})", R"({"Successful":[null,7,"x",[],{"Id":""}]})", "{"}) {
        CAPTURE(answer);
        at.answer(answer);
        fails(outcome_of(queue, letters(2)), errc::unavailable, "queue scripted.fifo");
    }
    for (const auto* answer : {R"({"Successful":[{"Id":"0"},{"Id":"1"}]})",
                               R"({"Successful":[{"Id":"1"},{"Id":"0"}],"Failed":[]})",
                               R"({"Failed":null,"Successful":[{"Id":"0","MessageId":7},{"Id":"1"}]})"}) {
        CAPTURE(answer);
        at.answer(answer);
        CHECK(laws::send(queue, letters(2)).empty());
    }
    at.answer(R"({"Failed":[{"Id":"1"},{"Id":"0","SenderFault":"yes","Code":7,"Message":"a\nb"}]})");
    const auto refused = laws::send(queue, letters(2));
    REQUIRE(refused.size() == 2);
    CHECK(refused[0].entry == 0);
    CHECK(refused[0].why.note.find('\n') == std::string::npos);
    CHECK(refused[1].retry_helps);
}

TEST_CASE("a message in an answer needs an id, a receipt and a body; the rest may lack or be anything") {
    scripted_queue at;
    auto queue = at.open();
    for (const auto* answer : {R"({"Messages":[7]})", R"({"Messages":[{}]})",
                               R"({"Messages":[{"MessageId":"a","Body":"b"}]})",
                               R"({"Messages":[{"MessageId":"a","ReceiptHandle":"r"}]})",
                               R"({"Messages":[{"MessageId":"a","ReceiptHandle":7,"Body":"b"}]})"}) {
        CAPTURE(answer);
        at.answer(answer);
        fails(queue.receive({}), errc::malformed, "queue scripted.fifo: ");
    }
    for (const auto* answer : {"{}", R"({"Messages":null})", R"({"Messages":[]})", R"({"Messages":{}})"}) {
        CAPTURE(answer);
        at.answer(answer);
        CHECK(laws::take(queue).empty());
    }
    for (const auto* rest :
         {"", R"(,"Attributes":null,"MessageAttributes":[1])",
          R"(,"Attributes":{"ApproximateReceiveCount":7,"SentTimestamp":"x"},
              "MessageAttributes":{"sequence_number":7})",
          R"(,"Attributes":{"ApproximateReceiveCount":"-1","SentTimestamp":"-5"},
              "MessageAttributes":{"sequence_number":{"BinaryValue":"AA=="}})"}) {
        CAPTURE(rest);
        at.answer(R"({"Messages":[{"MessageId":"a","ReceiptHandle":"r","Body":"b")" + std::string{rest} + "}]}");
        const auto got = laws::take_one(queue);
        CHECK(got.receive_count == 1);
        CHECK(got.sent_at == freshet::time_point{});
        CHECK(got.sequence.empty());
        CHECK(got.group_id.empty());
    }
    at.answer(R"({"Messages":[{"MessageId":"a","ReceiptHandle":"r","Body":"b","Attributes":
        {"ApproximateReceiveCount":"9223372036854775807","SentTimestamp":"9223372036854775807"}}]})");
    CHECK(laws::take_one(queue).receive_count == 1'000'000'000);
}

TEST_CASE("each receive of a FIFO queue has an attempt of its own; a standard queue has none") {
    scripted_queue fifo;
    auto queue = fifo.open({.wait = 1500ms});
    std::set<std::string> attempts;
    for (int i = 0; i < 10; ++i) { static_cast<void>(laws::take(queue, {.limit = 3, .visibility = 90s + 1us})); }
    for (const auto& request : fifo.requests()) {
        CHECK(request["MaxNumberOfMessages"] == 3);
        CHECK(request["WaitTimeSeconds"] == 2);
        CHECK(request["VisibilityTimeout"] == 91);
        const auto attempt = request["ReceiveRequestAttemptId"].get<std::string>();
        CHECK(attempt.size() <= 128);
        attempts.insert(attempt);
    }
    CHECK(attempts.size() == 10);

    scripted_queue standard{false};
    auto other = standard.open();
    static_cast<void>(laws::take(other));
    const auto requests = standard.requests();
    REQUIRE(requests.size() == 1);
    CHECK(!requests[0].contains("ReceiveRequestAttemptId"));
    CHECK(!requests[0].contains("VisibilityTimeout"));
    CHECK(requests[0]["WaitTimeSeconds"] == 0);
}

TEST_CASE("what is sent: ids that are places, the sequence number as an attribute, the body's digest as an id") {
    scripted_queue fifo;
    auto queue = fifo.open();
    fifo.answer(R"({"Successful":[{"Id":"0"},{"Id":"1"}]})");
    REQUIRE(laws::send(queue, {{"g", "id", "a", "17"}, {"g", "", "b", {}}}).empty());
    const auto entries = fifo.requests().at(0)["Entries"];
    REQUIRE(entries.size() == 2);
    const json attributes{{"sequence_number", {{"DataType", "String"}, {"StringValue", "17"}}}};
    const json first{{"Id", "0"}, {"MessageBody", "a"}, {"MessageGroupId", "g"}, {"MessageDeduplicationId", "id"},
                     {"MessageAttributes", attributes}};
    CHECK(entries[0] == first);
    const auto digits = freshet::hex(freshet::sha256_of("b"));
    const json second{{"Id", "1"}, {"MessageBody", "b"}, {"MessageGroupId", "g"},
                      {"MessageDeduplicationId", std::string{digits.data(), digits.size()}}};
    CHECK(entries[1] == second);

    scripted_queue standard{false};
    auto other = standard.open();
    standard.answer(R"({"Successful":[{"Id":"0"}]})");
    REQUIRE(laws::send(other, {{"", "id", "a", {}}}).empty());
    CHECK(standard.requests().at(0)["Entries"][0] == json{{"Id", "0"}, {"MessageBody", "a"}});
}

TEST_CASE("a queue's own message size refuses an entry alone, and nothing is sent where no entry is left") {
    bench on;
    auto queue = on.open({.name = "small", .limits = {.message_bytes = 1024}});
    CHECK(queue.limits().message_bytes == 1024);
    CHECK(queue.limits().request_bytes == 1'048'576);
    const auto refused = laws::send(
        queue, {{"g", "a", std::string(1024, 'x'), {}}, {"g", "b", std::string(1025, 'x'), {}}, {"g", "c", "c", {}}});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].entry == 1);
    CHECK(refused[0].why.code == errc::too_large);
    CHECK(!refused[0].retry_helps);
    CHECK(queue.size().value_or(0) == 2);
    const auto before = on.server.requests("SendMessageBatch");
    CHECK(laws::send(queue, {{"g", "b", std::string(1025, 'x'), {}}, {"", "c", "c", {}}}).size() == 2);
    CHECK(on.server.requests("SendMessageBatch") == before);
}

TEST_CASE("a full mebibyte of characters that JSON escapes comes back as it was sent") {
    bench on;
    auto queue = on.open({.name = "q"});
    std::string body;
    while (body.size() + 16 <= 1'048'576) { body += "\"\\\n\t{\"S\":\"\xf0\x9f\x98\x80\"}"; }
    body.resize(1'048'576, 'x');
    laws::put(queue, "g", body, "id");
    CHECK(laws::take_one(queue).body == body);
}

TEST_CASE("a limit above ten takes further requests as long as they come full, and gives what came before a failure") {
    bench on;
    auto queue = on.open({.name = "q"});
    put_all(queue, 25);
    auto asked = [&, before = std::size_t{0}]() mutable {
        const auto now = on.server.requests("ReceiveMessage");
        return now - std::exchange(before, now);
    };
    CHECK(laws::take(queue, {.limit = 0}).empty());
    CHECK(asked() == 0);
    CHECK(laws::take(queue, {.limit = 100, .visibility = 1s}).size() == 25);
    CHECK(asked() == 3);
    on.clock.advance(1s);
    CHECK(laws::take(queue, {.limit = 12, .visibility = 1s}).size() == 12);
    CHECK(asked() == 2);
    on.clock.advance(1s);
    CHECK(laws::take(queue, {.limit = 10, .visibility = 1s}).size() == 10);
    CHECK(asked() == 1);
    on.clock.advance(1s);
    CHECK_MESSAGE(laws::take(queue, {.limit = 100, .visibility = 0s}).size() == 10, "no message twice in one call");
    CHECK(asked() == 1);
    on.fail({.kind = fault_kind::error_json, .operation = "ReceiveMessage", .times = fake_aws::always, .after = 1});
    CHECK(laws::take(queue, {.limit = 100}).size() == 10);
    fails(queue.receive({.limit = 100}), errc::unavailable, "queue q.fifo: ");
}

TEST_CASE("a message cannot be held longer than twelve hours in all") {
    bench on;
    auto queue = on.open({.name = "q"});
    laws::put(queue, "g", "x");
    const auto got = laws::take_one(queue, {.visibility = freshet::duration::max()});
    on.clock.advance(12h - 1us);
    CHECK(laws::take(queue).empty());
    const auto refused = laws::hide(queue, {got.receipt}, 1h);
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].why.code == errc::expired);
    CHECK(laws::take(queue).empty());
    on.clock.advance(1us);
    CHECK(laws::take_one(queue).receive_count == 2);
}

TEST_CASE("receipts: any number, ten a request, each once, and none that no queue could have given") {
    bench on;
    auto queue = on.open({.name = "q"});
    put_all(queue, 25);
    auto receipts = laws::receipts(laws::take(queue, {.limit = 25}));
    REQUIRE(receipts.size() == 25);
    receipts.push_back(receipts[3]);
    receipts.emplace_back("nothing");
    receipts.push_back("nothing");
    receipts.push_back({"a\0b", 3});
    receipts.push_back(std::string(5000, 'x'));
    receipts.emplace_back("caf\xc3");
    const auto before = on.server.requests("DeleteMessageBatch");
    const auto refused = laws::erase(queue, receipts);
    CHECK(on.server.requests("DeleteMessageBatch") - before == 3);
    REQUIRE(refused.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(refused[i].entry == 26 + i);
        CHECK(refused[i].why.code == errc::malformed);
        CHECK(!refused[i].retry_helps);
    }
    CHECK(queue.size().value_or(9) == 0);
    CHECK(laws::erase(queue, {}).empty());
    CHECK(on.server.requests("DeleteMessageBatch") - before == 3);
    const std::vector<std::string> eleven(11, receipts[0]);
    CHECK(laws::erase(queue, eleven).empty());
    CHECK_MESSAGE(on.server.requests("DeleteMessageBatch") - before == 4, "one receipt is one entry");

    on.fail({.kind = fault_kind::error_json, .operation = "DeleteMessageBatch", .times = fake_aws::always, .after = 1});
    fails(queue.erase(std::span<const std::string>{receipts}), errc::unavailable, "queue q.fifo: ");
}

TEST_CASE("a receipt that the service cannot see to now is refused, and may be tried again") {
    bench on;
    auto queue = on.open({.name = "q"});
    laws::put(queue, "g", "x");
    laws::put(queue, "h", "y");
    const auto got = laws::take(queue);
    on.fail({.kind = fault_kind::refused, .operation = "DeleteMessageBatch", .chosen = fake_aws::at({1})});
    const auto refused = laws::erase(queue, laws::receipts(got));
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].entry == 1);
    CHECK(refused[0].why.code == errc::unavailable);
    CHECK(refused[0].retry_helps);
    CHECK(laws::erase(queue, laws::receipts(got)).empty());
}

TEST_CASE("opening asks once what the queue is; what is not there, or not ours to see, is denied in one line") {
    bench on;
    const auto url = on.open({.name = "q", .fifo = false, .visibility = 7s}).url();
    const auto before = on.server.requests("GetQueueAttributes");
    const auto queue = message_queue::open(on.by, url);
    REQUIRE(queue.ok());
    CHECK(on.server.requests("GetQueueAttributes") - before == 1);
    CHECK(queue->about().name == "q");
    CHECK(!queue->about().fifo);
    CHECK(queue->about().visibility == 7s);
    fails(message_queue::open(on.by, on.server.endpoint() + "/123456789012/none.fifo"), errc::denied,
          "queue none.fifo: there is no such queue");
    fails(message_queue::open(on.by, ""), errc::denied, "no such queue");
    fails(message_queue::open(on.by, "no\nURL\xff"), errc::denied, "queue no\\x0aURL");
    on.fail({.kind = fault_kind::error_json, .times = fake_aws::always});
    fails(message_queue::open(on.by, url), errc::unavailable, "queue q: ");
}

TEST_CASE("the size counts what is visible, in flight and delayed") {
    bench on;
    auto queue = on.open({.name = "q"});
    put_all(queue, 7);
    CHECK(laws::take(queue, {.limit = 3}).size() == 3);
    CHECK(queue.size().value_or(0) == 7);
}

TEST_CASE("of many threads, each message reaches one, and those of a group in order") {
    constexpr std::size_t groups = 4, each = 30;
    bench on;
    auto queue = on.open({.name = "q"});
    std::atomic<std::size_t> left{groups * each};
    std::atomic<int> failures{0};
    std::mutex log_lock;
    std::map<std::string, std::vector<std::string>> log;
    {
        std::vector<std::jthread> threads;
        for (std::size_t g = 0; g < groups; ++g) {
            threads.emplace_back([&, g] {
                for (std::size_t i = 0; i < each; ++i) {
                    const laws::letter one{"g" + std::to_string(g), "", std::to_string(g * each + i), {}};
                    const auto sent = outcome_of(queue, {one});
                    failures += sent.ok() && sent->empty() ? 0 : 1;
                }
            });
        }
        for (int r = 0; r < 3; ++r) {
            threads.emplace_back([&] {
                while (left != 0 && failures == 0) {
                    const auto got = queue.receive({.limit = 4});
                    failures += got.ok() ? 0 : 1;
                    if (!got.ok() || got->empty()) { continue; }
                    {
                        const std::scoped_lock lock{log_lock};
                        for (const auto& message : *got) { log[message.group_id].push_back(message.body); }
                    }
                    const auto receipts = laws::receipts(*got);
                    const auto erased = queue.erase(receipts);
                    failures += erased.ok() && erased->empty() ? 0 : 1;
                    left -= got->size();
                }
            });
        }
    }
    CHECK(failures == 0);
    for (std::size_t g = 0; g < groups; ++g) {
        std::vector<std::string> expected;
        for (std::size_t i = 0; i < each; ++i) { expected.push_back(std::to_string(g * each + i)); }
        CHECK((log["g" + std::to_string(g)] == expected));
    }
}
