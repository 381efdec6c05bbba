#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/core/fixed_text.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/result.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/key/key_fields.hpp>
#include <freshet/key/key_layout.hpp>
#include <freshet/key/key_scan.hpp>
#include <freshet/key/key_write.hpp>
#include <freshet/key/padded_key_scan.hpp>

namespace freshet {

/// Refuses to compile a pattern with a flaw; the byte of the pattern where it stands is a template argument.
template <key_pattern_flaw Flaw, std::size_t AtByte>
struct flawless_key_pattern {
    using enum key_pattern_flaw;
    static_assert(Flaw != empty_pattern, "a key pattern is not empty");
    static_assert(Flaw != braces, "the braces of a key pattern are unbalanced or nested");
    static_assert(Flaw != field_name, "a key field's name is letters, digits and '_', and starts with no digit");
    static_assert(Flaw != repeated_name, "a key field's name occurs twice");
    static_assert(Flaw != field_kind, "unknown kind of key field: there are {n}, {n:0Nd} (N is 1 to 20), {n:d}, "
                                      "{n:uuid} and a last {n:*}");
    static_assert(Flaw != rest_before_the_end, "a rest field {n:*} stands only at the end of a key pattern");
    static_assert(Flaw != text_neighbour, "ambiguous: a text field is followed by '#' or by the end of the pattern");
    static_assert(Flaw != number_neighbour, "ambiguous: a number field is followed by literal text that starts with "
                                            "no digit, or by the end of the pattern");
    static constexpr bool value = true;
};

/// A pattern taken apart at compile time; the schema of the fields of `key_pattern<Text>`.
template <fixed_text Text>
struct key_parts {
private:
    static constexpr auto layout = read_key_layout<Text.size() + 1>(Text.view());
    static_assert(flawless_key_pattern<layout.flaw, layout.flaw_at>::value);
    static constexpr auto field_total = [] {
        std::size_t total = 0;
        for (const auto& piece : layout.pieces) { total += piece.is_field() ? 1 : 0; }
        return total;
    }();
    template <class Value, class Get>
    static consteval auto of_fields(Get get) {
        std::array<Value, field_total> values{};
        std::size_t at = 0;
        for (const auto& piece : layout.pieces) {
            if (piece.is_field()) { values[at++] = get(piece); }
        }
        return values;
    }

public:
    static constexpr std::string_view text = Text.view();
    static constexpr auto pieces = [] {
        std::array<key_piece, layout.size> used{};
        for (std::size_t i = 0; i < layout.size; ++i) { used[i] = layout.pieces[i]; }
        return used;
    }();
    static constexpr auto field_names =
        of_fields<std::string_view>([](const key_piece& piece) { return piece.of(Text.view()); });
    static constexpr auto field_kinds =
        of_fields<key_field_kind>([](const key_piece& piece) { return piece.field_kind(); });

    /// In keys without a longer run of digits than this, every number has the width that `padded_key_scan` reads.
    static constexpr auto padded_digits = [] {
        std::size_t digits = text.npos;
        for (const auto& piece : pieces) {
            if (piece.kind != key_piece_kind::number) { continue; }
            const auto widest = piece.width > 1 && piece.width < 20 ? piece.width : 19;
            digits = widest < digits ? widest : digits;
        }
        return digits;
    }();

    /// How many pieces stand before field number `field`.
    static constexpr auto pieces_before(std::size_t field) noexcept -> std::size_t {
        std::size_t at = 0;
        for (; at < pieces.size(); ++at) {
            if (pieces[at].is_field() && field-- == 0) { break; }
        }
        return at;
    }
};

/// Which keys a quick look at a pattern may take for all.
enum class key_widths : std::uint8_t {
    padded, ///< those whose numbers are no wider than their padding
    any,
};

/// The shape of a table's keys: literal text and named fields, read and written without loss.
///
/// `key_pattern<"RECEIPT#{receipt_id:05d}#LABEL#{label}">`. Fields: `{name}` is one or more bytes other than '#';
/// `{n:05d}` a number padded with zeros to five digits (1 to 20), `{n:d}` one without leading zeros, both up to
/// 2^64 - 1 and wider than the padding only without a leading zero; `{u:uuid}` is 8-4-4-4-12 hexadecimal digits whose
/// case is kept; a last `{rest:*}` is one or more bytes of any kind. Braces do not occur in literal text. A pattern
/// that could split a key in two ways does not compile. How long a key may be (a table takes 2,048 bytes for a
/// partition key and 1,024 for a sort key) is not checked.
///
/// For all that is accepted, `parse(format(x)) == x` and `format(parse(k)) == k`.
template <fixed_text Text>
struct key_pattern {
private:
    using parts = key_parts<Text>;
    static constexpr bool has_text = [] {
        for (const auto kind : parts::field_kinds) {
            if (kind == key_field_kind::text) { return true; }
        }
        return false;
    }();

public:
    /// The values of the fields: a tuple with names.
    using fields_type = key_fields<parts>;

    static constexpr std::string_view text = parts::text;
    static constexpr std::size_t field_count = parts::field_names.size();
    static constexpr auto field_names = parts::field_names;
    static constexpr auto field_kinds = parts::field_kinds;
    static constexpr std::span<const key_piece> pieces = parts::pieces;
    static constexpr std::size_t padded_digits = parts::padded_digits; ///< see `match`

