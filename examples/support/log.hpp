#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace support {

enum class log_level { debug, info, warning, error, critical };

/// Reads a level by its name, in any case, as `LOG_LEVEL` has it.
[[nodiscard]] inline auto parse_log_level(std::string name) -> std::optional<log_level> {
    for (char& c : name) { c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
    if (name == "DEBUG") { return log_level::debug; }
    if (name == "INFO") { return log_level::info; }
    if (name == "WARNING" || name == "WARN") { return log_level::warning; }
    if (name == "ERROR") { return log_level::error; }
    if (name == "CRITICAL") { return log_level::critical; }
    return std::nullopt;
}

/// Writes `LEVEL: text` lines to stderr, from one level on; or appends them to a text, which it borrows.
class log {
public:
    explicit log(log_level least, std::string* kept = nullptr) : least_{least}, kept_{kept} {}

    template <class... Args>
    void line(log_level level, fmt::format_string<Args...> text, Args&&... args) const {
        if (level < least_) { return; }
        constexpr const char* names[]{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
        // One write a line, so that lines of several processes do not mix.
        const auto out =
            fmt::format("{}: {}\n", names[static_cast<int>(level)], fmt::format(text, std::forward<Args>(args)...));
        if (kept_ != nullptr) {
            *kept_ += out;
            return;
        }
        std::fwrite(out.data(), 1, out.size(), stderr);
    }

private:
    log_level least_;
    std::string* kept_;
};

} // namespace support
