// expect: this observer hears no event of this component
#include <freshet/core/observe.hpp>

#include <string_view>

struct opened {
    static constexpr std::string_view name = "opened";
    void fields(auto&&) const {}
};

struct misspelt {
    void un(const opened&) {}
};

freshet::observer_for<misspelt, freshet::event_list<opened>> wrong;
