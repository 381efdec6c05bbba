#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <support/http_server.hpp>

namespace support {

/// The runtime API of AWS Lambda on loopback: hands out invocations in order, and writes down what is answered.
///
/// As the service does, it takes one answer an invocation (202) and refuses the others (400). Thread safe.
class lambda_runtime {
public:
    /// An invocation to hand out. The header fields are those of the wire, in lower case or not.
    struct event {
        std::string payload;
        http_headers headers;
    };
    /// What the runtime posted.
    struct answer {
        std::string what; ///< `response`, `error`, or `init/error`
        std::string id;   ///< empty for `init/error`
        std::string body;
        std::string error_type; ///< the header
        friend auto operator==(const answer&, const answer&) -> bool = default;
    };

    lambda_runtime() : server_{[this](const http_request& asked) { return handle(asked); }} {}

    /// As `AWS_LAMBDA_RUNTIME_API` has it.
    [[nodiscard]] auto address() const -> std::string { return "127.0.0.1:" + std::to_string(server_.port()); }
    [[nodiscard]] auto connections() const -> std::size_t { return server_.connections(); }

    /// The header fields of an invocation.
    [[nodiscard]] static auto headers_of(std::string id, std::string deadline_ms = "4102444800000",
                                         std::string trace_id = "") -> http_headers {
        http_headers all{{"Lambda-Runtime-Aws-Request-Id", std::move(id)},
                         {"Lambda-Runtime-Deadline-Ms", std::move(deadline_ms)},
                         {"Lambda-Runtime-Invoked-Function-Arn",
                          "arn:aws:lambda:us-east-1:123456789012:function:stream-processor"}};
        if (!trace_id.empty()) { all.emplace_back("Lambda-Runtime-Trace-Id", std::move(trace_id)); }
        return all;
    }

    void add(event one) {
        const std::scoped_lock lock{mutex_};
        waiting_.push_back(std::move(one));
        changed_.notify_all();
    }
    /// Its id is a number, counted from 1.
    void add(std::string payload) { add({std::move(payload), headers_of(std::to_string(++numbered_))}); }

    /// The next requests to this route (`next`, `response`, `error`, `init/error`) get these answers instead, one each.
    /// One to `next` is given at once, and no invocation with it.
    void fail(const std::string& route, http_response with, std::size_t times = 1) {
        const std::scoped_lock lock{mutex_};
        for (; times != 0; --times) { faults_[route].push_back(with); }
    }
    /// The next answers to this route are taken and their acknowledgements are lost: the connection closes instead.
    void lose_acknowledgement(const std::string& route, std::size_t times = 1) {
        const std::scoped_lock lock{mutex_};
        lost_[route] += times;
    }
    /// Connections close, without a word before, after each so-many-th request.
    void close_after_every(std::size_t requests) {
        const std::scoped_lock lock{mutex_};
        close_every_ = requests;
    }

    /// What was posted until now and taken, in order.
    [[nodiscard]] auto answers() const -> std::vector<answer> {
        const std::scoped_lock lock{mutex_};
        return answers_;
    }
    /// How many posts were refused because their invocation had an answer already, or was never handed out.
    [[nodiscard]] auto refused() const -> std::size_t {
        const std::scoped_lock lock{mutex_};
        return refused_;
    }
    /// Waits until so many answers are taken; false after a minute without that.
    [[nodiscard]] auto wait_for_answers(std::size_t count) -> bool {
        return wait([&] { return answers_.size() >= count; });
    }
    /// Waits until a request for the next invocation is blocked; false after a minute without that.
    [[nodiscard]] auto wait_until_asked() -> bool {
        return wait([&] { return asking_ != 0; });
    }

private:
    static constexpr std::string_view root = "/2018-06-01/runtime/";

    template <class Condition>
    [[nodiscard]] auto wait(Condition condition) -> bool {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::minutes{1}, condition);
    }

    [[nodiscard]] auto handle(const http_request& asked) -> http_response {
        std::string_view path = asked.target;
        if (!path.starts_with(root)) { return {404}; }
        path.remove_prefix(root.size());
        auto given = routed(asked, path);
        const std::scoped_lock lock{mutex_};
        if (close_every_ != 0 && ++requests_ % close_every_ == 0) { given.cut_after = given.body.size(); }
        return given;
    }

    [[nodiscard]] auto routed(const http_request& asked, std::string_view path) -> http_response {
        if (asked.method == "GET" && path == "invocation/next") { return next(asked.stopping); }
        if (asked.method != "POST") { return {405}; }
        if (path == "init/error") { return take({"init/error", "", asked.body, type_in(asked)}); }
        constexpr std::string_view prefix = "invocation/";
        const auto slash = path.rfind('/');
        if (!path.starts_with(prefix) || slash < prefix.size()) { return {404}; }
        const auto what = path.substr(slash + 1);
        if (what != "response" && what != "error") { return {404}; }
        return take({std::string{what}, std::string{path.substr(prefix.size(), slash - prefix.size())}, asked.body,
                     type_in(asked)});
    }

    [[nodiscard]] static auto type_in(const http_request& asked) -> std::string {
        return std::string{asked.header("lambda-runtime-function-error-type")};
    }

    [[nodiscard]] auto next(const std::stop_token& stopping) -> http_response {
        std::unique_lock lock{mutex_};
        if (auto instead = fault("next")) { return *std::move(instead); }
        ++asking_;
        changed_.notify_all();
        const auto any = changed_.wait(lock, stopping, [&] { return !waiting_.empty(); });
        --asking_;
        if (!any) { return {.dropped = true}; }
        auto one = std::move(waiting_.front());
        waiting_.pop_front();
        for (const auto& [name, value] : one.headers) {
            if (name == "Lambda-Runtime-Aws-Request-Id") { open_.push_back(value); }
        }
        return {200, std::move(one.payload), std::move(one.headers)};
    }

    [[nodiscard]] auto take(answer one) -> http_response {
        const std::scoped_lock lock{mutex_};
        if (auto instead = fault(one.what)) { return *std::move(instead); }
        const auto at = std::find(open_.begin(), open_.end(), one.id);
        if (one.what != "init/error" && at == open_.end()) {
            ++refused_;
            return {400, R"({"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"})"};
        }
        if (at != open_.end()) { open_.erase(at); }
        auto& lost = lost_[one.what];
        answers_.push_back(std::move(one));
        changed_.notify_all();
        if (lost != 0) { return --lost, http_response{.dropped = true}; }
        return {202, R"({"status":"OK"})"};
    }

    [[nodiscard]] auto fault(const std::string& route) -> std::optional<http_response> {
        auto& planned = faults_[route];
        if (planned.empty()) { return std::nullopt; }
        auto one = std::move(planned.front());
        planned.pop_front();
        return one;
    }

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<event> waiting_;
    std::vector<std::string> open_; // handed out and not answered
    std::vector<answer> answers_;
    std::map<std::string, std::deque<http_response>> faults_;
    std::map<std::string, std::size_t> lost_;
    std::size_t refused_{};
    std::size_t asking_{};
    std::size_t requests_{};
    std::size_t close_every_{};
    std::size_t numbered_{}; // by the test's thread alone
    http_server server_;     // last: its threads use all of the above
};

} // namespace support
