#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/ledger.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/stream.hpp>
#include <freshet/work/wall_clock.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/comparison.hpp>
#include <receipts/editor.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/cases.hpp>
#include <support/scratch_directory.hpp>

/// A writer, a pump and two consumers as processes on SQLite files, each killed (SIGKILL) again and again at random
/// moments. At the end they are left to finish, and nothing may be lost, doubled, reordered or stale: every message that
/// the table's changes call for was applied exactly once, in the order of its item, and the store says what the table
/// says. Prints how many kills there were, and how many of them hit an open transaction that had written. FRESHET_CASES
/// sets the number of kills (200), FRESHET_SEED their seed.
namespace {

using namespace std::chrono_literals;
using clock_type = freshet::wall_clock;
using table_type = adapters::sqlite::table<clock_type>;
using stream_type = adapters::sqlite::change_stream<clock_type, adapters::unread>;
using queue_type = adapters::sqlite::message_queue<clock_type>;
using ledger_type = adapters::sqlite::ledger<clock_type>;
using translator_type = freshet::record_translator<receipts::registry, receipts::routes>;

template <class T>
auto sure(freshet::result<T> outcome) -> T {
    if (!outcome) {
        fmt::print(stderr, "kill: {}\n", outcome.why().note);
        std::_Exit(3);
    }
    if constexpr (!std::is_void_v<T>) { return *std::move(outcome); }
}

/// Everything that a process opens anew. Short leases and visibility, because the dead leave theirs behind.
struct world {
    std::string directory;
    clock_type clock{};
    adapters::sqlite::database_options file{.busy = 20s};
    adapters::item_table_options items{.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK", ""}}};

    auto table() -> table_type { return sure(table_type::open(directory + "/table.sqlite", clock, items, file)); }
    auto stream() -> stream_type { return sure(stream_type::open(directory + "/table.sqlite", clock, items, file)); }
    auto queue(const std::string& name) -> queue_type {
        return sure(queue_type::open(directory + "/queues.sqlite", clock, {.name = name, .visibility = 300ms}, file));
    }
    auto ledger() -> ledger_type { return sure(ledger_type::open(directory + "/embeddings.sqlite", clock, {}, file)); }
    auto store() -> receipts::embeddings {
        return sure(receipts::embeddings::open(directory + "/embeddings.sqlite", file));
    }
    static auto translator() -> translator_type {
        receipts::change_messages_options options;
        options.builder.inserts = true;
        return translator_type{options};
    }
};

void write(world& all, std::uint64_t seed) {
    auto table = all.table();
    receipts::editor editor{table, seed};
    sure(editor.start());
    for (;;) { sure(editor.edit()); }
}

/// Until it is killed, or until the stream has no more.
void pump(world& all, std::uint64_t seed, bool drain) {
    auto stream = all.stream();
    auto lines = all.queue("lines"), words = all.queue("words"), dead = all.queue("stream-dead");
    freshet::processor processor{world::translator(),
                                 freshet::queues_by_name<queue_type>{{"lines", &lines}, {"words", &words}}, dead,
                                 all.clock};
    freshet::pump pump{stream, processor, all.clock,
                       {.batch = 20, .window = 10ms, .poll = 2ms, .seed = seed}};
    if (drain) { sure(pump.drain()); }
    else { sure(pump.run(freshet::deadline::never(), {})); }
}

/// One queue into one collection; until it is killed, or until the queue has been empty for longer than anybody may
/// keep a message.
void consume(world& all, const std::string& name, std::uint64_t seed, bool drain) {
    auto queue = all.queue(name), dead = all.queue(name + "-dead");
    auto ledger = all.ledger();
    auto store = all.store();
    auto collection = store.collection(name);
    freshet::consumer consumer{queue, dead, ledger, collection, all.clock,
                               {.queue = name, .owner = fmt::format("{} {}", name, ::getpid()), .visibility = 300ms,
                                .lease = 200ms, .poll = 2ms, .retries = {.base = 50ms, .cap = 100ms}, .seed = seed}};
    const auto until = drain ? freshet::deadline::in(60s, all.clock.now()) : freshet::deadline::never();
    while (!until.passed(all.clock.now())) {
        const auto some = sure(consumer.run(freshet::deadline::in(500ms, all.clock.now()), {}));
        if (drain && some.received == 0 && sure(queue.size()) == 0) { return; }
    }
    sure<void>(freshet::error{freshet::errc::expired, name + ": still not empty"});
}

/// Whether a connection of a process has written in a transaction that is open, in memory that outlives the process.
struct flag {
    std::atomic<int> writing;
};
flag* mine = nullptr;

/// Every connection of this process says so after each statement.
void tell_of_transactions() {
    const auto added = [](sqlite3* made, char**, const sqlite3_api_routines*) -> int {
        return sqlite3_trace_v2(
            made, SQLITE_TRACE_PROFILE | SQLITE_TRACE_ROW,
            [](unsigned, void* connection, void*, void*) {
                static std::map<sqlite3*, sqlite3_int64> begun; // changes by the begin of the open transaction
                auto* const db = static_cast<sqlite3*>(connection);
                mine->writing = 0;
                if (sqlite3_txn_state(db, "main") != SQLITE_TXN_WRITE) { return begun.erase(db), 0; }
                const auto changes = sqlite3_total_changes64(db);
                mine->writing = changes > begun.try_emplace(db, changes).first->second ? 1 : 0;
                return 0;
            },
            made);
    };
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(static_cast<int (*)(sqlite3*, char**, const sqlite3_api_routines*)>(added)));
}

/// The messages that the changes behind a position call for, or those that were applied: collection, item, sequence.
using effects = std::multiset<std::array<std::string, 3>>;

auto padded(std::string_view digits) -> std::string { return std::string(40 - digits.size(), '0').append(digits); }

auto called_for(world& all, freshet::stream_position from) -> effects {
    effects wanted;
    auto stream = all.stream();
    auto store = all.store();
    auto translator = world::translator();
    freshet::event_decoder decoder;
    freshet::message_batch messages;
    for (;;) {
        const auto batch = sure(stream.read(from, 100));
        if (batch.changes.empty()) { return wanted; }
        if (batch.gap) { sure<void>(freshet::error{freshet::errc::failed, "the stream has a gap"}); }
        for (const auto& change : batch.changes) {
            messages.clear();
            const auto event = R"({"Records":[)" + change.record + "]}";
            const auto records = decoder.decode(event);
            sure(translator.translate(*(*records)[0], 0, messages));
            for (const auto message : messages) {
                auto collection = store.collection(message.queue);
                const freshet::received_message received{.id = "?", .body = std::string{message.body}};
                wanted.insert({std::string{message.queue}, collection.item_of(sure(collection.read(received))),
                               padded(message.sequence)});
            }
        }
        from = batch.next;
    }
}

auto applied(world& all) -> effects {
    effects found;
    auto store = all.store();
    auto rows = sure(store.file().prepare("SELECT collection, item, sequence FROM applied"));
    while (sure(rows.step())) {
        found.insert({std::string{rows.text(0)}, std::string{rows.text(1)}, padded(rows.text(2))});
    }
    return found;
}

} // namespace

