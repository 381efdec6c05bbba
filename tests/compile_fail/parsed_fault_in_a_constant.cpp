// expect: abort_on_misuse
#include <freshet/core/sequence_number.hpp>

constexpr auto wrong = freshet::sequence_number::parse("12x").value();
