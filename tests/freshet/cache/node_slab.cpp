#include <freshet/cache/node_slab.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

using freshet::detail::no_node;
using freshet::detail::node_id;

TEST_CASE("a slab gives each node once, up to its bound, and again when it was given back") {
    for (const std::size_t most : {0u, 1u, 15u, 16u, 17u, 100u, 5'000u}) {
        CAPTURE(most);
        freshet::detail::node_slab<std::string> slab{most};
        std::set<std::string*> taken;
        for (std::size_t i = 0; i != most; ++i) {
            const auto id = slab.take();
            REQUIRE(id == i);
            taken.insert(std::construct_at(&slab[id], 100, 'x'));
        }
        CHECK(taken.size() == most);
        CHECK(slab.take() == no_node);
        for (std::size_t i = 0; i != most; ++i) {
            CHECK(slab[static_cast<node_id>(i)].size() == 100);
            std::destroy_at(&slab[static_cast<node_id>(i)]);
        }
        if (most < 2) { continue; }
        slab.chain(1, 0);
        slab.give_back(1, 0);
        CHECK(slab.take() == 1);
        CHECK(slab.take() == 0);
        CHECK(slab.take() == no_node);
    }
}
