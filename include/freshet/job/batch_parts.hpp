#pragma once

#include <freshet/backend/run_report.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/job/batch_job_events.hpp>
#include <freshet/job/batch_run.hpp>

namespace freshet {

/// What a batch job borrows, and what it goes by.
template <class Steps, class Workers, class Ledger, class Letters, class Runs, class Timer, class Observer>
struct batch_parts {
    using emits = event_list<items_listed, batch_began, group_applied, group_failed, group_dead_lettered,
                             group_letter_failed, batch_ended, report_not_kept, run_report>;
    using item_type = typename Steps::item_type;
    using ledger_type = Ledger;
    using timer_type = Timer;

    Steps& steps;
    Workers& workers;
    Ledger& ledger;
    Letters& letters;
    Runs& runs;
    Timer& timer;
    batch_job_options options;
    [[no_unique_address]] observer_for<Observer, emits> seen;
};

} // namespace freshet
