#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/rfc3339.hpp>
#include <receipts/routing.hpp>

/// Change records become messages over a nlohmann DOM, as one would write it by hand with that library.
///
/// Shares with freshet only the names of the monitored fields and the printing of a time.
namespace nlohmann_peer {

using json = nlohmann::json;

struct message {
    std::string_view queue;
    std::string group;
    std::string deduplication_id;
    std::string body;
};

/// How numbers stand in plain JSON: as nlohmann keeps them, in a double where they are no integer of 64 bits.
struct as_doubles {
    [[nodiscard]] static auto number(const std::string& text) -> json { return json::parse(text); }
    [[nodiscard]] static auto id(std::uint32_t value) -> json { return value; }
};

/// A value in DynamoDB JSON as plain JSON.
template <class Numbers = as_doubles>
[[nodiscard]] auto plain(const json& value) -> json {
    const auto& type = value.begin().key();
    const auto& content = value.begin().value();
    switch (type.front()) {
        case 'N':
            if (type == "N") { return Numbers::number(content.get_ref<const std::string&>()); }
            if (type == "NS") {
                auto numbers = json::array();
                for (const auto& number : content) {
                    numbers.push_back(Numbers::number(number.get_ref<const std::string&>()));
                }
                return numbers;
            }
            return nullptr;
        case 'L': {
            auto list = json::array();
            for (const auto& element : content) { list.push_back(plain<Numbers>(element)); }
            return list;
        }
        case 'M': {
            auto map = json::object();
            for (const auto& [name, member] : content.items()) { map[name] = plain<Numbers>(member); }
            return map;
        }
        default: return content;
    }
}

/// Whether two values mean the same; numbers by value as a double, sets in any order.
[[nodiscard]] inline auto same(const json& a, const json& b) -> bool {
    if (a == b) { return true; }
    const auto& type = a.begin().key();
    if (type != b.begin().key()) { return false; }
    const auto& x = a.begin().value();
    const auto& y = b.begin().value();
    const auto number = [](const json& text) {
        return std::strtod(text.get_ref<const std::string&>().c_str(), nullptr);
    };
    if (type == "N") { return number(x) == number(y); }
    if (type == "L") { return std::equal(x.begin(), x.end(), y.begin(), y.end(), same); }
    if (type == "M") {
        return x.size() == y.size() && std::all_of(x.items().begin(), x.items().end(), [&](const auto& member) {
            const auto other = y.find(member.key());
            return other != y.end() && same(member.value(), *other);
        });
    }
    if (type == "SS" || type == "BS") {
        return x.size() == y.size() && std::is_permutation(x.begin(), x.end(), y.begin());
    }
    if (type == "NS") {
        return x.size() == y.size() &&
               std::is_permutation(x.begin(), x.end(), y.begin(),
                                   [&](const json& m, const json& n) { return number(m) == number(n); });
    }
    return false;
}

/// One monitored field's two sides; null pointers where it is absent (or NULL, if that counts as absent).
struct change {
    std::string_view field;
    const json* before{};
    const json* after{};
};

[[nodiscard]] inline auto side(const json* image, std::string_view field, bool null_is_absent) -> const json* {
    if (image == nullptr) { return nullptr; }
    const auto found = image->find(field);
    return found == image->end() || (null_is_absent && found->contains("NULL")) ? nullptr : &*found;
}

inline void detect(std::span<const std::string_view> fields, const json* before, const json* after, bool null_is_absent,
                   std::vector<change>& out) {
    out.clear();
    for (const auto field : fields) {
        const change one{field, side(before, field, null_is_absent), side(after, field, null_is_absent)};
        const bool equal = one.before && one.after ? same(*one.before, *one.after) : one.before == one.after;
        if (!equal) { out.push_back(one); }
    }
}

/// What a key says; of a metadata item only the first two.
struct key {
    std::string_view image_id;
    std::uint32_t receipt{};
    std::uint32_t line{};
    std::uint32_t word{};
    std::string_view label;
    [[nodiscard]] auto is_label() const -> bool { return !label.empty(); }
};

[[nodiscard]] inline auto take(std::string_view& rest, std::string_view expected) -> bool {
    if (!rest.starts_with(expected)) { return false; }
    rest.remove_prefix(expected.size());
    return true;
}

[[nodiscard]] inline auto take_number(std::string_view& rest, std::uint32_t& out) -> bool {
    const auto [end, bad] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
    if (bad != std::errc{} || end - rest.data() < 5) { return false; }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return true;
}

[[nodiscard]] inline auto parse_key(std::string_view partition, std::string_view sort) -> std::optional<key> {
    key k;
    if (!take(partition, "IMAGE#") || partition.size() != 36) { return std::nullopt; }
    k.image_id = partition;
    if (!take(sort, "RECEIPT#") || !take_number(sort, k.receipt)) { return std::nullopt; }
    if (sort == "#METADATA") { return k; }
    if (!take(sort, "#LINE#") || !take_number(sort, k.line) || !take(sort, "#WORD#") || !take_number(sort, k.word) ||
        !take(sort, "#LABEL#") || sort.empty() || sort.find('#') != std::string_view::npos) {
        return std::nullopt;
    }
    k.label = sort;
    return k;
}

/// The body of a record's message as a DOM.
template <class Numbers = as_doubles>
[[nodiscard]] auto body(const json& record, const key& k, std::span<const change> changes) -> json {
    const auto& stream = record.at("dynamodb");
    json made{{"source", "dynamodb_stream"}, {"entity_type", k.is_label() ? "RECEIPT_WORD_LABEL" : "RECEIPT_METADATA"}};
    auto& data = made["entity_data"];
    data = {{"image_id", k.image_id}, {"receipt_id", Numbers::id(k.receipt)}};
    if (k.is_label()) {
        data["line_id"] = Numbers::id(k.line);
        data["word_id"] = Numbers::id(k.word);
        data["label"] = k.label;
    }
    auto& listed = made["changes"] = json::object();
    for (const auto& one : changes) {
        listed[std::string{one.field}] = {{"old", one.before ? plain<Numbers>(*one.before) : json{}},
                                          {"new", one.after ? plain<Numbers>(*one.after) : json{}}};
    }
    made["event_name"] = record.at("eventName");
    const freshet::time_point at{std::chrono::seconds{stream.at("ApproximateCreationDateTime").get<std::int64_t>()}};
    made["timestamp"] = freshet::format_rfc3339(at)->view();
    made["stream_record_id"] = record.at("eventID");
    made["aws_region"] = record.at("awsRegion");
    auto& snapshot = made["record_snapshot"] = json::object();
    const auto& image = stream.contains("NewImage") ? stream.at("NewImage") : stream.at("OldImage");
    for (const auto& [name, value] : image.items()) { snapshot[name] = plain<Numbers>(value); }
    return made;
}

/// An event's text in, its messages out.
template <class Numbers = as_doubles>
void translate(std::string_view event, std::vector<message>& out) {
    static constexpr auto& metadata_fields = receipts::metadata_fields::list;
    static constexpr std::array<std::string_view, 4> label_fields{"reasoning", "validation_status", "label_proposed_by",
                                                                  "label_consolidated_from"};
    const auto parsed = json::parse(event);
    std::vector<change> changes;
    for (const auto& record : parsed.at("Records")) {
        const auto& name = record.at("eventName").get_ref<const std::string&>();
        if (name == "INSERT") { continue; }
        const auto& stream = record.at("dynamodb");
        const auto& keys = stream.at("Keys");
        const auto k = parse_key(keys.at("PK").at("S").get_ref<const std::string&>(),
                                 keys.at("SK").at("S").get_ref<const std::string&>());
        if (!k) { continue; }

        const auto before = stream.find("OldImage");
        const auto after = stream.find("NewImage");
        const auto fields = k->is_label() ? std::span<const std::string_view>{label_fields}
                                          : std::span<const std::string_view>{metadata_fields};
        detect(fields, before != stream.end() ? &*before : nullptr, after != stream.end() ? &*after : nullptr, true,
               changes);
        if (name == "MODIFY" && changes.empty()) { continue; }
        const json label{{"S", k->label}}; // the key's own field goes with the item
        if (name == "REMOVE" && k->is_label()) { changes.insert(changes.begin(), {"label", &label, nullptr}); }

        const auto text = body<Numbers>(record, *k, changes).dump();
        const auto& id = record.at("eventID").get_ref<const std::string&>();
        auto group = fmt::format("IMAGE#{}#RECEIPT#{}", k->image_id, k->receipt);
        if (k->is_label()) {
            group += fmt::format("#LINE#{}#WORD#{}", k->line, k->word);
        } else {
            out.push_back({"lines", group, id, text});
        }
        out.push_back({"words", std::move(group), id, text});
    }
}

} // namespace nlohmann_peer
