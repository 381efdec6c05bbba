#pragma once

#include <freshet/core/result.hpp>

namespace support {

/// What a program's exit code says; the worse, the higher.
enum exit_code { all_well = 0, some_failed = 1, wrong_usage = 2, unreachable = 3, check_failed = 4 };

/// The code of what failed altogether: whether the backend is to blame.
[[nodiscard]] inline auto code_of_failure(const freshet::error& why) -> exit_code {
    using freshet::errc;
    return why.code == errc::unavailable || why.code == errc::throttled || why.code == errc::denied ? unreachable
                                                                                                    : some_failed;
}

} // namespace support
