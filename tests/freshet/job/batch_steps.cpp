#include <freshet/job/batch_steps.hpp>

#include <string>

#include <doctest/doctest.h>

namespace {

struct good {
    using item_type = int;
    auto list(const freshet::page_request&) -> freshet::result<freshet::page<int>> { return freshet::page<int>{}; }
    auto group_of(const int& item) const -> std::string { return std::to_string(item); }
    auto work(const freshet::item_group<int>&, const freshet::work_context&) -> freshet::result<double> { return 1.0; }
    auto apply(const freshet::item_group<int>&, const double&, const freshet::apply_context&)
        -> freshet::result<freshet::apply_counts> {
        return freshet::apply_counts{};
    }
    auto set_aside(const freshet::item_group<int>&, const freshet::error&, const freshet::apply_context&)
        -> freshet::result<freshet::apply_counts> {
        return freshet::apply_counts{};
    }
};
struct other_outcome : good {
    auto work(const freshet::item_group<int>&, const freshet::work_context&) -> freshet::result<std::string> {
        return std::string{};
    }
};
struct no_set_aside : good {
    void set_aside() = delete;
};
struct no_result : good {
    auto list(const freshet::page_request&) -> freshet::page<int> { return {}; }
};

} // namespace

static_assert(freshet::batch_steps<good>);
static_assert(!freshet::batch_steps<other_outcome>, "what work makes is what apply takes");
static_assert(!freshet::batch_steps<no_set_aside>);
static_assert(!freshet::batch_steps<no_result>);
static_assert(!freshet::batch_steps<int>);

TEST_CASE("counts add up") {
    freshet::apply_counts all{1, 2, 3, 4, 5};
    CHECK((all += {10, 20, 30, 40, 50}) == freshet::apply_counts{11, 22, 33, 44, 55});
}
