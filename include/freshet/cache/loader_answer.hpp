#pragma once

#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/cache/cached.hpp>
#include <freshet/core/result.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet::detail {

template <class Value, class Call>
[[nodiscard]] auto as_loaded(Call&& call) -> result<loaded<Value>> {
    using answer_type = std::remove_cvref_t<std::invoke_result_t<Call&>>;
    constexpr bool fits = std::is_constructible_v<answer_type, error> && requires(answer_type answer) {
        loaded<Value>{*std::move(answer)};
    };
    static_assert(fits, "a loader answers with a freshet::result of a value, an optional value, or a freshet::loaded");
    if constexpr (fits) {
        return isolated([&]() -> result<loaded<Value>> {
            answer_type answer = call();
            if (!answer) { return std::move(answer).why(); }
            return loaded<Value>{*std::move(answer)};
        });
    }
}

/// What the loader answers, as `loaded`; what it throws is its failure. One that takes no deadline is called without.
template <class Value, class Load>
[[nodiscard]] auto loader_answer(Load& load, deadline until) -> result<loaded<Value>> {
    if constexpr (std::is_invocable_v<Load&, deadline>) {
        return as_loaded<Value>([&]() -> decltype(auto) { return load(until); });
    } else {
        constexpr bool fits = std::is_invocable_v<Load&>;
        static_assert(fits, "a loader is called with a freshet::deadline, or with nothing");
        if constexpr (fits) { return as_loaded<Value>(load); }
    }
}

/// What a bulk loader answers, one for each key.
template <class Value, class Key, class Load>
[[nodiscard]] auto loader_answers(Load& load, const std::vector<Key>& keys, deadline until)
    -> std::vector<result<loaded<Value>>> {
    using answers_type = std::vector<result<loaded<Value>>>;
    constexpr bool fits = std::is_invocable_r_v<result<answers_type>, Load&, std::span<const Key>, deadline>;
    static_assert(fits,
                  "a bulk loader is called with a std::span<const Key> and a freshet::deadline, and answers with "
                  "a std::vector<freshet::result<freshet::loaded<Value>>>");
    if constexpr (fits) {
        auto brought = isolated([&]() -> result<answers_type> { return load(std::span<const Key>{keys}, until); });
        if (brought && brought->size() != keys.size()) {
            const auto count = std::to_string(brought->size()) + " of " + std::to_string(keys.size());
            brought = error{errc::failed, "ttl cache: the loader answered for " + count + " keys"};
        }
        return brought ? *std::move(brought) : answers_type(keys.size(), brought.why());
    }
}

} // namespace freshet::detail
