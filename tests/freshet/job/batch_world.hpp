#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/memory/ledger.hpp>
#include <adapters/memory/message_queue.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/run_store.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/job/batch_job.hpp>
#include <freshet/job/undecided.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <freshet/work/executor.hpp>

#include <doctest/doctest.h>

/// A table of items that wait, and a job that works on them; its processes may die at any call to a backend.
namespace batch_world {

using clock = freshet::testing::manual_clock;
using table = adapters::memory::table<clock>;
using queue = adapters::memory::message_queue<clock>;

/// Of one process: from its last call on, no call to a backend reaches it.
struct life {
    std::size_t last{std::numeric_limits<std::size_t>::max()}; ///< the call that it dies in, counted from 1
    bool reaches{};                                            ///< whether that one has its effect
    std::atomic<std::size_t> calls{};
    std::map<std::string, freshet::errc> broken{};   ///< calls by name that fail so, without an effect
    std::map<std::string, std::size_t> unanswered{}; ///< calls by name that so often have their effect, and no answer
    std::function<void(const std::string&)> before = [](const std::string&) {}; ///< each call
    std::mutex mutex{};

    [[nodiscard]] auto dead() const -> bool { return calls >= last; }
    template <class Call>
    auto call(const std::string& name, Call&& made) -> std::invoke_result_t<Call&> {
        before(name);
        const std::scoped_lock lock{mutex};
        if (const auto found = broken.find(name); found != broken.end()) {
            return freshet::error{found->second, name + " is broken"};
        }
        if (!dead() && ++calls == last && reaches) { static_cast<void>(made()); }
        if (dead()) { return freshet::error{freshet::errc::unavailable, "the process is dead"}; }
        if (const auto found = unanswered.find(name); found != unanswered.end() && found->second != 0) {
            --found->second;
            static_cast<void>(made());
            return freshet::error{freshet::errc::unavailable, name + " did not answer"};
        }
        return made();
    }
};

struct mortal_timer {
    using is_shareable = void;
    clock& time;
    life& of;
    [[nodiscard]] auto now() const -> freshet::time_point { return time.now(); }
    [[nodiscard]] auto wait(freshet::duration span, const std::stop_token& stop) -> bool {
        return of.dead() ? !stop.stop_requested() : time.wait(span, stop);
    }
};

template <class Ledger>
struct mortal_ledger {
    Ledger& to;
    life& of;
    [[nodiscard]] auto claim(const freshet::claim_request& r) -> freshet::result<freshet::claim_answer> {
        return of.call("ledger.claim", [&] { return to.claim(r); });
    }
    [[nodiscard]] auto renew(const freshet::work_claim& c, freshet::duration d)
        -> freshet::result<freshet::work_claim> {
        return of.call("ledger.renew", [&] { return to.renew(c, d); });
    }
    [[nodiscard]] auto complete(const freshet::work_claim& c) -> freshet::result<void> {
        return of.call("ledger.complete", [&] { return to.complete(c); });
    }
    [[nodiscard]] auto release(const freshet::work_claim& c) -> freshet::result<void> {
        return of.call("ledger.release", [&] { return to.release(c); });
    }
};

struct mortal_queue {
    using refusals = freshet::result<std::vector<freshet::entry_refusal>>;
    queue& to;
    life& of;
    [[nodiscard]] auto limits() const -> freshet::queue_limits { return to.limits(); }
    [[nodiscard]] auto send(std::span<const freshet::message_view> e) -> refusals {
        return of.call("letters.send", [&] { return to.send(e); });
    }
    [[nodiscard]] auto receive(const freshet::receive_request& r)
        -> freshet::result<std::vector<freshet::received_message>> {
        return of.call("letters.receive", [&] { return to.receive(r); });
    }
    [[nodiscard]] auto erase(std::span<const std::string> r) -> refusals {
        return of.call("letters.erase", [&] { return to.erase(r); });
    }
    [[nodiscard]] auto change_visibility(std::span<const std::string> r, freshet::duration d) -> refusals {
        return of.call("letters.change_visibility", [&] { return to.change_visibility(r, d); });
    }
};

template <class Runs>
struct mortal_runs {
    Runs& to;
    life& of;
    [[nodiscard]] auto put(const freshet::run_report& r) -> freshet::result<void> {
        return of.call("runs.put", [&] { return to.put(r); });
    }
    [[nodiscard]] auto runs(std::string_view job, const freshet::time_range& range)
        -> freshet::result<std::vector<freshet::run_report>> {
        return of.call("runs.runs", [&] { return to.runs(job, range); });
    }
    [[nodiscard]] auto latest(std::string_view job) -> freshet::result<std::optional<freshet::run_report>> {
        return of.call("runs.latest", [&] { return to.latest(job); });
    }
};

/// One that waits, or waited.
struct item {
    std::string group;
    std::string id;
    std::string kind; ///< what working on it comes to; see `steps::work`
    std::string state{"PENDING"};
    unsigned rounds{};
    std::string last_round{};
    friend auto operator==(const item&, const item&) -> bool = default;
};

[[nodiscard]] inline auto text_of(freshet::time_point at) -> std::string {
    return std::string{freshet::format_rfc3339(at, 6)->view()};
}

[[nodiscard]] inline auto row_of(const item& of) -> freshet::document {
    std::string text;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (value.empty()) { return; }
        text += (text.empty() ? "{\"" : ",\"") + std::string{name} + "\":{\"S\":\"" + std::string{value} + "\"}";
    };
    add("PK", of.group), add("SK", of.id), add("kind", of.kind), add("state", of.state);
    add("rounds", std::to_string(of.rounds)), add("last_round", of.last_round);
    if (of.state == "PENDING") { add("waits", "yes"), add("place", of.id + of.group); }
    return *freshet::document::parse(text + "}");
}

