#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/aws/attribute_json.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/item_requests.hpp>
#include <adapters/aws/placeholders.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/item_table.hpp>
#include <adapters/item_write.hpp>
#include <adapters/page_place.hpp>
#include <adapters/sort_range.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/work/retry_plan.hpp>
#include <freshet/work/wall_clock.hpp>

namespace adapters::aws {

/// An Amazon DynamoDB table; as many objects, threads and processes as want may use it. Borrows the client.
///
/// A write is one request. Only where its condition fails the row is read, to tell the repetition of a write that was
/// done from a conflict. `if_unchanged` is judged by the attributes that were seen: one that somebody added meanwhile
/// is noticed where the write sets or removes it, and otherwise stays as it is; an erased row takes it along. Reads are
/// consistent; only a query of a secondary index may lag behind by moments.
class table {
public:
    using is_shareable = void;
    using row_type = freshet::document;
    using patch_type = freshet::item_patch;

    /// `unprocessed` says how often and how soon `put_many` sends again what the service leaves over.
    table(const client& by, item_table_options options,
          const freshet::retry_options& unprocessed = {.retries = 8,
                                                       .throttled_base = std::chrono::milliseconds{50},
                                                       .cap = std::chrono::seconds{5}})
        : by_{by}, options_{std::move(options)}, unprocessed_{unprocessed} {}
    table(const client&&, item_table_options, const freshet::retry_options& = {}) = delete;

    [[nodiscard]] auto get(const freshet::row_key& key) const -> freshet::result<std::optional<row_type>> {
        if (!is_usable(key, options_)) { return std::nullopt; }
        auto request = detail::request_start(options_, "Key", key_item(key, options_)) + R"(,"ConsistentRead":true})";
        const auto answer = call("GetItem", request);
        if (!answer) { return answer.why(); }
        const auto found = answer->find("Item");
        if (found == answer->end()) { return std::nullopt; }
        return row_in(*found).transform([](row_type row) { return std::optional{std::move(row)}; });
    }

    [[nodiscard]] auto put(const row_type& item, const item_condition& condition = {}) const -> freshet::result<void> {
        const auto row = row_of(item.image(), options_);
        if (!row) { return row.why(); }
        const auto request = put_request(item.image(), *row, condition, options_);
        if (!request) { return request.why(); }
        std::vector<std::string_view> touched;
        for (const auto one : item.image()) { touched.push_back(one.name()); }
        return write(*request, row->key, condition, touched,
                     [&](const auto& stored) { return plan_put(stored, *row, condition, options_); });
    }

    [[nodiscard]] auto update(const freshet::row_key& key, const patch_type& patch,
                              const item_condition& condition = {}) const -> freshet::result<void> {
        const auto set = patch.set.image();
        if (set.begin() == set.end() && !patch.remove.empty()) { // makes no row of its own where there is none
            if (condition.what() == item_condition::kind::always) { return remove_from(key, patch); }
            if (condition.what() == item_condition::kind::absent) { return make_without(key, patch); }
        }
        const auto request = update_request(key, patch, condition, options_);
        if (!request) { return request.why(); }
        std::vector<std::string_view> touched{patch.remove.begin(), patch.remove.end()};
        for (const auto one : patch.set.image()) { touched.push_back(one.name()); }
        return write(*request, key, condition, touched, [&](const auto& stored) {
            return plan_update(stored, key, patch, condition, options_).transform([](const auto& row) {
                return row.has_value();
            });
        });
    }

    [[nodiscard]] auto erase(const freshet::row_key& key, const item_condition& condition = {}) const
        -> freshet::result<void> {
        if (!is_usable(key, options_)) { return {}; }
        const auto request = erase_request(key, condition, options_);
        if (!request) { return request.why(); }
        return write(*request, key, condition, {},
                     [&](const auto& stored) { return plan_erase(stored, key, condition, options_); });
    }

    /// A page without a limit is as large as the service likes: up to 1 MB.
    [[nodiscard]] auto scan(const freshet::page_request& request) const -> freshet::result<freshet::page<row_type>> {
        return read_page("Scan", nullptr, request, R"(,"ConsistentRead":true)");
    }

    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request) const
        -> freshet::result<freshet::page<row_type>> {
        const auto at = index_of(which, options_);
        if (!at) { return at.why(); }
        const auto keys = keys_of(*at);
        if (freshet::detail::find_bad_utf8(which.sort_prefix)) {
            return adapters::detail::malformed(options_, "a prefix that is no UTF-8 text");
        }
        placeholders of;
        auto text = of.name(keys.partition) + '=' + of.value(text_value(which.partition));
        if (!which.sort_prefix.empty()) {
            text += " AND begins_with(" + of.name(keys.sort) + ',' + of.value(text_value(which.sort_prefix)) + ')';
        } else if (!which.sort_first.empty() && !which.sort_last.empty()) {
            text += " AND " + of.name(keys.sort) + " BETWEEN " + of.value(text_value(which.sort_first)) + " AND " +
                    of.value(text_value(which.sort_last));
        } else if (!which.sort_first.empty() || !which.sort_last.empty()) {
            const bool from = !which.sort_first.empty();
            text += " AND " + of.name(keys.sort) + (from ? ">=" : "<=") +
                    of.value(text_value(from ? which.sort_first : which.sort_last));
        }
        auto members = R"(,"KeyConditionExpression":)" + json_text(text);
        of.append_to(members);
        members += which.index.empty() ? R"(,"ConsistentRead":true)" : R"(,"IndexName":)" + json_text(which.index);
        return read_page("Query", &which, request, members);
    }

