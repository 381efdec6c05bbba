#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/run_report.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/resume_token.hpp>

namespace freshet {

/// Where a round stands.
struct round_place {
    bool complete{};
    std::string resume{}; ///< of the last run of the round; empty: at the start
    bool gave_up{};       ///< a run left groups there that had failed, and no later one came further
    friend auto operator==(const round_place&, const round_place&) -> bool = default;
};

/// Where the round of `due` stands by its reports, which come as a run store gives them: ascending by their starts.
///
/// A run that was killed counts as far as it was written down: its report says `running`, and where to go on.
[[nodiscard]] inline auto place_of(std::span<const run_report> reports, time_point due) -> round_place {
    round_place place;
    for (const auto& report : reports) {
        if (report.due != due) { continue; }
        place.complete = place.complete || report.state == run_state::complete;
        const bool leaves = report.state == run_state::failed && report.failed > report.dead_lettered;
        place.gave_up = leaves || (place.gave_up && report.resume == place.resume);
        place.resume = report.resume;
    }
    return place;
}

/// The token of a report's `resume`, absent at the start; `malformed` where it is none, or of another round.
[[nodiscard]] inline auto read_resume(std::string_view text, time_point round) -> result<std::optional<resume_token>> {
    if (text.empty()) { return std::nullopt; }
    auto token = parse_resume_token(text);
    if (!token) { return token.fault().as_error("resume token"); }
    if (token->round != round) { return error{errc::malformed, "resume token: it is of another round"}; }
    return std::optional{*std::move(token)};
}

} // namespace freshet
