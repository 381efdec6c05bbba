#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <freshet/backend/shareable.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>
#include <freshet/work/wall_clock.hpp>

#include <adapters/aws/http.hpp>
#include <adapters/aws/service_error.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/signature.hpp>

namespace adapters::aws {

/// A service's answer: its JSON text, or why there is none.
struct reply {
    freshet::result<std::string> body;
    std::string refused_as{}; ///< the service's own name of the error, without prefix; empty where no service spoke
};

/// Signed JSON requests to the services of AWS, or to what speaks like them; any thread may call.
///
/// What the service or the network makes worth repeating is repeated with the same bytes, as `settings.retries` says;
/// so call only operations that may arrive twice. A signature that is refused for this machine's clock is made anew,
/// once a call, with the time of the service, and the difference is kept for later calls. Notes name the service, the
/// operation and the endpoint, and hold no secrets.
class client {
public:
    using is_shareable = void;

    explicit client(settings given)
        : settings_{std::move(given)},
          usable_{check(settings_)},
          lines_{{.connect_timeout = settings_.connect_timeout,
                  .total_timeout = settings_.total_timeout,
                  .ca_bundle = settings_.ca_bundle}},
          plan_{settings_.retries} {}

    /// What to add to this machine's time to have the services', as far as an answer has shown that they differ.
    [[nodiscard]] auto clock_offset() const noexcept -> std::chrono::seconds {
        return std::chrono::seconds{offset_.load()};
    }

    /// `json` is the request's body, as the service's API reference describes it ("JSON protocol").
    [[nodiscard]] auto call(const service& to, std::string_view operation, std::string_view json) const -> reply {
        if (!usable_) { return {usable_.why(), {}}; }
        const auto endpoint = endpoint_of(settings_, to);
        const request wanted{to, operation, endpoint, json};
        reply last{freshet::error{}, {}};
        freshet::wall_clock clock;
        auto random = [] {
            std::random_device source;
            return (std::uint64_t{source()} << 32U) | source();
        };
        // a conflict may be worth a repetition, and a plan knows codes alone
        static_cast<void>(freshet::retry(plan_, clock, {}, freshet::deadline::never(), random, [&] {
            auto made = attempt(wanted);
            last = std::move(made.answer);
            if (last.body.ok()) { return freshet::result<void>{}; }
            const bool slower = last.body.why().code == freshet::errc::throttled;
            return freshet::result<void>{freshet::error{!made.again ? freshet::errc::denied
                                                        : slower    ? freshet::errc::throttled
                                                                    : freshet::errc::unavailable,
                                                        {}}};
        }));
        return last;
    }

private:
    struct request {
        const service& to;
        std::string_view operation;
        const std::string& endpoint;
        std::string_view json;

        [[nodiscard]] auto place() const -> request_place { return {to.name(), operation, endpoint}; }
    };
    struct outcome {
        reply answer;
        bool again{};
        bool wrong_time{};
        std::optional<std::int64_t> service_time{}; ///< seconds of the epoch, where the time is wrong
    };

    /// One try, and another where the service refuses the time and says what it is.
    [[nodiscard]] auto attempt(const request& of) const -> outcome {
        const auto offset = offset_.load();
        auto made = send(of, offset);
        if (made.wrong_time && made.service_time) {
            const auto right = *made.service_time - now();
            if (right != offset) {
                made = send(of, right);
                if (!made.wrong_time) { offset_.store(right); }
            }
        }
        if (made.wrong_time && made.service_time) {
            const auto ahead = now() - *made.service_time;
            auto why = made.answer.body.why();
            why.note += " (this machine's clock is " + std::to_string(std::abs(ahead)) + " s " +
                        (ahead < 0 ? "behind" : "ahead of") + " the service's)";
            made.answer.body = std::move(why);
        }
        return made;
    }

