#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

/// How well labels were judged. Nothing else reads what labels are in truth.
namespace receipts {

/// How often labels that are VALID, or INVALID, in truth were given which status in the end. `…_as_neither` counts
/// PENDING, NEEDS_REVIEW and every other status, and labels that nothing is told of.
struct label_confusion {
    std::size_t valid_as_valid{};
    std::size_t valid_as_invalid{};
    std::size_t valid_as_neither{};
    std::size_t invalid_as_valid{};
    std::size_t invalid_as_invalid{};
    std::size_t invalid_as_neither{};

    [[nodiscard]] constexpr auto labels() const noexcept -> std::size_t {
        return valid_as_valid + valid_as_invalid + valid_as_neither + invalid_as_valid + invalid_as_invalid +
               invalid_as_neither;
    }

    using share = std::optional<double>; ///< from 0 to 1; nothing: there was none to divide by

    [[nodiscard]] constexpr auto valid_precision() const noexcept -> share {
        return part(valid_as_valid, invalid_as_valid);
    }
    [[nodiscard]] constexpr auto invalid_precision() const noexcept -> share {
        return part(invalid_as_invalid, valid_as_invalid);
    }
    [[nodiscard]] constexpr auto valid_recall() const noexcept -> share {
        return part(valid_as_valid, valid_as_invalid + valid_as_neither);
    }
    [[nodiscard]] constexpr auto invalid_recall() const noexcept -> share {
        return part(invalid_as_invalid, invalid_as_valid + invalid_as_neither);
    }

    /// The mean of both recalls: who answers VALID to everything gets a half. Nothing where truth knows one class only.
    [[nodiscard]] constexpr auto balanced_accuracy() const noexcept -> share {
        const auto valid = valid_recall();
        const auto invalid = invalid_recall();
        return valid && invalid ? share{(*valid + *invalid) / 2} : std::nullopt;
    }

private:
    [[nodiscard]] static constexpr auto part(std::size_t of, std::size_t others) noexcept -> share {
        if (of + others == 0) { return std::nullopt; }
        return static_cast<double>(of) / static_cast<double>(of + others);
    }
};

struct label_mistake {
    std::string image_id;
    std::uint64_t receipt_id{};
    std::uint64_t line_id{};
    std::uint64_t word_id{};
    std::string label;
    std::string text;
    std::string truth;
    std::string said; ///< the final status; empty: nothing is told
};

struct label_score {
    label_confusion all{};
    std::map<std::string, label_confusion> by_label{};
    std::vector<label_mistake> mistakes{}; ///< the first ones, in the order of the truth file
};

namespace detail {

/// Reads both files, line by line.
class label_scorer {
public:
    explicit label_scorer(std::size_t most_mistakes) : most_mistakes_{most_mistakes} {}

    [[nodiscard]] auto read_final(std::istream& labels) -> freshet::result<void> {
        return each_line(labels, "labels", [this](const nlohmann::json& line) {
            final_[key_of(line, line)] = line.at("validation_status").get<std::string>();
            return freshet::result<void>{};
        });
    }

    [[nodiscard]] auto compare(std::istream& truth) -> freshet::result<label_score> {
        auto read = each_line(truth, "truth", [this](const nlohmann::json& scanned) {
            for (const auto& word : scanned.at("words")) {
                if (!word.contains("labels")) { continue; }
                for (const auto& label : word.at("labels")) {
                    if (auto known = compare(scanned, word, label); !known) { return known; }
                }
            }
            return freshet::result<void>{};
        });
        if (!read) { return read.why(); }
        if (score_.all.labels() == 0) {
            return freshet::error{freshet::errc::malformed, "truth: no label that is PENDING says its truth"};
        }
        return std::move(score_);
    }

private:
    using key = std::tuple<std::string, std::uint64_t, std::uint64_t, std::uint64_t, std::string>;

