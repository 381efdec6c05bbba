#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <freshet/key/key_layout.hpp>
#include <freshet/key/key_scan.hpp>

namespace freshet {

/// A flawless key pattern as a nondeterministic automaton: what may come next after some bytes of a key.
///
/// Numbers are taken to have at most 20 digits; that the largest of those are beyond 64 bits is not seen.
class key_automaton {
public:
    /// Having matched the pieces before `piece`, and `taken` bytes of it; of a number also whether it began with '0'.
    struct state {
        std::size_t piece{};
        std::size_t taken{};
        bool zero_first{};
    };

    enum class byte_kind : std::uint8_t { one, any, not_hash, digit, digit_not_zero, hex };

    /// A byte that may come next: `byte` itself for `one`, else any of a kind; and where it leads.
    struct edge {
        byte_kind kind{};
        char byte{};
        state to;
    };

    struct edges {
        std::array<edge, 4> list{};
        std::size_t size{};
        constexpr void add(edge e) { list[size++] = e; }
    };

    constexpr key_automaton(std::string_view pattern, std::span<const key_piece> pieces) noexcept
        : pattern_{pattern}, pieces_{pieces} {}

    /// States are numbered below this.
    [[nodiscard]] constexpr auto state_count() const noexcept -> std::size_t {
        std::size_t total = 0;
        for (const auto& piece : pieces_) { total += states_of(piece); }
        return total;
    }
    [[nodiscard]] constexpr auto number_of(const state& s) const noexcept -> std::size_t {
        std::size_t before = 0;
        for (std::size_t i = 0; i < s.piece; ++i) { before += states_of(pieces_[i]); }
        return before + s.taken * 2 + (s.zero_first ? 1 : 0);
    }

    /// Whether the key may end here.
    [[nodiscard]] constexpr auto accepts(const state& s) const noexcept -> bool {
        return s.piece + 1 == pieces_.size() && may_leave(s);
    }

    [[nodiscard]] constexpr auto next(const state& s) const noexcept -> edges {
        edges all;
        add_within(s, all);
        if (s.piece + 1 < pieces_.size() && may_leave(s)) { add_within({s.piece + 1, 0, false}, all); }
        return all;
    }

    /// Whether some byte is both.
    [[nodiscard]] static constexpr auto meet(const edge& a, const edge& b) noexcept -> bool {
        if (a.kind == byte_kind::one) { return contains(b, a.byte); }
        if (b.kind == byte_kind::one) { return contains(a, b.byte); }
        return true; // every other kind contains '5'
    }

private:
    static constexpr std::size_t most_digits = 20;

    static constexpr auto states_of(const key_piece& piece) noexcept -> std::size_t {
        switch (piece.kind) {
            case key_piece_kind::literal: return 2 * (piece.size + 1);
            case key_piece_kind::uuid: return 2 * (uuid_size + 1);
            case key_piece_kind::number: return 2 * (most_digits + 1);
            default: return 4;
        }
    }

    [[nodiscard]] constexpr auto may_leave(const state& s) const noexcept -> bool {
        const auto& piece = pieces_[s.piece];
        switch (piece.kind) {
            case key_piece_kind::literal: return s.taken == piece.size;
            case key_piece_kind::uuid: return s.taken == uuid_size;
            case key_piece_kind::number: return s.zero_first ? s.taken == piece.width : s.taken >= piece.width;
            default: return s.taken > 0;
        }
    }

