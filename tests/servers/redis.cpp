// The laws of cache stores, on redis-server itself.

#include <adapters/redis/ttl_store.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <adapters/redis/connection.hpp>
#include <adapters/redis/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/ttl_store.hpp>
#include <laws/ttl_store_processes.hpp>
#include <support/server_process.hpp>
#include <support/server_results.hpp>

namespace {

using namespace std::chrono_literals;
using adapters::redis::connection;
using adapters::redis::ttl_store_options;
using freshet::errc;
using freshet::testing::manual_clock;
using store_type = adapters::redis::ttl_store<manual_clock>;

static_assert(freshet::shareable<store_type>);
static_assert(store_type::fence == freshet::fence_scope::shared);
static_assert(!std::is_constructible_v<store_type, connection, manual_clock&, ttl_store_options>);
static_assert(!std::is_constructible_v<store_type, connection&, manual_clock, ttl_store_options>);

[[nodiscard]] auto started_redis(const std::string& password = {}, const std::string& port = {})
    -> std::unique_ptr<support::server_process> {
    auto server = support::start_redis(password, port);
    REQUIRE_MESSAGE(server.ok(), (server.ok() ? "" : server.why().note));
    return *std::move(server);
}

/// Of all cases that leave it as it was.
[[nodiscard]] auto redis() -> freshet::result<std::unique_ptr<support::server_process>>& {
    static auto started = support::start_redis();
    return started;
}

struct results : support::server_results {
    explicit results(const doctest::ContextOptions&)
        : server_results{"redis", {"ttl_store"}, {}, []() -> freshet::result<void> {
                             if (!redis()) { return redis().why(); }
                             return {};
                         }} {}
};
REGISTER_LISTENER("server_results", 1, results);

/// A name that nothing has yet.
auto fresh_name() -> std::string {
    static std::size_t given = 0;
    return "store-" + std::to_string(++given);
}

auto settings_of(const support::server_process& server) -> adapters::redis::settings {
    adapters::redis::settings where{.port = static_cast<std::uint16_t>(std::stoi(server.port()))};
    where.answer_timeout = 20s; // of a busy machine
    return where;
}

/// A store without an entry on a server, with a clock of its own.
class on_redis {
public:
    explicit on_redis(ttl_store_options options = {.name = fresh_name()},
                      const support::server_process& server = **redis())
        : options_{std::move(options)}, by_{settings_of(server)} {}

    [[nodiscard]] auto store() -> store_type& { return store_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return options_.fence_time; }
    [[nodiscard]] auto by() -> const connection& { return by_; }
    [[nodiscard]] auto name() const -> std::string { return options_.name; }

    /// A number that the server says.
    [[nodiscard]] auto number(const connection::words& command) -> long long {
        const auto answer = by_.call(command);
        REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.why().note));
        return (*answer)->integer;
    }
    void tell(const connection::words& command) { static_cast<void>(number(command)); }
    /// For how many milliseconds from now on the server keeps a row.
    [[nodiscard]] auto left_of(const std::string& key) -> std::chrono::milliseconds {
        return std::chrono::milliseconds{number({"PTTL", "cache/" + options_.name + "/" + key})};
    }

private:
    ttl_store_options options_;
    manual_clock clock_;
    connection by_;
    store_type store_{by_, clock_, options_};
};

struct forgetful : on_redis {
    forgetful() : on_redis{{.name = fresh_name(), .fence_time = 3s}} {}
};

/// The failure is this one, and its note is one line with these words in it.
template <class T>
void fails(const freshet::result<T>& what, errc code, std::string_view words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}
/// Every call does.
void all_fail(store_type& store, errc code, std::string_view words) {
    fails(store.get("key"), code, words);
    fails(store.put("key", {}, {}), code, words);
    fails(store.touch("key", {}, {}), code, words);
    fails(store.erase("key"), code, words);
    fails(store.clear(), code, words);
}

} // namespace

TEST_SUITE_BEGIN("ttl_store");
FRESHET_TTL_STORE_LAWS(on_redis, forgetful);
TEST_SUITE_END();

TEST_CASE("two stores of one name are one, and of two names two; a server's databases are apart") {
    on_redis one;
    on_redis two{{.name = one.name()}};
    on_redis apart;
    auto other_database = settings_of(**redis());
    other_database.database = 5;
    const connection by{other_database};
    store_type below{by, one.clock(), {.name = one.name()}};
    const auto old = laws::entry_of(one, "old");
    const auto fresh = laws::entry_of(one, "new");
    for (const bool clears : {false, true}) {
        const auto late = laws::ticket_of(one.store(), "key");
        const auto good_apart = laws::ticket_of(apart.store(), "key");
        const auto good_below = laws::ticket_of(below, "key");
        REQUIRE((clears ? two.store().clear() : two.store().erase("key")).ok());
        CHECK(laws::is_kept_out(one.store().put("key", old, late)));
        REQUIRE(two.store().put("key", fresh, laws::ticket_of(two.store(), "key")).ok());
        CHECK(laws::holds(one.store(), "key", fresh));
        CHECK(laws::is_kept_out(one.store().put("key", old, late)));
        CHECK(apart.store().put("key", old, good_apart).ok());
        CHECK(laws::holds(apart.store(), "key", old));
        CHECK(below.put("key", old, good_below).ok());
        CHECK(laws::holds(below, "key", old));
    }
}

