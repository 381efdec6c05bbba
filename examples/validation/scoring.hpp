#pragma once

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/report/text_table.hpp>
#include <receipts/label_score.hpp>
#include <support/printing.hpp>
#include <validation/output.hpp>
#include <validation/settings.hpp>

namespace validation {

namespace detail {

[[nodiscard]] inline auto share_text(const std::optional<double>& share) -> std::string {
    return share ? fmt::format("{:.4f}", *share) : std::string{"-"};
}
[[nodiscard]] inline auto share_json(const std::optional<double>& share) -> json {
    return share ? json(*share) : json(nullptr);
}

[[nodiscard]] inline auto confusion_json(const receipts::label_confusion& of) -> json {
    return {
        {"labels", of.labels()},
        {"balanced_accuracy", share_json(of.balanced_accuracy())},
        {"valid", {{"precision", share_json(of.valid_precision())}, {"recall", share_json(of.valid_recall())}}},
        {"invalid", {{"precision", share_json(of.invalid_precision())}, {"recall", share_json(of.invalid_recall())}}},
        {"valid_as_valid", of.valid_as_valid},
        {"valid_as_invalid", of.valid_as_invalid},
        {"valid_as_neither", of.valid_as_neither},
        {"invalid_as_valid", of.invalid_as_valid},
        {"invalid_as_invalid", of.invalid_as_invalid},
        {"invalid_as_neither", of.invalid_as_neither}};
}

[[nodiscard]] inline auto open_to_score(const std::string& name) -> freshet::result<std::ifstream> {
    std::ifstream file{name, std::ios::binary};
    if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad())) {
        return freshet::error{freshet::errc::malformed, freshet::printable(name) + ": " + std::strerror(errno)};
    }
    file.clear();
    return file;
}

} // namespace detail

[[nodiscard]] inline auto as_json(const receipts::label_score& of) -> json {
    auto made = detail::confusion_json(of.all);
    for (const auto& [label, confusion] : of.by_label) { made["by_label"][label] = detail::confusion_json(confusion); }
    made["mistakes"] = json::array();
    for (const auto& each : of.mistakes) {
        made["mistakes"].push_back({{"image_id", each.image_id},
                                    {"receipt_id", each.receipt_id},
                                    {"line_id", each.line_id},
                                    {"word_id", each.word_id},
                                    {"label", each.label},
                                    {"text", each.text},
                                    {"truth", each.truth},
                                    {"said", each.said}});
    }
    return made;
}

[[nodiscard]] inline auto as_text(const receipts::label_score& of) -> std::string {
    using freshet::number_text;
    freshet::text_table table{
        {"label", "labels", "balanced", "VALID precision", "recall", "INVALID precision", "recall ", "undecided"}};
    const auto row = [&](std::string_view label, const receipts::label_confusion& each) {
        const auto balanced = detail::share_text(each.balanced_accuracy());
        const auto valid_precision = detail::share_text(each.valid_precision());
        const auto valid_recall = detail::share_text(each.valid_recall());
        const auto invalid_precision = detail::share_text(each.invalid_precision());
        const auto invalid_recall = detail::share_text(each.invalid_recall());
        table.row(label, each.labels(), number_text{balanced}, number_text{valid_precision}, number_text{valid_recall},
                  number_text{invalid_precision}, number_text{invalid_recall},
                  each.valid_as_neither + each.invalid_as_neither);
    };
    for (const auto& [label, each] : of.by_label) { row(label, each); }
    row("all", of.all);
    auto text = table.text();
    if (of.mistakes.empty()) { return text; }
    text += "\nthe first mistakes:\n";
    freshet::text_table mistakes{{"image", "line", "word", "label", "text", "truth", "said"}};
    for (const auto& each : of.mistakes) {
        mistakes.row(each.image_id, each.line_id, each.word_id, each.label, each.text, each.truth, each.said);
    }
    return text + mistakes.text();
}

/// Scores a file of final labels, and prints that. The exit code: a file that is none is a wrong usage.
[[nodiscard]] inline auto print_score(const std::string& truth, const std::string& labels, bool in_json) -> exit_code {
    const auto refuse = [](const freshet::error& why) {
        support::complain("validation: {}\n", freshet::printable(why.note, 400));
        return wrong_usage;
    };
    auto known = detail::open_to_score(truth);
    if (!known) { return refuse(known.why()); }
    auto said = detail::open_to_score(labels);
    if (!said) { return refuse(said.why()); }
    constexpr std::size_t shown = 40;
    const auto score = receipts::score_labels(*known, *said, shown);
    if (!score) { return refuse(score.why()); }
    support::print(in_json ? as_json(*score).dump(-1, ' ', false, json::error_handler_t::replace) + '\n'
                           : as_text(*score));
    return support::all_printed("validation") ? all_well : unreachable;
}

} // namespace validation
