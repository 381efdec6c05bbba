// expect: this is no value of the field: minutes 0 to 59, hours 0 to 23
#include <freshet/job/schedule_literal.hpp>

using namespace freshet::literals;
constexpr auto plan = "cron(0 24 ? * SUN *)"_schedule;
