#include <freshet/core/observe.hpp>

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

struct filled {
    static constexpr std::string_view name = "filled";
    std::string_view from;
    int drops;
    template <class Visitor>
    constexpr void fields(Visitor&& visit) const {
        visit("from", from);
        visit("drops", drops);
    }
};

struct spilled {
    static constexpr std::string_view name = "spilled";
    int drops;
    template <class Visitor>
    constexpr void fields(Visitor&& visit) const {
        visit("drops", drops);
    }
};

struct broken {
    static constexpr std::string_view name = "broken";
    template <class Visitor>
    constexpr void fields(Visitor&&) const {}
};

template <class Observer = freshet::unobserved>
class bucket {
public:
    using emits = freshet::event_list<filled, spilled>;

    constexpr explicit bucket(int size, Observer observer = {}) : size_{size}, seen_{std::move(observer)} {}

    constexpr void pour(std::string_view from, int drops) {
        freshet::emit(seen_, filled{from, drops});
        held_ += drops;
        if (held_ > size_) {
            freshet::emit(seen_, spilled{held_ - size_});
            held_ = size_;
        }
    }
    [[nodiscard]] constexpr auto held() const -> int { return held_; }

private:
    int size_;
    int held_{};
    [[no_unique_address]] freshet::observer_for<Observer, emits> seen_;
};

struct plain_observer {
    std::vector<int>* spills;
    void on(const spilled& e) { spills->push_back(e.drops); }
};

struct nameless {
    template <class Visitor>
    void fields(Visitor&&) const {}
};
struct fieldless {
    static constexpr std::string_view name = "fieldless";
};

constexpr auto spills_at_compile_time() -> int {
    int spilt = 0;
    bucket one{3, freshet::watch{freshet::on<spilled>([&spilt](const spilled& e) { spilt += e.drops; })}};
    one.pour("spring", 2);
    one.pour("rain", 5);
    return spilt;
}

} // namespace

static_assert(freshet::event<filled> && freshet::event<broken>);
static_assert(!freshet::event<nameless> && !freshet::event<fieldless> && !freshet::event<int>);
static_assert(sizeof(bucket<>) == 2 * sizeof(int)); // nobody watches: nothing is stored
static_assert(!freshet::hears<freshet::unobserved, filled>);
static_assert(freshet::hears<plain_observer, spilled> && !freshet::hears<plain_observer, filled>);
static_assert(spills_at_compile_time() == 4);

TEST_CASE("a watch hears the events it names, with their fields, and no others") {
    std::string log;
    int spills = 0;
    bucket one{10, freshet::watch{
                       freshet::on<filled>([&log](const filled& e) {
                           log += std::string{e.from} + ' ' + std::to_string(e.drops) + ';';
                       }),
                       freshet::on<spilled>([&spills](const spilled& e) { spills += e.drops; }),
                   }};
    one.pour("spring", 4);
    one.pour("rain", 9);
    CHECK(log == "spring 4;rain 9;");
    CHECK(spills == 3);
    CHECK(one.held() == 10);
}

TEST_CASE("a watch may leave events out") {
    int spills = 0;
    bucket one{1, freshet::watch{freshet::on<spilled>([&spills](const auto&) { ++spills; })}};
    one.pour("tap", 1);
    CHECK(spills == 0);
    one.pour("tap", 1);
    CHECK(spills == 1);
}

TEST_CASE("a function that could take any event is called with its own one only") {
    int fills = 0;
    int spills = 0;
    bucket one{1, freshet::watch{freshet::on<filled>([&fills](const auto&) { ++fills; }),
                                 freshet::on<spilled>([&spills](const auto&) { ++spills; })}};
    one.pour("tap", 1);
    one.pour("tap", 1);
    CHECK(fills == 2);
    CHECK(spills == 1);
}

TEST_CASE("two functions for one event are both called, in the order given") {
    std::string order;
    bucket one{10, freshet::watch{freshet::on<filled>([&order](const filled&) { order += 'a'; }),
                                  freshet::on<filled>([&order](const filled&) { order += 'b'; })}};
    one.pour("tap", 1);
    CHECK(order == "ab");
}

TEST_CASE("a function may keep state of its own and return what it likes") {
    std::vector<int> counts;
    bucket one{10, freshet::watch{freshet::on<filled>([&counts, calls = 0](const filled&) mutable {
                   counts.push_back(++calls);
                   return calls;
               })}};
    one.pour("tap", 1);
    one.pour("tap", 1);
    CHECK(counts == std::vector{1, 2});
}

TEST_CASE("one function can hear everything, and events describe themselves to it") {
    std::string log;
    bucket one{5, freshet::watch_all{[&log](const auto& e) {
                   log += e.name;
                   e.fields([&log](std::string_view name, const auto& value) {
                       log += ' ';
                       log += name;
                       log += '=';
                       if constexpr (std::integral<std::decay_t<decltype(value)>>) { log += std::to_string(value); }
                       else { log += value; }
                   });
                   log += '\n';
               }}};
    one.pour("well", 7);
    CHECK(log == "filled from=well drops=7\nspilled drops=2\n");
}

TEST_CASE("any class with a fitting member function is an observer") {
    std::vector<int> spills;
    bucket one{2, plain_observer{&spills}};
    one.pour("sea", 5);
    CHECK(spills == std::vector{3});
}

TEST_CASE("what an observer throws passes through") {
    bucket one{1, freshet::watch{freshet::on<spilled>([](const spilled&) { throw std::runtime_error{"wet"}; })}};
    CHECK_THROWS_AS(one.pour("sea", 5), std::runtime_error);
}

TEST_CASE("an unobserved component works the same") {
    bucket one{2};
    one.pour("sea", 5);
    CHECK(one.held() == 2);
}
