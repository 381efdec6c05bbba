#include <demo/aws_place.hpp>
#include <demo/sqlite_place.hpp>

#include <string>

#include <doctest/doctest.h>

#include <adapters/aws/settings.hpp>
#include <demo/label_counting.hpp>
#include <demo/label_tally.hpp>
#include <demo/roles.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/environment_variable.hpp>
#include <support/scratch_directory.hpp>

namespace {

using freshet::errc;
using freshet::testing::manual_clock;
using in_sqlite = demo::sqlite_place<manual_clock>;
using in_aws = demo::aws_place<manual_clock>;

const auto scanned = receipts::sample_receipts{}.make(2);

/// Settings that wait for no disk.
auto on(const std::string& directory) -> demo::settings {
    demo::settings how;
    how.directory = directory;
    how.durable = false;
    how.labels = {"MERCHANT_NAME", "ADDRESS_LINE", "DATE", "GRAND_TOTAL", "NOBODYS"};
    how.log = support::log{support::log_level::critical};
    return how;
}

/// AWS, which the environment names while it lives.
struct cloud {
    manual_clock clock;
    fake_aws::server server{[this] { return clock.now(); }};
    adapters::aws::settings at{server.settings()};
    support::environment_variable key{"AWS_ACCESS_KEY_ID", at.keys.access_key};
    support::environment_variable secret{"AWS_SECRET_ACCESS_KEY", at.keys.secret_key};
    support::environment_variable region{"AWS_REGION", at.region};
    support::environment_variable endpoint{"AWS_ENDPOINT_URL", at.endpoint};
};

/// Counts the labels before edits and after, and compares both counts with the table.
void counts_what_the_table_says(const demo::settings& how, const auto& here) {
    REQUIRE(demo::load(here, scanned).ok());
    const auto counted = [&] {
        auto got = demo::count_labels(how, here);
        REQUIRE_MESSAGE(got.ok(), (got.ok() ? "" : got.why().note));
        return *std::move(got);
    };
    const auto differences = [&](const label_counts::reading& got) {
        auto table = here.open_table(true);
        REQUIRE(table.ok());
        const auto tally = demo::tally_labels(*table);
        REQUIRE(tally.ok());
        const auto report = demo::compare_labels(got, got, *tally);
        CHECK((report.words > 10 && report.hits == report.reads));
        return report.differences.size();
    };
    const auto before = counted();
    CHECK(differences(before) == 0);
    REQUIRE(demo::write(how, here, 40, 1).ok());
    CHECK_MESSAGE(differences(before) > 1, "what was counted stays as it was until it is counted again");
    CHECK(differences(counted()) == 0);
}

/// Validates what is loaded, and compares what the jobs say with the table.
void validates_what_the_table_has(const demo::settings& how, const auto& here) {
    REQUIRE(demo::load(here, scanned).ok());
    const auto done = demo::validate(how, here);
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    CHECK((done->labels.listed > 5 && done->metadata.worked == scanned.size() && done->agrees()));
    CHECK(done->table.round.at("VALID") == done->labels.updated);
    CHECK(demo::redrive_jobs(how, here).value().received == 0);
}

} // namespace

TEST_CASE("labels are counted into the cache of either place as the table has them, and validated there") {
    const support::scratch_directory in;
    {
        manual_clock clock;
        const auto how = on(in.file("sqlite"));
        const in_sqlite here{how, clock};
        validates_what_the_table_has(how, here);
        counts_what_the_table_says(how, here);
    }
    cloud around;
    const auto how = on(in.file("aws"));
    const auto here = in_aws::open(how, around.clock);
    REQUIRE(here.ok());
    validates_what_the_table_has(how, *here);
    counts_what_the_table_says(how, *here);
}

TEST_CASE("a table whose embeddings are in one directory is refused another, and goes on in the one") {
    const support::scratch_directory in;
    cloud around;
    const auto first = in_aws::open(on(in.file("first")), around.clock);
    REQUIRE(first.ok());
    REQUIRE(demo::load(*first, scanned).ok());
    const auto made = demo::prepare(on(in.file("first")), *first);
    REQUIRE(made.ok());
    CHECK((made->made && made->words > 0));

    const auto other = in_aws::open(on(in.file("other")), around.clock);
    REQUIRE(other.ok());
    REQUIRE(other->make().ok());
    const auto refused = demo::prepare(on(in.file("other")), *other);
    REQUIRE(!refused.ok());
    CHECK(refused.why().code == errc::denied);
    CHECK(refused.why().note == "table receipts: its embeddings are in another directory");
    CHECK(demo::pump(on(in.file("other")), *other, demo::until::drained).why().code == errc::denied);

    const auto again = demo::prepare(on(in.file("first")), *first);
    REQUIRE(again.ok());
    CHECK((!again->made && again->words == made->words));
}
