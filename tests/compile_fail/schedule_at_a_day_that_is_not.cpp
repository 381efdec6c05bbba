// expect: there is no such second in the years 1970 to 2199
#include <freshet/job/schedule_literal.hpp>

using namespace freshet::literals;
constexpr auto plan = "at(2023-02-29T02:00:00)"_schedule;
