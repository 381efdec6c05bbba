#pragma once

// IWYU pragma: begin_exports
#include <freshet/testing/fault.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ledger.hpp>
#include <freshet/testing/faulty_queue.hpp>
#include <freshet/testing/faulty_stream.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/faulty_ttl_store.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/testing/shuffle.hpp>
#include <freshet/testing/shuffled_executor.hpp>
// IWYU pragma: end_exports
