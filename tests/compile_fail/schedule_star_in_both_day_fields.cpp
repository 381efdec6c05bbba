// expect: [*] does not stand in both day fields: one of them is [?]
#include <freshet/job/schedule_literal.hpp>

using namespace freshet::literals;
constexpr auto plan = "cron(0 2 * * * *)"_schedule;
