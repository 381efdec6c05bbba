#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace freshet::detail {

/// Whether `c` ends a plain run inside a JSON string: a quote, a backslash or a control character.
[[nodiscard]] constexpr auto ends_plain_run(char c) noexcept -> bool {
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

/// Finds the first byte of [p, end) that ends a plain run, or `end`; notes bytes above 0x7f on the way.
///
/// Reads nothing outside the range. Two kernels with one behaviour: eight bytes a step in plain arithmetic,
/// sixteen with SSE2, which every x86-64 has and therefore needs no dispatch.
struct portable_string_kernel {
    [[nodiscard]] static auto find_end(const char* p, const char* end, bool& non_ascii) noexcept -> const char* {
        constexpr std::uint64_t ones = 0x0101010101010101u;
        constexpr std::uint64_t high = 0x8080808080808080u;
        std::uint64_t seen = 0;
        for (; end - p >= 8; p += 8) {
            std::uint64_t x = 0;
            std::memcpy(&x, p, 8);
            const auto quote = x ^ (ones * '"');
            const auto slash = x ^ (ones * '\\');
            // A byte's high bit is set where it was zero (quote, slash) or below 0x20; a borrow can only add
            // false alarms behind a true one, and the byte loop below settles those.
            if (((((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((x - ones * 0x20) & ~x)) & high) != 0) {
                break;
            }
            seen |= x;
        }
        for (; p < end && !ends_plain_run(*p); ++p) { seen |= static_cast<unsigned char>(*p); }
        non_ascii = non_ascii || (seen & high) != 0;
        return p;
    }
};

#if defined(__SSE2__)

struct sse2_string_kernel {
    [[nodiscard]] static auto find_end(const char* p, const char* end, bool& non_ascii) noexcept -> const char* {
        int seen = 0;
        for (; end - p >= 16; p += 16) {
            const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
            const __m128i stops = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))),
                _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x));
            const int stop = _mm_movemask_epi8(stops);
            const int high = _mm_movemask_epi8(x);
            if (stop != 0) {
                const int before = (stop & -stop) - 1;
                non_ascii = non_ascii || (seen | (high & before)) != 0;
                return p + __builtin_ctz(static_cast<unsigned>(stop));
            }
            seen |= high;
        }
        non_ascii = non_ascii || seen != 0;
        return portable_string_kernel::find_end(p, end, non_ascii);
    }
};

using string_kernel = sse2_string_kernel;

#else

using string_kernel = portable_string_kernel;

#endif

} // namespace freshet::detail
