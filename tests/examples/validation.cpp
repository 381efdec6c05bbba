#include <validation/jobs.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/run_store.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/sample_receipts.hpp>
#include <validation/labels_file.hpp>
#include <validation/loading.hpp>
#include <validation/memory_place.hpp>
#include <validation/watching.hpp>

namespace {

using namespace std::chrono_literals;
using validation::job_kind;
using validation::key_in;
using validation::text_in;

constexpr auto image = "0ba2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a01";
constexpr auto other_image = "0ba2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a02";

/// Says what the words say: `good` is VALID, `bad` is INVALID, all others are undecided.
auto literal_rules() -> validation::validators {
    validation::validators by;
    by.labels = [](const receipts::scanned_receipt& scanned, const freshet::work_context&) {
        std::vector<receipts::label_ruling> rulings;
        for (std::size_t word = 0; word < scanned.words.size(); ++word) {
            const auto& text = scanned.words[word].text;
            const auto what = text == "good"  ? receipts::ruling::valid
                              : text == "bad" ? receipts::ruling::invalid
                                              : receipts::ruling::undecided;
            for (std::size_t label = 0; label < scanned.words[word].labels.size(); ++label) {
                rulings.push_back({word, label, what, "it says " + text});
            }
        }
        return rulings;
    };
    by.metadata = [](const receipts::scanned_receipt& scanned,
                     const freshet::work_context&) -> receipts::metadata_ruling {
        const auto& name = scanned.merchant.merchant_name;
        if (name == "good") { return {receipts::ruling::valid, {"phone", "address"}, "found"}; }
        return {name == "bad" ? receipts::ruling::invalid : receipts::ruling::undecided, {}, "not found"};
    };
    return by;
}

auto receipt_of(const char* of, std::uint64_t id, const std::vector<std::pair<std::string, std::string>>& words,
                const std::string& merchant = "good") -> receipts::scanned_receipt {
    receipts::scanned_receipt made{of, id, {merchant, merchant}, {}};
    for (const auto& [text, label_status] : words) {
        receipts::scanned_word word{1, made.words.size() + 1, text};
        if (!label_status.empty()) { word.labels.push_back({"DATE", label_status}); }
        made.words.push_back(std::move(word));
    }
    return made;
}

/// Everything that jobs need, in memory.
struct bench {
    freshet::testing::manual_clock clock{};
    adapters::memory::table<freshet::testing::manual_clock> table{clock, receipts::receipts_table()};
    adapters::memory::table<freshet::testing::manual_clock> reports{clock, adapters::runs_table()};
    validation::any_table items{validation::any_table::of(table)};
    adapters::run_store<adapters::memory::table<freshet::testing::manual_clock>> runs{reports};
    adapters::memory::ledger<freshet::testing::manual_clock> claims{clock};
    validation::any_ledger ledger{validation::any_ledger::of(claims)};
    adapters::memory::message_queue<freshet::testing::manual_clock> queue{clock, {.name = "dead"}};
    validation::any_queue letters{validation::any_queue::of(queue)};
    validation::job_options how{.by = literal_rules()};
    int runs_made{};

    void add(const std::vector<receipts::scanned_receipt>& all) { REQUIRE(validation::put_new(items, all)); }

    auto run_round(job_kind which, freshet::time_point due) -> freshet::batch_job_answer {
        how.due = due;
        how.run = std::to_string(++runs_made);
        auto answer = validation::run_job(which, items, runs, ledger, letters, clock, how);
        REQUIRE(answer);
        return *answer;
    }
    auto run(job_kind which) -> freshet::batch_job_answer {
        clock.advance(1h);
        return run_round(which, clock.now());
    }

