#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace freshet {

/// The eight words that SHA-256 carries from block to block.
using sha256_state = std::array<std::uint32_t, 8>;

/// A function that runs `count` blocks of 64 bytes through the state.
using sha256_kernel = void (*)(sha256_state& state, const char* blocks, std::size_t count);

/// The state before the first block. Source: FIPS 180-4, 5.3.3.
inline constexpr sha256_state sha256_start{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// The constant added in each of the 64 rounds. Source: FIPS 180-4, 4.2.2.
alignas(16) inline constexpr std::array<std::uint32_t, 64> sha256_round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// Runs blocks through the state with plain arithmetic, on any machine and in constant expressions.
///
/// Source: FIPS 180-4, 6.2.2.
constexpr void sha256_blocks_portable(sha256_state& state, const char* blocks, std::size_t count) {
    for (; count != 0; --count, blocks += 64) {
        std::array<std::uint32_t, 64> w{};
        for (std::size_t t = 0; t < 16; ++t) {
            for (std::size_t byte = 0; byte < 4; ++byte) {
                w[t] = (w[t] << 8) | static_cast<std::uint8_t>(blocks[4 * t + byte]);
            }
        }
        for (std::size_t t = 16; t < 64; ++t) {
            const auto near = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
            const auto far = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
            w[t] = w[t - 16] + far + w[t - 7] + near;
        }
        auto [a, b, c, d, e, f, g, h] = state;
        for (std::size_t t = 0; t < 64; ++t) {
            const auto choice = (e & f) ^ (~e & g);
            const auto majority = (a & b) ^ (a & c) ^ (b & c);
            const auto spread_e = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
            const auto spread_a = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
            const auto mixed = h + spread_e + choice + sha256_round_constants[t] + w[t];
            h = g;
            g = f;
            f = e;
            e = d + mixed;
            d = c;
            c = b;
            b = a;
            a = mixed + spread_a + majority;
        }
        state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d,
                 state[4] + e, state[5] + f, state[6] + g, state[7] + h};
    }
}

#if defined(__x86_64__)

namespace detail {

/// Four rounds over four words of the schedule; the state is kept as the instructions want it: ABEF and CDGH.
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline void
sha256_four_rounds(__m128i& abef, __m128i& cdgh, __m128i words, std::size_t round) {
    const auto* constants = reinterpret_cast<const __m128i*>(&sha256_round_constants[round]);
    const auto keyed = _mm_add_epi32(words, _mm_load_si128(constants));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keyed, 0x0e));
}

/// The next four words of the schedule, from the sixteen before them, oldest first.
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline auto
sha256_next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) -> __m128i {
    const auto seven_back = _mm_alignr_epi8(w3, w2, 4);
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), seven_back), w3);
}

/// Four big-endian words of the block.
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline auto sha256_load_words(const char* bytes) -> __m128i {
    const auto swap = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), swap);
}

} // namespace detail

/// Runs blocks through the state with the x86 SHA instructions; `sha256_blocks_native_works()` must hold.
[[gnu::target("sha,sse4.1")]] inline void sha256_blocks_native(sha256_state& state, const char* blocks,
                                                               std::size_t count) {
    auto* words = reinterpret_cast<__m128i*>(state.data());
    const auto cdab = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
    const auto efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
    auto abef = _mm_alignr_epi8(cdab, efgh, 8);
    auto cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

    for (; count != 0; --count, blocks += 64) {
        const auto abef_before = abef;
        const auto cdgh_before = cdgh;
        auto w0 = detail::sha256_load_words(blocks);
        auto w1 = detail::sha256_load_words(blocks + 16);
        auto w2 = detail::sha256_load_words(blocks + 32);
        auto w3 = detail::sha256_load_words(blocks + 48);
        for (std::size_t round = 0; round < 48; round += 16) {
            detail::sha256_four_rounds(abef, cdgh, w0, round);
            w0 = detail::sha256_next_words(w0, w1, w2, w3);
            detail::sha256_four_rounds(abef, cdgh, w1, round + 4);
            w1 = detail::sha256_next_words(w1, w2, w3, w0);
            detail::sha256_four_rounds(abef, cdgh, w2, round + 8);
            w2 = detail::sha256_next_words(w2, w3, w0, w1);
            detail::sha256_four_rounds(abef, cdgh, w3, round + 12);
            w3 = detail::sha256_next_words(w3, w0, w1, w2);
        }
        detail::sha256_four_rounds(abef, cdgh, w0, 48);
        detail::sha256_four_rounds(abef, cdgh, w1, 52);
        detail::sha256_four_rounds(abef, cdgh, w2, 56);
        detail::sha256_four_rounds(abef, cdgh, w3, 60);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    const auto feba = _mm_shuffle_epi32(abef, 0x1b);
    const auto dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

/// Whether this machine has the instructions of `sha256_blocks_native`.
[[nodiscard]] inline auto sha256_blocks_native_works() -> bool {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned sha = 1U << 29; // the compilers of the floor know no name for it
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & sha) == 0) { return false; }
    return __builtin_cpu_supports("sse4.1") != 0 && __builtin_cpu_supports("ssse3") != 0;
}

#else

/// Runs blocks through the state with this machine's own instructions: here there are none, so as everywhere.
inline void sha256_blocks_native(sha256_state& state, const char* blocks, std::size_t count) {
    sha256_blocks_portable(state, blocks, count);
}

/// Whether `sha256_blocks_native` is more than the portable kernel by another name.
[[nodiscard]] inline auto sha256_blocks_native_works() -> bool { return false; }

#endif

/// Runs blocks through the state with the fastest kernel that this machine has.
inline void sha256_blocks(sha256_state& state, const char* blocks, std::size_t count) {
    static const sha256_kernel best = sha256_blocks_native_works() ? sha256_blocks_native : sha256_blocks_portable;
    best(state, blocks, count);
}

} // namespace freshet
