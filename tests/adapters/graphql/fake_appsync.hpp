#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <support/http_server.hpp>

#include "graphql_document.hpp"

namespace support {

/// An AppSync API with the schema that Amplify makes of the models `Item`, `ScoreResult`, `Task` and `Evaluation`,
/// which are listed by account and time, and of `AggregatedMetrics`, whose identifier is `accountId` and
/// `compositeKey`.
class fake_appsync {
public:
    using json = nlohmann::json;
    using counts = std::map<std::pair<std::string, std::string>, json>; ///< by account and key

    /// `ticket`: the name of a further field of type Int of `AggregatedMetrics`.
    explicit fake_appsync(std::string ticket = {}) : ticket_{std::move(ticket)} {}

    [[nodiscard]] auto endpoint() const -> std::string { return server_.endpoint() + "/graphql"; }
    [[nodiscard]] static auto key() -> std::string { return "da2-fakefakefakefakefakefake"; }

    /// A record of a model that is listed.
    void put(const std::string& model, json record) {
        const std::lock_guard lock{mutex_};
        auto& all = records_[model];
        std::erase_if(all, [&](const json& other) { return other["id"] == record["id"]; });
        all.push_back(std::move(record));
    }
    /// A copy of the records of counts.
    [[nodiscard]] auto stored() const -> counts {
        const std::lock_guard lock{mutex_};
        return counts_;
    }
    void put_counts(const std::string& account, const std::string& key_of_record, json record) {
        const std::lock_guard lock{mutex_};
        counts_[{account, key_of_record}] = std::move(record);
    }
    void erase_counts(const std::string& account, const std::string& key_of_record) {
        const std::lock_guard lock{mutex_};
        counts_.erase({account, key_of_record});
    }

    /// The next requests are answered so, one after the other; `done`: after they were done, as if the answer was lost.
    void fail_next(const http_response& with, bool done = false, std::size_t times = 1) {
        const std::lock_guard lock{mutex_};
        for (; times != 0; --times) { faults_.push_back({with, done}); }
    }
    /// The next field is refused with this error, and not done.
    void refuse_next_field(std::string type, std::string message) {
        const std::lock_guard lock{mutex_};
        refusals_.push_back({std::move(type), std::move(message)});
    }
    /// The next pages of lists are empty, and not the last.
    void leave_empty(std::size_t pages) { empty_pages_ = pages; }
    /// Counts are read as they were before the last so many changes.
    void lag(std::size_t changes) {
        const std::lock_guard lock{mutex_};
        lag_ = changes;
    }
    /// Called before each request with its number, the first is 1.
    void before_request(std::function<void(std::size_t)> act) { before_ = std::move(act); }

    [[nodiscard]] auto requests() const -> std::size_t { return server_.requests(); }
    /// How many records of counts were made or changed.
    [[nodiscard]] auto mutations() const -> std::size_t {
        const std::lock_guard lock{mutex_};
        return mutations_;
    }
    [[nodiscard]] auto last_request() const -> http_request {
        const std::lock_guard lock{mutex_};
        return last_;
    }

    [[nodiscard]] static auto answer_of(int status, const json& body) -> http_response {
        return {status, body.dump(), {{"Content-Type", "application/json;charset=UTF-8"}}};
    }
    [[nodiscard]] static auto errors_of(const std::string& type, const std::string& message) -> json {
        return {{"errors", json::array({{{"errorType", type}, {"message", message}}})}};
    }

private:
    struct fault {
        http_response with;
        bool done{};
    };
    struct refusal {
        std::string type;
        std::string message;
    };
    using found_records = std::vector<std::pair<std::string, const json*>>; // by their place in the list
    struct listed_by {
        std::string model;
        std::string sorted_by;
    };

