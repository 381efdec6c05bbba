#pragma once

#include <validation/erased.hpp>

namespace validation {

/// Where receipts, runs, claims and dead letters are.
struct place {
    any_table receipts;
    any_table reports; ///< of a run_store
    any_ledger ledger;
    any_queue letters;
};

inline constexpr auto letters_queue = "validation-dead";

} // namespace validation
