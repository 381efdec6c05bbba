// expect: a consumer needs a message_queue: limits, send, receive, erase
#include <freshet/stream/consumer.hpp>
#include <freshet/testing/manual_clock.hpp>

struct queue {
    auto limits() const -> freshet::queue_limits;
    auto send(std::span<const freshet::message_view>) -> freshet::result<std::vector<freshet::entry_refusal>>;
    auto receive(const freshet::receive_request&) -> freshet::result<std::vector<freshet::received_message>>;
};
struct store {
    using update_type = int;
    auto read(const freshet::received_message&) -> freshet::result<int>;
    auto item_of(int) -> std::string;
    auto last_applied(std::string_view) -> freshet::result<std::optional<freshet::applied_mark>>;
    auto apply(int, const freshet::applied_mark&) -> freshet::result<void>;
};
struct ledger {
    auto claim(const freshet::claim_request&) -> freshet::result<freshet::claim_answer>;
    auto renew(const freshet::work_claim&, freshet::duration) -> freshet::result<freshet::work_claim>;
    auto complete(const freshet::work_claim&) -> freshet::result<void>;
    auto release(const freshet::work_claim&) -> freshet::result<void>;
};

auto step(queue& from, ledger& claims, store& kept, freshet::testing::manual_clock& clock) {
    return freshet::consumer{from, from, claims, kept, clock}.step();
}
