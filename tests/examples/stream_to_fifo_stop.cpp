#include <stream_to_fifo/backends.hpp>
#include <stream_to_fifo/input.hpp>
#include <stream_to_fifo/queue_program.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <functional>
#include <istream>
#include <optional>
#include <span>
#include <sstream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <adapters/memory/message_queue.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/wall_clock.hpp>
#include <support/process.hpp>
#include <support/scratch_directory.hpp>
#include <support/stop_on_signal.hpp>

#include "stream_to_fifo_queues.hpp"

namespace {

using namespace to_queues;
using freshet::errc;
using memory_queue = adapters::memory::message_queue<manual_clock>;

/// What happens before each request to a queue, counted from 0; a failure keeps the request from it.
using script = std::function<std::optional<freshet::error>(std::size_t)>;

/// A queue with a script. Borrows all.
class scripted_queue {
public:
    scripted_queue(memory_queue& queue, const script& before, std::size_t& requests)
        : queue_{&queue}, before_{&before}, requests_{&requests} {}

    [[nodiscard]] auto limits() const -> freshet::queue_limits { return queue_->limits(); }
    [[nodiscard]] auto send(std::span<const freshet::message_view> entries)
        -> freshet::result<std::vector<freshet::entry_refusal>> {
        if (auto why = (*before_)((*requests_)++)) { return *std::move(why); }
        return queue_->send(entries);
    }

private:
    memory_queue* queue_;
    const script* before_;
    std::size_t* requests_;
};

/// A clock that calls somebody before each wait.
struct watched_clock {
    manual_clock clock{};
    std::function<void()> before_wait{};

    [[nodiscard]] auto now() const -> freshet::time_point { return clock.now(); }
    [[nodiscard]] auto wait(freshet::duration span, const std::stop_token& stop) -> bool {
        if (before_wait) { before_wait(); }
        return clock.wait(span, stop);
    }
};

/// Queues in memory, and the program on them, which can be stopped.
struct in_memory {
    watched_clock timer;
    script before = [](std::size_t) { return std::nullopt; };
    std::stop_source stop;
    memory_queue lines{timer.clock, {.name = "lines"}};
    memory_queue words{timer.clock, {.name = "words"}};

    [[nodiscard]] auto open() -> freshet::result<stream_to_fifo::destinations<scripted_queue>> {
        requests_ = 0;
        return stream_to_fifo::destinations<scripted_queue>{{lines, before, requests_}, {words, before, requests_}};
    }
    [[nodiscard]] auto send(const std::string& input, const settings& wanted = quiet()) -> finished {
        const support::scratch_directory in;
        std::istringstream stream{input};
        captured_stderr said{in.file("stderr")};
        const auto code = stream_to_fifo::send_to(
            wanted, stream, "test", timer, [this] { return open(); }, stop.get_token());
        return {code, said.text(), {}};
    }
    void drain_to(messages& all) {
        drain_into(all, lines, "lines");
        drain_into(all, words, "words");
    }

private:
    std::size_t requests_{};
};

[[nodiscard]] auto count(const messages& all) -> std::size_t {
    std::size_t sum = 0;
    for (const auto& [group, some] : all) { sum += some.size(); }
    return sum;
}

/// The first lines of a text, and the others.
[[nodiscard]] auto split(const std::string& text, std::size_t lines) -> std::pair<std::string, std::string> {
    std::size_t at = 0;
    for (; lines != 0; --lines) { at = text.find('\n', at) + 1; }
    return {text.substr(0, at), text.substr(at)};
}

/// The line that a stopped run names, which has said nothing else.
[[nodiscard]] auto line_in(const finished& run) -> std::size_t {
    CAPTURE(run.said);
    const std::string start = "stream_to_fifo: test: stopped: go on from line ";
    CHECK(run.code == 1);
    REQUIRE(run.said.starts_with(start));
    const auto line = std::stoul(run.said.substr(start.size()));
    CHECK(run.said == start + std::to_string(line) + "\n");
    return line;
}

/// From the line that a stopped run names on the rest is sent, after which the queues have all, each message once; and
/// that line is the first one that was not wholly sent.
void goes_on(in_memory& to, const finished& run, const std::string& input) {
    const auto line = line_in(run);
    messages all;
    to.drain_to(all);
    const auto sent = count(all);
    const auto before = count(to_file_from(split(input, line - 1).first).all);
    const auto with = count(to_file_from(split(input, line).first).all);
    CHECK(sent >= before);
    CHECK((sent < with || with == before));
    to.stop = {};
    to.before = [](std::size_t) { return std::nullopt; };
    to.timer.before_wait = {};
    CHECK(to.send(split(input, line - 1).second).code == 0);
    to.drain_to(all);
    CHECK((all == to_file_from(input).all));
}

/// The program in a process of its own, whose stdin and stderr are pipes. Made while there is one thread.
class running {
public:
    template <class Function>
    explicit running(Function run)
        : process_{[this, run] {
              ::prctl(PR_SET_PDEATHSIG, SIGKILL);
              ::dup2(in_[0], STDIN_FILENO);
              ::dup2(err_[1], STDERR_FILENO);
              ::close(in_[1]);
              const support::stop_on_signal stop;
              return run(stop.token());
          }} {
        ::close(in_[0]);
        ::close(err_[1]);
        said_ = ::fdopen(err_[0], "r");
        REQUIRE(said_ != nullptr);
    }
    running(const running&) = delete;
    auto operator=(const running&) -> running& = delete;
    ~running() {
        ::close(in_[1]);
        std::fclose(said_);
    }

