#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>

namespace freshet::testing {

/// What goes wrong in one call of a backend.
struct fault {
    enum class kind : std::uint8_t {
        none,
        before,    ///< any call
        after,     ///< any call
        meanwhile, ///< any call
        partly,    ///< calls that take a batch
        refuse,    ///< calls that take a batch
        twice,     ///< `receive`
        shuffled,  ///< `receive`
    };

    kind what{kind::none};
    errc code{errc::unavailable};
    std::size_t entries{};              ///< partly
    std::vector<std::size_t> refused{}; ///< refuse, ascending
    bool retry_helps{};                 ///< refuse
    std::uint64_t seed{};               ///< shuffled
    std::function<void()> action{};     ///< meanwhile

    /// Nothing goes wrong: for the calls between faults.
    [[nodiscard]] static auto none() -> fault { return {}; }
    /// Nothing happens, and the call fails.
    [[nodiscard]] static auto before(errc code = errc::unavailable) -> fault {
        return {.what = kind::before, .code = code};
    }
    /// The call happens, and its answer is lost: the server did it and the connection dropped.
    [[nodiscard]] static auto after(errc code = errc::unavailable) -> fault {
        return {.what = kind::after, .code = code};
    }
    /// The call happens after `action`: others work while this caller is held up, or time passes.
    [[nodiscard]] static auto meanwhile(std::function<void()> action) -> fault {
        return {.what = kind::meanwhile, .action = std::move(action)};
    }
    /// The call happens for the first `entries` of its batch, and then the connection drops.
    [[nodiscard]] static auto partly(std::size_t entries, errc code = errc::unavailable) -> fault {
        return {.what = kind::partly, .code = code, .entries = entries};
    }
    /// These entries of the batch are refused, and the call happens for the others. A place behind the batch's end is
    /// nobody's.
    [[nodiscard]] static auto refuse(std::vector<std::size_t> refused, errc code, bool retry_helps) -> fault {
        return {.what = kind::refuse, .code = code, .refused = std::move(refused), .retry_helps = retry_helps};
    }
    /// The messages of this answer are given once more by the next `receive`, as standard queues may.
    [[nodiscard]] static auto twice() -> fault { return {.what = kind::twice}; }
    /// The messages of this answer come in another order, as standard queues may.
    [[nodiscard]] static auto shuffled(std::uint64_t seed) -> fault { return {.what = kind::shuffled, .seed = seed}; }

    /// The failure that the caller sees.
    [[nodiscard]] auto as_error(std::string_view operation) const -> error {
        return {code, std::string{operation} + ": a fault of the test"};
    }
};

/// The kind's name as it stands in the enumeration.
[[nodiscard]] constexpr auto name_of(fault::kind what) noexcept -> std::string_view {
    switch (what) {
        case fault::kind::none: return "none";
        case fault::kind::before: return "before";
        case fault::kind::after: return "after";
        case fault::kind::meanwhile: return "meanwhile";
        case fault::kind::partly: return "partly";
        case fault::kind::refuse: return "refuse";
        case fault::kind::twice: return "twice";
        case fault::kind::shuffled: return "shuffled";
    }
    return "unknown";
}

/// What a backend's operation is given and gives, and so which faults fit it.
enum class call_shape : std::uint8_t { single, batch, receive };

/// Whether this can go wrong in a call of that shape.
[[nodiscard]] constexpr auto fits(fault::kind what, call_shape shape) noexcept -> bool {
    switch (what) {
        case fault::kind::partly:
        case fault::kind::refuse: return shape == call_shape::batch;
        case fault::kind::twice:
        case fault::kind::shuffled: return shape == call_shape::receive;
        default: return true;
    }
}

} // namespace freshet::testing
