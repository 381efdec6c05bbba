#include <receipts/change_processor.hpp>

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/change_stream.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/memory/message_queue.hpp>
#include <adapters/queue_rules.hpp>
#include <fake_aws/server.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/stream/pump.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <lambda/stream_processor.hpp>
#include <stream_to_fifo/backends.hpp>
#include <stream_to_fifo/settings.hpp>

namespace {

using freshet::testing::manual_clock;
using queue = adapters::memory::message_queue<manual_clock>;

const support::log quiet{static_cast<support::log_level>(99)};

/// Is set while it lives.
class environment_variable {
public:
    environment_variable(const char* name, const std::string& value) : name_{name} {
        REQUIRE(::setenv(name, value.c_str(), 1) == 0);
    }
    environment_variable(const environment_variable&) = delete;
    auto operator=(const environment_variable&) -> environment_variable& = delete;
    ~environment_variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

} // namespace

TEST_CASE("a queue that does not keep the order is denied and named, one that does is fine") {
    CHECK(receipts::check_order_is_kept({.name = "lines.fifo"}).ok());
    const auto standard = receipts::check_order_is_kept({.name = "lines", .fifo = false});
    REQUIRE(!standard.ok());
    CHECK(standard.why().code == freshet::errc::denied);
    CHECK(standard.why().note == "queue lines: is no FIFO queue");
}

TEST_CASE("lines and words are not sent to standard queues at SQS; dead letters may be") {
    manual_clock clock;
    fake_aws::server server{[&] { return clock.now(); }};
    const adapters::aws::client by{server.settings()};
    const auto made = [&](const char* name, bool fifo) {
        auto url = adapters::aws::create_queue(by, {.name = name, .fifo = fifo});
        REQUIRE(url.ok());
        return *url;
    };
    const auto kept = made("kept", true);
    const auto also_kept = made("also-kept", true);
    const auto standard = made("standard", false);
    const auto open_in_lambda = [&](const stream_to_fifo::queue_urls& urls) {
        const environment_variable lines{"LINES_QUEUE_URL", urls.lines};
        const environment_variable words{"WORDS_QUEUE_URL", urls.words};
        const environment_variable dead{"DEAD_LETTER_QUEUE_URL", urls.dead_letters};
        return lambda::detail::sqs_stream_processor{server.settings()}.open({}, quiet);
    };
    const stream_to_fifo::queue_urls good{kept, also_kept, standard};
    CHECK(stream_to_fifo::open_queues(by, good).ok());
    CHECK(open_in_lambda(good).ok());
    for (const auto& urls : {stream_to_fifo::queue_urls{standard, kept, {}}, {kept, standard, {}}}) {
        const auto queues = stream_to_fifo::open_queues(by, urls);
        const auto in_lambda = open_in_lambda(urls);
        REQUIRE(!queues.ok());
        REQUIRE(!in_lambda.ok());
        for (const auto& why : {queues.why(), in_lambda.why()}) {
            CHECK(why.code == freshet::errc::denied);
            CHECK(why.note == "queue standard: is no FIFO queue");
        }
    }
}

TEST_CASE("a change whose image nobody can read is a dead letter, and those around it are sent") {
    manual_clock clock;
    fake_aws::server server{[&] { return clock.now(); }};
    const adapters::aws::client by{server.settings()};
    REQUIRE(adapters::aws::create_table(by, {.name = "receipts"}, {.stream = true}).ok());
    REQUIRE(adapters::aws::create_table(by, {.name = "state", .partition = "id", .sort = ""}).ok());
    using stream_type = adapters::aws::change_stream<manual_clock>;
    auto stream = stream_type::open(by, clock, {.name = "receipts"}, {.checkpoints = "state"});
    REQUIRE(stream.ok());
    queue lines{clock, {.name = "lines"}};
    queue words{clock, {.name = "words"}};
    queue dead{clock, {.name = "dead"}};
    receipts::change_processor<queue, manual_clock> process{lines, words, &dead, clock, {}, quiet};
    freshet::pump pump{*stream, process, clock, {.batch = 2}};
    REQUIRE(pump.start().ok());

    adapters::aws::table table{by, {.name = "receipts"}};
    for (int word = 1; word <= 5; ++word) {
        const auto text = R"({"PK":{"S":"IMAGE#550e8400-e29b-41d4-a716-446655440000"},)"
                          R"("SK":{"S":"RECEIPT#00001#LINE#00001#WORD#0000)" +
                          std::to_string(word) + R"(#LABEL#TOTAL"},"validation_status":{"S":"VALID"}})";
        const auto item = freshet::document::parse(text);
        REQUIRE(item.ok());
        REQUIRE(table.put(*item).ok());
        REQUIRE(
            table.erase({std::string{item->image().find("PK")->text()}, std::string{item->image().find("SK")->text()}})
                .ok());
        if (word != 3) { continue; }
        server.dynamodb().spoil_newest_record(
            "receipts", [](nlohmann::json& record) { record["dynamodb"]["OldImage"]["odd"]["Q"] = "?"; });
    }
    const auto done = pump.drain();
    REQUIRE(done.ok());
    CHECK(done->response.success());
    CHECK(done->dead_lettered == 1);
    CHECK(done->failed == 0);
    CHECK(done->changed + done->unchanged + done->ignored == 9);
    CHECK(done->messages_sent == words.size());
    CHECK(done->messages_sent >= 4); // of the other removals
    const auto letters = dead.receive({.limit = 10});
    REQUIRE(letters.ok());
    REQUIRE(letters->size() == 1);
    const auto letter = freshet::parse_dead_letter(letters->front().body);
    REQUIRE(letter.ok());
    CHECK(letter->bytes.find(R"("odd":{"Q":"?"})") != std::string::npos);
    CHECK(letter->bytes.find("#WORD#00003#") != std::string::npos);
    CHECK(letter->complete);
}