    void write(const std::string& text) const {
        REQUIRE(::write(in_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    void signal(int number) const { REQUIRE(::kill(process_.id(), number) == 0); }
    /// The next line that it says, when it says it; empty when it has ended.
    [[nodiscard]] auto line() const -> std::string {
        std::string text;
        for (int c = std::fgetc(said_); c != EOF && c != '\n'; c = std::fgetc(said_)) { text += static_cast<char>(c); }
        return text;
    }
    [[nodiscard]] auto went_well() -> bool { return process_.went_well(); }

private:
    struct pipe_ends {
        int ends[2]{};
        pipe_ends() { REQUIRE(::pipe2(ends, O_CLOEXEC) == 0); }
        auto operator[](int which) const -> int { return ends[which]; }
    };

    pipe_ends in_;
    pipe_ends err_;
    support::process process_;
    std::FILE* said_{};
};

} // namespace

TEST_CASE("a stop at any request to a queue: from the line that is named on nothing is lost and nothing is twice") {
    const auto input = sample(4);
    std::size_t stopped = 0;
    for (std::size_t at = 0;; ++at, ++stopped) {
        CAPTURE(at);
        in_memory to;
        to.before = [&](std::size_t request) -> std::optional<freshet::error> {
            if (request == at) { to.stop.request_stop(); }
            return std::nullopt;
        };
        const auto run = to.send(input);
        if (!to.stop.stop_requested() || run.code == 0) { break; } // all was sent
        goes_on(to, run, input);
    }
    CHECK(stopped > 10);
}

TEST_CASE("a stop while an outage is waited for, at any wait, names the line of the event that met it") {
    const auto input = sample(4);
    for (const auto from : {std::size_t{0}, std::size_t{4}, std::size_t{8}}) {
        for (int waits = 1; waits != 5; ++waits) {
            CAPTURE(from);
            CAPTURE(waits);
            in_memory to;
            to.before = [from](std::size_t request) -> std::optional<freshet::error> {
                if (request < from) { return std::nullopt; }
                return freshet::error{errc::unavailable, "the queue is down"};
            };
            to.timer.before_wait = [&, left = waits]() mutable {
                if (--left == 0) { to.stop.request_stop(); }
            };
            goes_on(to, to.send(input), input);
        }
    }
}

TEST_CASE("a stop before the queues could be opened names the first line") {
    in_memory to;
    const support::scratch_directory in;
    std::istringstream stream{sample(1)};
    to.timer.before_wait = [&] { to.stop.request_stop(); };
    captured_stderr said{in.file("stderr")};
    const auto open = []() -> freshet::result<stream_to_fifo::destinations<scripted_queue>> {
        return freshet::error{errc::unavailable, "the queue is down"};
    };
    const auto code = stream_to_fifo::send_to(quiet(), stream, "test", to.timer, open, to.stop.get_token());
    CHECK(line_in({code, said.text(), {}}) == 1);
}

TEST_CASE("SIGTERM and SIGINT end a process that waits for more input, and a line that is not whole is not sent") {
    for (const auto number : {SIGTERM, SIGINT}) {
        const support::scratch_directory in;
        auto wanted = quiet();
        wanted.to = backend::sqlite;
        wanted.directory = in.file("queues");
        wanted.level = support::log_level::info;
        running it{[&](const std::stop_token& stop) { return stream_to_fifo::run_to_queues(wanted, stop) == 1; }};
        it.write(event_of(json::array({record(1)})) + event_of(json::array({record(2)})));
        for (int events = 0; events != 2; ++events) {
            CHECK(it.line() == "INFO: Processing 1 DynamoDB stream records");
            CHECK(it.line() == "INFO: Sent 1 messages to compaction queue");
        }
        auto part = event_of(json::array({record(3)}));
        part.pop_back();
        it.write(part);
        it.signal(number);
        CHECK(it.line() == "stream_to_fifo: stdin: stopped: go on from line 3");
        CHECK(it.line().empty());
        CHECK(it.went_well());

        const freshet::wall_clock clock;
        auto words = adapters::sqlite::message_queue<freshet::wall_clock>::open(wanted.directory + "/queues.sqlite",
                                                                                clock, {.name = "words"});
        REQUIRE(words.ok());
        CHECK(laws::drain(*words).size() == 2);
    }
}

TEST_CASE("SIGTERM and SIGINT end a process that waits for a backend") {
    for (const auto number : {SIGTERM, SIGINT}) {
        auto wanted = quiet();
        wanted.patience = 1min;
        wanted.level = support::log_level::warning;
        running it{[&](const std::stop_token& stop) {
            freshet::wall_clock timer;
            std::istringstream input{sample(1)};
            const auto open = []() -> freshet::result<stream_to_fifo::destinations<scripted_queue>> {
                return freshet::error{errc::unavailable, "the queue is down"};
            };
            return stream_to_fifo::send_to(wanted, input, "test", timer, open, stop) == 1;
        }};
        CHECK(it.line() == "WARNING: Trying again: the queue is down");
        it.signal(number);
        CHECK(it.line() == "stream_to_fifo: test: stopped: go on from line 1");
        CHECK(it.line().empty());
        CHECK(it.went_well());
    }
}

TEST_CASE("an input is read byte for byte, whatever its lines are, and what cannot be read is exit code 2") {
    const support::scratch_directory in;
    const auto text = std::string(70'000, 'a') + '\n' + std::string(200'000, '\0') + "\n\nend";
    std::ofstream{in.file("text")} << text;
    std::ofstream{in.file("empty")};
    const auto read = [&](const char* name, const std::stop_token& stop = {}) {
        std::string all;
        const auto code = stream_to_fifo::with_input(in.file(name), stop, [&](std::istream& file, const std::string&) {
            for (char c{}; file.get(c);) { all += c; }
            return file.bad() ? 7 : 0;
        });
        return std::pair{code, all};
    };
    CHECK((read("text") == std::pair{0, text}));
    CHECK((read("empty") == std::pair{0, std::string{}}));
    {
        captured_stderr said{in.file("stderr")};
        CHECK(read("none").first == 2);
        CHECK(read(".").first == 2);
        CHECK(said.text().find("Is a directory") != std::string::npos);
    }
    REQUIRE(::mkfifo(in.file("pipe").c_str(), 0600) == 0);
    std::stop_source stop;
    stop.request_stop();
    CHECK((read("pipe", stop.get_token()) == std::pair{7, std::string{}}));
    CHECK((read("text", stop.get_token()) == std::pair{7, std::string{}}));
}
