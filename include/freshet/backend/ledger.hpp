#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// The right to do one piece of work until the lease ends.
struct work_claim {
    std::string key;
    /// Greater than that of every claim granted before this one was asked for. Whoever stores the work's effect keeps
    /// the token beside it, and refuses a smaller one: so a worker that slept past its lease cannot undo what its
    /// successor did.
    std::uint64_t token{};
    time_point expires_at{};
    friend auto operator==(const work_claim&, const work_claim&) -> bool = default;
};

/// Who wants to do what, for how long at first.
struct claim_request {
    std::string_view key;
    std::string_view owner; ///< this worker, and no other that may be alive
    duration lease{std::chrono::seconds{30}};
};

enum class claim_verdict : std::uint8_t {
    granted,    ///< nobody had it, or its owner gave it back
    taken_over, ///< somebody had it and let the lease end: the work may be half done
    held,       ///< somebody else has it
    completed,  ///< the work is done
};

/// The answer to a claim.
struct claim_answer {
    claim_verdict verdict{};
    /// The caller's own claim where it was granted or taken over; where it is held, only `expires_at` says something:
    /// when it may be worth asking again.
    work_claim claim;

    [[nodiscard]] auto mine() const noexcept -> bool {
        return verdict == claim_verdict::granted || verdict == claim_verdict::taken_over;
    }
};

/// A `ledger` says who may do a piece of work, and which work is done.
///
/// Laws:
///  1. Of all claims of one key, at most one is alive: granted, not released, not completed, its lease not ended. A
///     claim ends at the instant that `expires_at` names.
///  2. A claim that is asked for after another one was granted gets a greater token than that one, whatever their keys,
///     and also when the other was released, completed or forgotten since. No token is given twice, also by a ledger
///     that is opened again on the same data. Beside a projection that keeps its marks, the work of a ledger made anew
///     is refused until its tokens catch up: make both anew together.
///  3. A live claim of another owner answers `held`. The same owner's live claim is granted anew, with a greater token:
///     it may be that the first answer was lost.
///  4. A claim whose lease ended, and that was neither completed nor released, is taken over by the next who asks, and
///     the answer says so.
///  5. `complete` makes the work done: every later claim of the key answers `completed`, for as long as the ledger
///     remembers it. `release` gives the claim back and leaves the work open. `renew` lets the lease run from now on
///     and keeps the token; renewing a released claim takes it back.
///  6. `complete`, `release` and `renew` with a token that is no longer the key's last one fail with `conflict`, and
///     change nothing. With the last one they succeed also when the lease has ended (nobody else had the work since),
///     and when they are repeated. What is complete stays so. To repeat `complete` after the ledger forgot the key may
///     fail with `conflict`.
///  7. A failed call has an unknown outcome, and may be repeated.
/// Time is the ledger's own; owners whose clocks differ by more than the lease do not know how long theirs lasts.
template <class L>
concept ledger = requires(L& l, const claim_request& request, const work_claim& claim, duration lease) {
    { l.claim(request) } -> std::same_as<result<claim_answer>>;
    { l.renew(claim, lease) } -> std::same_as<result<work_claim>>;
    { l.complete(claim) } -> std::same_as<result<void>>;
    { l.release(claim) } -> std::same_as<result<void>>;
};

} // namespace freshet
