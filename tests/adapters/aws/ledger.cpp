#include <adapters/aws/ledger.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../laws/ledger.hpp"
#include "hooked_dynamodb.hpp"

namespace {

using namespace std::chrono_literals;
using fake_aws::fault_kind;
using freshet::claim_verdict;
using freshet::errc;
using freshet::testing::manual_clock;
using nlohmann::json;
using ledger_type = adapters::aws::ledger<manual_clock>;

static_assert(freshet::shareable<ledger_type>);
static_assert(
    !std::is_constructible_v<ledger_type, adapters::aws::client, manual_clock&, adapters::aws::ledger_options>);
static_assert(
    !std::is_constructible_v<ledger_type, adapters::aws::client&, manual_clock, adapters::aws::ledger_options>);

const adapters::item_table_options work{.name = "work", .partition = "id", .sort = ""};

/// A ledger in a DynamoDB of its own, which does not delete what has expired.
class on_fake {
public:
    on_fake() { REQUIRE(adapters::aws::create_table(client_, work, {.ttl_attribute = "expires"}).ok()); }
    [[nodiscard]] auto ledger() -> ledger_type& { return ledger_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto server() -> fake_aws::server& { return server_; }
    [[nodiscard]] auto client() -> adapters::aws::client& { return client_; }
    [[nodiscard]] auto table() -> adapters::aws::table& { return table_; }

private:
    manual_clock clock_;
    fake_aws::server server_{[this] { return clock_.now(); }};
    adapters::aws::client client_{server_.settings()};
    ledger_type ledger_{client_, clock_, {.table = "work"}};
    adapters::aws::table table_{client_, work};
};

/// A ledger whose requests a test sees, and may come before.
struct on_hook {
    hooked_dynamodb service{};
    ledger_type ledger{service.client(), service.clock(), {.table = "work"}};

