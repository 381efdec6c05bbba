#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <freshet/core/time.hpp>

namespace support {

/// Header fields in the order of the wire; the names of a request are in lower case.
using http_headers = std::vector<std::pair<std::string, std::string>>;

/// A request as it came over the wire.
struct http_request {
    std::string method;
    std::string target; ///< path and query, as sent
    http_headers headers;
    std::string body;
    std::size_t connection{};   ///< which connection it came over; the first is 1
    std::stop_token stopping{}; ///< a handler that waits has to look at it: the server ends only when all have returned

    /// The first field of this name, given in lower case; empty where there is none.
    [[nodiscard]] auto header(std::string_view name) const -> std::string_view {
        const auto at = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
        return at == headers.end() ? std::string_view{} : std::string_view{at->second};
    }
};

/// What goes back, and how well.
struct http_response {
    int status{200};
    std::string body{};
    http_headers headers{};                  ///< beside `Content-Length`
    freshet::duration delay{};               ///< waits before the first byte; broken off when the server stops
    std::optional<std::size_t> cut_after{};  ///< closes the connection after so many bytes of the body
    bool dropped{};                          ///< closes the connection without a byte
    bool last{};                             ///< closes the connection after the answer
};

/// A small HTTP/1.1 server on 127.0.0.1 for tests: keep-alive, a thread a connection, bodies with `Content-Length` of
/// at most 16 MiB, `Expect: 100-continue` answered.
///
/// The handler is called by several threads at once; what it throws is answered with status 500. Chunked request
/// bodies are refused with 411.
class http_server {
public:
    using handler = std::function<http_response(const http_request&)>;

    /// Listens from here on; port 0 takes a free one. Throws `std::system_error` where the port cannot be had.
    explicit http_server(handler answer, std::uint16_t port = 0) : answer_{std::move(answer)} {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        at.sin_port = ::htons(port);
        socklen_t length = sizeof at;
        auto* address = reinterpret_cast<sockaddr*>(&at);
        if (listener_ < 0 || ::bind(listener_, address, length) != 0 || ::listen(listener_, 128) != 0 ||
            ::getsockname(listener_, address, &length) != 0) {
            const auto why = errno;
            if (listener_ >= 0) { ::close(listener_); }
            throw std::system_error{why, std::generic_category(), "http_server: cannot listen on 127.0.0.1"};
        }
        port_ = ::ntohs(at.sin_port);
        acceptor_ = std::thread{[this] { accept_all(); }};
    }
    http_server(const http_server&) = delete;
    auto operator=(const http_server&) -> http_server& = delete;
    ~http_server() { stop(); }

    /// Closes every connection and waits for the handlers; afterwards nothing listens on the port. Once is enough.
    void stop() {
        if (stopped_.exchange(true)) { return; }
        stopping_.request_stop();
        ::shutdown(listener_, SHUT_RDWR); // wakes accept
        acceptor_.join();
        ::close(listener_);
        for (auto& one : open_) { ::shutdown(one.socket, SHUT_RDWR); } // wakes recv and send
        for (auto& one : open_) { one.close(); }
        open_.clear();
    }

    [[nodiscard]] auto port() const -> std::uint16_t { return port_; }
    /// `http://127.0.0.1:<port>`
    [[nodiscard]] auto endpoint() const -> std::string { return "http://127.0.0.1:" + std::to_string(port_); }
    /// How many connections were accepted so far.
    [[nodiscard]] auto connections() const -> std::size_t { return connections_; }
    /// How many whole requests were read so far.
    [[nodiscard]] auto requests() const -> std::size_t { return requests_; }

private:
    static constexpr std::size_t longest_head = 64 * 1024;
    static constexpr std::size_t longest_body = 16 * 1024 * 1024;

    struct connection {
        int socket{};
        std::thread serving{};
        std::atomic<bool> ended{};

        // The descriptor is closed only when its thread is gone, so that `stop` never shuts a stranger's socket down.
        void close() {
            serving.join();
            ::close(socket);
        }
    };

    void accept_all() {
        while (!stopped_) {
            const auto socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket < 0 && stopped_) { return; }
            if (socket < 0) {
                std::this_thread::sleep_for(std::chrono::milliseconds{1}); // out of descriptors, or a caller that left
                continue;
            }
            const int on = 1;
            ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            open_.remove_if([](connection& one) { return one.ended && (one.close(), true); });
            auto& added = open_.emplace_back();
            added.socket = socket;
            added.serving = std::thread{[this, &added, number = ++connections_] {
                serve(added.socket, number);
                ::shutdown(added.socket, SHUT_RDWR);
                added.ended = true;
            }};
        }
    }

    void serve(int socket, std::size_t number) {
        std::string pending;
        for (;;) {
            http_request request{{}, {}, {}, {}, number, stopping_.get_token()};
            const auto refused = read(socket, pending, request);
            if (refused == closed) { return; }
            if (refused != good) {
                send(socket, {refused, "", {}, {}, {}, false, true});
                return;
            }
            ++requests_;
            const auto answer = answered(request);
            if (!send(socket, answer) || request.header("connection") == "close") { return; }
        }
    }

