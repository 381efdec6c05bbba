#include <demo/roles.hpp>
#include <demo/sqlite_place.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/sqlite/database.hpp>
#include <demo/cached_day.hpp>
#include <demo/counted_records.hpp>
#include <demo/command_line.hpp>
#include <demo/label_counting.hpp>
#include <demo/label_tally.hpp>
#include <demo/output.hpp>
#include <demo/progress.hpp>
#include <demo/whole.hpp>
#include <freshet/backend/message.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/sample_receipts.hpp>

#include <support/environment_variable.hpp>
#include <support/scratch_directory.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using manual_clock = freshet::testing::manual_clock;

using place = demo::sqlite_place<manual_clock>;

/// A data directory, and settings that wait for no disk and for nobody.
struct data_directory {
    support::scratch_directory directory;
    manual_clock clock;
    demo::settings how = [this] {
        demo::settings made;
        made.directory = directory.file("data");
        made.durable = false;
        made.patience = 2s;
        made.labels = {"MERCHANT_NAME", "ADDRESS_LINE", "DATE", "GRAND_TOTAL", "NOBODYS"};
        made.log = support::log{support::log_level::critical};
        return made;
    }();
    std::vector<receipts::scanned_receipt> scanned = receipts::sample_receipts{}.make(5);
    demo::cached_day day{};
    demo::counted_records by_time{};

    auto here() -> place { return {how, clock}; }
    auto as(std::string owner) const -> demo::settings {
        auto other = how;
        other.owner = std::move(owner);
        return other;
    }
    void load() { REQUIRE(value(demo::load(here(), scanned)).made); }
    auto whole(const demo::whole_run& run, std::stop_token stop = {}) -> freshet::result<demo::whole_report> {
        demo::progress quiet{true};
        clock.advance(1s); // no two rounds of a job are due at one instant
        return demo::run_whole(
            how, run, here(), scanned, [&] { return demo::verify(here()); },
            [&] { return freshet::result<demo::cached_day>{day}; },
            [&] { return freshet::result<demo::counted_records>{by_time}; }, quiet, stop);
    }
    template <class T>
    static auto value(freshet::result<T> done) -> T {
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
        return *std::move(done);
    }
};

} // namespace

TEST_CASE("the whole demonstration ends with embeddings that say what the table says") {
    data_directory it;
    const auto done = it.value(it.whole({.edits = 150, .seed = 3}));
    CHECK((done.loaded.made && done.loaded.items > 100));
    CHECK((done.embedded.made && done.embedded.lines > 20 && done.embedded.words > 40));
    CHECK(done.edited.edits == 150);
    CHECK(done.pumped.changed > 100);
    CHECK(done.pumped.messages_sent > done.pumped.changed);
    CHECK(done.consumed.applied == done.pumped.messages_sent);
    CHECK(done.compared.agrees());
    CHECK(done.compared.effects == done.consumed.applied);
    CHECK(done.dead_letters == 0);
    CHECK(done.agrees());

    const auto again = it.value(it.whole({.edits = 50, .seed = 4}));
    CHECK((!again.loaded.made && !again.embedded.made && again.embedded.words == done.embedded.words));
    CHECK(again.compared.agrees());
    CHECK(again.compared.effects == done.consumed.applied + again.consumed.applied);
}

TEST_CASE(
    "a message that is lost on purpose is found by the comparison, in every word of its receipt and nowhere else") {
    data_directory it;
    const auto done = it.value(it.whole({.edits = 20, .seed = 1, .drop_one = true}));
    CHECK(done.dropped);
    CHECK(done.compared.differences > 3);
    for (const auto& each : done.compared.shown) {
        CHECK((each.collection == "words" && each.key == "canonical_merchant_name"));
        CHECK(each.table.find("(corrected)") != std::string::npos);
    }
    CHECK(!it.value(it.whole({.edits = 0})).compared.agrees());
}

TEST_CASE("the labels are counted into the cache before the edits and after, and all that is read of it are hits") {
    data_directory it;
    const auto done = it.value(it.whole({.edits = 150, .seed = 3}));
    CHECK((done.counted.labels == 5 && done.counted.words > 20 && done.counted.changed > 2));
    CHECK((done.counted.reads == 20 && done.counted.hits == 20));
    CHECK(done.counted.agrees());
    const auto again = it.value(it.whole({.edits = 0}));
    CHECK((again.counted.words == done.counted.words && again.counted.changed == 0 && again.counted.hits == 20));
    it.clock.advance(48h);
    CHECK_MESSAGE(it.value(it.whole({.edits = 20})).counted.agrees(), "what was kept before is out of date");
}

