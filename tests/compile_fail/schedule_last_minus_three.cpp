// expect: L-3 is not taken; L stands alone or as LW
#include <freshet/job/schedule_literal.hpp>

using namespace freshet::literals;
constexpr auto plan = "cron(0 2 L-3 * ? *)"_schedule;
