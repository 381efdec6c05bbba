#pragma once

#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/result.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/letter/redrive.hpp>

namespace freshet {

/// Takes a job's dead letters, and has each letter's group worked on again by `job.redo`.
///
/// `run` is a name that no other process has. A letter whose group fails again stays in the queue, and so does one that
/// is not of this job. See `redrive` for order and for what is repeated after a kill.
template <class Job, class Letters, class GoOn = go_on_for_ever>
[[nodiscard]] auto redrive_groups(Job& job, Letters& letters, std::string_view run,
                                  std::size_t most = std::numeric_limits<std::size_t>::max(), GoOn go_on = {})
    -> result<redrive_report> {
    const auto handle = [&](const received_message& message) -> result<void> {
        const auto letter = parse_dead_letter(message.body);
        if (!letter) { return letter.why(); }
        return job.redo(*letter, run);
    };
    return redrive(letters, handle, most, std::move(go_on));
}

} // namespace freshet
