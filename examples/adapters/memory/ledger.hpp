#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/clock.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/later.hpp>

namespace adapters::memory {

struct ledger_options {
    /// How long a key is remembered after its work was done or given back, or its lease ended.
    freshet::duration remembered{std::chrono::hours{24 * 14}};
};

/// A ledger in this process. It ends with the object. An operation costs the logarithm of the number of keys.
///
/// Never fails but with `conflict`. Renewing what was given back, and nobody claimed since, takes it back.
template <class Clock>
class ledger {
    static_assert(freshet::clock<Clock>, "a ledger's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;

    /// Borrows the clock.
    explicit ledger(const Clock& clock, const ledger_options& options = {}) : clock_{clock}, options_{options} {}
    explicit ledger(const Clock&&, const ledger_options& = {}) = delete;

    [[nodiscard]] auto claim(const freshet::claim_request& request) -> freshet::result<freshet::claim_answer> {
        using enum freshet::claim_verdict;
        const std::scoped_lock lock{mutex_};
        const auto now = forget_old();
        const auto [at, is_new] = entries_.try_emplace(std::string{request.key});
        auto& entry = at->second;
        const bool abandoned = entry.now == state::held && entry.expires_at <= now;
        if (entry.now == state::done) { return freshet::claim_answer{completed, {at->first, 0, entry.expires_at}}; }
        if (entry.now == state::held && !abandoned && entry.owner != request.owner) {
            return freshet::claim_answer{held, {at->first, 0, entry.expires_at}};
        }
        entry.now = state::held;
        entry.token = ++last_token_;
        entry.owner = request.owner;
        entry.expires_at = later(now, request.lease);
        remember(*at, entry.expires_at);
        return freshet::claim_answer{abandoned ? taken_over : granted, {at->first, entry.token, entry.expires_at}};
    }

    [[nodiscard]] auto renew(const freshet::work_claim& claim, freshet::duration lease)
        -> freshet::result<freshet::work_claim> {
        auto renewed = claim;
        return with_last(claim,
                         [&](auto& at, freshet::time_point now) {
                             renewed.expires_at = later(now, lease);
                             if (at.second.now == state::done) { return; }
                             at.second.now = state::held;
                             at.second.expires_at = renewed.expires_at;
                             remember(at, renewed.expires_at);
                         })
            .transform([&] { return renewed; });
    }

    [[nodiscard]] auto complete(const freshet::work_claim& claim) -> freshet::result<void> {
        return with_last(claim, [&](auto& at, freshet::time_point now) {
            at.second.now = state::done;
            remember(at, now);
        });
    }

    /// Gives the claim back; what is completed stays completed.
    [[nodiscard]] auto release(const freshet::work_claim& claim) -> freshet::result<void> {
        return with_last(claim, [&](auto& at, freshet::time_point now) {
            if (at.second.now == state::done) { return; }
            at.second.now = state::open;
            remember(at, now);
        });
    }

    /// How many keys it remembers.
    [[nodiscard]] auto size() -> std::size_t {
        const std::scoped_lock lock{mutex_};
        forget_old();
        return entries_.size();
    }

private:
    enum class state : std::uint8_t { open, held, done };
    struct work {
        state now{state::open};
        std::uint64_t token{}; // of the last claim
        std::string owner;
        freshet::time_point expires_at;
        freshet::time_point forget_at;
    };
    using known = std::map<std::string, work, std::less<>>;

    /// Does `act` to the entry whose last token the claim has; `conflict` where it has another.
    template <class Act>
    [[nodiscard]] auto with_last(const freshet::work_claim& claim, Act act) -> freshet::result<void> {
        const std::scoped_lock lock{mutex_};
        const auto now = forget_old();
        const auto at = entries_.find(claim.key);
        if (at == entries_.end() || at->second.token != claim.token) {
            return freshet::error{freshet::errc::conflict, "ledger: " + freshet::printable(claim.key) + ": token " +
                                                               std::to_string(claim.token) + " is not its last"};
        }
        act(*at, now);
        return {};
    }

    void remember(typename known::value_type& at, freshet::time_point since) {
        by_age_.erase({at.second.forget_at, at.first});
        at.second.forget_at = later(since, options_.remembered);
        by_age_.insert({at.second.forget_at, at.first});
    }

    auto forget_old() -> freshet::time_point {
        const auto now = clock_.now();
        while (!by_age_.empty() && by_age_.begin()->first <= now) {
            const auto oldest = by_age_.extract(by_age_.begin()).value();
            entries_.erase(entries_.find(oldest.second));
        }
        return now;
    }

    const Clock& clock_;
    ledger_options options_;
    std::mutex mutex_;
    std::uint64_t last_token_{}; // one counter for all keys: it grows over forgotten ones too
    known entries_;
    std::set<std::pair<freshet::time_point, std::string_view>> by_age_; // views of the keys in `entries_`
};

static_assert(freshet::ledger<ledger<freshet::testing::manual_clock>>);

} // namespace adapters::memory
