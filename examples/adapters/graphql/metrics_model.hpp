#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/graphql/answer.hpp>
#include <adapters/graphql/time_text.hpp>
#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/utf8.hpp>

namespace adapters::graphql {

/// The model of the schema that keeps counts, a record a bucket, as Amplify makes an API of it.
///
/// Its identifier is `accountId` and `compositeKey`, which is `TYPE#START#MINUTES`. It has the fields `recordType`,
/// `timeRangeStart`, `timeRangeEnd`, `numberOfMinutes`, `count`, `complete`, `createdAt` and `updatedAt`.
struct metrics_model {
    std::string name{"AggregatedMetrics"};
    std::string ticket{}; ///< a field of type Int for the sink alone; empty: the model has none
    /// What it calls the tables; one that is not here, it calls as the series does.
    std::map<std::string, std::string, std::less<>> record_types{{"score_results", "scoreResults"}};
};

/// Whose counts they are, in the model's words.
struct metrics_owner {
    std::string account;
    std::string type;
};

inline constexpr std::int64_t greatest_int = std::numeric_limits<std::int32_t>::max(); ///< of GraphQL's type Int

/// The owner of a series' counts; `malformed` where its names cannot be keys: empty, too long, no UTF-8.
[[nodiscard]] inline auto owner_of(const freshet::series_key& series, const metrics_model& model)
    -> freshet::result<metrics_owner> {
    constexpr std::size_t longest_account = 2'048; // DynamoDB's of a partition key
    constexpr std::size_t longest_type = 960;      // of a sort key 1,024, of which a bucket's time takes some
    const auto known = model.record_types.find(series.table);
    metrics_owner made{series.account, known == model.record_types.end() ? series.table : known->second};
    const auto wrong = [&](std::string_view how) {
        return freshet::error{freshet::errc::malformed, "GraphQL counts of " + freshet::printable(series.table, 60) +
                                                            " / " + freshet::printable(series.account, 60) + ": " +
                                                            std::string{how}};
    };
    if (made.account.empty() || made.type.empty()) { return wrong("a table and an account are needed"); }
    if (made.account.size() > longest_account || made.type.size() > longest_type) {
        return wrong("the name is too long");
    }
    if (freshet::detail::find_bad_utf8(made.account) || freshet::detail::find_bad_utf8(made.type)) {
        return wrong("the name is no UTF-8 text");
    }
    return made;
}

/// A bucket's record as it is stored.
struct stored_bucket {
    freshet::bucket counted;
    bool complete{};
    std::int64_t ticket{}; ///< 0: it has none
};

namespace detail {

[[nodiscard]] inline auto minutes_of(freshet::duration width) -> std::int64_t {
    return std::chrono::floor<std::chrono::minutes>(width).count();
}

[[nodiscard]] inline auto int_member(const nlohmann::json& object, const std::string& name) -> std::int64_t {
    const auto found = object.find(name);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// The bucket that a record is of; nothing where it is another thing, of another owner, or begins at no whole multiple
/// of its width.
[[nodiscard]] inline auto bucket_in(const nlohmann::json& record, const metrics_owner& of, const metrics_model& model)
    -> std::optional<stored_bucket> {
    if (!record.is_object() || text_member(record, "recordType") != of.type) { return std::nullopt; }
    const auto start = freshet::parse_rfc3339(text_member(record, "timeRangeStart"));
    const auto minutes = int_member(record, "numberOfMinutes");
    const auto count = int_member(record, "count");
    if (!start || minutes <= 0 || minutes > greatest_int || count < 0) { return std::nullopt; }
    if (start->time_since_epoch() % std::chrono::minutes{minutes} != freshet::duration::zero()) { return std::nullopt; }
    const auto complete = record.find("complete");
    return stored_bucket{.counted = {std::chrono::minutes{minutes}, *start, static_cast<std::uint64_t>(count)},
                         .complete = complete != record.end() && complete->is_boolean() && complete->get<bool>(),
                         .ticket = model.ticket.empty() ? 0 : int_member(record, model.ticket)};
}

} // namespace detail

/// The key of the bucket of this width that begins then.
[[nodiscard]] inline auto bucket_key(const metrics_owner& of, const freshet::bucket& bucket) -> std::string {
    return of.type + '#' + detail::text_of(bucket.start) + '#' + std::to_string(detail::minutes_of(bucket.width));
}

/// The key of the record that counts the runs. No bucket's key ends so.
[[nodiscard]] inline auto run_key(const metrics_owner& of) -> std::string { return of.type + "#run"; }

} // namespace adapters::graphql
