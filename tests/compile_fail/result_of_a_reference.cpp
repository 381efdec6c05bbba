// expect: a result holds a value; wrap a reference
#include <freshet/core/result.hpp>

auto use(freshet::result<int&> r) -> bool { return r.ok(); }
