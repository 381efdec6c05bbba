#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/time.hpp>
#include <freshet/job/batch_run.hpp>
#include <freshet/letter/redrive.hpp>
#include <freshet/report/field_text.hpp>
#include <validation/label_decision.hpp>
#include <validation/settings.hpp>

/// What a run reports, for a program (`as_json`) and for a person (`as_text`, whole lines).
namespace validation {

using json = nlohmann::ordered_json;

[[nodiscard]] constexpr auto name_of(freshet::batch_outcome outcome) noexcept -> std::string_view {
    switch (outcome) {
        case freshet::batch_outcome::complete: return "complete";
        case freshet::batch_outcome::stopped: return "stopped";
        case freshet::batch_outcome::failed: return "failed";
        case freshet::batch_outcome::already_done: return "already done";
        case freshet::batch_outcome::held: return "held";
    }
    return {};
}

/// An event or a report by its own fields; durations in milliseconds.
template <class Event>
[[nodiscard]] auto fields_as_json(const Event& of) -> json {
    auto made = json::object();
    of.fields([&made](std::string_view name, const auto& value) {
        using type = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<type, freshet::duration>) {
            made[std::string{name} + "_ms"] = std::chrono::duration<double, std::milli>{value}.count();
        } else if constexpr (std::is_integral_v<type>) {
            made[std::string{name}] = value;
        } else {
            made[std::string{name}] = freshet::field_text(value);
        }
    });
    return made;
}

[[nodiscard]] inline auto as_json(const freshet::batch_job_answer& of) -> json {
    auto made = fields_as_json(of.report);
    made["state"] = name_of(of.outcome);
    if (of.unkept) { made["not_kept"] = of.unkept->note; }
    return made;
}

[[nodiscard]] inline auto as_text(const freshet::batch_job_answer& of) -> std::string {
    const auto& report = of.report;
    auto text =
        fmt::format("{} of {}: {}", freshet::printable(report.job), instant_text(report.due), name_of(of.outcome));
    using enum freshet::batch_outcome;
    if (of.outcome == already_done) { return text + '\n'; }
    if (of.outcome == held) { return text + ": another run is at it\n"; }
    text += fmt::format(" in {}{}\n", freshet::field_text(std::chrono::ceil<std::chrono::milliseconds>(report.took())),
                        report.why.empty() ? "" : "; " + freshet::printable(report.why, 400));
    text +=
        fmt::format("  {} items of {} receipts listed, {} receipts worked on: {} failed, {} dead letters, {} retries\n",
                    report.listed, report.groups, report.worked, report.failed, report.dead_lettered, report.retries);
    text += fmt::format(
        "  {} items decided, {} of them changed; {} wait for another round, {} need review, {} were changed "
        "by others\n",
        report.validated, report.updated, report.undecided, report.needs_review, report.conflicts);
    if (of.unkept) { text += fmt::format("  the report is not kept: {}\n", freshet::printable(of.unkept->note, 400)); }
    return text;
}

/// The code that a run ends the program with; `wanted` receipts are all that were asked for.
[[nodiscard]] inline auto code_of(const freshet::batch_job_answer& of, const std::optional<std::size_t>& wanted)
    -> exit_code {
    using enum freshet::batch_outcome;
    const bool enough = of.outcome == stopped && wanted && of.report.worked >= *wanted;
    const bool done = of.outcome == complete || of.outcome == already_done || enough;
    return done && of.report.failed == 0 && !of.unkept ? all_well : some_failed;
}

[[nodiscard]] inline auto as_json(const freshet::redrive_report& of) -> json {
    json made{{"received", of.received}, {"redriven", of.redriven}, {"failed", of.failed}, {"held", of.held}};
    if (of.why) { made["why"] = of.why->note; }
    return made;
}
[[nodiscard]] inline auto as_text(const freshet::redrive_report& of) -> std::string {
    return fmt::format("{} dead letters: {} done, {} failed again, {} behind those{}\n", of.received, of.redriven,
                       of.failed, of.held, of.why ? "; " + freshet::printable(of.why->note, 400) : "");
}

} // namespace validation
