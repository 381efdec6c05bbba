// The laws of tables, change streams, message queues and ledgers, on moto_server: many services as Python has them.

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread> // the laws have writers on several
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/aws/change_stream.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/item_table.hpp>
#include <adapters/item_write.hpp>
#include <adapters/queue_rules.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/bucket_sink.hpp>
#include <laws/change_stream.hpp>
#include <laws/ledger.hpp>
#include <laws/message_queue.hpp>
#include <laws/run_store.hpp>
#include <laws/table.hpp>
#include <laws/ttl_store.hpp>
#include <laws/ttl_store_processes.hpp>
#include <servers/tables.hpp>
#include <support/server_process.hpp>
#include <support/server_results.hpp>

namespace {

using freshet::testing::manual_clock;

[[nodiscard]] auto moto() -> freshet::result<std::unique_ptr<support::server_process>>& {
    static auto started = support::start_moto();
    return started;
}

/// Each was found to fail, and why was found out.
const std::vector<support::left_out_law> left_out{
    {"table", "13", "of writes at the same instant it judges each by the row before both; the service does one first"},
    {"ledger", "18", "as table 13"},
    {"ttl_store", "13", "as table 13"},
    {"ttl_store", "13 between processes", "as table 13"},
    {"bucket_sink", "16", "as table 13"},
    {"bucket_sink", "17", "as table 13"},
    {"change_stream", "7", "it keeps changes for ever; the service trims them after a day"},
    {"change_stream", "10", "it expires nothing when a test would have it so"},
    {"message_queue", "8", "a duplicate of an erased message is stored; the service stores none for five minutes"},
    {"message_queue", "9", "as 8"},
    {"message_queue", "10", "as 8"},
    {"message_queue", "20",
     "of several of a group that come again, the last comes first; the service keeps their order"},
    {"message_queue", "22", "the receipt of an earlier delivery erases; the service refuses it"},
    {"message_queue", "24", "as 22"},
    {"message_queue", "26", "as 20"},
    {"message_queue", "29", "as 20"},
    {"message_queue", "30", "as 20"},
    {"message_queue", "31",
     "a receive ends at a message that is too old, and gives none behind it; the service drops it"},
    {"message_queue", "32", "as 8, 20 and 22"},
    {"message_queue", "35", "the receipt of a dead letter is no receipt; the service knows it"},
};

struct results : support::server_results {
    explicit results(const doctest::ContextOptions&)
        : server_results{"moto",
                         {"table", "change_stream", "message_queue", "ledger", "ttl_store", "bucket_sink", "run_store"},
                         left_out,
                         []() -> freshet::result<void> {
                             if (!moto()) { return moto().why(); }
                             if ((*moto())->obeys_time()) { return {}; }
                             return freshet::error{freshet::errc::denied, "FRESHET_GIVEN_TIME names no module"};
                         }} {}
};
REGISTER_LISTENER("server_results", 1, results);

struct endpoint {
    [[nodiscard]] static auto url() -> std::string { return (*moto())->endpoint(); }
};
using ledger_on_moto = servers::kept_ledger<endpoint>;
using store_on_moto = servers::kept_store<endpoint>;
using sink_on_moto = servers::kept_sink<endpoint>;
using runs_on_moto = servers::kept_runs<endpoint>;

/// A table for a moto_server that fails at an update which neither sets nor removes: here it removes what is not there.
/// A put that is to find a row unchanged is an update, too.
class table_on_moto {
public:
    using is_shareable = void;
    using condition = adapters::item_condition;

    explicit table_on_moto(adapters::aws::table& table) : table_{table} {}

    [[nodiscard]] auto get(const freshet::row_key& key) { return table_.get(key); }
    [[nodiscard]] auto scan(const freshet::page_request& request) { return table_.scan(request); }
    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request) {
        return table_.query(which, request);
    }
    [[nodiscard]] auto put(const freshet::document& row, const condition& when) {
        const bool empty = when.what() == condition::kind::unchanged && is_key(row) && is_key(*when.seen());
        return empty ? update(laws::key_of(row), {}, when) : table_.put(row, when);
    }
    [[nodiscard]] auto erase(const freshet::row_key& key, const condition& when) { return table_.erase(key, when); }
    [[nodiscard]] auto update(const freshet::row_key& key, const freshet::item_patch& patch, const condition& when)
        -> freshet::result<void> {
        const auto set = patch.set.image();
        if (set.begin() != set.end() || !patch.remove.empty()) { return table_.update(key, patch, when); }
        return table_.update(key, {freshet::document{}, {"nothing"}}, when);
    }

private:
    [[nodiscard]] static auto is_key(const freshet::document& row) -> bool {
        return std::distance(row.image().begin(), row.image().end()) == 2;
    }

