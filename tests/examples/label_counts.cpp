#include <label_counts/reading.hpp>
#include <label_counts/updating.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <adapters/memory/table.hpp>
#include <adapters/memory/ttl_store.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ttl_store.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <label_counts/core_labels.hpp>
#include <label_counts/counting.hpp>
#include <label_counts/counts_codec.hpp>
#include <label_counts/failing_table.hpp>
#include <label_counts/metrics.hpp>
#include <label_counts/output.hpp>
#include <label_counts/watching.hpp>
#include <receipts/item_text.hpp>
#include <receipts/items.hpp>
#include <receipts/receipts_table.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/cases.hpp>
#include <support/environment_variable.hpp>
#include <support/scratch_directory.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::cache_origin;
using freshet::errc;
using freshet::update_outcome;
using freshet::testing::fault;
using label_counts::counts;
using label_counts::counts_codec;
using json = nlohmann::ordered_json;
using manual_clock = freshet::testing::manual_clock;
using table = adapters::memory::table<manual_clock>;
using store = adapters::memory::ttl_store<manual_clock>;
using by_status = std::map<std::string, std::uint64_t, std::less<>>;

const support::log quiet{static_cast<support::log_level>(99)};
const std::vector<std::string> labels{"MERCHANT_NAME", "LINE_TOTAL", "GRAND_TOTAL", "TIME"};

/// The sample receipts in a table with small pages, and a store of counts.
struct rig {
    manual_clock clock{};
    table rows{clock, options()};
    store kept{clock};
    std::map<std::string, by_status, std::less<>> truth{}; ///< counted from the receipts themselves

    rig() {
        for (const auto& receipt : receipts::sample_receipts{}.make(20)) {
            for (const auto& word : receipt.words) {
                for (const auto& each : word.labels) { ++truth[each.label][each.validation_status]; }
            }
            const auto items = receipts::items_of(receipt);
            REQUIRE(items.ok());
            for (const auto& item : *items) { REQUIRE(rows.put(item).ok()); }
        }
    }
    static auto options() -> adapters::item_table_options {
        auto made = receipts::receipts_table();
        made.page_rows = 7;
        return made;
    }

    auto counter(std::stop_token stop = {}) { return label_counts::counter_of(rows, clock, std::move(stop)); }
    auto run(const label_counts::counter& count, const support::log& log = quiet) {
        return label_counts::update(kept, clock, count, labels, {}, log);
    }
    auto read() { return label_counts::read(kept, clock, counter(), labels, quiet); }
    /// Adds one more word with a label.
    void add(std::string_view label, std::string_view status) {
        const auto sort = "MORE#" + std::to_string(++added_);
        const auto item = receipts::item_text{}
                              .text("PK", "IMAGE#more")
                              .text("SK", sort)
                              .text("GSI1PK", receipts::label_index_key(label))
                              .text("GSI1SK", sort)
                              .text(status.empty() ? "no_status" : "validation_status", status.empty() ? "-" : status)
                              .read();
        REQUIRE(item.ok());
        REQUIRE(rows.put(*item).ok());
    }

private:
    int added_{};
};

auto outcomes(const label_counts::run_report& run) -> std::vector<update_outcome> {
    std::vector<update_outcome> all;
    for (const auto& each : run.keys) { all.push_back(each.outcome); }
    return all;
}

} // namespace

TEST_CASE("the core labels are those of the receipts, or what CORE_LABELS lists") {
    CHECK(label_counts::core_labels().value().size() == 7);
    const auto listed = [](const std::string& text) {
        const support::environment_variable set{"CORE_LABELS", text};
        return label_counts::core_labels();
    };
    CHECK(*listed("A") == std::vector<std::string>{"A"});
    CHECK(*listed(" B ,,\tA B,\n") == std::vector<std::string>{"B", "A B"});
    for (const auto* none : {"", ",", " , ,"}) { CHECK(listed(none).why().note == "CORE_LABELS: it names no label"); }
    CHECK(listed("A,B, A").why().note == "CORE_LABELS: 'A' stands there twice");
}

TEST_CASE("counts are read back from their bytes as they were") {
    const counts_codec codec;
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t n = support::cases(200); n != 0; --n) {
        counts made{{}, freshet::time_point{freshet::duration{static_cast<std::int64_t>(random())}}};
        for (auto left = random() % 4; left != 0; --left) {
            std::string status;
            for (auto length = random() % 4; length != 0; --length) {
                const std::vector<std::string> letters{"A", "\"", "\\", "ß", "\n", "🧾", std::string{'\0'}};
                status += letters[random() % letters.size()];
            }
            made.by_status[status] = random() >> random() % 64;
        }
        const auto bytes = codec.encode(made);
        CAPTURE(bytes);
        CHECK(codec.decode(bytes).value() == made);
    }
    CHECK(codec.encode({{{"VALID", 2}}, freshet::time_point{5us}}) == R"({"by_status":{"VALID":2},"last_updated":5})");
}

