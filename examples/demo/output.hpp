#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <demo/cached_day.hpp>
#include <demo/counted_records.hpp>
#include <demo/label_counting.hpp>
#include <demo/label_tally.hpp>
#include <demo/progress.hpp>
#include <demo/validating.hpp>
#include <demo/whole.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/letter/redrive.hpp>
#include <freshet/stream/batch_report.hpp>
#include <freshet/stream/consumer.hpp>
#include <receipts/comparison.hpp>
#include <receipts/editor.hpp>
#include <receipts/embeddings.hpp>

/// What the roles report, for a program (`as_json`) and for a person (`as_text`, whole lines).
namespace demo {

using json = nlohmann::ordered_json;

[[nodiscard]] inline auto as_json(const load_report& of) -> json { return {{"loaded", of.made}, {"items", of.items}}; }
[[nodiscard]] inline auto as_text(const load_report& of) -> std::string {
    return of.made ? fmt::format("loaded {} items\n", with_commas(of.items))
                   : std::string{"the table has items already: nothing is loaded\n"};
}

[[nodiscard]] inline auto as_json(const receipts::seed_report& of) -> json {
    return {{"made", of.made}, {"lines", of.lines}, {"words", of.words}};
}
[[nodiscard]] inline auto as_text(const receipts::seed_report& of) -> std::string {
    return fmt::format("{} {} embeddings: {} lines, {} words\n", of.made ? "made" : "there are",
                       with_commas(of.lines + of.words), with_commas(of.lines), with_commas(of.words));
}

[[nodiscard]] inline auto as_json(const receipts::edit_counts& of) -> json {
    return {{"edits", of.edits},         {"writes", of.writes},         {"validated", of.validated},
            {"corrected", of.corrected}, {"relabelled", of.relabelled}, {"removed", of.removed},
            {"expired", of.expired},     {"brought_back", of.created},  {"without_effect", of.without_effect},
            {"conflicts", of.conflicts}, {"gone", of.skipped}};
}
[[nodiscard]] inline auto as_text(const receipts::edit_counts& of) -> std::string {
    return fmt::format(
        "edited {} times, {} writes: {} labels validated, {} items corrected, {} labels replaced,"
        " {} items removed, {} expired, {} brought back, {} written as they were\n",
        with_commas(of.edits), with_commas(of.writes), with_commas(of.validated), with_commas(of.corrected),
        with_commas(of.relabelled), with_commas(of.removed), with_commas(of.expired), with_commas(of.created),
        with_commas(of.without_effect));
}

[[nodiscard]] inline auto as_json(const freshet::batch_report& of) -> json {
    return {{"records", of.records()},
            {"changed", of.changed},
            {"unchanged", of.unchanged},
            {"ignored", of.ignored},
            {"expired", of.expired},
            {"dead_lettered", of.dead_lettered},
            {"failed", of.failed + of.held + of.untried},
            {"messages_sent", of.messages_sent},
            {"messages_failed", of.messages_failed}};
}
[[nodiscard]] inline auto as_text(const freshet::batch_report& of) -> std::string {
    return fmt::format("pumped {} changes: {} made {} messages, {} did not matter, {} are dead letters\n",
                       with_commas(of.records()), with_commas(of.changed), with_commas(of.messages_sent),
                       with_commas(of.unchanged + of.ignored), with_commas(of.dead_lettered));
}

[[nodiscard]] inline auto as_json(const freshet::consume_report& of) -> json {
    return {{"received", of.received},
            {"applied", of.applied},
            {"dropped", of.dropped},
            {"dead_lettered", of.dead_lettered},
            {"failed", of.failed + of.held}};
}
[[nodiscard]] inline auto as_text(const freshet::consume_report& of) -> std::string {
    return fmt::format("applied {} messages; {} were no news, {} are dead letters\n", with_commas(of.applied),
                       with_commas(of.dropped), with_commas(of.dead_lettered));
}

[[nodiscard]] inline auto as_json(const freshet::redrive_report& of) -> json {
    return {{"received", of.received}, {"redriven", of.redriven}, {"failed", of.failed}, {"held", of.held}};
}
[[nodiscard]] inline auto as_text(const freshet::redrive_report& of) -> std::string {
    return fmt::format("{} dead letters: {} handled again, {} failed again, {} wait behind those{}\n",
                       with_commas(of.received), with_commas(of.redriven), with_commas(of.failed), with_commas(of.held),
                       of.why ? ": " + of.why->note : "");
}

[[nodiscard]] inline auto as_json(const receipts::comparison& of) -> json {
    auto shown = json::array();
    for (const auto& each : of.shown) {
        shown.push_back({{"collection", each.collection},
                         {"embedding", each.embedding},
                         {"key", each.key},
                         {"table", each.table},
                         {"store", each.store}});
    }
    return {{"receipts", of.receipts}, {"embeddings", of.embeddings},   {"keys", of.keys},
            {"effects", of.effects},   {"differences", of.differences}, {"shown", std::move(shown)}};
}
/// Reads what `as_json` made of a comparison; nothing where it is something else.
[[nodiscard]] inline auto comparison_in(std::string_view text) -> std::optional<receipts::comparison> {
    const auto read = json::parse(text, nullptr, false);
    receipts::comparison of;
    bool good = read.is_object();
    const auto number = [&](const char* name, std::size_t& to) {
        const auto found = good ? read.find(name) : read.end();
        good = good && found != read.end() && found->is_number_unsigned();
        if (good) { to = found->get<std::size_t>(); }
    };
    number("receipts", of.receipts), number("embeddings", of.embeddings), number("keys", of.keys);
    number("effects", of.effects), number("differences", of.differences);
    if (!good || !read.contains("shown") || !read["shown"].is_array()) { return std::nullopt; }
    for (const auto& each : read["shown"]) {
        auto& to = of.shown.emplace_back();
        for (const auto& [name, field] :
             {std::pair{"collection", &to.collection}, std::pair{"embedding", &to.embedding}, std::pair{"key", &to.key},
              std::pair{"table", &to.table}, std::pair{"store", &to.store}}) {
            if (!each.is_object() || !each.contains(name) || !each[name].is_string()) { return std::nullopt; }
            *field = each[name].get<std::string>();
        }
    }
    return of;
}
[[nodiscard]] inline auto as_text(const receipts::comparison& of) -> std::string {
    auto text = fmt::format("compared {} embeddings of {} receipts, {} keys, {} effects: ", with_commas(of.embeddings),
                            with_commas(of.receipts), with_commas(of.keys), with_commas(of.effects));
    if (of.agrees()) { return text + "all is as the table says\n"; }
    text += fmt::format("{} differences\n", with_commas(of.differences));
    const auto said = [](const std::string& value) {
        return value.empty() ? "nothing" : freshet::printable(value, 200);
    };
    for (const auto& each : of.shown) {
        text += fmt::format("  {} {} {}: the table says {}, the store says {}\n", each.collection,
                            freshet::printable(each.embedding, 200),
                            each.key.empty() ? "(whole)" : freshet::printable(each.key), said(each.table),
                            said(each.store));
    }
    if (of.shown.size() < of.differences) {
        text += fmt::format("  and {} more\n", with_commas(of.differences - of.shown.size()));
    }
    return text;
}

[[nodiscard]] inline auto as_json(const label_report& of) -> json {
    auto shown = json::array();
    for (const auto& each : of.differences) {
        shown.push_back({{"label", each.label}, {"cache", each.cache}, {"table", each.table}});
    }
    return {{"labels", of.labels},      {"words", of.words}, {"changed", of.changed},
            {"reads", of.reads},        {"hits", of.hits},   {"differences", of.differences.size()},
            {"shown", std::move(shown)}};
}
[[nodiscard]] inline auto as_text(const label_report& of) -> std::string {
    auto text =
        fmt::format("counted {} words of {} labels, {} of them not as before the edits: {} of {} reads were hits, ",
                    with_commas(of.words), of.labels, of.changed, of.hits, of.reads);
    if (of.differences.empty()) { return text + "all is as the table says\n"; }
    text += fmt::format("{} differences\n", of.differences.size());
    const auto said = [](const status_counts& counts) {
        std::string all;
        for (const auto& [status, count] : counts) {
            all += fmt::format("{}{} {}", all.empty() ? "" : ", ", freshet::printable(status), with_commas(count));
        }
        return all.empty() ? "nothing" : all;
    };
    for (const auto& each : of.differences) {
        text += fmt::format("  {}: the table says {}, the cache says {}\n", freshet::printable(each.label),
                            said(each.table), said(each.cache));
    }
    return text;
}

[[nodiscard]] inline auto as_json(const validated_receipts& of) -> json {
    const auto job = [](const freshet::run_report& run) -> json {
        return {{"items", run.listed},        {"receipts", run.worked},           {"decided", run.validated},
                {"updated", run.updated},     {"undecided", run.undecided},       {"needs_review", run.needs_review},
                {"conflicts", run.conflicts}, {"failed_receipts", run.failed}};
    };
    return {{"labels", job(of.labels)},          {"metadata", job(of.metadata)}, {"dead_letters", of.dead_letters},
            {"label_statuses", of.table.labels}, {"metadata_statuses", of.table.metadata},
            {"wrong", of.wrong}};
}
[[nodiscard]] inline auto as_text(const validated_receipts& of) -> std::string {
    auto text = fmt::format(
        "validated {} labels of {} receipts: {} decided, {} wait for another round, {} need a review; and {} merchants:"
        " {} decided, {} not; ",
        with_commas(of.labels.listed), with_commas(of.labels.worked), with_commas(of.labels.updated),
        with_commas(of.labels.undecided), with_commas(of.labels.needs_review), with_commas(of.metadata.listed),
        with_commas(of.metadata.validated), with_commas(of.metadata.undecided));
    text += of.agrees() ? "all is as the table says\n" : "not as the table says\n";
    for (const auto& line : of.wrong) { text += "  " + line + "\n"; }
    return text;
}

[[nodiscard]] inline auto as_json(const cached_day& of) -> json {
    return {{"calls", of.calls},
            {"scans_without_cache", of.without.scans},
            {"scans_saved", of.saved.scans},
            {"read_units_without_cache", of.without.units.number()},
            {"read_units_saved", of.saved.units.number()},
            {"answers_checked", of.answers},
            {"wrong", of.wrong}};
}
[[nodiscard]] inline auto as_text(const cached_day& of) -> std::string {
    auto text = fmt::format(
        "played an agent's day with a cache of tables: {} calls, {} of {} scans and {} of {} read units saved; {}"
        " answers checked against the day without it: ",
        of.calls, of.saved.scans, of.without.scans, of.saved.units.text(), of.without.units.text(), of.answers);
    text += of.agrees() ? "none was wrong\n" : "something is wrong\n";
    for (const auto& line : of.wrong) { text += "  " + line + "\n"; }
    return text;
}

[[nodiscard]] inline auto as_json(const counted_records& of) -> json {
    return {{"writes", of.writes},
            {"recounts", of.recounts},
            {"records", of.records},
            {"buckets", of.buckets},
            {"wrong", of.wrong}};
}
[[nodiscard]] inline auto as_text(const counted_records& of) -> std::string {
    auto text = fmt::format("counted records by time after {} writes, {} times anew: {} buckets of {} records, ",
                            with_commas(of.writes), with_commas(of.recounts), with_commas(of.buckets),
                            with_commas(of.records));
    text += of.agrees() ? "all is as SQL says of the table\n" : "not as SQL says of the table\n";
    for (const auto& line : of.wrong) { text += "  " + line + "\n"; }
    return text;
}

[[nodiscard]] inline auto as_json(const whole_report& of) -> json {
    const auto seconds = [](freshet::duration span) { return std::chrono::duration<double>(span).count(); };
    return {{"load", as_json(of.loaded)},
            {"embeddings", as_json(of.embedded)},
            {"edit", as_json(of.edited)},
            {"validation", as_json(of.validated)},
            {"pump", as_json(of.pumped)},
            {"consume", as_json(of.consumed)},
            {"dropped_on_purpose", of.dropped ? 1 : 0},
            {"dead_letters", of.dead_letters},
            {"verify", as_json(of.compared)},
            {"label_counts", as_json(of.counted)},
            {"table_cache", as_json(of.played)},
            {"metrics", as_json(of.by_time)},
            {"seconds",
             {{"load", seconds(of.loading)},
              {"embeddings", seconds(of.embedding)},
              {"flow", seconds(of.running)},
              {"validation", seconds(of.validating)},
              {"verify", seconds(of.comparing)},
              {"label_counts", seconds(of.counting)},
              {"table_cache", seconds(of.playing)},
              {"metrics", seconds(of.counting_by_time)}}}};
}
[[nodiscard]] inline auto as_text(const whole_report& of) -> std::string {
    const auto took = [](std::string line, freshet::duration span) {
        line.insert(line.find('\n'), fmt::format(" ({:.1f} s)", std::chrono::duration<double>(span).count()));
        return line;
    };
    auto text = took(as_text(of.loaded), of.loading) + took(as_text(of.embedded), of.embedding) + as_text(of.edited) +
                took(as_text(of.validated), of.validating) + as_text(of.pumped) +
                took(as_text(of.consumed), of.running);
    if (of.dropped) { text += "lost one message on purpose\n"; }
    if (of.dead_letters != 0) {
        text += fmt::format("{} dead letters wait: see redrive\n", with_commas(of.dead_letters));
    }
    return text + "another process " + as_text(of.compared) + took(as_text(of.counted), of.counting) +
           took(as_text(of.played), of.playing) + took(as_text(of.by_time), of.counting_by_time);
}

} // namespace demo
