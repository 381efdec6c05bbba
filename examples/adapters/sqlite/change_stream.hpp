#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/change.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/change_record.hpp>
#include <adapters/item_table.hpp>
#include <adapters/later.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/item_schema.hpp>
#include <adapters/stream_place.hpp>

namespace adapters::sqlite {

/// The changes of the `table` in the same file, in the order of their transactions.
///
/// Keeps them for `kept_for` by the clock, and the readers' checkpoints in the same file. `Row` is `freshet::document`,
/// or `unread` where the images are not wanted. One object belongs to one thread at a time; opened to read only, it
/// saves no checkpoints.
template <class Clock, class Row = freshet::document>
class change_stream {
    static_assert(freshet::clock<Clock>, "the clock of a stream tells the time: now() -> freshet::time_point");

public:
    using row_type = Row;

    /// Opens the file or makes it. A file that was made with other key attributes, indexes or names than `options` has
    /// is `denied`.
    [[nodiscard]] static auto open(const std::string& path, Clock& clock, const item_table_options& options = {},
                                   const database_options& file = {},
                                   freshet::duration kept_for = std::chrono::hours{24})
        -> freshet::result<change_stream> {
        auto opened = open_items(path, options, file);
        if (!opened) { return std::move(opened).why(); }
        change_stream made{*std::move(opened), clock, options, kept_for};
        auto label = made.file_.ask_text("SELECT id FROM item_stream");
        if (!label) { return std::move(label).why(); }
        if (!*label) { return made.file_.refused("has lost the name of its stream"); }
        made.stream_ = stream_arn(options, **label);
        return made;
    }

    [[nodiscard]] auto read(const freshet::stream_position& position, std::size_t limit)
        -> freshet::result<freshet::change_batch<Row>> {
        const auto place = read_position(position);
        if (!place) { return place.why(); }
        const auto seen = file_.begin_read();
        if (!seen) { return seen.why(); }
        const auto kept = kept_changes(oldest_kept());
        if (!kept) { return kept.why(); }
        freshet::change_batch<Row> batch;
        const auto wanted = static_cast<std::int64_t>(std::min<std::uint64_t>(place->number, never));
        batch.gap = place->stream != stream_ || wanted < kept->behind || wanted > kept->last;
        auto behind = batch.gap ? kept->behind : wanted;
        auto found = file_.prepare(
            "SELECT sequence, made_at, cause, pk, sk, before, after FROM item_change"
            " WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            behind, std::min<std::size_t>(limit, 1u << 30));
        if (!found) { return found.why(); }
        while (true) {
            const auto more = found->step();
            if (!more) { return more.why(); }
            if (!*more) { break; }
            behind = found->number(0);
            auto change = change_of<Row>(entry_in(*found), options_, stream_);
            if (!change) { return damaged_row(file_, found->text(3), found->text(4), change.why()); }
            batch.changes.push_back(*std::move(change));
        }
        batch.next = place_behind(behind);
        return batch;
    }

    [[nodiscard]] auto latest() -> freshet::result<freshet::stream_position> {
        return kept_changes(oldest_kept()).transform([&](kept_range kept) { return place_behind(kept.last); });
    }

    [[nodiscard]] auto oldest() -> freshet::result<freshet::stream_position> {
        return kept_changes(oldest_kept()).transform([&](kept_range kept) { return place_behind(kept.behind); });
    }

    /// `index` is less than the batch's size.
    [[nodiscard]] auto position_after(const freshet::change_batch<Row>& batch, std::size_t index) const
        -> freshet::stream_position {
        if (index >= batch.changes.size()) { freshet::abort_on_misuse("a position behind a change that is not there"); }
        return position_of(stream_, number_of(batch.changes[index].sequence));
    }

    [[nodiscard]] auto checkpoint(std::string_view reader) -> freshet::result<std::optional<freshet::stream_position>> {
        return file_.ask_text("SELECT position FROM item_checkpoint WHERE reader = ?1", reader);
    }

    [[nodiscard]] auto save_checkpoint(std::string_view reader, const freshet::stream_position& position)
        -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        auto written = file_.run(
            "INSERT INTO item_checkpoint VALUES (?1, ?2)"
            " ON CONFLICT (reader) DO UPDATE SET position = excluded.position",
            reader, position);
        if (written) { written = remove_before(oldest_kept(), at_once); }
        return written ? writing->commit() : written;
    }