    adapters::aws::table& table_;
};

/// A table for a stream of moto_server, where an update that makes a row is told twice, first without the attributes:
/// here it is a put, which is as good where nobody else writes.
class streamed_table_on_moto : public table_on_moto {
public:
    using table_on_moto::table_on_moto;

    [[nodiscard]] auto update(const freshet::row_key& key, const freshet::item_patch& patch, const condition& when)
        -> freshet::result<void> {
        using enum condition::kind;
        const bool makes = (when.what() == always || when.what() == absent) && !laws::got(get(key)).has_value();
        const nlohmann::json keys{{"PK", {{"S", key.partition}}}, {"SK", {{"S", key.sort}}}};
        const auto given = laws::item(keys.dump());
        const auto row = freshet::patched(given.image(), patch);
        return makes && row ? put(*row, when) : table_on_moto::update(key, patch, when);
    }
};

class on_moto : public servers::laid_table<endpoint> {
public:
    [[nodiscard]] auto table() -> table_on_moto& { return table_; }

private:
    table_on_moto table_{laid_table::table()};
};

/// A table and its stream, with checkpoints in another table.
class streamed_on_moto {
public:
    using stream_type = adapters::aws::change_stream<manual_clock>;
    [[maybe_unused]] static constexpr bool notices_additions = false;

    streamed_on_moto() {
        REQUIRE(adapters::aws::create_table(client_, options_, {.stream = true}).ok());
        REQUIRE(adapters::aws::create_table(client_, {.name = checkpoints_, .partition = "id", .sort = ""}).ok());
        stream_.emplace(laws::got(stream_type::open(client_, clock_, options_, {.checkpoints = checkpoints_})));
    }
    [[nodiscard]] auto table() -> streamed_table_on_moto& { return table_; }
    [[nodiscard]] auto stream() -> stream_type& { return *stream_; }
    [[nodiscard]] auto foreign_position() -> freshet::stream_position {
        const adapters::item_table_options other{.name = servers::fresh_name("table")};
        REQUIRE(adapters::aws::create_table(client_, other, {.stream = true}).ok());
        return laws::got(laws::got(stream_type::open(client_, clock_, other)).latest());
    }

private:
    manual_clock clock_;
    adapters::aws::client client_{servers::settings_for(endpoint::url())};
    adapters::item_table_options options_{.name = servers::fresh_name("table"),
                                          .indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}};
    std::string checkpoints_{servers::fresh_name("checkpoints")};
    adapters::aws::table plain_{client_, options_};
    streamed_table_on_moto table_{plain_};
    std::optional<stream_type> stream_;
};

/// Hands the server the time of a manual clock before each call. moto_server shows a message again one microsecond
/// after its visibility time has ended: with `Late`, each new instant is a microsecond later than the one before it
/// was.
template <bool Late>
class handed_time {
public:
    explicit handed_time(const manual_clock& clock) : clock_{clock} {}
    void hand() {
        if (clock_.now() != last_) { skip(); }
        last_ = clock_.now();
        (*moto())->set_time(last_ + freshet::duration{skipped_});
    }
    /// The next call is at a new instant.
    void skip() { skipped_ += Late ? 1 : 0; }

private:
    const manual_clock& clock_;
    freshet::time_point last_{clock_.now()};
    int skipped_{};
};

template <bool Late>
class timed_queue {
public:
    timed_queue(handed_time<Late>& time, adapters::aws::message_queue queue) : time_{time}, queue_{std::move(queue)} {}

