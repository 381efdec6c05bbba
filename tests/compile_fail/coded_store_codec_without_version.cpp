// expect: a coded_store needs a codec: value_type, version, encode and decode
#include <string>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/coded_store.hpp>

struct decimal {
    using value_type = int;
    auto encode(int value) const -> std::string { return std::to_string(value); }
    auto decode(std::string_view) const -> freshet::result<int> { return 0; }
};
using bytes = adapters::memory::ttl_store<freshet::testing::manual_clock>;

auto use(bytes& store) { return freshet::coded_store<bytes, decimal>{store}; }
