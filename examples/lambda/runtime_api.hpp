#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/aws/http.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>
#include <freshet/work/wall_clock.hpp>
#include <lambda/invocation.hpp>

namespace lambda {

/// A failure as the service reads it: a kind for its statistics, such as `Runtime.NoSuchHandler`, and a text.
struct failure {
    std::string type;
    std::string message;
};

/// The failure as JSON, whatever bytes its message holds; of those, the first 1,000 or so.
[[nodiscard]] inline auto to_json(const failure& what) -> std::string {
    const nlohmann::ordered_json text{{"errorMessage", freshet::printable(what.message, 1'000)},
                                      {"errorType", what.type},
                                      {"stackTrace", nlohmann::ordered_json::array()}};
    return text.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// An invocation as it arrived, and what is wrong with it if it cannot be handled.
struct arrival {
    invocation what;
    std::optional<std::string> fault{};
};

/// Speaks the runtime API of AWS Lambda: takes invocations, and hands over what became of them.
///
/// A request that nothing answered is repeated a few times. An answer that the service took twice counts once: it
/// refuses the second one. Source: AWS Lambda, "Using the Lambda runtime API for custom runtimes".
class runtime_api {
public:
    /// `address` is host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
    explicit runtime_api(std::string_view address) : root_{"http://" + std::string{address} + "/2018-06-01/runtime/"} {}

    /// Waits for the next invocation, without end; nothing where a stop was asked for.
    ///
    /// A failure is the end of the runtime: there is nobody to talk to, or not in these words.
    [[nodiscard]] auto next(const std::stop_token& stop) const -> freshet::result<std::optional<arrival>> {
        auto given = call({.url = root_ + "invocation/next"}, stop);
        if (stop.stop_requested() && !given) { return std::nullopt; }
        if (!given) { return unreachable(given.why()); }
        if (given->status != 200) { return unusable("the next invocation", *given); }
        const auto id = given->header("Lambda-Runtime-Aws-Request-Id");
        if (!is_path_segment(id)) {
            return freshet::error{freshet::errc::malformed, "the runtime API gave an invocation " +
                                                                (id.empty() ? std::string{"without an id"}
                                                                            : "with the id '" + printable(id) + "'")};
        }
        arrival one{{.request_id = std::string{id},
                     .function_arn = std::string{given->header("Lambda-Runtime-Invoked-Function-Arn")},
                     .trace_id = std::string{given->header("Lambda-Runtime-Trace-Id")},
                     .payload = {}}};
        const auto deadline = given->header("Lambda-Runtime-Deadline-Ms");
        if (const auto read = parse_deadline(deadline)) { one.what.deadline = *read; }
        else { one.fault = "Lambda-Runtime-Deadline-Ms: '" + printable(deadline) + "' is no time in milliseconds"; }
        one.what.payload = std::move(given->body);
        return std::optional{std::move(one)};
    }

    /// Hands over the response. `too_large` and `conflict` (the service knows no such open invocation) concern this one
    /// answer; any other failure is the end of the runtime.
    [[nodiscard]] auto respond(std::string_view request_id, std::string_view response) const -> freshet::result<void> {
        return post(invocation_path(request_id) + "response", response, {});
    }

    /// Reports that the invocation failed; fails as `respond` does.
    [[nodiscard]] auto report(std::string_view request_id, const failure& why) const -> freshet::result<void> {
        return post(invocation_path(request_id) + "error", to_json(why), why.type);
    }

    /// Reports that the runtime cannot begin.
    [[nodiscard]] auto report_init(const failure& why) const -> freshet::result<void> {
        return post("init/error", to_json(why), why.type);
    }

private:
    [[nodiscard]] static auto invocation_path(std::string_view id) -> std::string {
        return "invocation/" + std::string{id} + "/";
    }

    [[nodiscard]] static auto printable(std::string_view text) -> std::string { return freshet::printable(text, 80); }

    /// What can stand in the path of an address as it is, and leads nowhere else.
    [[nodiscard]] static auto is_path_segment(std::string_view text) -> bool {
        const auto passes = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        };
        return !text.empty() && text.size() <= 256 && std::all_of(text.begin(), text.end(), passes);
    }

    [[nodiscard]] static auto parse_deadline(std::string_view text) -> std::optional<freshet::deadline> {
        using std::chrono::milliseconds;
        constexpr auto last = std::chrono::floor<milliseconds>(freshet::time_point::max()).time_since_epoch().count();
        std::int64_t count = 0;
        const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (bad != std::errc{} || end != text.data() + text.size() || count < 0 || count > last) {
            return std::nullopt;
        }
        return freshet::deadline::at(freshet::time_point{milliseconds{count}});
    }

    [[nodiscard]] auto post(const std::string& path, std::string_view body, const std::string& error_type) const
        -> freshet::result<void> {
        adapters::aws::http_request request{.url = root_ + path,
                                            .method = "POST",
                                            .headers = {"Content-Type: application/json"},
                                            .body = body};
        if (!error_type.empty()) { request.headers.push_back("Lambda-Runtime-Function-Error-Type: " + error_type); }
        const auto answer = call(request, {}); // what is done is told, stop or not
        if (!answer) { return unreachable(answer.why()); }
        if (answer->status / 100 == 2) { return {}; }
        if (answer->status == 413) { return refusal(freshet::errc::too_large, path, *answer); }
        if (answer->status == 400 || answer->status == 403) { return refusal(freshet::errc::conflict, path, *answer); }
        return unusable(path, *answer);
    }

    /// The whole answer, whatever its status.
    [[nodiscard]] auto call(const adapters::aws::http_request& request, const std::stop_token& stop) const
        -> freshet::result<adapters::aws::http_response> {
        freshet::wall_clock clock;
        freshet::random_source random{1};
        return freshet::retry(freshet::retry_plan{{.retries = 3}}, clock, stop, freshet::deadline::never(), random,
                              [&] { return lines_.call(request, stop); });
    }

    [[nodiscard]] static auto refusal(freshet::errc code, std::string_view what,
                                      const adapters::aws::http_response& answer) -> freshet::error {
        return {code, "the runtime API answers " + std::to_string(answer.status) + " to " + printable(what) +
                          (answer.body.empty() ? "" : ": " + freshet::printable(answer.body))};
    }
    [[nodiscard]] static auto unusable(std::string_view what, const adapters::aws::http_response& answer)
        -> freshet::error {
        return refusal(freshet::errc::unavailable, what, answer);
    }
    [[nodiscard]] auto unreachable(const freshet::error& why) const -> freshet::error {
        return {freshet::errc::unavailable, "the runtime API at " + freshet::printable(root_) + ": " + why.note};
    }

    std::string root_;
    /// Without a limit in time: waiting for an invocation is what a runtime does most. Never through a proxy.
    adapters::aws::http_lines lines_{{.proxies = false}};
};

} // namespace lambda
