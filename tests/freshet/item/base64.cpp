#include <freshet/item/base64.hpp>

#include <cstddef>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include <support/json_oracle.hpp>

using freshet::detail::is_base64;

// RFC 4648, section 10.
static_assert(is_base64("") && is_base64("Zg==") && is_base64("Zm8=") && is_base64("Zm9v") && is_base64("Zm9vYg==") &&
              is_base64("Zm9vYmE=") && is_base64("Zm9vYmFy"));
static_assert(is_base64("+/+/") && is_base64("AA==") && is_base64("AAA="));
static_assert(!is_base64("A") && !is_base64("AA") && !is_base64("AAA") && !is_base64("AA=") && !is_base64("A===") &&
              !is_base64("====") && !is_base64("="));
static_assert(!is_base64("AB==") && !is_base64("AAB=") && !is_base64("Zh==") &&
              !is_base64("Zm9=")); // bits behind the last byte
static_assert(!is_base64("AA==AAAA") && !is_base64("A=AA") && !is_base64("AA\n=") && !is_base64("-_-_") &&
              !is_base64("AAA\0") && !is_base64("AA A"));

TEST_CASE("base64 is told from what is not as decoding and encoding again tells it") {
    std::mt19937_64 random{5};
    std::size_t good = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (auto n = random() % 9; n > 0; --n) { text += "AQgwBZz/+=9"[random() % 11]; }
        if (random() % 2 == 0) { text += random() % 2 == 0 ? "=" : "=="; }
        good += is_base64(text) ? 1 : 0;
        if (is_base64(text) != oracle::is_base64(text)) { FAIL(text); }
    }
    CHECK(good > 100);
}
