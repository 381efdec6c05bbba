// expect: a queue needs limits\(\) -> queue_limits and send
#include <freshet/stream/message_sender.hpp>
#include <freshet/testing/manual_clock.hpp>

struct mute {
    auto limits() const -> freshet::queue_limits { return {}; }
};

auto make(freshet::testing::manual_clock& clock) {
    return freshet::message_sender<mute, freshet::testing::manual_clock>{{}, clock};
}