TEST_CASE("labels that wait are validated, and what that changes goes to embeddings and counts as edits do") {
    data_directory it;
    const auto done = it.value(it.whole({.edits = 0}));
    const auto& labels = done.validated.labels;
    CHECK((labels.listed > 20 && labels.worked == 5 && labels.updated + labels.undecided == labels.listed));
    CHECK((labels.updated > 20 && done.validated.metadata.worked == 5));
    CHECK((done.validated.wrong.empty() && done.validated.dead_letters == 0));
    CHECK(done.pumped.records() == labels.listed + done.validated.metadata.worked);
    CHECK((done.pumped.changed >= labels.updated && done.consumed.applied == done.pumped.messages_sent));
    CHECK((done.counted.changed > 2 && done.agrees()));

    const auto again = it.value(it.whole({.edits = 0}));
    CHECK(again.validated.labels.listed == labels.undecided);
    CHECK((again.validated.metadata.listed == 5 && again.agrees()));
}

TEST_CASE("labels and metadata that the jobs missed, or did otherwise than they say, are found in the table") {
    data_directory it;
    it.load();
    auto table = it.value(it.here().open_table());
    REQUIRE(table.file().ask_text("UPDATE item SET index1_partition = NULL WHERE rowid = (SELECT min(rowid) FROM item"
                                  " WHERE json_extract(text, '$.validation_status.S') = 'PENDING') RETURNING pk").ok());
    const auto done = it.value(it.whole({.edits = 0}));
    REQUIRE(done.validated.wrong.size() == 1);
    CHECK(done.validated.wrong[0] == fmt::format("labels that wait: the table has {}, the job says {}",
                                                 done.validated.labels.undecided + 1, done.validated.labels.undecided));
    CHECK((!done.agrees() && done.compared.agrees() && done.counted.agrees()));
    CHECK(demo::as_text(done.validated).find("not as the table says\n  labels that wait: ") != std::string::npos);
    CHECK(demo::as_json(done)["validation"]["wrong"].size() == 1);

    auto other = done.validated;
    other.wrong.clear();
    ++other.labels.undecided, ++other.labels.updated, ++other.labels.needs_review;
    ++other.metadata.validated, ++other.metadata.undecided, ++other.table.metadata["NONE"];
    demo::compare_rulings(other);
    CHECK(other.wrong.size() == 5);
}

TEST_CASE("metadata of a receipt that failed has no ruling, and the table says no other thing") {
    demo::validated_receipts some;
    some.metadata.failed = some.table.metadata["NONE"] = 1;
    demo::compare_rulings(some);
    CHECK(some.agrees());
}

TEST_CASE("the rows' text and the rows as they are read have the same rulings") {
    data_directory it;
    static_cast<void>(it.value(it.whole({.edits = 30, .seed = 2})));
    auto table = it.value(it.here().open_table());
    struct as_read {
        place::table& of;
        auto scan(const freshet::page_request& request) { return of.scan({request.from, 7}); }
    };
    as_read reads{table};
    const auto round = validation::instant_text(it.clock.now());
    const auto by_text = it.value(demo::tally_rulings(table, round));
    CHECK(by_text == it.value(demo::tally_rulings(reads, round)));
    CHECK((by_text.labels.size() > 1 && by_text.round.size() > 1 && by_text.metadata.size() > 1));
}

TEST_CASE("words that the index of labels has lost are missed by the counts, and found by the comparison") {
    data_directory it;
    REQUIRE(it.value(it.whole({.edits = 0})).agrees());
    auto table = it.value(it.here().open_table());
    const auto status = it.value(table.file().ask_text(
        "UPDATE item SET index0_partition = NULL WHERE rowid = (SELECT min(rowid) FROM item"
        " WHERE index0_partition = 'LABEL#DATE') RETURNING json_extract(text, '$.validation_status.S')"));
    REQUIRE(status);
    const auto done = it.value(it.whole({.edits = 0}));
    CHECK((done.compared.agrees() && !done.counted.agrees() && !done.agrees()));
    REQUIRE(done.counted.differences.size() == 1);
    auto found = done.counted.differences.front();
    CHECK(found.label == "DATE");
    CHECK(found.cache[*status] + 1 == found.table[*status]);
}

