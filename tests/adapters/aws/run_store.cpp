#include <adapters/run_store.hpp>

#include <string>

#include <doctest/doctest.h>

#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../laws/run_store.hpp"
#include "hooked_dynamodb.hpp"

namespace {

using namespace std::chrono_literals;
using fake_aws::fault_kind;
using freshet::errc;
using store_type = adapters::run_store<adapters::aws::table>;

static_assert(freshet::run_store<store_type>);

/// A store in a DynamoDB of its own.
class on_fake {
public:
    on_fake() { REQUIRE(adapters::aws::create_table(client_, adapters::runs_table()).ok()); }
    [[nodiscard]] auto store() -> store_type& { return store_; }
    [[nodiscard]] auto other() -> store_type& { return other_; }
    [[nodiscard]] auto server() -> fake_aws::server& { return server_; }

private:
    freshet::testing::manual_clock clock_;
    fake_aws::server server_{[this] { return clock_.now(); }};
    adapters::aws::client client_{server_.settings()};
    adapters::aws::table table_{client_, adapters::runs_table()};
    adapters::aws::table again_{client_, adapters::runs_table()};
    store_type store_{table_};
    store_type other_{again_};
};

} // namespace

FRESHET_RUN_STORE_LAWS(on_fake);

TEST_CASE("a put is one request, and so is each read of a few runs; reads are consistent") {
    hooked_dynamodb service;
    REQUIRE(adapters::aws::create_table(service.client(), adapters::runs_table()).ok());
    adapters::aws::table table{service.client(), adapters::runs_table()};
    adapters::run_store store{table};
    static_cast<void>(service.requests());
    for (int n = 0; n != 3; ++n) { laws::put(store, laws::run_of("job", laws::a_sunday + n * 1s)); }
    laws::put(store, laws::run_of("job", laws::a_sunday + 2s));
    CHECK(service.operations() == "PutItem PutItem PutItem PutItem ");
    CHECK(laws::latest_of(store, "job")->started_at == laws::a_sunday + 2s);
    CHECK(laws::runs_in(store, "job").size() == 3);
    const auto requests = service.requests();
    REQUIRE(requests.size() == 2);
    for (const auto& [operation, request] : requests) {
        CHECK(operation == "Query");
        CHECK(request.value("ConsistentRead", false));
    }
    CHECK(requests[0].second.value("Limit", 0) == 2);
}

TEST_CASE("a put whose answer is lost may be repeated, and a table that is not there is no empty one") {
    on_fake on;
    const auto report = laws::full_run();
    on.server().faults().add(
        {.kind = fault_kind::dropped, .operation = "PutItem", .times = fake_aws::always, .done = true});
    const auto lost = on.store().put(report);
    REQUIRE(!lost.ok());
    CHECK(lost.why().code == errc::unavailable);
    on.server().faults().clear();
    laws::holds_runs(on.other(), report.job, {report});
    laws::put(on.store(), report);
    laws::holds_runs(on.store(), report.job, {report});

    hooked_dynamodb empty;
    adapters::aws::table nowhere{empty.client(), adapters::runs_table()};
    adapters::run_store store{nowhere};
    const auto latest = store.latest("job");
    REQUIRE(!latest.ok());
    CHECK(latest.why().code == errc::denied);
}
