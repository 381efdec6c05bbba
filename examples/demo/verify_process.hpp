#pragma once

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <demo/output.hpp>
#include <freshet/core/result.hpp>
#include <receipts/comparison.hpp>

extern "C" char** environ;

namespace demo {

/// Runs this very program anew with these arguments, and gives what it writes to stdout and its exit code.
[[nodiscard]] inline auto run_self(std::vector<std::string> arguments) -> freshet::result<std::pair<std::string, int>> {
    const auto failed = [](const char* what, int code) {
        return freshet::error{freshet::errc::unavailable, fmt::format("{}: {}", what, std::strerror(code))};
    };
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) { return failed("a pipe to another process", errno); }

    std::vector<char*> argv;
    for (auto& each : arguments) { argv.push_back(each.data()); }
    argv.push_back(nullptr);
    sigset_t none;
    sigemptyset(&none); // this process may hold back signals that the other one shall get
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, pipe[1], STDOUT_FILENO);
    pid_t id = 0;
    const auto code = ::posix_spawn(&id, "/proc/self/exe", &files, &how, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    ::close(pipe[1]);
    if (code != 0) {
        ::close(pipe[0]);
        return failed("another process", code);
    }

    std::string said;
    std::array<char, 4'096> some{};
    for (;;) {
        const auto read = ::read(pipe[0], some.data(), some.size());
        if (read > 0) {
            said.append(some.data(), static_cast<std::size_t>(read));
        } else if (read == 0 || errno != EINTR) {
            break;
        }
    }
    ::close(pipe[0]);
    int status = 0;
    while (::waitpid(id, &status, 0) < 0 && errno == EINTR) {}
    return std::pair{std::move(said), WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

/// Has another process compare the embeddings with the table; `place` are the arguments that say where they are.
[[nodiscard]] inline auto verify_in_another_process(std::vector<std::string> place)
    -> freshet::result<receipts::comparison> {
    place.insert(place.begin(), {"demo", "verify", "--json"});
    auto ran = run_self(std::move(place));
    if (!ran) { return std::move(ran).why(); }
    if (auto compared = comparison_in(ran->first)) { return *std::move(compared); }
    return freshet::error{freshet::errc::unavailable,
                          fmt::format("the process that compares gave no answer (exit code {})", ran->second)};
}

} // namespace demo
