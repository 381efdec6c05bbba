#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/graphql/answer.hpp>
#include <adapters/graphql/client.hpp>
#include <adapters/graphql/time_text.hpp>
#include <adapters/page_place.hpp>
#include <freshet/backend/record_source.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace adapters::graphql {

/// How the API lists the records of a table by account and time.
struct record_query {
    std::string table;                   ///< as a `series_key` names it
    std::string field;                   ///< of the schema's Query
    std::string ordered_by{"createdAt"}; ///< the field that its index is sorted by
    std::string account_type{"String!"}; ///< of its argument `accountId`
};

/// The queries of the tables that are counted, as Amplify generates them from their indexes:
/// `list<Model>By<Field>And<Field>`. Only that of the items is sorted by the time at which they were made.
[[nodiscard]] inline auto usual_record_queries() -> std::vector<record_query> {
    return {{"items", "listItemByAccountIdAndCreatedAt"},
            {"score_results", "listScoreResultByAccountIdAndUpdatedAt", "updatedAt"},
            {"tasks", "listTaskByAccountIdAndUpdatedAt", "updatedAt"},
            {"evaluations", "listEvaluationByAccountIdAndUpdatedAt", "updatedAt"}};
}

namespace detail {

/// The whole second of an instant, without the letter of a zone: it sorts before each time of that second, however many
/// digits that has, and behind all times before it.
[[nodiscard]] inline auto second_of(freshet::time_point at) -> std::string {
    auto text = text_of(at);
    if (text.ends_with('Z')) { text.pop_back(); }
    return text;
}

/// The first whole second that is not before an instant.
[[nodiscard]] inline auto second_from(freshet::time_point at) -> std::string {
    constexpr auto most = std::chrono::seconds{1} - freshet::duration{1};
    return second_of(at > freshet::time_point::max() - most ? at : at + most);
}

} // namespace detail

/// The records of an AppSync API that Amplify generated. Borrows the client.
///
/// Of a table whose index is sorted by `updatedAt`, it lists what was changed since the range began: among them is
/// every record that was made in the range, for none is changed before it is made. Times are found by their text, so
/// they have to be in UTC, with a `Z`. Its indexes lag behind by moments: what comes too late is counted by a later
/// run. A series without an account, and a table without a query, are `malformed`.
class record_source {
public:
    static constexpr auto order = freshet::record_order::any;

    explicit record_source(const client& by, std::vector<record_query> queries = usual_record_queries())
        : by_{by}, queries_{std::move(queries)} {}
    explicit record_source(const client&&, std::vector<record_query> = {}) = delete;

    /// At most 1,000 records a page.
    [[nodiscard]] auto list(const freshet::series_key& series, const freshet::time_range& range,
                            const freshet::page_request& request) const
        -> freshet::result<freshet::page<freshet::listed_record>> {
        const auto query = std::find_if(queries_.begin(), queries_.end(),
                                        [&](const auto& known) { return known.table == series.table; });
        if (query == queries_.end()) { return wrong(series, "there is no query for this table"); }
        if (series.account.empty()) { return wrong(series, "records are listed by account, and there is none"); }
        if (range.empty()) { return freshet::page<freshet::listed_record>{}; }
        const auto first = detail::second_of(range.start);
        const auto last = detail::second_from(range.end);

        std::string place; // what a token belongs to
        for (const auto* part : {&query->field, &series.account, &first, &last}) {
            adapters::detail::append_field(place, *part);
        }
        const bool by_creation = query->ordered_by == "createdAt";
        nlohmann::json variables{{"account", series.account}, {"first", first}, {"limit", limit_of(request)}};
        if (by_creation) { variables["last"] = last; }
        if (request.from) {
            std::string_view token{*request.from};
            if (!token.starts_with(place)) { return wrong(series, "no page token of this list"); }
            variables["next"] = token.substr(place.size());
        }
        auto data = by_.call(document(*query, by_creation), variables);
        if (!data) { return std::move(data).why(); }
        return page_in(*data, series, *query, place);
    }

private:
    static constexpr std::size_t most_rows = 1'000;

    [[nodiscard]] static auto limit_of(const freshet::page_request& request) -> std::size_t {
        return request.limit == 0 ? most_rows : std::min(request.limit, most_rows);
    }
    [[nodiscard]] static auto wrong(const freshet::series_key& series, std::string_view how) -> freshet::error {
        return {freshet::errc::malformed, "GraphQL records of " + freshet::printable(series.table, 60) + " / " +
                                              freshet::printable(series.account, 60) + ": " + std::string{how}};
    }

    [[nodiscard]] static auto document(const record_query& query, bool by_creation) -> std::string {
        return "query Records($account: " + query.account_type + ", $first: String!" +
               (by_creation ? ", $last: String!" : "") + ", $limit: Int, $next: String) { " + query.field +
               "(accountId: $account, " + query.ordered_by + ": " +
               (by_creation ? "{between: [$first, $last]}" : "{ge: $first}") +
               ", limit: $limit, nextToken: $next) { items { id createdAt } nextToken } }";
    }

    [[nodiscard]] static auto page_in(const nlohmann::json& data, const freshet::series_key& series,
                                      const record_query& query, const std::string& place)
        -> freshet::result<freshet::page<freshet::listed_record>> {
        const auto listed = data.find(query.field);
        const auto items = listed != data.end() && listed->is_object() ? listed->find("items") : data.end();
        if (listed == data.end() || !listed->is_object() || items == listed->end() || !items->is_array()) {
            auto why = wrong(series, query.field + ": an answer without a list of items");
            why.code = freshet::errc::unavailable;
            return why;
        }
        freshet::page<freshet::listed_record> page;
        for (const auto& item : *items) {
            page.rows.push_back({detail::text_member(item, "id"), detail::text_member(item, "createdAt")});
        }
        if (const auto next = detail::text_member(*listed, "nextToken"); !next.empty()) { page.next = place + next; }
        return page;
    }

    const client& by_;
    std::vector<record_query> queries_;
};

static_assert(freshet::record_source<record_source>);

} // namespace adapters::graphql