    auto item(const freshet::row_key& key) -> freshet::document {
        auto found = table.get(key);
        REQUIRE((found && *found));
        return **std::move(found);
    }
    static auto label_key(std::size_t word, const char* of = image, std::string_view label = "DATE")
        -> freshet::row_key {
        return {"IMAGE#" + std::string{of},
                "RECEIPT#00001#LINE#00001#WORD#0000" + std::to_string(word) + "#LABEL#" + std::string{label}};
    }
    static auto metadata_key(const char* of = image) -> freshet::row_key {
        return {"IMAGE#" + std::string{of}, "RECEIPT#00001#METADATA"};
    }
    auto status(std::size_t word, const char* of = image) -> std::string {
        return std::string{text_in(item(label_key(word, of)), "validation_status")};
    }
    /// How many labels the index has of a status.
    auto indexed(std::string_view of) -> std::size_t {
        auto page = table.query({"GSI3", receipts::status_index_key(of), {}, {}, {}}, {});
        REQUIRE(page);
        return page->rows.size();
    }
};

TEST_CASE("the pending labels are decided, say who, why and in which round, and wait no more") {
    bench all;
    all.add({receipt_of(image, 1, {{"good", "PENDING"}, {"bad", "PENDING"}, {"good", "INVALID"}, {"good", ""}})});
    const auto due = freshet::time_point{std::chrono::sys_days{2025y / 1 / 5} + 2h};
    const auto answer = all.run_round(job_kind::pending_labels, due);
    CHECK(answer.outcome == freshet::batch_outcome::complete);
    CHECK(answer.report.job == "pending-labels");
    CHECK(answer.report.listed == 2);
    CHECK(answer.report.validated == 2);
    CHECK(answer.report.updated == 2);

    const auto label = all.item(bench::label_key(1));
    CHECK(text_in(label, "validation_status") == "VALID");
    CHECK(text_in(label, "GSI3PK") == "VALIDATION_STATUS#VALID");
    CHECK(text_in(label, "reasoning") == "it says good");
    CHECK(text_in(label, "validated_by") == "rules");
    CHECK(text_in(label, "validated_at") == "2025-01-05T02:00:00Z");
    CHECK(text_in(label, "label_proposed_by") == "rules"); // what it does not rule on is as it was
    CHECK(all.status(2) == "INVALID");
    CHECK(all.status(3) == "INVALID"); // was decided before
    CHECK(all.indexed("PENDING") == 0);
    CHECK(all.run_round(job_kind::pending_labels, due).outcome == freshet::batch_outcome::already_done);
}

TEST_CASE("a label that no round can decide needs review after as many rounds as are wanted") {
    bench all;
    all.add({receipt_of(image, 1, {{"?", "PENDING"}})});
    all.how.most_undecided = 3;
    for (int round = 1; round < 3; ++round) {
        CAPTURE(round);
        CHECK(all.run(job_kind::pending_labels).report.undecided == 1);
        CHECK(all.status(1) == "PENDING");
        const auto label = all.item(bench::label_key(1));
        CHECK(label.image().find("validation_runs")->text() == std::to_string(round));
    }
    const auto last = all.run(job_kind::pending_labels).report;
    CHECK(last.undecided == 0);
    CHECK(last.needs_review == 1);
    CHECK(all.status(1) == "NEEDS_REVIEW");
    CHECK(all.indexed("PENDING") == 0);
    CHECK(all.run(job_kind::pending_labels).report.listed == 0);
}

TEST_CASE("a round that leaves a label undecided counts once, however often it is applied") {
    const auto word = *freshet::document::parse(
        R"({"PK":{"S":"IMAGE#1"},"SK":{"S":"RECEIPT#00001"},"validation_status":{"S":"PENDING"},)"
        R"("validated_at":{"S":"2025-01-05T02:00:00Z"},"validation_runs":{"N":"1"}})");
    const auto round = freshet::time_point{std::chrono::sys_days{2025y / 1 / 5} + 2h};
    const auto decide = [&](freshet::time_point now) {
        return *validation::decide_label(word, receipts::ruling::undecided, "why", validation::label_pass::first,
                                         {"rules", now, 3});
    };
    CHECK_FALSE(decide(round).patch);
    CHECK(decide(round).outcome == validation::label_outcome::undecided);
    const auto next = decide(round + 168h);
    REQUIRE(next.patch);
    CHECK(next.patch->set.image().find("validation_runs")->text() == "2");
}

TEST_CASE("a label that somebody changes while it is ruled on stays as he left it, and is counted") {
    bench all;
    all.add({receipt_of(image, 1, {{"good", "PENDING"}, {"good", "PENDING"}})});
    auto rules = all.how.by.labels;
    all.how.by.labels = [&](const receipts::scanned_receipt& scanned, const freshet::work_context& context) {
        const auto patch = receipts::item_text{}
                               .text("validation_status", "INVALID")
                               .text("GSI3PK", "VALIDATION_STATUS#INVALID")
                               .text("reasoning", "a person knows better")
                               .read();
        REQUIRE(all.table.update(bench::label_key(1), {*freshet::document::parse(std::string{patch->text()}), {}}));
        return rules(scanned, context);
    };
    const auto answer = all.run(job_kind::pending_labels);
    CHECK(answer.outcome == freshet::batch_outcome::complete);
    CHECK(answer.report.conflicts == 1);
    CHECK(answer.report.validated == 1);
    CHECK(answer.report.failed == 0);
    CHECK(text_in(all.item(bench::label_key(1)), "reasoning") == "a person knows better");
    CHECK(all.status(2) == "VALID");
}

TEST_CASE("what a validator said is no evidence for it, and what a person said is") {
    bench all;
    all.add({receipt_of(image, 1, {{"good", "PENDING"}, {"good", "VALID"}})});
    static_cast<void>(all.run(job_kind::pending_labels));
    const auto read = validation::read_receipt(all.items, {image, 1});
    REQUIRE(read);
    CHECK(text_in(read->labels[0].seen, "validation_status") == "VALID");
    CHECK(read->scanned.words[0].labels[0].validation_status == "PENDING");
    CHECK(read->scanned.words[1].labels[0].validation_status == "VALID");
}

TEST_CASE("a label whose word is not there is undecided, and the others of the receipt are decided") {
    bench all;
    all.add({receipt_of(image, 1, {{"good", "PENDING"}, {"good", "PENDING"}})});
    REQUIRE(all.table.erase({"IMAGE#" + std::string{image}, "RECEIPT#00001#LINE#00001#WORD#00001"}));
    const auto report = all.run(job_kind::pending_labels).report;
    CHECK(report.undecided == 1);
    CHECK(report.validated == 1);
    CHECK(text_in(all.item(bench::label_key(1)), "reasoning") == "the table lacks the word");
}

TEST_CASE("a receipt without words is told of in one dead letter a round, and taken up again when they are there") {
    bench all;
    const auto whole = receipt_of(image, 1, {{"good", "PENDING"}});
    all.add({whole, receipt_of(other_image, 1, {{"good", "PENDING"}})});
    const freshet::row_key word{"IMAGE#" + std::string{image}, "RECEIPT#00001#LINE#00001#WORD#00001"};
    auto kept = all.item(word);
    REQUIRE(all.table.erase(word));

    const auto answer = all.run(job_kind::pending_labels);
    CHECK(answer.outcome == freshet::batch_outcome::complete);
    CHECK(answer.report.failed == 1);
    CHECK(answer.report.dead_lettered == 1);
    CHECK(answer.report.undecided == 1);
    CHECK(answer.report.validated == 1);
    CHECK(all.queue.size() == 1);
    CHECK(all.status(1) == "PENDING");
    CHECK(all.status(1, other_image) == "VALID");

    const auto redrive = [&] {
        all.clock.advance(1min);
        all.how.run = std::to_string(++all.runs_made);
        const auto done =
            validation::redrive_letters(all.items, all.runs, all.ledger, all.letters, all.clock, all.how, 10);
        REQUIRE(done);
        return *done;
    };
    CHECK(redrive().failed == 1);
    CHECK(all.queue.size() == 1);
    REQUIRE(all.table.put(kept));
    CHECK(redrive().redriven == 1);
    CHECK(all.queue.size() == 0);
    CHECK(all.status(1) == "VALID");
}

TEST_CASE("what stands in the index and is no label of a receipt is told of, and left as it is") {
    bench all;
    auto stranger = receipts::item_text{}
                        .text("PK", "SOMETHING")
                        .text("SK", "ELSE")
                        .text("GSI3PK", "VALIDATION_STATUS#PENDING")
                        .read();
    REQUIRE(all.table.put(*stranger));
    const auto answer = all.run(job_kind::pending_labels);
    CHECK(answer.report.failed == 1);
    CHECK(answer.report.dead_lettered == 1);
    CHECK(all.item({"SOMETHING", "ELSE"}).image().find("validation_status") == std::nullopt);
}

TEST_CASE("verifying again asks about every label that is not PENDING, and writes what differs alone") {
    bench all;
    all.add({receipt_of(image, 1,
                        {{"good", "VALID"},
                         {"bad", "VALID"},
                         {"good", "NEEDS_REVIEW"},
                         {"good", "INVALID"},
                         {"?", "VALID"},
                         {"good", "PENDING"}})});
    const auto same = std::string{all.item(bench::label_key(1)).text()};
    const auto open = std::string{all.item(bench::label_key(5)).text()};
    const auto report = all.run(job_kind::reverify).report;
    CHECK(report.listed == 5);
    CHECK(report.validated == 4);
    CHECK(report.updated == 3);
    CHECK(report.undecided == 0);
    CHECK(all.item(bench::label_key(1)).text() == same);
    CHECK(all.item(bench::label_key(5)).text() == open);
    CHECK(all.status(2) == "INVALID");
    CHECK(all.status(3) == "VALID");
    CHECK(all.status(4) == "VALID");
    CHECK(all.status(6) == "PENDING");
}

TEST_CASE("metadata is MATCHED, NO_MATCH or UNSURE, and written only where the ruling is another one") {
    bench all;
    constexpr auto third = "0ba2d2c0-93d5-4a0c-9c6b-2f4f8b8f6a03";
    all.add({receipt_of(image, 1, {{"word", ""}}, "good"), receipt_of(other_image, 1, {{"word", ""}}, "bad"),
             receipt_of(third, 1, {{"word", ""}}, "?")});
    const auto first = all.run(job_kind::metadata).report;
    CHECK(first.listed == 3);
    CHECK(first.validated == 2);
    CHECK(first.updated == 2);
    CHECK(first.undecided == 1);
    const auto matched = all.item(bench::metadata_key());
    CHECK(text_in(matched, "validation_status") == "MATCHED");
    CHECK(text_in(matched, "reasoning") == "found");
    CHECK(validation::detail::texts_in(matched, "matched_fields") == std::vector<std::string>{"address", "phone"});
    const auto none = all.item(bench::metadata_key(other_image));
    CHECK(text_in(none, "validation_status") == "NO_MATCH");
    CHECK_FALSE(none.image().find("matched_fields"));
    CHECK(text_in(all.item(bench::metadata_key(third)), "validation_status") == "UNSURE");

    CHECK(all.run(job_kind::metadata).report.updated == 0);
    CHECK(all.item(bench::metadata_key()).text() == matched.text());
}

TEST_CASE("a whole receipt gets the metadata and the labels that it lacks, and they are ruled on at once") {
    bench all;
    auto scanned = receipts::sample_receipts{}.make(1).front();
    scanned.merchant = {};
    for (auto& word : scanned.words) { word.labels.clear(); }
    all.add({scanned});
    all.how.by = {};
    const auto key = *validation::own_key(scanned);
    const auto metadata = freshet::row_key{key.partition, key.sort + "#METADATA"};
    CHECK_FALSE(*all.table.get(metadata)); // one that says nothing is not loaded

    const auto report = all.run(job_kind::process_all).report;
    CHECK(report.listed == 1);
    CHECK(report.failed == 0);
    CHECK(text_in(all.item(metadata), "validation_status") != "");
    const auto labels = *validation::labels_text(all.items);
    CHECK(labels.find("\"validation_status\":\"VALID\"") != std::string::npos);

    const auto again = all.run(job_kind::process_all).report;
    CHECK(again.updated == 0);
    CHECK(again.conflicts == 0);
    CHECK(*validation::labels_text(all.items) == labels);
}

TEST_CASE("what an earlier try of the same round made is not taken for somebody else's") {
    const auto report_and_labels = [](std::size_t lost) {
        bench all;
        auto scanned = receipts::sample_receipts{}.make(1).front();
        for (auto& word : scanned.words) { word.labels.clear(); }
        all.add({scanned});
        REQUIRE(all.table.erase(
            {validation::own_key(scanned)->partition, validation::own_key(scanned)->sort + "#METADATA"}));
        all.how.by = {};
        std::size_t writes = 0; // the effect of one of them happens, and its answer is lost
        const auto losing = [&, lost](freshet::result<void> done) -> freshet::result<void> {
            if (++writes == lost) { return freshet::error{freshet::errc::unavailable, "lost"}; }
            return done;
        };
        const auto put = all.items.put;
        const auto update = all.items.update;
        all.items.put = [=](const auto& item, const auto& on) { return losing(put(item, on)); };
        all.items.update = [=](const auto& key, const auto& patch, const auto& on) {
            return losing(update(key, patch, on));
        };
        const auto report = all.run(job_kind::process_all).report;
        CHECK((lost == 0 || writes > lost));
        CHECK(report.failed == 0);
        CHECK(report.conflicts == 0);
        CHECK(report.retries == (lost == 0 ? 0 : 1));
        return std::tuple{report.validated, report.undecided, *validation::labels_text(all.items)};
    };
    const auto whole = report_and_labels(0);
    for (const std::size_t lost : {1U, 2U, 5U, 9U, 12U}) {
        CAPTURE(lost);
        CHECK(report_and_labels(lost) == whole);
    }
}

TEST_CASE("a selection of receipts is a job of its own, and no other receipt is touched") {
    bench all;
    all.add({receipt_of(image, 1, {{"good", "PENDING"}}), receipt_of(other_image, 1, {{"good", "PENDING"}})});
    all.how.of.image = other_image;
    const auto answer = all.run(job_kind::process_all);
    CHECK(answer.report.job == "process-all " + std::string{other_image});
    CHECK(answer.report.groups == 1);
    CHECK(all.status(1) == "PENDING");
    CHECK(all.status(1, other_image) == "VALID");

    all.how.of = {{}, {{"IMAGE#" + std::string{image}, "RECEIPT#00001"}}};
    const auto uploaded = all.run(job_kind::upload);
    CHECK(uploaded.report.job.starts_with("upload "));
    CHECK(uploaded.report.groups == 1);
    CHECK(all.status(1) == "VALID");
    CHECK(validation::job_called(uploaded.report.job) == job_kind::upload);
    CHECK(validation::job_called("process-all " + std::string{image}) == job_kind::process_all);
    CHECK_FALSE(validation::job_called("nightly"));
}

TEST_CASE("runs that end early, one after the other, leave what one long run leaves") {
    const auto labels_after = [](std::optional<std::size_t> most) {
        bench all;
        all.add(receipts::sample_receipts{7}.make(25));
        all.how.by = {};
        all.how.max_groups = most;
        const auto due = all.clock.now();
        std::size_t executions = 0;
        for (auto how = freshet::batch_outcome::stopped; how == freshet::batch_outcome::stopped; ++executions) {
            all.clock.advance(1min);
            const auto round = validation::round_for(all.runs, "pending-labels", all.clock.now());
            REQUIRE(round);
            CHECK((executions == 0 || *round == due));
            how = all.run_round(job_kind::pending_labels, executions == 0 ? due : *round).outcome;
        }
        CHECK(executions == (most ? 3 : 1));
        CHECK(*validation::round_for(all.runs, "pending-labels", due + 1h) == due + 1h);
        return *validation::labels_text(all.items);
    };
    CHECK(labels_after(10) == labels_after(std::nullopt));
}

TEST_CASE("receipts on threads are judged as they are one by one") {
    const auto labels_after = [](unsigned workers) {
        bench all;
        all.add(receipts::sample_receipts{3}.make(40));
        all.how.by = {};
        all.how.workers = workers;
        CHECK(all.run(job_kind::pending_labels).report.failed == 0);
        return *validation::labels_text(all.items);
    };
    CHECK(labels_after(1) == labels_after(8));
}

TEST_CASE("loading leaves receipts as they are that are there") {
    bench all;
    const std::vector scanned{receipt_of(image, 1, {{"good", "PENDING"}})};
    CHECK(*validation::put_new(all.items, scanned) == 1);
    static_cast<void>(all.run(job_kind::pending_labels));
    CHECK(*validation::put_new(all.items, scanned) == 0);
    CHECK(all.status(1) == "VALID");
    // one that somebody was killed at: its own item is the last
    REQUIRE(all.table.erase({"IMAGE#" + std::string{image}, "RECEIPT#00001"}));
    CHECK(*validation::put_new(all.items, scanned) == 1);
    CHECK(all.status(1) == "VALID");
}

TEST_CASE("of two that load at once, the slower one takes back no ruling") {
    bench all;
    const std::vector scanned{receipt_of(image, 1, {{"good", "PENDING"}})};
    all.add(scanned);
    static_cast<void>(all.run(job_kind::pending_labels));
    auto slower = all.items;
    slower.get = [](const auto&) { return std::nullopt; }; // what it saw before the other one came
    CHECK(*validation::put_new(slower, scanned) == 1);
    CHECK(all.status(1) == "VALID");
}

TEST_CASE("loading ends where a stop is asked for") {
    bench all;
    std::stop_source stop;
    stop.request_stop();
    const std::vector scanned{receipt_of(image, 1, {{"good", "PENDING"}})};
    CHECK(*validation::put_new(all.items, scanned, stop.get_token()) == 0);
    CHECK(all.table.scan({})->rows.empty());
}

TEST_CASE("the final labels are told by receipt, line, word and label") {
    bench all;
    all.add({receipt_of(other_image, 1, {{"b", "VALID"}}), receipt_of(image, 1, {{"a", "PENDING"}, {"a", "VALID"}})});
    const auto line = [](const char* of, int word, const char* status_of) {
        return std::string{R"({"image_id":")"} + of + R"(","receipt_id":1,"line_id":1,"word_id":)" +
               std::to_string(word) + R"(,"label":"DATE","validation_status":")" + status_of + "\"}\n";
    };
    CHECK(*validation::labels_text(all.items) ==
          line(image, 1, "PENDING") + line(image, 2, "VALID") + line(other_image, 1, "VALID"));
}

/// What a watcher runs, by job and due time.
struct watched {
    bench all{};
    std::vector<std::pair<std::string, freshet::time_point>> ran{};
    std::vector<freshet::time_point> tried_at{};
    struct {
        bench& all;
        std::size_t unread{}; ///< so many readings fail, from the first after the start
        std::size_t read{};
        auto runs(std::string_view job, const freshet::time_range& started) {
            constexpr std::size_t at_start = 5; // of the watch and of the four jobs
            auto found = all.runs.runs(job, started);
            ++read;
            if (read <= at_start || read > at_start + unread) { return found; }
            return decltype(found){freshet::error{freshet::errc::unavailable, "no answer"}};
        }
        auto latest(std::string_view job) { return all.runs.latest(job); }
        auto put(const freshet::run_report& report) { return all.runs.put(report); }
    } runs{all};
    std::vector<std::string> unable{};
    freshet::duration longest_wait{};
    freshet::duration clock_step{}; ///< within the first wait
    freshet::duration lasts{};      ///< the first run
    bool out_of_order{};            ///< the first run cannot begin