    /// `offset` is what to add to this machine's time, in seconds.
    [[nodiscard]] auto send(const request& of, std::int64_t offset) const -> outcome {
        std::string scope{"aws:amz:"};
        scope.append(settings_.region).append(":").append(of.to.signing_name);
        const http_signature signature{std::move(scope), settings_.keys.access_key, settings_.keys.secret_key};
        http_request wanted{.url = of.endpoint + "/", .method = "POST", .body = of.json};
        header_fields fields{{"content-type", "application/x-amz-json-1.0"},
                             {"x-amz-target", std::string{of.to.target}.append(".").append(of.operation)}};
        if (offset == 0) {
            wanted.signature = &signature;
            if (!settings_.keys.session_token.empty()) {
                fields.emplace_back("x-amz-security-token", settings_.keys.session_token);
            }
        } else {
            fields.emplace_back("host", of.endpoint.substr(of.endpoint.find("://") + 3));
            fields = sign_for_time(std::move(fields), of.json, settings_.keys, settings_.region, of.to.signing_name,
                                   now() + offset);
        }
        for (const auto& [name, value] : fields) { wanted.headers.push_back(name + ": " + value); }
        auto answer = lines_.call(wanted);
        if (!answer) {
            const auto& why = answer.why();
            return {.answer = {freshet::error{why.code, of.place().text() + ": " + why.note}, {}},
                    .again = why.code == freshet::errc::unavailable};
        }
        return judge(of, *std::move(answer));
    }

    [[nodiscard]] auto judge(const request& of, http_response answer) const -> outcome {
        const auto& body = answer.body;
        if (answer.status >= 200 && answer.status < 300) {
            constexpr std::string_view blanks = " \t\r\n";
            const auto first = body.find_first_not_of(blanks);
            const bool empty = first == std::string::npos;
            if (!empty && body[first] == '{' && body[body.find_last_not_of(blanks)] == '}') {
                return {.answer = {std::move(answer.body), {}}};
            }
            // No service answers a call of ours with nothing: taken for "done", it would lose what was written.
            if ((empty && !answer.header("content-type").starts_with("text/html")) || (!empty && body[first] == '{')) {
                const auto* const how = empty ? ": an empty answer" : ": the answer was cut off";
                return {.answer = {freshet::error{freshet::errc::unavailable, of.place().text() + how}, {}},
                        .again = true};
            }
        }
        const std::array<std::string_view, 2> secrets{settings_.keys.secret_key, settings_.keys.session_token};
        auto refused = read_service_error(answer, of.place(), secrets);
        outcome made{.answer = {std::move(refused.why), std::move(refused.name)},
                     .again = refused.again,
                     .wrong_time = refused.wrong_time};
        if (refused.wrong_time) {
            const auto date = curl_getdate(std::string{answer.header("date")}.c_str(), nullptr);
            if (date > 0) { made.service_time = date; }
        }
        return made;
    }

    [[nodiscard]] static auto now() -> std::int64_t { return std::time(nullptr); }

    settings settings_;
    freshet::result<void> usable_;
    http_lines lines_;
    freshet::retry_plan plan_;
    mutable std::atomic<std::int64_t> offset_{}; // of the services' time to this machine's, in seconds
};

static_assert(freshet::shareable<client>);

namespace detail {

/// Whether brackets stand deeper in each other than any answer has them; a tree of such a text cannot be copied.
[[nodiscard]] inline auto is_too_deep(std::string_view json) noexcept -> bool {
    constexpr int most = 200; // an item's values stand in each other 32 deep, twice that many brackets
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const auto c = json[i];
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > most) { return true; }
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

} // namespace detail

/// The JSON object of an answer.
///
/// What is no JSON object is `unavailable`: the outcome is unknown, as with an answer that did not come. `what` names
/// the call in its note.
[[nodiscard]] inline auto read_json(const reply& answer, std::string_view what) -> freshet::result<nlohmann::json> {
    if (!answer.body) { return answer.body.why(); }
    if (detail::is_too_deep(*answer.body)) {
        return freshet::error{freshet::errc::unavailable, freshet::printable(what) + ": the answer is nested too deep"};
    }
    auto parsed = nlohmann::json::parse(*answer.body, nullptr, false);
    if (parsed.is_object()) { return parsed; }
    return freshet::error{freshet::errc::unavailable, freshet::printable(what) + ": the answer is no JSON: " +
                                                          freshet::printable(*answer.body, 60)};
}

} // namespace adapters::aws
