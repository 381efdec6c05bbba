#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/letter/queue_id.hpp>

namespace freshet {

/// What a job's round and its groups are called in the ledger and in dead letters.
class batch_round {
public:
    /// `malformed` without a job's name, and where the instant has no year of four digits.
    [[nodiscard]] static auto of(std::string job, time_point due) -> result<batch_round> {
        const auto text = format_rfc3339(due, 6);
        if (job.empty()) { return error{errc::malformed, "batch job: it has no name"}; }
        if (!text) { return text.fault().as_error("job " + printable(job) + ": the instant that it is due"); }
        return batch_round{std::move(job), due, std::string{text->view()}};
    }

    /// The round that a letter of this job is of, as `letter` wrote it.
    [[nodiscard]] static auto of(const std::string& job, const dead_letter& letter) -> result<batch_round> {
        const auto text = std::string_view{letter.id}.substr(0, letter.id.find('/'));
        const auto due = parse_rfc3339(text);
        if (letter.origin != job || !due || letter.id != std::string{text} + '/' + letter.group) {
            return error{errc::malformed, "dead letter " + printable(letter.id) + " of " + printable(letter.origin) +
                                              ": it is of no group of the job " + printable(job)};
        }
        return of(job, *due);
    }

    [[nodiscard]] auto due() const noexcept -> time_point { return due_; }

    /// Of the round, in the ledger: `<job>@<due>`.
    [[nodiscard]] auto key() const -> std::string { return job_ + '@' + text_; }
    /// Of something about one of its groups, in the ledger.
    [[nodiscard]] auto key(std::string_view what, std::string_view group) const -> std::string {
        return key() + '/' + std::string{what} + '/' + make_queue_id(group);
    }

    /// What is told of a group that failed; all but `why` and `attempts` is the same each time.
    [[nodiscard]] auto letter(const std::string& group, error why, unsigned attempts, time_point now) const
        -> dead_letter {
        return {.origin = job_,
                .id = text_ + '/' + group,
                .sequence = {},
                .group = group,
                .why = std::move(why),
                .attempts = attempts,
                .first_seen = now,
                .bytes = group};
    }

private:
    batch_round(std::string job, time_point due, std::string text)
        : job_{std::move(job)}, due_{due}, text_{std::move(text)} {}

    std::string job_;
    time_point due_;
    std::string text_;
};

} // namespace freshet