TEST_CASE("bytes that are no counts are refused") {
    using namespace std::string_view_literals;
    for (const auto bytes :
         {""sv, "{"sv, "[]"sv, "null"sv, R"({"by_status":{}})"sv, R"({"by_status":[],"last_updated":5})"sv,
          R"({"by_status":{},"last_updated":"5"})"sv, R"({"by_status":{},"last_updated":5.0})"sv,
          R"({"by_status":{},"last_updated":18446744073709551615})"sv, R"({"by_status":{"A":-1},"last_updated":5})"sv,
          R"({"by_status":{"A":1.5},"last_updated":5})"sv, R"({"by_status":{"A":1,"A":2},"last_updated":5})"sv,
          R"({"by_status":{},"last_updated":5,"more":1})"sv, R"({"by_status":{},"last_updated":5} )"sv,
          "{\"by_status\":{},\"last_updated\":5}\0junk"sv, R"({"last_updated":5,"by_status":{}})"sv}) {
        CAPTURE(bytes);
        CHECK(counts_codec{}.decode(bytes).why().code == errc::malformed);
    }
}

TEST_CASE("a label is counted over all pages of its index, and what has no status as NONE") {
    rig it;
    for (const auto& each : it.truth) {
        CAPTURE(each.first);
        const auto counted = it.counter()(each.first, freshet::deadline::never());
        CHECK(counted.value() == counts{each.second, it.clock.now()});
    }
    CHECK(it.truth["LINE_TOTAL"].size() == 2);
    CHECK(it.counter()("NOBODY", freshet::deadline::never()).value().total() == 0);
    it.add("GRAND_TOTAL", "");
    const auto more = it.counter()("GRAND_TOTAL", freshet::deadline::never()).value();
    CHECK(more.by_status.at("NONE") == 1);
    CHECK(more.total() == 21);
}

TEST_CASE("counting ends at the deadline and after a stop, without half counts") {
    rig it;
    std::stop_source stop;
    CHECK(it.counter()("TIME", freshet::deadline::at(it.clock.now())).why().code == errc::expired);
    stop.request_stop();
    const auto stopped = it.counter(stop.get_token())("TIME", freshet::deadline::never());
    CHECK(stopped.why() == freshet::error{errc::expired, "stopped"});
}

