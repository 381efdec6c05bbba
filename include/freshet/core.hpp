#pragma once

// IWYU pragma: begin_exports
#include <freshet/core/epoch_seconds.hpp>
#include <freshet/core/fixed_text.hpp>
#include <freshet/core/json_text.hpp>
#include <freshet/core/number.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/sha256_blocks.hpp>
#include <freshet/core/text_arena.hpp>
#include <freshet/core/text_hash.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/core/utf8.hpp>
// IWYU pragma: end_exports
