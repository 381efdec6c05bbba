#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/record_tally.hpp>

namespace freshet {

/// A record was not counted, because its time is not known.
struct record_skipped {
    static constexpr std::string_view name = "record_skipped";
    const series_key& series;
    std::string_view id;
    std::string_view created_at;
    const tally_verdict& verdict;
    void fields(auto&& visit) const {
        visit("table", std::string_view{series.table});
        visit("account", std::string_view{series.account});
        visit("id", id);
        visit("reason", name_of(verdict.fate));
        visit("created_at", created_at);
        visit("note", verdict.why.reason);
    }
};

/// The counts of a range are what its records say.
struct range_recounted {
    static constexpr std::string_view name = "range_recounted";
    const series_key& series;
    time_range range;
    run_ticket ticket;
    std::uint64_t records;
    std::uint64_t skipped;
    std::uint64_t duplicates;
    replaced_counts replaced;
    duration took;
    void fields(auto&& visit) const {
        visit("table", std::string_view{series.table});
        visit("account", std::string_view{series.account});
        visit("start", range.start);
        visit("end", range.end);
        visit("ticket", ticket.number);
        visit("records", records);
        visit("skipped", skipped);
        visit("duplicates", duplicates);
        visit("written", replaced.written);
        visit("unchanged", replaced.unchanged);
        visit("overtaken", replaced.overtaken);
        visit("took", took);
    }
};

/// The counts of a range contradict its records; none of them was written.
struct cross_check_failed {
    static constexpr std::string_view name = "cross_check_failed";
    const series_key& series;
    time_range range;
    std::string_view fault;
    void fields(auto&& visit) const {
        visit("table", std::string_view{series.table});
        visit("account", std::string_view{series.account});
        visit("start", range.start);
        visit("end", range.end);
        visit("fault", fault);
    }
};

} // namespace freshet
