#include <freshet/cache/flat_index.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <support/cases.hpp>

using freshet::detail::flat_index;
using freshet::detail::no_node;
using freshet::detail::node_id;

TEST_CASE("an empty index finds nothing") {
    const flat_index index{10};
    CHECK(index.find(0, [](node_id) { return true; }) == no_node);
    CHECK(index.size() == 0);
}

TEST_CASE("an index finds what a plain map would, also where all hashes are one or meet at the end of the table") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    constexpr std::uint32_t last = (1u << freshet::detail::index_hash_bits) - 1;
    for (const std::uint32_t hashes : {1u, 3u, 1'000'000u}) {
        for (const std::size_t most : {1u, 2u, 3u, 4u, 17u, 300u}) {
            CAPTURE(hashes);
            CAPTURE(most);
            flat_index index{most};
            std::map<node_id, std::uint32_t> known; // the hash of each
            for (std::size_t step = 0; step != support::cases(5'000); ++step) {
                const auto id = static_cast<node_id>(random() % (2 * most));
                const auto other = static_cast<node_id>(id + 1'000);
                const auto at = known.find(id);
                if (at == known.end() && known.size() < most && !known.contains(other)) {
                    const auto hash = last - static_cast<std::uint32_t>(random() % hashes) * 29;
                    index.reserve_one();
                    index.insert(hash, id);
                    known[id] = hash;
                } else if (at != known.end() && random() % 4 == 0) {
                    const auto hash = at->second;
                    index.replace(hash, id, other);
                    CHECK(index.find(hash, [&](node_id it) { return it == other; }) == other);
                    CHECK(index.find(hash, [&](node_id it) { return it == id; }) == no_node);
                    index.replace(hash, other, id);
                } else if (at != known.end()) {
                    index.erase(at->second, id);
                    CHECK(index.find(at->second, [&](node_id it) { return it == id; }) == no_node);
                    known.erase(at);
                }
                CHECK(index.size() == known.size());
                if (step % 16 != 0) { continue; }
                for (const auto& [each, hash] : known) {
                    const auto wanted = each;
                    CHECK(index.find(hash, [&](node_id it) { return it == wanted; }) == wanted);
                }
            }
        }
    }
}
