#include <adapters/aws/ttl_store.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../laws/ttl_store.hpp"
#include "hooked_dynamodb.hpp"

namespace {

using namespace std::chrono_literals;
using fake_aws::fault_kind;
using freshet::errc;
using freshet::testing::manual_clock;
using nlohmann::json;
using store_type = adapters::aws::ttl_store<manual_clock>;
using adapters::aws::ttl_store_options;

static_assert(freshet::shareable<store_type>);
static_assert(store_type::fence == freshet::fence_scope::shared);
static_assert(!std::is_constructible_v<store_type, adapters::aws::client, manual_clock&, ttl_store_options>);
static_assert(!std::is_constructible_v<store_type, adapters::aws::client&, manual_clock, ttl_store_options>);

const adapters::item_table_options work{.name = "work", .partition = "id", .sort = ""};
const ttl_store_options receipts{
    .table = "work", .name = "receipts", .unprocessed = {.retries = 8, .throttled_base = 1ms, .cap = 1ms}};

/// A store in a DynamoDB of its own, which does not delete what has expired.
class on_fake {
public:
    on_fake() { REQUIRE(adapters::aws::create_table(client_, work, {.ttl_attribute = "expires"}).ok()); }
    [[nodiscard]] auto store() -> store_type& { return store_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return receipts.fence_time; }
    [[nodiscard]] auto server() -> fake_aws::server& { return server_; }
    [[nodiscard]] auto client() -> adapters::aws::client& { return client_; }
    [[nodiscard]] auto table() -> adapters::aws::table& { return table_; }

    /// Deletes what has expired by now, as the table does sooner or later; how many rows that were.
    auto sweep() -> std::size_t {
        std::size_t swept = 0;
        const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
        for (const auto& item : server_.dynamodb().items("work")) {
            if (!item.contains("expires") || std::stoll(item["expires"]["N"].get<std::string>()) > now) { continue; }
            swept += server_.dynamodb().expire("work", {{"id", item["id"]}}) ? 1 : 0;
        }
        return swept;
    }

private:
    manual_clock clock_;
    fake_aws::server server_{[this] { return clock_.now(); }};
    adapters::aws::client client_{server_.settings()};
    store_type store_{client_, clock_, receipts};
    adapters::aws::table table_{client_, work};
};

/// The same, and before each call everything that has expired is deleted.
class swept {
public:
    using key_type = std::string;
    using mapped_type = std::string;
    static constexpr auto fence = freshet::fence_scope::shared;

    [[nodiscard]] auto get(const std::string& key) { return on_.sweep(), on_.store().get(key); }
    [[nodiscard]] auto put(const std::string& key, const laws::cached& entry, const freshet::store_ticket& ticket) {
        return on_.sweep(), on_.store().put(key, entry, ticket);
    }
    [[nodiscard]] auto touch(const std::string& key, const laws::cached& entry, const freshet::store_ticket& ticket) {
        return on_.sweep(), on_.store().touch(key, entry, ticket);
    }
    [[nodiscard]] auto erase(const std::string& key) { return on_.sweep(), on_.store().erase(key); }
    [[nodiscard]] auto clear() { return on_.sweep(), on_.store().clear(); }

    [[nodiscard]] auto store() -> swept& { return *this; }
    [[nodiscard]] auto clock() -> manual_clock& { return on_.clock(); }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return on_.fence_time(); }

private:
    on_fake on_;
};

static_assert(freshet::ttl_store<swept>);

/// A store whose requests a test sees, and may come before.
struct on_hook {
    hooked_dynamodb service{};
    store_type store{service.client(), service.clock(), receipts};

    on_hook() {
        REQUIRE(adapters::aws::create_table(service.client(), work).ok());
        static_cast<void>(service.requests());
    }
    [[nodiscard]] auto clock() -> manual_clock& { return service.clock(); }
    template <class Act>
    void once_before(std::string_view wanted, Act act) {
        service.before([this, wanted, act](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
            if (operation != wanted) { return std::nullopt; }
            service.before({});
            act();
            return std::nullopt;
        });
    }
};

[[nodiscard]] auto row_of(on_fake& on, const std::string& id) -> json {
    const auto row = on.table().get({id, ""});
    REQUIRE(row.ok());
    REQUIRE_MESSAGE(row->has_value(), id);
    return json::parse((*row)->text());
}

