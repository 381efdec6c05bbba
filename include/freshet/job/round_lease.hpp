#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include <freshet/backend/ledger.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/held_lease.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// A claim that several threads work under: each asks before an effect, and one at a time renews it.
///
/// Borrows the ledger.
template <class Ledger>
class round_lease {
public:
    round_lease(Ledger& ledger, work_claim claim, duration lease)
        : token_{claim.token}, held_{ledger, std::move(claim), lease} {}

    /// Whether the claim holds. Once it does not, it never does again: somebody else has the work, or the lease ended
    /// and the ledger does not answer. What the ledger throws is its failure: this is called on any thread.
    [[nodiscard]] auto holds(time_point now) -> bool {
        const std::scoped_lock lock{mutex_};
        if (lost_) { return false; }
        auto kept = isolated([&] { return held_.keep(now); });
        if (!kept && (kept.why().code == errc::conflict || now >= held_.claim().expires_at)) {
            lost_ = std::move(kept).why();
        }
        return !lost_;
    }

    [[nodiscard]] auto token() const noexcept -> std::uint64_t { return token_; }
    /// Why it does not hold. This and `claim` are for when no other thread asks.
    [[nodiscard]] auto lost() const noexcept -> const std::optional<error>& { return lost_; }
    [[nodiscard]] auto claim() const noexcept -> const work_claim& { return held_.claim(); }

private:
    std::uint64_t token_;
    std::mutex mutex_;
    held_lease<Ledger> held_;
    std::optional<error> lost_;
};

} // namespace freshet
