// expect: the function of on<Event> takes a const Event&
#include <freshet/core/observe.hpp>

struct opened {};
struct closed {};

auto wrong = freshet::on<opened>([](const closed&) {});