    /// Puts these rows, without conditions, in requests of up to 25; of two with the same key, the later one.
    ///
    /// Not atomic: when it fails, any of them may be stored, and all may be put again. None is, where one of them is
    /// `malformed` or `too_large`. Source: the DynamoDB API reference, "BatchWriteItem".
    [[nodiscard]] auto put_many(std::span<const row_type> items) const -> freshet::result<void> {
        std::map<freshet::row_key, std::string> rows;
        for (const auto& item : items) {
            auto row = row_of(item.image(), options_);
            if (!row) { return std::move(row).why(); }
            rows.insert_or_assign(std::move(row->key), std::move(row->text));
        }
        constexpr std::size_t most_rows = 25;
        constexpr std::size_t most_bytes = 12'000'000; // of the 16 MB that a request may have
        std::string batch;
        std::size_t count = 0;
        for (const auto& [key, text] : rows) {
            if (count == most_rows || batch.size() + text.size() > most_bytes) {
                if (auto put = put_batch(std::move(batch), count); !put) { return put; }
                batch.clear();
                count = 0;
            }
            (((batch += count == 0 ? "" : ",") += R"({"PutRequest":{"Item":)") += text) += "}}";
            ++count;
        }
        return count == 0 ? freshet::result<void>{} : put_batch(std::move(batch), count);
    }

    [[nodiscard]] auto options() const noexcept -> const item_table_options& { return options_; }

private:
    using json = nlohmann::json;

    static constexpr unsigned most_tries = 4; // of a write whose condition fails and then holds again

    /// An update that only removes, of a row that may not be there: then it is made.
    [[nodiscard]] auto remove_from(const freshet::row_key& key, const patch_type& patch) const
        -> freshet::result<void> {
        auto done = update(key, patch, item_condition::if_present());
        for (unsigned tries = 1; !done && done.why().code == freshet::errc::conflict && tries < most_tries; ++tries) {
            done = make_without(key, patch);
            if (!done && done.why().code == freshet::errc::conflict) {
                done = update(key, patch, item_condition::if_present());
            }
        }
        return done;
    }
    /// A row of the key alone, unless there is one.
    [[nodiscard]] auto make_without(const freshet::row_key& key, const patch_type& patch) const
        -> freshet::result<void> {
        const auto judged = plan_update(std::nullopt, key, patch, {}, options_);
        return judged ? update(key, {}, item_condition::if_absent()) : judged.why();
    }

    [[nodiscard]] auto called(const freshet::error& why) const -> freshet::error {
        return of_table(options_.name, why);
    }

    [[nodiscard]] auto call(std::string_view operation, const std::string& request) const -> freshet::result<json> {
        auto answer = read_json(by_.call(dynamodb, operation, request), operation);
        if (!answer) { return called(answer.why()); }
        if (!answer->is_object()) {
            return called({freshet::errc::unavailable, std::string{operation} + ": an answer that is no object"});
        }
        return answer;
    }

    [[nodiscard]] auto row_in(const json& answered) const -> freshet::result<row_type> {
        auto row = row_type::parse(answered.dump());
        if (!row) { return called(row.why()); }
        return row;
    }

    /// Sends a write, and where its condition fails asks `plan` what is left to do for the row that is there.
    template <class Plan>
    [[nodiscard]] auto write(const item_request& request, const freshet::row_key& key, const item_condition& condition,
                             const std::vector<std::string_view>& touched, Plan plan) const -> freshet::result<void> {
        for (unsigned tries = 0; tries != most_tries; ++tries) {
            const auto answer = by_.call(dynamodb, request.operation, request.json);
            if (answer.body.ok()) { return {}; }
            if (answer.refused_as != condition_failed) { return called(without_conflict(answer.body.why())); }
            const auto row = get(key);
            if (!row) { return row.why(); }
            std::optional<std::string> stored;
            if (*row) { stored = judged_part((*row)->image(), condition, touched, options_); }
            const freshet::result<bool> left = plan(std::optional<std::string_view>{stored});
            if (!left) { return left.why(); }
            if (!*left) { return {}; }
        }
        return adapters::detail::conflict(key, options_);
    }