TEST_CASE("a key of any bytes is a key") {
    on_redis on;
    auto& store = on.store();
    const auto entry = laws::entry_of(on, "value");
    for (const auto& key :
         {std::string{"\xff"}, std::string{"a\xc3"}, std::string(100'000, 'k'), std::string{"\0", 1}}) {
        CHECK(laws::lacks(store, key));
        REQUIRE(store.put(key, entry, laws::ticket_of(store, key)).ok());
        CHECK(laws::holds(store, key, entry));
    }
}

TEST_CASE("rows are deleted a minute after neither their entry nor their invalidation is of use, by the span between") {
    on_redis on;
    auto& store = on.store();
    const auto put = [&](freshet::duration keep) {
        REQUIRE(store.put("key", laws::entry_of(on, "value", keep), laws::ticket_of(store, "key")).ok());
        return on.left_of("key");
    };
    const auto is_about = [](std::chrono::milliseconds left, std::chrono::minutes wanted) {
        return wanted - 30s < left && left <= wanted; // the machine may be slow
    };
    CHECK(is_about(put(1h), 61min));
    CHECK(is_about(put(5min), 6min));
    CHECK(is_about(put(-24h * 3'650), 1min));
    const auto entry = laws::entry_of(on, "value", 2h);
    CHECK(is_about(put(2h), 121min));
    REQUIRE(store.erase("key").ok());
    CHECK(is_about(on.left_of("key"), 16min));
    on.clock().advance(10min);
    CHECK(is_about(put(1min), 16min));
    CHECK(is_about(put(1h), 61min));
    REQUIRE(store.touch("key", laws::retimed(laws::looked(store, "key").entry.value(), {}, {}), {}).ok());
    CHECK(is_about(on.left_of("key"), 16min));
    const laws::cached ever{"value", {}, {}, freshet::time_point::max()};
    REQUIRE(store.put("key", ever, laws::ticket_of(store, "key")).ok());
    CHECK(on.left_of("key") > 24h * 365'000);
}

TEST_CASE("a server that forgot everything refuses what was looked up before, and an invalidation makes no row there") {
    const auto server = started_redis();
    on_redis on{{.name = "store"}, *server};
    auto& store = on.store();
    const auto entry = laws::entry_of(on, "old");
    const auto late = laws::ticket_of(store, "key");
    on.tell({"FLUSHALL"});
    CHECK(laws::is_kept_out(store.put("key", entry, late)));
    REQUIRE(store.erase("key").ok());
    CHECK(on.number({"DBSIZE"}) == 0);
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    CHECK(laws::is_kept_out(store.put("key", entry, late)));
    CHECK(laws::holds(store, "key", entry));
}

TEST_CASE("a server that forgot its scripts is told them again") {
    const auto server = started_redis();
    on_redis on{{.name = "store"}, *server};
    auto& store = on.store();
    const auto entry = laws::entry_of(on, "value");
    for (int times = 0; times != 2; ++times) {
        const auto ticket = laws::ticket_of(store, "key");
        on.tell({"SCRIPT", "FLUSH"});
        CHECK(store.put("key", entry, ticket).ok());
        CHECK(laws::holds(store, "key", entry));
        on.tell({"SCRIPT", "FLUSH"});
        CHECK(store.touch("key", entry, ticket).ok());
        CHECK(store.erase("key").ok());
        CHECK(laws::lacks(store, "key"));
    }
}

TEST_CASE("something that is not the store's is denied") {
    on_redis on;
    auto& store = on.store();
    const auto row = "cache/" + on.name() + "/key";
    const auto space = "cache/" + on.name();
    on.tell({"SET", row, "text"});
    fails(store.get("key"), errc::denied, "WRONGTYPE");
    fails(store.touch("key", {}, {}), errc::denied, "WRONGTYPE");
    CHECK_MESSAGE(store.erase("key").ok(), "which takes it away");
    CHECK(laws::lacks(store, "key"));
    const auto text = laws::ticket_of(store, "key").space;
    for (const auto* odd : {"loaded_at", "fresh_until", "keep_until", "generation"}) {
        on.tell({"DEL", row});
        on.tell({"HSET", row, "space", std::to_string(text), "loaded_at", "1", "fresh_until", "1", "keep_until", "1"});
        on.tell({"HSET", row, odd, "text"});
        fails(store.get("key"), errc::denied, "ttl store " + on.name() + ": key: redis has something there");
    }
    on.tell({"SET", space, "text"});
    fails(store.get("key"), errc::denied, "redis has something there that is not the store's");
    on.tell({"DEL", space});
    on.tell({"HSET", space, "a", "b"});
    fails(store.get("key"), errc::denied, "WRONGTYPE");
    fails(store.put("key", {}, {}), errc::denied, "WRONGTYPE");
    fails(store.erase("key"), errc::denied, "WRONGTYPE");
}

TEST_CASE("a store says what a person must change") {
    for (const auto* name : {"", "a/b", "/"}) {
        on_redis odd{{.name = name}};
        all_fail(odd.store(), errc::denied, "a store's name is not empty and without /");
    }
    on_redis on;
    auto large = laws::entry_of(on, std::string(std::size_t{512} << 20U, 'v'));
    fails(on.store().put("key", large, {}), errc::too_large, " bytes, limit 536870912");
}

TEST_CASE("a full server is throttled to who puts, and invalidates as ever") {
    const auto server = started_redis();
    on_redis on{{.name = "store"}, *server};
    auto& store = on.store();
    const auto entry = laws::entry_of(on, "value");
    const auto ticket = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, ticket).ok());
    on.tell({"CONFIG", "SET", "maxmemory", "1"});
    CHECK(laws::holds(store, "key", entry));
    fails(store.put("key", entry, ticket), errc::throttled, "OOM");
    fails(store.put("other", entry, ticket), errc::throttled, "OOM");
    CHECK(laws::takes_times(store, "key", entry, laws::retimed(entry, {}, entry.keep_until + 1h)));
    CHECK(store.erase("key").ok());
    CHECK(laws::lacks(store, "key"));
    CHECK(store.clear().ok());
    fails(store.get("key"), errc::throttled, "OOM");
    on.tell({"CONFIG", "SET", "maxmemory", "0"});
    CHECK(laws::is_kept_out(store.put("key", entry, ticket)));
    CHECK(store.put("key", entry, laws::ticket_of(store, "key")).ok());
}

TEST_CASE("a server that is busy with somebody's script is unavailable meanwhile") {
    const auto server = started_redis();
    on_redis on{{.name = "store"}, *server};
    on.tell({"CONFIG", "SET", "busy-reply-threshold", "1"});
    std::jthread other{[where = settings_of(*server)] {
        static_cast<void>(connection{where}.call({"EVAL", "while true do end", "0"}));
    }};
    auto found = on.store().get("key");
    while (found.ok()) { found = on.store().get("key"); } // not yet
    fails(found, errc::unavailable, "BUSY");
    fails(on.store().erase("key"), errc::unavailable, "BUSY");
    on.tell({"SCRIPT", "KILL"});
    other.join();
    CHECK(on.store().erase("key").ok());
}

TEST_CASE("a wrong password is denied, and so is none; the right one is let in") {
    const auto server = started_redis("secret");
    const manual_clock clock;
    const auto url = [&](const std::string& before) { return "redis://" + before + "127.0.0.1:" + server->port(); };
    const auto asked_with = [&](const std::string& before, const auto& check) {
        const connection by{adapters::redis::settings_from(url(before)).value()};
        store_type store{by, clock, {.name = "store"}};
        check(store);
    };
    asked_with("", [](store_type& store) { all_fail(store, errc::denied, "NOAUTH"); });
    asked_with(":Secret@", [](store_type& store) {
        all_fail(store, errc::denied, "WRONGPASS");
        CHECK(store.get("key").why().note.find("Secret") == std::string::npos);
    });
    asked_with(":%73ecret@", [](store_type& store) { CHECK(laws::lacks(store, "key")); });
    auto with = settings_of(**redis());
    with.password = "any";
    const connection by{with};
    fails(by.call({"PING"}), errc::denied, "redis 127.0.0.1:" + (*redis())->port() + ": ERR AUTH");
    with.password.clear();
    with.database = 16;
    const connection beyond{with};
    fails(beyond.call({"PING"}), errc::denied, "DB index is out of range");
}

TEST_CASE("a server that is killed is unavailable until there is one again, which lets in nothing from before") {
    const auto server = started_redis();
    const auto port = server->port();
    on_redis on{{.name = "store"}, *server};
    auto& store = on.store();
    const auto entry = laws::entry_of(on, "value");
    const auto late = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, late).ok());
    REQUIRE(store.erase("key").ok());
    server->kill();
    for (int times = 0; times != 2; ++times) {
        all_fail(store, errc::unavailable, "redis 127.0.0.1:" + port + ": Connection refused");
    }
    const auto next = started_redis({}, port);
    CHECK_MESSAGE(laws::is_kept_out(store.put("key", entry, late)), "at the first call");
    CHECK(laws::lacks(store, "key"));
    CHECK(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    CHECK(laws::holds(store, "key", entry));
}

TEST_CASE("what a process looked up before another one invalidated, it cannot put") {
    for (const bool clears : {false, true}) {
        CAPTURE(clears);
        const auto name = fresh_name();
        const manual_clock clock;
        laws::keeps_out_the_late_process(
            [&](auto use) {
                const connection by{settings_of(**redis())};
                store_type store{by, clock, {.name = name}};
                return use(store);
            },
            clears);
    }
}

TEST_CASE("of processes that load and invalidate, none sees what was loaded before an invalidation ended") {
    const auto name = fresh_name();
    const manual_clock clock;
    laws::keeps_processes_apart([&](auto use) {
        const connection by{settings_of(**redis())};
        store_type store{by, clock, {.name = name}};
        return use(store);
    });
}
