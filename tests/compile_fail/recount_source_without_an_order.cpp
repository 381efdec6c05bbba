// expect: a recount needs a record_source: order, and list\(series, range, page_request\)
#include <adapters/memory/bucket_sink.hpp>
#include <freshet/count/recount.hpp>
#include <freshet/testing/manual_clock.hpp>

struct source {
    auto list(const freshet::series_key&, const freshet::time_range&, const freshet::page_request&)
        -> freshet::result<freshet::page<freshet::listed_record>>;
};

auto use(source& records, adapters::memory::bucket_sink& counts, const freshet::testing::manual_clock& clock) {
    freshet::recount recount{records, counts, clock};
    return recount.run_window({"items", ""}, 2);
}
