#include <freshet/item/json_string_kernels.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <support/guarded_buffer.hpp>

using freshet::detail::ends_plain_run;
using freshet::detail::portable_string_kernel;
using freshet::detail::string_kernel;

static_assert(ends_plain_run('"') && ends_plain_run('\\') && ends_plain_run('\0') && ends_plain_run('\x1f'));
static_assert(!ends_plain_run(' ') && !ends_plain_run('!') && !ends_plain_run('\x7f') && !ends_plain_run('\x80') &&
              !ends_plain_run('\xff') && !ends_plain_run('\xa2'));

namespace {

struct answer {
    std::size_t at{};
    bool non_ascii{};
    friend auto operator==(const answer&, const answer&) -> bool = default;
};

template <class Kernel>
auto ask(std::string_view text) -> answer {
    bool non_ascii = false;
    const auto* end = Kernel::find_end(text.data(), text.data() + text.size(), non_ascii);
    return {static_cast<std::size_t>(end - text.data()), non_ascii};
}

auto byte_by_byte(std::string_view text) -> answer {
    answer wanted;
    for (; wanted.at < text.size() && !ends_plain_run(text[wanted.at]); ++wanted.at) {
        wanted.non_ascii |= static_cast<unsigned char>(text[wanted.at]) > 0x7f;
    }
    return wanted;
}

auto agree(std::string_view text) -> bool {
    const auto wanted = byte_by_byte(text);
    return ask<portable_string_kernel>(text) == wanted && ask<string_kernel>(text) == wanted;
}

} // namespace

TEST_CASE("both kernels find each stop byte at every place of every length, and read nothing outside") {
    support::guarded_buffer memory{128};
    for (std::size_t size = 0; size <= 70; ++size) {
        for (const char fill : {'a', '\x20', '\x7f', '\xff'}) {
            std::string text(size, fill);
            REQUIRE(agree(memory.hold(text)));
            for (std::size_t at = 0; at < size; ++at) {
                for (const char stop :
                     {'"', '\\', '\0', '\n', '\x1f', '!', '#', '[', ']', '\x80', '\xa2', '\xdc', '\x9f'}) {
                    text[at] = stop;
                    if (!agree(memory.hold(text))) {
                        FAIL("size ", size, ", byte ", static_cast<int>(stop), " at ", at);
                    }
                }
                text[at] = fill;
            }
        }
    }
}

TEST_CASE("every byte value stops, or does not, wherever it stands") {
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t at = 0; at < 35; ++at) {
            std::string text(35, 'x');
            text[at] = static_cast<char>(byte);
            if (!agree(text)) { FAIL("byte ", byte, " at ", at); }
        }
    }
}

TEST_CASE("a note of bytes above 0x7f is kept, and taken only from before the stop") {
    bool non_ascii = true;
    const std::string_view text = "abc\"";
    CHECK(*string_kernel::find_end(text.data(), text.data() + text.size(), non_ascii) == '"');
    CHECK(non_ascii);
    CHECK(!ask<string_kernel>("abcdefghijklmn\"\xc3\xa4").non_ascii);
    CHECK(!ask<portable_string_kernel>("abc\"\xc3\xa4xyz").non_ascii);
    CHECK(ask<string_kernel>("abcdefghijklm\xc3\xa4\"").non_ascii);
}

TEST_CASE("both kernels agree on any bytes") {
    std::mt19937_64 random{1};
    for (int i = 0; i < 2000; ++i) {
        std::string text(random() % 100, '\0');
        for (auto& c : text) { c = static_cast<char>(random() % 8 == 0 ? random() : 'a' + random() % 26); }
        if (!agree(text)) { FAIL("round ", i); }
    }
}
