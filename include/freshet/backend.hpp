#pragma once

// IWYU pragma: begin_exports
#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/codec.hpp>
#include <freshet/backend/executor.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/backend/message.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/projection.hpp>
#include <freshet/backend/record_source.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/backend/run_store.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/backend/ttl_store.hpp>
// IWYU pragma: end_exports
