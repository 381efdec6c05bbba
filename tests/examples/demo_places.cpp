#include <demo/aws_place.hpp>
#include <demo/sqlite_place.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <adapters/aws/settings.hpp>
#include <demo/command_line.hpp>
#include <demo/label_counting.hpp>
#include <demo/label_tally.hpp>
#include <demo/program.hpp>
#include <demo/roles.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/wall_clock.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/environment_variable.hpp>
#include <support/process.hpp>
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

/// What the program says in a process of its own that ends with exit code 3.
template <class Place>
auto refused(const demo::command& wanted) -> std::string {
    const support::scratch_directory in;
    support::process it{[&] {
        ::dup2(::open(in.file("stderr").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
        return demo::program<Place>{wanted}.run() == demo::unreachable;
    }};
    CHECK(it.went_well());
    std::ifstream said{in.file("stderr")};
    return {std::istreambuf_iterator<char>{said}, {}};
}

} // namespace

TEST_CASE("the directory of a demonstration on SQLite is refused for one in AWS, whatever the role: exit code 3") {
    const support::scratch_directory in;
    const auto directory = in.file("data");
    manual_clock clock;
    const in_sqlite here{on(directory), clock};
    REQUIRE(demo::load(here, scanned).ok());
    for (const auto* role : {"", "load", "write", "pump", "consume", "verify", "redrive"}) {
        CAPTURE(role);
        CHECK(refused<demo::aws_place<freshet::wall_clock>>({.role = role, .aws = true, .how = on(directory)}) ==
              "demo: " + directory + ": has a demonstration on SQLite, and its embeddings\n");
    }
}

TEST_CASE("the directory of a demonstration in AWS is refused for one on SQLite, whatever the role: exit code 3") {
    const support::scratch_directory in;
    const auto directory = in.file("data");
    {
        cloud around;
        const auto here = in_aws::open(on(directory), around.clock);
        REQUIRE(here.ok());
        REQUIRE(demo::load(*here, scanned).ok());
        REQUIRE(demo::prepare(on(directory), *here).ok());
    }
    for (const auto* role : {"", "load", "verify"}) {
        CAPTURE(role);
        CHECK(refused<demo::sqlite_place<freshet::wall_clock>>({.role = role, .how = on(directory)}) ==
              "demo: " + directory + ": has embeddings, and not the table that they are made from\n");
    }
}

TEST_CASE("labels are counted into the cache of either place as the table has them") {
    const support::scratch_directory in;
    {
        manual_clock clock;
        const auto how = on(in.file("sqlite"));
        counts_what_the_table_says(how, in_sqlite{how, clock});
    }
    cloud around;
    const auto how = on(in.file("aws"));
    const auto here = in_aws::open(how, around.clock);
    REQUIRE(here.ok());
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
