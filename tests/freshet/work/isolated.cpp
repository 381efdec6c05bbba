#include <freshet/work/isolated.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

#include <doctest/doctest.h>

using freshet::errc;
using freshet::error;
using freshet::isolated;
using freshet::result;

TEST_CASE("what a callback answers is what is answered") {
    CHECK(isolated([] { return result<void>{}; }).ok());
    const error no{errc::denied, "no"};
    CHECK(isolated([&](int) -> result<void> { return no; }, 3).why() == no);
    CHECK(*isolated([](int n) -> result<int> { return n + 1; }, 3) == 4);
    CHECK(isolated([]() -> result<int> { throw 7; }).why().code == errc::failed);
}

TEST_CASE("whatever a callback throws is its own failure") {
    CHECK(isolated([]() -> result<void> { throw std::runtime_error{"disk"}; }).why() == error{errc::failed, "disk"});
    CHECK(isolated([]() -> result<void> { throw 7; }).why().code == errc::failed);
    CHECK_FALSE(isolated([]() -> result<void> { throw "words"; }).why().note.empty());
}

TEST_CASE("arguments that can only be moved are moved") {
    CHECK(isolated([](std::unique_ptr<int> p) -> result<void> {
        if (*p != 5) { return error{}; }
        return {};
    }, std::make_unique<int>(5)).ok());
}
