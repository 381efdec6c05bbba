#pragma once

#include <array>

#include <lambda/bootstrap.hpp>
#include <lambda/label_counts.hpp>
#include <lambda/metrics.hpp>
#include <lambda/stream_processor.hpp>
#include <lambda/table_cache.hpp>
#include <lambda/validation.hpp>

namespace lambda {

/// All of them.
inline constexpr std::array functions{stream_processor_function, label_counts_function,   table_cache_function,
                                      metrics_function,          validation_functions[0], validation_functions[1],
                                      validation_functions[2]};

} // namespace lambda
