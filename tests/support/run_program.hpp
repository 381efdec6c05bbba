#pragma once

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <support/scratch_directory.hpp>

namespace support {

/// How a program ended, and what it said.
struct program_run {
    int code{}; ///< 128 and the signal's number where one ended it
    std::string out;
    std::string err;
};

/// Runs a program to its end, in this process's environment with these variables set, or (empty) unset; its stdin is
/// empty.
[[nodiscard]] inline auto run_program(std::vector<std::string> words,
                                      const std::map<std::string, std::string>& variables = {}) -> program_run {
    const scratch_directory files;
    const auto out = files.file("out");
    const auto err = files.file("err");
    std::vector<char*> argv;
    for (auto& word : words) { argv.push_back(word.data()); }
    argv.push_back(nullptr);
    const auto child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (const auto& [name, value] : variables) {
            value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
        }
        ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
        ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
        ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    const auto text = [](const std::string& path) {
        std::ifstream file{path, std::ios::binary};
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    };
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text(out), text(err)};
}

} // namespace support
