#include <support/http_server.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using support::http_request;
using support::http_response;
using support::http_server;

namespace {

/// A connection that sends and receives exactly what it is told to.
class caller {
public:
    explicit caller(const http_server& server) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        at.sin_port = ::htons(server.port());
        open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    }
    caller(const caller&) = delete;
    auto operator=(const caller&) -> caller& = delete;
    ~caller() { ::close(socket_); }

    [[nodiscard]] auto open() const -> bool { return open_; }

    auto send(std::string_view bytes) -> caller& {
        static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
        return *this;
    }

    /// Reads until the text ends so, or the connection is closed; returns what came.
    auto until(std::string_view end) -> std::string {
        std::string got;
        std::array<char, 1> byte{};
        while (!got.ends_with(end) && ::recv(socket_, byte.data(), 1, 0) == 1) { got += byte[0]; }
        return got;
    }
    auto until_closed() -> std::string {
        std::string got;
        std::array<char, 4096> block{};
        for (;;) {
            const auto count = ::recv(socket_, block.data(), block.size(), 0);
            if (count <= 0) { return got; }
            got.append(block.data(), static_cast<std::size_t>(count));
        }
    }

private:
    int socket_;
    bool open_{};
};

/// Answers with what it understood of the request.
auto told(const http_request& request) -> http_response {
    return {200, request.method + ' ' + request.target + ' ' + std::to_string(request.connection) + ' ' +
                     std::string{request.header("x-my-header")} + ' ' + request.body + '.'};
}

auto answering(http_response response) -> http_server::handler {
    return [response = std::move(response)](const http_request&) { return response; };
}

const std::string get = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

} // namespace

TEST_CASE("requests on one connection are answered one after the other, each with the connection's number") {
    http_server server{told};
    CHECK(server.endpoint() == "http://127.0.0.1:" + std::to_string(server.port()));
    caller first{server};
    CHECK(first.send("GET /a?b=c HTTP/1.1\r\nX-MY-header: \t two words \r\n\r\n").until(" .") ==
          "HTTP/1.1 200 \r\nContent-Length: 24\r\n\r\nGET /a?b=c 1 two words .");
    CHECK(first.send("POST / HTTP/1.1\r\ncontent-LENGTH: 4\r\n\r\nbody").until("body.").ends_with("POST / 1  body."));
    CHECK(caller{server}.send(get).until(" .").ends_with("GET / 2  ."));
    CHECK(server.connections() == 2);
    CHECK(server.requests() == 3);
}

TEST_CASE("requests may come in any pieces, and several at once") {
    http_server server{told};
    caller client{server};
    client.send("POST / HT").send("TP/1.1\r\nContent-Le").send("ngth: 6\r\n\r").send("\nab");
    client.send("cdefPOST /second HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET /third HTTP/1.1\r\n\r\n");
    CHECK(client.until("abcdef.").ends_with("POST / 1  abcdef."));
    CHECK(client.until("second 1  .").ends_with("POST /second 1  ."));
    CHECK(client.until("third 1  .").ends_with("GET /third 1  ."));
}