    void run(freshet::catch_up policy, freshet::duration span, bool completes = true) {
        const auto end = all.clock.now() + span;
        std::stop_source stop;
        struct timer {
            freshet::testing::manual_clock& clock;
            freshet::time_point end;
            std::stop_source& stop;
            watched& of;
            [[nodiscard]] auto now() const { return clock.now(); }
            auto wait(freshet::duration for_, const std::stop_token& token) -> bool {
                of.longest_wait = std::max(of.longest_wait, for_);
                if (clock.now() + for_ >= end) { stop.request_stop(); }
                const bool waited = clock.wait(for_, token);
                end += of.clock_step;
                clock.advance(std::exchange(of.clock_step, {}));
                return waited;
            }
        } until{all.clock, end, stop, *this};
        const auto done = validation::watch(
            runs, until, policy, stop.get_token(),
            [&](const validation::scheduled_job& job, freshet::time_point due) {
                ran.emplace_back(job.name, due);
                tried_at.push_back(all.clock.now());
                if (std::exchange(out_of_order, false)) { return validation::watched_run::not_begun; }
                all.clock.advance(std::exchange(lasts, {}));
                const auto how = completes ? freshet::run_state::complete : freshet::run_state::stopped;
                REQUIRE(all.runs.put({.job = std::string{job.name},
                                      .run = std::to_string(ran.size()),
                                      .due = due,
                                      .started_at = all.clock.now(),
                                      .seen_at = all.clock.now(),
                                      .state = how}));
                return completes ? validation::watched_run::complete : validation::watched_run::unfinished;
            },
            [&](const freshet::error& why) { unable.push_back(why.note); });
        CHECK(done);
    }
    [[nodiscard]] auto times(std::string_view job) const -> std::vector<freshet::time_point> {
        std::vector<freshet::time_point> all_of;
        for (const auto& [name, due] : ran) {
            if (name == job) { all_of.push_back(due); }
        }
        return all_of;
    }
};

auto at(std::chrono::year_month_day day, std::chrono::hours hour = 2h) -> freshet::time_point {
    return freshet::time_point{std::chrono::sys_days{day} + hour};
}

TEST_CASE("watching runs each job at the instants of its schedule, and at no other") {
    watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 1, 0h)}}};
    one.run(freshet::catch_up::once, 24h * 365);
    CHECK(one.times("pending-labels").size() == 52);
    CHECK(one.times("pending-labels").front() == at(2025y / 1 / 5));
    CHECK(one.times("metadata").size() == 53); // 1 January is a Wednesday
    CHECK(one.times("reverify") ==
          std::vector{at(2025y / 1 / 5), at(2025y / 4 / 6), at(2025y / 7 / 6), at(2025y / 10 / 5)});
    CHECK(one.times("process-all").size() == 12);
    CHECK(one.longest_wait == 1min); // a machine that slept meanwhile is not long behind
}

