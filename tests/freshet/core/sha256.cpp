#include <freshet/core/sha256.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace {

constexpr auto reads(const freshet::sha256_digest& digest, std::string_view want) -> bool {
    const auto text = freshet::hex(digest);
    return std::string_view{text.data(), text.size()} == want;
}

auto kernels() -> std::vector<freshet::sha256_kernel> {
    if (!freshet::sha256_blocks_native_works()) { return {freshet::sha256_blocks_portable, nullptr}; }
    return {freshet::sha256_blocks_portable, freshet::sha256_blocks_native, nullptr};
}

struct example {
    std::string_view bytes;
    std::string_view digest;
};

// The examples that NIST publishes for FIPS 180-4.
constexpr example nist[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

} // namespace

static_assert(reads(freshet::sha256_of("abc"), nist[1].digest));
static_assert(reads(freshet::sha256_of(""), nist[0].digest));

TEST_CASE("every kernel yields the published digests") {
    for (const auto kernel : kernels()) {
        for (const auto& known : nist) {
            CAPTURE(known.bytes);
            CHECK(reads(freshet::sha256{kernel}.update(known.bytes).finish(), known.digest));
        }
        freshet::sha256 million{kernel};
        const std::string thousand(1000, 'a');
        for (int times = 0; times < 1000; ++times) { million.update(thousand); }
        CHECK(reads(million.finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    }
}

TEST_CASE("messages that end around the place of the length are padded right") {
    struct row {
        std::size_t length; // of so many 'a', as sha256sum digests them
        std::string_view digest;
    };
    for (const auto& known : {
             row{55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
             row{56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
             row{57, "f13b2d724659eb3bf47f2dd6af1accc87b81f09f59f2b75e5c0bed6589dfe8c6"},
             row{63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
             row{64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
             row{65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
             row{119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
             row{120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
             row{127, "c57e9278af78fa3cab38667bef4ce29d783787a2f731d4e12200270f0c32320a"},
             row{128, "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e"},
         }) {
        CAPTURE(known.length);
        for (const auto kernel : kernels()) {
            CHECK(reads(freshet::sha256{kernel}.update(std::string(known.length, 'a')).finish(), known.digest));
        }
    }
}

TEST_CASE("all kernels agree on every length up to 300 bytes") {
    std::string bytes;
    for (int length = 0; length <= 300; ++length) {
        const auto want = freshet::sha256_of(bytes);
        for (const auto kernel : kernels()) { REQUIRE(freshet::sha256{kernel}.update(bytes).finish() == want); }
        bytes += static_cast<char>(length * 7);
    }
}

TEST_CASE("how the bytes are cut makes no difference") {
    constexpr std::uint64_t seed = 20240903;
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 300; ++round) {
        std::string bytes(random() % 600, '\0');
        for (auto& byte : bytes) { byte = static_cast<char>(random() & 0xff); }
        freshet::sha256 pieces;
        for (std::string_view rest = bytes; !rest.empty();) {
            const auto taken = std::min<std::size_t>(rest.size(), random() % 130);
            pieces.update(rest.substr(0, taken));
            rest.remove_prefix(taken);
        }
        REQUIRE(pieces.finish() == freshet::sha256_of(bytes));
        REQUIRE(freshet::sha256{}.update(std::as_bytes(std::span{bytes})).finish() == freshet::sha256_of(bytes));
    }
}

TEST_CASE("a copy goes on from where the original stands") {
    freshet::sha256 original;
    original.update("ab");
    auto copy = original;
    CHECK(original.update("c").finish() == freshet::sha256_of("abc"));
    CHECK(copy.update("x").finish() == freshet::sha256_of("abx"));
}

TEST_CASE("nothing at all can be added at any time") {
    CHECK(freshet::sha256{}.update(std::string_view{}).update("abc").update(std::string_view{}).finish() ==
          freshet::sha256_of("abc"));
}
