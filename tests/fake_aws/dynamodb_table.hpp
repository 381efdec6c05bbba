#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_values.hpp>
#include <freshet/core/time.hpp>

namespace fake_aws::ddb {

/// Spreads partitions over the stream's shards, and over a scan, which is in no order that means anything.
[[nodiscard]] inline auto partition_hash(std::string_view bytes) -> std::uint64_t {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : bytes) { hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U; }
    hash = (hash ^ hash >> 33U) * 0xff51afd7ed558ccdU;
    return hash ^ hash >> 33U;
}

/// The bytes by which a partition is found: its hash, then its key.
[[nodiscard]] inline auto partition_place(const json& value) -> std::string {
    const auto bytes = ordered_bytes_of(value);
    const auto hash = partition_hash(bytes);
    std::string place;
    for (unsigned shift = 64; shift != 0; shift -= 8) { place += static_cast<char>(hash >> (shift - 8) & 255U); }
    return place + bytes;
}

/// Where an item is in a table or an index; the last two are empty in a table.
struct place {
    std::string partition;
    std::string sort;
    std::string table_partition{};
    std::string table_sort{};
    friend auto operator<=>(const place&, const place&) = default;
};

/// The names of the attributes that are a key; `sort` is empty where there is none.
struct key_names {
    std::string partition;
    std::string sort;

    [[nodiscard]] auto all() const -> std::vector<std::string> {
        return sort.empty() ? std::vector{partition} : std::vector{partition, sort};
    }
    [[nodiscard]] auto has(std::string_view name) const -> bool { return name == partition || name == sort; }
    [[nodiscard]] auto schema() const -> json {
        auto elements = json::array({{{"AttributeName", partition}, {"KeyType", "HASH"}}});
        if (!sort.empty()) { elements.push_back({{"AttributeName", sort}, {"KeyType", "RANGE"}}); }
        return elements;
    }
};

/// The items in the order of their places.
using ordered_items = std::map<place, std::shared_ptr<const json>>;

struct secondary_index {
    std::string name;
    key_names keys;
    json projection;
    ordered_items items{};
};

/// A table's items and indexes. Knows nothing of expressions and streams.
class stored_table {
public:
    stored_table(key_names keys, std::map<std::string, std::string> types, std::vector<secondary_index> indexes)
        : keys_{std::move(keys)}, types_{std::move(types)}, indexes_{std::move(indexes)} {}

    [[nodiscard]] auto keys() const -> const key_names& { return keys_; }
    [[nodiscard]] auto types() const -> const std::map<std::string, std::string>& { return types_; }
    [[nodiscard]] auto type_of_key(const std::string& name) const -> const std::string& { return types_.at(name); }
    [[nodiscard]] auto indexes() const -> const std::vector<secondary_index>& { return indexes_; }
    [[nodiscard]] auto items() const -> const ordered_items& { return items_; }
    [[nodiscard]] auto bytes() const -> std::size_t { return bytes_; }

    [[nodiscard]] auto index_called(std::string_view name) const -> const secondary_index& {
        for (const auto& index : indexes_) {
            if (index.name == name) { return index; }
        }
        refuse_invalid("The table does not have the specified index: " + std::string{name});
    }

    /// The place of a checked item or key that `check_key_of` found good.
    [[nodiscard]] auto place_of(const json& item) const -> place {
        return {partition_place(item.at(keys_.partition)), sort_of(item, keys_)};
    }
    [[nodiscard]] static auto place_in(const secondary_index& index, const place& in_table, const json& item)
        -> std::optional<place> {
        if (!item.contains(index.keys.partition)) { return std::nullopt; }
        if (!index.keys.sort.empty() && !item.contains(index.keys.sort)) { return std::nullopt; }
        return place{partition_place(item.at(index.keys.partition)), sort_of(item, index.keys), in_table.partition,
                     in_table.sort};
    }

    [[nodiscard]] auto key_of(const json& item) const -> json { return part_of(item, keys_); }
    [[nodiscard]] static auto part_of(const json& item, const key_names& keys) -> json {
        auto key = json::object();
        for (const auto& name : keys.all()) { key[name] = item.at(name); }
        return key;
    }

