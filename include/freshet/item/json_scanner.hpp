#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <freshet/core/parsed.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/item/json_string_kernels.hpp>
#include <freshet/item/name_set.hpp>
#include <freshet/core/text_arena.hpp>

namespace freshet::detail {

/// One JSON string: as it stands in the text with its quotes, and what it says.
struct json_string {
    std::string_view token;
    std::string_view text; ///< into the text itself, or into the arena where escapes had to be decoded
    /// Whether it holds escapes, each of which is longer than what it stands for.
    [[nodiscard]] auto escaped() const noexcept -> bool { return text.size() + 2 < token.size(); }
    /// Whether it says `literal`. A comparison of as many bytes as the compiler knows needs no call.
    template <std::size_t N>
    [[nodiscard]] auto says(const char (&literal)[N]) const noexcept -> bool {
        return text.size() == N - 1 && std::memcmp(text.data(), literal, N - 1) == 0;
    }
};

/// Memory that a scanner uses and its owner keeps from one text to the next.
struct scan_memory {
    text_arena decoded;
    name_set names;
    std::vector<std::uint64_t> open; // of skip_value: the object's number, or 0 for an array

    void reset() {
        decoded.reset();
        names.reset();
        open.clear();
    }
};

/// Reads JSON (RFC 8259) front to back without building anything, and never beyond the text's end.
///
/// Bad syntax or encoding is an `error()`: every later call then fails. What is good JSON but says something
/// wrong is the caller's to `refuse`: the first refusal is kept, and scanning goes on.
///
/// The smallest steps are always inlined: in a large program g++ stops inlining them, and reading takes a tenth longer.
class json_scanner {
public:
    json_scanner(std::string_view text, scan_memory& memory)
        : begin_{text.data()}, next_{text.data()}, end_{text.data() + text.size()}, memory_{memory} {}

    [[nodiscard]] auto error() const noexcept -> const std::optional<parse_fault>& { return error_; }
    [[nodiscard]] auto refusal() const noexcept -> const std::optional<parse_fault>& { return refusal_; }
    void forget_refusal() noexcept { refusal_.reset(); }
    [[nodiscard]] auto memory() noexcept -> scan_memory& { return memory_; }

    [[nodiscard]] auto position() const noexcept -> const char* { return next_; }
    [[nodiscard]] auto offset_of(const char* p) const noexcept -> std::size_t {
        return static_cast<std::size_t>(p - begin_);
    }

    /// Notes that the value at `where` is good JSON and wrong all the same. Always false.
    [[gnu::cold]] auto refuse(const char* where, std::string_view reason) -> bool {
        if (!refusal_) { refusal_ = parse_fault{offset_of(where), reason}; }
        return false;
    }
    /// Takes back what `forget_refusal` set aside.
    void refuse(const parse_fault& earlier) { refusal_ = earlier; }
    /// Gives up at `where`. Always false.
    [[gnu::cold]] auto fail(const char* where, std::string_view reason) -> bool {
        if (!error_) {
            error_ = parse_fault{offset_of(where), where == end_ ? std::string_view{"the text ends too soon"} : reason};
        }
        next_ = end_;
        return false;
    }

    /// The next byte that is not white space, or 0 at the end.
    [[nodiscard, gnu::always_inline]] auto peek() noexcept -> char {
        if (next_ == end_ || *next_ > ' ') { return next_ == end_ ? '\0' : *next_; }
        return peek_behind_blanks();
    }
    /// Takes `c` if it comes next.
    [[nodiscard, gnu::always_inline]] auto take(char c) noexcept -> bool {
        // An absent byte is no NUL.
        if ((next_ == end_ || *next_ != c) && (peek() != c || next_ == end_)) { return false; }
        ++next_;
        return true;
    }
    [[nodiscard, gnu::always_inline]] auto expect(char c, std::string_view reason) -> bool {
        return take(c) || fail(next_, reason);
    }
    /// Takes `literal` if the text goes on with exactly these bytes.
    [[nodiscard, gnu::always_inline]] auto take_text(std::string_view literal) noexcept -> bool {
        if (static_cast<std::size_t>(end_ - next_) < literal.size() ||
            std::memcmp(next_, literal.data(), literal.size()) != 0) {
            return false;
        }
        next_ += literal.size();
        return true;
    }

    /// Reads a string; `peek()` is its quote, or this fails.
    [[nodiscard]] auto string(json_string& out) -> bool {
        if (peek() != '"') { return fail(next_, "a string was expected"); }
        const char* const open = next_;
        bool non_ascii = false;
        const char* p = string_kernel::find_end(open + 1, end_, non_ascii);
        bool escaped = false;
        while (p != end_ && *p == '\\') {
            const auto one = read_escape({p, static_cast<std::size_t>(end_ - p)});
            if (!one) { return fail(p, one.fault().reason); }
            escaped = true;
            p = string_kernel::find_end(p + one->size, end_, non_ascii);
        }
        if (p == end_) { return fail(p, {}); }
        if (*p != '"') { return fail(p, "a control character inside a string"); }
        next_ = p + 1;
        out.token = {open, static_cast<std::size_t>(next_ - open)};
        out.text = out.token.substr(1, out.token.size() - 2);
        if (non_ascii) {
            if (const auto bad = find_bad_utf8(out.text)) { return fail(open + 1 + *bad, "invalid UTF-8"); }
        }
        if (escaped) {
            char* const decoded = memory_.decoded.allocate(out.text.size());
            char* const end = decode_string(decoded, out.text);
            memory_.decoded.shrink_last(end);
            out.text = {decoded, static_cast<std::size_t>(end - decoded)};
        }
        return true;
    }