TEST_CASE("the rows' text and the rows as they are read have the same labels, those without a status as NONE") {
    data_directory it;
    it.load();
    static_cast<void>(it.value(demo::write(it.how, it.here(), 60, 1)));
    auto table = it.value(it.here().open_table());
    const auto page = it.value(table.query({"GSI1", "LABEL#DATE", {}}, {std::nullopt, 1}));
    REQUIRE(page.rows.size() == 1);
    const auto key = it.value(adapters::key_of(page.rows.front().image(), table.options()));
    REQUIRE(table.update(key, {freshet::document{}, {"validation_status"}}).ok());
    struct as_read {
        place::table& of;
        auto scan(const freshet::page_request& request) { return of.scan({request.from, 7}); }
    };
    as_read reads{table};
    const auto by_text = it.value(demo::tally_labels(table));
    CHECK(by_text == it.value(demo::tally_labels(reads)));
    CHECK((by_text.size() > 4 && by_text.at("DATE").at("NONE") == 1));
}

TEST_CASE("the day of the table cache is played in the directory, any number of times, and nothing in it is wrong") {
    const support::scratch_directory in;
    for (int times = 0; times != 2; ++times) {
        const auto day = data_directory::value(demo::play_day(in.file("data")));
        CHECK(day.agrees());
        CHECK((day.calls > 100 && day.answers > day.calls));
        CHECK((day.saved.scans > 40 && day.without.scans > day.saved.scans));
        CHECK((day.saved.units.number() > 500 && day.without.units.number() > day.saved.units.number()));
        CHECK(std::filesystem::exists(in.file("data") + "/agent/students.sqlite"));
    }
    std::ofstream{in.file("file")} << "a file";
    CHECK(demo::play_day(in.file("file")).why().code == errc::denied);
}

TEST_CASE("what is wrong with the day is named, and the whole is not as it should be") {
    data_directory it;
    it.day = {.calls = 2, .answers = 4, .wrong = {"students: too old"}};
    const auto done = it.value(it.whole({.edits = 0}));
    CHECK((done.compared.agrees() && done.counted.agrees() && !done.agrees()));
    const auto text = demo::as_text(done);
    CHECK(text.find("4 answers checked against the day without it: something is wrong (") != std::string::npos);
    CHECK(text.find("\n  students: too old\n") != std::string::npos);
    CHECK(demo::as_json(done)["table_cache"]["wrong"].size() == 1);
}

