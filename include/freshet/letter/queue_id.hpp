#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include <freshet/backend/message.hpp>
#include <freshet/core/sha256.hpp>

namespace freshet {

/// What became of the raw id. The suffix of a second message does not count.
enum class id_mapping {
    kept,    ///< unchanged
    escaped, ///< some bytes became `%HH`, or the empty id became `%empty`
    hashed,  ///< too long: `%sha256:` and the digest of the raw bytes
};

/// The most bytes that an id for a queue can have.
inline constexpr std::size_t queue_id_capacity = queue_limits{}.id_bytes;

/// How many bytes were written, and which mapping made them.
struct queue_id_written {
    std::size_t size{};
    id_mapping mapping{id_mapping::kept};
    friend constexpr auto operator==(const queue_id_written&, const queue_id_written&) -> bool = default;
};

namespace detail::queue_ids {

/// Whether a queue takes the byte in an id, and it does not start an escape: printable ASCII but blank and `%`.
[[nodiscard]] constexpr auto passes(char c) noexcept -> bool { return c > ' ' && c <= '~' && c != '%'; }

/// Whether all bytes pass. Eight bytes a step: most ids pass, and each message has two.
[[nodiscard]] constexpr auto all_pass(std::string_view raw) noexcept -> bool {
    std::size_t i = 0;
    if (!std::is_constant_evaluated()) {
        constexpr std::uint64_t each = 0x0101010101010101, high = each * 0x80;
        for (; i + 8 <= raw.size(); i += 8) {
            std::uint64_t w;
            std::memcpy(&w, raw.data() + i, 8);
            // Per byte, without a carry into the next: bit 7 of `low + (0x80 - k)` says low >= k.
            const auto low = w & ~high;
            const auto printable = (low + each * (0x80 - 0x21)) & ~(low + each * (0x80 - 0x7F));
            const auto not_percent = (low ^ each * '%') + each * 0x7F;
            if ((printable & not_percent & ~w & high) != high) { return false; }
        }
    }
    for (; i < raw.size(); ++i) {
        if (!passes(raw[i])) { return false; }
    }
    return true;
}

[[nodiscard]] constexpr auto write_escape(char* out, unsigned char byte) noexcept -> char* {
    constexpr std::string_view digits{"0123456789ABCDEF"};
    *out++ = '%';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
    return out;
}

/// `%:2`; empty for the first message. No escape has a colon behind its `%`.
struct ordinal_suffix {
    char text[12]{};
    std::size_t size{};

    constexpr explicit ordinal_suffix(unsigned ordinal) noexcept {
        if (ordinal == 1) { return; }
        char digits[10]{};
        std::size_t count = 0;
        do { digits[count++] = static_cast<char>('0' + ordinal % 10); } while ((ordinal /= 10) != 0);
        text[size++] = '%';
        text[size++] = ':';
        while (count != 0) { text[size++] = digits[--count]; }
    }
    [[nodiscard]] constexpr auto view() const noexcept -> std::string_view { return {text, size}; }
};

} // namespace detail::queue_ids

/// Whether a queue takes `id` as a group or deduplication id: 1 to 128 bytes of ASCII letters, digits and punctuation
/// (Amazon SQS, `SendMessage`).
[[nodiscard]] constexpr auto is_queue_id(std::string_view id) noexcept -> bool {
    if (id.empty() || id.size() > queue_id_capacity) { return false; }
    for (const char c : id) {
        if (c != '%' && !detail::queue_ids::passes(c)) { return false; }
    }
    return true;
}

/// Writes the id that stands for the raw bytes on a queue, at most `queue_id_capacity` bytes, and says how it got it.
///
/// Every output is an `is_queue_id`, and no two pairs of raw bytes and `ordinal` share one (short of a SHA-256
/// collision). Printable ASCII passes, `%` and every other byte become `%HH`, nothing becomes `%empty`, and what would
/// not fit becomes `%sha256:` and 64 digits. `ordinal` tells apart the messages that one record makes for one queue:
/// the second gets `%:2` behind its id, the first nothing. Does not allocate.
constexpr auto write_queue_id(char* out, std::string_view raw, unsigned ordinal = 1) -> queue_id_written {
    using namespace detail::queue_ids;
    const ordinal_suffix suffix{ordinal};
    const auto room = queue_id_capacity - suffix.size;
    const auto put = [](char* end, std::string_view text) { return std::copy_n(text.data(), text.size(), end); };
    const auto finish = [&](char* end, id_mapping mapping) -> queue_id_written {
        return {static_cast<std::size_t>(put(end, suffix.view()) - out), mapping};
    };

    if (raw.empty()) { return finish(put(out, "%empty"), id_mapping::escaped); }
    if (raw.size() <= room) {
        if (all_pass(raw)) { return finish(put(out, raw), id_mapping::kept); }
        std::size_t escaped_size = 0;
        for (const char c : raw) { escaped_size += passes(c) ? 1 : 3; }
        if (escaped_size <= room) {
            auto* end = out;
            for (const char c : raw) {
                if (passes(c)) { *end++ = c; }
                else { end = write_escape(end, static_cast<unsigned char>(c)); }
            }
            return finish(end, id_mapping::escaped);
        }
    }
    return finish(write_hex(put(out, "%sha256:"), sha256_of(raw)), id_mapping::hashed);
}

/// The same id as a string of its own.
[[nodiscard]] inline auto make_queue_id(std::string_view raw, unsigned ordinal = 1) -> std::string {
    char text[queue_id_capacity];
    return {text, write_queue_id(text, raw, ordinal).size};
}

} // namespace freshet
