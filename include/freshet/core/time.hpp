#pragma once

#include <chrono>

namespace freshet {

/// The one time scale of the library: POSIX time in whole microseconds (no leap seconds).
using duration = std::chrono::microseconds;
using time_point = std::chrono::sys_time<duration>;

} // namespace freshet