[[nodiscard]] inline auto item_of(const freshet::document& row) -> item {
    const auto text = [&](std::string_view name) {
        const auto found = row.image().find(name);
        return found ? std::string{found->text()} : std::string{};
    };
    return {
        text("PK"),        text("SK"), text("kind"), text("state"), static_cast<unsigned>(std::stoul(text("rounds"))),
        text("last_round")};
}

/// What outlives every process.
struct stores {
    clock time{clock{}.now()};
    table items{time, {.indexes = {{"waiting", "waits", "place"}}, .page_rows = 3}};
    queue letters{time, {.name = "letters"}};
    adapters::memory::ledger<clock> ledger{time};
    table reports{time, adapters::runs_table()};
    adapters::run_store<table> runs{reports};

    void put(const item& one) { REQUIRE(items.put(row_of(one))); }
    /// `count` groups of two items each, whose kinds take turns.
    void fill(std::size_t count, const std::vector<std::string>& kinds) {
        for (std::size_t i = 0; i != count; ++i) {
            auto name = std::to_string(i);
            name = "g" + std::string(3 - name.size(), '0') + name;
            put({name, "a", kinds[i % kinds.size()]});
            const auto& kind = kinds[i % kinds.size()];
            put({name, "b", kind == "undecided" && i % 2 == 0 ? "good" : kind});
        }
    }
    [[nodiscard]] auto all() -> std::map<std::string, item> {
        std::map<std::string, item> found;
        for (freshet::page_request request;;) {
            auto page = *items.scan(request);
            for (const auto& row : page.rows) {
                auto one = item_of(row);
                found[one.group + "/" + one.id] = one;
            }
            if (!page.next) { return found; }
            request.from = page.next;
        }
    }
    [[nodiscard]] auto states() -> std::map<std::string, std::string> {
        std::map<std::string, std::string> found;
        for (const auto& [key, one] : all()) { found[key] = one.state; }
        return found;
    }
    /// The ids of all letters, ascending; takes them out of the queue.
    [[nodiscard]] auto take_letters() -> std::vector<std::string> {
        std::vector<std::string> ids;
        for (;;) {
            const auto some = *letters.receive({});
            if (some.empty()) { break; }
            for (const auto& message : some) {
                ids.push_back(freshet::parse_dead_letter(message.body)->id);
                REQUIRE(letters.erase(std::span{&message.receipt, 1}));
            }
        }
        std::sort(ids.begin(), ids.end());
        return ids;
    }
};

