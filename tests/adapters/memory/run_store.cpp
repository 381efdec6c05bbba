#include <adapters/run_store.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/table.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../laws/run_store.hpp"

namespace {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::fault;
using freshet::testing::manual_clock;
using memory_table = adapters::memory::table<manual_clock>;
using faulty_table = freshet::testing::faulty_table<memory_table>;
using store_type = adapters::run_store<memory_table>;

static_assert(freshet::run_store<store_type> && freshet::run_store<adapters::run_store<faulty_table>>);
static_assert(!std::is_constructible_v<store_type, memory_table>);

/// A store whose every answer has many pages.
class on_small_pages {
public:
    [[nodiscard]] auto store() -> store_type& { return store_; }
    [[nodiscard]] auto other() -> store_type& { return other_; }
    [[nodiscard]] auto table() -> memory_table& { return table_; }

private:
    [[nodiscard]] static auto small_pages() -> adapters::item_table_options {
        auto options = adapters::runs_table();
        options.page_rows = 7;
        return options;
    }

    manual_clock clock_;
    memory_table table_{clock_, small_pages()};
    store_type store_{table_};
    store_type other_{table_};
};

class on_faulty_table {
public:
    [[nodiscard]] auto store() -> adapters::run_store<faulty_table>& { return store_; }
    [[nodiscard]] auto other() -> adapters::run_store<faulty_table>& { return store_; }
    [[nodiscard]] auto script() -> freshet::testing::faults& { return script_; }

private:
    on_small_pages under_;
    freshet::testing::faults script_;
    faulty_table table_{under_.table(), script_};
    adapters::run_store<faulty_table> store_{table_};
};

/// The failure is this one, and its note is one line with these words in it.
template <class T>
void fails(const freshet::result<T>& what, errc code, std::string_view words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}

} // namespace

FRESHET_RUN_STORE_LAWS(on_small_pages, on_faulty_table);

TEST_CASE("a report is a row that people can read, and the newest stands first") {
    on_small_pages on;
    const auto report = laws::full_run();
    laws::put(on.store(), laws::run_of(report.job, report.started_at - 1us));
    laws::put(on.store(), report);
    const auto page = on.table().query({.partition = "JOB#pending-labels"}, {});
    REQUIRE(page.ok());
    REQUIRE(page->rows.size() == 2);
    const auto row = page->rows.front().image();
    const auto text = [&](std::string_view name) {
        const auto found = row.find(name);
        return found ? std::string{found->text()} : std::string{"nothing"};
    };
    CHECK(text("SK") == "251629970398999999#host 7/81\n\"\\");
    CHECK(text("started_at") == "2026-03-01T02:00:01.000001Z");
    CHECK(text("seen_at") == "2026-03-01T02:08:00.999999Z");
    CHECK(text("due") == "2026-03-01T02:00:00.000000Z");
    CHECK(text("limit") == "900000007");
    CHECK(text("state") == "stopped");
    CHECK(text("needs_review") == "7");
    CHECK(text("resume") == report.resume);
}

TEST_CASE("a put that fails may be repeated, whether its answer or the put itself was lost") {
    for (const auto& lost : {fault::before(), fault::after(errc::throttled)}) {
        on_faulty_table on;
        on.script().next("table.put", {lost, lost});
        const auto report = laws::full_run();
        fails(on.store().put(report), lost.code, "table.put");
        fails(on.store().put(report), lost.code, "table.put");
        laws::put(on.store(), report);
        laws::holds_runs(on.store(), report.job, {report});
    }
}

TEST_CASE("a read that fails at any of its pages fails as a whole, and may be repeated") {
    on_faulty_table on;
    for (int n = 0; n != 20; ++n) { laws::put(on.store(), laws::run_of("job", laws::a_sunday, std::to_string(n))); }
    for (std::size_t page = 1; page <= 3; ++page) {
        on.script().next("table.query", std::vector<fault>(page - 1));
        on.script().next("table.query", {fault::before()});
        fails(on.store().runs("job", laws::always), errc::unavailable, "table.query");
        on.script().next("table.query", std::vector<fault>(page - 1));
        on.script().next("table.query", {fault::after(errc::denied)});
        fails(on.store().latest("job"), errc::denied, "table.query");
    }
    CHECK(laws::runs_in(on.store(), "job").size() == 20);
    CHECK(laws::latest_of(on.store(), "job")->run == "9");
    CHECK(on.script().unused().empty());
}

