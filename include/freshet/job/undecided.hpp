#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include <freshet/core/time.hpp>

namespace freshet {

enum class undecided_ruling : std::uint8_t {
    undecided,    ///< waits for another round
    needs_review, ///< waits no longer: a person must look at it
};

/// What becomes of an item that this round could not decide either, after `rounds_before` others that could not.
///
/// It needs review from round `most` on; 0 is read as 1.
[[nodiscard]] constexpr auto judge_undecided(unsigned rounds_before, unsigned most) noexcept -> undecided_ruling {
    const bool last = most == 0 || rounds_before >= most - 1;
    return last ? undecided_ruling::needs_review : undecided_ruling::undecided;
}

/// How often an item could not be decided: to be kept beside it.
struct undecided_history {
    unsigned rounds{};
    std::optional<time_point> last{}; ///< the last of those rounds
    friend constexpr auto operator==(const undecided_history&, const undecided_history&) -> bool = default;
};

struct undecided_verdict {
    undecided_ruling what{};
    undecided_history history{}; ///< to be kept from now on
    friend constexpr auto operator==(const undecided_verdict&, const undecided_verdict&) -> bool = default;
};

/// The same, where a round may be said of an item twice, by a run that was killed or by a letter that is redriven: a
/// round counts once, and one that is not after the last that counted, not again.
///
/// `history.last` is the later of the two: keep that, and not the round.
[[nodiscard]] constexpr auto judge_undecided(const undecided_history& before, time_point round, unsigned most) noexcept
    -> undecided_verdict {
    const bool again = before.rounds != 0 && before.last && round <= *before.last;
    const auto others = again ? before.rounds - 1 : std::min(before.rounds, std::numeric_limits<unsigned>::max() - 1);
    return {judge_undecided(others, most), {others + 1, std::max(before.last.value_or(round), round)}};
}

} // namespace freshet
