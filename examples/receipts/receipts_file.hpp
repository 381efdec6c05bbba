#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <receipts/items.hpp>

namespace receipts {

namespace detail {

/// What one line of the file says; throws the words of what is wrong with it.
class scanned_line {
public:
    [[nodiscard]] static auto read(const std::string& line) -> freshet::result<scanned_receipt> {
        const auto is_text = line.find('\0') == std::string::npos; // the parser would end there
        const auto json = is_text ? nlohmann::json::parse(line, nullptr, false) : nlohmann::json{};
        if (!json.is_object()) { return wrong("is no JSON object"); }
        scanned_line in;
        scanned_receipt scanned;
        scanned.image_id = in.text(json, "image_id", true);
        scanned.receipt_id = in.number(json, "receipt_id");
        if (const auto* merchant = in.member(json, "metadata", nlohmann::json::value_t::object, true)) {
            auto& to = scanned.merchant;
            to.merchant_name = in.text(*merchant, "merchant_name");
            to.canonical_merchant_name = in.text(*merchant, "canonical_merchant_name");
            to.address = in.text(*merchant, "address");
            to.phone_number = in.text(*merchant, "phone_number");
            if (merchant->contains("merchant_category")) {
                to.merchant_category = in.text(*merchant, "merchant_category");
            }
        }
        if (const auto* words = in.member(json, "words", nlohmann::json::value_t::array, true)) {
            for (const auto& word : *words) { scanned.words.push_back(in.word(word)); }
        }
        if (in.wrong_) { return wrong(*in.wrong_); }
        return scanned;
    }

private:
    [[nodiscard]] static auto wrong(const std::string& why) -> freshet::error {
        return {freshet::errc::malformed, why};
    }

    [[nodiscard]] auto word(const nlohmann::json& json) -> scanned_word {
        if (!json.is_object()) { return complain("a word is no object"), scanned_word{}; }
        scanned_word read{number(json, "line_id"), number(json, "word_id"), text(json, "text", true)};
        if (const auto* labels = member(json, "labels", nlohmann::json::value_t::array, false)) {
            for (const auto& each : *labels) {
                if (!each.is_object()) {
                    complain("a label is no object");
                    continue;
                }
                scanned_label label;
                label.label = text(each, "label", true);
                if (each.contains("validation_status")) { label.validation_status = text(each, "validation_status"); }
                if (each.contains("label_proposed_by")) { label.label_proposed_by = text(each, "label_proposed_by"); }
                label.label_consolidated_from = text(each, "label_consolidated_from");
                read.labels.push_back(std::move(label));
            }
        }
        return read;
    }

    [[nodiscard]] auto member(const nlohmann::json& of, const char* name, nlohmann::json::value_t type, bool needed)
        -> const nlohmann::json* {
        const auto found = of.find(name);
        if (found == of.end() || found->is_null()) {
            if (needed) { complain(std::string{name} + " is missing"); }
            return nullptr;
        }
        if (found->type() == type) { return &*found; }
        complain(std::string{name} + " is no " + nlohmann::json(type).type_name());
        return nullptr;
    }

    [[nodiscard]] auto text(const nlohmann::json& of, const char* name, bool needed = false) -> std::string {
        const auto* found = member(of, name, nlohmann::json::value_t::string, needed);
        return found != nullptr ? found->get<std::string>() : std::string{};
    }

    [[nodiscard]] auto number(const nlohmann::json& of, const char* name) -> std::uint64_t {
        const auto found = of.find(name);
        if (found != of.end() && found->is_number_unsigned()) { return found->get<std::uint64_t>(); }
        complain(std::string{name} + (found == of.end() ? " is missing" : " is no whole number from 0 on"));
        return 0;
    }

    void complain(std::string why) {
        if (!wrong_) { wrong_ = std::move(why); }
    }

    std::optional<std::string> wrong_; // the first of it
};

} // namespace detail

/// Reads scanned receipts, one a line of JSON:
///
///     {"image_id": "8b36…", "receipt_id": 1, "metadata": {"merchant_name": "…", "canonical_merchant_name": "…",
///      "address": "…", "phone_number": "…"}, "words": [{"line_id": 2, "word_id": 1, "text": "BOOK",
///      "labels": [{"label": "MERCHANT_NAME", "validation_status": "PENDING", "label_proposed_by": "rules"}]}]}
///
/// What else a line says is not read. A line that is no receipt, or repeats one, is told and left out.
template <class Complain>
[[nodiscard]] auto read_receipts(std::istream& in, std::size_t most, Complain&& complain)
    -> std::vector<scanned_receipt> {
    std::vector<scanned_receipt> receipts;
    std::set<std::pair<std::string, std::uint64_t>> seen;
    std::size_t number = 0;
    for (std::string line; receipts.size() < most && std::getline(in, line);) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos) { continue; }
        auto scanned = detail::scanned_line::read(line);
        if (!scanned) {
            complain(number, scanned.why().note);
            continue;
        }
        if (const auto items = items_of(*scanned); !items) {
            complain(number, items.why().note);
            continue;
        }
        std::set<std::pair<std::uint64_t, std::uint64_t>> words;
        std::string twice;
        for (const auto& word : scanned->words) {
            if (!words.emplace(word.line_id, word.word_id).second) {
                twice = "line " + std::to_string(word.line_id) + " has word " + std::to_string(word.word_id) + " twice";
            }
        }
        if (!twice.empty()) {
            complain(number, twice);
        } else if (!seen.emplace(scanned->image_id, scanned->receipt_id).second) {
            complain(number, "receipt " + std::to_string(scanned->receipt_id) + " of image " + scanned->image_id +
                                 " stands on an earlier line");
        } else {
            receipts.push_back(*std::move(scanned));
        }
    }
    return receipts;
}

} // namespace receipts
