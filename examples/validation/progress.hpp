#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_job_events.hpp>
#include <freshet/report/field_text.hpp>

namespace validation {

/// Says on stderr how far a run is, batches against the time left: a terminal sees one line that is written anew,
/// anything else a plain line now and then.
class progress {
public:
    using clock = std::chrono::steady_clock;

    explicit progress(bool terminal = ::isatty(STDERR_FILENO) == 1) : terminal_{terminal} {}
    progress(const progress&) = delete;
    auto operator=(const progress&) -> progress& = delete;
    ~progress() { clear(); }

    void show(const freshet::items_listed& listed) { so_far_ = text(listed.report); }
    void show(const freshet::batch_ended& batch) { so_far_ = text(batch.report); }
    void show(const freshet::batch_began& batch) {
        const auto now = clock::now();
        if (now - shown_ < (terminal_ ? std::chrono::milliseconds{100} : std::chrono::milliseconds{2'000})) { return; }
        shown_ = now;
        const auto line = so_far_ + "; " + text(batch);
        const auto out = terminal_ ? "\r\x1b[K" + line : line + "\n";
        std::fwrite(out.data(), 1, out.size(), stderr);
        open_ = terminal_;
    }

    /// Leaves the terminal's line empty, for other words.
    void clear() {
        if (open_) { std::fputs("\r\x1b[K", stderr); }
        open_ = false;
    }

    [[nodiscard]] static auto text(const freshet::run_report& report) -> std::string {
        return fmt::format("{}: {} of {} receipts, {} decided, {} failed", report.job, report.worked, report.groups,
                           report.validated, report.failed);
    }
    [[nodiscard]] static auto text(const freshet::batch_began& batch) -> std::string {
        const auto shown = [](freshet::duration span) {
            return freshet::field_text(std::chrono::ceil<std::chrono::milliseconds>(span));
        };
        const auto left =
            batch.time_left == freshet::duration::max() ? "no deadline" : shown(batch.time_left) + " left";
        return fmt::format("the next {} take about {}, {}", batch.groups, shown(batch.expected), left);
    }

private:
    bool terminal_;
    bool open_{};
    clock::time_point shown_{clock::now()};
    std::string so_far_;
};

} // namespace validation
