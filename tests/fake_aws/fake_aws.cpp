// The fake of AWS as a program, for programs that speak to AWS over the network.

#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <poll.h>
#include <unistd.h>

#include <freshet/core/time.hpp>

#include <fake_aws/server.hpp>

namespace {

constexpr const char* usage =
    "usage: fake_aws [--port N] [--access-key KEY] [--secret-key SECRET] [--session-token TOKEN] [--region REGION]\n"
    "                [--until-stdin-closes]\n"
    "DynamoDB, DynamoDB Streams and SQS on 127.0.0.1, all in memory. The first line printed is the endpoint;\n"
    "ends with SIGTERM or SIGINT. Without --port a free port is taken; without a key the built-in ones are good.\n";

struct arguments {
    fake_aws::server_options server{};
    bool until_stdin_closes{};
    bool help{};
};

auto parse(int count, char** words) -> std::optional<arguments> {
    arguments given;
    fake_aws::known_key key;
    for (int i = 1; i < count; ++i) {
        const std::string_view word{words[i]};
        if (word == "--help") {
            given.help = true;
            continue;
        }
        if (word == "--until-stdin-closes") {
            given.until_stdin_closes = true;
            continue;
        }
        if (i + 1 == count) { return std::nullopt; }
        const std::string_view value{words[++i]};
        if (word == "--access-key") {
            key.access_key = value;
        } else if (word == "--secret-key") {
            key.secret_key = value;
        } else if (word == "--session-token") {
            key.session_token = value;
        } else if (word == "--region") {
            given.server.region = value;
        } else if (word == "--port") {
            const auto* end = value.data() + value.size();
            const auto [read, failed] = std::from_chars(value.data(), end, given.server.port);
            if (read != end || failed != std::errc{}) { return std::nullopt; }
        } else {
            return std::nullopt;
        }
    }
    if (key.access_key.empty() != key.secret_key.empty()) { return std::nullopt; }
    if (!key.access_key.empty()) { given.server.keys = {key}; }
    return given;
}

// Returns when SIGTERM or SIGINT comes, or when stdin is closed if that counts. The signals are blocked beforehand.
void wait_for_the_end(const sigset_t& ends, bool until_stdin_closes) {
    for (;;) {
        const timespec tick{0, 50'000'000};
        if (::sigtimedwait(&ends, nullptr, &tick) > 0) { return; }
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (!until_stdin_closes || ::poll(&input, 1, 0) <= 0) { continue; }
        char skipped[256];
        if (::read(STDIN_FILENO, skipped, sizeof skipped) == 0) { return; }
    }
}

} // namespace

auto main(int count, char** words) -> int {
    const auto given = parse(count, words);
    if (!given || given->help) {
        std::fputs(usage, given ? stdout : stderr);
        return given ? 0 : 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr); // before the server's threads, which inherit it
    try {
        const fake_aws::server server{
            [] { return std::chrono::time_point_cast<freshet::duration>(std::chrono::system_clock::now()); },
            given->server};
        std::printf("%s\n", server.endpoint().c_str());
        std::fflush(stdout);
        wait_for_the_end(ends, given->until_stdin_closes);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "fake_aws: %s\n", thrown.what());
        return 3;
    }
    return 0;
}
