#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <freshet/backend/message.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/core/parsed.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/letter/queue_id.hpp>

namespace freshet {

/// What could not be handled, with everything that is needed to handle it later.
struct dead_letter {
    std::string origin;   ///< where it came from: `stream`, or a queue's name
    std::string id;       ///< what it is called there: an event id or a message id
    std::string sequence; ///< its sequence number, decimal digits; empty where that cannot be read
    std::string group;    ///< letters of one group stay in order; empty: it has none
    error why;
    unsigned attempts{1};
    time_point first_seen{};
    std::string bytes; ///< the record, or the message's body, as it came
    /// Whether `bytes` is there: what is larger than the dead-letter queue takes is left out, and only told of.
    bool complete{true};
};

namespace detail::letters {

/// Whether a queue takes the text in a body as it stands (Amazon SQS, `SendMessage`).
[[nodiscard]] inline auto passes(std::string_view text) -> bool {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') { return false; }
        if (text.compare(i, 3, "\xef\xbf\xbe") == 0 || text.compare(i, 3, "\xef\xbf\xbf") == 0) { return false; }
    }
    return !find_bad_utf8(text);
}

/// `%` and all bytes that are not printable ASCII as `%HH`.
[[nodiscard]] inline auto escaped(std::string_view text) -> std::string {
    std::string out;
    for (const char c : text) {
        std::array<char, 3> hex;
        if (c >= ' ' && c <= '~' && c != '%') { out += c; }
        else { out.append(hex.data(), queue_ids::write_escape(hex.data(), static_cast<unsigned char>(c))); }
    }
    return out;
}

[[nodiscard]] inline auto unescaped(std::string_view text) -> std::optional<std::string> {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = static_cast<unsigned char>(text[i]);
        if (text[i] == '%') {
            const auto* const hex = text.data() + i + 1;
            if (text.size() - i < 3 || std::from_chars(hex, hex + 2, byte, 16).ptr != hex + 2) { return std::nullopt; }
            i += 2;
        }
        out += static_cast<char>(byte);
    }
    return out;
}

} // namespace detail::letters

/// The letter as a message's body: one line of DynamoDB JSON that a person can read, then the bytes as they came.
///
/// Where the bytes hold what a queue does not take (control characters, bad UTF-8), all texts stand there
/// percent-encoded, and the line says so.
[[nodiscard]] inline auto to_text(const dead_letter& letter) -> std::string {
    const auto texts = {&letter.origin, &letter.id, &letter.sequence, &letter.group, &letter.why.note, &letter.bytes};
    const bool plain =
        std::all_of(texts.begin(), texts.end(), [](const auto* text) { return detail::letters::passes(*text); });
    const auto text = [&](const std::string& raw) { return plain ? raw : detail::letters::escaped(raw); };

    std::string out;
    const auto put = [&](std::string_view name, std::string_view type, std::string_view value) {
        out += out.empty() ? "{" : ",";
        detail::append_json_string(out, name);
        out.append(":{\"").append(type).append("\":");
        if (type == "BOOL") { out += value; }
        else { detail::append_json_string(out, value); }
        out += '}';
    };
    const auto first_seen = format_rfc3339(letter.first_seen, 6);
    put("origin", "S", text(letter.origin));
    put("id", "S", text(letter.id));
    put("sequence", "S", text(letter.sequence));
    put("group", "S", text(letter.group));
    put("reason", "S", name_of(letter.why.code));
    put("note", "S", text(letter.why.note));
    put("attempts", "N", std::to_string(letter.attempts));
    put("first_seen", "S", first_seen ? first_seen->view() : std::string_view{});
    put("complete", "BOOL", letter.complete ? "true" : "false");
    put("escaped", "BOOL", plain ? "false" : "true");
    return out.append("}\n").append(text(letter.bytes));
}

