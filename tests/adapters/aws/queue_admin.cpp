#include <adapters/aws/queue_admin.hpp>

#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include <freshet/core/time.hpp>

#include "../../laws/letters.hpp"
#include "sqs_bench.hpp"

using namespace std::chrono_literals;
using adapters::aws::create_queue;
using adapters::aws::describe_queue;
using adapters::aws::queue_url;
using adapters::aws::visibility_seconds;
using adapters::aws::whole_seconds;
using freshet::duration;
using freshet::errc;
using sqs_bench::bench;
using sqs_bench::fails;

static_assert(whole_seconds(0us) == 0 && whole_seconds(1us) == 1);
static_assert(whole_seconds(1s) == 1 && whole_seconds(1s + 1us) == 2);
static_assert(whole_seconds(-1us) == 0 && whole_seconds(duration::min()) == 0);
static_assert(visibility_seconds(duration::max()) == 43'200 && visibility_seconds(12h) == 43'200);
static_assert(visibility_seconds(43'199s + 1us) == 43'200);

TEST_CASE("a queue is what its options say, with whole seconds, and a FIFO queue's name ends in .fifo") {
    bench on;
    const auto url = create_queue(
        on.by, {.name = "lines", .visibility = 9s + 1us, .retention = 1h, .limits = {.message_bytes = 2048}});
    REQUIRE(url.ok());
    CHECK(url->ends_with("/lines.fifo"));
    CHECK(queue_url(on.by, "lines.fifo").value_or("") == *url);
    const auto found = describe_queue(on.by, *url);
    REQUIRE(found.ok());
    CHECK(found->name == "lines.fifo");
    CHECK(found->fifo);
    CHECK(found->visibility == 10s);
    CHECK(found->retention == 1h);
    CHECK(found->limits.message_bytes == 2048);
    CHECK(found->limits.request_bytes == 1'048'576);

    const auto standard = create_queue(on.by, {.name = "any", .fifo = false});
    REQUIRE(standard.ok());
    CHECK(standard->ends_with("/any"));
    const auto other = describe_queue(on.by, *standard);
    REQUIRE(other.ok());
    CHECK(!other->fifo);
    CHECK(other->visibility == 30s);
    CHECK(other->retention == 96h);
    CHECK(other->limits == freshet::queue_limits{});
}

TEST_CASE("a queue that is there is left as it is, whatever the options say now") {
    bench on;
    const auto first = create_queue(on.by, {.name = "q", .visibility = 5s});
    REQUIRE(first.ok());
    CHECK(create_queue(on.by, {.name = "q", .visibility = 5s}).value_or("") == *first);
    CHECK(create_queue(on.by, {.name = "q.fifo", .visibility = 77s}).value_or("") == *first);
    CHECK(describe_queue(on.by, *first)->visibility == 5s);
}

TEST_CASE("dead letters go to the queue of that name, which must be there") {
    for (const bool fifo : {true, false}) {
        bench on;
        const adapters::queue_options wanted{.name = "q", .fifo = fifo, .max_receives = 1, .dead_letters = "dead"};
        fails(create_queue(on.by, wanted), errc::denied,
              fifo ? "queue dead.fifo: there is no such queue" : "queue dead: there is no such queue");
        auto dead = on.open({.name = "dead", .fifo = fifo});
        auto queue = on.open(wanted);
        laws::put(queue, "g", "x");
        CHECK(laws::take_one(queue, {.limit = 1, .visibility = 0s}).body == "x");
        CHECK(laws::take(queue).empty());
        CHECK(laws::take_one(dead).body == "x");
    }
}

TEST_CASE("no queue of that name, a name that no queue can have, wrong credentials: each is one line") {
    bench on;
    fails(queue_url(on.by, "none"), errc::denied, "queue none: there is no such queue");
    fails(describe_queue(on.by, on.server.endpoint() + "/123456789012/none"), errc::denied, "queue none: there is no");
    CHECK(!create_queue(on.by, {.name = "a b\n"}).ok());
    CHECK(!create_queue(on.by, {.name = "\xff"}).ok());
    CHECK(!create_queue(on.by, {.name = ""}).ok());
    auto wrong = on.server.settings();
    wrong.keys.secret_key = "another";
    const adapters::aws::client stranger{wrong};
    fails(create_queue(stranger, {.name = "q"}), errc::denied, "queue q.fifo: ");
}

TEST_CASE("a create that is repeated after a lost answer makes one queue") {
    bench on;
    on.fail({.kind = fake_aws::fault_kind::dropped, .operation = "CreateQueue", .done = true});
    CHECK(create_queue(on.by, {.name = "q"}).value_or("").ends_with("/q.fifo"));
    CHECK(on.server.requests("CreateQueue") == 2);
}
