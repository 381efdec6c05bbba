#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace freshet {

/// How often and how soon a failed operation is tried again.
struct retry_options {
    unsigned retries{3};                                ///< after the first attempt
    duration base{std::chrono::milliseconds{100}};      ///< the longest first wait
    duration throttled_base{std::chrono::seconds{1}};   ///< the same, where the backend asks to go slower
    duration cap{std::chrono::seconds{20}};             ///< of every wait
    bool retry_failed{};                                ///< whether a callback's own failure is worth another try
};

/// Whether to try again, and after which wait.
struct retry_verdict {
    bool again{};
    duration wait{};

    [[nodiscard]] static constexpr auto give_up() noexcept -> retry_verdict { return {}; }
    [[nodiscard]] static constexpr auto retry_after(duration wait) noexcept -> retry_verdict { return {true, wait}; }
    friend constexpr auto operator==(const retry_verdict&, const retry_verdict&) -> bool = default;
};

/// Decides whether a failed operation is tried again: exponential backoff with full jitter.
///
/// `unavailable` and `throttled` are tried again, `failed` where the options say so, and nothing else: an unchanged
/// repetition cannot help the other codes. Each wait is uniform in [0, min(cap, base * 2^n)] before retry n, counted
/// from 0, so that callers that failed together do not return together (AWS Architecture Blog, "Exponential Backoff
/// And Jitter", 2015). Knows no deadline: see `retry`.
class retry_plan {
public:
    constexpr retry_plan() = default;
    explicit constexpr retry_plan(const retry_options& options) noexcept : options_{options} {}

    /// `attempts` were made so far, the first included; `random` is uniform over all 64 bits.
    [[nodiscard]] constexpr auto verdict(errc code, unsigned attempts, std::uint64_t random) const noexcept
        -> retry_verdict {
        if (!helps(code) || attempts > options_.retries) { return retry_verdict::give_up(); }
        const auto span = static_cast<std::uint64_t>(longest_wait(code, attempts).count()) + 1;
        return retry_verdict::retry_after(duration{static_cast<duration::rep>(random % span)});
    }

    /// The bound of the wait after so many attempts; zero or more, also where the options are less.
    [[nodiscard]] constexpr auto longest_wait(errc code, unsigned attempts) const noexcept -> duration {
        const auto base = code == errc::throttled ? options_.throttled_base : options_.base;
        if (base <= duration::zero() || options_.cap <= duration::zero()) { return duration::zero(); }
        const auto doublings = attempts == 0 ? 0 : attempts - 1;
        if (doublings >= 63 || base.count() > (options_.cap.count() >> doublings)) { return options_.cap; }
        return duration{base.count() << doublings};
    }

    [[nodiscard]] constexpr auto options() const noexcept -> const retry_options& { return options_; }

private:
    [[nodiscard]] constexpr auto helps(errc code) const noexcept -> bool {
        return code == errc::unavailable || code == errc::throttled || (code == errc::failed && options_.retry_failed);
    }

    retry_options options_{};
};

} // namespace freshet
