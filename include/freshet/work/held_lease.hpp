#pragma once

#include <utility>

#include <freshet/backend/ledger.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/deadline.hpp>

namespace freshet {

/// Whether a claim of this lease is to be renewed now: a third of the lease or less is left.
[[nodiscard]] constexpr auto renewal_due(time_point expires_at, duration lease, time_point now) noexcept -> bool {
    return deadline::at(expires_at).remaining(now) <= lease / 3;
}

/// Keeps a claim alive while its work takes longer than the lease: the worker calls `keep` between steps.
///
/// Borrows the ledger. Does not give the claim back at its end: that is `do_claimed`'s affair.
template <class Ledger>
class held_lease {
public:
    held_lease(Ledger& ledger, work_claim claim, duration lease)
        : ledger_{&ledger}, claim_{std::move(claim)}, lease_{lease} {}

    /// Renews the claim if that is due, also one whose lease has ended. `conflict`: somebody else has the work now, so
    /// leave it; another failure leaves the claim as it was, and the next `keep` tries again.
    [[nodiscard]] auto keep(time_point now) -> result<void> {
        if (!renewal_due(claim_.expires_at, lease_, now)) { return {}; }
        return ledger_->renew(claim_, lease_).transform([this](work_claim renewed) { claim_ = std::move(renewed); });
    }

    [[nodiscard]] auto claim() const noexcept -> const work_claim& { return claim_; }

private:
    Ledger* ledger_;
    work_claim claim_;
    duration lease_;
};

} // namespace freshet
