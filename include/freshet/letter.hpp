#pragma once

// IWYU pragma: begin_exports
#include <freshet/letter/dead_letter.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/letter/redrive.hpp>
// IWYU pragma: end_exports
