#include <freshet/testing/faulty_ttl_store.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <freshet/backend/shareable.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::cache_entry;
using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::store_ticket;
using freshet::testing::fault;
using freshet::testing::faults;
using freshet::testing::faulty_ttl_store;

/// A store of one key, whose entries are always kept.
struct one_key_store {
    using is_shareable = void;
    using key_type = std::string;
    using mapped_type = int;
    static constexpr auto fence = freshet::fence_scope::shared;
    std::optional<cache_entry<int>> entry{};
    std::uint64_t invalidations{};

    auto get(const std::string&) -> result<freshet::looked_up<int>> {
        return freshet::looked_up<int>{entry, {0, invalidations}};
    }
    auto put(const std::string&, const cache_entry<int>& it, const store_ticket& ticket) -> result<void> {
        if (ticket.key != invalidations) { return error{errc::conflict, "store: invalidated"}; }
        entry = it;
        return {};
    }
    auto touch(const std::string&, const cache_entry<int>& it, const store_ticket&) -> result<void> {
        if (entry) { entry->keep_until = it.keep_until; }
        return {};
    }
    auto erase(const std::string&) -> result<void> { return clear(); }
    auto clear() -> result<void> {
        ++invalidations;
        entry.reset();
        return {};
    }
};

static_assert(freshet::ttl_store<one_key_store> && freshet::ttl_store<faulty_ttl_store<one_key_store>>);
static_assert(freshet::shareable<faulty_ttl_store<one_key_store>>);
static_assert(faulty_ttl_store<one_key_store>::fence == freshet::fence_scope::shared);

struct bench {
    one_key_store store{};
    faults script{};
    faulty_ttl_store<one_key_store> faulty{store, script};
    freshet::time_point now{24h * 20'000};
    cache_entry<int> entry{7, now, now + 1min, now + 1h};
};

} // namespace

TEST_CASE("without faults every call goes through to the store, with what it was given") {
    bench b;
    const auto ticket = b.faulty.get("a")->ticket;
    CHECK(b.faulty.put("a", b.entry, ticket).ok());
    CHECK(b.faulty.get("a")->entry == b.entry);
    auto longer = b.entry;
    longer.keep_until += 1h;
    CHECK(b.faulty.touch("a", longer, ticket).ok());
    CHECK(b.store.entry == longer);
    CHECK(b.faulty.erase("a").ok());
    CHECK(b.faulty.put("a", b.entry, ticket).why().code == errc::conflict);
    CHECK(b.faulty.clear().ok());
    CHECK(b.store.invalidations == 2);
    CHECK(b.script.count("store.put") == 2);
    CHECK(b.script.calls().size() == 7);
}

TEST_CASE("every call can fail before it takes effect and after") {
    bench b;
    for (const auto* verb : {"get", "put", "touch", "erase", "clear"}) {
        b.script.next("store." + std::string{verb}, {fault::before(errc::throttled), fault::after()});
    }
    auto longer = b.entry;
    longer.keep_until += 1h;
    for (int round = 0; round != 2; ++round) {
        CAPTURE(round);
        const bool after = round == 1;
        const store_ticket ticket{0, b.store.invalidations};
        CHECK(b.faulty.get("a").why().code == (after ? errc::unavailable : errc::throttled));
        CHECK_FALSE(b.faulty.put("a", b.entry, ticket).ok());
        CHECK(b.store.entry.has_value() == after);
        CHECK_FALSE(b.faulty.touch("a", longer, ticket).ok());
        CHECK((b.store.entry == longer) == after);
        CHECK(b.faulty.erase("a").why().note == "store.erase: a fault of the test");
        CHECK(b.store.invalidations == (after ? 1 : 0));
        CHECK_FALSE(b.faulty.clear().ok());
        CHECK(b.store.invalidations == (after ? 2 : 0));
    }
    CHECK(b.script.unused().empty());
}

TEST_CASE("others can work while a caller is held up, on the same store") {
    bench b;
    const auto ticket = b.faulty.get("a")->ticket;
    b.script.next("store.put", {fault::meanwhile([&] { CHECK(b.faulty.erase("a").ok()); })});
    CHECK(b.faulty.put("a", b.entry, ticket).why().code == errc::conflict);
    CHECK(b.script.count("store.erase") == 1);
}

TEST_CASE("two wrappers share a script under their own names") {
    bench b;
    faulty_ttl_store second{b.store, b.script, "second"};
    b.script.always("second.get", fault::before());
    CHECK(b.faulty.get("a").ok());
    CHECK_FALSE(second.get("a").ok());
}