    [[nodiscard]] auto limits() const { return queue_.limits(); }
    [[nodiscard]] auto send(std::span<const freshet::message_view> entries) {
        return time_.hand(), queue_.send(entries);
    }
    [[nodiscard]] auto receive(const freshet::receive_request& request) {
        time_.hand();
        if (request.visibility == freshet::duration::zero()) { time_.skip(); }
        return queue_.receive(request);
    }
    [[nodiscard]] auto erase(std::span<const std::string> receipts) { return time_.hand(), queue_.erase(receipts); }
    [[nodiscard]] auto change_visibility(std::span<const std::string> receipts, freshet::duration visibility) {
        time_.hand();
        if (visibility == freshet::duration::zero()) { time_.skip(); }
        return queue_.change_visibility(receipts, visibility);
    }

private:
    handed_time<Late>& time_;
    adapters::aws::message_queue queue_;
};

template <bool Late>
class queues_on_moto {
public:
    using queue_type = timed_queue<Late>;

    [[nodiscard]] auto fifo() -> queue_type& { return fifo_; }
    [[nodiscard]] auto dead() -> queue_type& { return dead_; }
    [[nodiscard]] auto standard() -> queue_type& { return standard_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }

private:
    [[nodiscard]] auto open(const adapters::queue_options& options) -> queue_type {
        time_.hand();
        auto url = laws::got(adapters::aws::create_queue(client_, options));
        return {time_, laws::got(adapters::aws::message_queue::open(client_, std::move(url)))};
    }

    manual_clock clock_;
    handed_time<Late> time_{clock_};
    adapters::aws::client client_{servers::settings_for(endpoint::url())};
    std::string dead_name_{servers::fresh_name("dead")};
    queue_type dead_{open({.name = dead_name_})};
    queue_type fifo_{open({.name = servers::fresh_name("fifo"), .max_receives = 3, .dead_letters = dead_name_})};
    queue_type standard_{open({.name = servers::fresh_name("standard"), .fifo = false})};
};
using queues = queues_on_moto<true>;
using queues_of_exact_time = queues_on_moto<false>; // of the law of retention, which moto_server keeps to the instant

} // namespace

TEST_SUITE_BEGIN("table");
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_1, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_2, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_3, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_4, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_5, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_6, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_7, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_8, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_9, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_10, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_11, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_12, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_14, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_15, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_16, on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_17, on_moto);
TEST_SUITE_END();

TEST_SUITE_BEGIN("ledger");
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_1, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_2, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_3, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_4, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_5, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_6, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_7, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_8, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_9, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_10, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_11, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_12, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_13, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_14, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_15, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_16, ledger_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ledger_17, ledger_on_moto);
TEST_SUITE_END();

TEST_SUITE_BEGIN("change_stream");
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_1, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_2, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_3, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_4, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_5, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_6, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_8, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_9, streamed_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws::laws_change_stream_11, streamed_on_moto);
TEST_SUITE_END();

TEST_SUITE_BEGIN("message_queue");
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_1, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_2, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_3, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_4, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_5, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_6, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_7, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_11, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_12, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_13, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_14, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_15, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_16, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_17, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_18, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_19, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_21, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_23, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_25, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_27, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_28, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_33, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_34, queues_of_exact_time);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_36, queues);
TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_37, queues);
TEST_SUITE_END();

TEST_SUITE_BEGIN("ttl_store");
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_1, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_2, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_3, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_4, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_5, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_6, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_7, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_8, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_9, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_10, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_11, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_12, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_14, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_15, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_16, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_17, store_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_ttl_store_18, store_on_moto);
TEST_SUITE_END();

TEST_SUITE_BEGIN("bucket_sink");
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_1, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_2, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_3, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_4, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_5, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_6, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_7, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_8, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_9, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_10, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_11, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_12, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_13, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_14, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_15, sink_on_moto);
TEST_CASE_TEMPLATE_INVOKE(laws_bucket_sink_18, sink_on_moto);
TEST_SUITE_END();

TEST_SUITE_BEGIN("run_store");
FRESHET_RUN_STORE_LAWS(runs_on_moto);
TEST_SUITE_END();

TEST_CASE("what a process looked up before another one invalidated, it cannot put") {
    for (const bool clears : {false, true}) {
        CAPTURE(clears);
        laws::keeps_out_the_late_process(servers::shared_store<endpoint>{}, clears);
    }
}
