#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/// What `misuse` writes to stderr before it aborts, in a process of its own; empty if it ends in another way.
template <class Misuse>
auto dies_with(Misuse misuse) -> std::string {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) { return {}; }
    const auto child = fork();
    if (child == 0) {
        const rlimit no_core{};
        setrlimit(RLIMIT_CORE, &no_core);
        std::signal(SIGABRT, SIG_DFL); // the test runner's own handler would add its report
        dup2(ends[1], STDERR_FILENO);
        misuse();
        _exit(0);
    }
    close(ends[1]);
    std::string said;
    std::array<char, 256> chunk{};
    for (auto got = read(ends[0], chunk.data(), chunk.size()); got > 0;
         got = read(ends[0], chunk.data(), chunk.size())) {
        said.append(chunk.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    said.erase(std::min(said.size(), said.find("qemu: uncaught target signal"))); // an emulator's own words
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : std::string{};
}