    /// Reads a number and yields its text.
    [[nodiscard]] auto number(std::string_view& out) -> bool {
        static_cast<void>(peek());
        const char* const open = next_;
        const char* p = next_;
        const auto digits = [&] {
            const char* const first = p;
            while (p != end_ && *p >= '0' && *p <= '9') { ++p; }
            return p != first;
        };
        if (p != end_ && *p == '-') { ++p; }
        if (p != end_ && *p == '0') { ++p; }
        else if (!digits()) { return fail(p, "a value was expected"); }
        if (p != end_ && *p == '.') {
            ++p;
            if (!digits()) { return fail(p, "a number without digits behind its point"); }
        }
        if (p != end_ && (*p == 'e' || *p == 'E')) {
            ++p;
            if (p != end_ && (*p == '+' || *p == '-')) { ++p; }
            if (!digits()) { return fail(p, "a number without digits in its exponent"); }
        }
        next_ = p;
        out = {open, static_cast<std::size_t>(p - open)};
        return true;
    }

    /// Reads `{"name": …, …}` and calls `member(name)` with the scanner before each value, which `member` consumes;
    /// refuses names that repeat.
    template <class Member>
    [[nodiscard]] auto members(Member member) -> bool {
        object_names names{memory_.names};
        if (!expect('{', "an object was expected")) { return false; }
        return take('}') || more_members(names, member);
    }
    /// The same from behind a comma on, where `names` are those of the members before.
    template <class Member>
    [[nodiscard]] auto more_members(object_names& names, Member member) -> bool {
        do {
            json_string name;
            if (!string(name)) { return false; }
            if (!names.add(name.text)) { refuse(name.token.data(), "a name that repeats"); }
            if (!expect(':', "a colon was expected") || !member(name)) { return false; }
        } while (take(','));
        return expect('}', more_or_end);
    }
    /// Reads past what follows the first member of an object and its comma.
    [[nodiscard]] auto skip_members() -> bool {
        object_names names{memory_.names};
        return more_members(names, [&](const json_string&) { return skip_value(); });
    }
    static constexpr std::string_view more_or_end = "a comma or a closing brace was expected";

    /// Reads `[…, …]` and calls `element()` before each value, which `element` consumes.
    template <class Element>
    [[nodiscard]] auto elements(Element element) -> bool {
        if (!expect('[', "an array was expected")) { return false; }
        if (take(']')) { return true; }
        do {
            if (!element()) { return false; }
        } while (take(','));
        return expect(']', "a comma or a closing bracket was expected");
    }

    /// Reads past any value, however deep; refuses names that repeat within one object.
    [[nodiscard]] auto skip_value() -> bool {
        auto& open = memory_.open;
        const auto outer = open.size();
        for (;;) {
            if (const char c = peek(); c == '{' || c == '[') {
                ++next_;
                open.push_back(c == '{' ? memory_.names.open() : 0);
                if (!take(c == '{' ? '}' : ']')) {
                    if (c == '{' && !skip_name(open.back())) { return false; }
                    continue;
                }
                open.pop_back();
            } else if (!skip_scalar(c)) {
                return false;
            }
            while (open.size() > outer && !take(',')) {
                if (!expect(open.back() != 0 ? '}' : ']', "a comma or a closing bracket was expected")) {
                    return false;
                }
                open.pop_back();
            }
            if (open.size() == outer) { return true; }
            if (open.back() != 0 && !skip_name(open.back())) { return false; }
        }
    }

    /// Whether nothing but white space is left.
    [[nodiscard]] auto at_end() noexcept -> bool { return peek() == '\0' && next_ == end_; }

private:
    [[nodiscard]] auto peek_behind_blanks() noexcept -> char {
        while (next_ != end_ && (*next_ == ' ' || *next_ == '\n' || *next_ == '\t' || *next_ == '\r')) { ++next_; }
        return next_ == end_ ? '\0' : *next_;
    }

    [[nodiscard]] auto skip_name(std::uint64_t object_number) -> bool {
        json_string name;
        if (!string(name)) { return false; }
        if (!memory_.names.add(object_number, name.text)) { refuse(name.token.data(), "a name that repeats"); }
        return expect(':', "a colon was expected");
    }

    [[nodiscard]] auto skip_scalar(char c) -> bool {
        json_string text;
        std::string_view digits;
        switch (c) {
            case '"': return string(text);
            case 't': return take_text("true") || fail(next_, "a value was expected");
            case 'f': return take_text("false") || fail(next_, "a value was expected");
            case 'n': return take_text("null") || fail(next_, "a value was expected");
            default: return number(digits);
        }
    }

    const char* begin_;
    const char* next_;
    const char* end_;
    scan_memory& memory_;
    std::optional<parse_fault> error_;
    std::optional<parse_fault> refusal_;
};

} // namespace freshet::detail
