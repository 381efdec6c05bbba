#pragma once

#include <concepts>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace freshet {

namespace detail {

struct any_field_visitor {
    constexpr void operator()(std::string_view, const auto&) const {}
};

} // namespace detail

/// An `event` is a plain struct that describes itself.
///
/// 1. `name`: a static constexpr `std::string_view`, snake_case, the word in a log line.
/// 2. `fields(visit)`: calls `visit("field", value)` for each field, in the order a person reads them.
///
/// Events are views: they and what they point to live during the call that reports them. Keep a copy of the parts.
/// Satisfied by every event that a component of this library emits.
template <class Event>
concept event = requires(const Event& e, detail::any_field_visitor visit) {
    { Event::name } -> std::convertible_to<std::string_view>;
    e.fields(visit);
};

/// The events that a component emits, as it publishes them: `using emits = event_list<cache_hit, cache_miss>;`.
template <class... Events>
struct event_list {
    template <class Event>
    static constexpr bool contains = (std::same_as<Event, Events> || ...);
};

/// Watches nothing, at no cost. The default observer everywhere.
struct unobserved {};

/// An observer that has something to say about this event.
template <class Observer, class Event>
concept hears = requires(Observer& observer, const Event& e) { observer.on(e); };

/// Tells the observer about the event, if it listens to that kind; what its function throws passes through.
///
/// Where making the event costs something, ask `hears<Observer, Event>` with `if constexpr` before making it.
template <class Observer, class Event>
constexpr void emit(Observer& observer, const Event& e) {
    static_assert(event<Event>, "an event has a static name and a fields(visitor): see the concept freshet::event");
    static_assert(hears<Observer, Event> || !hears<std::remove_const_t<Observer>, Event>,
                  "a const observer hears nothing: emit from a non-const member function, or make the member mutable");
    if constexpr (hears<Observer, Event>) { observer.on(e); }
}

/// One event and the function to call with it; made by `on<Event>(function)`.
template <class Event, class Function>
struct listener {
    static_assert(std::invocable<Function&, const Event&>, "the function of on<Event> takes a const Event&");
    Function function;
};

/// Pairs an event with a function, for `watch`.
template <class Event, class Function>
[[nodiscard]] constexpr auto on(Function&& function) -> listener<Event, std::decay_t<Function>> {
    return {std::forward<Function>(function)};
}

template <class... Listeners>
class watch;

/// An observer of some events: `watch{on<cache_hit>(count_it), on<refreshed>(log_it)}`.
///
/// Owns its functions, and calls those of an event in the order they were given. Naming an event that the watched
/// component never emits does not compile. Holds no lock: whoever calls it concurrently answers for its functions.
template <class... Events, class... Functions>
class watch<listener<Events, Functions>...> {
public:
    using watches = event_list<Events...>; ///< the events it names

    constexpr explicit watch(listener<Events, Functions>... listeners) : listeners_{std::move(listeners)...} {}

    template <class Event>
        requires(watches::template contains<Event>)
    constexpr void on(const Event& e) {
        std::apply([&e](auto&... each) { (tell(each, e), ...); }, listeners_);
    }

private:
    template <class Listened, class Function, class Event>
    static constexpr void tell(listener<Listened, Function>& each, const Event& e) {
        if constexpr (std::same_as<Listened, Event>) { static_cast<void>(each.function(e)); }
    }

    std::tuple<listener<Events, Functions>...> listeners_;
};

template <class... Events, class... Functions>
watch(listener<Events, Functions>...) -> watch<listener<Events, Functions>...>;

/// A `watch` whose functions may run concurrently: the word of whoever makes it. Components that run on several threads
/// ask for it.
template <class... Listeners>
class shared_watch : public watch<Listeners...> {
public:
    using is_shareable = void;
    using watch<Listeners...>::watch;
};

template <class... Events, class... Functions>
shared_watch(listener<Events, Functions>...) -> shared_watch<listener<Events, Functions>...>;

/// An observer of every event: calls one generic function with each.
template <class Function>
class watch_all {
public:
    constexpr explicit watch_all(Function function) : function_{std::move(function)} {}

    template <class Event>
    constexpr void on(const Event& e) {
        static_cast<void>(function_(e));
    }

private:
    Function function_;
};

namespace detail {

template <class Observer, class Emits>
inline constexpr bool names_only_emitted = true;

template <class Observer, class... Emitted>
    requires requires { typename Observer::watches; }
inline constexpr bool names_only_emitted<Observer, event_list<Emitted...>> =
    []<class... Watched>(event_list<Watched...>) {
        return (event_list<Emitted...>::template contains<Watched> && ...);
    }(typename Observer::watches{});

template <class Observer, class... Emitted>
constexpr auto hears_any(event_list<Emitted...>) -> bool {
    return std::same_as<Observer, unobserved> || (hears<Observer, Emitted> || ...);
}

template <class Observer, class Emits>
struct checked_observer {
    static_assert(names_only_emitted<Observer, Emits>, "this component never emits an event that the watch names");
    static_assert(!names_only_emitted<Observer, Emits> || hears_any<Observer>(Emits{}),
                  "this observer hears no event of this component: give it on(const Event&), or use unobserved");
    using type = Observer;
};

} // namespace detail

/// `Observer` itself, once it is sure that it fits a component that emits these events.
///
/// A component declares its observer's member with it, so that a wrong observer meets one sentence:
/// `[[no_unique_address]] observer_for<Observer, emits> seen_;`. An observer is `unobserved`, a `watch`, a `watch_all`
/// or any class with `on(const Event&)` for at least one of the events.
template <class Observer, class Emits>
using observer_for = typename detail::checked_observer<Observer, Emits>::type;

} // namespace freshet
