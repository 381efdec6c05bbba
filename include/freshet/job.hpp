#pragma once

// IWYU pragma: begin_exports
#include <freshet/job/alarms.hpp>
#include <freshet/job/catch_up.hpp>
#include <freshet/job/cloudwatch_alarms.hpp>
#include <freshet/job/compute_cost.hpp>
#include <freshet/job/cron_times.hpp>
#include <freshet/job/fire_times.hpp>
#include <freshet/job/missed_run.hpp>
#include <freshet/job/recurring.hpp>
#include <freshet/job/run_metrics.hpp>
#include <freshet/job/run_silence.hpp>
#include <freshet/job/run_statistics.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_calendar.hpp>
#include <freshet/job/schedule_days.hpp>
#include <freshet/job/schedule_field.hpp>
#include <freshet/job/schedule_lint.hpp>
#include <freshet/job/schedule_literal.hpp>
#include <freshet/job/schedule_rule.hpp>
#include <freshet/job/schedule_text.hpp>
// IWYU pragma: end_exports
