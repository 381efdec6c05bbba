#include <freshet/job/recurring.hpp>

#include <optional>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/job/schedule.hpp>

namespace {

struct never {
    [[nodiscard]] auto next(freshet::time_point) const -> std::optional<freshet::time_point> { return std::nullopt; }
    [[nodiscard]] auto previous(freshet::time_point) const -> std::optional<freshet::time_point> {
        return std::nullopt;
    }
    [[nodiscard]] auto between(freshet::time_range range) const -> freshet::fire_times<never> { return {*this, range}; }
};
struct without_previous {
    [[nodiscard]] auto next(freshet::time_point) const -> std::optional<freshet::time_point>;
    [[nodiscard]] auto between(freshet::time_range) const -> freshet::fire_times<never>;
};

} // namespace

TEST_SUITE("recurring") {
    TEST_CASE("a schedule recurs, and so does anything with its three questions") {
        static_assert(freshet::recurring<freshet::schedule>);
        static_assert(freshet::recurring<never>);
        static_assert(!freshet::recurring<without_previous>);
        CHECK(never{}.between({}).empty());
    }
}
