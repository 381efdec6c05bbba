// expect: a const observer hears nothing
#include <freshet/core/observe.hpp>

#include <string_view>

struct opened {
    static constexpr std::string_view name = "opened";
    void fields(auto&&) const {}
};

void use() {
    const freshet::watch silent{freshet::on<opened>([](const opened&) {})};
    freshet::emit(silent, opened{});
}