    /// The fields of `key`, which must match from its first byte to its last; texts are views into it, so a string
    /// that ends with the call is refused where there are any.
    [[nodiscard, gnu::always_inline]] static constexpr auto parse(std::string_view key) -> parsed<fields_type> {
        std::array<key_slice, field_count> slices{};
        if (std::is_constant_evaluated() || !padded_key_scan<parts>::match(key, slices.data())) {
            const auto [fault, found] = scan_bytewise(key);
            if (!fault.reason.empty()) { return fault; }
            slices = found; // a copy: the quick scan's answer can stay in registers
        }
        return from(slices);
    }

    template <passing_string Key>
        requires has_text
    static auto parse(Key&&) -> parsed<fields_type> = delete;

    /// What `parse` says, always by the rule itself.
    [[nodiscard]] static constexpr auto parse_bytewise(std::string_view key) -> parsed<fields_type> {
        const auto [fault, found] = scan_bytewise(key);
        if (!fault.reason.empty()) { return fault; }
        return from(found);
    }

    template <passing_string Key>
        requires has_text
    static auto parse_bytewise(Key&&) -> parsed<fields_type> = delete;

    /// Like `parse`, for those who try several patterns and want the key's own characters: fills `field_count`
    /// slices. `key_widths::padded` is quicker and may leave a key unmatched that has a run of digits longer than
    /// `padded_digits`.
    template <key_widths Widths>
    [[nodiscard]] static constexpr auto match(std::string_view key, key_slice* slices) -> bool {
        if constexpr (Widths == key_widths::padded) {
            if (!std::is_constant_evaluated()) { return padded_key_scan<parts>::match(key, slices); }
        }
        return scan_key(text, pieces, key, slices).reason.empty();
    }
    template <key_widths Widths, passing_string Key>
    static auto match(Key&&, key_slice*) -> bool = delete;

    /// The key of these values (one a field in order, or one `fields_type`); malformed when it would not parse back
    /// to them: a negative number, empty text, text with '#', a uuid that is none, an empty rest.
    template <class... Values>
    [[nodiscard]] static auto format(const Values&... values) -> result<std::string> {
        return write_string(inputs(values...), pieces);
    }

    /// Writes the key of these values and answers with the end of what was written; checks first, so a fault leaves
    /// `out` untouched. The fault's offset is the byte of the refused key. Allocates nothing.
    template <std::output_iterator<const char&> Out, class... Values>
    [[nodiscard]] static constexpr auto format_to(Out out, const Values&... values) -> written_key<Out> {
        const auto given = inputs(values...);
        const auto size = check_key(pieces, given.data());
        if (!size) { return {std::move(out), size.fault()}; }
        return written_key<Out>{write_key(text, pieces, given.data(), std::move(out))};
    }

    /// The bytes that `format_to` would write, or its fault.
    template <class... Values>
    [[nodiscard]] static constexpr auto formatted_size(const Values&... values) -> parsed<std::size_t> {
        return check_key(pieces, inputs(values...).data());
    }

    /// What every key with these first fields begins with, up to just before the first field not given: the text of
    /// a begins_with query. Refuses what `format` refuses.
    template <class... Values>
    [[nodiscard]] static auto prefix(const Values&... values) -> result<std::string> {
        constexpr auto given = sizeof...(Values);
        static_assert(given < field_count || field_count == 0, "all fields of the key are given: use format");
        return write_string(inputs_in_order(std::make_index_sequence<given>{}, values...),
                            pieces.first(parts::pieces_before(given)));
    }

private:
    struct bytewise_scan {
        parse_fault fault;
        std::array<key_slice, field_count> found;
    };
    [[gnu::noinline]] static constexpr auto scan_bytewise(std::string_view key) -> bytewise_scan {
        bytewise_scan scan{};
        scan.fault = scan_key(text, pieces, key, scan.found.data());
        return scan;
    }

    template <std::size_t Size>
    static constexpr auto from(const std::array<key_slice, Size>& slices) -> fields_type {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return fields_type{value_of<field_kinds[I]>(slices[I])...};
        }(std::make_index_sequence<Size>{});
    }
    template <key_field_kind Kind>
    static constexpr auto value_of(const key_slice& slice) noexcept -> key_value<Kind> {
        if constexpr (Kind == key_field_kind::number) { return slice.number; }
        else { return slice.text; }
    }

    template <class... Values>
    static constexpr auto inputs(const Values&... values) {
        static_assert(sizeof...(Values) == field_count, "a key takes one value a field");
        return inputs_in_order(std::make_index_sequence<field_count>{}, values...);
    }
    static constexpr auto inputs(const fields_type& fields) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return inputs_in_order(std::index_sequence<I...>{}, fields.template get<I>()...);
        }(std::make_index_sequence<field_count>{});
    }
    template <std::size_t... I, class... Values>
    static constexpr auto inputs_in_order(std::index_sequence<I...>, const Values&... values) {
        return std::array<key_input, sizeof...(I)>{to_key_input<field_kinds[I]>(values)...};
    }

    static auto write_string(std::span<const key_input> values, std::span<const key_piece> some)
        -> result<std::string> {
        const auto size = check_key(some, values.data());
        if (!size) { return size.fault().as_error("key pattern " + std::string{text}); }
        std::string key(*size, '\0');
        write_key(text, some, values.data(), key.data());
        return key;
    }
};

} // namespace freshet
