#pragma once

// IWYU pragma: begin_exports
#include <freshet/work/anchored_clock.hpp>
#include <freshet/work/batch_window.hpp>
#include <freshet/work/claimed.hpp>
#include <freshet/work/deadline.hpp>
#include <freshet/work/executor.hpp>
#include <freshet/work/fan_out.hpp>
#include <freshet/work/held_lease.hpp>
#include <freshet/work/isolated.hpp>
#include <freshet/work/random_source.hpp>
#include <freshet/work/retry.hpp>
#include <freshet/work/retry_plan.hpp>
#include <freshet/work/wall_clock.hpp>
// IWYU pragma: end_exports