    [[nodiscard]] auto answer(const http_request& asked) -> http_response {
        if (before_) { before_(++begun_); }
        const std::lock_guard lock{mutex_};
        last_ = asked;
        std::optional<fault> wrong;
        if (!faults_.empty()) {
            wrong = std::move(faults_.front());
            faults_.pop_front();
        }
        if (wrong && !wrong->done) { return wrong->with; }
        auto made = answer_well(asked);
        return wrong ? wrong->with : made;
    }

    [[nodiscard]] auto answer_well(const http_request& asked) -> http_response {
        if (asked.header("x-api-key") != key()) {
            return answer_of(401, errors_of("UnauthorizedException", "You are not authorized to make this call."));
        }
        const auto body = json::parse(asked.body, nullptr, false);
        if (asked.method != "POST" || asked.target != "/graphql" ||
            asked.header("content-type") != "application/json" || !body.is_object()) {
            return answer_of(400, errors_of("MalformedHttpRequestException", "Unable to parse GraphQL query."));
        }
        try {
            const auto& variables = body.value("variables", json::object());
            const graphql_document document{body.value("query", ""), variables};
            json data = json::object();
            json errors = json::array();
            for (const auto& field : document.fields()) {
                try {
                    data[field.alias] = shown(run(document.kind(), field), field);
                } catch (const refusal& why) {
                    data[field.alias] = nullptr;
                    errors.push_back({{"path", {field.alias}},
                                      {"data", nullptr},
                                      {"errorType", why.type.empty() ? json{} : json(why.type)},
                                      {"locations", json::array()},
                                      {"message", why.message}});
                }
            }
            json made{{"data", std::move(data)}};
            if (!errors.empty()) { made["errors"] = std::move(errors); }
            return answer_of(200, made);
        } catch (const invalid_document& why) {
            const json error{{"path", nullptr}, {"message", "Validation error of type Any: " + why.message}};
            return answer_of(200, {{"data", nullptr}, {"errors", json::array({error})}});
        }
    }

    [[nodiscard]] static auto shown(const json& value, const asked_field& field) -> json {
        if (!value.is_object()) { return value; }
        json made = json::object();
        for (const auto& inner : field.fields) {
            const auto& found = value.contains(inner.name) ? value[inner.name] : json{};
            if (!found.is_array()) {
                made[inner.alias] = shown(found, inner);
                continue;
            }
            made[inner.alias] = json::array();
            for (const auto& each : found) { made[inner.alias].push_back(shown(each, inner)); }
        }
        return made;
    }

    [[nodiscard]] auto run(const std::string& kind, const asked_field& field) -> json {
        if (!refusals_.empty()) {
            const auto why = std::move(refusals_.front());
            refusals_.pop_front();
            throw refusal{why};
        }
        static const std::map<std::string, listed_by> lists{
            {"listItemByAccountIdAndCreatedAt", {"Item", "createdAt"}},
            {"listScoreResultByAccountIdAndUpdatedAt", {"ScoreResult", "updatedAt"}},
            {"listTaskByAccountIdAndUpdatedAt", {"Task", "updatedAt"}},
            {"listEvaluationByAccountIdAndUpdatedAt", {"Evaluation", "updatedAt"}}};
        if (kind == "mutation" && field.name == "createAggregatedMetrics") { return create(field); }
        if (kind == "mutation" && field.name == "updateAggregatedMetrics") { return update(field); }
        if (kind == "query" && field.name == "getAggregatedMetrics") {
            const auto& seen = visible();
            const auto found = seen.find({argument(field, "accountId"), argument(field, "compositeKey")});
            return found == seen.end() ? json{} : found->second;
        }
        if (kind == "query" && field.name == "listAggregatedMetrics") { return list_counts(field); }
        if (const auto known = lists.find(field.name); kind == "query" && known != lists.end()) {
            return list_records(field, known->second);
        }
        throw invalid_document{"FieldUndefined: Field '" + field.name + "' is undefined"};
    }

