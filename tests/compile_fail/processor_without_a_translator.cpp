// expect: a processor needs a translator with translate and route
#include <freshet/stream/processor.hpp>
#include <freshet/testing/manual_clock.hpp>

struct queue {
    auto limits() const -> freshet::queue_limits { return {}; }
    auto send(std::span<const freshet::message_view>) -> freshet::result<std::vector<freshet::entry_refusal>>;
};
struct no_translator {};

auto make(queue& dead, freshet::testing::manual_clock& clock) {
    return new freshet::processor{no_translator{}, freshet::queues_by_name<queue>{}, dead, clock};
}