    /// Refuses what is not exactly this table's key.
    void check_key(const json& key) const {
        const auto names = keys_.all();
        bool matches = key.size() == names.size();
        for (const auto& name : names) { matches = matches && key.contains(name); }
        for (const auto& name : names) { matches = matches && type_of(key[name]) == types_.at(name); }
        if (!matches) { refuse_invalid("The provided key element does not match the schema"); }
        check_key_values(key);
    }

    /// Refuses an item that lacks the key or an index's key in a good form, or is too large.
    void check_item(const json& item, bool updating = false) const {
        for (const auto& name : keys_.all()) {
            if (!item.contains(name)) { refuse_parameter("Missing the key " + name + " in the item"); }
            const auto& type = type_of(item[name]);
            if (type == types_.at(name)) { continue; }
            refuse_parameter("Type mismatch for key " + name + " expected: " + types_.at(name) + " actual: " + type);
        }
        check_key_values(item);
        for (const auto& index : indexes_) {
            for (const auto& name : index.keys.all()) {
                if (item.contains(name)) { check_index_value(index, name, item[name]); }
            }
        }
        if (size_of_item(item) > largest_item) {
            refuse_invalid(updating ? "Item size to update has exceeded the maximum allowed size"
                                    : "Item size has exceeded the maximum allowed size");
        }
    }

    [[nodiscard]] auto find(const place& at) const -> std::shared_ptr<const json> {
        const auto found = items_.find(at);
        return found == items_.end() ? nullptr : found->second;
    }

    /// Puts the item there, or takes away what is there where it is null.
    void store(const place& at, std::shared_ptr<const json> item) {
        if (const auto old = find(at)) {
            for (auto& index : indexes_) {
                if (const auto in_index = place_in(index, at, *old)) { index.items.erase(*in_index); }
            }
            bytes_ -= size_of_item(*old);
            items_.erase(at);
        }
        if (!item) { return; }
        for (auto& index : indexes_) {
            if (auto in_index = place_in(index, at, *item)) { index.items.emplace(*std::move(in_index), item); }
        }
        bytes_ += size_of_item(*item);
        items_.emplace(at, std::move(item));
    }

private:
    [[nodiscard]] static auto sort_of(const json& item, const key_names& keys) -> std::string {
        return keys.sort.empty() ? std::string{} : ordered_bytes_of(item.at(keys.sort));
    }

    static void check_size(const json& value, bool partition) {
        if (type_of(value) == "N" || size_of(value) <= (partition ? 2'048U : 1'024U)) { return; }
        refuse_parameter(partition ? "Size of hashkey has exceeded the maximum size limit of2048 bytes"
                                   : "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
    }

    void check_key_values(const json& item) const {
        for (const auto& name : keys_.all()) {
            const auto& value = item[name];
            if (content_of(value) == "") {
                refuse_invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute "
                    "cannot contain an empty " +
                    std::string{type_of(value) == "S" ? "string" : "binary"} + " value. Key: " + name);
            }
            check_size(value, name == keys_.partition);
        }
    }

    void check_index_value(const secondary_index& index, const std::string& name, const json& value) const {
        if (type_of(value) != types_.at(name)) {
            refuse_parameter("Type mismatch for Index Key " + name + " Expected: " + types_.at(name) +
                             " Actual: " + type_of(value) + " IndexName: " + index.name);
        }
        if (content_of(value) == "") {
            refuse_invalid(
                "One or more parameter values are not valid. A value specified for a secondary index key is "
                "not supported. The AttributeValue for a key attribute cannot contain an empty string "
                "value. IndexName: " +
                index.name + ", IndexKey: " + name);
        }
        check_size(value, name == index.keys.partition);
    }

    key_names keys_;
    std::map<std::string, std::string> types_;
    std::vector<secondary_index> indexes_;
    ordered_items items_;
    std::size_t bytes_{};
};

} // namespace fake_aws::ddb
