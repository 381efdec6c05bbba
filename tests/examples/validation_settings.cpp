#include <validation/command_line.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <support/environment_variable.hpp>

namespace {

using namespace std::chrono_literals;
using validation::command;

auto read(const std::vector<std::string>& words) -> support::wanted_or_exit<validation::settings> {
    std::vector<const char*> argv{"validation"};
    for (const auto& word : words) { argv.push_back(word.c_str()); }
    return validation::read_settings(static_cast<int>(argv.size()), argv.data());
}
auto good(const std::vector<std::string>& words) -> validation::settings {
    auto settings = read(words);
    REQUIRE(settings.wanted);
    return *std::move(settings.wanted);
}
auto is_refused(const std::vector<std::string>& words) -> bool {
    const auto settings = read(words);
    return !settings.wanted && settings.exit_code == 2;
}

TEST_CASE("each command is read by its name, and a program without one is told so") {
    CHECK(good({"pending-labels"}).what == command::pending_labels);
    CHECK(good({"metadata"}).what == command::metadata);
    CHECK(good({"reverify"}).what == command::reverify);
    CHECK(good({"process-all"}).what == command::process_all);
    CHECK(good({"upload", "--input", "f"}).what == command::upload);
    CHECK(good({"watch"}).what == command::watch);
    CHECK(good({"runs"}).what == command::runs);
    CHECK(good({"redrive"}).what == command::redrive);
    CHECK(good({"score", "--labels", "a", "--truth", "b"}).what == command::score);
    CHECK(is_refused({}));
    CHECK(is_refused({"everything"}));
    CHECK(is_refused({"metadata", "reverify"}));
}

TEST_CASE("what is not said is as the seed has it: batches of 10, no deadline, one missed run made up for") {
    const auto usual = good({"pending-labels"});
    CHECK(usual.where == support::backend::memory);
    CHECK(usual.batch == 10);
    CHECK(usual.limit == 0s);
    CHECK(usual.most_undecided == 3);
    CHECK(usual.catch_up == freshet::catch_up::once);
    CHECK(usual.durable);
    CHECK_FALSE(usual.most);
}

TEST_CASE("options are read before and behind the command") {
    const auto wanted = good({"--dir", "d", "process-all", "--image", "8b360bb7-7573-520b-9d7d-f4cefa69eebf", "--limit",
                              "7", "--deadline", "15m", "--lease", "30s", "--workers", "2", "--no-sync", "--dry-run"});
    CHECK(wanted.where == support::backend::sqlite);
    CHECK(wanted.directory == "d");
    CHECK(wanted.image == "8b360bb7-7573-520b-9d7d-f4cefa69eebf");
    CHECK(wanted.most == 7);
    CHECK(wanted.limit == 15min);
    CHECK(wanted.lease == 30s);
    CHECK(wanted.workers == 2);
    CHECK_FALSE(wanted.durable);
    CHECK(wanted.dry_run);
}

TEST_CASE("tolerated failures are a number of receipts or a percentage") {
    CHECK(good({"metadata", "--tolerate", "5"}).tolerated.count == 5);
    CHECK(good({"metadata", "--tolerate", "5"}).tolerated.percent == 100);
    CHECK(good({"metadata", "--tolerate", "20%"}).tolerated.percent == 20);
    for (const auto* wrong : {"", "%", "-1", "101%", "5 %", "many"}) {
        CAPTURE(wrong);
        CHECK(is_refused({"metadata", "--tolerate", wrong}));
    }
}

TEST_CASE("the table and the dead-letter queue of AWS are named by the environment") {
    const support::environment_variable table{"DYNAMODB_TABLE_NAME", "scans"};
    const support::environment_variable letters{"DEAD_LETTER_QUEUE_URL", "http://127.0.0.1/dead.fifo"};
    const auto wanted = good({"runs", "--backend", "aws"});
    CHECK(wanted.table == "scans");
    CHECK(wanted.letters == "http://127.0.0.1/dead.fifo");
    CHECK(good({"runs"}).table == "receipts");
}

TEST_CASE("what does not go together is refused") {
    CHECK(is_refused({"upload"}));
    CHECK(is_refused({"score"}));
    CHECK(is_refused({"pending-labels", "--truth", "f"})); // no job may see it
    CHECK(is_refused({"reverify", "--image", "8b360bb7-7573-520b-9d7d-f4cefa69eebf"}));
    CHECK(is_refused({"process-all", "--image", "7"}));
    CHECK(is_refused({"runs", "--input", "f"}));
    CHECK(is_refused({"watch", "--dry-run"}));
    CHECK(is_refused({"watch", "--limit", "1"}));
    CHECK(is_refused({"metadata", "--dry-run", "--dir", "d", "--input", "f"}));
    CHECK(is_refused({"metadata", "--cloudwatch"}));
    CHECK(is_refused({"metadata", "--gb-second", "1"}));
    CHECK(is_refused({"runs", "--gb-second", "-1"}));
    CHECK(is_refused({"runs", "--gb-second", "nan"}));
    CHECK(is_refused({"metadata", "--json", "--emf", "-"}));
    CHECK(is_refused({"metadata", "--dir", "d", "--backend", "memory"}));
    CHECK(is_refused({"metadata", "--backend", "graphql"}));
    CHECK(is_refused({"watch", "--catch-up", "never"}));
    CHECK(is_refused({"metadata", "--now", "today"}));
    CHECK(is_refused({"metadata", "--limit", "0"}));
    CHECK(is_refused({"metadata", "--undecided", "0"}));
}

} // namespace
