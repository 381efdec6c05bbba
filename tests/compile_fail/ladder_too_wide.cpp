// expect: the widest bucket of a ladder holds at most 1048576 of the finest
#include <freshet/count/ladder.hpp>

static_assert(freshet::minutes_ladder<1, 1048577>::size() == 2);