TEST_CASE("a watcher whose clock is set back runs the instants that it had behind it") {
    watched one{.all = {.clock = freshet::testing::manual_clock{at(2030y / 1 / 1, 0h)}}};
    one.clock_step = at(2025y / 1 / 1) - at(2030y / 1 / 1);
    one.run(freshet::catch_up::once, 24h * 8);
    CHECK(one.times("pending-labels") == std::vector{at(2025y / 1 / 5)});
}

TEST_CASE("a watcher that cannot read what ran says so once, and goes on when it can") {
    watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 8, 0h)}}};
    one.runs.unread = 40; // ten minutes, of four jobs
    one.run(freshet::catch_up::once, 24h);
    CHECK(one.unable == std::vector<std::string>(4, "no answer")); // of each job
    CHECK(one.times("metadata") == std::vector{at(2025y / 1 / 8)});
}

TEST_CASE("a round that a watcher was killed at is gone on with by the next one, as soon as it watches") {
    for (const auto policy : {freshet::catch_up::skip, freshet::catch_up::once, freshet::catch_up::all}) {
        for (const auto own : {0min, 10min}) { // the schedule's round, and one that somebody began for himself
            CAPTURE(name_of(policy));
            CAPTURE(own.count());
            watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 7, 0h)}}};
            one.run(policy, 1h);
            const auto due = at(2025y / 1 / 8) + own;
            one.all.clock.advance(due + 5min - one.all.clock.now());
            REQUIRE(one.all.runs.put({.job = "metadata",
                                      .run = "killed",
                                      .due = due,
                                      .started_at = due,
                                      .seen_at = due + 5min,
                                      .state = freshet::run_state::running}));
            one.all.clock.advance(31s);
            one.run(policy, 24h);
            CHECK(one.times("metadata") == std::vector{due});
            CHECK(one.tried_at == std::vector{due + 5min + 31s});
        }
    }
}