TEST_CASE("counts by time that follow a table are what SQL says of it, in any run on the same directory") {
    data_directory it;
    for (const std::uint64_t seed : {1U, 2U}) {
        CAPTURE(seed);
        const auto done = it.value(demo::count_records(it.how.directory, it.clock, seed));
        CHECK(done.agrees());
        CHECK(done.writes == 1'500);
        CHECK(done.recounts > 15);
        CHECK(done.records > 300);
        CHECK(done.buckets > 600);
    }
    std::ofstream{it.directory.file("file")} << "a file";
    CHECK(demo::count_records(it.directory.file("file"), it.clock, 1).why().code == errc::denied);
}

TEST_CASE("SQL counts by the times that records came with, whatever the program made of them") {
    data_directory it;
    auto table = it.value(adapters::sqlite::table<manual_clock>::open(it.directory.file("records"), it.clock,
                                                                      metrics::item_table(), {.durable = false}));
    const auto put = [&](const std::string& id, const std::string& came_with) {
        auto row = metrics::row_of({{"items", "a"}, id, came_with, {}});
        REQUIRE(row.ok());
        REQUIRE(table.put(*row, {}).ok());
    };
    put("1", "2024-01-19T20:07:59.999+05:30");
    put("2", "2024-01-19T09:07:00-05:30");
    put("3", "2024-01-19T14:38:00Z");
    const auto* const spoil = "UPDATE item SET text = json_set(text, '$.createdAtUtc.S', '2024-02-01T00:00:00Z')"
                              " RETURNING 'all'";
    REQUIRE(table.file().ask_text(spoil));
    const auto found = it.value(demo::detail::counts_by_sql(table, 1min));
    const auto at = [](int minute) {
        return freshet::time_point{std::chrono::sys_days{std::chrono::January / 19 / 2024}} + 14h +
               std::chrono::minutes{minute};
    };
    REQUIRE(found.size() == 1);
    CHECK(found.at({"items", "a"}) == std::vector<freshet::bucket>{{1min, at(37), 2}, {1min, at(38), 1}});
}

TEST_CASE("an instant is written in the local time of an offset, to the millisecond") {
    const auto at = freshet::time_point{std::chrono::sys_days{std::chrono::January / 1 / 2024}} + 1h + 999'999us;
    CHECK(demo::detail::text_of(at, 0min) == "2024-01-01T01:00:00.999Z");
    CHECK(demo::detail::text_of(at, 330min) == "2024-01-01T06:30:00.999+05:30");
    CHECK(demo::detail::text_of(at, -330min) == "2023-12-31T19:30:00.999-05:30");
}

TEST_CASE("neither the day of the table cache nor the counts by time go on after a stop") {
    data_directory it;
    std::stop_source stop;
    stop.request_stop();
    CHECK(demo::play_day(it.how.directory, stop.get_token()).why().code == errc::expired);
    CHECK(demo::count_records(it.how.directory, it.clock, 1, stop.get_token()).why().code == errc::expired);
    auto table = it.value(adapters::sqlite::table<manual_clock>::open(
        it.how.directory + "/metrics/metrics.sqlite", it.clock, metrics::item_table(), {.durable = false}));
    CHECK(it.value(table.scan({std::nullopt, 1})).rows.empty());
}

TEST_CASE("counts by time that are not as SQL says are named, and the whole is not as it should be") {
    data_directory it;
    it.by_time = {.writes = 3, .wrong = {"items / a: others"}};
    const auto done = it.value(it.whole({.edits = 0}));
    CHECK(!done.agrees());
    const auto text = demo::as_text(done);
    CHECK(text.find("not as SQL says of the table (") != std::string::npos);
    CHECK(text.ends_with("\n  items / a: others\n"));
    CHECK(demo::as_json(done)["metrics"]["wrong"].size() == 1);
}

TEST_CASE("labels that are not as the table says are named, and so are reads that were no hits") {
    using label_counts::counts;
    const auto reading = [](std::size_t hits, const counts& of) {
        label_counts::label_reading one{"DATE", freshet::cached<counts>{of}};
        one.asked.hits = hits;
        label_counts::reading all;
        all.labels.push_back(std::move(one));
        return all;
    };
    const counts before{.by_status = {{"PENDING", 3}}};
    const counts after{.by_status = {{"PENDING", 1}, {"VALID", 2'000}}};
    const auto good = demo::compare_labels(reading(2, before), reading(2, after), {{"DATE", after.by_status}});
    CHECK((good.agrees() && good.changed == 1 && good.words == 2'001));
    CHECK(demo::as_text(good) ==
          "counted 2,001 words of 1 labels, 1 of them not as before the edits: 4 of 4 reads were "
          "hits, all is as the table says\n");
    CHECK(!demo::compare_labels(reading(2, before), reading(1, after), {{"DATE", after.by_status}}).agrees());
    auto lost = reading(0, after);
    lost.labels.front().answer = freshet::error{errc::failed, "not in the cache"};
    const auto without = demo::compare_labels(reading(2, after), lost, {{"DATE", after.by_status}});
    CHECK((without.hits == 2 && without.differences.size() == 1 && without.differences.front().cache.empty()));
    const auto bad = demo::compare_labels(reading(2, after), reading(2, after), {{"TIME", {}}});
    CHECK((!bad.agrees() && bad.changed == 0));
    CHECK(demo::as_text(bad).ends_with(
        ", 1 differences\n  DATE: the table says nothing, the cache says PENDING 1, VALID 2,000\n"));
    const auto json = demo::as_json(bad);
    CHECK((json["differences"] == 1 && json["shown"][0]["cache"]["VALID"] == 2'000 && json["hits"] == 4));
    CHECK(json["shown"][0]["table"].empty());
}

TEST_CASE("the parts, one after the other, do what the whole does") {
    data_directory it;
    it.load();
    CHECK(!it.value(demo::load(it.here(), it.scanned)).made);
    REQUIRE(it.value(demo::pump(it.as("a"), it.here(), demo::until::drained)).records() == 0); // its place is saved now
    CHECK(it.value(demo::write(it.how, it.here(), 60, 1)).edits == 60);
    const auto pumped = it.value(demo::pump(it.as("b"), it.here(), demo::until::drained));
    CHECK(pumped.changed > 30);
    CHECK(!it.value(demo::verify(it.here())).agrees());
    CHECK(it.value(demo::consume(it.as("c"), it.here(), demo::until::drained)).applied == pumped.messages_sent);
    CHECK(it.value(demo::verify(it.here())).agrees());
    CHECK(it.value(demo::consume(it.as("d"), it.here(), demo::until::drained)).received == 0);
    CHECK(it.value(demo::redrive(it.how, it.here())).received == 0);
}

TEST_CASE("edits before anybody pumps are in the embeddings from their making on") {
    data_directory it;
    it.load();
    static_cast<void>(it.value(demo::write(it.how, it.here(), 40, 1)));
    CHECK(it.value(demo::consume(it.how, it.here(), demo::until::drained)).received == 0);
    CHECK(it.value(demo::verify(it.here())).agrees());
    CHECK(it.value(demo::pump(it.how, it.here(), demo::until::drained)).records() == 0);
}

TEST_CASE("of several who pump or consume, one does, and another goes on when its lease has ended") {
    data_directory it;
    it.load();
    REQUIRE(demo::prepare(it.how, it.here()).ok());
    auto first = it.value(demo::pumping<place>::open(it.as("a"), it.here()));
    auto second = it.value(demo::pumping<place>::open(it.as("b"), it.here()));
    CHECK(it.value(first->take_turn(demo::until::drained, {})) == demo::turn::idle);
    CHECK(it.value(second->take_turn(demo::until::drained, {})) == demo::turn::waiting);
    it.clock.advance(it.how.lease);
    CHECK(it.value(second->take_turn(demo::until::drained, {})) == demo::turn::idle);
    CHECK(it.value(first->take_turn(demo::until::drained, {})) == demo::turn::waiting);
    second.reset(); // gives it back
    CHECK(it.value(first->take_turn(demo::until::drained, {})) == demo::turn::idle);

    static_cast<void>(it.value(demo::write(it.how, it.here(), 30, 1)));
    CHECK(it.value(first->take_turn(demo::until::drained, {})) == demo::turn::worked);
    auto one = it.value(demo::consuming<place>::open(it.as("a"), it.here(), "words"));
    auto other = it.value(demo::consuming<place>::open(it.as("b"), it.here(), "words"));
    CHECK(it.value(one->take_turn({})) == demo::turn::worked);
    CHECK(it.value(other->take_turn({})) == demo::turn::waiting);
    CHECK(other->counts().received == 0);
    it.clock.advance(it.how.lease);
    CHECK(it.value(other->take_turn({})) == demo::turn::worked);
    CHECK(it.value(one->take_turn({})) == demo::turn::waiting);
}

TEST_CASE("messages of a consumer that was killed are waited for and applied") {
    for (const bool alone : {true, false}) {
        CAPTURE(alone);
        data_directory it;
        it.load();
        REQUIRE(demo::prepare(it.how, it.here()).ok());
        static_cast<void>(it.value(demo::write(it.how, it.here(), 30, 1)));
        const auto sent = it.value(demo::pump(it.how, it.here(), demo::until::drained)).messages_sent;
        auto queue = it.value(it.here().open_queue("words"));
        const auto taken = queue.receive({});
        REQUIRE((taken.ok() && taken->size() > 3)); // and never erased
        if (alone) {
            CHECK(it.value(demo::consume(it.how, it.here(), demo::until::drained)).applied == sent);
        } else {
            const auto rest = it.value(it.whole({.edits = 0}));
        CHECK(rest.consumed.applied == sent + rest.pumped.messages_sent);
        }
        CHECK(it.value(demo::verify(it.here())).agrees());
    }
}

TEST_CASE("a message that says nothing usable is a dead letter, which a redrive sends again") {
    data_directory it;
    it.load();
    REQUIRE(demo::prepare(it.how, it.here()).ok());
    auto queue = it.value(it.here().open_queue("words"));
    const freshet::message_view junk{
        .queue = {}, .group_id = "g", .deduplication_id = "1", .body = "junk", .sequence = "1"};
    REQUIRE(it.value(queue.send(std::span{&junk, 1})).empty());
    CHECK(it.value(demo::consume(it.how, it.here(), demo::until::drained)).dead_lettered == 1);
    CHECK(it.value(it.whole({.edits = 0})).dead_letters == 1);
    CHECK(it.value(demo::redrive(it.how, it.here())).redriven == 1);
    CHECK(it.value(demo::consume(it.how, it.here(), demo::until::drained)).dead_lettered == 1);
}

TEST_CASE("old changes are dead letters where an age limit is asked for, and a redrive has them after all") {
    data_directory it;
    it.load();
    REQUIRE(demo::prepare(it.how, it.here()).ok());
    static_cast<void>(it.value(demo::write(it.how, it.here(), 20, 1)));
    it.clock.advance(2h);
    auto young = it.how;
    young.max_age = 1h;
    const auto pumped = it.value(demo::pump(young, it.here(), demo::until::drained));
    CHECK((pumped.expired > 10 && pumped.dead_lettered == pumped.expired && pumped.changed == 0));
    CHECK(it.value(demo::redrive(young, it.here())).redriven == pumped.expired);
    CHECK(it.value(demo::consume(it.how, it.here(), demo::until::drained)).applied > 10);
    CHECK(it.value(demo::verify(it.here())).agrees());
}

TEST_CASE("a stop ends every part, and the rest is done by the next run") {
    data_directory it;
    it.load();
    std::stop_source stop;
    stop.request_stop();
    CHECK(it.value(demo::write(it.how, it.here(), 10, 1, stop.get_token())).edits == 0);
    CHECK(it.value(demo::pump(it.how, it.here(), demo::until::stopped, stop.get_token())).records() == 0);
    CHECK(it.value(demo::consume(it.how, it.here(), demo::until::stopped, stop.get_token())).received == 0);
    CHECK(it.whole({.edits = 10}, stop.get_token()).why().code == errc::expired);
    CHECK(it.value(it.whole({.edits = 10})).compared.agrees());
}

TEST_CASE("a file that another process holds is borne for a time, and then given up in one line") {
    data_directory it;
    it.how.busy = 10ms;
    it.load();
    REQUIRE(demo::prepare(it.how, it.here()).ok());
    static_cast<void>(it.value(demo::write(it.how, it.here(), 10, 1)));
    auto pump = it.value(demo::pumping<place>::open(it.how, it.here()));
    auto queues = it.value(adapters::sqlite::database::open(it.how.directory + "/queues.sqlite", {.durable = false}));
    {
        const auto held = queues.begin();
        REQUIRE(held.ok());
        const auto begun = it.clock.now();
        freshet::result<demo::turn> took = demo::turn::waiting;
        while (took.ok()) {
            CHECK(*took == demo::turn::waiting);
            took = pump->take_turn(demo::until::drained, {});
            it.clock.advance(it.how.poll);
        }
        CHECK(took.why().code == errc::unavailable);
        CHECK(took.why().note.find("queues.sqlite") != std::string::npos);
        CHECK(it.clock.now() - begun >= it.how.patience);
    }
    pump.reset();
    it.how.busy = 5s;
    CHECK_MESSAGE(it.value(it.whole({.edits = 10})).compared.agrees(), "nothing was lost by that");
}

TEST_CASE("what is no data directory is denied, and nothing is made") {
    data_directory it;
    CHECK(!*it.here().has_items());
    CHECK(!std::filesystem::exists(it.how.directory));
    CHECK(demo::verify(it.here()).why().code == errc::denied);
    CHECK(!std::filesystem::exists(it.how.directory));
    std::ofstream{it.how.directory} << "a file";
    CHECK(it.here().has_items().why().code == errc::denied);
    const auto loaded = demo::load(it.here(), it.scanned);
    CHECK(loaded.why().code == errc::denied);
    CHECK(loaded.why().note.starts_with(it.how.directory));
    it.how.directory += "/in_a_file";
    CHECK(demo::load(it.here(), it.scanned).why().code == errc::denied);
}

TEST_CASE("a table that was made and not filled is filled by the next who comes") {
    data_directory it;
    REQUIRE(it.here().make().ok());
    REQUIRE(it.here().open_table().ok()); // then it was killed
    CHECK(!*it.here().has_items());
    it.load();
    CHECK(*it.here().has_items());
}

TEST_CASE("a comparison comes back from its JSON as it was, and other JSON is none") {
    receipts::comparison of{1, 2, 3, 4, 5, {{"words", "IMAGE#1", "address", "\"a\\n\"", ""}}};
    const auto back = demo::comparison_in(demo::as_json(of).dump());
    REQUIRE(back);
    CHECK((back->receipts == 1 && back->embeddings == 2 && back->keys == 3 && back->effects == 4 &&
           back->differences == 5));
    CHECK(back->shown == of.shown);
    for (const auto* text : {"", "{}", "[]", R"({"receipts":1})",
                             R"({"receipts":1,"embeddings":1,"keys":1,"effects":1,"differences":-1,"shown":[]})",
                             R"({"receipts":1,"embeddings":1,"keys":1,"effects":1,"differences":1,"shown":[5]})",
                             R"({"receipts":1,"embeddings":1,"keys":1,"effects":1,"differences":1,"shown":[{}]})"}) {
        CAPTURE(text);
        CHECK(!demo::comparison_in(text));
    }
}

TEST_CASE("numbers are printed with commas, and progress says what is on its way") {
    CHECK(demo::with_commas(0) == "0");
    CHECK(demo::with_commas(999) == "999");
    CHECK(demo::with_commas(1'000) == "1,000");
    CHECK(demo::with_commas(1'234'567) == "1,234,567");
    CHECK(demo::progress::text({10, 2'000, 30, 12, false}, 2.0) ==
          "10 of 2,000 edits, 30 messages sent, 12 applied (6/s), 18 on their way");
    CHECK(demo::progress::text({0, 1, 0, 0, true}, 0.0).ends_with("; waiting for another process"));
}

TEST_CASE("the command line says what to do, or what is wrong with it") {
    const auto read = [](std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), "demo");
        return demo::read_command(static_cast<int>(arguments.size()), arguments.data());
    };
    const auto all =
        read({"--dir", "d", "--edits", "7", "--seed", "9", "--drop-one", "--json", "--receipts", "3", "--no-sync"});
    REQUIRE(all.wanted);
    CHECK((all.wanted->role.empty() && all.wanted->how.directory == "d" && all.wanted->run.edits == 7 &&
           all.wanted->run.seed == 9));
    CHECK((all.wanted->run.drop_one && all.wanted->json && all.wanted->receipts == 3 && !all.wanted->how.durable));
    const auto pump = read({"pump", "--backend", "sqlite:d", "--drain", "--max-age", "2h"});
    REQUIRE(pump.wanted);
    CHECK((pump.wanted->role == "pump" && pump.wanted->how.directory == "d" && pump.wanted->drain));
    CHECK((pump.wanted->how.max_age == freshet::duration{2h} && pump.wanted->how.durable));
    CHECK(all.wanted->how.labels.size() > 3);
    {
        const support::environment_variable labels{"CORE_LABELS", "DATE, TIME"};
        CHECK(read({}).wanted->how.labels == std::vector<std::string>{"DATE", "TIME"});
    }
    {
        const support::environment_variable labels{"CORE_LABELS", "DATE,DATE"};
        CHECK(read({}).exit_code == demo::wrong_usage);
    }
    CHECK(read({"consume", "--dir", "d", "--owner", "me"}).wanted->how.owner == "me");
    CHECK(read({"verify", "--dir", "d"}).wanted->how.owner != read({"verify", "--dir", "d"}).wanted->how.owner);
    for (const auto& wrong : std::vector<std::vector<const char*>>{{"--nonsense"},
                                                                   {"nonsense"},
                                                                   {"verify"},
                                                                   {"--edits", "-1"},
                                                                   {"--edits", "x"},
                                                                   {"--edits", ""},
                                                                   {"--receipts", "0"},
                                                                   {"--seed", "1.5"},
                                                                   {"--edits", "99999999999999999999"},
                                                                   {"--dir", ""},
                                                                   {"--backend", "memory"},
                                                                   {"--backend", "sqlite:"},
                                                                   {"--dir", "a", "--backend", "sqlite:b"},
                                                                   {"--max-age", "5"},
                                                                   {"verify", "--dir", "d", "--edits", "5"},
                                                                   {"consume", "--dir", "d", "--owner", ""},
                                                                   {"load", "write", "--dir", "d"}}) {
        CAPTURE(wrong.front());
        const auto answer = read(wrong);
        CHECK((!answer.wanted && answer.exit_code == demo::wrong_usage));
    }
}
