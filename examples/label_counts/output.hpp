#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/time.hpp>
#include <freshet/report/field_text.hpp>
#include <freshet/report/text_table.hpp>
#include <label_counts/reading.hpp>
#include <label_counts/updating.hpp>

/// What a run and a reading report, for a program (`as_json`) and for a person (`as_text`, whole lines).
namespace label_counts {

using json = nlohmann::ordered_json;

namespace detail {

[[nodiscard]] inline auto milliseconds(std::chrono::duration<double, std::milli> span) -> double {
    return span.count();
}

} // namespace detail

[[nodiscard]] inline auto as_json(const run_report& of) -> json {
    json labels = json::array();
    for (const auto& each : of.keys) {
        json one{{"label", each.key}, {"outcome", name_of(each.outcome)}, {"took_ms", detail::milliseconds(each.took)}};
        if (each.why) { one["error"] = each.why->note; }
        labels.push_back(std::move(one));
    }
    return {{"succeeded", of.succeeded()},
            {"failed", of.failed()},
            {"took_ms", detail::milliseconds(of.took)},
            {"labels", std::move(labels)}};
}

/// In one line, without its end.
[[nodiscard]] inline auto summary_of(const run_report& run) -> std::string {
    return fmt::format("{} labels: {} succeeded, {} failed, in {}", run.keys.size(), run.succeeded(), run.failed(),
                       freshet::field_text(run.took));
}
[[nodiscard]] inline auto as_text(const run_report& of) -> std::string { return summary_of(of) + '\n'; }

[[nodiscard]] inline auto as_json(const reading& of) -> json {
    json labels = json::array();
    for (const auto& each : of.labels) {
        json one{{"label", each.label}};
        if (each.answer) {
            const auto& counted = *each.answer->value;
            one["total"] = counted.total();
            one["by_status"] = counted.by_status;
            one["last_updated"] = freshet::field_text(counted.last_updated);
            one["origin"] = name_of(each.answer->origin);
            one["age_ms"] = detail::milliseconds(each.answer->age);
        } else {
            one["error"] = each.answer.why().note;
        }
        one["hits"] = each.asked.hits;
        one["misses"] = each.asked.misses;
        one["hit_ratio"] = each.asked.hit_ratio();
        labels.push_back(std::move(one));
    }
    json made{{"labels", std::move(labels)}};
    if (of.timed != 0) {
        made["read_from_cache_ms"] = detail::milliseconds(of.cached_read());
        made["count_in_real_time_ms"] = detail::milliseconds(of.real_time_count());
        made["ratio"] = of.ratio();
    }
    return made;
}

[[nodiscard]] inline auto as_text(const reading& of) -> std::string {
    freshet::text_table table{{"label", "words", "by status", "from", "age", "hits"}};
    std::string failures;
    for (const auto& each : of.labels) {
        const auto hits = fmt::format("{} of {}", each.asked.hits, each.asked.hits + each.asked.misses);
        if (!each.answer) {
            const auto& why = each.answer.why().note;
            failures += fmt::format("{}: {}\n", freshet::printable(each.label), freshet::printable(why));
            continue;
        }
        std::string statuses;
        for (const auto& [status, count] : each.answer->value->by_status) {
            statuses += fmt::format("{}{} {}", statuses.empty() ? "" : ", ", status, count);
        }
        table.row(each.label, each.answer->value->total(), statuses, name_of(each.answer->origin), each.answer->age,
                  hits);
    }
    auto text = table.text() + failures;
    if (of.timed != 0) {
        text += fmt::format(
            "a read from the cache takes {:.1f} us, counting in real time {:.1f} us: {:.1f} times as long\n",
            of.cached_read().count(), of.real_time_count().count(), of.ratio());
    }
    return text;
}

} // namespace label_counts
