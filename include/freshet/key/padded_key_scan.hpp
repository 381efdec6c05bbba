#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include <freshet/key/key_layout.hpp>
#include <freshet/key/key_scan.hpp>

namespace freshet {

/// The value of exactly `Width` decimal digits, 19 at most, already known to be digits.
template <std::size_t Width>
[[nodiscard, gnu::always_inline]] inline auto known_digits(const char* digits) noexcept -> std::uint64_t {
    if constexpr (Width >= 4 && std::endian::native == std::endian::little) {
        std::uint32_t word = 0;
        std::memcpy(&word, digits + Width - 4, 4);
        word = (word & 0x0f0f0f0f) * 10 + ((word >> 8) & 0x000f0f0f); // bytes 0 and 2 hold the digit pairs
        const std::uint64_t low = (word & 0xff) * 100 + ((word >> 16) & 0xff);
        return known_digits<Width - 4>(digits) * 10'000 + low;
    } else {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < Width; ++i) { value = value * 10 + static_cast<std::uint64_t>(digits[i] - '0'); }
        return value;
    }
}

/// Checks hexadecimal digits eight bytes at a time.
struct hex_check {
    static constexpr std::uint64_t high_bits = 0x8080808080808080;
    static constexpr std::uint64_t ones = 0x0101010101010101;

    /// The high bit of every byte that is no hexadecimal digit; the other bits mean nothing.
    [[nodiscard]] static constexpr auto misfits(std::uint64_t bytes) noexcept -> std::uint64_t {
        const auto ascii = bytes & ~high_bits; // sums of two such bytes below cannot carry into a neighbour
        const auto digit = (ascii + ones * (0x80 - '0')) & ~(ascii + ones * (0x7f - '9'));
        const auto lower = ascii | ones * 0x20;
        const auto letter = (lower + ones * (0x80 - 'a')) & ~(lower + ones * (0x7f - 'f'));
        return ~(digit | letter) | bytes;
    }

    /// Whether the 32 places of a uuid that are no dashes are hexadecimal digits; 36 bytes must be readable.
    [[nodiscard]] static auto uuid_digits(const char* uuid) noexcept -> bool {
        const auto bad = misfits(word(uuid, uuid + 4)) | misfits(word(uuid + 9, uuid + 14)) |
                         misfits(word(uuid + 19, uuid + 24)) | misfits(word(uuid + 28, uuid + 32));
        return (bad & high_bits) == 0;
    }

private:
    [[nodiscard]] static auto word(const char* four, const char* four_more) noexcept -> std::uint64_t {
        std::uint32_t a = 0;
        std::uint32_t b = 0;
        std::memcpy(&a, four, 4);
        std::memcpy(&b, four_more, 4);
        return std::uint64_t{b} << 32 | a;
    }
};

/// Matches keys whose numbers have exactly their padded width, as nearly all have, eight bytes a step.
///
/// Stretches of known length (literals, padded numbers, uuids) are checked as a whole against a template made at
/// compile time. `false` means "ask `scan_key`": the key is refused, or holds a wider number. Reads no byte outside
/// the key. Not for constant expressions. `Parts` names a flawless pattern's `text` and its `pieces`, an array.
template <class Parts>
class padded_key_scan {
public:
    [[nodiscard, gnu::always_inline]] static auto match(std::string_view key, key_slice* slices) noexcept -> bool {
        return step<0>(key.data(), key.data() + key.size(), slices);
    }

private:
    static constexpr const auto& pieces = Parts::pieces;
    static constexpr std::size_t count = Parts::pieces.size();

    /// The bytes a piece takes, or 0 where only the key knows. Up to 19 digits cannot overflow; a number padded to
    /// one digit is a number of any width.
    static constexpr auto fixed_size(const key_piece& piece) noexcept -> std::size_t {
        switch (piece.kind) {
            case key_piece_kind::literal: return piece.size;
            case key_piece_kind::uuid: return uuid_size;
            case key_piece_kind::number: return piece.width > 1 && piece.width < 20 ? piece.width : 0;
            default: return 0;
        }
    }
    static constexpr auto stretch_end(std::size_t piece) noexcept -> std::size_t {
        while (piece < count && fixed_size(pieces[piece]) > 0) { ++piece; }
        return piece;
    }
    static constexpr auto stretch_size(std::size_t first, std::size_t last) noexcept -> std::size_t {
        std::size_t size = 0;
        for (; first < last; ++first) { size += fixed_size(pieces[first]); }
        return size;
    }

    /// A byte b fits when, with x = (b ^ expected) & care, neither x nor x + slack reaches 0x80: slack 0x7f asks for
    /// x == 0, slack 0x76 for x <= 9. A sum carries into its neighbour only where x itself is refused.
    struct window {
        std::array<unsigned char, 8> expected{};
        std::array<unsigned char, 8> care{};
        std::array<unsigned char, 8> slack{};
    };

