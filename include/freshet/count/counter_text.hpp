#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/ladder.hpp>

namespace freshet {

namespace detail {

inline constexpr std::string_view counter_text_begin = "bucket counts 1\nlevels ";
inline constexpr std::string_view counter_text_end = "sha256 ";

/// Reads the lines of a counter's text, number by number.
class counter_lines {
public:
    explicit counter_lines(std::string_view text) : text_{text} {}

    [[nodiscard]] auto at() const noexcept -> std::size_t { return at_; }
    [[nodiscard]] auto ended() const noexcept -> bool { return at_ == text_.size(); }

    /// Takes these words, if they come next.
    [[nodiscard]] auto take(std::string_view words) noexcept -> bool {
        const bool here = text_.substr(at_).starts_with(words);
        at_ += here ? words.size() : 0;
        return here;
    }
    /// Takes a number that fits and what follows it.
    template <class Number>
    [[nodiscard]] auto take(Number& number, char after) noexcept -> bool {
        const auto* const last = text_.data() + text_.size();
        const auto [end, bad] = std::from_chars(text_.data() + at_, last, number);
        if (bad != std::errc{} || end == last || *end != after) { return false; }
        at_ = static_cast<std::size_t>(end - text_.data()) + 1;
        return true;
    }

private:
    std::string_view text_;
    std::size_t at_{};
};

} // namespace detail

/// A counter as lines of text, to be kept or sent and read again by `read_counter`: the finest buckets that are not
/// empty, the sums of all levels, and a digest of it all. Equal counts give equal texts.
template <class Counter>
[[nodiscard]] auto write_counter(const Counter& counter) -> std::string {
    std::string text{detail::counter_text_begin};
    const auto line = [&text](auto first, std::uint64_t second) {
        text += std::to_string(first) + ' ' + std::to_string(second) + '\n';
    };
    const auto& ladder = counter.ladder();
    text += std::to_string(ladder.size()) + '\n';
    for (std::size_t level = 0; level < ladder.size(); ++level) {
        line(ladder.width(level).count(), counter.total(level));
    }
    text += "records " + std::to_string(counter.records()) + '\n';
    counter.each(0, [&](const bucket& each) { line(each.start.time_since_epoch() / each.width, each.count); });
    const auto digest = hex(sha256_of(text));
    text += detail::counter_text_end;
    text.append(digest.data(), digest.size()) += '\n';
    return text;
}

/// The counter that `write_counter` wrote, if its ladder was this one.
///
/// Whatever is not that text, byte for byte, is `malformed`; the note says where. So is a counter that did not hold as
/// many records on every level as it had counted. The digest finds damage, not forgery.
template <class Counter>
[[nodiscard]] auto read_counter(std::string_view text, const typename Counter::ladder_type& ladder) -> result<Counter> {
    const auto fault = [](std::size_t at, std::string_view reason) {
        return parse_fault{at, reason}.as_error("bucket counts");
    };
    const auto end = text.rfind(detail::counter_text_end);
    detail::counter_lines lines{text.substr(0, end)};
    std::size_t levels = 0;
    if (!lines.take(detail::counter_text_begin)) { return fault(0, "no counts of version 1"); }
    if (end == text.npos) { return fault(text.size(), "the digest is missing"); }
    const auto digest = hex(sha256_of(text.substr(0, end)));
    const auto shown = text.substr(end + detail::counter_text_end.size());
    if (shown.size() != digest.size() + 1 || !shown.ends_with('\n') ||
        !shown.starts_with(std::string_view{digest.data(), digest.size()})) {
        return fault(end, "not the digest of what stands before it");
    }

    if (!lines.take(levels, '\n') || levels != ladder.size()) { return fault(lines.at(), "another number of levels"); }
    std::array<std::uint64_t, most_widths> totals{};
    for (std::size_t level = 0; level < levels; ++level) {
        duration::rep width = 0;
        const auto at = lines.at();
        if (!lines.take(width, ' ') || width != ladder.width(level).count()) { return fault(at, "another width"); }
        if (!lines.take(totals[level], '\n')) { return fault(lines.at(), "no sum of a level"); }
    }
    std::uint64_t records = 0;
    if (!lines.take("records ") || !lines.take(records, '\n')) { return fault(lines.at(), "no number of records"); }

    Counter counter{ladder};
    const auto finest = ladder.finest().count();
    const auto earliest = (time_point::min() + ladder.widest()).time_since_epoch().count() / finest;
    const auto latest = (time_point::max() - ladder.widest()).time_since_epoch().count() / finest;
    for (auto before = earliest - 1; !lines.ended();) {
        const auto at = lines.at();
        duration::rep number = 0;
        std::uint64_t count = 0;
        if (!lines.take(number, ' ') || !lines.take(count, '\n') || count == 0) { return fault(at, "no bucket"); }
        if (number <= before || number > latest) { return fault(at, "a bucket out of order or of time"); }
        counter.add(time_point{duration{number * finest}}, count);
        before = number;
    }
    bool sums = counter.records() == records;
    for (std::size_t level = 0; level < levels; ++level) { sums = sums && totals[level] == records; }
    if (!sums) { return fault(detail::counter_text_begin.size(), "the sums are not those of the buckets"); }
    return counter;
}

} // namespace freshet
