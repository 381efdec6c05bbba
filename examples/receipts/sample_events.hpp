#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace receipts {

/// Plays people and validators who edit a small receipts table, and writes down what its change stream would say.
///
/// The same seed gives the same events. Among the changes are those that should make no message: writes that change
/// nothing, `0.90` that becomes `0.9`, sets in another order, items that are none of ours.
class sample_events {
public:
    explicit sample_events(std::uint64_t seed = 1) : random_{seed} {}

    /// Lambda events, one a line of JSON, with at most `records_per_event` records each.
    [[nodiscard]] auto make(std::size_t receipts, std::size_t records_per_event = 25) -> std::vector<std::string> {
        records_.clear();
        for (std::size_t i = 0; i < receipts; ++i) { add_receipt(static_cast<unsigned>(i)); }
        for (std::size_t edits = 8 * receipts; edits != 0; --edits) { edit(); }
        std::vector<std::string> events;
        for (std::size_t at = 0; at < records_.size(); at += records_per_event) {
            json batch = json::array();
            for (std::size_t i = at; i < std::min(at + records_per_event, records_.size()); ++i) {
                batch.push_back(std::move(records_[i]));
            }
            events.push_back(json{{"Records", std::move(batch)}}.dump());
        }
        return events;
    }

private:
    using json = nlohmann::ordered_json;

    static constexpr std::array<std::string_view, 6> merchants{"Harbour Tea House", "Café \"Zum Anker\"",
                                                               "North Pier Books",  "Günther & Söhne",
                                                               "Kedai Runcit Seri", "茶房 みなと"};
    static constexpr std::array<std::string_view, 5> labels{"MERCHANT_NAME", "DATE", "LINE_TOTAL", "TAX",
                                                            "GRAND_TOTAL"};
    static constexpr std::array<std::string_view, 4> statuses{"PENDING", "VALID", "INVALID", "NEEDS_REVIEW"};

    [[nodiscard]] auto below(std::size_t bound) -> std::size_t { return random_() % bound; }
    template <class Choices>
    [[nodiscard]] auto any_of(const Choices& choices) -> std::string {
        return std::string{choices[below(choices.size())]};
    }

    [[nodiscard]] static auto text(std::string_view value) -> json { return {{"S", value}}; }

    void add_receipt(unsigned number) {
        // One call a statement: the order of arguments is the compiler's choice.
        const auto high = static_cast<std::uint32_t>(random_());
        const auto middle = below(4096);
        const auto low = random_();
        const auto image = fmt::format("IMAGE#{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high, number, middle, low >> 52,
                                       low & 0xffffffffffffu);
        const auto prefix = fmt::format("RECEIPT#{:05}", number % 3 + 1);
        const auto merchant = any_of(merchants);
        write(image, prefix, {{"TYPE", text("RECEIPT")}});
        write(image, prefix + "#METADATA",
              {{"TYPE", text("RECEIPT_METADATA")},
               {"merchant_name", text(merchant)},
               {"canonical_merchant_name", text(merchant)},
               {"merchant_category", text("retail")},
               {"address", text(fmt::format("{} Quay Street", below(90) + 1))},
               {"phone_number", {{"NULL", true}}},
               {"place_id", text(fmt::format("place-{:06}", below(1'000'000)))},
               {"matched_fields", {{"SS", {"name", "address"}}}}});
        for (std::size_t line = 1; line <= 3; ++line) {
            const auto label = any_of(labels);
            write(image, fmt::format("{}#LINE#{:05}#WORD#{:05}#LABEL#{}", prefix, line, below(4) + 1, label),
                  {{"TYPE", text("RECEIPT_WORD_LABEL")},
                   {"validation_status", text("PENDING")},
                   {"reasoning", text("looks like " + label)},
                   {"label_proposed_by", text("rules")},
                   {"label_consolidated_from", {{"NULL", true}}},
                   {"confidence", {{"N", "0.90"}}}});
        }
    }

    void edit() {
        auto item = table_.begin();
        std::advance(item, below(table_.size()));
        const auto [image, sort] = item->first;
        auto next = item->second;
        const bool label = sort.find("#LABEL#") != std::string::npos;
        if (label && below(8) == 0) { // a label is part of the key: another one is another item
            remove(image, sort, false);
            write(image, sort.substr(0, sort.rfind('#') + 1) + any_of(labels), std::move(next));
            return;
        }
        switch (below(7)) {
            case 0: break; // a write that changes nothing
            case 1:
                if (label) { next["confidence"]["N"] = next["confidence"]["N"] == "0.90" ? "0.9" : "0.90"; }
                break;
            case 2:
                if (next.contains("matched_fields")) {
                    std::swap(next["matched_fields"]["SS"][0], next["matched_fields"]["SS"][1]);
                }
                break;
            case 3:
                if (below(3) == 0) { return remove(image, sort, below(2) == 0); }
                [[fallthrough]];
            default:
                if (label) {
                    next["validation_status"] = text(any_of(statuses));
                } else {
                    next["canonical_merchant_name"] = text(any_of(merchants));
                }
        }
        write(image, sort, std::move(next));
    }

    void write(const std::string& image, const std::string& sort, json item) {
        item["PK"] = text(image);
        item["SK"] = text(sort);
        const auto [at, inserted] = table_.try_emplace({image, sort}, item);
        record(inserted ? "INSERT" : "MODIFY", image, sort, inserted ? json{} : std::exchange(at->second, item), item,
               false);
    }

    void remove(const std::string& image, const std::string& sort, bool by_ttl) {
        const auto at = table_.find({image, sort});
        const json item = at->second;
        table_.erase(at);
        record("REMOVE", image, sort, item, {}, by_ttl);
    }

    void record(std::string_view name, const std::string& image, const std::string& sort, const json& before,
                const json& after, bool by_ttl) {
        const auto number = ++sequence_;
        json change{{"ApproximateCreationDateTime", 1'736'936'000 + number},
                    {"Keys", {{"PK", text(image)}, {"SK", text(sort)}}}};
        if (!after.is_null()) { change["NewImage"] = after; }
        if (!before.is_null()) { change["OldImage"] = before; }
        change["SequenceNumber"] = fmt::format("4421584500000000017450439{:03}", number);
        change["SizeBytes"] = change.dump().size();
        change["StreamViewType"] = "NEW_AND_OLD_IMAGES";
        json made{{"eventID", fmt::format("{:016x}{:016x}", random_(), number)},
                  {"eventName", name},
                  {"eventVersion", "1.1"},
                  {"eventSource", "aws:dynamodb"},
                  {"awsRegion", "us-east-1"}};
        if (by_ttl) { made["userIdentity"] = {{"type", "Service"}, {"principalId", "dynamodb.amazonaws.com"}}; }
        made["dynamodb"] = std::move(change);
        made["eventSourceARN"] =
            "arn:aws:dynamodb:us-east-1:123456789012:table/receipts/stream/2025-01-15T10:00:00.000";
        records_.push_back(std::move(made));
    }

    std::mt19937_64 random_; // its numbers are the same everywhere; distributions' are not
    std::map<std::pair<std::string, std::string>, json> table_;
    std::vector<json> records_;
    std::uint64_t sequence_{};
};

} // namespace receipts
