#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <adapters/run_store.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/cases.hpp>
#include <support/scratch_directory.hpp>
#include <validation/program.hpp>
#include <validation/sqlite_place.hpp>

/// The validation program on SQLite files, killed (SIGKILL) at an SQL statement and run again later, until it has come
/// to its end. A kill before the round's report says `complete`: the next run goes on with that round, no receipt of a
/// batch that was written down has its turn again, and the file of labels, every item of the table and the dead letters
/// are what a run leaves that nobody killed, but for the round's instant. Only a kill between the sending of a letter
/// and the writing down of that in the ledger may double the letter, where the next run begins when the queue has
/// forgotten it. A kill behind that report: the next run is one of a new round, and the file of labels is the same, and
/// no letter lost. First at seven places that are chosen, then at random ones. FRESHET_CASES sets the number of the
/// latter's sequences (10), FRESHET_SEED their seed.
namespace {

using clock_type = freshet::testing::manual_clock;
using table_type = adapters::sqlite::table<clock_type>;
using queue_type = adapters::sqlite::message_queue<clock_type>;

constexpr adapters::sqlite::database_options quick{.durable = false};

template <class T>
auto sure(freshet::result<T> outcome) -> T {
    if (!outcome) {
        fmt::print(stderr, "validation_kill: {}\n", outcome.why().note);
        std::_Exit(3);
    }
    if constexpr (!std::is_void_v<T>) { return *std::move(outcome); }
}

/// The statements that a process began, by the first letter of their file; outlives the process.
struct timeline {
    static constexpr std::size_t most = 200'000;
    std::atomic<std::size_t> size;
    std::size_t kill_at; ///< the process dies when it begins this one
    char files[most];
};
timeline* told = nullptr;

void tell_of_statements() {
    const auto added = [](sqlite3* made, char**, const sqlite3_api_routines*) -> int {
        return sqlite3_trace_v2(
            made, SQLITE_TRACE_STMT,
            [](unsigned, void* connection, void*, void*) {
                const auto* const path = sqlite3_db_filename(static_cast<sqlite3*>(connection), "main");
                const auto at = told->size++;
                if (at >= timeline::most) { std::_Exit(4); }
                told->files[at] = path == nullptr ? '?' : *std::filesystem::path{path}.filename().c_str();
                if (at == told->kill_at) { ::kill(::getpid(), SIGKILL); }
                return 0;
            },
            made);
    };
    sqlite3_auto_extension(
        reinterpret_cast<void (*)()>(static_cast<int (*)(sqlite3*, char**, const sqlite3_api_routines*)>(added)));
}

/// A label of a word that is not there; with `receipt`, of a receipt that has other words.
auto orphan(const std::string& image_key, const std::string& receipt) -> freshet::document {
    return sure(receipts::item_text{}
                    .text("PK", image_key)
                    .text("SK", receipt + "#LINE#00099#WORD#00001#LABEL#DATE")
                    .text("GSI3PK", "VALIDATION_STATUS#PENDING")
                    .text("validation_status", "PENDING")
                    .read());
}

struct scenario {
    validation::command what{};
    validation::receipts_input input{};
    std::vector<freshet::document> before{}; ///< in the table

    static auto of(validation::command what) -> scenario {
        scenario made{what};
        made.input.receipts = receipts::sample_receipts{5}.make(14);
        for (std::size_t i = 0; what == validation::command::process_all && i < 14; i += 2) {
            auto& scanned = made.input.receipts[i];
            scanned.merchant = {};
            for (auto& word : scanned.words) { word.labels.clear(); }
        }
        for (const auto i : {3U, 7U}) { // undecided
            const auto key = sure(validation::own_key(made.input.receipts[i]));
            made.before.push_back(orphan(key.partition, key.sort));
        }
        for (const auto* image :
             {"IMAGE#0ba2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a01", "IMAGE#ffa2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a01"}) {
            made.before.push_back(orphan(image, "RECEIPT#00001")); // for the dead letters
            made.before.push_back(sure(
                receipts::item_text{}.text("PK", image).text("SK", "RECEIPT#00001").text("TYPE", "RECEIPT").read()));
        }
        return made;
    }
};

[[noreturn]] void wrong(const std::string& what) {
    fmt::print(stderr, "validation_kill: {}\n", what);
    std::_Exit(1);
}

/// All that may be seen of the end.
struct ending {
    std::string labels{};             ///< the file
    std::vector<std::string> items{}; ///< of the table; the instant of the first round is `(due)`
    std::multiset<std::string> letters{};
    std::size_t rounds{};
    std::uint64_t worked{}; ///< receipts, in all runs
};

/// Counts rounds and receipts by the reports of all runs, and sees that a run goes on with the round that was begun and
/// not completed, and else begins its own.
void read_reports(const std::vector<freshet::run_report>& reports, ending& of) {
    const freshet::run_report* before = nullptr;
    for (const auto& report : reports) {
        const bool begins = before == nullptr || before->state == freshet::run_state::complete;
        if (report.due != (begins ? report.started_at : before->due)) {
            wrong(fmt::format("the run of {} is for the round of {}", validation::instant_text(report.started_at),
                              validation::instant_text(report.due)));
        }
        of.rounds += begins ? 1 : 0;
        of.worked += report.worked;
        before = &report;
    }
    if (before == nullptr || before->state != freshet::run_state::complete) { wrong("the last round is not complete"); }
}

/// One directory in which a scenario is played.
class stage {
public:
    explicit stage(const scenario& played) : played_{played} {
        clock_type clock;
        sure(support::make_data_directory(directory()));
        auto table = sure(table_type::open(directory() + "/table.sqlite", clock, receipts::receipts_table(), quick));
        sure(table.put_many(played.before));
    }