TEST_CASE("a watcher that was away makes up for what was missed, as the policy wants it") {
    for (const auto policy : {freshet::catch_up::skip, freshet::catch_up::once, freshet::catch_up::all}) {
        CAPTURE(name_of(policy));
        const auto expected = policy == freshet::catch_up::skip ? 1U : policy == freshet::catch_up::once ? 2U : 4U;
        watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 5, 0h)}}};
        one.run(policy, 24h);
        CHECK(one.times("pending-labels").size() == 1);
        one.all.clock.advance(24h * 22); // over the Sundays 12, 19 and 26 January
        one.run(policy, 24h);
        CHECK(one.times("pending-labels").size() == expected);
        // a job that has never run was to run since somebody watched
        CHECK(one.times("metadata").size() == expected - 1);
    }
}

TEST_CASE("instants that pass while a job runs are made up for as the policy wants it, too") {
    for (const auto policy : {freshet::catch_up::skip, freshet::catch_up::once, freshet::catch_up::all}) {
        CAPTURE(name_of(policy));
        const auto expected = policy == freshet::catch_up::skip ? 1U : policy == freshet::catch_up::once ? 2U : 4U;
        watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 5, 0h)}}};
        one.lasts = 24h * 22; // the first run
        one.run(policy, 24h * 23);
        CHECK(one.times("pending-labels").size() == expected);
    }
}

