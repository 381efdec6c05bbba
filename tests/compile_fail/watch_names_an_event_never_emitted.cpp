// expect: this component never emits an event that the watch names
#include <freshet/core/observe.hpp>

#include <string_view>
#include <utility>

struct opened {
    static constexpr std::string_view name = "opened";
    void fields(auto&&) const {}
};
struct closed {
    static constexpr std::string_view name = "closed";
    void fields(auto&&) const {}
};

template <class Observer>
class door {
public:
    using emits = freshet::event_list<opened>;
    explicit door(Observer observer) : seen_{std::move(observer)} {}

private:
    freshet::observer_for<Observer, emits> seen_;
};

door wrong{freshet::watch{freshet::on<closed>([](const closed&) {})}};