    constexpr void add_within(const state& s, edges& all) const noexcept {
        const auto& piece = pieces_[s.piece];
        const state one_more{s.piece, s.taken + 1, s.zero_first};
        switch (piece.kind) {
            case key_piece_kind::literal:
                if (s.taken < piece.size) { all.add({byte_kind::one, piece.of(pattern_)[s.taken], one_more}); }
                break;
            case key_piece_kind::uuid:
                if (s.taken == uuid_size) { break; }
                all.add({is_uuid_dash(s.taken) ? byte_kind::one : byte_kind::hex, '-', one_more});
                break;
            case key_piece_kind::number:
                if (s.taken == 0) {
                    all.add({byte_kind::one, '0', {s.piece, 1, true}});
                    all.add({byte_kind::digit_not_zero, {}, {s.piece, 1, false}});
                } else if (s.taken < (s.zero_first ? piece.width : most_digits)) {
                    all.add({byte_kind::digit, {}, one_more});
                }
                break;
            case key_piece_kind::text: all.add({byte_kind::not_hash, {}, {s.piece, 1, false}}); break;
            case key_piece_kind::rest: all.add({byte_kind::any, {}, {s.piece, 1, false}}); break;
        }
    }

    static constexpr auto contains(const edge& e, char c) noexcept -> bool {
        switch (e.kind) {
            case byte_kind::one: return e.byte == c;
            case byte_kind::any: return true;
            case byte_kind::not_hash: return c != '#';
            case byte_kind::digit: return is_decimal_digit(c);
            case byte_kind::digit_not_zero: return is_decimal_digit(c) && c != '0';
            case byte_kind::hex: return is_decimal_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        }
        return false;
    }

    std::string_view pattern_;
    std::span<const key_piece> pieces_;
};

/// The pairs of states that one key leads two automata to, each once, in the order they were found.
class key_state_pairs {
public:
    struct pair {
        key_automaton::state a;
        key_automaton::state b;
    };

    constexpr key_state_pairs(const key_automaton& a, const key_automaton& b)
        : a_{a}, b_{b}, width_{b.state_count()}, seen_{new std::uint64_t[a.state_count() * width_ / 64 + 1]{}} {}
    key_state_pairs(const key_state_pairs&) = delete;
    auto operator=(const key_state_pairs&) -> key_state_pairs& = delete;
    constexpr ~key_state_pairs() {
        delete[] seen_;
        delete[] found_;
    }

    [[nodiscard]] constexpr auto size() const noexcept -> std::size_t { return size_; }
    [[nodiscard]] constexpr auto operator[](std::size_t i) const noexcept -> pair { return found_[i]; }

    constexpr void add(const pair& p) {
        const auto bit = a_.number_of(p.a) * width_ + b_.number_of(p.b);
        const auto mask = std::uint64_t{1} << bit % 64;
        if ((seen_[bit / 64] & mask) != 0) { return; }
        seen_[bit / 64] |= mask;
        if (size_ == capacity_) { grow(); }
        found_[size_++] = p;
    }

private:
    // Not std::vector: it is no literal type yet in every library that must read this in a constant expression.
    constexpr void grow() {
        capacity_ = capacity_ * 2 + 16;
        auto* roomier = new pair[capacity_];
        for (std::size_t i = 0; i < size_; ++i) { roomier[i] = found_[i]; }
        delete[] found_;
        found_ = roomier;
    }

    const key_automaton& a_;
    const key_automaton& b_;
    std::size_t width_;
    std::uint64_t* seen_;
    pair* found_{};
    std::size_t size_{};
    std::size_t capacity_{};
};

/// Whether some key matches both patterns.
[[nodiscard]] constexpr auto keys_overlap(const key_automaton& a, const key_automaton& b) -> bool {
    key_state_pairs reached{a, b};
    reached.add({});
    for (std::size_t i = 0; i < reached.size(); ++i) {
        const auto at = reached[i];
        if (a.accepts(at.a) && b.accepts(at.b)) { return true; }
        const auto from_a = a.next(at.a);
        const auto from_b = b.next(at.b);
        for (std::size_t x = 0; x < from_a.size; ++x) {
            for (std::size_t y = 0; y < from_b.size; ++y) {
                if (key_automaton::meet(from_a.list[x], from_b.list[y])) {
                    reached.add({from_a.list[x].to, from_b.list[y].to});
                }
            }
        }
    }
    return false;
}

} // namespace freshet
