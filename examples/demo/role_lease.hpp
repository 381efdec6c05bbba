#pragma once

#include <optional>
#include <string>
#include <utility>

#include <freshet/backend/ledger.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/held_lease.hpp>

namespace demo {

/// The right to be the only one who does a lasting piece of work: who has it asks before each step.
template <class Ledger>
class role_lease {
public:
    /// Borrows the ledger.
    role_lease(Ledger& ledger, std::string key, std::string owner, freshet::duration lease)
        : ledger_{ledger}, key_{std::move(key)}, owner_{std::move(owner)}, lease_{lease} {}

    /// Claims it, or renews it when that is due; false: somebody else has it.
    [[nodiscard]] auto keep(freshet::time_point now) -> freshet::result<bool> {
        if (held_) {
            auto kept = held_->keep(now);
            if (kept) { return true; }
            if (kept.why().code != freshet::errc::conflict) { return std::move(kept).why(); }
            held_.reset();
        }
        auto answer = ledger_.claim({key_, owner_, lease_});
        if (!answer) { return std::move(answer).why(); }
        if (!answer->mine()) { return false; }
        held_.emplace(ledger_, std::move(answer->claim), lease_);
        return true;
    }

    /// Leaves it to others; where that fails, its end does.
    void give_back() {
        if (held_) { static_cast<void>(ledger_.release(held_->claim())); }
        held_.reset();
    }

    /// The claim; there is one as long as `keep` says so.
    [[nodiscard]] auto claim() const -> const std::optional<freshet::held_lease<Ledger>>& { return held_; }

private:
    Ledger& ledger_;
    std::string key_;
    std::string owner_;
    freshet::duration lease_;
    std::optional<freshet::held_lease<Ledger>> held_;
};

/// What a ledger answers to a worker who has all the work of a collection: each piece is his, under that one token, and
/// nothing is written for it.
///
/// What is done is known by the marks of the projection; so a claim of each message would cost two more commits and
/// tell nothing new. Once the lease is somebody else's, every claim is `held`.
template <class Ledger, class Clock>
class claims_under_lease {
public:
    claims_under_lease(role_lease<Ledger>& lease, const Clock& clock) : lease_{lease}, clock_{clock} {}

    [[nodiscard]] auto claim(const freshet::claim_request& request) -> freshet::result<freshet::claim_answer> {
        const auto mine = lease_.keep(clock_.now());
        if (!mine) { return mine.why(); }
        if (!*mine) {
            return freshet::claim_answer{freshet::claim_verdict::held, {std::string{request.key}, 0, clock_.now()}};
        }
        auto claim = lease_.claim()->claim();
        claim.key = request.key;
        return freshet::claim_answer{freshet::claim_verdict::granted, std::move(claim)};
    }
    [[nodiscard]] auto complete(const freshet::work_claim&) -> freshet::result<void> { return {}; }
    [[nodiscard]] auto release(const freshet::work_claim&) -> freshet::result<void> { return {}; }

private:
    role_lease<Ledger>& lease_;
    const Clock& clock_;
};

} // namespace demo
