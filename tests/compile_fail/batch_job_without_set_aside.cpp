// expect: a batch job's steps are an item_type, list, group_of, work, apply and set_aside
#include <freshet/job/batch_job.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/executor.hpp>

struct steps {
    using item_type = int;
    auto list(const freshet::page_request&) -> freshet::result<freshet::page<int>>;
    auto group_of(int) -> std::string;
    auto work(const freshet::item_group<int>&, const freshet::work_context&) -> freshet::result<int>;
    auto apply(const freshet::item_group<int>&, int, const freshet::apply_context&)
        -> freshet::result<freshet::apply_counts>;
};
struct ledger {
    auto claim(const freshet::claim_request&) -> freshet::result<freshet::claim_answer>;
    auto renew(const freshet::work_claim&, freshet::duration) -> freshet::result<freshet::work_claim>;
    auto complete(const freshet::work_claim&) -> freshet::result<void>;
    auto release(const freshet::work_claim&) -> freshet::result<void>;
};
struct queue {
    auto limits() const -> freshet::queue_limits;
    auto send(std::span<const freshet::message_view>) -> freshet::result<std::vector<freshet::entry_refusal>>;
    auto receive(const freshet::receive_request&) -> freshet::result<std::vector<freshet::received_message>>;
    auto erase(std::span<const std::string>) -> freshet::result<std::vector<freshet::entry_refusal>>;
    auto change_visibility(std::span<const std::string>, freshet::duration)
        -> freshet::result<std::vector<freshet::entry_refusal>>;
};
struct reports {
    auto put(const freshet::run_report&) -> freshet::result<void>;
    auto runs(std::string_view, const freshet::time_range&) -> freshet::result<std::vector<freshet::run_report>>;
    auto latest(std::string_view) -> freshet::result<std::optional<freshet::run_report>>;
};

auto run(steps& work, freshet::inline_executor& here, ledger& claims, queue& letters, reports& kept,
         freshet::testing::manual_clock& clock) {
    return freshet::batch_job{work, here, claims, letters, kept, clock}.run({});
}
