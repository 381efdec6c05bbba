// expect: the unit is singular for 1
#include <freshet/job/schedule_literal.hpp>

using namespace freshet::literals;
constexpr auto plan = "rate(1 minutes)"_schedule;