/// What the steps did, in order.
struct deed {
    std::string what; ///< work, apply, set_aside
    std::string group;
    freshet::time_point at{};
    std::uint64_t token{};
};

/// The kinds: `good` is decided; `undecided` never is; `malformed`, `denied`, `failed`, `down` fail so; `throws`;
/// `flaky` is `unavailable` every other time; `slow` costs ten times as much, `endless` more than there is.
struct steps {
    using item_type = item;
    stores& on;
    life& of;
    freshet::duration cost{std::chrono::seconds{2}};
    std::function<void(const deed&)> before = [](const deed&) {};
    bool in_a_circle{}; ///< whether the list never ends
    bool empty_first{}; ///< whether the list begins with a page that has nothing
    std::vector<deed> deeds{};
    std::map<std::string, unsigned> tries{};
    std::mutex mutex{};

    [[nodiscard]] auto list(const freshet::page_request& request) -> freshet::result<freshet::page<item>> {
        if (in_a_circle) { return freshet::page<item>{{}, "round"}; }
        if (empty_first && !request.from) { return freshet::page<item>{{}, "behind the empty page"}; }
        auto which = request;
        if (request.from == "behind the empty page") { which.from.reset(); }
        const auto page = of.call("items.query", [&] { return on.items.query({"waiting", "yes"}, which); });
        if (!page) { return page.why(); }
        freshet::page<item> found{{}, page->next};
        for (const auto& row : page->rows) { found.rows.push_back(item_of(row)); }
        return found;
    }
    [[nodiscard]] auto group_of(const item& one) const -> std::string {
        if (one.kind == "no group") { throw std::runtime_error{"it has no group"}; }
        return one.group;
    }

    [[nodiscard]] auto work(const freshet::item_group<item>& group, const freshet::work_context& context)
        -> freshet::result<std::map<std::string, bool>> {
        using freshet::errc;
        const auto tried = note({"work", group.key, on.time.now(), 0});
        const auto& kind = group.items.front().kind;
        const auto needed = kind == "slow" ? cost * 10 : kind == "endless" ? freshet::duration::max() : cost;
        const auto given = std::min(needed, context.until.remaining(on.time.now()));
        if (!of.dead()) { on.time.advance(given); }
        if (given < needed || context.stop.stop_requested()) { return freshet::error{errc::expired, "no time"}; }
        if (kind == "throws") { throw 42; }
        if (kind == "flaky" && tried % 2 == 1) { return freshet::error{errc::unavailable, "this time"}; }
        for (const auto& [name, code] : std::map<std::string, errc>{{"malformed", errc::malformed},
                                                                    {"denied", errc::denied},
                                                                    {"failed", errc::failed},
                                                                    {"down", errc::unavailable}}) {
            if (kind == name) { return freshet::error{code, kind}; }
        }
        std::map<std::string, bool> decided;
        for (const auto& one : group.items) { decided[one.id] = one.kind != "undecided"; }
        return decided;
    }
    [[nodiscard]] auto apply(const freshet::item_group<item>& group, const std::map<std::string, bool>& decided,
                             const freshet::apply_context& context) -> freshet::result<freshet::apply_counts> {
        note({"apply", group.key, on.time.now(), context.token});
        freshet::apply_counts counts;
        for (const auto& one : group.items) {
            if (auto done = write(one, decided.at(one.id), context, counts); !done) { return std::move(done).why(); }
        }
        return counts;
    }
    [[nodiscard]] auto set_aside(const freshet::item_group<item>& group, const freshet::error&,
                                 const freshet::apply_context& context) -> freshet::result<freshet::apply_counts> {
        note({"set_aside", group.key, on.time.now(), context.token});
        freshet::apply_counts counts;
        for (const auto& one : group.items) {
            if (auto done = write(one, false, context, counts); !done) { return std::move(done).why(); }
        }
        return counts;
    }
    [[nodiscard]] auto load(std::string_view group) -> freshet::result<std::vector<item>> {
        const auto page = of.call("items.query", [&] { return on.items.query({"", std::string{group}}, {}); });
        if (!page) { return page.why(); }
        std::vector<item> found;
        for (const auto& row : page->rows) {
            auto one = item_of(row);
            if (one.state != "VALID") { found.push_back(std::move(one)); }
        }
        return found;
    }

