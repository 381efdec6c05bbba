// expect: a monitored field occurs twice
#include <freshet/stream/monitored_fields.hpp>

static_assert(freshet::monitored<"label", "address", "label">::list.size() == 3);
