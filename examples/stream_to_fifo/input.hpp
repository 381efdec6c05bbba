#pragma once

#include <array>
#include <cerrno>
#include <cstring>
#include <istream>
#include <stop_token>
#include <streambuf>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <stream_to_fifo/files.hpp>

namespace stream_to_fifo {

/// Reads an open file to its end. A stop makes it a file that cannot be read any further, also while it waits for more.
class stoppable_buffer : public std::streambuf {
public:
    /// Borrows the file.
    stoppable_buffer(int file, std::stop_token stop) : file_{file}, stop_{std::move(stop)} {}

    /// The `errno` of the read that failed; `ECANCELED` after a stop.
    [[nodiscard]] auto failure() const noexcept -> int { return failure_; }

protected:
    /// Throws where it cannot read, which the stream that asks catches, and is bad from then on.
    auto underflow() -> int_type override {
        for (pollfd more{file_, POLLIN, 0}; !stop_.stop_requested();) {
            const int glance = stop_.stop_possible() ? 50 : -1;
            if (const int ready = ::poll(&more, 1, glance); ready == 0 || (ready < 0 && errno == EINTR)) { continue; }
            const auto got = ::read(file_, bytes_.data(), bytes_.size());
            if (got == 0) { return traits_type::eof(); }
            if (got > 0) {
                setg(bytes_.data(), bytes_.data(), bytes_.data() + got);
                return traits_type::to_int_type(*gptr());
            }
            if (errno != EINTR && errno != EAGAIN) { fail(errno); }
        }
        fail(ECANCELED);
    }

private:
    [[noreturn]] void fail(int why) {
        failure_ = why;
        throw std::system_error{why, std::generic_category()};
    }

    int file_;
    int failure_{};
    std::stop_token stop_;
    std::array<char, 65'536> bytes_;
};

/// Calls `use(stream, name)` with what `input` names, `-` being stdin; its exit code, or that of an input which cannot
/// be read. A stop makes the stream bad.
template <class Use>
[[nodiscard]] auto with_input(const std::string& input, const std::stop_token& stop, Use&& use) -> int {
    const bool is_stdin = input == "-";
    // Not to wait for who writes into a pipe of that name: that is waited for where a stop is heeded.
    const int file = is_stdin ? STDIN_FILENO : ::open(input.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file == -1 || ::fcntl(file, F_GETFD) == -1) {
        return refuse_file(is_stdin ? "stdin" : input, std::strerror(errno));
    }
    stoppable_buffer buffer{file, stop};
    std::istream stream{&buffer};
    const auto code = [&] {
        if (is_stdin) { return use(stream, std::string{"stdin"}); }
        // A directory opens well and fails at its first byte.
        if (stream.peek() == std::istream::traits_type::eof() && stream.bad() && !stop.stop_requested()) {
            return refuse_file(input, std::strerror(buffer.failure()));
        }
        if (!stream.bad()) { stream.clear(); }
        return use(stream, input);
    }();
    if (!is_stdin) { ::close(file); }
    return code;
}

} // namespace stream_to_fifo