    [[nodiscard]] auto count(std::string_view what) const -> std::size_t {
        return static_cast<std::size_t>(
            std::count_if(deeds.begin(), deeds.end(), [&](const deed& one) { return one.what == what; }));
    }

private:
    auto note(const deed& one) -> unsigned {
        before(one);
        const std::scoped_lock lock{mutex};
        deeds.push_back(one);
        return one.what == "work" ? ++tries[one.group] : 0;
    }
    auto write(const item& seen, bool decided, const freshet::apply_context& context, freshet::apply_counts& counts)
        -> freshet::result<void> {
        auto now = seen;
        if (decided) {
            now.state = "VALID";
        } else {
            const freshet::undecided_history history{
                seen.rounds,
                seen.last_round.empty() ? std::nullopt : std::optional{*freshet::parse_rfc3339(seen.last_round)}};
            const auto verdict = freshet::judge_undecided(history, context.round, context.most_undecided);
            now.rounds = verdict.history.rounds;
            now.last_round = text_of(*verdict.history.last);
            if (verdict.what == freshet::undecided_ruling::needs_review) { now.state = "NEEDS_REVIEW"; }
        }
        const auto before_it = row_of(seen);
        const auto condition = freshet::write_condition<freshet::document>::if_unchanged(before_it);
        const auto put = of.call("items.put", [&] { return on.items.put(row_of(now), condition); });
        if (!put && put.why().code == freshet::errc::conflict) {
            ++counts.conflicts;
            return {};
        }
        if (!put) { return put.why(); }
        if (decided) {
            ++counts.validated, ++counts.updated;
        } else if (now.state == "PENDING") {
            ++counts.undecided;
        } else {
            ++counts.needs_review;
        }
        return {};
    }
};

/// Keeps what it hears as lines: the event's name and the fields of these names.
struct heard {
    std::vector<std::string>& lines;

    void on(const auto& event) {
        std::string line{event.name};
        event.fields([&](std::string_view name, const auto& value) {
            for (const auto* wanted :
                 {"group", "groups", "fate", "after", "expected", "time_left", "group_costs", "why"}) {
                if (name == wanted) { line += " " + std::string{name} + "=" + text(value); }
            }
        });
        lines.push_back(std::move(line));
    }
    [[nodiscard]] auto count(std::string_view name) const -> std::size_t {
        return static_cast<std::size_t>(
            std::count_if(lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(name); }));
    }

private:
    static auto text(std::string_view value) -> std::string { return std::string{value}; }
    static auto text(freshet::duration value) -> std::string { return std::to_string(value.count() / 1'000) + "ms"; }
    static auto text(std::uint64_t value) -> std::string { return std::to_string(value); }
    static auto text(freshet::time_point) -> std::string { return {}; }
};

/// Options for worlds of seconds.
[[nodiscard]] inline auto quick_options() -> freshet::batch_job_options {
    freshet::batch_job_options options;
    options.job = "labels";
    options.batch = 4;
    options.first_guess = std::chrono::seconds{3};
    options.reserve = std::chrono::seconds{5};
    options.tolerated.percent = 100;
    options.tolerated.in_a_row = 1'000;
    return options;
}

/// A process that runs the job.
template <class Workers>
struct process {
    using ledger_type = mortal_ledger<adapters::memory::ledger<clock>>;
    using runs_type = mortal_runs<adapters::run_store<table>>;

    stores& on;
    Workers& workers;
    life of{};
    mortal_timer timer{on.time, of};
    ledger_type ledger{on.ledger, of};
    mortal_queue letters{on.letters, of};
    runs_type runs{on.runs, of};
    steps does{on, of};
    std::vector<std::string> lines{}; ///< the events
    freshet::batch_job<steps, Workers, ledger_type, mortal_queue, runs_type, mortal_timer, heard> job;

    process(stores& world, Workers& crew, freshet::batch_job_options options = quick_options())
        : on{world},
          workers{crew},
          job{does, workers, ledger, letters, runs, timer, std::move(options), heard{lines}} {}
};

} // namespace batch_world