    /// Removes the changes that were made before `instant`, oldest first and up to the first that was not. What time
    /// has trimmed is removed little by little whenever a checkpoint is saved; only a log without readers needs this.
    [[nodiscard]] auto trim(freshet::time_point instant) -> freshet::result<void> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        auto removed = remove_before(instant, std::numeric_limits<std::int64_t>::max());
        return removed ? writing->commit() : removed;
    }

    /// The connection, for what is not a stream's business.
    [[nodiscard]] auto file() noexcept -> database& { return file_; }

private:
    change_stream(database file, Clock& clock, const item_table_options& options, freshet::duration kept_for)
        : clock_{&clock}, options_{options}, kept_for_{kept_for}, file_{std::move(file)} {}

    static constexpr std::uint64_t never = std::numeric_limits<std::int64_t>::max(); // no change has this number
    static constexpr std::int64_t at_once = 10'000; // changes; other writers wait for it

    /// The changes that are not trimmed: those behind `behind`. `removed` and all before it are not in the file either.
    struct kept_range {
        std::int64_t removed{};
        std::int64_t trimmed{}; ///< as the file has it
        std::int64_t behind{};
        std::int64_t last{};
    };

    /// Changes made before this instant are trimmed.
    [[nodiscard]] auto oldest_kept() const -> freshet::time_point {
        return earlier(clock_->now(), kept_for_) + freshet::duration{1}; // at the very end of that time they are
    }

    [[nodiscard]] auto kept_changes(freshet::time_point oldest) -> freshet::result<kept_range> {
        auto found = file_.prepare(
            "SELECT coalesce((SELECT min(sequence) FROM item_change) - 1, last), trimmed,"
            " coalesce((SELECT sequence FROM item_change WHERE sequence > trimmed AND made_at >= ?1"
            " ORDER BY sequence LIMIT 1) - 1, last), last FROM item_stream,"
            " (SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'item_change'), 0) AS last)",
            oldest.time_since_epoch().count());
        if (!found) { return found.why(); }
        return found->step().transform([&](bool) {
            return kept_range{found->number(0), found->number(1), found->number(2), found->number(3)};
        });
    }

    [[nodiscard]] auto remove_before(freshet::time_point oldest, std::int64_t most) -> freshet::result<void> {
        const auto kept = kept_changes(oldest);
        if (!kept) { return kept.why(); }
        if (kept->behind > kept->trimmed) {
            if (auto told = file_.run("UPDATE item_stream SET trimmed = ?1", kept->behind); !told) { return told; }
        }
        if (kept->behind <= kept->removed) { return {}; }
        const auto count = std::min(kept->behind - kept->removed, most);
        return file_.run("DELETE FROM item_change WHERE sequence <= ?1", kept->removed + count);
    }

    [[nodiscard]] auto place_behind(std::int64_t sequence) const -> freshet::stream_position {
        return position_of(stream_, static_cast<std::uint64_t>(sequence));
    }

    [[nodiscard]] static auto entry_in(const statement& row) -> change_entry {
        const auto side = [&](int column) {
            return row.is_null(column) ? std::nullopt : std::optional{row.text(column)};
        };
        return {static_cast<std::uint64_t>(row.number(0)),
                freshet::time_point{freshet::duration{row.number(1)}},
                static_cast<freshet::change_cause>(row.number(2)),
                row.text(3),
                row.text(4),
                side(5),
                side(6)};
    }

    Clock* clock_;
    item_table_options options_;
    freshet::duration kept_for_;
    std::string stream_;
    database file_;
};

static_assert(freshet::change_stream<change_stream<freshet::testing::manual_clock>>);
static_assert(freshet::change_stream<change_stream<freshet::testing::manual_clock, unread>>);

} // namespace adapters::sqlite
