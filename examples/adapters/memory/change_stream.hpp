#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/change_record.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/stream_place.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace adapters::memory {

/// The changes of a table in this process. Borrows the table, whose log and checkpoints all its streams share.
///
/// `change_stream<Clock, adapters::unread>` leaves the images alone.
template <class Clock, class Row = freshet::document>
class change_stream {
public:
    using is_shareable = void;
    using row_type = Row;

    explicit change_stream(table<Clock>& from) noexcept : from_{from} {}

    [[nodiscard]] auto read(const freshet::stream_position& position, std::size_t limit)
        -> freshet::result<freshet::change_batch<Row>> {
        const auto place = read_position(position);
        if (!place) { return place.why(); }
        std::vector<logged> entries;
        std::uint64_t behind = place->number;
        bool gap = false;
        {
            const std::lock_guard lock{from_.mutex_};
            from_.forget_old();
            const auto trimmed = from_.last_ - from_.log_.size();
            gap = place->stream != from_.stream_ || behind < trimmed || behind > from_.last_;
            if (gap) { behind = trimmed; }
            const auto first = from_.log_.begin() + static_cast<std::ptrdiff_t>(behind - trimmed);
            const auto count = std::min<std::uint64_t>(limit, from_.last_ - behind);
            entries.assign(first, first + static_cast<std::ptrdiff_t>(count));
        }
        freshet::change_batch<Row> batch;
        batch.gap = gap;
        for (const auto& entry : entries) {
            const auto text = [](const auto& side) {
                return side ? std::optional<std::string_view>{*side} : std::nullopt;
            };
            auto change = change_of<Row>({++behind, entry.made_at, entry.cause, entry.key.partition, entry.key.sort,
                                          text(entry.before), text(entry.after)},
                                         from_.options_, from_.stream_);
            if (!change) { return std::move(change).why(); }
            batch.changes.push_back(*std::move(change));
        }
        batch.next = position_of(from_.stream_, behind);
        return batch;
    }

    [[nodiscard]] auto latest() -> freshet::result<freshet::stream_position> {
        const std::lock_guard lock{from_.mutex_};
        return position_of(from_.stream_, from_.last_);
    }

    [[nodiscard]] auto oldest() -> freshet::result<freshet::stream_position> {
        const std::lock_guard lock{from_.mutex_};
        from_.forget_old();
        return position_of(from_.stream_, from_.last_ - from_.log_.size());
    }

    /// `index` is less than the batch's size.
    [[nodiscard]] auto position_after(const freshet::change_batch<Row>& batch, std::size_t index) const
        -> freshet::stream_position {
        if (index >= batch.changes.size()) { freshet::abort_on_misuse("a position behind a change that is not there"); }
        return position_of(from_.stream_, number_of(batch.changes[index].sequence));
    }

    [[nodiscard]] auto checkpoint(std::string_view reader) -> freshet::result<std::optional<freshet::stream_position>> {
        const std::lock_guard lock{from_.mutex_};
        const auto found = from_.checkpoints_.find(reader);
        if (found == from_.checkpoints_.end()) { return std::nullopt; }
        return std::optional{found->second};
    }

    [[nodiscard]] auto save_checkpoint(std::string_view reader, const freshet::stream_position& position)
        -> freshet::result<void> {
        const std::lock_guard lock{from_.mutex_};
        from_.checkpoints_.insert_or_assign(std::string{reader}, position);
        return {};
    }

private:
    using logged = typename table<Clock>::logged;

    table<Clock>& from_;
};

template <class Clock>
change_stream(table<Clock>&) -> change_stream<Clock>;

static_assert(freshet::change_stream<change_stream<freshet::testing::manual_clock>>);
static_assert(freshet::change_stream<change_stream<freshet::testing::manual_clock, unread>>);

} // namespace adapters::memory