    /// Runs the program in a process of its own; whether it came to its end.
    [[nodiscard]] auto run(std::size_t kill_at = timeline::most) -> bool {
        // the next one waits for the lease of the one that was killed, the one after it finds that over
        now_ += ++runs_ % 2 == 0 ? std::chrono::seconds{10'800} : std::chrono::seconds{20};
        told->size = 0;
        told->kill_at = kill_at;
        const auto child = ::fork();
        if (child == 0) {
            ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
            tell_of_statements();
            std::_Exit(be_the_program());
        }
        int status = 0;
        if (::waitpid(child, &status, 0) != child) { std::_Exit(3); }
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            sent_ += std::string_view{told->files, told->size}.ends_with("qj") ? 1 : 0;
            return false;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) { return true; } // 1: a dead letter was told in this run
        fmt::print(stderr, "validation_kill: the program ended with {}\n", status);
        std::_Exit(3);
    }

    /// How often it was killed when it had sent a letter, perhaps, and had not written that down.
    [[nodiscard]] auto sent() const -> std::size_t { return sent_; }

    [[nodiscard]] auto end() const -> ending {
        ending seen;
        std::ifstream labels{scratch_.file("labels"), std::ios::binary};
        seen.labels.assign(std::istreambuf_iterator<char>{labels}, std::istreambuf_iterator<char>{});
        clock_type clock{now_};
        auto kept = sure(table_type::open(directory() + "/jobs.sqlite", clock, adapters::runs_table(), quick));
        adapters::run_store runs{kept};
        const auto job = played_.what == validation::command::pending_labels ? "pending-labels" : "process-all";
        const auto reports = sure(runs.runs(job, {clock_type{}.now(), now_ + std::chrono::hours{1}}));
        read_reports(reports, seen);
        const auto due = validation::instant_text(reports.front().due);
        auto table = sure(table_type::open(directory() + "/table.sqlite", clock, receipts::receipts_table(), quick));
        freshet::page_request request;
        do {
            auto page = sure(table.scan(request));
            for (const auto& item : page.rows) {
                auto& text = seen.items.emplace_back(item.text());
                if (const auto at = text.find(due); at != std::string::npos) { text.replace(at, due.size(), "(due)"); }
            }
            request.from = page.next;
        } while (request.from);
        auto letters =
            sure(queue_type::open(directory() + "/queues.sqlite", clock, {.name = validation::letters_queue}, quick));
        for (auto some = sure(letters.receive({10, {}})); !some.empty(); some = sure(letters.receive({10, {}}))) {
            for (const auto& message : some) {
                const auto letter = sure(freshet::parse_dead_letter(message.body));
                seen.letters.insert(letter.origin + ' ' + letter.group + ' ' + letter.why.note);
                sure(letters.erase(std::span{&message.receipt, 1}));
            }
        }
        return seen;
    }

private:
    [[nodiscard]] auto directory() const -> std::string { return scratch_.file("data"); }
    [[nodiscard]] auto be_the_program() const -> int {
        validation::settings wanted;
        wanted.what = played_.what;
        wanted.labels = scratch_.file("labels");
        wanted.batch = 3;
        wanted.workers = 1;
        wanted.most_undecided = 100; // a label waits, however many rounds a sequence of kills makes
        wanted.log = support::log{support::log_level::critical};
        clock_type clock{now_};
        const std::stop_token stop;
        return sure(validation::in_directory(directory(), quick, true, clock, [&](validation::place& at) -> int {
            return validation::program{wanted, played_.input, at, clock, stop}.run();
        }));
    }