TEST_CASE("an instant that is a little late is on time, and one that somebody's own run met is not run again") {
    watched late{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 4, 0h)}}};
    late.run(freshet::catch_up::skip, 1h);
    late.all.clock.advance(at(2025y / 1 / 5) + 30min - late.all.clock.now());
    late.run(freshet::catch_up::skip, 1h);
    CHECK(late.times("pending-labels") == std::vector{at(2025y / 1 / 5)});

    watched met{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 4, 0h)}}};
    met.run(freshet::catch_up::all, 1h);
    const auto own = at(2025y / 1 / 5) + 10min;
    REQUIRE(met.all.runs.put({.job = "pending-labels",
                              .run = "own",
                              .due = own,
                              .started_at = own,
                              .seen_at = own,
                              .state = freshet::run_state::complete}));
    met.all.clock.advance(at(2025y / 1 / 6) - met.all.clock.now());
    met.run(freshet::catch_up::all, 1h);
    CHECK(met.times("pending-labels").empty());
    CHECK(met.times("reverify") == std::vector{at(2025y / 1 / 5)});
}

TEST_CASE("an instant is run for once, also where the run does not complete") {
    watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 5, 0h)}}};
    one.run(freshet::catch_up::once, 24h * 6, false);
    CHECK(one.times("pending-labels") == std::vector{at(2025y / 1 / 5)});
    CHECK(one.times("metadata") == std::vector{at(2025y / 1 / 8)});
}

