#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <support/scratch_directory.hpp>

namespace support {

/// How to start a server: the program is looked for on PATH, and `{port}` in an argument becomes the port.
struct server_command {
    std::string name; ///< for people
    std::vector<std::string> words;
    std::string given_time{}; ///< the module made of `given_time.cpp`; without it the server has the machine's time
    std::chrono::seconds patience{60};             ///< for its first answer
    std::string port{};                            ///< empty: a free one
    std::string logged{"http://127.0.0.1:{port}"}; ///< what its log says when the port is its own
    std::string question{"GET / HTTP/1.0\r\n\r\n"};
    std::string answer{"HTTP/"}; ///< how it answers the question
};

/// A server in a process of its own on a port of 127.0.0.1, which ends with this object, and with the thread that made
/// it, however that ends.
class server_process {
public:
    /// The server, as soon as it answers; `unavailable` with the last line that it wrote where it does not.
    [[nodiscard]] static auto start(const server_command& command) -> freshet::result<std::unique_ptr<server_process>> {
        freshet::error why;
        for (int attempt = 0; attempt < 3; ++attempt) { // the port may be taken between the choice and the server
            std::unique_ptr<server_process> started{new server_process{command}};
            if (started->answers_within(command)) { return started; }
            why = {freshet::errc::unavailable, command.name + " does not answer: " + started->last_line()};
        }
        return why;
    }
    server_process(const server_process&) = delete;
    auto operator=(const server_process&) -> server_process& = delete;
    ~server_process() {
        stop();
        if (time_ != nullptr) { ::munmap(time_, sizeof(std::int64_t)); }
    }

    [[nodiscard]] auto port() const -> const std::string& { return port_; }
    /// `http://127.0.0.1:<port>`
    [[nodiscard]] auto endpoint() const -> std::string { return "http://127.0.0.1:" + port_; }
    [[nodiscard]] auto pid() const -> pid_t { return pid_; }

    /// Whether its time can be set.
    [[nodiscard]] auto obeys_time() const -> bool { return time_ != nullptr; }
    /// Stops the server's wall clock at this instant.
    void set_time(freshet::time_point now) {
        if (time_ == nullptr) { return; }
        const std::chrono::nanoseconds since{now.time_since_epoch()};
        std::atomic_ref{*time_}.store(since.count());
    }

    /// Asks it to end, and ends it after two seconds.
    void stop() {
        if (pid_ <= 0) { return; }
        ::kill(pid_, SIGTERM);
        if (!ended_within(std::chrono::seconds{2})) { kill(); }
    }

