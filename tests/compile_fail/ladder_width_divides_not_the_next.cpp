// expect: width_divides_the_next<5, 12>
#include <freshet/count/ladder.hpp>

static_assert(freshet::minutes_ladder<1, 5, 12, 60>::size() == 4);
