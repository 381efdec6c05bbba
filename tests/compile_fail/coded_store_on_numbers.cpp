// expect: a coded_store lies on a ttl_store of bytes
#include <cstdint>
#include <string>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/coded_store.hpp>

struct decimal {
    using value_type = int;
    static constexpr std::uint32_t version = 1;
    auto encode(int value) const -> std::string { return std::to_string(value); }
    auto decode(std::string_view) const -> freshet::result<int> { return 0; }
};
using numbers = adapters::memory::ttl_store<freshet::testing::manual_clock, int>;

auto use(numbers& store) { return freshet::coded_store<numbers, decimal>{store}; }
