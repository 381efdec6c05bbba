#include <adapters/queue_rules.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/item/json_string.hpp>

#include <support/cases.hpp>

namespace {

using adapters::queue_options;
using freshet::errc;
using freshet::message_view;

const queue_options fifo{.name = "lines"};
const queue_options standard{.name = "lines", .fifo = false};

auto good() -> message_view {
    return {.queue = {}, .group_id = "g", .deduplication_id = "d", .body = "b", .sequence = "1"};
}

auto with_body(std::string_view body) -> message_view {
    auto message = good();
    message.body = body;
    return message;
}
auto with_group(std::string_view id) -> message_view {
    auto message = good();
    message.group_id = id;
    return message;
}
auto with_id(std::string_view id) -> message_view {
    auto message = good();
    message.deduplication_id = id;
    return message;
}

auto code_of(const message_view& message, const queue_options& queue) -> std::optional<errc> {
    const auto why = adapters::why_refused(message, queue);
    if (!why) { return std::nullopt; }
    CHECK(why->note.starts_with("queue lines: "));
    return why->code;
}

} // namespace

TEST_CASE("a body may have every character of XML 1.0 and no other") {
    for (std::uint32_t c = 0; c < 0x110000; c += c < 0x300 || (c >= 0xd7f0 && c < 0x10010) ? 1 : 0x101) {
        const bool surrogate = c >= 0xd800 && c <= 0xdfff;
        const bool taken = c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && !surrogate && c <= 0xfffd) || c >= 0x10000;
        std::array<char, 6> text{'a'};
        const auto* end = freshet::detail::write_utf8(text.data() + 1, c);
        const std::string_view body{text.data(), static_cast<std::size_t>(end - text.data())};
        CAPTURE(c);
        REQUIRE(adapters::find_refused_character(body) == (taken ? std::nullopt : std::optional<std::size_t>{1}));
        REQUIRE(code_of(with_body(body), fifo) == (taken ? std::nullopt : std::optional{errc::malformed}));
    }
}

TEST_CASE("the first refused character is named, be it bad encoding or a character that no queue takes") {
    CHECK(adapters::find_refused_character("") == std::nullopt);
    CHECK(adapters::find_refused_character("ab\x80 \x01") == 2);
    CHECK(adapters::find_refused_character("ab\x01 \x80") == 2);
    CHECK(adapters::find_refused_character("ab\xef\xbf\xbf\x80") == 2);
    CHECK_MESSAGE(adapters::find_refused_character("\xef\xbf") == 0, "cut inside a character");
    CHECK_MESSAGE(adapters::find_refused_character("\xc0\x80") == 0, "overlong");
    CHECK_MESSAGE(adapters::find_refused_character("\xf4\x90\x80\x80") == 0, "beyond U+10FFFF");
}

TEST_CASE("random bytes are refused where their encoding breaks or a control character stands, whichever is first") {
    std::mt19937_64 random{support::seed()};
    CAPTURE(support::seed());
    constexpr std::string_view pieces[]{
        "a", "\t", "\x01", "\x1f", " ", "\xc3\xa9", "\xef\xbf\xbd", "\xef\xbf\xbe", "\xef", "\xbf", "\xf0\x9f\x98\x80"};
    for (std::size_t i = 0; i < support::cases(5'000); ++i) {
        std::string body;
        for (auto left = random() % 12; left != 0; --left) { body += pieces[random() % std::size(pieces)]; }
        auto expected = freshet::detail::find_bad_utf8(body);
        for (std::size_t at = 0; at < body.size() && (!expected || at < *expected); ++at) {
            const auto three = body.substr(at, 3);
            if (body[at] == '\x01' || body[at] == '\x1f' || three == "\xef\xbf\xbe" || three == "\xef\xbf\xbf") {
                expected = at;
            }
        }
        CAPTURE(body);
        REQUIRE(adapters::find_refused_character(body) == expected);
    }
}

TEST_CASE("a FIFO queue takes ids of 1 to 128 printable ASCII characters, and no message without a group") {
    for (int c = 0; c < 256; ++c) {
        CAPTURE(c);
        const std::string id(1, static_cast<char>(c));
        const auto expected = c > ' ' && c <= '~' ? std::nullopt : std::optional{errc::malformed};
        CHECK(code_of(with_group(id), fifo) == expected);
        CHECK(code_of(with_id(id), fifo) == expected);
        CHECK(code_of(with_group(id), standard) == expected);
    }
    CHECK(code_of(with_group(std::string(128, 'g')), fifo) == std::nullopt);
    CHECK(code_of(with_group(std::string(129, 'g')), fifo) == errc::malformed);
    CHECK(code_of(with_id(std::string(128, 'd')), fifo) == std::nullopt);
    CHECK(code_of(with_id(std::string(129, 'd')), fifo) == errc::malformed);
    CHECK(code_of(with_group(""), fifo) == errc::malformed);
    CHECK(code_of(with_group(""), standard) == std::nullopt);
    CHECK_MESSAGE(code_of(with_id(""), fifo) == std::nullopt, "the body's digest stands for it");
    CHECK_MESSAGE(code_of(with_id("no id"), standard) == std::nullopt, "nobody reads it");
    queue_options narrow{.name = "lines"};
    narrow.limits.id_bytes = 4;
    CHECK(code_of(with_group("four"), narrow) == std::nullopt);
    CHECK(code_of(with_group("fives"), narrow) == errc::malformed);
}

TEST_CASE("a message counts with its attribute, up to the limit and not beyond") {
    queue_options small{.name = "lines"};
    small.limits.message_bytes = 1024;
    const std::string body(1024 - 22, 'x'); // "sequence_number", "String", "1"
    CHECK(with_body(body).payload_bytes() == 1024);
    CHECK(code_of(with_body(body), small) == std::nullopt);
    CHECK(code_of(with_body(body + "x"), small) == errc::too_large);
    CHECK(code_of(with_body(""), small) == errc::malformed);
    auto odd = good();
    odd.sequence = "\x01";
    CHECK(code_of(odd, small) == errc::malformed);
}

TEST_CASE("a request has 1 to 10 entries, and no more bytes than the limit") {
    const auto code = [](const std::vector<message_view>& entries, const queue_options& queue) -> std::optional<errc> {
        const auto looked_at = adapters::check_request(entries, queue);
        if (looked_at) { return std::nullopt; }
        CHECK(looked_at.why().note.starts_with("queue lines: a request"));
        return looked_at.why().code;
    };
    CHECK(code({}, fifo) == errc::malformed);
    CHECK(code(std::vector<message_view>(10, good()), fifo) == std::nullopt);
    CHECK(code(std::vector<message_view>(11, good()), fifo) == errc::too_large);
    queue_options small{.name = "lines"};
    small.limits.request_bytes = 2 * good().payload_bytes();
    CHECK(code({good(), good()}, small) == std::nullopt);
    CHECK(code({good(), with_body("bb")}, small) == errc::too_large);
    CHECK_MESSAGE(code({with_body("")}, fifo) == std::nullopt, "an entry's own faults are its own");
}

TEST_CASE("a message is known by its own id, or by the SHA-256 of its body alone") {
    CHECK(adapters::deduplication_id_of(with_id("mine")) == "mine");
    auto message = with_id("");
    message.body = "abc";
    CHECK(adapters::deduplication_id_of(message) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    message.sequence = "2";
    message.group_id = "other";
    CHECK(adapters::deduplication_id_of(message) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