TEST_CASE("a round that cannot begin is tried again after a minute") {
    for (const auto policy : {freshet::catch_up::skip, freshet::catch_up::once, freshet::catch_up::all}) {
        CAPTURE(name_of(policy));
        watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 8, 0h)}}};
        one.out_of_order = true;
        one.run(policy, 24h);
        CHECK(one.times("metadata") == std::vector{at(2025y / 1 / 8), at(2025y / 1 / 8)});
        CHECK(one.tried_at == std::vector{at(2025y / 1 / 8), at(2025y / 1 / 8) + 1min});
    }
}

TEST_CASE("a round that was not completed is run before the next one, which waits until it is") {
    watched one{.all = {.clock = freshet::testing::manual_clock{at(2025y / 1 / 5, 0h)}}};
    one.run(freshet::catch_up::skip, 24h, false);
    one.all.clock.advance(24h);
    one.run(freshet::catch_up::skip, 24h * 8, false);
    CHECK(one.times("pending-labels") == std::vector{at(2025y / 1 / 5), at(2025y / 1 / 5)});
    one.all.clock.advance(24h);
    one.run(freshet::catch_up::skip, 24h * 8);
    CHECK(one.times("pending-labels") ==
          std::vector{at(2025y / 1 / 5), at(2025y / 1 / 5), at(2025y / 1 / 5), at(2025y / 1 / 19)});
}

/// Takes all dead letters up again.
auto redrive(bench& all) -> freshet::redrive_report {
    all.clock.advance(1min);
    all.how.run = std::to_string(++all.runs_made);
    const auto done = validation::redrive_letters(all.items, all.runs, all.ledger, all.letters, all.clock, all.how, 10);
    REQUIRE(done);
    return *done;
}

