// The laws of tables and of ledgers, on dynalite: DynamoDB's core as Node.js has it, without streams and TTL.

#include <memory>
#include <string>
#include <thread> // the laws have writers on several

#include <doctest/doctest.h>

#include <adapters/aws/client.hpp>
#include <adapters/aws/ledger.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/item_write.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/bucket_sink.hpp>
#include <laws/ledger.hpp>
#include <laws/run_store.hpp>
#include <laws/table.hpp>
#include <laws/ttl_store.hpp>
#include <laws/ttl_store_processes.hpp>
#include <servers/tables.hpp>
#include <support/server_process.hpp>
#include <support/server_results.hpp>

namespace {

[[nodiscard]] auto dynalite() -> freshet::result<std::unique_ptr<support::server_process>>& {
    static auto started = support::start_dynalite();
    return started;
}

struct results : support::server_results {
    explicit results(const doctest::ContextOptions&)
        : server_results{"dynalite",
                         {"table", "ledger", "ttl_store", "bucket_sink", "run_store"},
                         {},
                         []() -> freshet::result<void> {
                             if (!dynalite()) { return dynalite().why(); }
                             return {};
                         }} {}
};
REGISTER_LISTENER("server_results", 1, results);

struct endpoint {
    [[nodiscard]] static auto url() -> std::string { return (*dynalite())->endpoint(); }
};
/// dynalite compares bounds as JavaScript compares strings, by UTF-16.
class on_dynalite : public servers::laid_table<endpoint> {
public:
    static constexpr bool bounds_by_bytes = false;
};

/// A table for a dynalite that takes no list for equal to another, and no map: that a row is unchanged is found out by
/// reading it, which is as good where nobody else writes.
class read_before_written {
public:
    using condition = adapters::item_condition;

    explicit read_before_written(adapters::aws::table& table) : table_{table} {}

    [[nodiscard]] auto get(const freshet::row_key& key) { return table_.get(key); }
    [[nodiscard]] auto scan(const freshet::page_request& request) { return table_.scan(request); }
    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request) {
        return table_.query(which, request);
    }
    [[nodiscard]] auto put(const freshet::document& row, const condition& when) {
        return table_.put(row, mended(laws::key_of(row), when));
    }
    [[nodiscard]] auto update(const freshet::row_key& key, const freshet::item_patch& patch, const condition& when) {
        return table_.update(key, patch, mended(key, when));
    }
    [[nodiscard]] auto erase(const freshet::row_key& key, const condition& when) {
        return table_.erase(key, mended(key, when));
    }

private:
    [[nodiscard]] auto mended(const freshet::row_key& key, const condition& when) -> condition {
        if (when.what() != condition::kind::unchanged) { return when; }
        const bool same = laws::same_item(laws::got(table_.get(key)), when.seen());
        return same ? condition::if_present() : when;
    }

    adapters::aws::table& table_;
};
class without_documents : public on_dynalite {
public:
    [[nodiscard]] auto table() -> read_before_written& { return reading_; }

private:
    read_before_written reading_{on_dynalite::table()};
};
using ledger_on_dynalite = servers::kept_ledger<endpoint>;
using store_on_dynalite = servers::kept_store<endpoint>;
using sink_on_dynalite = servers::kept_sink<endpoint>;
using runs_on_dynalite = servers::kept_runs<endpoint>;

} // namespace

TEST_SUITE_BEGIN("table");
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_1, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_2, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_3, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_4, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_5, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_6, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_7, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_8, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_9, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_10, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_11, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_12, without_documents);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_13, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_14, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_15, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_16, on_dynalite);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_17, on_dynalite);
TEST_SUITE_END();

TEST_SUITE_BEGIN("ledger");
FRESHET_LEDGER_LAWS(ledger_on_dynalite);
TEST_SUITE_END();

TEST_SUITE_BEGIN("ttl_store");
FRESHET_TTL_STORE_LAWS(store_on_dynalite);
TEST_SUITE_END();

TEST_SUITE_BEGIN("bucket_sink");
FRESHET_BUCKET_SINK_LAWS(sink_on_dynalite);
TEST_SUITE_END();

TEST_SUITE_BEGIN("run_store");
FRESHET_RUN_STORE_LAWS(runs_on_dynalite);
TEST_SUITE_END();

TEST_CASE("what a process looked up before another one invalidated, it cannot put") {
    for (const bool clears : {false, true}) {
        CAPTURE(clears);
        laws::keeps_out_the_late_process(servers::shared_store<endpoint>{}, clears);
    }
}

TEST_CASE("of processes that load and invalidate, none sees what was loaded before an invalidation ended") {
    laws::keeps_processes_apart(servers::shared_store<endpoint>{});
}
