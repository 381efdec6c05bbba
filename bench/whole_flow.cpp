#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/ledger.hpp>
#include <adapters/memory/message_queue.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/ledger.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/key.hpp>
#include <freshet/stream.hpp>
#include <freshet/testing/manual_clock.hpp>

/// The whole path, from writes to a table to the store that is kept up to date with it: microseconds a change, by the
/// number of changes. Whether the store ends as the table is checked. FRESHET_BENCH_CHANGES limits the number (10^6).
namespace {

using clock_type = freshet::testing::manual_clock;
using user = freshet::entity<"USER", freshet::key_pattern<"USER#{user_id:08d}">>;
using registry = freshet::key_registry<user>;
using routes = freshet::routes<freshet::route<user, "users", freshet::key_pattern<"USER#{user_id:d}">>>;

/// The last address of each user, from the messages' bodies.
struct address_book {
    struct update_type {
        std::string item;
        std::string address;
    };
    struct row {
        freshet::applied_mark mark;
        std::string address;
    };
    std::unordered_map<std::string, row> rows;

    static auto between(std::string_view body, std::string_view before, std::size_t from = 0) -> std::string {
        const auto begin = body.find(before, from) + before.size();
        return std::string{body.substr(begin, body.find('"', begin) - begin)};
    }
    auto read(const freshet::received_message& message) -> freshet::result<update_type> {
        return update_type{message.group_id, between(message.body, R"("address":")", message.body.find("snapshot"))};
    }
    auto item_of(const update_type& update) -> std::string { return update.item; }
    auto last_applied(std::string_view item) -> freshet::result<std::optional<freshet::applied_mark>> {
        const auto at = rows.find(std::string{item});
        return at == rows.end() ? std::nullopt : std::optional{at->second.mark};
    }
    auto apply(const update_type& update, const freshet::applied_mark& mark) -> freshet::result<void> {
        rows[update.item] = {mark, update.address};
        return {};
    }
};

constexpr std::size_t versions = 4;

auto item(std::size_t id, std::size_t version) -> freshet::document {
    return *freshet::document::parse(fmt::format(
        R"({{"PK":{{"S":"USER#{:08}"}},"address":{{"S":"{} Quay Street, version {}"}},"name":{{"S":"Customer number {}"}},)"
        R"("score":{{"N":"{}.50"}},"tags":{{"SS":["a","b","c"]}},"notes":{{"L":[{{"S":"first"}},{{"S":"second"}}]}}}})",
        id, id % 97, version, id, version));
}

template <class T>
auto sure(freshet::result<T> outcome) -> T {
    if (!outcome) {
        fmt::print(stderr, "whole_flow: {}\n", outcome.why().note);
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) { return *std::move(outcome); }
}

struct figures {
    double write{}, pump{}, consume{};
};

template <class Table, class Stream, class Queue, class Ledger>
auto flow(std::size_t changes, clock_type& clock, Table& table, Stream& stream, Queue& queue, Queue& dead,
          Ledger& ledger) -> figures {
    freshet::record_translator_options<registry> what;
    what.fields.set("USER", freshet::monitored<"address">{});
    what.sort = "";
    what.builder.inserts = true;
    freshet::processor processor{freshet::record_translator<registry, routes>{what},
                                 freshet::queues_by_name<Queue>{{"users", &queue}}, dead, clock};
    freshet::pump pump{stream, processor, clock, {.start = freshet::stream_start::oldest}};
    address_book book;
    freshet::consumer consumer{queue, dead, ledger, book, clock, {.queue = "users"}};

    const auto users = changes / versions;
    figures took;
    const auto timed = [&](double& microseconds, auto&& work) {
        const auto begun = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::micro> span = std::chrono::steady_clock::now() - begun;
        microseconds = span.count() / static_cast<double>(changes);
    };
    timed(took.write, [&] {
        constexpr std::size_t at_once = 100; // as a bulk writer does
        std::vector<freshet::document> some;
        for (std::size_t i = 0; i != changes; ++i) {
            some.push_back(item(i % users, i / users));
            if (some.size() == at_once || i + 1 == changes) {
                if constexpr (requires { table.put_many(some); }) { sure(table.put_many(some)); }
                else {
                    for (const auto& each : some) { sure(table.put(each)); }
                }
                some.clear();
            }
        }
    });
    timed(took.pump, [&] {
        const auto report = sure(pump.drain());
        if (report.messages_sent != changes) { sure<void>(freshet::error{freshet::errc::failed, "messages are missing"}); }
    });
    timed(took.consume, [&] {
        const auto report = sure(consumer.drain());
        if (report.applied != changes) { sure<void>(freshet::error{freshet::errc::failed, "applications are missing"}); }
    });
    for (std::size_t id = 0; id != users; ++id) {
        const auto wanted = fmt::format("{} Quay Street, version {}", id % 97, versions - 1);
        if (book.rows[fmt::format("USER#{}", id)].address != wanted) {
            sure<void>(freshet::error{freshet::errc::failed, fmt::format("user {} is stale", id)});
        }
    }
    return took;
}

auto in_memory(std::size_t changes) -> figures {
    clock_type clock;
    adapters::memory::table table{clock, {.sort = ""}};
    adapters::memory::change_stream<clock_type, adapters::unread> stream{table};
    adapters::memory::message_queue queue{clock, {.name = "users"}}, dead{clock, {.name = "dead"}};
    adapters::memory::ledger ledger{clock};
    return flow(changes, clock, table, stream, queue, dead, ledger);
}

auto on_sqlite(std::size_t changes, bool durable) -> figures {
    auto directory = (std::filesystem::temp_directory_path() / "freshet-bench-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) { sure<void>(freshet::error{freshet::errc::denied, directory}); }
    figures took;
    {
        clock_type clock;
        const adapters::sqlite::database_options file{.durable = durable};
        const adapters::item_table_options keys{.sort = ""};
        auto table = sure(adapters::sqlite::table<clock_type>::open(directory + "/table.sqlite", clock, keys, file));
        auto stream = sure(adapters::sqlite::change_stream<clock_type, adapters::unread>::open(
            directory + "/table.sqlite", clock, keys, file));
        using queue_type = adapters::sqlite::message_queue<clock_type>;
        auto queue = sure(queue_type::open(directory + "/queues.sqlite", clock, {.name = "users"}, file));
        auto dead = sure(queue_type::open(directory + "/queues.sqlite", clock, {.name = "dead"}, file));
        auto ledger = sure(adapters::sqlite::ledger<clock_type>::open(directory + "/ledger.sqlite", clock, {}, file));
        took = flow(changes, clock, table, stream, queue, dead, ledger);
    }
    std::filesystem::remove_all(directory);
    return took;
}

} // namespace

auto main() -> int {
    const auto* const wanted = std::getenv("FRESHET_BENCH_CHANGES");
    const std::size_t most = wanted == nullptr ? 1'000'000 : std::strtoull(wanted, nullptr, 10);
    fmt::print("{:<10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>12} {:>7}\n", "backend", "changes", "write us", "pump us",
               "apply us", "all us", "changes/s", "ratio");
    for (const std::string_view backend : {"memory", "sqlite", "durable"}) {
        double first = 0;
        for (std::size_t changes = 1000; changes <= (backend == "durable" ? std::min<std::size_t>(most, 10'000) : most);
             changes *= 10) {
            const auto took = backend == "memory" ? in_memory(changes) : on_sqlite(changes, backend == "durable");
            const auto all = took.write + took.pump + took.consume;
            if (first == 0) { first = all; }
            fmt::print("{:<10} {:>9} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>12.0f} {:>7.2f}\n", backend, changes,
                       took.write, took.pump, took.consume, all, 1e6 / all, all / first);
            std::fflush(stdout);
        }
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print("largest resident set: {} MiB\n", usage.ru_maxrss / 1024);
}
