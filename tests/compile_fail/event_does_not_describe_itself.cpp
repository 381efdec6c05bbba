// expect: an event has a static name
#include <freshet/core/observe.hpp>

struct mute {};

void use(freshet::unobserved& nobody) { freshet::emit(nobody, mute{}); }
