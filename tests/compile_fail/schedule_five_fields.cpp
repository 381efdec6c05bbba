// expect: cron has six fields: minutes hours day-of-month month day-of-week year
#include <freshet/job/schedule_literal.hpp>

using namespace freshet::literals;
constexpr auto plan = "cron(0 2 ? * SUN)"_schedule;
