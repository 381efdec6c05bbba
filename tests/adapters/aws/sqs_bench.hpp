#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <fake_aws/server.hpp>
#include <support/http_server.hpp>

namespace sqs_bench {

using namespace std::chrono_literals;
using adapters::queue_options;
using adapters::aws::client;
using adapters::aws::message_queue;
using adapters::aws::message_queue_options;
using freshet::errc;

/// A server with a clock, and a client of it.
struct bench {
    freshet::testing::manual_clock clock;
    fake_aws::server server{[this] { return clock.now(); }};
    client by{server.settings()};

    /// Makes the queue and opens it.
    [[nodiscard]] auto open(const queue_options& wanted, message_queue_options options = {}) -> message_queue {
        const auto url = adapters::aws::create_queue(by, wanted);
        REQUIRE_MESSAGE(url.ok(), (url.ok() ? "" : url.why().note));
        auto opened = message_queue::open(by, *url, options);
        REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.why().note));
        return *std::move(opened);
    }
    void fail(fake_aws::fault one) { server.faults().add(std::move(one)); }
};

/// A queue of which a test writes the answers; it keeps the requests.
class scripted_queue {
public:
    explicit scripted_queue(bool fifo = true)
        : by_{settings()}, url_{server_.endpoint() + "/1/scripted" + (fifo ? ".fifo" : "")} {}

    /// The answer to every request from now on, but for that of opening.
    void answer(std::string body) {
        const std::scoped_lock lock{guard_};
        body_ = std::move(body);
    }
    [[nodiscard]] auto open(message_queue_options options = {}) -> message_queue {
        auto opened = message_queue::open(by_, url_, options);
        REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.why().note));
        return *std::move(opened);
    }
    [[nodiscard]] auto requests() -> std::vector<nlohmann::json> {
        const std::scoped_lock lock{guard_};
        return std::exchange(requests_, {});
    }

private:
    [[nodiscard]] auto settings() const -> adapters::aws::settings {
        adapters::aws::settings given{.region = "us-east-1", .keys = {"id", "secret"}, .endpoint = server_.endpoint()};
        given.retries.retries = 0;
        return given;
    }
    [[nodiscard]] auto serve(const support::http_request& request) -> support::http_response {
        const std::scoped_lock lock{guard_};
        const support::http_headers json{{"Content-Type", "application/x-amz-json-1.0"}};
        const bool opening = request.header("x-amz-target") == "AmazonSQS.GetQueueAttributes";
        if (opening) { return {200, R"({"Attributes":{}})", json}; }
        requests_.push_back(nlohmann::json::parse(request.body));
        return {200, body_, json};
    }

    std::mutex guard_;
    std::string body_{"{}"};
    std::vector<nlohmann::json> requests_;
    support::http_server server_{[this](const support::http_request& request) { return serve(request); }};
    client by_;
    std::string url_;
};

/// The failure is this one, and its note is one line with these words in it.
template <class T>
void fails(const freshet::result<T>& what, errc code, std::string_view words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}

} // namespace sqs_bench