TEST_CASE("a table that is to fail fails at the label's second page, or at its only one, and nowhere else") {
    rig it;
    label_counts::failing_table failing{it.rows, "LINE_TOTAL"};
    const freshet::index_query lines{"GSI1", receipts::label_index_key("LINE_TOTAL"), {}};
    const auto first = failing.query(lines, {});
    REQUIRE(first.ok());
    CHECK(first->rows.size() == 7);
    CHECK(failing.query(lines, {.from = first->next}).why().code == errc::failed);
    CHECK(failing.query(lines, {.limit = 1'000}).why().code == errc::failed);
    CHECK(failing.query({"GSI1", receipts::label_index_key("DATE"), {}}, {.limit = 1'000}).ok());
}

TEST_CASE("a run keeps every label's counts for the period and the overlap, and no longer") {
    rig it;
    const auto began = it.clock.now();
    CHECK(outcomes(it.run(it.counter())) == std::vector(4, update_outcome::added));
    const auto origin_at = [&](freshet::duration later) {
        it.clock.advance(began + later - it.clock.now());
        const auto seen = it.read();
        REQUIRE(seen.labels.size() == 4);
        for (const auto& each : seen.labels) {
            CAPTURE(each.label);
            REQUIRE(each.answer.ok());
            CHECK(each.answer->origin == seen.labels[0].answer->origin);
            CHECK(each.answer->value->by_status == it.truth[each.label]);
            CHECK(each.asked.hits + each.asked.misses == 2);
        }
        return seen.labels[0].answer->origin;
    };
    it.add("NOBODY", "VALID");
    CHECK(origin_at(0s) == cache_origin::fresh);
    CHECK(origin_at(5min) == cache_origin::fresh);
    CHECK(origin_at(6min - 1us) == cache_origin::fresh);
    CHECK(origin_at(6min) == cache_origin::loaded);
    CHECK(origin_at(6min) == cache_origin::loaded); // a reader keeps nothing
    CHECK(outcomes(it.run(it.counter())) == std::vector(4, update_outcome::added));
    CHECK(outcomes(it.run(it.counter())) == std::vector(4, update_outcome::updated));
}

TEST_CASE("after a run the second read is all hits, the age is that of the counting, and the ratio is told") {
    rig it;
    static_cast<void>(it.run(it.counter()));
    it.clock.advance(90s);
    const auto seen = it.read();
    for (const auto& each : seen.labels) {
        CHECK(each.asked.hit_ratio() == 1);
        CHECK(each.answer->age == 90s);
        CHECK(each.answer->value->last_updated == it.clock.now() - 90s);
    }
    CHECK(seen.timed == labels.size());
    CHECK(seen.from_cache > 0ns);
    CHECK(seen.in_real_time > 0ns);
    CHECK(label_counts::as_text(seen).find(" times as long\n") != std::string::npos);
    CHECK(label_counts::code_of(seen) == label_counts::all_well);
}

TEST_CASE("one label's failure is its own: the run tells it, and its older counts stay until they are over") {
    rig it;
    static_cast<void>(it.run(it.counter()));
    it.clock.advance(5min);
    for (const auto& label : labels) { it.add(label, "INVALID"); }
    label_counts::failing_table failing{it.rows, "LINE_TOTAL"};
    std::string said;
    const support::log log{support::log_level::info, &said};
    const auto run = it.run(label_counts::counter_of(failing, it.clock, {}), log);
    using enum update_outcome;
    CHECK(outcomes(run) == std::vector{updated, load_failed, updated, updated});
    CHECK(label_counts::code_of(run) == label_counts::some_failed);
    CHECK(said ==
          "INFO: key_updated key=MERCHANT_NAME outcome=updated took=0s note=\"\"\n"
          "ERROR: key_updated key=LINE_TOTAL outcome=load_failed took=0s"
          " note=\"this page fails because --fail says so\"\n"
          "INFO: key_updated key=GRAND_TOTAL outcome=updated took=0s note=\"\"\n"
          "INFO: key_updated key=TIME outcome=updated took=0s note=\"\"\n");
    const auto seen = it.read();
    for (const auto& each : seen.labels) {
        CAPTURE(each.label);
        const bool old = each.label == "LINE_TOTAL";
        CHECK(each.answer->origin == cache_origin::fresh);
        CHECK(each.answer->age == (old ? 5min : 0min));
        CHECK(each.answer->value->by_status.contains("INVALID") == !old);
    }
    it.clock.advance(1min);
    CHECK(it.read().labels[1].answer->origin == cache_origin::loaded);
}

TEST_CASE("a run in which all labels failed is a failure, and says whether the backend is to blame") {
    rig it;
    const auto with = [&](errc code) {
        const auto run = it.run([&](const auto&, const auto&) { return freshet::error{code, "for a reason"}; });
        CHECK(run.as_result().why().note == "none of 4 keys was updated; the first that failed: for a reason");
        return label_counts::code_of(run);
    };
    CHECK(with(errc::unavailable) == label_counts::unreachable);
    CHECK(with(errc::throttled) == label_counts::unreachable);
    CHECK(with(errc::denied) == label_counts::unreachable);
    CHECK(with(errc::failed) == label_counts::some_failed);
    CHECK(with(errc::expired) == label_counts::some_failed);
    CHECK(with(errc::malformed) == label_counts::some_failed);
}

TEST_CASE("a run counts as many labels at once as it has workers, and gives up at the deadline or after a stop") {
    rig it;
    const std::vector<std::string> many(20, "DATE");
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    const auto count = [&](const std::string&, const freshet::deadline&) -> freshet::result<counts> {
        const auto now = ++inside;
        for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {}
        std::this_thread::yield();
        --inside;
        return counts{};
    };
    CHECK(label_counts::update(it.kept, it.clock, count, many, {}, quiet).failed() == 0);
    CHECK(most <= 5);
    const auto late =
        label_counts::update(it.kept, it.clock, count, many, {}, quiet, freshet::deadline::at(it.clock.now()));
    CHECK(outcomes(late) == std::vector(20, update_outcome::not_begun));
    std::stop_source stop;
    const auto stopping = [&](const std::string&, const freshet::deadline&) -> freshet::result<counts> {
        stop.request_stop();
        return counts{};
    };
    const auto stopped = label_counts::update(it.kept, it.clock, stopping, many, {.workers = 1}, quiet,
                                              freshet::deadline::never(), stop.get_token());
    CHECK(stopped.succeeded() == 1);
    CHECK(label_counts::code_of(stopped) == label_counts::some_failed);
}

TEST_CASE("a reader whose cache fails has the counts from the table, and a warning") {
    rig it;
    static_cast<void>(it.run(it.counter()));
    freshet::testing::faults script;
    freshet::testing::faulty_ttl_store broken{it.kept, script};
    script.always("store.get", fault::before());
    std::string said;
    const auto seen = label_counts::read(broken, it.clock, it.counter(), std::vector<std::string>{"DATE"},
                                         support::log{support::log_level::info, &said});
    CHECK(seen.labels[0].answer->origin == cache_origin::bypassed);
    CHECK(seen.labels[0].answer->value->by_status == it.truth["DATE"]);
    CHECK(seen.timed == 0);
    CHECK(label_counts::code_of(seen) == label_counts::all_well);
    CHECK(said.starts_with("WARNING: cache_bypassed key=DATE error=unavailable"));
    const auto run = label_counts::update(broken, it.clock, it.counter(), labels, {}, quiet);
    CHECK(outcomes(run) == std::vector(4, update_outcome::store_failed));
    CHECK(label_counts::code_of(run) == label_counts::unreachable);
}

TEST_CASE("an entry that cannot be decoded is a miss with a warning, and the next run overwrites it") {
    rig it;
    const std::vector<std::string> date{"DATE"};
    for (const auto* strange : {"v0:{}", "v1:", "v1:{\"by_status\":1}", "\xff"}) {
        CAPTURE(strange);
        const auto looked = it.kept.get("DATE");
        REQUIRE(looked.ok());
        const auto now = it.clock.now();
        REQUIRE(it.kept.put("DATE", {strange, now, now + 1h, now + 1h}, looked->ticket).ok());
        std::string said;
        const support::log log{support::log_level::warning, &said};
        const auto seen = label_counts::read(it.kept, it.clock, it.counter(), date, log);
        CHECK(seen.labels[0].answer->origin == cache_origin::loaded);
        CHECK(said.starts_with("WARNING: entry_undecodable key=DATE"));
        CHECK(label_counts::update(it.kept, it.clock, it.counter(), date, {}, quiet).failed() == 0);
        CHECK(label_counts::read(it.kept, it.clock, it.counter(), date, quiet).labels[0].asked.hits == 2);
    }
}

TEST_CASE("a reading with failures names them, and fails as a whole when every label did") {
    rig it;
    const auto fails = [&](errc code, std::string_view which) {
        return [&it, code, which](const std::string& label, const freshet::deadline& until) -> freshet::result<counts> {
            if (which.empty() || label == which) { return freshet::error{code, "for\na reason"}; }
            return it.counter()(label, until);
        };
    };
    const auto one = label_counts::read(it.kept, it.clock, fails(errc::unavailable, "TIME"), labels, quiet);
    CHECK(label_counts::code_of(one) == label_counts::some_failed);
    CHECK(label_counts::as_text(one).find("TIME: for\\x0aa reason\n") != std::string::npos);
    CHECK(label_counts::as_json(one)["labels"][3] ==
          json{{"label", "TIME"}, {"error", "for\na reason"}, {"hits", 0}, {"misses", 2}, {"hit_ratio", 0.0}});
    const auto all = label_counts::read(it.kept, it.clock, fails(errc::unavailable, ""), labels, quiet);
    CHECK(label_counts::code_of(all) == label_counts::unreachable);
    const auto ours = label_counts::read(it.kept, it.clock, fails(errc::failed, ""), labels, quiet);
    CHECK(label_counts::code_of(ours) == label_counts::some_failed);
}

TEST_CASE("runs begin a period apart, at once after one that took longer, and never while one is under way") {
    manual_clock clock;
    const auto start = clock.now();
    std::vector<freshet::duration> began;
    std::stop_source stop;
    const std::vector<freshet::duration> lengths{1min, 5min, 12min, 0s, 4min, 1s};
    label_counts::every_period(clock, 5min, stop.get_token(), [&] {
        const auto length = lengths[began.size()];
        began.push_back(clock.now() - start);
        clock.advance(length);
        if (began.size() == lengths.size()) { stop.request_stop(); }
    });
    CHECK(began == std::vector<freshet::duration>{0min, 5min, 10min, 22min, 27min, 32min});
    CHECK(clock.now() == start + 32min + 1s); // a stop ends the wait
    label_counts::every_period(clock, 5min, stop.get_token(), [] { FAIL("it was stopped"); });
}

TEST_CASE("a clock that is set back does not put the next run off by more than a period") {
    manual_clock clock;
    std::stop_source stop;
    std::vector<freshet::time_point> began;
    label_counts::every_period(clock, 5min, stop.get_token(), [&] {
        began.push_back(clock.now());
        if (began.size() == 1) { clock.advance(-24h); }
        if (began.size() == 2) { stop.request_stop(); }
    });
    CHECK(began[1] - began[0] == 5min - 24h);
}

TEST_CASE("what was done is told as one document of JSON, and as a table") {
    rig it;
    const auto run = label_counts::as_json(it.run(it.counter()));
    CHECK(run["succeeded"] == 4);
    CHECK(run["failed"] == 0);
    CHECK(run["labels"][1] == json{{"label", "LINE_TOTAL"}, {"outcome", "added"}, {"took_ms", 0.0}});
    it.clock.advance(1500us);
    const auto seen = it.read();
    const auto read = label_counts::as_json(seen);
    CHECK(read["labels"][2] == json{{"label", "GRAND_TOTAL"},
                                    {"total", 20},
                                    {"by_status", it.truth["GRAND_TOTAL"]},
                                    {"last_updated", "2025-01-15T10:13:20.000000Z"},
                                    {"origin", "fresh"},
                                    {"age_ms", 1.5},
                                    {"hits", 2},
                                    {"misses", 0},
                                    {"hit_ratio", 1.0}});
    CHECK(read["ratio"].get<double>() > 0);
    const auto text = label_counts::as_text(seen);
    CHECK(text.starts_with("label          words  by status"));
    CHECK(text.find("\nGRAND_TOTAL       20  PENDING ") != std::string::npos);
}

TEST_CASE("metrics are lines that CloudWatch takes: a run's durations and failures, a reading's hit ratios by label") {
    rig it;
    const auto run = it.run(it.counter());
    const auto lines = [&](const auto& report) {
        const auto [text, refused] =
            label_counts::lines_of(label_counts::metrics_of(report, it.clock.now()), it.clock.now());
        REQUIRE(refused.empty());
        std::vector<json> all;
        for (std::string_view rest{text}; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
            all.push_back(json::parse(rest.substr(0, rest.find('\n'))));
        }
        return all;
    };
    const auto of_run = lines(run);
    REQUIRE(of_run.size() == 1);
    CHECK(of_run[0]["succeeded"] == 4);
    CHECK(of_run[0]["failed"] == 0);
    CHECK(of_run[0]["label_duration"].size() == 4);
    CHECK(of_run[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "label_counts");
    const auto of_reading = lines(it.read());
    REQUIRE(of_reading.size() == 5);
    CHECK(of_reading[1]["label"] == "LINE_TOTAL");
    CHECK(of_reading[1]["hit_ratio"] == 1);
    CHECK(of_reading[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == json{{"label"}});
    CHECK(of_reading[4]["count_in_real_time"].get<double>() > 0);
}

TEST_CASE("a label that is no dimension to CloudWatch costs its own line and a word, a time too far off all lines") {
    rig it;
    const support::scratch_directory scratch;
    const auto name = scratch.file("metrics");
    auto file = label_counts::metrics_file::open(name);
    REQUIRE(file.ok());
    const std::vector<std::string> names{"DATE", "BETR\xc3\x84GE", ":TIME", "TIME"};
    const auto seen = label_counts::read(it.kept, it.clock, it.counter(), names, quiet);
    const auto now = it.clock.now();
    const auto told = file->write(seen, now, now);
    CHECK(told.why().note ==
          "2 of 4 documents of metrics are left out; the first: "
          "EMF: the value of dimension \"label\" is not of printable ASCII characters");
    const auto lines = [&] {
        std::ifstream in{name};
        std::vector<json> all;
        for (std::string line; std::getline(in, line);) { all.push_back(json::parse(line)); }
        return all;
    };
    REQUIRE(lines().size() == 2);
    CHECK(lines()[0]["label"] == "DATE");
    CHECK(lines()[1]["label"] == "TIME");
    const auto old = file->write(seen, now, now + 24h * 365); // as of a time that only --now says
    CHECK(old.why().note.starts_with("4 of 4 documents of metrics are left out; the first: EMF: the timestamp lies"));
    CHECK(lines().size() == 2);
}

TEST_CASE("a label that a run did not begin is told as an error") {
    rig it;
    std::string said;
    static_cast<void>(label_counts::update(it.kept, it.clock, it.counter(), std::vector<std::string>{"DATE"}, {},
                                           support::log{support::log_level::info, &said},
                                           freshet::deadline::at(it.clock.now())));
    CHECK(said == "ERROR: key_updated key=DATE outcome=not_begun took=0s note=\"\"\n");
}