    [[nodiscard]] auto answered(const http_request& request) const -> http_response {
        try {
            return answer_(request);
        } catch (const std::exception& thrown) {
            return {500, std::string{"the handler threw: "} + thrown.what()};
        } catch (...) {
            return {500, "the handler threw"};
        }
    }

    static constexpr int good = 0;
    static constexpr int closed = -1;

    // Reads one request; `good`, `closed`, or the status that refuses it.
    static auto read(int socket, std::string& pending, http_request& request) -> int {
        std::size_t head{};
        while ((head = pending.find("\r\n\r\n")) == std::string::npos) {
            if (pending.size() > longest_head) { return 431; }
            if (!receive(socket, pending)) { return closed; }
        }
        if (!parse_head(std::string_view{pending}.substr(0, head), request)) { return 400; }
        pending.erase(0, head + 4);

        if (!request.header("transfer-encoding").empty()) { return 411; }
        std::size_t length{};
        if (const auto text = request.header("content-length"); !text.empty()) {
            const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
            if (failed != std::errc{} || end != text.data() + text.size()) { return 400; }
        }
        if (length > longest_body) { return 413; }
        if (pending.size() < length && lower(request.header("expect")) == "100-continue" &&
            !send_bytes(socket, "HTTP/1.1 100 Continue\r\n\r\n")) {
            return closed;
        }
        while (pending.size() < length) {
            if (!receive(socket, pending)) { return closed; }
        }
        request.body = pending.substr(0, length);
        pending.erase(0, length);
        return good;
    }

    static auto parse_head(std::string_view head, http_request& request) -> bool {
        const auto line = next_line(head);
        const auto method = line.find(' ');
        const auto target = line.rfind(' ');
        if (method == 0 || method == std::string_view::npos || target <= method + 1) { return false; }
        if (!line.substr(target + 1).starts_with("HTTP/1.")) { return false; }
        request.method = line.substr(0, method);
        request.target = line.substr(method + 1, target - method - 1);
        while (!head.empty()) {
            const auto field = next_line(head);
            const auto colon = field.find(':');
            if (colon == 0 || colon == std::string_view::npos) { return false; }
            request.headers.emplace_back(lower(field.substr(0, colon)), trimmed(field.substr(colon + 1)));
        }
        return true;
    }

    static auto next_line(std::string_view& text) -> std::string_view {
        const auto end = std::min(text.find("\r\n"), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 2, text.size()));
        return line;
    }

    static auto lower(std::string_view text) -> std::string {
        std::string small{text};
        for (auto& c : small) {
            if (c >= 'A' && c <= 'Z') { c = static_cast<char>(c - 'A' + 'a'); }
        }
        return small;
    }

    static auto trimmed(std::string_view text) -> std::string_view {
        const auto first = std::min(text.find_first_not_of(" \t"), text.size());
        text.remove_prefix(first);
        return text.substr(0, text.find_last_not_of(" \t") + 1);
    }

    static auto receive(int socket, std::string& into) -> bool {
        std::array<char, 16 * 1024> block; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
        for (;;) {
            const auto got = ::recv(socket, block.data(), block.size(), 0);
            if (got < 0 && errno == EINTR) { continue; }
            if (got <= 0) { return false; }
            into.append(block.data(), static_cast<std::size_t>(got));
            return true;
        }
    }

    // False where the connection is of no more use.
    auto send(int socket, const http_response& response) const -> bool {
        if (!waited(response.delay) || response.dropped) { return false; }
        auto text = "HTTP/1.1 " + std::to_string(response.status) + " \r\n";
        for (const auto& [name, value] : response.headers) { text += name + ": " + value + "\r\n"; }
        text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
        if (response.last) { text += "Connection: close\r\n"; }
        text += "\r\n";
        text += std::string_view{response.body}.substr(0, response.cut_after.value_or(response.body.size()));
        return send_bytes(socket, text) && !response.last && !response.cut_after;
    }

    static auto send_bytes(int socket, std::string_view bytes) -> bool {
        while (!bytes.empty()) {
            const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) { continue; }
            if (sent <= 0) { return false; }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    [[nodiscard]] auto waited(freshet::duration span) const -> bool {
        if (span <= freshet::duration{}) { return true; }
        std::mutex alone;
        std::condition_variable_any over;
        std::unique_lock lock{alone};
        const auto stopping = stopping_.get_token();
        over.wait_for(lock, stopping, span, [] { return false; });
        return !stopping.stop_requested();
    }

    handler answer_;
    int listener_{-1};
    std::uint16_t port_{};
    std::stop_source stopping_;
    std::atomic<bool> stopped_{};
    std::atomic<std::size_t> connections_{};
    std::atomic<std::size_t> requests_{};
    std::list<connection> open_; // touched by the accepting thread alone, and by `stop` once that has ended
    std::thread acceptor_;
};

} // namespace support
