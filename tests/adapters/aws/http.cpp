#include <adapters/aws/http.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <support/http_server.hpp>

using adapters::aws::http_lines;
using adapters::aws::transfer_failure;
using freshet::errc;
using support::http_response;
using support::http_server;

namespace {

template <class T>
void fails(const freshet::result<T>& what, errc code, const std::string& words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}

} // namespace

TEST_CASE("a request goes out as it was made, and the answer comes back whole, whatever its status") {
    support::http_request seen;
    http_server server{[&](const support::http_request& asked) {
        seen = asked;
        return http_response{418, std::string{"a\0b", 3}, {{"X-One", "1"}, {"x-two", " two words "}, {"X-ONE", "3"}}};
    }};
    const http_lines lines;
    const std::string_view body{"body\0 and more", 8};
    auto answer = lines.call({.url = server.endpoint() + "/some/path?a=b",
                              .method = "POST",
                              .headers = {"Content-Type: text/plain", "X-Mine: yes"},
                              .body = body});
    REQUIRE(answer.ok());
    CHECK(answer->status == 418);
    CHECK(answer->body == std::string{"a\0b", 3});
    CHECK(answer->header("x-one") == "1");
    CHECK(answer->header("X-TWO") == "two words");
    CHECK(answer->header("x-three").empty());
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/some/path?a=b");
    CHECK(seen.header("content-type") == "text/plain");
    CHECK(seen.header("x-mine") == "yes");
    CHECK(seen.header("authorization").empty());
    CHECK(seen.body == body);

    REQUIRE(lines.call({.url = server.endpoint() + "/next"}).ok());
    CHECK(seen.method == "GET");
    CHECK(seen.header("x-mine").empty()); // nothing is left over from the call before
    CHECK(seen.body.empty());
    REQUIRE(lines.call({.url = server.endpoint() + "/", .method = "POST"}).ok());
    CHECK(seen.header("content-length") == "0");
    CHECK(server.connections() == 1);
}

TEST_CASE("a kept connection that the server has closed meanwhile is replaced") {
    std::atomic<int> asked{};
    http_server server{[&](const support::http_request&) {
        http_response last{200, "x"};
        last.last = true;
        http_response none{};
        none.dropped = true;
        return ++asked == 4 ? none : asked == 3 ? http_response{200, "x"} : last;
    }};
    const http_lines lines;
    for (auto n = 0; n < 3; ++n) { CHECK(lines.call({.url = server.endpoint()}).ok()); }
    CHECK(lines.call({.url = server.endpoint()}).ok()); // dropped on the kept connection, answered on a new one
    CHECK(asked == 5);
    CHECK(server.connections() == 4);
}

TEST_CASE("a stop breaks off a call to which nothing comes, and one that was asked for before makes none") {
    std::stop_source stop;
    http_server server{[&](const support::http_request&) {
        stop.request_stop();
        http_response late{200, "x"};
        late.delay = std::chrono::hours{1};
        return late;
    }};
    const http_lines lines;
    fails(lines.call({.url = server.endpoint()}, stop.get_token()), errc::expired, "a stop was asked for");
    CHECK(server.requests() == 1);
    fails(lines.call({.url = server.endpoint()}, stop.get_token()), errc::expired, "a stop was asked for");
    CHECK(server.requests() == 1);
    server.stop();
    http_server other{[](const support::http_request&) { return http_response{200, "still good"}; }};
    const auto next = lines.call({.url = other.endpoint()});
    REQUIRE(next.ok());
    CHECK(next.value().body == "still good");
}

TEST_CASE("a redirect is an answer") {
    http_server server{[&](const support::http_request&) {
        return http_response{302, "", {{"Location", "/elsewhere"}}};
    }};
    const auto answer = http_lines{}.call({.url = server.endpoint()});
    REQUIRE(answer.ok());
    CHECK(answer.value().status == 302);
    CHECK(answer.value().header("location") == "/elsewhere");
    CHECK(server.requests() == 1);
}

