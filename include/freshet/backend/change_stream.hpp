#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/backend/change.hpp>
#include <freshet/core/result.hpp>

namespace freshet {

/// A place between two changes of a stream: opaque text that can be kept and used later, also by another process.
using stream_position = std::string;

/// Changes that follow a position, in order.
template <class Row>
struct change_batch {
    std::vector<change<Row>> changes;
    stream_position next; ///< behind the last of them
    /// Changes between the position that was asked for and the first of these are lost. What was derived without them
    /// must be made anew from the table.
    bool gap{};
};

/// A `change_stream` tells what happened to a table's rows.
///
/// Laws:
///  1. The changes of a row come in the order in which they were made, and their sequence numbers ascend.
///  2. `read(position, limit)` gives at most `limit` changes that follow the position, and the position behind them.
///     No change means that the stream has received none yet: it may receive a change some time after the write.
///     Reading takes nothing away: the same position gives the same changes again, byte for byte, until they are
///     trimmed.
///  3. Reading on from `next`, again and again, gives every change that was made after the first position exactly once,
///     unless a batch says `gap`.
///  4. `latest()` is behind every change that the stream has received, and before every change made after the call.
///     `oldest()` is before every change that is still kept.
///  5. A stream keeps changes for a time and then trims them, oldest first. A position whose following changes are
///     trimmed, or that belongs to another stream, reads from the oldest kept change on and says `gap`; one that lost
///     nothing says none. What is no position at all is `malformed`.
///  6. `position_after(batch, i)` is the place behind change `i` of a batch: reading from there gives change i + 1.
///  7. `save_checkpoint(reader, position)` is kept until the same reader saves another; `checkpoint(reader)` gives it,
///     or nothing where the reader never saved one. Readers do not see each other's.
///  8. `row_type` is what a change's sides become. A stream that carries no images, or is not asked to read them, says
///     so and leaves them absent; so does one that cannot read a change's images. `record` is always there.
template <class S>
concept change_stream =
    requires(S& s, const stream_position& position, std::size_t limit, std::string_view reader,
             const change_batch<typename S::row_type>& batch) {
        { s.read(position, limit) } -> std::same_as<result<change_batch<typename S::row_type>>>;
        { s.latest() } -> std::same_as<result<stream_position>>;
        { s.oldest() } -> std::same_as<result<stream_position>>;
        { s.position_after(batch, limit) } -> std::same_as<stream_position>;
        { s.checkpoint(reader) } -> std::same_as<result<std::optional<stream_position>>>;
        { s.save_checkpoint(reader, position) } -> std::same_as<result<void>>;
    };

} // namespace freshet