TEST_CASE("the latest of many runs is read with one page, unless several began at that instant") {
    on_faulty_table on;
    for (int n = 0; n != 50; ++n) { laws::put(on.store(), laws::run_of("job", laws::a_sunday + n * 1us)); }
    CHECK(laws::latest_of(on.store(), "job")->started_at == laws::a_sunday + 49us);
    CHECK(on.script().count("table.query") == 1);
}

TEST_CASE("what is no UTF-8 is mended in why, and refused in resume") {
    on_small_pages on;
    auto report = laws::full_run();
    report.why =
        "a\xff"
        "b\xc3";
    laws::put(on.store(), report);
    report.why =
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd";
    laws::holds_runs(on.store(), report.job, {report});
    auto bad = report;
    bad.resume = "1;\xff";
    fails(on.store().put(bad), errc::malformed,
          R"(run store: job pending-labels, run host 7/81\x0a"\: resume is no UTF-8 at byte 2)");
    laws::holds_runs(on.store(), report.job, {report});
}

TEST_CASE("names are as long as keys can be, and no longer") {
    on_small_pages on;
    auto longest = laws::run_of(std::string(2'044, 'j'), laws::a_sunday, std::string(1'005, 'r'));
    laws::put(on.store(), longest);
    laws::holds_runs(on.store(), longest.job, {longest});
    auto long_run = longest;
    long_run.run += 'r';
    fails(on.store().put(long_run), errc::malformed, "run store: the name of the run has more than 1005 bytes");
    longest.job += 'j';
    fails(on.store().put(longest), errc::malformed, "run store: the name of the job has more than 2044 bytes");
    fails(on.store().latest(longest.job), errc::malformed, "more than 2044 bytes");
    fails(on.store().runs("\xff", laws::always), errc::malformed, "the name of the job is no UTF-8 at byte 0");
    fails(on.store().latest(""), errc::malformed, "run store: a job without a name");
}

TEST_CASE("a state that is none is malformed, and so are instants outside the years 0 to 9999") {
    on_small_pages on;
    auto report = laws::full_run();
    report.state = static_cast<freshet::run_state>(4);
    fails(on.store().put(report), errc::malformed, "a state that is none");
    const freshet::time_point first{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};
    const freshet::time_point end{std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}};
    for (const auto outside : {first - 1us, end, freshet::time_point::min(), freshet::time_point::max()}) {
        for (const auto member :
             {&freshet::run_report::due, &freshet::run_report::started_at, &freshet::run_report::seen_at}) {
            auto odd = laws::full_run();
            odd.*member = outside;
            fails(on.store().put(odd), errc::malformed, "lies outside the years 0 to 9999");
        }
    }
    laws::holds_runs(on.store(), report.job, {});
    const auto oldest = laws::run_of("job", first);
    const auto newest = laws::run_of("job", end - 1us);
    laws::put(on.store(), newest);
    laws::put(on.store(), oldest);
    laws::holds_runs(on.store(), "job", {oldest, newest});
}

TEST_CASE("rows that are no reports are denied, and the note says which and why") {
    on_small_pages on;
    laws::put(on.store(), laws::run_of("job", laws::a_sunday));
    for (const auto& each :
         {std::pair{"state", R"({"S":"asleep"})"}, std::pair{"listed", R"({"N":"-1"})"},
          std::pair{"listed", R"({"N":"18446744073709551616"})"}, std::pair{"listed", R"({"N":"1.5"})"},
          std::pair{"limit", R"({"S":"7"})"}, std::pair{"due", R"({"S":"tomorrow"})"},
          std::pair{"why", R"({"NULL":true})"}, std::pair{"run", ""}}) {
        const std::string member = each.first;
        const std::string_view value = each.second;
        CAPTURE(member);
        CAPTURE(value);
        const auto page = on.table().query({.partition = "JOB#job"}, {});
        const freshet::row_key key{"JOB#job", std::string{page->rows.front().image().find("SK")->text()}};
        const bool absent = value.empty();
        auto set = freshet::document::parse(absent ? "{}" : "{\"" + member + "\":" + std::string{value} + '}');
        REQUIRE(set.ok());
        REQUIRE(
            on.table()
                .update(key, {*std::move(set), absent ? std::vector<std::string>{member} : std::vector<std::string>{}})
                .ok());
        fails(on.store().latest("job"), errc::denied,
              "run store: the row JOB#job / " + key.sort + " is no report: its attribute " + member);
        fails(on.store().runs("job", laws::always), errc::denied, member);
        laws::put(on.store(), laws::run_of("job", laws::a_sunday));
    }
}
