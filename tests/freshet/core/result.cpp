#include <freshet/core/result.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include "dies_with.hpp"

using freshet::errc;
using freshet::error;
using freshet::result;

namespace {

auto slow_down() -> error { return {errc::throttled, "table receipts: slow down"}; }

auto half(int n) -> result<int> {
    if (n % 2 != 0) { return error{errc::failed, "odd"}; }
    return n / 2;
}

} // namespace

static_assert(std::is_convertible_v<const char*, result<std::string>>);
static_assert(std::is_convertible_v<std::nullopt_t, result<std::optional<int>>>);
static_assert(std::is_convertible_v<error, result<int>> && std::is_convertible_v<error, result<void>>);
static_assert(!std::is_convertible_v<result<int>, bool>); // only where a condition is asked for
static_assert(!std::is_convertible_v<result<int>, result<bool>>);
static_assert(!std::is_default_constructible_v<result<int>> && std::is_default_constructible_v<result<void>>);
static_assert(!std::is_convertible_v<std::string, result<int>>);

TEST_CASE("a result holds a value or the reason there is none") {
    const result<int> seven{7};
    CHECK(seven.ok());
    CHECK(*seven == 7);

    const result<int> none{slow_down()};
    CHECK_FALSE(none);
    CHECK(none.why() == slow_down());
    CHECK(none.value_or(3) == 3);
    CHECK(seven.value_or(3) == 7);
}

TEST_CASE("absence is a value and not an error") {
    const result<std::optional<int>> absent = std::nullopt;
    REQUIRE(absent.ok());
    CHECK_FALSE(absent->has_value());
    const result<std::optional<int>> present = 5;
    CHECK(present.value() == 5);
}

TEST_CASE("a result of nothing is success until told otherwise") {
    CHECK(result<void>{}.ok());
    CHECK_FALSE(result<void>{slow_down()}.ok());
}

TEST_CASE("what can only be moved can be moved in and out") {
    result<std::unique_ptr<int>> held{std::make_unique<int>(4)};
    **held = 5;
    const std::unique_ptr<int> out = std::move(held).value();
    CHECK(*out == 5);
    CHECK(*result<std::unique_ptr<int>>{slow_down()}.value_or(std::make_unique<int>(9)) == 9);
}

TEST_CASE("and_then goes on from a value and lets a failure pass untouched") {
    CHECK(half(8).and_then(half).and_then(half).value() == 1);
    int calls = 0;
    const auto counted = [&calls](int n) { return ++calls, half(n); };
    CHECK(half(3).and_then(counted).why().note == "odd");
    CHECK(calls == 0);
    const result<int> kept = 4;
    CHECK(kept.and_then(half).value() == 2);
    CHECK(kept.value() == 4);
    CHECK(result<void>{}.and_then([] { return half(2); }).value() == 1);
    CHECK(result<void>{slow_down()}.and_then([] { return half(2); }).why() == slow_down());
}

TEST_CASE("transform changes a value and lets a failure pass untouched") {
    CHECK(half(8).transform([](int n) { return std::to_string(n); }).value() == "4");
    CHECK(half(1).transform([](int n) { return std::to_string(n); }).why().code == errc::failed);
    int seen = 0;
    const result<void> done = half(8).transform([&seen](int n) { seen = n; });
    CHECK(done.ok());
    CHECK(seen == 4);
    const result<int> kept = 4;
    CHECK(kept.transform([](int n) { return n + 1; }).value() == 5);
    CHECK(result<void>{}.transform([] { return 3; }).value() == 3);
}

TEST_CASE("asking for the side that is not there ends the process with one line") {
    CHECK(dies_with([] { static_cast<void>(result<int>{slow_down()}.value()); }) ==
          "freshet: the value of a failed result was asked for: table receipts: slow down\n");
    CHECK(dies_with([] { static_cast<void>(*result<void>{slow_down()}); }) ==
          "freshet: the value of a failed result was asked for: table receipts: slow down\n");
    CHECK(dies_with([] { static_cast<void>(result<int>{1}.why()); }) ==
          "freshet: the error of a good result was asked for\n");
    CHECK(dies_with([] { static_cast<void>(result<int>{1}.value()); }).empty());
}

TEST_CASE("every code has a name of its own") {
    std::set<std::string_view> names;
    for (const auto code : {errc::unavailable, errc::throttled, errc::too_large, errc::conflict, errc::malformed,
                            errc::denied, errc::expired, errc::failed}) {
        names.insert(freshet::name_of(code));
    }
    CHECK(names.size() == 8);
    CHECK_FALSE(names.contains("unknown"));
    static_assert(freshet::name_of(errc::too_large) == "too_large");
}
