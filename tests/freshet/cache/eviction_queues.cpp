#include <freshet/cache/eviction_queues.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <vector>

#include <support/cases.hpp>

using freshet::detail::node_id;
using freshet::detail::queue_place;

namespace {

struct bench {
    std::array<queue_place, 1'000> all{};
    struct places_of {
        std::array<queue_place, 1'000>* all;
        [[nodiscard]] auto operator()(node_id id) const -> queue_place& { return (*all)[id]; }
    };
    freshet::detail::eviction_queues<places_of> queues{places_of{&all}};

    void add(node_id id) {
        all[id].hash = (id * 33'333u) & 0x1ff'ffff;
        queues.add(id);
    }
    [[nodiscard]] auto evict() -> node_id {
        return queues.evict([](node_id) { return false; });
    }
};

} // namespace

TEST_CASE("what is used less than twice goes in the order in which it came") {
    bench b;
    for (node_id id = 0; id != 20; ++id) { b.add(id); }
    b.queues.use(0);
    b.queues.use(2);
    b.queues.use(2);
    CHECK(b.evict() == 0);
    CHECK(b.evict() == 1);
    CHECK(b.evict() == 3);
    CHECK(b.queues.size() == 17);
}

TEST_CASE("each use in the main queue saves from one eviction, three at most") {
    bench b;
    for (node_id id = 0; id != 3; ++id) {
        b.add(id);
        b.queues.use(id);
        b.queues.use(id);
    }
    b.add(3);
    CHECK(b.evict() == 3);
    for (int i = 0; i != 100; ++i) { b.queues.use(0); }
    b.queues.use(1);
    CHECK(b.evict() == 2);
    CHECK(b.evict() == 1);
    CHECK(b.evict() == 0);
}

TEST_CASE("what comes back while it is remembered goes to the main queue") {
    bench b;
    for (node_id id = 0; id != 20; ++id) { b.add(id); }
    REQUIRE(b.evict() == 0);
    b.add(0);
    for (node_id id = 1; id != 18; ++id) { CHECK(b.evict() == id); }
}

TEST_CASE("what is over goes when its turn comes, however much it was used") {
    bench b;
    for (node_id id = 0; id != 10; ++id) { b.add(id); }
    for (int i = 0; i != 3; ++i) { b.queues.use(0); }
    CHECK(b.queues.evict([](node_id id) { return id == 0; }) == 0);
}

TEST_CASE("whatever is added, used, replaced and removed, each is evicted once") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    bench b;
    std::vector<node_id> in;
    std::vector<node_id> out;
    for (node_id id = 0; id != 1'000; ++id) { out.push_back(id); }
    const auto move = [&](std::vector<node_id>& from, std::vector<node_id>& to, std::size_t at) {
        to.push_back(from[at]);
        from.erase(from.begin() + static_cast<std::ptrdiff_t>(at));
        return to.back();
    };
    for (std::size_t step = 0; step != support::cases(20'000); ++step) {
        const auto action = random() % 10;
        if (action < 4 && !out.empty()) {
            b.add(move(out, in, random() % out.size()));
        } else if (in.empty()) {
            continue;
        } else if (action < 6) {
            b.queues.use(in[random() % in.size()]);
        } else if (action == 6 && !out.empty()) {
            const auto old = move(in, out, random() % in.size());
            b.queues.replace(old, move(out, in, random() % (out.size() - 1)));
        } else if (action == 7) {
            b.queues.remove(move(in, out, random() % in.size()));
        } else {
            const auto found = std::find(in.begin(), in.end(), b.evict());
            REQUIRE(found != in.end());
            move(in, out, static_cast<std::size_t>(found - in.begin()));
        }
        REQUIRE(b.queues.size() == in.size());
    }
    std::size_t seen = 0;
    b.queues.each([&](node_id id) { seen += std::find(in.begin(), in.end(), id) == in.end() ? 0 : 1; });
    CHECK(seen == in.size());
    CHECK(b.queues.take_all().size() == seen);
    CHECK(b.queues.size() == 0);
}
