// expect: a width of a ladder is at least a minute
#include <freshet/count/ladder.hpp>

static_assert(freshet::minutes_ladder<0, 5>::size() == 2);
