#include <freshet/testing/faulty_stream.hpp>
#include <freshet/testing/faulty_table.hpp>

#include <doctest/doctest.h>

#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/table.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/change_stream.hpp>
#include <laws/table.hpp>

namespace {

using freshet::testing::manual_clock;
using memory_table = adapters::memory::table<manual_clock>;
using memory_stream = adapters::memory::change_stream<manual_clock>;
using faulty_table = freshet::testing::faulty_table<memory_table>;
using faulty_stream = freshet::testing::faulty_stream<memory_stream>;

static_assert(freshet::table<faulty_table> && freshet::change_stream<faulty_stream>);

class faultless_table {
public:
    [[nodiscard]] auto table() -> faulty_table& { return table_; }
    [[nodiscard]] auto stream() -> faulty_stream& { return stream_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto foreign_position() -> freshet::stream_position {
        adapters::memory::table other{clock_, {.name = "other"}};
        return *adapters::memory::change_stream{other}.latest();
    }
    void trim() { memory_.trim_changes(); }

private:
    manual_clock clock_;
    memory_table memory_{clock_, {.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}}};
    memory_stream changes_{memory_};
    freshet::testing::faults none_;
    faulty_table table_{memory_, none_};
    faulty_stream stream_{changes_, none_};
};

} // namespace

FRESHET_TABLE_LAWS(faultless_table);
FRESHET_CHANGE_STREAM_LAWS(faultless_table);