[[nodiscard]] auto expiry_of(on_fake& on, const std::string& id) -> std::int64_t {
    return std::stoll(row_of(on, id)["expires"]["N"].get<std::string>());
}

[[nodiscard]] auto in_seconds(freshet::time_point at) -> std::int64_t { return at.time_since_epoch() / 1s; }

} // namespace

FRESHET_TTL_STORE_LAWS(on_fake);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_2, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_6, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_7, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_9, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_12, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_14, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_15, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_16, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_17, swept);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_18, swept);

TEST_CASE(
    "a look-up is one request, with another one after somebody cleared; put, touch and clear are one, erase is two") {
    on_hook on;
    const auto ticket = laws::ticket_of(on.store, "key");
    CHECK(on.service.operations() == "BatchGetItem ");
    const auto entry = laws::entry_of(on, "value");
    CHECK(on.store.put("key", entry, ticket).ok());
    CHECK(laws::holds(on.store, "key", entry));
    CHECK(on.service.operations() == "PutItem BatchGetItem ");
    CHECK(on.store.touch("key", entry, ticket).ok());
    CHECK(on.store.touch("nothing there", entry, ticket).ok());
    CHECK(on.service.operations() == "UpdateItem UpdateItem ");
    CHECK(on.store.erase("key").ok());
    CHECK(on.store.clear().ok());
    CHECK(on.service.operations() == "GetItem UpdateItem UpdateItem ");
    CHECK(on.store.put("key", entry, laws::ticket_of(on.store, "key")).ok());
    CHECK(on.service.operations() == "BatchGetItem GetItem PutItem ");
    CHECK(laws::holds(on.store, "key", entry));
    const auto requests = on.service.requests();
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].second["RequestItems"]["work"].value("ConsistentRead", false));

    store_type other{on.service.client(), on.clock(), receipts};
    CHECK(on.store.clear().ok());
    CHECK(other.erase("key").ok());
    static_cast<void>(on.service.requests());
    CHECK_MESSAGE(laws::lacks(other, "key"), "erase has seen that it was cleared");
    const auto seen = on.service.requests();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].first == "BatchGetItem");
}

TEST_CASE("two stores of one name in one table are one, and of two names two") {
    on_fake on;
    auto& one = on.store();
    store_type two{on.client(), on.clock(), receipts};
    store_type apart{on.client(), on.clock(), {.table = "work", .name = "receipt"}};
    const auto old = laws::entry_of(on, "old");
    const auto fresh = laws::entry_of(on, "new");
    for (const bool clears : {false, true}) {
        const auto invalidate = [&](auto& store) { return clears ? store.clear() : store.erase("key"); };
        const auto late = laws::ticket_of(one, "key");
        const auto good_apart = laws::ticket_of(apart, "key");
        REQUIRE(invalidate(two).ok());
        laws::put_late(one, "key", old, late);
        CHECK(laws::lacks(one, "key"));
        CHECK(laws::lacks(two, "key"));
        REQUIRE(two.put("key", fresh, laws::ticket_of(two, "key")).ok());
        CHECK(laws::holds(one, "key", fresh));
        laws::put_late(one, "key", old, late);
        CHECK(laws::holds(two, "key", fresh));
        CHECK(apart.put("key", old, good_apart).ok());
        CHECK(laws::holds(apart, "key", old));
        REQUIRE(invalidate(one).ok());
        CHECK(laws::lacks(two, "key"));
    }
}

TEST_CASE("who has not seen that the store was cleared invalidates what is there since") {
    on_fake on;
    store_type unaware{on.client(), on.clock(), receipts};
    CHECK(laws::lacks(unaware, "key"));
    REQUIRE(on.store().clear().ok());
    const auto late = laws::ticket_of(on.store(), "key");
    const auto entry = laws::entry_of(on, "old");
    REQUIRE(on.store().put("key", entry, late).ok());
    REQUIRE(unaware.erase("key").ok());
    CHECK(laws::lacks(on.store(), "key"));
    CHECK(laws::is_kept_out(on.store().put("key", entry, late)));
}