    [[nodiscard]] static auto key_of(const nlohmann::json& scanned, const nlohmann::json& word,
                                     const nlohmann::json& label) -> key {
        return {scanned.at("image_id").get<std::string>(), scanned.at("receipt_id").get<std::uint64_t>(),
                word.at("line_id").get<std::uint64_t>(), word.at("word_id").get<std::uint64_t>(),
                label.at("label").get<std::string>()};
    }
    [[nodiscard]] static auto key_of(const nlohmann::json& line, const nlohmann::json& word) -> key {
        return key_of(line, word, line);
    }

    /// Gives each line to `read`, which refuses it, or throws what the parser throws of one without the members it
    /// needs.
    template <class Read>
    [[nodiscard]] static auto each_line(std::istream& in, std::string_view name, Read read) -> freshet::result<void> {
        std::size_t number = 0;
        for (std::string line; std::getline(in, line);) {
            ++number;
            if (line.find_first_not_of(" \t\r") == std::string::npos) { continue; }
            const auto refuse = [&](std::string_view why) {
                return freshet::error{freshet::errc::malformed,
                                      std::string{name} + " line " + std::to_string(number) + ": " + std::string{why}};
            };
            try {
                if (const auto good = read(nlohmann::json::parse(line)); !good) { return refuse(good.why().note); }
            } catch (const nlohmann::json::exception& wrong) { return refuse(wrong.what()); }
        }
        return {};
    }

    [[nodiscard]] auto compare(const nlohmann::json& scanned, const nlohmann::json& word, const nlohmann::json& label)
        -> freshet::result<void> {
        if (label.at("validation_status").get<std::string>() != "PENDING" || !label.contains("truth")) { return {}; }
        auto at = key_of(scanned, word, label);
        const auto truth = label.at("truth").get<std::string>();
        if (truth != "VALID" && truth != "INVALID") {
            return freshet::error{freshet::errc::malformed,
                                  "the truth '" + freshet::printable(truth) + "' is neither VALID nor INVALID"};
        }
        const auto found = final_.find(at);
        const auto said = found == final_.end() ? std::string{} : found->second;
        count(score_.all, truth, said);
        count(score_.by_label[std::get<4>(at)], truth, said);
        if (said == truth || score_.mistakes.size() >= most_mistakes_) { return {}; }
        auto& [image_id, receipt_id, line_id, word_id, name] = at;
        score_.mistakes.push_back({std::move(image_id), receipt_id, line_id, word_id, std::move(name),
                                   word.at("text").get<std::string>(), truth, said});
        return {};
    }

    static void count(label_confusion& in, std::string_view truth, std::string_view said) {
        if (truth == "VALID") {
            ++(said == "VALID" ? in.valid_as_valid : said == "INVALID" ? in.valid_as_invalid : in.valid_as_neither);
        } else {
            ++(said == "VALID"     ? in.invalid_as_valid
               : said == "INVALID" ? in.invalid_as_invalid
                                   : in.invalid_as_neither);
        }
    }

    std::size_t most_mistakes_;
    std::map<key, std::string> final_;
    label_score score_{};
};

} // namespace detail

/// Compares the labels that are PENDING in a truth file with their final statuses in a labels file; lists at most
/// `most_mistakes` of those that came out otherwise.
///
/// The truth file holds scanned receipts as `read_receipts` reads them, whose labels also say their `truth`, VALID or
/// INVALID; labels without one don't count, and a file without any is refused. The labels file holds one label a line:
///
///     {"image_id": "8b36…", "receipt_id": 1, "line_id": 2, "word_id": 1, "label": "MERCHANT_NAME",
///      "validation_status": "VALID"}
///
/// The last line on a label counts. Fails with the first line of either file that is not so.
[[nodiscard]] inline auto score_labels(std::istream& truth, std::istream& labels, std::size_t most_mistakes = 100)
    -> freshet::result<label_score> {
    detail::label_scorer scorer{most_mistakes};
    if (auto read = scorer.read_final(labels); !read) { return read.why(); }
    return scorer.compare(truth);
}

} // namespace receipts