    on_hook() {
        REQUIRE(adapters::aws::create_table(service.client(), work).ok());
        static_cast<void>(service.requests());
    }
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

[[nodiscard]] auto number_of(on_fake& on, const std::string& id, std::string_view name) -> std::int64_t {
    const auto row = on.table().get({id, ""});
    REQUIRE(row.ok());
    REQUIRE(row->has_value());
    return std::stoll(std::string{(*row)->image().find(name)->text()});
}

} // namespace

FRESHET_LEDGER_LAWS(on_fake);

TEST_CASE("a claim that is granted is three requests, and any other call is one") {
    on_hook on;
    const auto claim = laws::granted(on.ledger, "key", "a");
    CHECK(on.service.operations() == "GetItem UpdateItem PutItem ");
    CHECK(laws::ask(on.ledger, "key", "b").verdict == claim_verdict::held);
    CHECK(on.service.operations() == "GetItem ");
    CHECK(on.ledger.renew(claim, 1min).ok());
    CHECK(on.ledger.release(claim).ok());
    CHECK(on.ledger.complete(claim).ok());
    CHECK(on.service.operations() == "UpdateItem UpdateItem UpdateItem ");
    CHECK(laws::ask(on.ledger, "key", "b").verdict == claim_verdict::completed);
    for (const auto& [operation, request] : on.service.requests()) { CHECK(request.value("ConsistentRead", false)); }
}

TEST_CASE("a claim whose answers are lost is granted once, and its token is the last") {
    for (const auto kind : {fault_kind::dropped, fault_kind::cut, fault_kind::error_json, fault_kind::error_xml}) {
        for (const auto* operation : {"GetItem", "UpdateItem", "PutItem"}) {
            CAPTURE(static_cast<int>(kind));
            CAPTURE(operation);
            on_fake on;
            const auto before = laws::granted(on.ledger(), "other", "a");
            on.server().faults().add({.kind = kind, .operation = operation, .done = true});
            const auto claim = laws::granted(on.ledger(), "key", "a");
            CHECK(on.server().faults().waiting() == 0);
            CHECK(claim.token > before.token);
            CHECK(laws::ask(on.ledger(), "key", "b").verdict == claim_verdict::held);
            CHECK(on.ledger().complete(claim).ok());
        }
    }
}

TEST_CASE("who takes work over is told so, also where the answer to the write was lost") {
    on_fake on;
    const auto first = laws::granted(on.ledger(), "key", "a", 30s);
    on.clock().advance(30s);
    on.server().faults().add({.kind = fault_kind::dropped, .operation = "PutItem", .done = true});
    const auto answer = laws::ask(on.ledger(), "key", "b");
    CHECK(answer.verdict == claim_verdict::taken_over);
    CHECK(answer.claim.token == first.token + 1);
    CHECK(on.ledger().complete(answer.claim).ok());
}

TEST_CASE(
    "a claim that failed and yet was written is the same owner's anew, and held for others until its lease ends") {
    on_fake on;
    on.server().faults().add(
        {.kind = fault_kind::dropped, .operation = "PutItem", .times = fake_aws::always, .done = true});
    const auto lost = on.ledger().claim({"key", "a", 30s});
    REQUIRE(!lost.ok());
    CHECK(lost.why().code == errc::unavailable);
    CHECK(lost.why().note.starts_with("ledger: key: "));
    on.server().faults().clear();
    CHECK(laws::ask(on.ledger(), "key", "b").verdict == claim_verdict::held);
    const auto again = laws::granted(on.ledger(), "key", "a");
    CHECK(again.token > 1);
    on.clock().advance(30s);
    CHECK(laws::ask(on.ledger(), "key", "b").verdict == claim_verdict::taken_over);
    CHECK(laws::is_conflict(on.ledger().complete(again)));
}

TEST_CASE("complete, release and renew may be repeated when their answers are lost") {
    const auto lose = [](auto act, claim_verdict after) {
        for (const auto times : {std::size_t{1}, fake_aws::always}) {
            on_fake on;
            const auto claim = laws::granted(on.ledger(), "key", "a");
            on.server().faults().add(
                {.kind = fault_kind::dropped, .operation = "UpdateItem", .times = times, .done = true});
            const auto outcome = act(on.ledger(), claim);
            CHECK(outcome.ok() == (times == 1));
            if (times != 1) { CHECK(outcome.why().code == errc::unavailable); }
            on.server().faults().clear();
            CHECK(act(on.ledger(), claim).ok());
            CHECK(laws::ask(on.ledger(), "key", "b").verdict == after);
        }
    };
    lose([](auto& ledger, const auto& claim) { return ledger.complete(claim); }, claim_verdict::completed);
    lose([](auto& ledger, const auto& claim) { return ledger.release(claim); }, claim_verdict::granted);
    lose([](auto& ledger, const auto& claim) { return ledger.renew(claim, 1min); }, claim_verdict::held);
}

TEST_CASE("whatever the last owner does between the look and the write of the next, it counts") {
    const auto between = [](auto act, claim_verdict wanted) {
        on_hook on;
        const auto first = laws::granted(on.ledger, "key", "a", 30s);
        on.service.clock().advance(30s);
        on.once_before("PutItem", [&] { REQUIRE(act(on.ledger, first).ok()); });
        const auto answer = laws::ask(on.ledger, "key", "b");
        CHECK(answer.verdict == wanted);
        CHECK(laws::ask(on.ledger, "key", "c").verdict ==
              (wanted == claim_verdict::completed ? wanted : claim_verdict::held));
        CHECK(on.ledger.complete(first).ok() == !answer.mine());
    };
    between([](auto& ledger, const auto& first) { return ledger.complete(first); }, claim_verdict::completed);
    between([](auto& ledger, const auto& first) { return ledger.renew(first, 30s); }, claim_verdict::held);
    between([](auto& ledger, const auto& first) { return ledger.release(first); }, claim_verdict::granted);
    between([](auto& ledger, const auto&) { return ledger.claim({"other", "x", 30s}); }, claim_verdict::taken_over);
}

TEST_CASE("of two who ask at once the one that writes first has the work, whichever token is greater") {
    on_hook on;
    std::optional<freshet::work_claim> quicker;
    on.once_before("PutItem", [&] { quicker = laws::granted(on.ledger, "key", "b"); });
    CHECK(laws::ask(on.ledger, "key", "a").verdict == claim_verdict::held);
    CHECK(on.ledger.complete(*quicker).ok());

    quicker.reset();
    on.once_before("PutItem", [&] {
        quicker = laws::granted(on.ledger, "key2", "b");
        REQUIRE(on.ledger.release(*quicker).ok());
    });
    const auto slower = laws::granted(on.ledger, "key2", "a");
    CHECK(slower.token > quicker->token);
    CHECK(laws::is_conflict(on.ledger.complete(*quicker)));
}

TEST_CASE("a claim that others come before each time gives up, and may be asked for again") {
    on_hook on;
    bool mine = true; // the requests of the others are not looked at
    on.service.before([&](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
        if (operation != "PutItem" || !std::exchange(mine, false)) { return std::nullopt; }
        REQUIRE(on.ledger.release(laws::granted(on.ledger, "key", "b")).ok());
        mine = true;
        return std::nullopt;
    });
    const auto outcome = on.ledger.claim({"key", "a", 30s});
    REQUIRE(!outcome.ok());
    CHECK(outcome.why().code == errc::unavailable);
    on.service.before({});
    CHECK(laws::ask(on.ledger, "key", "a").mine());
}

TEST_CASE("a key is remembered for as long as was asked for, and a second longer at most, whoever deletes its row") {
    on_fake on;
    auto& ledger = on.ledger();
    on.clock().advance(1us);
    const auto left = laws::granted(ledger, "left", "a", 1h);
    const auto done = laws::granted(ledger, "done", "a");
    const auto back = laws::granted(ledger, "given back", "a");
    CHECK(ledger.complete(done).ok());
    CHECK(ledger.release(back).ok());
    const auto now = on.clock().now();
    const auto in_seconds = [](freshet::time_point at) { return at.time_since_epoch() / 1s; };
    CHECK(number_of(on, "ledger/done", "expires") == in_seconds(now + 14 * 24h) + 1);
    CHECK(number_of(on, "ledger/given back", "expires") == in_seconds(now + 14 * 24h) + 1);
    CHECK(number_of(on, "ledger/left", "expires") == in_seconds(now + 14 * 24h + 1h) + 1);

    on.clock().advance(14 * 24h);
    CHECK(laws::ask(ledger, "done", "b").verdict == claim_verdict::completed);
    CHECK(ledger.complete(back).ok()); // remembered anew from here on
    CHECK(ledger.release(back).ok());
    on.clock().advance(1s);
    CHECK(laws::is_conflict(ledger.complete(done)));
    CHECK(laws::is_conflict(ledger.release(done)));
    CHECK(laws::is_conflict(ledger.renew(done, 1s)));
    CHECK(on.table().get({"ledger/done", ""})->has_value());
    const auto again = laws::granted(ledger, "done", "b");
    CHECK(again.token > back.token);
    CHECK(laws::ask(ledger, "given back", "b").verdict == claim_verdict::completed);
    on.clock().advance(1h - 2s);
    CHECK_MESSAGE(ledger.renew(left, 1s).ok(), "a lease is remembered from its end on");
    on.clock().advance(14 * 24h + 3s);
    CHECK(laws::is_conflict(ledger.renew(left, 1s)));
    CHECK(laws::granted(ledger, "left", "b").token > again.token);
    REQUIRE(on.table().erase({"ledger/left", ""}).ok());
    CHECK(laws::granted(ledger, "left", "c").token > again.token + 1);
}

TEST_CASE("leases and memories without end are written as the last instant that there is") {
    on_fake on;
    const auto claim = laws::granted(on.ledger(), "key", "a", freshet::duration::max());
    CHECK(claim.expires_at == freshet::time_point::max());
    on.clock().advance(24h * 36'500);
    CHECK(laws::ask(on.ledger(), "key", "b").verdict == claim_verdict::held);
    CHECK(on.ledger().complete(claim).ok());
    ledger_type forever{on.client(), on.clock(), {.table = "work", .remembered = freshet::duration::max()}};
    const auto other = laws::granted(forever, "other", "a");
    CHECK(forever.complete(other).ok());
    CHECK(laws::ask(forever, "other", "b").verdict == claim_verdict::completed);
}

TEST_CASE("a key of any length is a key of its own, and text that is no UTF-8 is refused") {
    on_fake on;
    for (const std::size_t size : {2'040U, 2'041U, 2'042U, 2'048U, 5'000U}) {
        CAPTURE(size);
        const auto key = std::string(size, 'k');
        const auto claim = laws::granted(on.ledger(), key, "a");
        CHECK(claim.key == key);
        CHECK(laws::ask(on.ledger(), key, "b").verdict == claim_verdict::held);
        CHECK(on.ledger().renew(claim, 1s).ok());
        CHECK(on.ledger().complete(claim).ok());
        CHECK(laws::ask(on.ledger(), key, "b").verdict == claim_verdict::completed);
    }
    const auto requests = on.server().requests("GetItem");
    CHECK(on.ledger().claim({"\xff", "a", 1s}).why().code == errc::malformed);
    CHECK(on.ledger().claim({"key", "\xff", 1s}).why().code == errc::malformed);
    CHECK(on.server().requests("GetItem") == requests);
    CHECK(laws::is_conflict(on.ledger().complete({"\xff", 1, {}})));
}

TEST_CASE("a ledger shares its table, and a row of its name that is not its own is left alone") {
    on_fake on;
    REQUIRE(on.table().put(*freshet::document::parse(R"({"id":{"S":"key"},"token":{"S":"x"}})")).ok());
    REQUIRE(on.table().put(*freshet::document::parse(R"({"id":{"S":"ledger/odd"},"token":{"N":"1"}})")).ok());
    CHECK(laws::granted(on.ledger(), "key", "a").key == "key");
    const auto odd = on.ledger().claim({"odd", "a", 1s});
    REQUIRE(!odd.ok());
    CHECK(odd.why().code == errc::denied);
    CHECK(odd.why().note == "ledger: odd: table work has a row that is not the ledger's");
    ledger_type nowhere{on.client(), on.clock(), {.table = "nowhere"}};
    const auto none = nowhere.claim({"key", "a", 1s});
    REQUIRE(!none.ok());
    CHECK(none.why().code == errc::denied);
    CHECK(none.why().note.find('\n') == std::string::npos);
    CHECK(nowhere.complete({"key", 1, {}}).why().code == errc::denied);
}

TEST_CASE("a ledger opened again goes on with its tokens") {
    on_fake on;
    const auto first = laws::granted(on.ledger(), "key", "a");
    ledger_type again{on.client(), on.clock(), {.table = "work"}};
    CHECK(laws::granted(again, "key2", "a").token > first.token);
    CHECK(again.complete(first).ok());
}
