#include <adapters/memory/table.hpp>

#include <thread> // the laws have writers on several
#include <type_traits>

#include <doctest/doctest.h>

#include <adapters/memory/change_stream.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <laws/table.hpp>

using freshet::testing::manual_clock;

namespace {

class in_memory {
public:
    [[nodiscard]] auto table() -> adapters::memory::table<manual_clock>& { return table_; }

private:
    manual_clock clock_;
    adapters::memory::table<manual_clock> table_{clock_,
                                                 {.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}}};
};

} // namespace

FRESHET_TABLE_LAWS(in_memory);

TEST_CASE("a table without sort keys goes by its partitions alone") {
    const manual_clock clock;
    adapters::memory::table table{clock, {.partition = "id", .sort = ""}};
    const auto item = laws::item(R"({"id":{"S":"7"},"SK":{"N":"1"}})");
    REQUIRE(table.put(item).ok());
    CHECK(laws::same_item(*table.get({"7", ""}), &item));
    REQUIRE(table.update({"8", ""}, laws::patch(R"({"a":{"S":"x"}})")).ok());
    CHECK(laws::all_rows(table, nullptr, 1).size() == 2);
    CHECK(table.get({"8", "x"})->has_value() == false);
    CHECK(laws::code_of(table.update({"8", "x"}, laws::patch("{}"))) == freshet::errc::malformed);
}

TEST_CASE("a page without a limit ends where the options say") {
    manual_clock clock;
    adapters::memory::table table{clock, {.page_rows = 2}};
    laws::put_rows(table, {"1", "2", "3"});
    const auto page = table.scan({});
    CHECK(page->rows.size() == 2);
    CHECK(page->next);
    CHECK(table.scan({page->next, 0})->rows.size() == 1);
    adapters::memory::table least{clock, {.page_rows = 0}};
    laws::put_rows(least, {"1", "2"});
    CHECK(least.scan({})->rows.size() == 1);
    CHECK(laws::all_rows(least, nullptr, 0).size() == 2);
}

static_assert(!std::is_constructible_v<adapters::memory::table<manual_clock>, manual_clock>);
static_assert(!std::is_copy_constructible_v<adapters::memory::table<manual_clock>>);
