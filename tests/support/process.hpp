#pragma once

#include <csignal>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

namespace support {

/// A process that runs a function, and ends with 0 if that says true. It checks nothing by itself.
class process {
public:
    template <class Function>
    explicit process(Function function) : id_{::fork()} {
        if (id_ == 0) { ::_exit(function() ? 0 : 1); }
    }
    process(const process&) = delete;
    auto operator=(const process&) -> process& = delete;
    ~process() {
        if (id_ > 0) { kill(); }
    }

    [[nodiscard]] auto id() const -> pid_t { return id_; }

    /// Waits for its end; whether it ended by itself and well.
    [[nodiscard]] auto went_well() -> bool {
        int status = 0;
        const auto ended = ::waitpid(id_, &status, 0) == id_;
        id_ = -1;
        return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    /// Ends it at once, wherever it is.
    void kill() {
        ::kill(id_, SIGKILL);
        static_cast<void>(went_well());
    }

private:
    pid_t id_;
};

/// Lets one process wait until another says go.
class signal_pipe {
public:
    signal_pipe() {
        if (::pipe(ends_) != 0) { std::abort(); }
    }
    signal_pipe(const signal_pipe&) = delete;
    auto operator=(const signal_pipe&) -> signal_pipe& = delete;
    ~signal_pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    void go() const { static_cast<void>(::write(ends_[1], "!", 1) == 1); }
    void wait() const {
        char told{};
        static_cast<void>(::read(ends_[0], &told, 1) == 1);
    }

private:
    int ends_[2]{};
};

} // namespace support
