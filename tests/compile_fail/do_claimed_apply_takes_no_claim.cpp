// expect: apply takes a const freshet::work_claim&
#include <freshet/backend/ledger.hpp>
#include <freshet/work/claimed.hpp>

struct some_ledger {
    auto claim(const freshet::claim_request&) -> freshet::result<freshet::claim_answer>;
    auto complete(const freshet::work_claim&) -> freshet::result<void>;
    auto release(const freshet::work_claim&) -> freshet::result<void>;
};

auto use(some_ledger& ledger) {
    return freshet::do_claimed(ledger, {.key = "item", .owner = "a"}, []() -> freshet::result<void> { return {}; });
}
