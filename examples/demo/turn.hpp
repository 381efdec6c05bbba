#pragma once

#include <utility>

#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace demo {

/// Whether a role ends when there is nothing left to do, or only when it is told to.
enum class until { drained, stopped };

/// How a role's turn went, if it is not to give up.
enum class turn {
    worked,  ///< there may be more to do at once
    idle,    ///< there is nothing to do now
    waiting, ///< another process does this work, or a backend does not answer
};

/// Bears a backend that fails, for a time.
class patience {
public:
    explicit patience(freshet::duration most) : most_{most} {}

    void succeeded() noexcept { failing_ = false; }
    /// To wait after this failure, or to give up with it: where waiting cannot help, or did not for too long.
    [[nodiscard]] auto bear(freshet::error why, freshet::time_point now) -> freshet::result<turn> {
        if (!std::exchange(failing_, true)) { since_ = now; }
        const bool may_pass = why.code == freshet::errc::unavailable || why.code == freshet::errc::throttled ||
                              why.code == freshet::errc::conflict;
        if (may_pass && now - since_ < most_) { return turn::waiting; }
        return why;
    }

private:
    freshet::duration most_;
    freshet::time_point since_{};
    bool failing_{};
};

} // namespace demo
