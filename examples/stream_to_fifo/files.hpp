#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <freshet/core/result.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <stream_to_fifo/settings.hpp>
#include <support/printing.hpp>

namespace stream_to_fifo {

/// Says what is wrong with a file; the exit code.
[[nodiscard]] inline auto refuse_file(const std::string& file, std::string_view why) -> int {
    support::complain("stream_to_fifo: {}: {}\n", file, why);
    return wrong_usage;
}

/// The exit code, where all of stdout could be written; else says why not.
[[nodiscard]] inline auto end_of_output(exit_code code) -> int {
    return support::all_printed("stream_to_fifo") ? code : unreachable;
}

/// A file to write to, or stdout for `-`; closed again unless it is stdout.
class output_file {
public:
    explicit output_file(const std::string& name) : file_{name == "-" ? stdout : std::fopen(name.c_str(), "wb")} {}
    output_file(const output_file&) = delete;
    auto operator=(const output_file&) -> output_file& = delete;
    ~output_file() {
        if (file_ != nullptr && file_ != stdout) { std::fclose(file_); }
    }
    [[nodiscard]] auto get() const -> std::FILE* { return file_; }

private:
    std::FILE* file_;
};

/// Whether both names mean one regular file, there already or not; `-` is whatever the stream was redirected to.
[[nodiscard]] inline auto same_file(const std::string& a, const char* a_stream, const std::string& b,
                                    const char* b_stream) -> bool {
    if (a == "-" && b == "-" && a_stream == std::string_view{b_stream}) { return true; }
    const std::filesystem::path first = a == "-" ? a_stream : a;
    const std::filesystem::path second = b == "-" ? b_stream : b;
    std::error_code failed;
    if (std::filesystem::is_regular_file(first, failed)) { return std::filesystem::equivalent(first, second, failed); }
    if (a == "-" || b == "-" || std::filesystem::exists(first, failed)) { return false; }
    const auto named = std::filesystem::weakly_canonical(first, failed);
    return !failed && named == std::filesystem::weakly_canonical(second, failed) && !failed;
}

[[nodiscard]] inline auto is_blank(std::string_view line) -> bool {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// Whole lines at once, and out of the process before the next event: a killed run leaves whole events behind.
[[nodiscard]] inline auto write_whole(std::FILE* file, const std::string& text, std::string_view name)
    -> freshet::result<void> {
    if (std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0) { return {}; }
    return freshet::error{freshet::errc::unavailable, fmt::format("{}: cannot be written: {}",
                                                                  name == "-" ? "stdout" : name, std::strerror(errno))};
}

/// One response as a line.
[[nodiscard]] inline auto write_response(std::FILE* file, const freshet::batch_response& response,
                                         std::string_view name) -> freshet::result<void> {
    std::string line;
    freshet::write_response(line, response);
    return write_whole(file, line += '\n', name);
}

} // namespace stream_to_fifo
