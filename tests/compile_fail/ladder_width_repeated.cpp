// expect: each width of a ladder divides the next one, which is greater
#include <freshet/count/ladder.hpp>

static_assert(freshet::minutes_ladder<1, 5, 5>::size() == 3);