    [[nodiscard]] static auto argument(const asked_field& field, const std::string& name) -> std::string {
        const auto found = field.arguments.find(name);
        if (found == field.arguments.end() || !found->second.is_string()) {
            throw invalid_document{"the argument " + name + " is no String"};
        }
        return found->second.get<std::string>();
    }

    [[nodiscard]] auto visible() const -> const counts& {
        return lag_ == 0 || before_changes_.empty()
                   ? counts_
                   : before_changes_[before_changes_.size() - std::min(lag_, before_changes_.size())];
    }

    /// The input of a mutation, whose fields are those of the schema and of their types.
    [[nodiscard]] auto input_of(const asked_field& field, const std::string& type) const -> const json& {
        static const std::set<std::string> texts{"accountId",    "compositeKey", "recordType", "timeRangeStart",
                                                 "timeRangeEnd", "createdAt",    "updatedAt"};
        if (!field.arguments.contains("input") || field.types.at("input") != type) {
            throw invalid_document{"VariableTypeMismatch: the input of " + field.name};
        }
        const auto& input = field.arguments.at("input");
        for (const auto& [name, value] : input.items()) {
            const bool number = name == "numberOfMinutes" || name == "count" || name == ticket_;
            const bool good = number                 ? is_int(value)
                              : texts.contains(name) ? value.is_string() && !value.get<std::string>().empty()
                                                     : name == "complete" && value.is_boolean();
            if (!good) { throw invalid_document{"The variables input contains a field that is not defined: " + name}; }
        }
        return input;
    }
    [[nodiscard]] static auto is_int(const json& value) -> bool {
        return value.is_number_integer() && value <= std::numeric_limits<std::int32_t>::max() &&
               value >= std::numeric_limits<std::int32_t>::min();
    }

    [[nodiscard]] auto create(const asked_field& field) -> json {
        const auto& input = input_of(field, "CreateAggregatedMetricsInput");
        for (const auto* name : {"accountId", "compositeKey", "recordType", "timeRangeStart", "timeRangeEnd",
                                 "numberOfMinutes", "count", "complete"}) {
            if (!input.contains(name)) { throw invalid_document{std::string{"NonNull field is missing: "} + name}; }
        }
        const std::pair place{input["accountId"].get<std::string>(), input["compositeKey"].get<std::string>()};
        if (counts_.contains(place)) { throw conflict(); }
        changes();
        return counts_[place] = input;
    }

    [[nodiscard]] auto update(const asked_field& field) -> json {
        const auto& input = input_of(field, "UpdateAggregatedMetricsInput");
        const auto found = counts_.find({input.value("accountId", ""), input.value("compositeKey", "")});
        if (found == counts_.end()) { throw conflict(); }
        if (field.arguments.contains("condition")) {
            if (field.types.at("condition") != "ModelAggregatedMetricsConditionInput") {
                throw invalid_document{"VariableTypeMismatch: the condition of " + field.name};
            }
            if (!holds(field.arguments.at("condition"), found->second)) { throw conflict(); }
        }
        changes();
        found->second.update(input);
        return found->second;
    }

    void changes() {
        ++mutations_;
        if (lag_ != 0) { before_changes_.push_back(counts_); }
        while (before_changes_.size() > lag_) { before_changes_.pop_front(); }
    }

    [[nodiscard]] static auto conflict() -> refusal {
        return {"DynamoDB:ConditionalCheckFailedException",
                "The conditional request failed (Service: DynamoDb, Status Code: 400, Request ID: FAKE)"};
    }

    [[nodiscard]] static auto holds(const json& condition, const json& record) -> bool {
        const auto inner = [&](const json& one) { return holds(one, record); };
        for (const auto& [name, wanted] : condition.items()) {
            if (name == "or" || name == "and") {
                const bool met = name == "or" ? std::any_of(wanted.begin(), wanted.end(), inner)
                                              : std::all_of(wanted.begin(), wanted.end(), inner);
                if (!met) { return false; }
                continue;
            }
            for (const auto& [how, value] : wanted.items()) {
                const bool there = record.contains(name);
                const bool met = how == "attributeExists" ? there == value.get<bool>()
                                 : how == "eq"            ? there && record[name] == value
                                 : how == "le"            ? there && record[name] <= value
                                                          : throw invalid_document{"the condition " + how};
                if (!met) { return false; }
            }
        }
        return true;
    }