    /// The key attributes of an index, or (behind the last one) of the table itself.
    [[nodiscard]] auto keys_of(std::size_t index) const -> index_definition {
        if (index < options_.indexes.size()) { return options_.indexes[index]; }
        return {{}, options_.partition, options_.sort};
    }

    /// Whether any row can be in a query's answer.
    [[nodiscard]] auto finds_any(const freshet::index_query& which, const index_definition& keys) const -> bool {
        const auto unusable = [](std::string_view text, std::size_t most) {
            return text.size() > most || freshet::detail::find_bad_utf8(text);
        };
        return !which.partition.empty() && !unusable(which.partition, options_.limits.partition_key_bytes) &&
               !unusable(which.sort_prefix, options_.limits.sort_key_bytes) &&
               (which.sort_prefix.empty() || !keys.sort.empty()) &&
               (which.sort_last.empty() || which.sort_first <= which.sort_last); // the service refuses such a BETWEEN
    }

    /// One page; `members` is what the request says beside the table, the limit and the start.
    [[nodiscard]] auto read_page(std::string_view operation, const freshet::index_query* which,
                                 const freshet::page_request& request, const std::string& members) const
        -> freshet::result<freshet::page<row_type>> {
        const auto keys = keys_of(which == nullptr ? options_.indexes.size() : *index_called(which->index, options_));
        auto text = R"({"TableName":)" + json_text(options_.name) + members;
        if (request.from) {
            const auto place = place_of(options_, which, *request.from);
            if (!place) { return place.why(); }
            const auto start = start_behind(*place, which, keys);
            if (!start) { return start.why(); }
            text += R"(,"ExclusiveStartKey":)" + *start;
        }
        if (which != nullptr && !finds_any(*which, keys)) { return freshet::page<row_type>{}; }
        if (request.limit != 0) {
            constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
            text += R"(,"Limit":)" + std::to_string(std::min(request.limit, most));
        }
        const auto answer = call(operation, text += '}');
        if (!answer) { return answer.why(); }
        freshet::page<row_type> page;
        if (const auto items = answer->find("Items"); items != answer->end()) {
            for (const auto& item : *items) {
                auto row = row_in(item);
                if (!row) { return std::move(row).why(); }
                page.rows.push_back(*std::move(row));
            }
        }
        if (const auto last = answer->find("LastEvaluatedKey"); last != answer->end() && !last->is_null()) {
            auto key = key_in(*last, options_);
            auto sort = which == nullptr || keys.sort.empty() ? std::string{} : attribute_text(*last, keys.sort, "S");
            if (!key || !sort) {
                return called({freshet::errc::unavailable, std::string{operation} + ": a last key that is no key"});
            }
            page.next = token_of(options_, which, {*std::move(sort), *std::move(key)});
        }
        return page;
    }

    /// The key that a page begins behind: the row's, and its place in the index that is queried.
    [[nodiscard]] auto start_behind(const page_place& place, const freshet::index_query* which,
                                    const index_definition& keys) const -> freshet::result<std::string> {
        if (!is_usable(place.row, options_)) {
            return adapters::detail::malformed(options_, "no page token of this scan or query");
        }
        auto start = json::parse(key_item(place.row, options_));
        if (which != nullptr) {
            start[keys.partition] = {{"S", which->partition}};
            if (!keys.sort.empty()) { start[keys.sort] = {{"S", place.index_sort}}; }
        }
        return start.dump(-1, ' ', false, json::error_handler_t::replace);
    }

    /// Sends `count` put requests, and again those that the service did not come to.
    [[nodiscard]] auto put_batch(std::string batch, std::size_t count) const -> freshet::result<void> {
        const freshet::retry_plan plan{unprocessed_};
        freshet::wall_clock clock;
        std::random_device random;
        auto tables = '{' + json_text(options_.name) + ":[" + std::move(batch) + "]}";
        for (unsigned attempts = 1;; ++attempts) {
            const auto answer = call("BatchWriteItem", R"({"RequestItems":)" + tables + '}');
            if (!answer) { return without_conflict(answer.why()); }
            const auto over = answer->find("UnprocessedItems");
            if (over == answer->end() || !over->is_object() || over->empty()) { return {}; }
            const auto left = over->begin()->size();
            if (left < count) { attempts = 1; } // it gets on
            count = left;
            const auto next =
                plan.verdict(freshet::errc::throttled, attempts, (std::uint64_t{random()} << 32U) | random());
            if (!next.again) {
                return called({freshet::errc::throttled,
                               "BatchWriteItem: " + std::to_string(left) + " rows were left over each time"});
            }
            static_cast<void>(clock.wait(next.wait, {}));
            tables = over->dump();
        }
    }

    const client& by_;
    item_table_options options_;
    freshet::retry_options unprocessed_;
};

static_assert(freshet::table<table>);

} // namespace adapters::aws
