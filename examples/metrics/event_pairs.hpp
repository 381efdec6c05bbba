#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/recount_trigger.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/stream_record.hpp>
#include <metrics/log_block.hpp>
#include <metrics/record.hpp>
#include <metrics/recounting.hpp>
#include <metrics/table_types.hpp>

namespace metrics {

/// What a DynamoDB stream's event is about.
struct event_pairs {
    std::uint64_t records{};
    affected_series affected{}; ///< with the hours that records came to or went from
    std::uint64_t unknown_tables{};
    std::uint64_t unplaced{}; ///< without an image, or with none that says whose record it is
    std::uint64_t unreadable{};
    std::uint64_t timeless{}; ///< of a time that cannot be read, or of the last hour of the year 9999

    /// What was passed over, in words.
    [[nodiscard]] auto notes() const -> std::vector<std::string> {
        std::vector<std::string> all;
        const auto add = [&all](std::uint64_t times, std::string_view what) {
            if (times != 0) { all.push_back(detail::grouped(times) + " ignored - " + std::string{what}); }
        };
        add(unknown_tables, "unknown table");
        add(unplaced, "no table/account pair");
        add(unreadable, "unreadable record");
        add(timeless, "no readable createdAt");
        return all;
    }
};

namespace detail {

[[nodiscard]] inline auto text_in(const freshet::image& row, std::string_view name) -> std::string {
    const auto found = row.find(name);
    return found && found->type() == freshet::attribute_type::string ? std::string{found->text()} : std::string{};
}

/// An hour that ends in the year 10000 has no end that can be written.
[[nodiscard]] inline auto instant_to_count(std::string_view text) -> std::optional<freshet::time_point> {
    const auto at = read_instant(text);
    return at && freshet::format_rfc3339(*at + std::chrono::hours{1}, 0) ? at : std::nullopt;
}

} // namespace detail

/// The distinct pairs of table and account in an event: each is to be counted, for a change that moves no record may
/// follow one that was not seen yet. `malformed` where it is no event.
///
/// A record's kind is that of its table (`type_of_table`); in the rows of `own_table`, which has the keys of
/// `item_table`, it is written. Without both images, what the other one would name is not known.
[[nodiscard]] inline auto read_event(std::string_view event, std::string_view own_table)
    -> freshet::result<event_pairs> {
    freshet::event_decoder decoder;
    const auto records = decoder.decode(event);
    if (!records) { return records.fault().as_error("the event"); }
    event_pairs made;
    for (const auto& each : *records) {
        ++made.records;
        if (!each) {
            ++made.unreadable;
            continue;
        }
        const auto table = table_in_arn(each->event_source_arn);
        const auto type = type_of_table(table);
        const bool own = !own_table.empty() && table == own_table;
        if (type.empty() && !own) {
            ++made.unknown_tables;
            continue;
        }
        const auto side_of = [&](const freshet::image& row) {
            return std::pair{freshet::series_key{own ? detail::text_in(row, "table") : std::string{type},
                                                 detail::text_in(row, "accountId")},
                             detail::instant_to_count(detail::text_in(row, "createdAt"))};
        };
        using side = std::optional<std::pair<freshet::series_key, std::optional<freshet::time_point>>>;
        const auto before = each->old_image ? side{side_of(*each->old_image)} : side{};
        const auto after = each->new_image ? side{side_of(*each->new_image)} : side{};
        bool placed = false;
        for (const auto& one : {before, after}) {
            if (!one || one->first.table.empty() || (one->first.account.empty() && !own)) { continue; }
            placed = true;
            auto& dirty = affect(made.affected, one->first);
            if (one->second && before != after) { dirty.add(*one->second); }
        }
        made.unplaced += placed ? 0 : 1;
        made.timeless += placed && after && !after->second ? 1 : 0;
    }
    return made;
}

} // namespace metrics