/// Somebody gives an item these texts.
void write(bench& all, const freshet::row_key& key, const std::vector<std::pair<const char*, const char*>>& texts) {
    receipts::item_text set;
    for (const auto& [name, text] : texts) { set.text(name, text); }
    REQUIRE(all.table.update(key, {*set.read(), {}}));
}

/// A label that was put without its receipt.
auto orphan(const freshet::row_key& key) -> freshet::document {
    return *receipts::item_text{}
                .text("PK", key.partition)
                .text("SK", key.sort)
                .text("GSI3PK", "VALIDATION_STATUS#PENDING")
                .text("validation_status", "PENDING")
                .read();
}

TEST_CASE("a letter of labels that need a review since is taken up again, and they are ruled on") {
    bench all;
    all.how.most_undecided = 1;
    all.add({receipt_of(image, 1, {{"good", "PENDING"}, {"?", "PENDING"}, {"good", "PENDING"}})});
    const auto rules = std::exchange(
        all.how.by.labels,
        [](const receipts::scanned_receipt&, const freshet::work_context&) -> validation::validators::label_rulings {
            return freshet::error{freshet::errc::failed, "the rules are out of order"};
        });
    CHECK(all.run(job_kind::pending_labels).report.needs_review == 3);
    CHECK(all.indexed("NEEDS_REVIEW") == 3);
    write(all, bench::label_key(3), {{"validated_by", "a person"}, {"reasoning", "two of us should look"}});

    CHECK(redrive(all).failed == 1);
    CHECK(all.indexed("NEEDS_REVIEW") == 3);
    all.how.by.labels = rules;
    CHECK(redrive(all).redriven == 1);
    CHECK(all.status(1) == "VALID");
    CHECK(text_in(all.item(bench::label_key(1)), "GSI3PK") == "VALIDATION_STATUS#VALID");
    CHECK(all.status(2) == "NEEDS_REVIEW");
    CHECK(all.status(3) == "NEEDS_REVIEW"); // not this validator's
    CHECK(all.queue.size() == 0);
}

TEST_CASE("a letter of what somebody has taken away is done with, and stays while that is there") {
    bench all;
    const freshet::row_key stranger{"SOME/THING", "EL/SE"};
    const auto here = bench::label_key(1);
    const freshet::row_key own{here.partition, "RECEIPT#00001"};
    const auto put = [&](const freshet::document& item) { REQUIRE(all.table.put(item)); };
    put(orphan(here));
    put(orphan(stranger));
    put(*receipts::item_text{}.text("PK", own.partition).text("SK", own.sort).text("TYPE", "RECEIPT").read());
    const auto metadata = bench::metadata_key();
    put(*receipts::item_text{}.text("PK", metadata.partition).text("SK", metadata.sort).read());
    all.how.by.metadata = [](const receipts::scanned_receipt&,
                             const freshet::work_context&) -> freshet::result<receipts::metadata_ruling> {
        return freshet::error{freshet::errc::failed, "nobody knows"};
    };
    CHECK(all.run(job_kind::pending_labels).report.dead_lettered == 2);
    CHECK(all.run(job_kind::metadata).report.dead_lettered == 1);
    CHECK(all.run(job_kind::process_all).report.dead_lettered == 1);
    CHECK(redrive(all).failed == 2); // the others are of the receipt, too, and wait behind its first

    std::size_t left = 4;
    for (const auto& key : {here, stranger, metadata, own}) {
        CAPTURE(key.sort);
        REQUIRE(all.table.erase(key));
        const auto done = redrive(all);
        CHECK(done.redriven == 1);
        CHECK(done.failed + done.held == --left);
    }
    CHECK(all.queue.size() == 0);
}

TEST_CASE("what a person decided stays, whatever the rules say of it") {
    bench all;
    all.add({receipt_of(image, 1, {{"good", "INVALID"}, {"good", "INVALID"}, {"good", "PENDING"}}, "bad")});
    write(all, bench::label_key(1), {{"validated_by", "a person"}});
    write(all, bench::label_key(3), {{"validated_by", "a person"}}); // who did not decide
    write(all, bench::metadata_key(), {{"validation_status", "MATCHED"}, {"validated_by", "a person"}});
    const auto label = std::string{all.item(bench::label_key(1)).text()};
    const auto metadata = std::string{all.item(bench::metadata_key()).text()};

    const auto report = all.run(job_kind::reverify).report;
    CHECK((report.listed == 2 && report.validated == 1 && report.updated == 1));
    CHECK(all.run(job_kind::metadata).report.updated == 0);
    CHECK(all.run(job_kind::process_all).report.updated == 1);
    CHECK(all.item(bench::label_key(1)).text() == label);
    CHECK(all.item(bench::metadata_key()).text() == metadata);
    CHECK(all.status(2) == "VALID");
    CHECK(all.status(3) == "VALID");
}

} // namespace
