// expect: a pump needs a change_stream
#include <freshet/stream/pump.hpp>
#include <freshet/testing/manual_clock.hpp>

struct stream {
    using row_type = int;
    auto read(const freshet::stream_position&, std::size_t) -> freshet::result<freshet::change_batch<int>>;
    auto latest() -> freshet::result<freshet::stream_position>;
    auto oldest() -> freshet::result<freshet::stream_position>;
    auto position_after(const freshet::change_batch<int>&, std::size_t) -> freshet::stream_position;
};
struct processor {
    auto process(std::span<const freshet::change<int>>, freshet::deadline, std::stop_token) -> freshet::batch_report;
};

auto start(stream& from, processor& to, freshet::testing::manual_clock& clock) {
    return freshet::pump{from, to, clock}.start();
}
