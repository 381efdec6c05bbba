// expect: a table_follower's stream tells of its table's rows
#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/table.hpp>
#include <freshet/cache/table_follower.hpp>

using freshet::testing::manual_clock;

auto follow(adapters::memory::table<manual_clock>& from, manual_clock& clock,
            freshet::result<freshet::row_key> (*key_of)(const freshet::document&)) {
    adapters::memory::change_stream<manual_clock, adapters::unread> stream{from};
    return freshet::table_follower{from, stream, clock, key_of}.step().ok();
}
