#include <freshet/report/log_line.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/cache/cache_events.hpp>
#include <freshet/cache/updater.hpp>
#include <freshet/core/time.hpp>
#include <support/cases.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::log_line;

struct looked_at {
    static constexpr std::string_view name = "looked_at";
    std::string_view key;
    std::optional<std::string_view> note{};
    void fields(auto&& visit) const {
        visit("key", key);
        visit("found", true);
        visit("age", freshet::duration{1'500ms});
        visit("note", note);
    }
};

struct ended {
    static constexpr std::string_view name = "ended";
    void fields(auto&&) const {}
};

struct said {
    static constexpr std::string_view name = "said";
    std::string_view text;
    void fields(auto&& visit) const { visit("text", text); }
};

/// The value of `said` as its line has it.
auto shown(std::string_view text) -> std::string { return log_line(said{text}).substr(10); }

/// The text that a value stands for.
auto read_back(std::string_view value) -> std::string {
    if (value.empty() || value.front() != '"') { return std::string{value}; }
    std::string text;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        if (value[i] != '\\') {
            text += value[i];
        } else if (value[++i] == 'x') {
            text += static_cast<char>(std::stoi(std::string{value.substr(i + 1, 2)}, nullptr, 16));
            i += 2;
        } else {
            text += value[i];
        }
    }
    return text;
}

} // namespace

TEST_CASE("an event is its name and its fields, in their order") {
    CHECK(log_line(looked_at{"DATE", "well"}) == "looked_at key=DATE found=true age=1.5s note=well");
    CHECK(log_line(looked_at{"DATE"}) == "looked_at key=DATE found=true age=1.5s note=-");
    CHECK(log_line(ended{}) == "ended");
}

TEST_CASE("a level and a prefix stand before it, where there are any") {
    CHECK(log_line(ended{}, {.level = "INFO:"}) == "INFO: ended");
    CHECK(log_line(ended{}, {.prefix = "[CACHE]"}) == "[CACHE] ended");
    CHECK(log_line(ended{}, {.level = "INFO:", .prefix = "[CACHE]"}) == "INFO: [CACHE] ended");
}

TEST_CASE("lines are appended, and end where their caller wants it") {
    std::string out = "before\n";
    freshet::append_log_line(out, ended{});
    out += '\n';
    freshet::append_log_line(out, said{"a b"}, {.prefix = "[X]"});
    CHECK(out == "before\nended\n[X] said text=\"a b\"");
}

TEST_CASE("an observer of everything writes a component's whole log") {
    std::string lines;
    freshet::watch_all seen{[&](const auto& e) {
        freshet::append_log_line(lines, e, {.prefix = "[CACHE]"});
        lines += '\n';
    }};
    freshet::emit(seen, freshet::cache_hit{"IMAGE#7", freshet::cache_origin::fresh, 90s});
    freshet::emit(seen, freshet::cache_miss{"a key"});
    freshet::emit(seen, freshet::cache_loaded{"a key", 1'234us, false});
    freshet::emit(seen, freshet::key_updated{"DATE", freshet::update_outcome::load_failed, 2s, "GSI1: no answer"});
    freshet::emit(seen, freshet::key_updated{"TOTAL", freshet::update_outcome::added, 250ms, ""});
    CHECK(lines ==
          "[CACHE] cache_hit key=IMAGE#7 origin=fresh age=90s\n"
          "[CACHE] cache_miss key=\"a key\"\n"
          "[CACHE] cache_loaded key=\"a key\" took=1.234ms found=false\n"
          "[CACHE] key_updated key=DATE outcome=load_failed took=2s note=\"GSI1: no answer\"\n"
          "[CACHE] key_updated key=TOTAL outcome=added took=250ms note=\"\"\n");
}

TEST_CASE("a text stands in quotes where it could be mistaken") {
    CHECK(shown("plain/é#1:{x},🌊") == "plain/é#1:{x},🌊");
    CHECK(shown("") == R"("")");
    CHECK(shown("-") == R"("-")");
    CHECK(shown("--") == "--");
    CHECK(shown("a b") == R"("a b")");
    CHECK(shown("a=b") == R"("a=b")");
    CHECK(shown(R"(a"b)") == R"("a\"b")");
    CHECK(shown(R"(C:\x)") == R"("C:\\x")");
    CHECK(log_line(looked_at{"k", "-"}) == R"(looked_at key=k found=true age=1.5s note="-")");
}

TEST_CASE("nothing in a text ends the line, moves a cursor or breaks its encoding") {
    CHECK(shown("a\r\nfake line") == R"("a\x0d\x0afake line")");
    CHECK(shown("\x1b[2J\t\x7f") == R"("\x1b[2J\x09\x7f")");
    CHECK(shown(std::string_view{"\0", 1}) == R"("\x00")");
    CHECK(shown("\xc2\x85") == R"("\xc2\x85")");
    CHECK(shown("\xc2\x9f") == R"("\xc2\x9f")");
    CHECK(shown("\xc2\xa0") == "\xc2\xa0");
    CHECK(shown("\u2028\u2029") == R"("\xe2\x80\xa8\xe2\x80\xa9")");
    CHECK(shown("\xff"
                "é\xc3") == R"("\xffé\xc3")");
}

TEST_CASE("whatever a text is, its event is one line of UTF-8, and the text can be read back") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (std::size_t i = 0; i != support::cases(3'000); ++i) {
        std::string text;
        for (auto left = random() % 10; left > 0; --left) {
            constexpr const char* pieces[]{"é", "\u2028", "\"", "\\", "\n", "\\x0a", "=", " ", "-", "\xc2\x85"};
            if (random() % 3 == 0) {
                text += static_cast<char>(random() % 256);
            } else {
                text += pieces[random() % std::size(pieces)];
            }
        }
        const auto value = shown(text);
        CAPTURE(value);
        CHECK(read_back(value) == text);
        for (std::string_view rest = value; !rest.empty();) {
            const auto size = freshet::detail::utf8_length(rest);
            REQUIRE(size != 0);
            const auto byte = static_cast<unsigned char>(rest.front());
            CHECK((byte >= 0x20 && byte != 0x7f));
            CHECK((value.front() == '"' || (byte != ' ' && byte != '=')));
            rest.remove_prefix(size);
        }
    }
}