TEST_CASE("a client that waits to be told to go on with its body is told so") {
    http_server server{told};
    caller client{server};
    client.send("POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(client.send("body").until("body.").ends_with("POST / 1  body."));
}

TEST_CASE("a body of 16 MiB comes whole, and a longer one is refused before it is sent") {
    http_server server{[](const http_request& request) {
        return http_response{200, std::to_string(request.body.size()) + '.'};
    }};
    caller client{server};
    client.send("POST / HTTP/1.1\r\nContent-Length: 16777216\r\n\r\n").send(std::string(16777216, 'x'));
    CHECK(client.until("16777216.").ends_with("16777216."));
}

TEST_CASE("what is no request, or not one for this server, is refused and the connection closed") {
    http_server server{told};
    const auto answer_to = [&](std::string_view bytes) { return caller{server}.send(bytes).until_closed(); };
    const auto refused = [](int status) {
        return "HTTP/1.1 " + std::to_string(status) + " \r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    };
    CHECK(answer_to("POST / HTTP/1.1\r\nContent-Length: 16777217\r\n\r\n") == refused(413));
    CHECK(answer_to("POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n") == refused(400));
    CHECK(answer_to("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == refused(411));
    CHECK(answer_to("POST /\r\n\r\n") == refused(400));
    CHECK(answer_to("GET / HTTP/2\r\n\r\n") == refused(400));
    CHECK(answer_to("GET / HTTP/1.1\r\nno colon\r\n\r\n") == refused(400));
    CHECK(answer_to(std::string(65 * 1024, 'x')).substr(0, 12) == "HTTP/1.1 431");
    CHECK(server.requests() == 0);
}

TEST_CASE("an answer carries what it is given: status, headers, and the end of the connection") {
    http_server server{answering({503, "later", {{"Retry-After", "1"}}, {}, {}, false, true})};
    CHECK(caller{server}.send(get).until_closed() ==
          "HTTP/1.1 503 \r\nRetry-After: 1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlater");
}

TEST_CASE("a client that asks for it has its connection closed after the answer") {
    http_server server{answering({200, "bye"})};
    CHECK(caller{server}.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").until_closed().ends_with("bye"));
}

TEST_CASE("an answer can be cut within its body, down to nothing of it") {
    http_response cut{200, "0123456789"};
    SUBCASE("half") {
        cut.cut_after = 5;
        http_server server{answering(cut)};
        CHECK(caller{server}.send(get).until_closed() == "HTTP/1.1 200 \r\nContent-Length: 10\r\n\r\n01234");
    }
    SUBCASE("none") {
        cut.cut_after = 0;
        http_server server{answering(cut)};
        CHECK(caller{server}.send(get).until_closed() == "HTTP/1.1 200 \r\nContent-Length: 10\r\n\r\n");
    }
}

TEST_CASE("a connection can be dropped without a byte, after the handler has run") {
    http_response none{};
    none.dropped = true;
    http_server server{answering(none)};
    CHECK(caller{server}.send(get).until_closed() == "");
    CHECK(server.requests() == 1);
}

TEST_CASE("a delayed answer comes late, and not at all where the server ends first") {
    SUBCASE("late") {
        http_server server{answering({200, "late", {}, 30ms})};
        const auto asked_at = std::chrono::steady_clock::now();
        CHECK(caller{server}.send(get).until("late").ends_with("late"));
        CHECK(std::chrono::steady_clock::now() - asked_at >= 30ms);
    }
    SUBCASE("never") {
        std::optional<http_server> server{std::in_place, answering({200, "late", {}, 1h})};
        caller client{*server};
        client.send(get);
        while (server->requests() == 0) { std::this_thread::yield(); }
        server.reset();
        CHECK(client.until_closed() == "");
    }
}

TEST_CASE("what a handler throws is an answer with status 500") {
    http_server server{[](const http_request& request) -> http_response {
        if (request.target == "/") { throw std::runtime_error{"no idea"}; }
        throw 1;
    }};
    caller client{server};
    CHECK(client.send(get).until("idea").ends_with("the handler threw: no idea"));
    CHECK(client.send("GET /other HTTP/1.1\r\n\r\n").until("threw").starts_with("HTTP/1.1 500 "));
}

TEST_CASE("the end of the server waits for no client, and lets a waiting handler know") {
    std::mutex guard;
    std::condition_variable_any changed;
    std::optional<http_server> server{std::in_place, [&](const http_request& request) {
        std::unique_lock lock{guard};
        changed.wait(lock, request.stopping, [] { return false; });
        return http_response{};
    }};
    caller idle{*server};
    caller halfway{*server};
    halfway.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
    caller waiting{*server};
    waiting.send(get);
    while (server->requests() == 0) { std::this_thread::yield(); }
    server->stop();
    CHECK(idle.until_closed() == "");
    CHECK(halfway.until_closed() == "");
    CHECK_FALSE(caller{*server}.open());
    server.reset();
}

TEST_CASE("a server ends although a client does not read its answer") {
    http_server server{answering({200, std::string(16 * 1024 * 1024, 'x')})};
    caller deaf{server};
    deaf.send(get);
    while (server.requests() == 0) { std::this_thread::yield(); }
}

TEST_CASE("a port that is taken is refused, and one that was asked for is taken") {
    auto first = std::optional<http_server>{std::in_place, told};
    const auto port = first->port();
    CHECK_THROWS_AS(http_server(told, port), std::system_error);
    first.reset();
    http_server second{told, port};
    CHECK(second.port() == port);
    CHECK(caller{second}.send(get).until(" .").ends_with("GET / 1  ."));
}

TEST_CASE("many clients at once are all answered") {
    http_server server{told};
    std::vector<std::thread> clients;
    std::atomic<int> answered{};
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            for (int connection = 0; connection < 5; ++connection) {
                caller client{server};
                for (int request = 0; request < 20; ++request) {
                    if (client.send(get).until(" .").ends_with(" .")) { ++answered; }
                }
            }
        });
    }
    for (auto& client : clients) { client.join(); }
    CHECK(answered == 8 * 5 * 20);
    CHECK(server.connections() == 40);
    CHECK(server.requests() == 800);
}
