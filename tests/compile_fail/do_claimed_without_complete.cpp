// expect: this ledger lacks complete
#include <freshet/backend/ledger.hpp>
#include <freshet/work/claimed.hpp>

struct half_a_ledger {
    auto claim(const freshet::claim_request&) -> freshet::result<freshet::claim_answer>;
    auto release(const freshet::work_claim&) -> freshet::result<void>;
};

auto use(half_a_ledger& ledger) {
    return freshet::do_claimed(ledger, {.key = "item", .owner = "a"},
                               [](const freshet::work_claim&) -> freshet::result<void> { return {}; });
}
