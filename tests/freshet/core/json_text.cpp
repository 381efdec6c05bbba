#include <freshet/core/json_text.hpp>

#include <cstddef>
#include <random>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <support/cases.hpp>

namespace {

auto json_of(std::string_view text) -> std::string {
    std::string out;
    freshet::detail::append_json_text(out, text);
    return out;
}

} // namespace

TEST_CASE("a text is quoted, and only what JSON demands is escaped") {
    CHECK(json_of("") == R"("")");
    CHECK(json_of("a/b é 🌊") == R"("a/b é 🌊")");
    CHECK(json_of("\"\\\n\x01\x1f\x7f") == "\"\\\"\\\\\\u000a\\u0001\\u001f\x7f\"");
    CHECK(json_of(std::string_view{"\0", 1}) == R"("\u0000")");
}

TEST_CASE("each byte that is no UTF-8 becomes a replacement character") {
    CHECK(json_of("a\xff\xc3(\xe2\x82") == "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("whatever the bytes, it is JSON, and what was UTF-8 comes back") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t i = 0; i != support::cases(2'000); ++i) {
        std::string text;
        for (auto left = random() % 12; left > 0; --left) {
            constexpr const char* pieces[]{"é", "🌊", "\"", "\\", "\n", "\xe2\x80\xa8", "x"};
            if (random() % 3 == 0) {
                text += static_cast<char>(random() % 256);
            } else {
                text += pieces[random() % std::size(pieces)];
            }
        }
        const auto back = nlohmann::json::parse(json_of(text)).get<std::string>();
        try {
            static_cast<void>(nlohmann::json(text).dump()); // throws where it is no UTF-8
            CHECK(back == text);
        } catch (const nlohmann::json::type_error&) { CHECK(back.find("\xef\xbf\xbd") != std::string::npos); }
    }
}