    /// Ends it at once, wherever it is.
    void kill() {
        if (pid_ <= 0) { return; }
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

private:
    explicit server_process(const server_command& command)
        : port_{command.port.empty() ? std::to_string(free_port()) : command.port} {
        std::vector<std::string> words;
        for (const auto& word : command.words) { words.push_back(with_port(word)); }
        std::vector<std::string> environment;
        for (auto** one = ::environ; *one != nullptr; ++one) { environment.emplace_back(*one); }
        if (std::filesystem::exists(command.given_time)) {
            time_ = share_time(files_.file("time"));
            environment.push_back("FRESHET_TIME_FILE=" + files_.file("time"));
            environment.push_back("LD_PRELOAD=" + std::filesystem::absolute(command.given_time).string());
        }
        const auto pointers = [](std::vector<std::string>& texts) {
            std::vector<char*> all;
            for (auto& text : texts) { all.push_back(text.data()); }
            all.push_back(nullptr);
            return all;
        };
        auto argv = pointers(words);
        auto envp = pointers(environment);
        const auto log = files_.file("log");
        const auto parent = ::getpid();
        pid_ = ::fork();
        if (pid_ != 0) { return; }
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setpgid(0, 0); // what is typed at a terminal is for those who use it
        if (::getppid() != parent) { ::_exit(127); }
        const int nothing = ::open("/dev/null", O_RDONLY);
        const int written = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(nothing, STDIN_FILENO);
        ::dup2(written, STDOUT_FILENO);
        ::dup2(written, STDERR_FILENO);
        ::execvpe(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }

    [[nodiscard]] static auto share_time(const std::string& path) -> std::int64_t* {
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0 || ::ftruncate(file, sizeof(std::int64_t)) != 0) { return nullptr; }
        void* at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        return at == MAP_FAILED ? nullptr : static_cast<std::int64_t*>(at);
    }

    [[nodiscard]] static auto loopback(std::uint16_t port) -> sockaddr_in {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    [[nodiscard]] static auto free_port() -> std::uint16_t {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto address = loopback(0);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        const bool known = ::bind(socket, plain, size) == 0 && ::getsockname(socket, plain, &size) == 0;
        ::close(socket);
        return known ? ntohs(address.sin_port) : std::uint16_t{0};
    }

    /// Whether the process has ended, which takes its place in the process table away.
    [[nodiscard]] auto ended() -> bool {
        if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) { pid_ = -1; }
        return pid_ <= 0;
    }
    [[nodiscard]] auto ended_within(std::chrono::milliseconds time) -> bool {
        const auto until = std::chrono::steady_clock::now() + time;
        while (!ended()) {
            if (std::chrono::steady_clock::now() >= until) { return false; }
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        return true;
    }

    [[nodiscard]] auto with_port(std::string text) const -> std::string {
        if (const auto at = text.find("{port}"); at != std::string::npos) { text.replace(at, 6, port_); }
        return text;
    }

    [[nodiscard]] auto answers_within(const server_command& command) -> bool {
        const auto until = std::chrono::steady_clock::now() + command.patience;
        while (std::chrono::steady_clock::now() < until) {
            if (ended_within(std::chrono::milliseconds{50})) { return false; }
            // Its log names the port when that is its own, and not somebody else's who answers there.
            if (log().find(with_port(command.logged)) != std::string::npos && answers(command)) { return !ended(); }
        }
        return false;
    }

    /// Whether something on the port speaks as the server does.
    [[nodiscard]] auto answers(const server_command& command) const -> bool {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval wait{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        const auto address = loopback(static_cast<std::uint16_t>(std::stoi(port_)));
        const auto& question = command.question;
        std::string start(command.answer.size(), ' ');
        const bool spoke =
            ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::send(socket, question.data(), question.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(question.size()) &&
            ::recv(socket, start.data(), start.size(), MSG_WAITALL) == static_cast<ssize_t>(start.size()) &&
            start == command.answer;
        ::close(socket);
        return spoke;
    }

    [[nodiscard]] auto log() const -> std::string {
        std::ifstream file{files_.file("log")};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    [[nodiscard]] auto last_line() const -> std::string {
        auto text = log();
        text.erase(text.find_last_not_of("\n") + 1);
        return text.empty() ? "it said nothing" : text.substr(text.rfind('\n') + 1);
    }

    scratch_directory files_;
    std::string port_;
    std::int64_t* time_{};
    pid_t pid_{-1};
};

/// Where PATH has the program; nothing where it has none.
[[nodiscard]] inline auto program_on_path(const std::string& name) -> std::optional<std::string> {
    const auto* path = std::getenv("PATH");
    std::string rest{path == nullptr ? "" : path};
    while (!rest.empty()) {
        const auto file = rest.substr(0, rest.find(':')) + "/" + name;
        if (::access(file.c_str(), X_OK) == 0) { return file; }
        rest.erase(0, rest.find(':') == std::string::npos ? rest.size() : rest.find(':') + 1);
    }
    return std::nullopt;
}

/// A dynalite of its own with an empty store, of the directory that the environment variable FRESHET_NODE_MODULES
/// names; `denied` where it cannot be had.
[[nodiscard]] inline auto start_dynalite() -> freshet::result<std::unique_ptr<server_process>> {
    const auto* directory = std::getenv("FRESHET_NODE_MODULES");
    if (directory == nullptr) {
        return freshet::error{freshet::errc::denied, "FRESHET_NODE_MODULES names no directory"};
    }
    const auto program = std::string{directory} + "/dynalite/cli.js";
    if (!program_on_path("node")) { return freshet::error{freshet::errc::denied, "node is not on PATH"}; }
    if (!std::filesystem::exists(program)) {
        return freshet::error{freshet::errc::denied, "there is no " + program + " (npm ci in tests/servers makes it)"};
    }
    return server_process::start({.name = "dynalite",
                                  .words = {"node", program, "--host", "127.0.0.1", "--port", "{port}",
                                            "--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0"}});
}

/// A moto_server of its own with an empty store, which obeys `set_time` where the environment variable
/// FRESHET_GIVEN_TIME names the module of `given_time.cpp`; `denied` where it is not on PATH.
[[nodiscard]] inline auto start_moto() -> freshet::result<std::unique_ptr<server_process>> {
    if (!program_on_path("moto_server")) { return freshet::error{freshet::errc::denied, "moto_server is not on PATH"}; }
    const auto* module = std::getenv("FRESHET_GIVEN_TIME");
    return server_process::start({.name = "moto_server",
                                  .words = {"moto_server", "-H", "127.0.0.1", "-p", "{port}"},
                                  .given_time = module == nullptr ? "" : module});
}

/// A redis-server of its own with an empty store, which keeps nothing on disk, on a free port or on this one; `denied`
/// where it is not on PATH.
[[nodiscard]] inline auto start_redis(const std::string& password = {}, const std::string& port = {})
    -> freshet::result<std::unique_ptr<server_process>> {
    if (!program_on_path("redis-server")) {
        return freshet::error{freshet::errc::denied, "redis-server is not on PATH"};
    }
    server_command command{
        .name = "redis-server",
        .words = {"redis-server", "--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--appendonly", "no"},
        .port = port,
        .logged = "port={port}.",
        .question = "PING\r\n",
        .answer = "+PONG"};
    if (!password.empty()) {
        command.words.insert(command.words.end(), {"--requirepass", password});
        command.answer = "-NOAUTH";
    }
    return server_process::start(command);
}

} // namespace support
