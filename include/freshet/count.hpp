#pragma once

// IWYU pragma: begin_exports
#include <freshet/count/block_index.hpp>
#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/counter_text.hpp>
#include <freshet/count/cross_check.hpp>
#include <freshet/count/dirty_ranges.hpp>
#include <freshet/count/finality.hpp>
#include <freshet/count/floor_to.hpp>
#include <freshet/count/id_set.hpp>
#include <freshet/count/ladder.hpp>
#include <freshet/count/lateness.hpp>
#include <freshet/count/page_loop.hpp>
#include <freshet/count/record_tally.hpp>
#include <freshet/count/recount.hpp>
#include <freshet/count/recount_events.hpp>
#include <freshet/count/recount_trigger.hpp>
#include <freshet/count/series.hpp>
#include <freshet/count/shadow.hpp>
#include <freshet/count/tagged_counters.hpp>
#include <freshet/count/window.hpp>
// IWYU pragma: end_exports
