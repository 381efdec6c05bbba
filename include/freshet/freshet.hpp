#pragma once

// IWYU pragma: begin_exports
#include <freshet/backend.hpp>
#include <freshet/cache.hpp>
#include <freshet/core.hpp>
#include <freshet/count.hpp>
#include <freshet/item.hpp>
#include <freshet/job.hpp>
#include <freshet/key.hpp>
#include <freshet/letter.hpp>
#include <freshet/report.hpp>
#include <freshet/stream.hpp>
#include <freshet/work.hpp>
// IWYU pragma: end_exports
