#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/answer.hpp>
#include <fake_aws/dynamodb_reads.hpp>
#include <fake_aws/dynamodb_refusal.hpp>
#include <fake_aws/dynamodb_state.hpp>
#include <fake_aws/dynamodb_stream_reads.hpp>
#include <fake_aws/dynamodb_tables.hpp>
#include <fake_aws/dynamodb_writes.hpp>
#include <freshet/core/time.hpp>

namespace fake_aws {

/// DynamoDB and DynamoDB Streams in this process: what the service's documents say, by a clock of the test's own.
///
/// Thread safe; each operation is one step. What a test needs to happen is done by the functions below `handle`; they
/// throw `std::logic_error` where the table or its stream is not there. Different from the service: counts and indexes
/// are up to date at once, a table is active and a time to live enabled as soon as it is asked for, nothing expires by
/// itself, and a request member that this fake would ignore is refused with status 501. Of the old parameters that
/// expressions replaced, transactions, local indexes and `UpdateTable` there are none.
class dynamodb {
public:
    explicit dynamodb(std::function<freshet::time_point()> now, std::string region = "us-east-1")
        : state_{std::move(now), std::move(region)} {}

    /// Does what an operation of one of the two services asks; `operation` is its name without a version.
    [[nodiscard]] auto handle(std::string_view operation, const nlohmann::json& body) -> answer {
        using action = nlohmann::json (*)(ddb::state&, const nlohmann::json&);
        static const std::map<std::string_view, action> actions{
            {"CreateTable", ddb::create_table},
            {"DescribeTable", ddb::describe_table},
            {"DeleteTable", ddb::delete_table},
            {"ListTables", ddb::list_tables},
            {"UpdateTimeToLive", ddb::update_time_to_live},
            {"DescribeTimeToLive", ddb::describe_time_to_live},
            {"PutItem", ddb::put_item},
            {"GetItem", ddb::get_item},
            {"UpdateItem", ddb::update_item},
            {"DeleteItem", ddb::delete_item},
            {"BatchWriteItem", ddb::batch_write_item},
            {"BatchGetItem", ddb::batch_get_item},
            {"Query", ddb::query},
            {"Scan", ddb::scan},
            {"ListStreams", ddb::list_streams},
            {"DescribeStream", ddb::describe_stream},
            {"GetShardIterator", ddb::get_shard_iterator},
            {"GetRecords", ddb::get_records},
        };
        const auto found = actions.find(operation);
        if (found == actions.end()) { return refusal("UnknownOperationException", ""); }
        const std::lock_guard lock{mutex_};
        try {
            return {200, found->second(state_, body)};
        } catch (ddb::refused& no) { return std::move(no.said); } catch (const nlohmann::json::exception& no) {
            return refusal("SerializationException", no.what());
        }
    }

    /// Every open shard of the table's stream closes and gets that many children (1: the stream rolls over).
    void split_shards(std::string_view table, std::size_t children = 2) {
        const std::lock_guard lock{mutex_};
        stream_of(table).split(children, state_.now());
    }
    /// The stream has so many open shards from its start on. Only before the first write.
    void set_shards(std::string_view table, std::size_t count) {
        const std::lock_guard lock{mutex_};
        stream_of(table).set_shards(count);
    }
    /// What is in the stream now is gone, and so are the shards that are closed.
    void trim(std::string_view table) {
        const std::lock_guard lock{mutex_};
        stream_of(table).trim();
    }
    /// Deletes the item of that key (in the wire's form) as its time to live does; whether there was one.
    auto expire(std::string_view table, const nlohmann::json& key) -> bool {
        const std::lock_guard lock{mutex_};
        auto& from = table_called(table);
        const auto at = from.rows.place_of(ddb::checked_attributes(key));
        if (!from.rows.find(at)) { return false; }
        ddb::store(state_, from, at, nullptr, true);
        return true;
    }
    /// Lets a test spoil the record that was written last into the table's stream.
    void spoil_newest_record(std::string_view table, const std::function<void(nlohmann::json&)>& spoil) {
        const std::lock_guard lock{mutex_};
        auto* const record = stream_of(table).newest_record();
        if (record == nullptr) { throw std::logic_error{"no record in the stream of table " + std::string{table}}; }
        spoil(*record);
    }
    /// Every shard iterator that was given is expired.
    void expire_iterators() {
        const std::lock_guard lock{mutex_};
        ++state_.iterator_age;
    }
    /// The next `count` answers to GetRecords are empty, whatever there is.
    void answer_empty(std::size_t count) {
        const std::lock_guard lock{mutex_};
        state_.empty_answers = count;
    }
    /// Records say when they were made with a fraction of a second; otherwise in whole seconds, as the service does.
    void give_fractional_times(bool wanted = true) {
        const std::lock_guard lock{mutex_};
        state_.fractional_times = wanted;
    }
    /// Tables that are created from now on are `CREATING`, and take no items, until so many DescribeTable said so.
    void create_slowly(std::size_t describes) {
        const std::lock_guard lock{mutex_};
        state_.describes_until_active = describes;
    }
    /// A page of Query or Scan ends at so many bytes of items (1 MB).
    void limit_pages(std::size_t bytes) {
        const std::lock_guard lock{mutex_};
        state_.page_bytes = bytes;
    }
    /// The items that are in the table, in no order.
    [[nodiscard]] auto items(std::string_view table) const -> std::vector<nlohmann::json> {
        const std::lock_guard lock{mutex_};
        const auto found = state_.tables.find(table);
        if (found == state_.tables.end()) { throw std::logic_error{"no table " + std::string{table}}; }
        std::vector<nlohmann::json> all;
        for (const auto& [at, item] : found->second.rows.items()) { all.push_back(*item); }
        return all;
    }

private:
    [[nodiscard]] auto table_called(std::string_view name) -> ddb::owned_table& {
        const auto found = state_.tables.find(name);
        if (found == state_.tables.end()) { throw std::logic_error{"no table " + std::string{name}}; }
        return found->second;
    }
    [[nodiscard]] auto stream_of(std::string_view table) -> ddb::change_log& {
        const auto& stream = table_called(table).stream;
        if (!stream) { throw std::logic_error{"no stream of table " + std::string{table}}; }
        return *stream;
    }

    mutable std::mutex mutex_;
    ddb::state state_;
};

} // namespace fake_aws