    /// The eight bytes from `from` on of the stretch of pieces [first, last).
    static constexpr auto window_at(std::size_t first, std::size_t last, std::size_t from) noexcept -> window {
        window w;
        std::size_t at = 0;
        for (; first < last; ++first) {
            const auto& piece = pieces[first];
            for (std::size_t i = 0; i < fixed_size(piece); ++i, ++at) {
                if (at < from || at >= from + 8) { continue; }
                const bool digit = piece.kind == key_piece_kind::number;
                const bool hex = piece.kind == key_piece_kind::uuid && !is_uuid_dash(i);
                const char byte = piece.kind == key_piece_kind::literal ? piece.of(Parts::text)[i] : '-';
                w.expected[at - from] = static_cast<unsigned char>(digit ? '0' : byte);
                w.care[at - from] = hex ? 0x00 : 0xff;
                w.slack[at - from] = digit ? 0x76 : 0x7f;
            }
        }
        return w;
    }

    template <std::size_t First, std::size_t Last, std::size_t From, std::size_t Size>
    [[gnu::always_inline]] static auto misfits(const char* stretch) noexcept -> std::uint64_t {
        constexpr window w = window_at(First, Last, From);
        constexpr auto care = std::bit_cast<std::uint64_t>(w.care);
        if constexpr (care == 0) { return 0; }
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, stretch + From, Size);
        const auto x = (bytes ^ std::bit_cast<std::uint64_t>(w.expected)) & care;
        return (x + std::bit_cast<std::uint64_t>(w.slack)) | x;
    }

    template <std::size_t First, std::size_t Last, std::size_t Size>
    [[gnu::always_inline]] static auto fits(const char* stretch) noexcept -> bool {
        std::uint64_t bad = 0;
        if constexpr (Size < 8) {
            bad = misfits<First, Last, 0, Size>(stretch);
        } else {
            bad = misfits<First, Last, Size - 8, 8>(stretch); // may overlap the last whole window
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                ((bad |= misfits<First, Last, I * 8, 8>(stretch)), ...);
            }(std::make_index_sequence<Size / 8>{});
        }
        return (bad & hex_check::high_bits) == 0;
    }

    /// Fills the slices of a stretch whose template fits; false where a uuid holds something else than hex digits.
    template <std::size_t Piece, std::size_t Last>
    [[gnu::always_inline]] static auto take(const char* at, key_slice*& slices) noexcept -> bool {
        if constexpr (Piece < Last) {
            constexpr auto piece = pieces[Piece];
            constexpr auto size = fixed_size(piece);
            if constexpr (piece.kind == key_piece_kind::uuid) {
                if (!hex_check::uuid_digits(at)) { return false; }
                *slices++ = {{at, size}, 0};
            } else if constexpr (piece.kind == key_piece_kind::number) {
                *slices++ = {{at, size}, known_digits<size>(at)};
            }
            return take<Piece + 1, Last>(at + size, slices);
        }
        return true;
    }

    template <std::size_t Piece>
    [[gnu::always_inline]] static auto step(const char* at, const char* end, key_slice* slices) noexcept -> bool {
        const auto left = static_cast<std::size_t>(end - at);
        if constexpr (Piece == count) {
            return left == 0;
        } else if constexpr (constexpr auto last = stretch_end(Piece); last > Piece) {
            constexpr auto size = stretch_size(Piece, last);
            if (last == count ? left != size : left < size) { return false; }
            return fits<Piece, last, size>(at) && take<Piece, last>(at, slices) && step<last>(at + size, end, slices);
        } else {
            const auto taken = variable_size<Piece>({at, left}, *slices);
            return taken > 0 && step<Piece + 1>(at + taken, end, slices + 1);
        }
    }

    /// Fills the slice of a field that only the key bounds; 0 where it is refused or left to `scan_key`.
    template <std::size_t Piece>
    [[gnu::always_inline]] static auto variable_size(std::string_view left, key_slice& slice) noexcept -> std::size_t {
        constexpr auto piece = pieces[Piece];
        std::size_t taken = 0;
        if constexpr (piece.kind == key_piece_kind::number && piece.width > 1) {
            return 0; // padded to 20 digits
        } else if constexpr (piece.kind == key_piece_kind::number) {
            slice.number = 0;
            for (; taken < left.size() && taken < 20 && is_decimal_digit(left[taken]); ++taken) {
                slice.number = slice.number * 10 + static_cast<std::uint64_t>(left[taken] - '0');
            }
            if (taken >= 20 || (taken > 1 && left.front() == '0')) { return 0; }
        } else {
            taken = piece.kind == key_piece_kind::text ? find_byte(left, '#') : left.size();
        }
        slice.text = left.substr(0, taken);
        return taken;
    }
};

} // namespace freshet
