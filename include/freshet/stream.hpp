#pragma once

// IWYU pragma: begin_exports
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/change_detector.hpp>
#include <freshet/stream/consumer.hpp>
#include <freshet/stream/fifo_message_builder.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/message_body.hpp>
#include <freshet/stream/message_sender.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <freshet/stream/processor.hpp>
#include <freshet/stream/pump.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/stream/routes.hpp>
#include <freshet/stream/send_plan.hpp>
#include <freshet/stream/send_progress.hpp>
// IWYU pragma: end_exports
