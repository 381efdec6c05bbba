#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <cstdlib>
#include <ctime>
#include <string_view>

#include <doctest/doctest.h>

TEST_CASE("the time zone that TZ asks for is in force: a system without zones would test nothing") {
    const auto* zone = std::getenv("TZ");
    if (zone == nullptr || std::string_view{zone} != "America/New_York") { return; }
    const std::time_t noon = 1'705'320'000; // 2024-01-15T12:00:00Z
    std::tm local{};
    REQUIRE(localtime_r(&noon, &local) != nullptr);
    CHECK(local.tm_hour == 7);
}
