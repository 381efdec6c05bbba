#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <freshet/backend/change_stream.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/core/time.hpp>

#include <adapters/page_place.hpp>

namespace adapters::aws {

/// How far a reader has come in one shard.
struct shard_place {
    enum class kind : char {
        after = 'a',  ///< behind the record `sequence`
        at = '@',     ///< before the record `sequence`
        start = 's',  ///< before whatever is kept
        latest = 'l', ///< where `iterator` is; nothing has been read since
        done = 'd',   ///< behind the last record of a closed shard
    };

    kind is{kind::start};
    freshet::sequence_number sequence{}; ///< of `after` and `at`
    /// When it was last seen that nothing follows; unknown of `at`, and of `after` until somebody has looked.
    std::optional<std::chrono::sys_seconds> ended_at{};
    std::string iterator{}; ///< of `latest`

    [[nodiscard]] static auto after(const freshet::sequence_number& read) -> shard_place {
        return {kind::after, read, {}, {}};
    }
    [[nodiscard]] static auto at(const freshet::sequence_number& first) -> shard_place {
        return {kind::at, first, {}, {}};
    }
    [[nodiscard]] static auto start(freshet::time_point now) -> shard_place {
        return {kind::start, {}, std::chrono::floor<std::chrono::seconds>(now), {}};
    }
    [[nodiscard]] static auto latest(freshet::time_point now, std::string iterator) -> shard_place {
        return {kind::latest, {}, std::chrono::floor<std::chrono::seconds>(now), std::move(iterator)};
    }
    [[nodiscard]] static auto done(freshet::time_point now) -> shard_place {
        return {kind::done, {}, std::chrono::floor<std::chrono::seconds>(now), {}};
    }

    friend auto operator==(const shard_place&, const shard_place&) -> bool = default;
};

/// The shards that a reader is in, by their names, and how far it has come in them.
using shard_places = std::map<std::string, shard_place, std::less<>>;

/// A place in a stream of shards, as a position's text says it.
///
/// Only the newest shard of each line of descent is named: what it descends from has been read, and what descends
/// from it waits until it is done.
struct shard_position {
    std::string stream;  ///< its ARN
    std::string turn{};  ///< the shard that is asked first
    std::size_t given{}; ///< how many changes of it came since its turn began
    shard_places places{};
};

namespace detail {

[[nodiscard]] inline auto seconds_text(std::chrono::sys_seconds instant) -> std::string {
    return std::to_string(instant.time_since_epoch().count());
}

[[nodiscard]] inline auto place_text(const shard_place& place) -> std::string {
    std::string text{static_cast<char>(place.is)};
    if (place.is == shard_place::kind::after || place.is == shard_place::kind::at) { text += place.sequence.view(); }
    if (place.ended_at) { (text += '~') += seconds_text(*place.ended_at); }
    if (place.is == shard_place::kind::latest) { (text += ' ') += place.iterator; }
    return text;
}

[[nodiscard]] inline auto read_number(std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t number = 0;
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return bad == std::errc{} && end == digits.data() + digits.size() ? std::optional{number} : std::nullopt;
}

/// Reads more than `place_text` writes; whoever asks writes it again and compares.
[[nodiscard]] inline auto read_place(std::string_view text) -> std::optional<shard_place> {
    using enum shard_place::kind;
    shard_place place;
    if (text.empty()) { return std::nullopt; }
    const auto blank = text.find(' ');
    if (blank != std::string_view::npos) {
        place.iterator = text.substr(blank + 1);
        text = text.substr(0, blank);
    }
    place.is = static_cast<shard_place::kind>(text.front());
    text.remove_prefix(1);
    const auto mark = text.find('~');
    if (mark != std::string_view::npos) {
        const auto seconds = read_number(text.substr(mark + 1));
        if (!seconds || *seconds < -62'167'219'200 || *seconds > 253'402'300'799) { return std::nullopt; } // 0 to 9999
        place.ended_at = std::chrono::sys_seconds{std::chrono::seconds{*seconds}};
        text = text.substr(0, mark);
    }
    if (place.is == after || place.is == at) {
        const auto sequence = freshet::sequence_number::parse(text);
        if (!sequence || (place.is == at && place.ended_at)) { return std::nullopt; }
        place.sequence = *sequence;
        return place;
    }
    const bool known = place.is == start || place.is == done || (place.is == latest && !place.iterator.empty());
    return known && place.ended_at ? std::optional{std::move(place)} : std::nullopt;
}

} // namespace detail

[[nodiscard]] inline auto position_of(const shard_position& place) -> freshet::stream_position {
    freshet::stream_position text;
    adapters::detail::append_field(text, "shards1");
    adapters::detail::append_field(text, place.stream);
    adapters::detail::append_field(text, place.turn);
    adapters::detail::append_field(text, std::to_string(place.given));
    for (const auto& [shard, there] : place.places) {
        adapters::detail::append_field(text, shard);
        adapters::detail::append_field(text, detail::place_text(there));
    }
    return text;
}

/// What `position_of` wrote, of any stream; `malformed` where it wrote nothing like it.
[[nodiscard]] inline auto read_shard_position(std::string_view position) -> freshet::result<shard_position> {
    const auto read = [&]() -> std::optional<shard_position> {
        auto rest = position;
        const auto version = adapters::detail::take_field(rest);
        auto stream = adapters::detail::take_field(rest);
        auto turn = adapters::detail::take_field(rest);
        const auto given = detail::read_number(adapters::detail::take_field(rest).value_or(""));
        if (version != "shards1" || !stream || !turn || !given || *given < 0 || !stream->starts_with("arn:")) {
            return std::nullopt;
        }
        shard_position place{*std::move(stream), *std::move(turn), static_cast<std::size_t>(*given), {}};
        while (!rest.empty()) {
            auto shard = adapters::detail::take_field(rest);
            const auto there = adapters::detail::take_field(rest);
            auto one = there ? detail::read_place(*there) : std::nullopt;
            if (!shard || shard->empty() || !one) { return std::nullopt; }
            place.places.insert_or_assign(*std::move(shard), *std::move(one));
        }
        // There is one text for a place: what is spelled otherwise was not written here.
        return position_of(place) == position ? std::optional{std::move(place)} : std::nullopt;
    };
    auto place = read();
    if (place) { return *std::move(place); }
    return freshet::error{freshet::errc::malformed,
                          "no position of a stream of shards: " + freshet::printable(position)};
}

} // namespace adapters::aws
