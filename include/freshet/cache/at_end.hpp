#pragma once

#include <utility>

namespace freshet::detail {

/// Does something at the end of a scope, also where that is left by a throw.
template <class Action>
class [[nodiscard]] at_end {
public:
    explicit at_end(Action action) : action_{std::move(action)} {}
    at_end(const at_end&) = delete;
    auto operator=(const at_end&) -> at_end& = delete;
    ~at_end() { action_(); }

private:
    Action action_;
};

} // namespace freshet::detail
