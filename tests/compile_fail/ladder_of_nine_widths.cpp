// expect: a ladder has at most 8 widths
#include <freshet/count/ladder.hpp>

static_assert(freshet::minutes_ladder<1, 2, 4, 8, 16, 32, 64, 128, 256>::size() == 9);
