#pragma once

// IWYU pragma: begin_exports
#include <freshet/report/emf.hpp>
#include <freshet/report/field_text.hpp>
#include <freshet/report/log_line.hpp>
#include <freshet/report/metric_unit.hpp>
#include <freshet/report/text_table.hpp>
// IWYU pragma: end_exports
