#pragma once

#include <string>
#include <utility>

#include <freshet/backend/ledger.hpp>
#include <freshet/testing/faults.hpp>

namespace freshet::testing {

/// A ledger in front of another, in which what the script says goes wrong: `ledger.claim`, `ledger.renew`,
/// `ledger.complete`, `ledger.release`.
///
/// Borrows both. Keeps the laws that the other keeps, so long as no fault's code is `conflict`.
template <class Ledger>
class faulty_ledger {
public:
    faulty_ledger(Ledger& ledger, faults& script, std::string name = "ledger")
        : ledger_{&ledger}, script_{&script}, name_{std::move(name)} {}

    [[nodiscard]] auto claim(const claim_request& request) -> result<claim_answer> {
        return script_->around(name_ + ".claim", [&] { return ledger_->claim(request); });
    }
    [[nodiscard]] auto renew(const work_claim& claim, duration lease) -> result<work_claim> {
        return script_->around(name_ + ".renew", [&] { return ledger_->renew(claim, lease); });
    }
    [[nodiscard]] auto complete(const work_claim& claim) -> result<void> {
        return script_->around(name_ + ".complete", [&] { return ledger_->complete(claim); });
    }
    [[nodiscard]] auto release(const work_claim& claim) -> result<void> {
        return script_->around(name_ + ".release", [&] { return ledger_->release(claim); });
    }

private:
    Ledger* ledger_;
    faults* script_;
    std::string name_;
};

} // namespace freshet::testing
