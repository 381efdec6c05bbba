#include <receipts/editor.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/table.hpp>
#include <freshet/backend/change.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/fault.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/items.hpp>
#include <receipts/sample_receipts.hpp>

#include <support/cases.hpp>

namespace {

using freshet::errc;
using manual_clock = freshet::testing::manual_clock;
using memory_table = adapters::memory::table<manual_clock>;
using faulty_table = freshet::testing::faulty_table<memory_table>;

struct edited_table {
    manual_clock clock;
    memory_table table{clock, [] {
                           adapters::item_table_options options;
                           options.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK", {}}};
                           return options;
                       }()};

    explicit edited_table(std::size_t receipts) {
        for (const auto& one : receipts::sample_receipts{}.make(receipts)) {
            for (const auto& item : *receipts::items_of(one)) { REQUIRE(table.put(item).ok()); }
        }
    }

    auto items() -> std::map<std::string, std::string> {
        std::map<std::string, std::string> all;
        freshet::page_request request;
        do {
            const auto page = *table.scan(request);
            for (const auto& item : page.rows) {
                all.emplace(
                    std::string{item.image().find("PK")->text()} + "#" + std::string{item.image().find("SK")->text()},
                    item.text());
            }
            request.from = page.next;
        } while (request.from);
        return all;
    }
};

} // namespace

TEST_CASE("the same seed makes the same edits of the same table, and another seed makes others") {
    std::vector<std::map<std::string, std::string>> ends;
    for (const auto seed : {1U, 1U, 2U}) {
        edited_table it{10};
        receipts::editor editor{it.table, seed};
        REQUIRE(editor.start().ok());
        for (int i = 0; i < 300; ++i) { REQUIRE(editor.edit().ok()); }
        ends.push_back(it.items());
    }
    CHECK(ends[0] == ends[1]);
    CHECK(ends[0] != ends[2]);
}

TEST_CASE("edits are of every kind, and the stream shows what people and validators do") {
    edited_table it{20};
    adapters::memory::change_stream changes{it.table};
    const auto begin = *changes.latest();
    const auto seed = support::seed();
    CAPTURE(seed);
    receipts::editor editor{it.table, seed};
    REQUIRE(editor.start().ok());
    for (int i = 0; i < 1'500; ++i) { REQUIRE(editor.edit().ok()); }

    const auto& counts = editor.counts();
    CHECK(counts.edits == 1'500);
    for (const auto some : {counts.validated, counts.corrected, counts.relabelled, counts.removed, counts.expired,
                            counts.created, counts.without_effect}) {
        CHECK(some > 0);
    }
    std::map<std::string, std::size_t> of_one_item;
    std::set<freshet::change_kind> kinds;
    std::size_t expired = 0, seen = 0, decided = 0;
    const auto told = *changes.read(begin, 100'000);
    for (const auto& change : told.changes) {
        ++seen;
        kinds.insert(change.kind);
        expired += change.cause == freshet::change_cause::expiry ? 1 : 0;
        CHECK(change.key.sort.find("WORD") == change.key.sort.rfind("WORD"));
        CHECK_MESSAGE(!(change.key.sort.find("#WORD#") != std::string::npos &&
                        change.key.sort.find("#LABEL#") == std::string::npos),
                      "nobody edits what was scanned");
        if (++of_one_item[change.key.partition + change.key.sort] > 2) { continue; }
        const auto status = change.after ? change.after->image().find("validation_status") : std::nullopt;
        if (!status) { continue; }
        CHECK(change.after->image().find("GSI3PK")->text() == receipts::status_index_key(status->text()));
        CHECK(change.key.sort.ends_with("#" + std::string{change.after->image().find("GSI1PK")->text()}));
        decided += status->text() != "PENDING" ? 1 : 0;
    }
    CHECK(kinds.size() == 3);
    CHECK(expired == counts.expired);
    CHECK(decided > 0);
    CHECK_MESSAGE(seen < counts.writes, "some writes change nothing, and the table tells nothing of them");
    std::size_t often = 0;
    for (const auto& [item, times] : of_one_item) { often += times > 3 ? 1 : 0; }
    CHECK(often > 10);
}

TEST_CASE("validators look up what waits, and in the end nothing does") {
    edited_table it{3};
    receipts::editor editor{it.table, 4};
    REQUIRE(editor.start().ok());
    freshet::testing::faults script;
    const auto waits = [&] {
        return it.table.query({"GSI3", receipts::status_index_key("PENDING"), {}}, {})->rows.size();
    };
    const auto before = waits();
    REQUIRE(before > 5);
    for (int i = 0; i < 200; ++i) { REQUIRE(editor.edit().ok()); }
    CHECK(waits() < before);
    CHECK(editor.counts().validated > 0);
}

TEST_CASE("a write that comes too late is repeated on what is there then, or left") {
    edited_table it{4};
    freshet::testing::faults script;
    faulty_table table{it.table, script};
    receipts::editor editor{table, 5};
    receipts::editor other{it.table, 6};
    REQUIRE(editor.start().ok());
    REQUIRE(other.start().ok());
    const auto meanwhile = freshet::testing::fault::meanwhile([&] {
        for (int i = 0; i < 30; ++i) { REQUIRE(other.edit().ok()); }
    });
    for (const auto* call : {"table.put", "table.update", "table.erase"}) { script.always(call, meanwhile); }
    for (int i = 0; i < 200; ++i) {
        const auto done = editor.edit();
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    }
    CHECK(editor.counts().conflicts > 0);
    CHECK(editor.counts().skipped > 0);
    CHECK(editor.counts().edits == 200);
}

TEST_CASE("an edit that the table does not take is a failure, and can be asked for again") {
    edited_table it{4};
    freshet::testing::faults script;
    faulty_table table{it.table, script};
    receipts::editor editor{table, 7};
    script.next({freshet::testing::fault::before()});
    CHECK(editor.start().why().code == errc::unavailable);
    edited_table other{4};
    faulty_table down{other.table, script};
    receipts::editor unlucky{down, 7};
    REQUIRE(unlucky.start().ok());
    for (const auto* call : {"table.get", "table.put", "table.update", "table.erase", "table.query"}) {
        script.always(call, freshet::testing::fault::before());
    }
    std::size_t failed = 0;
    for (int i = 0; i < 50; ++i) { failed += unlucky.edit().ok() ? 0 : 1; }
    CHECK(failed > 40);
    CHECK(unlucky.counts().edits == 50 - failed);
    for (const auto* call : {"table.get", "table.put", "table.update", "table.erase", "table.query"}) {
        script.heal(call);
    }
    for (int i = 0; i < 50; ++i) { REQUIRE(unlucky.edit().ok()); }
}

TEST_CASE("a sure correction changes a merchant's name, and finds none in a table without receipts") {
    edited_table it{2};
    receipts::editor editor{it.table, 1};
    REQUIRE(editor.start().ok());
    const auto before = it.items();
    const auto key = editor.edit_one();
    REQUIRE((key.ok() && key->has_value()));
    CHECK(it.items() != before);
    CHECK((*it.table.get(**key))->image().find("canonical_merchant_name")->text().ends_with(" (corrected)"));

    edited_table none{0};
    receipts::editor idle{none.table, 1};
    REQUIRE(idle.start().ok());
    CHECK(*idle.edit_one() == std::nullopt);
    for (int i = 0; i < 100; ++i) { CHECK(idle.edit().ok()); }
    CHECK(idle.counts().writes == 0);
}
