#include <adapters/redis/connection.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <freshet/backend/shareable.hpp>
#include <freshet/core/result.hpp>

namespace {

using namespace std::chrono_literals;
using adapters::redis::connection;
using adapters::redis::errc_of;
using freshet::errc;

static_assert(freshet::shareable<connection>);

/// Answers everything that comes on a port of 127.0.0.1 with the same bytes; with none it ends the connection, or, when
/// it is to be `silent`, says nothing.
class parrot {
public:
    explicit parrot(std::string answer, bool silent = false) : answer_{std::move(answer)}, silent_{silent} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listening_, plain, size) == 0);
        REQUIRE(::listen(listening_, 10) == 0);
        REQUIRE(::getsockname(listening_, plain, &size) == 0);
        where_.port = ntohs(address.sin_port);
        accepting_ = std::jthread{[this] { accept_all(); }};
    }
    parrot(const parrot&) = delete;
    auto operator=(const parrot&) -> parrot& = delete;
    ~parrot() {
        over_ = true;
        ::shutdown(listening_, SHUT_RDWR);
        accepting_.join();
        speaking_.clear(); // when those who connected are gone
        ::close(listening_);
    }

    [[nodiscard]] auto where() const -> adapters::redis::settings { return where_; }
    [[nodiscard]] auto accepted() const -> int { return accepted_; }

private:
    void accept_all() {
        while (!over_) {
            const int one = ::accept(listening_, nullptr, nullptr);
            if (one < 0) { continue; }
            ++accepted_;
            speaking_.emplace_back([this, one] {
                char bytes[1000];
                while (::recv(one, bytes, sizeof bytes, 0) > 0) {
                    if (silent_) { continue; }
                    if (answer_.empty()) {
                        ::shutdown(one, SHUT_WR);
                        break;
                    }
                    ::send(one, answer_.data(), answer_.size(), MSG_NOSIGNAL);
                }
                ::close(one);
            });
        }
    }

    std::string answer_;
    bool silent_;
    int listening_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    adapters::redis::settings where_{};
    std::atomic<int> accepted_{0};
    std::atomic<bool> over_{false};
    std::vector<std::jthread> speaking_;
    std::jthread accepting_;
};

/// The failure is this one, and its note is one line of the address and these words.
void fails(const connection& by, errc code, const adapters::redis::settings& where, const std::string& words) {
    const auto answer = by.call({"PING"});
    REQUIRE(!answer.ok());
    CAPTURE(answer.why().note);
    CHECK(answer.why().code == code);
    CHECK(answer.why().note == "redis 127.0.0.1:" + std::to_string(where.port) + ": " + words);
}

} // namespace

TEST_CASE("an error of the server is told apart by what a caller can do") {
    using enum errc;
    CHECK(errc_of("OOM command not allowed when used memory > 'maxmemory'.") == throttled);
    for (const auto* said : {"LOADING Redis is loading the dataset in memory", "BUSY Redis is busy running a script.",
                             "READONLY You can't write against a read only replica.", "MISCONF Redis is configured to",
                             "MASTERDOWN Link with MASTER is down", "ERR max number of clients reached"}) {
        CHECK(errc_of(said) == unavailable);
    }
    for (const auto* said : {"NOAUTH Authentication required.", "WRONGPASS invalid username-password pair",
                             "NOPERM this user has no permissions", "ERR unknown command 'OOM '", "", "OOM",
                             "WRONGTYPE Operation against a key holding the wrong kind of value"}) {
        CHECK(errc_of(said) == denied);
    }
    const std::string of_script{"ERR Error running script (call to f_0): @user_script:3: "};
    CHECK(errc_of(of_script + "-OOM command not allowed when used memory > 'maxmemory'.") == throttled);
    CHECK(errc_of(of_script + "-READONLY You can't write against a read only replica.") == unavailable);
    CHECK(errc_of(of_script + "WRONGTYPE Operation against a key holding the wrong kind of value") == denied);
}

TEST_CASE("what a server says is one line and a code, and the connection goes on") {
    for (const auto& [said, code] :
         {std::pair{"LOADING Redis is loading the dataset in memory", errc::unavailable},
          std::pair{"BUSY Redis is busy", errc::unavailable}, std::pair{"OOM command not allowed", errc::throttled},
          std::pair{"NOAUTH Authentication required.", errc::denied}}) {
        const parrot server{'-' + std::string{said} + "\r\n"};
        const connection by{server.where()};
        fails(by, code, server.where(), said);
        fails(by, code, server.where(), said);
        CHECK(server.accepted() == 1);
    }
}

TEST_CASE("a server that ends, that speaks otherwise or that says nothing is unavailable, and the next call connects") {
    const auto twice = [](const parrot& server, const std::string& words) {
        auto where = server.where();
        where.answer_timeout = 50ms;
        const connection by{where};
        fails(by, errc::unavailable, where, words);
        fails(by, errc::unavailable, where, words);
        CHECK(server.accepted() == 2);
    };
    twice(parrot{""}, "Server closed the connection");
    twice(parrot{"HTTP/1.0 400 Bad Request\r\n"}, "Protocol error, got \"H\" as reply type byte");
    twice(parrot{"", true}, "no answer within 50 ms");
    twice(parrot{"$5\r\nab", false}, "no answer within 50 ms");
}

TEST_CASE("a server that ends in the midst of a request ends nobody else") {
    const parrot server{""};
    const connection by{server.where()};
    const std::string long_word(50'000'000, 'v');
    for (int times = 0; times != 5; ++times) {
        const auto answer = by.call({"SET", "key", long_word});
        REQUIRE(!answer.ok());
        CHECK(answer.why().code == errc::unavailable);
    }
}

TEST_CASE("a port where nobody listens is unavailable") {
    adapters::redis::settings where;
    { where = parrot{""}.where(); }
    const connection by{where};
    fails(by, errc::unavailable, where, "Connection refused");
}

TEST_CASE("a password and a database are said once, before the first call") {
    const parrot server{"+OK\r\n"};
    auto where = server.where();
    where.password = "secret";
    where.database = 3;
    const connection by{where};
    for (int times = 0; times != 3; ++times) {
        const auto answer = by.call({"PING"});
        REQUIRE(answer.ok());
        CHECK(adapters::redis::text_of(**answer) == "OK");
    }
    CHECK(server.accepted() == 1);
}

TEST_CASE("calls at once have a socket each, and those after them use these again") {
    const parrot server{"$3\r\nabc\r\n"};
    const connection by{server.where()};
    std::atomic<int> well{0};
    for (int rounds = 0; rounds != 3; ++rounds) {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller != 4; ++caller) {
            callers.emplace_back([&] {
                for (int times = 0; times != 20; ++times) {
                    const auto answer = by.call({"GET", "key"});
                    well += answer.ok() && adapters::redis::text_of(**answer) == "abc" ? 1 : 0;
                }
            });
        }
    }
    CHECK(well == 240);
    CHECK(server.accepted() <= 4);
}

TEST_CASE("a script that the server does not take is denied") {
    const parrot server{"-NOSCRIPT No matching script.\r\n"};
    const connection by{server.where()};
    CHECK(by.run("return 1", {"key"}, {}).why().code == errc::denied);
}
