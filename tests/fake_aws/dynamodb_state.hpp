#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_streams.hpp>
#include <fake_aws/dynamodb_table.hpp>
#include <freshet/core/time.hpp>

namespace fake_aws::ddb {

/// A table with what its description says.
struct owned_table {
    std::string name;
    std::string id;
    freshet::time_point created_at{};
    std::size_t describes_until_active{};
    bool pays_per_request{};
    json throughput;
    std::string ttl_attribute{}; ///< empty: no time to live
    stored_table rows;
    std::shared_ptr<change_log> stream{}; ///< null: none
};

/// Everything that the service keeps.
struct state {
    std::function<freshet::time_point()> now;
    std::string region;
    std::map<std::string, owned_table, std::less<>> tables{};
    std::vector<std::shared_ptr<change_log>> streams{}; // also of tables that are gone
    std::size_t describes_until_active{};
    std::size_t page_bytes{1'024 * 1'024};
    std::size_t empty_answers{};
    std::uint64_t iterator_age{}; // an iterator of another age is expired
    bool fractional_times{};
};

/// Refuses a request that has members which this fake would ignore.
inline void allow(const json& body, std::initializer_list<std::string_view> members) {
    if (!body.is_object()) { refuse_shape("a request is an object"); }
    for (const auto& [name, value] : body.items()) {
        const bool idle =
            (name == "ReturnConsumedCapacity" || name == "ReturnItemCollectionMetrics") && value == "NONE";
        if (idle || std::find(members.begin(), members.end(), name) != members.end()) { continue; }
        throw refused{refusal("NotImplementedByFake", "the fake DynamoDB does not know the member " + name, 501)};
    }
}

[[noreturn]] inline void refuse_constraint(std::string_view value, std::string_view member, std::string_view rule) {
    refuse_invalid("1 validation error detected: Value " + std::string{value} + " at '" + std::string{member} +
                   "' failed to satisfy constraint: Member must " + std::string{rule});
}

[[nodiscard]] inline auto text_or(const json& body, const char* member, std::string_view absent) -> std::string {
    const auto found = body.find(member);
    if (found == body.end()) { return std::string{absent}; }
    if (!found->is_string()) { refuse_shape(std::string{member} + " is no string"); }
    return found->get<std::string>();
}

[[nodiscard]] inline auto text_of(const json& body, const char* member) -> std::string {
    if (!body.contains(member)) { refuse_constraint("null", member, "not be null"); }
    return text_or(body, member, "");
}

/// One of some words; the first of them where the member is absent.
[[nodiscard]] inline auto word_of(const json& body, const char* member, std::initializer_list<const char*> words)
    -> std::string {
    auto word = text_or(body, member, *words.begin());
    if (std::find(words.begin(), words.end(), word) == words.end()) {
        std::string all;
        for (const auto* one : words) { all += (all.empty() ? "" : ", ") + std::string{one}; }
        refuse_constraint("'" + word + "'", member, "satisfy enum value set: [" + all + "]");
    }
    return word;
}

[[nodiscard]] inline auto flag_or(const json& body, const char* member, bool absent) -> bool {
    const auto found = body.find(member);
    if (found == body.end()) { return absent; }
    if (!found->is_boolean()) { refuse_shape(std::string{member} + " is no boolean"); }
    return found->get<bool>();
}

/// `Limit`, from 1 to `most`; `absent` where it is absent.
[[nodiscard]] inline auto limit_of(const json& body, std::size_t most, std::size_t absent) -> std::size_t {
    const auto found = body.find("Limit");
    if (found == body.end()) { return absent; }
    if (!found->is_number_integer()) { refuse_shape("Limit is no integer"); }
    const auto limit = found->get<std::int64_t>();
    if (limit < 1) { refuse_constraint("'" + found->dump() + "'", "limit", "have value greater than or equal to 1"); }
    if (static_cast<std::uint64_t>(limit) > most) {
        refuse_constraint("'" + found->dump() + "'", "limit",
                          "have value less than or equal to " + std::to_string(most));
    }
    return static_cast<std::size_t>(limit);
}

inline void check_table_name(std::string_view name, const char* member = "tableName") {
    const auto legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    };
    if (!std::all_of(name.begin(), name.end(), legal) || name.empty()) {
        refuse_constraint("'" + std::string{name} + "'", member, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
    }
    if (name.size() < 3) {
        refuse_constraint("'" + std::string{name} + "'", member, "have length greater than or equal to 3");
    }
    if (name.size() > 255) {
        refuse_constraint("'" + std::string{name} + "'", member, "have length less than or equal to 255");
    }
}

/// The table that a request for data names: it is there, and active.
[[nodiscard]] inline auto active_table(state& all, const json& body) -> owned_table& {
    const auto name = text_of(body, "TableName");
    check_table_name(name);
    const auto found = all.tables.find(name);
    if (found == all.tables.end() || found->second.describes_until_active != 0) {
        refuse("ResourceNotFoundException", "Requested resource not found");
    }
    return found->second;
}

} // namespace fake_aws::ddb
