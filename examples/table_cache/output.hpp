#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/report/text_table.hpp>
#include <table_cache/cache_lines.hpp>
#include <table_cache/outcome.hpp>
#include <table_cache/tables.hpp>

/// What a timeline came to, for a program (`as_json`) and for a person (`as_text`, whole lines).
namespace email_agent {

using json = nlohmann::ordered_json;

[[nodiscard]] inline auto as_json(const read_counts& of) -> json {
    return {{"requests", of.requests},
            {"scans", of.scans},
            {"pages", of.pages},
            {"rows", of.rows},
            {"read_units", of.units.number()}};
}

/// All tables together.
[[nodiscard]] inline auto total_of(const outcome& of) -> table_outcome {
    table_outcome all;
    for (const auto& [name, table] : of.tables) {
        all.with += table.with;
        all.without += table.without;
    }
    return all;
}

[[nodiscard]] inline auto as_json(const outcome& of, bool caching) -> json {
    const auto counts = [&](const table_outcome& table) {
        json one{{"read", as_json(table.with)}};
        if (caching) {
            one["without_cache"] = as_json(table.without);
            one["saved"] = as_json(table.saved());
        }
        return one;
    };
    json tables = json::object();
    for (const auto name : table_names) {
        const auto& table = of.tables.find(name)->second;
        auto one = counts(table);
        one["calls"] = table.verdicts;
        tables[std::string{name}] = std::move(one);
    }
    json made{{"steps", of.steps},
              {"failed_steps", of.failed_steps},
              {"failed_writes", of.failed_writes},
              {"tables", std::move(tables)},
              {"all", counts(total_of(of))},
              {"answers_checked", of.checked},
              {"wrong", of.wrong}};
    if (of.followed) {
        made["followed"] = {
            {"scans", of.followed->loads}, {"changes", of.followed->changes}, {"rows", of.followed->edits}};
    }
    return made;
}

[[nodiscard]] inline auto as_text(const outcome& of, bool caching) -> std::string {
    freshet::text_table table{caching ? std::vector<std::string>{"table", "scans", "uncached", "pages", "uncached",
                                                                 "read units", "uncached", "saved"}
                                      : std::vector<std::string>{"table", "scans", "pages", "read units"}};
    const auto row = [&](std::string_view name, const table_outcome& of_it) {
        const auto units = of_it.with.units.text();
        const auto uncached = of_it.without.units.text();
        const auto saved = of_it.saved().units.text();
        const freshet::number_text used{units};
        if (!caching) { return table.row(name, of_it.with.scans, of_it.with.pages, used); }
        table.row(name, of_it.with.scans, of_it.without.scans, of_it.with.pages, of_it.without.pages, used,
                  freshet::number_text{uncached}, freshet::number_text{saved});
    };
    for (const auto name : table_names) { row(name, of.tables.find(name)->second); }
    const auto all = total_of(of);
    row("all", all);

    auto text = table.text();
    if (caching && all.without.units.halves != 0) {
        text += fmt::format("saved {} of {} read units: {:.1f} %\n", all.saved().units.text(), all.without.units.text(),
                            100 * all.saved().units.number() / all.without.units.number());
    }
    if (of.followed) {
        text += fmt::format("students are followed: {}, {}\n", counted(of.followed->loads, "scan"),
                            counted(of.followed->changes, "change"));
    }
    text += fmt::format(
        "{}, {} failed; {} checked: {}\n", counted(of.steps, "step"), of.failed_steps, counted(of.checked, "answer"),
        of.wrong.empty() ? "none was older than it may be, and the counters agree" : "something is wrong:");
    for (const auto& line : of.wrong) { text += "  " + line + "\n"; }
    return text;
}

} // namespace email_agent
