// expect: a field is a text, a bool, a number, a duration, an instant, or an optional one of these
#include <vector>

#include <freshet/report/field_text.hpp>

auto use() { return freshet::field_text(std::vector{1, 2}); }
