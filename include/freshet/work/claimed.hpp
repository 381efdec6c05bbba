#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include <freshet/backend/ledger.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// How a piece of work stands after somebody wanted to do it.
enum class claimed_state : std::uint8_t {
    done,         ///< this call did it
    already_done, ///< it was done before
    held,         ///< somebody else is at it
};

struct claimed_outcome {
    claimed_state state{};
    time_point held_until{}; ///< held: when it may be worth asking again
    bool taken_over{};       ///< done: somebody had begun it before, and let the lease end
    friend auto operator==(const claimed_outcome&, const claimed_outcome&) -> bool = default;
};

namespace detail {

template <class Ledger>
constexpr void expect_ledger() {
    static_assert(requires(Ledger& l, const claim_request& r) { { l.claim(r) } -> std::same_as<result<claim_answer>>; },
                  "this ledger lacks claim(const claim_request&) -> result<claim_answer>");
    static_assert(requires(Ledger& l, const work_claim& c) { { l.complete(c) } -> std::same_as<result<void>>; },
                  "this ledger lacks complete(const work_claim&) -> result<void>");
    static_assert(requires(Ledger& l, const work_claim& c) { { l.release(c) } -> std::same_as<result<void>>; },
                  "this ledger lacks release(const work_claim&) -> result<void>");
}

} // namespace detail

/// Claims a piece of work, does it with `apply(claim)`, and writes down that it is done.
///
/// `apply` takes the `work_claim`, stores its token beside the effect, and answers with `result<void>`. Where it fails
/// or throws (`errc::failed`), its failure is the answer and the work is given back; if even that fails, the lease
/// ends by itself. `conflict` says that the lease was lost to somebody else meanwhile, who does the work too.
///
/// A claim or completion that is answered with `unavailable` is repeated once, at once. Every failure that remains
/// leaves the work open, as far as the caller knows: the effect may have happened, and will be asked for again. So
/// `apply` is to be idempotent and to refuse by token; that nobody else has the work is promised for the length of the
/// lease only.
template <class Ledger, class Apply>
[[nodiscard]] auto do_claimed(Ledger& ledger, const claim_request& request, Apply&& apply) -> result<claimed_outcome> {
    detail::expect_ledger<Ledger>();
    static_assert(std::is_invocable_v<Apply&, const work_claim&>, "apply takes a const freshet::work_claim&");

    const auto twice = [](auto&& call) {
        auto answer = call();
        return answer.ok() || answer.why().code != errc::unavailable ? answer : call();
    };

    auto answer = twice([&] { return ledger.claim(request); });
    if (!answer) { return std::move(answer).why(); }
    if (answer->verdict == claim_verdict::completed) { return claimed_outcome{claimed_state::already_done}; }
    if (!answer->mine()) { return claimed_outcome{claimed_state::held, answer->claim.expires_at}; }

    const auto& claim = answer->claim;
    if (auto applied = isolated(apply, claim); !applied) {
        static_cast<void>(ledger.release(claim));
        return std::move(applied).why();
    }
    if (auto completed = twice([&] { return ledger.complete(claim); }); !completed) {
        return std::move(completed).why();
    }
    return claimed_outcome{claimed_state::done, {}, answer->verdict == claim_verdict::taken_over};
}

} // namespace freshet
