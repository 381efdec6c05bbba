#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/change_stream.hpp>
#include <freshet/testing/faults.hpp>

namespace freshet::testing {

/// A change stream in front of another, in which what the script says goes wrong: `stream.read`, `stream.latest`,
/// `stream.oldest`, `stream.checkpoint`, `stream.save_checkpoint`.
///
/// Borrows both. Keeps the laws that the other keeps, so long as no fault's code is `malformed`.
template <class Stream>
class faulty_stream {
public:
    using row_type = typename Stream::row_type;

    faulty_stream(Stream& stream, faults& script, std::string name = "stream")
        : stream_{&stream}, script_{&script}, name_{std::move(name)} {}

    [[nodiscard]] auto read(const stream_position& position, std::size_t limit) -> result<change_batch<row_type>> {
        return script_->around(name_ + ".read", [&] { return stream_->read(position, limit); });
    }
    [[nodiscard]] auto latest() -> result<stream_position> {
        return script_->around(name_ + ".latest", [&] { return stream_->latest(); });
    }
    [[nodiscard]] auto oldest() -> result<stream_position> {
        return script_->around(name_ + ".oldest", [&] { return stream_->oldest(); });
    }
    [[nodiscard]] auto position_after(const change_batch<row_type>& batch, std::size_t change) -> stream_position {
        return stream_->position_after(batch, change);
    }
    [[nodiscard]] auto checkpoint(std::string_view reader) -> result<std::optional<stream_position>> {
        return script_->around(name_ + ".checkpoint", [&] { return stream_->checkpoint(reader); });
    }
    [[nodiscard]] auto save_checkpoint(std::string_view reader, const stream_position& position) -> result<void> {
        return script_->around(name_ + ".save_checkpoint", [&] { return stream_->save_checkpoint(reader, position); });
    }

private:
    Stream* stream_;
    faults* script_;
    std::string name_;
};

} // namespace freshet::testing
