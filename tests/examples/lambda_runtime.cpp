#include <lambda/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <support/lambda_runtime.hpp>

namespace {

using freshet::errc;
using freshet::result;
using lambda::invocation;
using nlohmann::json;
using support::lambda_runtime;

const support::log quiet{static_cast<support::log_level>(99)};

/// A runtime that serves in a thread of its own.
class served {
public:
    served(const lambda_runtime& service, lambda::function call)
        : api_{service.address()}, thread_{[this, run = std::move(call)] {
              code_ = lambda::serve(api_, run, stop_.get_token(), quiet);
          }} {}
    served(const served&) = delete;
    auto operator=(const served&) -> served& = delete;
    ~served() { stop_.request_stop(); }

    void ask_to_stop() { stop_.request_stop(); }
    /// Waits for its end.
    [[nodiscard]] auto code() -> int {
        thread_.join();
        return code_;
    }
    [[nodiscard]] auto stopped() -> int {
        ask_to_stop();
        return code();
    }

private:
    lambda::runtime_api api_;
    std::stop_source stop_;
    int code_{-1};
    std::jthread thread_;
};

auto echo(const invocation& event, const std::stop_token&) -> result<std::string> { return "<" + event.payload + ">"; }

/// What becomes of invocations with these payloads.
auto answers_to(const std::vector<std::string>& payloads, const lambda::function& call)
    -> std::vector<lambda_runtime::answer> {
    lambda_runtime service;
    for (const auto& each : payloads) { service.add(each); }
    served runtime{service, call};
    REQUIRE(service.wait_for_answers(payloads.size()));
    CHECK(runtime.stopped() == 0);
    return service.answers();
}

/// What becomes of one invocation with these header fields; the function must not be called.
auto answers_to(support::http_headers headers) -> std::pair<std::vector<lambda_runtime::answer>, int> {
    lambda_runtime service;
    service.add({"payload", std::move(headers)});
    service.add("good");
    std::vector<std::string> called;
    served runtime{service, [&](const invocation& event, const std::stop_token&) -> result<std::string> {
                       called.push_back(event.payload);
                       service.fail("next", {.status = 500}); // the end
                       return event.payload;
                   }};
    const auto code = runtime.code();
    for (const auto& each : called) { CHECK(each == "good"); }
    return {service.answers(), code};
}

} // namespace

TEST_CASE("ten thousand invocations are each answered once, in order, by their ids, whatever connections do") {
    constexpr std::size_t count = 10'000;
    lambda_runtime service;
    service.close_after_every(97);
    std::thread adds{[&] {
        for (std::size_t i = 1; i <= count; ++i) { service.add(std::to_string(i)); }
    }};
    served runtime{service, [](const invocation& event, const std::stop_token&) -> result<std::string> {
                       if (event.payload != event.request_id) { return freshet::error{errc::failed, "another's"}; }
                       if (event.payload.ends_with("7")) { return freshet::error{errc::malformed, event.payload}; }
                       if (event.payload.ends_with("8")) { throw std::runtime_error{event.payload}; }
                       return event.payload;
                   }};
    const bool done = service.wait_for_answers(count);
    adds.join();
    REQUIRE(done);
    CHECK(runtime.stopped() == 0);
    CHECK(service.connections() > count / 97);
    CHECK(service.refused() == 0);
    const auto answers = service.answers();
    REQUIRE(answers.size() == count);
    std::size_t wrong = 0;
    for (std::size_t i = 1; i <= count; ++i) {
        const auto id = std::to_string(i);
        const auto& answer = answers[i - 1];
        const bool fails = id.ends_with("7") || id.ends_with("8");
        const bool good = answer.id == id && answer.what == (fails ? "error" : "response") &&
                          (fails ? json::parse(answer.body)["errorMessage"] == id : answer.body == id);
        wrong += good ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("one connection serves them all, as long as nobody closes it") {
    lambda_runtime service;
    for (int i = 0; i < 100; ++i) { service.add("x"); }
    served runtime{service, echo};
    REQUIRE(service.wait_for_answers(100));
    CHECK(service.connections() == 1);
    CHECK(runtime.stopped() == 0);
}

TEST_CASE("a function gets the payload as it came, also bytes of all kinds, nothing, and 6 MB") {
    const std::vector<std::string> payloads{
        "", std::string{"a\0b\r\n\xff", 6}, std::string(6 * 1024 * 1024, 'x'), R"({"a":1})"};
    const auto answers = answers_to(payloads, echo);
    REQUIRE(answers.size() == payloads.size());
    for (std::size_t i = 0; i < payloads.size(); ++i) { CHECK((answers[i].body == "<" + payloads[i] + ">")); }
}

TEST_CASE("deadline, function and trace are passed on; the trace is in the environment for its invocation alone") {
    lambda_runtime service;
    service.add({"1", lambda_runtime::headers_of("a-1", "1736937000123", "Root=1-5759e988;Sampled=1")});
    service.add({"2", lambda_runtime::headers_of("a-2", "1736937000124")});
    service.add({"3", lambda_runtime::headers_of("a-3", "1736937000125", "Root=3")});
    std::vector<invocation> seen;
    std::vector<std::string> traces;
    {
        served runtime{service, [&](const invocation& event, const std::stop_token&) -> result<std::string> {
                           const char* const trace = std::getenv("_X_AMZN_TRACE_ID");
                           traces.emplace_back(trace == nullptr ? "(not set)" : trace);
                           seen.push_back(event);
                           return "";
                       }};
        REQUIRE(service.wait_for_answers(3));
        CHECK(runtime.stopped() == 0);
    }
    CHECK(std::getenv("_X_AMZN_TRACE_ID") == nullptr);
    CHECK(traces == std::vector<std::string>{"Root=1-5759e988;Sampled=1", "(not set)", "Root=3"});
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].request_id == "a-1");
    CHECK(seen[0].deadline.when() == freshet::time_point{std::chrono::milliseconds{1'736'937'000'123}});
    CHECK(seen[0].function_arn == "arn:aws:lambda:us-east-1:123456789012:function:stream-processor");
    CHECK(seen[0].trace_id == "Root=1-5759e988;Sampled=1");
    CHECK(seen[1].trace_id.empty());
}