/// Reads what `to_text` wrote; anything else is malformed.
[[nodiscard]] inline auto parse_dead_letter(std::string_view body) -> result<dead_letter> {
    const auto refuse = [](std::string_view why) {
        return error{errc::malformed, "dead letter: " + std::string{why}};
    };
    const auto line_end = body.find('\n');
    if (line_end == std::string_view::npos) { return refuse("no line end"); }
    const auto header = document::parse(std::string{body.substr(0, line_end)});
    if (!header) { return refuse(header.why().note); }
    const auto escaped = header->image().find("escaped");
    const auto complete = header->image().find("complete");
    for (const auto& flag : {escaped, complete}) {
        if (!flag || flag->type() != attribute_type::boolean) { return refuse("escaped or complete is missing"); }
    }

    dead_letter letter;
    bool good = true;
    const auto text = [&](std::string_view raw) -> std::string {
        if (!escaped->boolean()) { return std::string{raw}; }
        auto decoded = detail::letters::unescaped(raw);
        good = good && decoded;
        return decoded ? *std::move(decoded) : std::string{};
    };
    const auto field = [&](std::string_view name) -> std::string_view {
        const auto found = header->image().find(name);
        good = good && found && found->type() <= attribute_type::number; // a text or a number
        return found ? found->text() : std::string_view{};
    };
    letter.origin = text(field("origin"));
    letter.id = text(field("id"));
    letter.sequence = text(field("sequence"));
    letter.group = text(field("group"));
    letter.why.note = text(field("note"));
    const auto reason = field("reason");
    bool known = false;
    for (const auto code : {errc::unavailable, errc::throttled, errc::too_large, errc::conflict, errc::malformed,
                            errc::denied, errc::expired, errc::failed}) {
        if (name_of(code) != reason) { continue; }
        letter.why.code = code;
        known = true;
    }
    const auto attempts = field("attempts");
    const auto* const digits_end = attempts.data() + attempts.size();
    const auto [end, bad] = std::from_chars(attempts.data(), digits_end, letter.attempts);
    known = known && end == digits_end && bad == std::errc{};
    if (const auto when = field("first_seen"); !when.empty()) { // empty: no year that can be written
        const auto first_seen = parse_rfc3339(when);
        known = known && first_seen;
        letter.first_seen = first_seen.value_or({});
    }
    letter.bytes = text(body.substr(line_end + 1));
    letter.complete = complete->boolean();
    if (!good || !known) { return refuse("a field is missing, or not what it says"); }
    return letter;
}

/// Hands a letter to a dead-letter queue. Success says that the queue has it.
///
/// A letter that is sent again within the queue's deduplication time is one letter: same origin, id and bytes, whatever
/// the reason and the attempts. One that is larger than the queue takes is sent without its bytes, and with its other
/// texts cut where that is not enough.
template <class Queue>
[[nodiscard]] auto send_dead_letter(Queue& queue, const dead_letter& letter) -> result<void> {
    constexpr std::size_t cut = 40;
    constexpr std::string_view between{"\0", 1};
    sha256 identity;
    for (const auto* text : {&letter.origin, &letter.id, &letter.bytes}) { identity.update(*text).update(between); }
    const auto digest = hex(identity.finish());
    const auto group = make_queue_id(letter.group.empty() ? letter.id : letter.group);
    auto text = to_text(letter);
    const auto message = [&]() -> message_view {
        return {.queue = {},
                .group_id = group,
                .deduplication_id = {digest.data(), digest.size()},
                .body = text,
                .sequence = letter.sequence};
    };
    const auto limits = static_cast<queue_limits>(queue.limits());
    const auto fits = [&] { return message().payload_bytes() <= std::min(limits.message_bytes, limits.request_bytes); };
    if (!fits()) {
        auto told = letter;
        told.bytes.clear();
        told.complete = false;
        text = to_text(told);
        if (!fits()) {
            for (auto* each : {&told.origin, &told.id, &told.group, &told.why.note}) {
                each->resize(std::min(each->size(), cut));
            }
            text = to_text(told);
        }
    }
    const auto entry = message();
    auto sent = queue.send(std::span{&entry, 1});
    if (!sent) { return std::move(sent).why(); }
    if (!sent->empty()) { return std::move(sent->front().why); }
    return {};
}

} // namespace freshet