TEST_CASE("whatever is invalidated between the look and the write is not seen afterwards") {
    for (const bool clears : {false, true}) {
        CAPTURE(clears);
        on_hook on;
        store_type other{on.service.client(), on.clock(), receipts};
        const auto invalidate = [&] { REQUIRE((clears ? other.clear() : other.erase("key")).ok()); };
        const auto late = laws::ticket_of(on.store, "key");
        on.once_before("PutItem", invalidate);
        laws::put_late(on.store, "key", laws::entry_of(on, "old"), late);
        CHECK(laws::lacks(on.store, "key"));

        REQUIRE(on.store.put("key", laws::entry_of(on, "old"), laws::ticket_of(on.store, "key")).ok());
        on.once_before("UpdateItem", [&] { REQUIRE(other.clear().ok()); });
        REQUIRE(on.store.erase("key").ok());
        CHECK(laws::lacks(on.store, "key"));
        CHECK(laws::lacks(other, "key"));
    }
}

TEST_CASE("a clear that comes in the midst of a look-up leaves it with a ticket of no use, or with a good one") {
    on_hook on;
    store_type other{on.service.client(), on.clock(), receipts};
    REQUIRE(other.clear().ok());
    on.once_before("GetItem", [&] { REQUIRE(other.clear().ok()); });
    const auto ticket = laws::ticket_of(on.store, "key");
    laws::put_late(on.store, "key", laws::entry_of(on, "old"), ticket);
    CHECK(laws::lacks(on.store, "key"));
    CHECK(laws::lacks(other, "key"));
}

TEST_CASE("calls may be repeated when their answers are lost, and what was invalidated meanwhile stays so") {
    for (const auto kind : {fault_kind::dropped, fault_kind::cut, fault_kind::error_json, fault_kind::error_xml}) {
        for (const auto times : {std::size_t{1}, fake_aws::always}) {
            CAPTURE(static_cast<int>(kind));
            CAPTURE(times);
            on_fake on;
            auto& store = on.store();
            const auto lose = [&](const char* operation, const auto& act) {
                CAPTURE(operation);
                on.server().faults().add({.kind = kind, .operation = operation, .times = times, .done = true});
                const freshet::result<void> outcome = act();
                CHECK(outcome.ok() == (times == 1));
                if (times != 1) { CHECK(outcome.why().code == errc::unavailable); }
                on.server().faults().clear();
                CHECK(act().ok());
            };
            const auto old = laws::entry_of(on, "old");
            const auto late = laws::ticket_of(store, "key");
            lose("PutItem", [&] { return store.put("key", old, late); });
            CHECK(laws::holds(store, "key", old));
            lose("UpdateItem", [&] { return store.touch("key", old, late); });
            CHECK(laws::holds(store, "key", old));
            lose("UpdateItem", [&] { return store.erase("key"); });
            CHECK(laws::lacks(store, "key"));
            CHECK(laws::is_kept_out(store.put("key", old, late)));
            const auto between = laws::ticket_of(store, "key");
            lose("GetItem", [&] { return store.erase("key"); });
            CHECK(laws::is_kept_out(store.put("key", old, between)));
            const auto again = laws::ticket_of(store, "key");
            lose("UpdateItem", [&] { return store.clear(); });
            laws::put_late(store, "key", old, again);
            CHECK(laws::lacks(store, "key"));
            lose("BatchGetItem", [&] { return store.get("key").transform([](const auto&) {}); });
        }
    }
}

TEST_CASE("an erase that is done twice for its lost answer refuses what was looked up in between") {
    on_hook on;
    store_type other{on.service.client(), on.clock(), receipts};
    std::optional<freshet::store_ticket> between;
    on.service.before([&](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
        if (operation != "UpdateItem") { return std::nullopt; }
        on.service.before({});
        REQUIRE(other.erase("key").ok());
        between = laws::ticket_of(other, "key");
        REQUIRE(other.erase("key").ok());
        return fake_aws::refusal("InternalServerError", "", 500);
    });
    REQUIRE(on.store.erase("key").ok());
    CHECK(laws::is_kept_out(other.put("key", laws::entry_of(on, "old"), *between)));
}