TEST_CASE("whatever a function throws, and whatever bytes its words hold, is an error answer in valid JSON") {
    struct wordless : std::exception {
        auto what() const noexcept -> const char* override { return nullptr; }
    };
    const std::vector<std::function<void()>> throws{
        [] { throw std::runtime_error{"plain"}; },
        [] { throw std::runtime_error{"\xff\xfe \"quoted\" \\ \n\x01 \xed\xa0\x80 half \xe2\x82"}; },
        [] { throw std::runtime_error{std::string(10'000'000, '\xe9')}; },
        [] { throw wordless{}; },
        [] { throw 42; },
        [] { throw "text"; },
        [] { throw nullptr; },
        [] { throw std::bad_alloc{}; },
        [] { throw std::string(100, 'x'); },
    };
    std::size_t next = 0;
    const auto answers = answers_to(std::vector<std::string>(throws.size()),
                                    [&](const invocation&, const std::stop_token&) -> result<std::string> {
                                        throws[next++]();
                                        return "";
                                    });
    for (const auto& answer : answers) {
        CAPTURE(answer.body.substr(0, 200));
        CHECK(answer.what == "error");
        CHECK(answer.error_type == "Function.failed");
        CHECK(answer.body.size() < 10'000);
        CHECK(answer.body.find('\n') == std::string::npos);
        const auto body = json::parse(answer.body, nullptr, false);
        REQUIRE_FALSE(body.is_discarded());
        CHECK(body.size() == 3);
        CHECK_FALSE(body["errorMessage"].get<std::string>().empty());
        CHECK(body["errorType"] == "Function.failed");
        CHECK(body["stackTrace"] == json::array());
    }
    CHECK(json::parse(answers[0].body)["errorMessage"] == "plain");
}

TEST_CASE("a failed result is an error answer with its words; its code is the kind") {
    const auto answers = answers_to({"x"}, [](const invocation&, const std::stop_token&) -> result<std::string> {
        return freshet::error{errc::unavailable, "queue words: nothing answers there"};
    });
    CHECK(answers.front().error_type == "Function.unavailable");
    CHECK(json::parse(answers.front().body)["errorMessage"] == "queue words: nothing answers there");
}

TEST_CASE("a response that is too large for the service is told as a failure, and the next invocation is taken") {
    lambda_runtime service;
    service.fail("response", {.status = 413});
    service.add("x");
    service.add("y");
    served runtime{service, echo};
    REQUIRE(service.wait_for_answers(2));
    CHECK(runtime.stopped() == 0);
    const auto answers = service.answers();
    CHECK(answers[0].what == "error");
    CHECK(answers[0].id == "1");
    CHECK(answers[0].error_type == "Function.ResponseSizeTooLarge");
    CHECK(answers[1] == lambda_runtime::answer{"response", "2", "<y>", ""});
}

TEST_CASE("an answer that the service does not want (400, 403, or 413 to an error) does not end the loop") {
    struct refusal {
        const char* route;
        int status;
    };
    for (const auto& each : {refusal{"response", 400}, {"response", 403}, {"error", 400}, {"error", 413}}) {
        const auto* const route = each.route;
        const auto status = each.status;
        CAPTURE(route);
        CAPTURE(status);
        lambda_runtime service;
        service.fail(route, {.status = status});
        service.add(route);
        service.add("response");
        served runtime{service, [](const invocation& event, const std::stop_token& stop) -> result<std::string> {
                           if (event.payload == "error") { throw 1; }
                           return echo(event, stop);
                       }};
        REQUIRE(service.wait_for_answers(1));
        CHECK(runtime.stopped() == 0);
        CHECK(service.answers().front().id == "2");
    }
}

TEST_CASE("status 500 ends the runtime with exit code 3, whatever was asked") {
    for (const auto* route : {"next", "response", "error"}) {
        CAPTURE(route);
        lambda_runtime service;
        service.fail(route, {.status = 500});
        service.add("x");
        served runtime{service, [&](const invocation&, const std::stop_token&) -> result<std::string> {
                           if (route == std::string_view{"error"}) { throw 1; }
                           return "";
                       }};
        CHECK(runtime.code() == 3);
        CHECK(service.answers().empty());
    }
}

TEST_CASE("connections that drop before an answer came are opened again, and what was taken counts once") {
    lambda_runtime service;
    service.fail("next", {.dropped = true}, 2);
    service.fail("response", {.dropped = true});
    service.lose_acknowledgement("response", 2);
    for (int i = 0; i < 4; ++i) { service.add("x"); }
    served runtime{service, echo};
    REQUIRE(service.wait_for_answers(4));
    CHECK(runtime.stopped() == 0);
    CHECK(service.refused() == 2); // the repetitions of those whose acknowledgement was lost
    const auto answers = service.answers();
    REQUIRE(answers.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) { CHECK(answers[i].id == std::to_string(i + 1)); }
}

TEST_CASE("a runtime API that does not answer, or is none, ends the runtime with exit code 3") {
    std::string gone;
    { gone = lambda_runtime{}.address(); }
    for (const auto& address : {gone, std::string{"no host at all"}, std::string{"127.0.0.1:99999"}}) {
        CAPTURE(address);
        CHECK(lambda::serve(lambda::runtime_api{address}, echo, {}, quiet) == 3);
    }
    lambda_runtime service;
    service.fail("next", {200, "<html>"});
    CHECK(lambda::serve(lambda::runtime_api{service.address()}, echo, {}, quiet) == 3);
    service.fail("next", {.dropped = true}, 100);
    CHECK(lambda::serve(lambda::runtime_api{service.address()}, echo, {}, quiet) == 3);
}

TEST_CASE("an invocation without an id that can be answered ends the runtime; the function does not see it") {
    for (const auto* id : {"", "../init", "a/b", "a b", "a?b"}) {
        CAPTURE(id);
        const auto [answers, code] = answers_to(lambda_runtime::headers_of(id));
        CHECK(code == 3);
        CHECK(answers.empty());
    }
    const auto [answers, code] = answers_to(support::http_headers{});
    CHECK(code == 3);
    CHECK(answers.empty());
}

TEST_CASE("an invocation whose deadline is missing or no time fails alone; the function does not see it") {
    for (const auto* deadline :
         {"", "soon", "-1", "1736937000123x", "1.5", "9999999999999999", "99999999999999999999"}) {
        CAPTURE(deadline);
        const auto [answers, code] = answers_to(lambda_runtime::headers_of("bad", deadline));
        REQUIRE(answers.size() == 2);
        CHECK(answers[0].what == "error");
        CHECK(answers[0].id == "bad");
        CHECK(answers[0].error_type == "Function.malformed");
        CHECK(answers[1].id == "1");
        CHECK(answers[1].what == "response");
    }
}

TEST_CASE("a stop while waiting for an invocation ends the runtime with exit code 0") {
    lambda_runtime service;
    served runtime{service, echo};
    REQUIRE(service.wait_until_asked());
    CHECK(runtime.stopped() == 0);
}

TEST_CASE("a stop while an invocation is under way lets it end and be answered, and takes no other") {
    lambda_runtime service;
    service.add("x");
    service.add("never taken");
    std::stop_source begun;
    served runtime{service, [&](const invocation& event, const std::stop_token& stop) -> result<std::string> {
                       begun.request_stop();
                       while (!stop.stop_requested()) { std::this_thread::yield(); }
                       return "<" + event.payload + ">";
                   }};
    while (!begun.stop_requested()) { std::this_thread::yield(); }
    CHECK(runtime.stopped() == 0);
    CHECK(service.answers() == std::vector<lambda_runtime::answer>{{"response", "1", "<x>", ""}});
}

TEST_CASE("what keeps a function from being made, thrown or answered, is told to the service: exit code 1") {
    const std::vector<std::function<result<lambda::function>()>> makers{
        []() -> result<lambda::function> { return freshet::error{errc::denied, "LINES_QUEUE_URL: not set"}; },
        []() -> result<lambda::function> { throw std::runtime_error{"LINES_QUEUE_URL: not set"}; },
        []() -> result<lambda::function> { throw 42; },
    };
    for (const auto& make : makers) {
        lambda_runtime service;
        service.add("never taken");
        CHECK(lambda::run(service.address(), make, {}, quiet) == 1);
        const auto answers = service.answers();
        REQUIRE(answers.size() == 1);
        CHECK(answers[0].what == "init/error");
        CHECK(answers[0].error_type == "Runtime.InitError");
        const auto body = json::parse(answers[0].body);
        CHECK(body["errorType"] == "Runtime.InitError");
        CHECK_FALSE(body["errorMessage"].get<std::string>().empty());
    }
}
