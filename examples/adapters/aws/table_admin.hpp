#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/aws/attribute_json.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/item_table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/wall_clock.hpp>

namespace adapters::aws {

/// What a table is.
struct table_description {
    item_table_options options;  ///< with the indexes that can be used: keys of type S, all attributes projected
    std::string status;          ///< `ACTIVE`, `CREATING`, …
    std::string stream_arn{};    ///< of the stream with new and old images; empty: there is none
    std::string ttl_attribute{}; ///< by which rows expire, in whole epoch seconds; empty: they do not
    std::uint64_t items{};       ///< as of some hours ago, says the service
};

/// What a new table has beside its keys.
struct creation {
    bool stream{};                                       ///< of new and old images
    std::string ttl_attribute{};                         ///< empty: rows do not expire
    freshet::duration patience{std::chrono::minutes{2}}; ///< for the table to become `ACTIVE`
};

namespace detail {

/// What stands under a name; an empty object where nothing does.
[[nodiscard]] inline auto member(const nlohmann::json& of, const char* name) -> const nlohmann::json& {
    static const nlohmann::json nothing = nlohmann::json::object();
    const auto found = of.is_object() ? of.find(name) : of.end();
    return found == of.end() ? nothing : *found;
}

[[nodiscard]] inline auto word(const nlohmann::json& of, const char* name) -> std::string {
    const auto& found = member(of, name);
    return found.is_string() ? found.get<std::string>() : std::string{};
}

/// The attributes of a key schema; nothing where it has other than one partition key and at most one sort key.
[[nodiscard]] inline auto keys_in(const nlohmann::json& of) -> std::optional<index_definition> {
    index_definition keys{word(of, "IndexName"), {}, {}};
    for (const auto& part : member(of, "KeySchema")) {
        auto& side = word(part, "KeyType") == "HASH" ? keys.partition : keys.sort;
        if (!side.empty()) { return std::nullopt; }
        side = word(part, "AttributeName");
    }
    return keys.partition.empty() ? std::nullopt : std::optional{std::move(keys)};
}

/// The `at`th part of an ARN, `arn:aws:dynamodb:region:account:…`.
[[nodiscard]] inline auto arn_part(std::string_view arn, std::size_t at) -> std::string {
    for (; at > 0; --at) { arn.remove_prefix(std::min(arn.size(), arn.find(':') + 1)); }
    return std::string{arn.substr(0, arn.find(':'))};
}

[[nodiscard]] inline auto ask_about(const client& by, std::string_view operation, const std::string& name) -> reply {
    return by.call(dynamodb, operation, R"({"TableName":)" + json_text(name) + '}');
}

/// What an answer to `DescribeTable` says.
[[nodiscard]] inline auto read_description(const reply& asked, const std::string& name)
    -> freshet::result<table_description> {
    const auto answer = read_json(asked, "DescribeTable");
    if (!answer) { return of_table(name, answer.why()); }
    const auto& about = member(*answer, "Table");
    std::set<std::string> texts;
    for (const auto& attribute : member(about, "AttributeDefinitions")) {
        if (word(attribute, "AttributeType") == "S") { texts.insert(word(attribute, "AttributeName")); }
    }
    const auto usable = [&](const std::optional<index_definition>& keys) {
        return keys && texts.contains(keys->partition) && (keys->sort.empty() || texts.contains(keys->sort));
    };
    const auto keys = keys_in(about);
    if (!usable(keys)) { return of_table(name, {freshet::errc::denied, "its keys are not of type S"}); }
    table_description made;
    made.options.name = name;
    made.options.partition = keys->partition;
    made.options.sort = keys->sort;
    for (const auto* kind : {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}) {
        for (const auto& index : member(about, kind)) {
            auto found = keys_in(index);
            if (usable(found) && word(member(index, "Projection"), "ProjectionType") == "ALL") {
                made.options.indexes.push_back(*std::move(found));
            }
        }
    }
    if (const auto arn = word(about, "TableArn"); arn.starts_with("arn:")) {
        made.options.region = arn_part(arn, 3);
        made.options.account = arn_part(arn, 4);
    }
    made.status = word(about, "TableStatus");
    const auto& stream = member(about, "StreamSpecification");
    if (word(stream, "StreamViewType") == "NEW_AND_OLD_IMAGES" && member(stream, "StreamEnabled") == true) {
        made.stream_arn = word(about, "LatestStreamArn");
    }
    const auto& items = member(about, "ItemCount");
    made.items = items.is_number_unsigned() ? items.get<std::uint64_t>() : 0;
    return made;
}

/// As text; what is no UTF-8 becomes U+FFFD, for the service to refuse.
[[nodiscard]] inline auto dumped(const nlohmann::json& request) -> std::string {
    return request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

[[nodiscard]] inline auto create_request(const item_table_options& options, bool stream) -> nlohmann::json {
    using json = nlohmann::json;
    std::set<std::string> names;
    const auto schema = [&](const std::string& partition, const std::string& sort) {
        json keys = json::array({{{"AttributeName", partition}, {"KeyType", "HASH"}}});
        names.insert(partition);
        if (!sort.empty()) {
            keys.push_back({{"AttributeName", sort}, {"KeyType", "RANGE"}});
            names.insert(sort);
        }
        return keys;
    };
    json request{{"TableName", options.name},
                 {"BillingMode", "PAY_PER_REQUEST"},
                 {"KeySchema", schema(options.partition, options.sort)}};
    for (const auto& index : options.indexes) {
        request["GlobalSecondaryIndexes"].push_back({{"IndexName", index.name},
                                                     {"KeySchema", schema(index.partition, index.sort)},
                                                     {"Projection", {{"ProjectionType", "ALL"}}}});
    }
    for (const auto& name : names) {
        request["AttributeDefinitions"].push_back({{"AttributeName", name}, {"AttributeType", "S"}});
    }
    if (stream) {
        request["StreamSpecification"] = {{"StreamEnabled", true}, {"StreamViewType", "NEW_AND_OLD_IMAGES"}};
    }
    return request;
}

/// Waits until a table that was made is `ACTIVE`; `unavailable` where it is not so in time.
[[nodiscard]] inline auto await_table(const client& by, const std::string& name, freshet::duration patience)
    -> freshet::result<void> {
    freshet::wall_clock clock;
    const auto until = clock.now() + patience;
    freshet::duration wait = std::chrono::milliseconds{20};
    while (true) {
        const auto asked = ask_about(by, "DescribeTable", name);
        const bool unheard_of = asked.refused_as == "ResourceNotFoundException"; // for moments after it was made
        const auto found = read_description(asked, name);
        if (!found && !unheard_of) { return found.why(); }
        if (found && found->status == "ACTIVE") { return {}; }
        if (clock.now() + wait > until) {
            const auto status = found ? freshet::printable(found->status) : "not to be found";
            return of_table(name, {freshet::errc::unavailable, "it was made and is still " + status});
        }
        static_cast<void>(clock.wait(wait, {}));
        wait = std::min<freshet::duration>(wait * 2, std::chrono::seconds{2});
    }
}

[[nodiscard]] inline auto same_keys(const item_table_options& a, const item_table_options& b) -> bool {
    const auto has = [](const item_table_options& options, const index_definition& wanted) {
        return std::any_of(options.indexes.begin(), options.indexes.end(), [&](const auto& index) {
            return index.name == wanted.name && index.partition == wanted.partition && index.sort == wanted.sort;
        });
    };
    return a.partition == b.partition && a.sort == b.sort &&
           std::all_of(b.indexes.begin(), b.indexes.end(), [&](const auto& index) { return has(a, index); });
}

} // namespace detail

/// What the service says of a table. `denied` where there is none, and where its keys are not of type S.
///
/// Source: the DynamoDB API reference, "DescribeTable" and "DescribeTimeToLive".
[[nodiscard]] inline auto describe_table(const client& by, const std::string& name)
    -> freshet::result<table_description> {
    auto made = detail::read_description(detail::ask_about(by, "DescribeTable", name), name);
    if (!made) { return made; }
    const auto asked = detail::ask_about(by, "DescribeTimeToLive", name);
    if (asked.refused_as == "UnknownOperationException") { return made; } // an emulator that expires nothing
    const auto answer = read_json(asked, "DescribeTimeToLive");
    if (!answer) { return of_table(name, answer.why()); }
    const auto& about = detail::member(*answer, "TimeToLiveDescription");
    if (const auto status = detail::word(about, "TimeToLiveStatus"); status == "ENABLED" || status == "ENABLING") {
        made->ttl_attribute = detail::word(about, "AttributeName");
    }
    return made;
}

/// Makes a table that is paid by the request, its indexes with all attributes, and waits until it can be used.
///
/// A table of that name is fine where it has these keys and indexes, and the stream and the TTL attribute if they are
/// wanted; a TTL attribute that is missing is named to it. Otherwise `denied`. Source: the DynamoDB API reference,
/// "CreateTable" and "UpdateTimeToLive".
[[nodiscard]] inline auto create_table(const client& by, const item_table_options& options, const creation& wanted = {})
    -> freshet::result<void> {
    const auto& name = options.name;
    const auto request = detail::create_request(options, wanted.stream);
    const auto made = by.call(dynamodb, "CreateTable", detail::dumped(request));
    if (!made.body && made.refused_as != "ResourceInUseException" && made.refused_as != "TableAlreadyExistsException") {
        return of_table(name, made.body.why());
    }
    if (const auto active = detail::await_table(by, name, wanted.patience); !active) { return active.why(); }
    const auto found = describe_table(by, name);
    if (!found) { return found.why(); }
    if (!detail::same_keys(found->options, options)) {
        return of_table(name, {freshet::errc::denied, "it is there, with other keys or indexes"});
    }
    if (wanted.stream && found->stream_arn.empty()) {
        return of_table(name, {freshet::errc::denied, "it is there, without a stream of new and old images"});
    }
    if (wanted.ttl_attribute == found->ttl_attribute || wanted.ttl_attribute.empty()) { return {}; }
    if (!found->ttl_attribute.empty()) {
        return of_table(name, {freshet::errc::denied, "it is there, and its rows expire by another attribute"});
    }
    const nlohmann::json expiry{
        {"TableName", name}, {"TimeToLiveSpecification", {{"Enabled", true}, {"AttributeName", wanted.ttl_attribute}}}};
    const auto set = by.call(dynamodb, "UpdateTimeToLive", detail::dumped(expiry));
    if (!set.body) { return of_table(name, set.body.why()); }
    return {};
}

/// The table's name in `DYNAMODB_TABLE_NAME`; `denied` where it is not set, or set to nothing.
[[nodiscard]] inline auto table_name_from_environment() -> freshet::result<std::string> {
    const char* const name = std::getenv("DYNAMODB_TABLE_NAME");
    if (name == nullptr || *name == '\0') {
        return freshet::error{freshet::errc::denied, "the environment names no table: not set: DYNAMODB_TABLE_NAME"};
    }
    return std::string{name};
}

} // namespace adapters::aws
