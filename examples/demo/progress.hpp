#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace demo {

/// How far a run is.
struct progress_facts {
    std::size_t edits{};
    std::size_t edits_wanted{};
    std::size_t sent{};    ///< messages
    std::size_t handled{}; ///< of them
    bool waiting{};        ///< for another process, or for a backend
};

/// `12345` as `12,345`.
[[nodiscard]] inline auto with_commas(std::size_t number) -> std::string {
    auto digits = fmt::format("{}", number);
    for (auto at = digits.size(); at > 3; at -= 3) { digits.insert(at - 3, 1, ','); }
    return digits;
}

/// Says on stderr how far a run is: a terminal sees one line that is written anew, anything else a plain line now and
/// then.
class progress {
public:
    using clock = std::chrono::steady_clock;

    explicit progress(bool terminal = ::isatty(STDERR_FILENO) == 1) : terminal_{terminal} {}
    progress(const progress&) = delete;
    auto operator=(const progress&) -> progress& = delete;
    ~progress() { clear(); }

    void show(const progress_facts& facts) {
        const auto now = clock::now();
        if (!begun_) { begun_ = shown_ = now; }
        if (now - shown_ < (terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{2'000})) { return; }
        shown_ = now;
        const auto line = text(facts, std::chrono::duration<double>(now - *begun_).count());
        const auto out = terminal_ ? "\r\x1b[K" + line : line + "\n";
        std::fwrite(out.data(), 1, out.size(), stderr);
        open_ = terminal_;
    }

    /// Leaves the terminal's line empty, for other words.
    void clear() {
        if (open_) { std::fputs("\r\x1b[K", stderr); }
        open_ = false;
    }

    [[nodiscard]] static auto text(const progress_facts& facts, double seconds) -> std::string {
        const auto rate = seconds > 0 ? static_cast<double>(facts.handled) / seconds : 0.0;
        return fmt::format("{} of {} edits, {} messages sent, {} applied ({}/s), {} on their way{}",
                           with_commas(facts.edits), with_commas(facts.edits_wanted), with_commas(facts.sent),
                           with_commas(facts.handled), with_commas(static_cast<std::size_t>(rate)),
                           with_commas(facts.sent - std::min(facts.sent, facts.handled)),
                           facts.waiting ? "; waiting for another process" : "");
    }

private:
    bool terminal_;
    bool open_{};
    std::optional<clock::time_point> begun_;
    clock::time_point shown_{};
};

} // namespace demo