TEST_CASE("an answer longer than the most is broken off, and one of just that length is not") {
    std::atomic<std::size_t> length{1000};
    http_server server{[&](const support::http_request&) { return http_response{200, std::string(length, 'x')}; }};
    const http_lines lines{{.most_bytes = 1000}};
    CHECK(lines.call({.url = server.endpoint()}).ok());
    ++length;
    fails(lines.call({.url = server.endpoint()}), errc::denied, "longer than 1000 bytes");
    length = 8 * 1024 * 1024;
    fails(lines.call({.url = server.endpoint()}), errc::denied, "longer than 1000 bytes");
    length = 10;
    CHECK(lines.call({.url = server.endpoint()}).ok());

    http_server headers{[&](const support::http_request&) {
        return http_response{200, "", support::http_headers(40, {"X-Long", std::string(50'000, 'x')})};
    }};
    CHECK(!lines.call({.url = headers.endpoint()}).ok());
}

TEST_CASE("what goes wrong with a transfer is one line, and says whose turn it is") {
    http_server server{[](const support::http_request& asked) {
        http_response answer{200, "0123456789"};
        if (asked.target == "/cut") { answer.cut_after = 5; }
        if (asked.target == "/dropped") { answer.dropped = true; }
        if (asked.target == "/late") { answer.delay = std::chrono::hours{1}; }
        return answer;
    }};
    const http_lines lines{{.total_timeout = std::chrono::milliseconds{200}}};
    fails(lines.call({.url = server.endpoint() + "/cut"}), errc::unavailable, "the connection broke before");
    fails(lines.call({.url = server.endpoint() + "/dropped"}), errc::unavailable, "the connection broke before");
    fails(lines.call({.url = server.endpoint() + "/late"}), errc::unavailable, "no answer in time");
    // longer than a label of a name may be, so that no name server is asked
    fails(lines.call({.url = "http://" + std::string(64, 'a') + ".invalid"}), errc::unavailable, "does not resolve");
    fails(lines.call({.url = "nonsense://host"}), errc::denied, "no usable address");
    const auto endpoint = server.endpoint();
    server.stop();
    fails(lines.call({.url = endpoint}), errc::unavailable, "nothing answers there");

    fails(freshet::result<void>{transfer_failure(CURLE_PEER_FAILED_VERIFICATION, "self-signed\ncertificate")},
          errc::denied, "TLS: the certificate is not accepted (self-signed\\x0acertificate)");
    fails(freshet::result<void>{transfer_failure(CURLE_SSL_CONNECT_ERROR, "wrong version number")}, errc::unavailable,
          "TLS: no secure connection; is the address one of https? (wrong version number)");
    fails(freshet::result<void>{transfer_failure(CURLE_SSL_CACERT_BADFILE, "")}, errc::denied, "certificate");
    fails(freshet::result<void>{transfer_failure(CURLE_NOT_BUILT_IN, "")}, errc::denied, "this libcurl cannot");
    fails(freshet::result<void>{transfer_failure(CURLE_OUT_OF_MEMORY, "")}, errc::unavailable, "the transfer failed");
}

TEST_CASE("the environment's proxy is used, but not for loopback addresses, nor where it is not wanted") {
    http_server proxy{[](const support::http_request& asked) { return http_response{200, "proxy: " + asked.target}; }};
    http_server server{[](const support::http_request& asked) { return http_response{200, "self: " + asked.target}; }};
    ::setenv("http_proxy", proxy.endpoint().c_str(), 1);
    const auto port = ":" + std::to_string(server.port());
    const auto answer = [](const http_lines& lines, const std::string& url) {
        auto got = lines.call({.url = url});
        return got ? got->body : got.why().note;
    };
    const http_lines lines;
    CHECK(answer(lines, "http://table.example/x") == "proxy: http://table.example/x");
    CHECK(answer(lines, server.endpoint() + "/x") == "self: /x");
    CHECK(answer(lines, "http://localhost" + port + "/x") == "self: /x");
    const auto own = http_lines{{.proxies = false}}.call({.url = "http://" + std::string(64, 'a') + ".invalid/"});
    fails(own, errc::unavailable, "does not resolve");
    ::unsetenv("http_proxy");
}

TEST_CASE("calls at once have a line each, and lines are used again") {
    http_server server{[](const support::http_request& asked) { return http_response{200, asked.body}; }};
    const http_lines lines;
    std::atomic<int> wrong{};
    {
        std::vector<std::jthread> callers;
        for (auto n = 0; n < 4; ++n) {
            callers.emplace_back([&, n] {
                for (auto i = 0; i < 50; ++i) {
                    const auto body = std::to_string(n) + ":" + std::to_string(i);
                    const auto answer = lines.call({.url = server.endpoint(), .method = "POST", .body = body});
                    if (!answer.ok() || answer.value().body != body) { ++wrong; }
                }
            });
        }
    }
    CHECK(wrong == 0);
    CHECK(server.requests() == 200);
    CHECK(server.connections() <= 4);
}