TEST_CASE("keys that the service leaves over are asked for again, and in the end the caller is told") {
    on_fake on;
    auto& store = on.store();
    REQUIRE(store.clear().ok());
    REQUIRE(store.erase("key").ok());
    const auto entry = laws::entry_of(on, "value");
    const auto ticket = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, ticket).ok());
    for (const auto& chosen : {fake_aws::at({0}), fake_aws::at({1}), fake_aws::at({0, 1})}) {
        const auto before = on.server().requests("BatchGetItem");
        on.server().faults().add({.kind = fault_kind::unprocessed, .operation = "BatchGetItem", .chosen = chosen});
        const auto found = laws::looked(store, "key");
        CHECK(found.entry == entry);
        CHECK(found.ticket == ticket);
        CHECK(on.server().faults().waiting() == 0);
        CHECK(on.server().requests("BatchGetItem") == before + 2);
    }
    on.server().faults().add({.kind = fault_kind::unprocessed, .operation = "BatchGetItem", .times = fake_aws::always});
    const auto outcome = store.get("key");
    REQUIRE(!outcome.ok());
    CHECK(outcome.why().code == errc::throttled);
    CHECK(outcome.why().note == "ttl store receipts: key: BatchGetItem: keys were left over each time");
}

TEST_CASE("rows expire when neither their entry nor their invalidation is of use any more") {
    on_fake on;
    auto& store = on.store();
    on.clock().advance(1us);
    const auto now = on.clock().now();
    const auto fence = on.fence_time();
    const auto put = [&](const std::string& key, freshet::duration keep) {
        REQUIRE(store.put(key, laws::entry_of(on, "value", keep), laws::ticket_of(store, key)).ok());
        return expiry_of(on, "cache/receipts/0/" + key);
    };
    CHECK(put("key", 1h) == in_seconds(now + 1h) + 1);
    CHECK(put("key", 1min) == in_seconds(now + 1min) + 1);
    CHECK(put("key", -24h * 3'650) == in_seconds(now) + 1);
    REQUIRE(store.erase("key").ok());
    CHECK(expiry_of(on, "cache/receipts/0/key") == in_seconds(now + fence) + 1);
    on.clock().advance(1min);
    CHECK(put("key", 1min) >= in_seconds(now + fence) + 1);
    CHECK(put("key", 24h) == in_seconds(now + 1min + 24h) + 1);
    REQUIRE(store.clear().ok());
    CHECK(!row_of(on, "cache/receipts").contains("expires"));
    const auto end = std::numeric_limits<freshet::duration::rep>::max() / 1'000'000 + 1;
    const laws::cached for_ever{"value", now, now, freshet::time_point::max()};
    REQUIRE(store.put("ever", for_ever, laws::ticket_of(store, "ever")).ok());
    CHECK(expiry_of(on, "cache/receipts/1/ever") == end);
}

TEST_CASE("a row that is touched expires with its entry, and not before an invalidation is forgotten") {
    on_fake on;
    auto& store = on.store();
    auto entry = laws::entry_of(on, "value", 24h);
    const auto unaware = laws::ticket_of(store, "key");
    REQUIRE(store.erase("key").ok());
    on.clock().advance(1min);
    const auto now = on.clock().now();
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    entry.keep_until = now;
    REQUIRE(store.touch("key", entry, unaware).ok());
    CHECK(expiry_of(on, "cache/receipts/0/key") >= in_seconds(now - 1min + on.fence_time()));
    CHECK(laws::is_kept_out(store.put("key", entry, unaware)));
    entry.keep_until = now + 48h;
    REQUIRE(store.put("key", entry, laws::ticket_of(store, "key")).ok());
    entry.keep_until = now + 49h;
    REQUIRE(store.touch("key", entry, unaware).ok());
    CHECK(expiry_of(on, "cache/receipts/0/key") == in_seconds(now + 49h));
}

TEST_CASE("what the table deletes too early is forgotten without letting in what was loaded before") {
    on_fake on;
    auto& store = on.store();
    const auto old = laws::entry_of(on, "old");
    REQUIRE(store.erase("key").ok());
    const auto late = laws::ticket_of(store, "key");
    const json key{{"id", {{"S", "cache/receipts/0/key"}}}};
    REQUIRE(on.server().dynamodb().expire("work", key));
    CHECK(laws::is_kept_out(store.put("key", old, late)));
    REQUIRE(store.erase("key").ok());
    CHECK_MESSAGE(laws::is_kept_out(store.put("key", old, late)), "what begins to count anew counts otherwise");
    CHECK(laws::lacks(store, "key"));
}

TEST_CASE("an entry that has expired is not found, whether or not its row is still there") {
    on_fake on;
    auto& store = on.store();
    const auto entry = laws::entry_of(on, "value", 90s);
    const auto ticket = laws::ticket_of(store, "key");
    REQUIRE(store.put("key", entry, ticket).ok());
    on.clock().advance(90s);
    CHECK(laws::lacks(store, "key"));
    CHECK(on.sweep() == 1);
    CHECK(laws::lacks(store, "key"));
    CHECK(store.put("key", laws::entry_of(on, "next"), ticket).ok());
}

TEST_CASE("a value as large as a row can hold is kept, and a larger one refused") {
    on_fake on;
    auto& store = on.store();
    const auto ticket = laws::ticket_of(store, "key");
    const std::string id = "cache/receipts/0/key";
    const auto largest = laws::entry_of(on, std::string(409'600 - 128 - id.size(), '\xff'));
    CHECK(store.put("key", largest, ticket).ok());
    CHECK(laws::holds(store, "key", largest));
    REQUIRE(store.erase("key").ok());
    CHECK_MESSAGE(store.put("key", largest, laws::ticket_of(store, "key")).ok(), "also beside an invalidation");
    const auto writes = on.server().requests("PutItem");
    const auto larger = laws::entry_of(on, *largest.value + 'x');
    const auto refused = store.put("key", larger, laws::ticket_of(store, "key"));
    REQUIRE(!refused.ok());
    CHECK(refused.why().code == errc::too_large);
    CHECK(refused.why().note == "ttl store receipts: key: 409601 bytes, limit 409600");
    CHECK(on.server().requests("PutItem") == writes);
    CHECK(laws::holds(store, "key", largest));
}

TEST_CASE("a key is as long as its row's name allows, however often the store is cleared") {
    on_fake on;
    auto& store = on.store();
    REQUIRE(on.table()
                .put(*freshet::document::parse(
                    R"({"id":{"S":"cache/receipts"},"generation":{"N":"18446744073709551614"}})"))
                .ok());
    const std::string longest(2'020 - std::string_view{"receipts"}.size(), 'k');
    const auto entry = laws::entry_of(on, "value");
    REQUIRE(store.put(longest, entry, laws::ticket_of(store, longest)).ok());
    CHECK(laws::holds(store, longest, entry));
    REQUIRE(store.clear().ok());
    CHECK(laws::lacks(store, longest));
    const auto requests = on.server().requests("BatchGetItem");
    CHECK(store.get(longest + 'k').why().code == errc::malformed);
    CHECK(store.get("\xff").why().note.ends_with(": the key is no UTF-8 text"));
    CHECK(on.server().requests("BatchGetItem") == requests);
}

TEST_CASE("a store shares its table, and says what a person must change") {
    on_fake on;
    const auto denied = [](const auto& outcome) { return !outcome.ok() && outcome.why().code == errc::denied; };
    for (const auto* name : {"", "a/b", "\xff"}) {
        store_type odd{on.client(), on.clock(), {.table = "work", .name = name}};
        CHECK(denied(odd.get("key")));
        CHECK(denied(odd.put("key", {}, {})));
        CHECK(denied(odd.touch("key", {}, {})));
        CHECK(denied(odd.erase("key")));
        CHECK(denied(odd.clear()));
    }
    store_type nowhere{on.client(), on.clock(), {.table = "nowhere", .name = "receipts"}};
    CHECK(denied(nowhere.get("key")));
    CHECK(denied(nowhere.put("key", {}, {})));
    CHECK(denied(nowhere.touch("key", {}, {})));
    CHECK(denied(nowhere.erase("key")));
    CHECK(denied(nowhere.clear()));
    for (const auto* row : {R"({"id":{"S":"cache/receipts/0/odd"},"keep_until":{"N":"1"}})",
                            R"({"id":{"S":"cache/receipts/0/odd"},"generation":{"S":"1"}})",
                            R"({"id":{"S":"cache/receipts/0/odd"},"keep_until":{"N":"1"},"loaded_at":{"N":"1"},)"
                            R"("fresh_until":{"N":"1"},"value":{"S":"text"}})"}) {
        REQUIRE(on.table().put(*freshet::document::parse(row)).ok());
        const auto odd = on.store().get("odd");
        CHECK(denied(odd));
        CHECK(odd.why().note == "ttl store receipts: odd: table work has a row that is not the store's");
    }
    CHECK(laws::lacks(on.store(), "key"));
}