auto main() -> int {
    const auto kills = support::cases(200);
    const auto seed = support::seed();
    std::mt19937_64 random{seed};
    fmt::print("seed {}\n", seed);
    std::fflush(stdout);

    const support::scratch_directory directory;
    constexpr std::size_t roles = 4;
    auto* const flags = static_cast<flag*>(
        ::mmap(nullptr, roles * sizeof(flag), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (flags == MAP_FAILED) { return 3; }

    /// A process of its own: an SQLite connection is not carried over a fork.
    const auto apart = [&](std::size_t role, auto&& work) -> pid_t {
        flags[role].writing = 0;
        const auto child = ::fork();
        if (child != 0) { return child; }
        mine = &flags[role];
        tell_of_transactions();
        world all{directory.path()};
        work(all);
        std::_Exit(0);
    };
    const auto finished = [](pid_t child) {
        int status = 0;
        return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    };

    freshet::stream_position begin;
    if (!finished(apart(0, [&](world& all) {
            auto table = all.table();
            for (const auto& receipt : receipts::sample_receipts{seed}.make(20)) {
                sure(table.put_many(sure(receipts::items_of(receipt))));
            }
            auto stream = all.stream();
            sure(stream.save_checkpoint("pump", sure(stream.latest())));
            sure(stream.save_checkpoint("begin", sure(stream.latest())));
            auto store = all.store();
            sure(store.seed(table));
        }))) {
        return 3;
    }

    const auto spawn = [&](std::size_t role) {
        const auto with = random();
        return apart(role, [&, with](world& all) {
            switch (role) {
                case 0: return write(all, with);
                case 1: return pump(all, with, false);
                case 2: return consume(all, "lines", with, false);
                default: return consume(all, "words", with, false);
            }
        });
    };
    std::array<pid_t, roles> children{};
    for (std::size_t role = 0; role != roles; ++role) { children[role] = spawn(role); }
    std::array<std::size_t, roles> killed{}, in_transaction{};
    for (std::size_t i = 0; i != kills; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 40'000});
        const auto role = random() % roles;
        // Every other kill waits for its victim to be in the middle of something: on a quick disk chance alone rarely hits.
        const auto patience = std::chrono::steady_clock::now() + 150ms;
        while (i % 2 == 1 && flags[role].writing == 0 && std::chrono::steady_clock::now() < patience) {}
        int status = 0;
        if (::waitpid(children[role], &status, WNOHANG) != 0) {
            fmt::print("role {} ended by itself\n", role);
            return 1;
        }
        ::kill(children[role], SIGKILL);
        ::waitpid(children[role], &status, 0);
        ++killed[role];
        in_transaction[role] += flags[role].writing != 0 ? 1 : 0;
        children[role] = spawn(role);
    }
    for (const auto child : children) {
        ::kill(child, SIGKILL);
        static_cast<void>(finished(child));
    }

    bool good = finished(apart(1, [&](world& all) { pump(all, 1, true); }));
    const auto lines = apart(2, [&](world& all) { consume(all, "lines", 2, true); });
    const auto words = apart(3, [&](world& all) { consume(all, "words", 3, true); });
    good = finished(lines) && finished(words) && good;
    if (!good) { fmt::print("the rest could not be done\n"); }

    const auto checked = finished(apart(0, [&](world& all) {
        auto stream = all.stream();
        const auto wanted = called_for(all, *sure(stream.checkpoint("begin")));
        const auto found = applied(all);
        std::vector<std::array<std::string, 3>> lost, doubled;
        std::set_difference(wanted.begin(), wanted.end(), found.begin(), found.end(), std::back_inserter(lost));
        std::set_difference(found.begin(), found.end(), wanted.begin(), wanted.end(), std::back_inserter(doubled));
        auto table = all.table();
        auto store = all.store();
        const auto compared = sure(receipts::compare(table, store));
        std::size_t letters = 0;
        for (const auto* name : {"stream-dead", "lines-dead", "words-dead"}) { letters += sure(all.queue(name).size()); }
        fmt::print("{} messages called for, {} applied: {} lost, {} doubled; {} embeddings compared, {} differences; {} "
                   "dead letters\n",
                   wanted.size(), found.size(), lost.size(), doubled.size(), compared.embeddings, compared.differences,
                   letters);
        for (const auto& each : lost) { fmt::print("lost: {} {} {}\n", each[0], each[1], each[2]); }
        for (const auto& each : doubled) { fmt::print("doubled: {} {} {}\n", each[0], each[1], each[2]); }
        for (const auto& each : compared.shown) {
            fmt::print("differs: {} {} {}: table {}, store {}\n", each.collection, each.embedding, each.key, each.table,
                       each.store);
        }
        std::fflush(stdout);
        if (!lost.empty() || !doubled.empty() || !compared.agrees() || letters != 0 || wanted.empty()) { std::_Exit(1); }
    }));

    std::size_t all_kills = 0, inside = 0;
    constexpr std::array<std::string_view, roles> names{"writer", "pump", "consumer of lines", "consumer of words"};
    for (std::size_t role = 0; role != roles; ++role) {
        fmt::print("{}: {} kills, {} inside an open transaction\n", names[role], killed[role], in_transaction[role]);
        all_kills += killed[role];
        inside += in_transaction[role];
    }
    fmt::print("all: {} kills, {} inside an open transaction\n", all_kills, inside);
    if (inside < kills / 4) {
        fmt::print("too few of them: at least {} are wanted\n", kills / 4);
        return 1;
    }
    return good && checked ? 0 : 1;
}