    [[nodiscard]] auto list_counts(const asked_field& field) -> json {
        const auto account = argument(field, "accountId");
        const auto& between = field.arguments.at("compositeKey").at("between");
        found_records found;
        for (const auto& [place, record] : visible()) {
            if (place.first == account && place.second >= between[0] && place.second <= between[1]) {
                found.emplace_back(place.second, &record);
            }
        }
        return page_of(field, std::move(found));
    }

    [[nodiscard]] auto list_records(const asked_field& field, const listed_by& index) -> json {
        const auto account = argument(field, "accountId");
        const auto range = field.arguments.find(index.sorted_by);
        if (range == field.arguments.end()) { throw invalid_document{"the index is sorted by " + index.sorted_by}; }
        found_records found;
        for (const auto& record : records_[index.model]) {
            if (record["accountId"] != account || !record.contains(index.sorted_by)) { continue; }
            const auto at = record[index.sorted_by].get<std::string>();
            const auto& asked = range->second;
            const bool within = asked.contains("between") ? at >= asked["between"][0] && at <= asked["between"][1]
                                                          : at >= asked.at("ge");
            if (within) { found.emplace_back(at + '\n' + record["id"].get<std::string>(), &record); }
        }
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        return page_of(field, std::move(found));
    }

    /// A page behind the token; a token is of this field and these arguments, and names the last that was shown. No two
    /// are equal.
    [[nodiscard]] auto page_of(const asked_field& field, found_records found) -> json {
        auto asked = field.arguments;
        asked.erase("nextToken");
        asked.erase("limit");
        const auto start = std::to_string(std::hash<std::string>{}(field.name + json(asked).dump())) + ':';
        std::string behind;
        if (const auto next = field.arguments.find("nextToken");
            next != field.arguments.end() && !next->second.is_null()) {
            behind = next->second.get<std::string>();
            if (!behind.starts_with(start)) { throw refusal{"BadRequestException", "Invalid pagination token given."}; }
            behind.erase(0, behind.find(':', start.size()) + 1);
        }
        const auto token = [&](const std::string& place) { return start + std::to_string(++tokens_) + ':' + place; };
        const auto limit = field.arguments.contains("limit") && field.arguments.at("limit").is_number()
                               ? field.arguments.at("limit").get<std::size_t>()
                               : 100;
        if (limit == 0 || limit > 1000) { throw refusal{"DynamoDB:ValidationException", "the limit"}; }
        json page{{"items", json::array()}, {"nextToken", nullptr}};
        if (empty_pages_ != 0) {
            --empty_pages_;
            page["nextToken"] = token(behind);
            return page;
        }
        std::erase_if(found, [&](const auto& one) { return one.first <= behind; });
        for (const auto& [place, record] : found) {
            if (page["items"].size() == limit) { break; }
            page["items"].push_back(*record);
            if (page["items"].size() == limit) { page["nextToken"] = token(place); } // whether or not more follow
        }
        return page;
    }

    mutable std::mutex mutex_; // guards what follows
    std::string ticket_;
    std::map<std::string, std::vector<json>> records_; // by model
    counts counts_;
    std::deque<counts> before_changes_; // the last ones
    std::size_t lag_{};
    std::size_t mutations_{};
    std::size_t empty_pages_{};
    std::size_t tokens_{};
    std::deque<fault> faults_;
    std::deque<refusal> refusals_;
    http_request last_;
    std::function<void(std::size_t)> before_;
    std::atomic<std::size_t> begun_{};
    http_server server_{[this](const http_request& asked) { return answer(asked); }};
};

} // namespace support