    const scenario& played_;
    support::scratch_directory scratch_{};
    freshet::time_point now_{clock_type{}.now()};
    std::size_t runs_{};
    std::size_t sent_{};
};

/// A place in the timeline of a run, and how many rounds there are after a kill there.
struct chosen_place {
    std::string name;
    std::size_t at;
    std::size_t rounds{1};
};

/// Where the load ends.
auto loaded_at(std::string_view files) -> std::size_t { return files.find('j', files.find(std::string(50, 't'))); }

auto chosen_places(std::string_view files) -> std::vector<chosen_place> {
    const auto letter = files.rfind("qq"); // the last one's transaction; opening the queue came before the load
    const auto loaded = loaded_at(files);
    const auto half = loaded + (files.size() - loaded) / 2;
    const auto save = files.find("tj", half) + 1;
    const auto last = files.rfind('j'); // the ledger is told that the round is complete
    return {{"in the midst of the load", loaded / 2},
            {"behind the load", loaded},
            {"in the midst of a batch", files.rfind("ttt", save) + 1},
            {"between apply and save", save},
            {"in the midst of a dead letter", letter},
            {"behind a dead letter", letter + 2},
            {"behind the last report", last, 2}};
}

/// What two ends have in common whatever happened, and all else where the same round made both.
void compare(const ending& seen, const ending& expected, std::size_t sent, bool lists_all, const std::string& how) {
    const auto refuse = [&](std::string_view what) { wrong(fmt::format("killed {}: {}", how, what)); };
    if (seen.labels != expected.labels) { refuse("the file of labels is another one:\n" + seen.labels); }
    const auto once = [](const ending& of) { return std::set<std::string>{of.letters.begin(), of.letters.end()}; };
    if (once(seen) != once(expected)) { refuse(fmt::format("{} letters", seen.letters.size())); }
    if (seen.rounds != 1) { return; }
    if (seen.letters.size() > expected.letters.size() + sent) { refuse("a letter came twice"); }
    if (lists_all ? seen.worked != expected.worked : seen.worked > expected.worked) {
        refuse(fmt::format("{} receipts had their turn, and not {}", seen.worked, expected.worked));
    }
    const auto& all = expected.items;
    const auto [one, other] = std::mismatch(seen.items.begin(), seen.items.end(), all.begin(), all.end());
    if (one == seen.items.end() && other == all.end()) { return; }
    refuse(fmt::format("found\n  {}\nand not\n  {}", one == seen.items.end() ? "nothing" : *one,
                       other == all.end() ? "nothing" : *other));
}

} // namespace

auto main() -> int {
    told = static_cast<timeline*>(
        ::mmap(nullptr, sizeof(timeline), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (told == MAP_FAILED) { return 3; }
    const auto seed = support::seed();
    std::mt19937_64 random{seed};
    fmt::print("seed {}\n", seed);
    std::fflush(stdout);

    for (const auto what : {validation::command::pending_labels, validation::command::process_all}) {
        const auto played = scenario::of(what);
        const bool lists_all = what == validation::command::process_all;
        stage whole{played};
        if (!whole.run()) { return 3; }
        const std::string files{told->files, told->size};
        const auto expected = whole.end();
        if (expected.labels.empty() || expected.letters.size() != 2 || expected.rounds != 1) {
            wrong(fmt::format("nobody was killed: {} bytes of labels, {} letters, {} rounds", expected.labels.size(),
                              expected.letters.size(), expected.rounds));
        }
        for (const auto& place : chosen_places(files)) {
            stage one{played};
            if (one.run(place.at)) { wrong(fmt::format("nobody was killed {} ({})", place.name, place.at)); }
            while (!one.run()) {}
            const auto seen = one.end();
            compare(seen, expected, one.sent(), lists_all, place.name);
            if (seen.rounds != place.rounds) { wrong(fmt::format("killed {}: {} rounds", place.name, seen.rounds)); }
            fmt::print("killed {}, at statement {} of {}: ends the same{}\n", place.name, place.at, files.size(),
                       place.rounds == 1 ? "" : ", but for what a round more says");
        }
        std::size_t kills = 0, more = 0;
        for (std::size_t i = 0; i < support::cases(10); ++i) {
            stage one{played};
            std::string places;
            const auto beyond = 2 * (files.size() - loaded_at(files)); // the others find the load done, as a rule
            auto left = 4;                                             // kills: a load has to begin anew
            for (auto at = random() % files.size(); !one.run(at);
                 at = --left == 0 ? timeline::most : random() % beyond) {
                places += fmt::format("at {}, ", at);
                ++kills;
            }
            const auto seen = one.end();
            compare(seen, expected, one.sent(), lists_all, places);
            more += seen.rounds == 1 ? 0 : 1;
        }
        fmt::print("{} kills at random: ends the same; {} times there was a round more\n", kills, more);
        std::fflush(stdout);
    }
}
