#pragma once

#include <atomic>
#include <cstddef>

namespace support {

/// How often the program has asked for memory so far; stays 0 in a program without `count_allocations.hpp`.
inline std::atomic<std::size_t> allocations{0};

} // namespace support
