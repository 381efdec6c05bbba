#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>

#include <laws/items.hpp>
#include <support/cases.hpp>

/// The laws of `freshet::table`, for every table of items: `FRESHET_TABLE_LAWS(fixture)`.
///
/// A fixture is default constructible and then fresh and empty. Its `table()` has rows of type `freshet::document`,
/// patches of type `freshet::item_patch`, the keys `PK` and `SK`, and the indexes `GSI1` on `GSI1PK` and `GSI1SK` and
/// `GSI3` on `GSI3PK` alone. Where `if_unchanged` cannot tell that attributes were added which the write does not name,
/// it says `static constexpr bool notices_additions = false`; where bounds are compared otherwise than by bytes,
/// `bounds_by_bytes = false`.
namespace laws {

using when = freshet::write_condition<freshet::document>;

[[nodiscard]] inline auto row(const std::string& pk, const std::string& sk, const std::string& more = "")
    -> freshet::document {
    return item("{\"PK\":{\"S\":\"" + pk + "\"},\"SK\":{\"S\":\"" + sk + "\"}" + more + "}");
}

[[nodiscard]] inline auto patch(std::string set, std::vector<std::string> remove = {}) -> freshet::item_patch {
    return {item(std::move(set)), std::move(remove)};
}

/// Whether the table has this row there, or (null) none.
template <class Table>
[[nodiscard]] auto holds(Table& table, const freshet::row_key& key, const freshet::document* wanted) -> bool {
    const auto found = table.get(key);
    return found.ok() && same_item(*found, wanted);
}
template <class Table>
[[nodiscard]] auto holds(Table& table, const freshet::document& wanted) -> bool {
    return holds(table, key_of(wanted), &wanted);
}

template <class Table>
void put_rows(Table& table, const std::vector<std::string>& sorts) {
    for (const auto& sort : sorts) { REQUIRE(table.put(row("P", sort), {}).ok()); }
}

template <class Table>
[[nodiscard]] auto sorts_of(Table& table, const freshet::index_query& which, std::size_t limit = 0)
    -> std::vector<std::string> {
    std::vector<std::string> sorts;
    for (const auto& found : all_rows(table, &which, limit)) { sorts.push_back(text_of(found, "SK")); }
    return sorts;
}

TEST_CASE_TEMPLATE_DEFINE("a row that was put is got, whatever its values and however its keys are written", Fixture,
                          laws_table_1) {
    Fixture fixture;
    auto& table = fixture.table();
    std::string all;
    for (std::size_t i = 0; i < values.size(); ++i) {
        all += ",\"v" + std::to_string(i) + "\":" + values[i].spellings.back();
    }
    for (const auto& pk : texts) {
        for (const auto& sk : texts) {
            const auto wanted = item("{\"PK\":" + pk.spellings.back() + ",\"SK\":" + sk.spellings.front() + all + "}");
            REQUIRE(table.put(wanted, {}).ok());
            CHECK(holds(table, {pk.text, sk.text}, &wanted));
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("a key without a row gives nothing, and is erased without a failure", Fixture, laws_table_2) {
    Fixture fixture;
    auto& table = fixture.table();
    CHECK(holds(table, {"P", "S"}, nullptr));
    CHECK(table.erase({"P", "S"}, {}).ok());
    REQUIRE(table.put(row("P", "S"), {}).ok());
    CHECK(holds(table, {"P", "S2"}, nullptr));
    CHECK(holds(table, {"S", "P"}, nullptr));
    CHECK(table.erase({"P", "S2"}, {}).ok());
    CHECK(holds(table, row("P", "S")));
    CHECK(table.erase({"P", "S"}, {}).ok());
    CHECK(holds(table, {"P", "S"}, nullptr));
}

TEST_CASE_TEMPLATE_DEFINE("put replaces a row, update changes the named parts and keeps the others", Fixture,
                          laws_table_3) {
    Fixture fixture;
    auto& table = fixture.table();
    REQUIRE(table.put(row("P", "S", R"(,"a":{"N":"1"},"b":{"S":"x"})"), {}).ok());
    REQUIRE(table.put(row("P", "S", R"(,"b":{"S":"y"},"c":{"NULL":true},"m":{"M":{"i":{"N":"1"}}})"), {}).ok());
    CHECK(holds(table, row("P", "S", R"(,"b":{"S":"y"},"c":{"NULL":true},"m":{"M":{"i":{"N":"1"}}})")));
    REQUIRE(
        table.update({"P", "S"}, patch(R"({"m":{"M":{"j":{"N":"2"}}},"d":{"S":""}})", {"c", "not there"}), {}).ok());
    CHECK(holds(table, row("P", "S", R"(,"b":{"S":"y"},"d":{"S":""},"m":{"M":{"j":{"N":"2"}}})")));
    REQUIRE(table.update({"P", "S"}, patch("{}"), {}).ok());
    CHECK(holds(table, row("P", "S", R"(,"b":{"S":"y"},"d":{"S":""},"m":{"M":{"j":{"N":"2"}}})")));
    REQUIRE(table.update({"P", "new"}, patch(R"({"a":{"N":"1"}})", {"b"}), {}).ok());
    CHECK(holds(table, row("P", "new", R"(,"a":{"N":"1"})")));
    REQUIRE(table.update({"P", "bare"}, patch("{}", {"b"}), {}).ok());
    CHECK(holds(table, row("P", "bare")));
    REQUIRE(table.update({"P", "bare too"}, patch("{}", {"b"}), when::if_absent()).ok());
    CHECK(holds(table, row("P", "bare too")));
}

TEST_CASE_TEMPLATE_DEFINE("a write whose condition does not hold is a conflict and changes nothing", Fixture,
                          laws_table_4) {
    Fixture fixture;
    auto& table = fixture.table();
    const freshet::row_key key{"P", "S"};
    const auto first = row("P", "S", R"(,"a":{"N":"1"})");
    const auto second = row("P", "S", R"(,"a":{"N":"2"})");
    const auto conflict = freshet::errc::conflict;

    CHECK(code_of(table.put(first, when::if_present())) == conflict);
    CHECK(code_of(table.put(first, when::if_unchanged(second))) == conflict);
    CHECK(code_of(table.update(key, patch(R"({"a":{"N":"1"}})"), when::if_present())) == conflict);
    CHECK(code_of(table.update(key, patch(R"({"a":{"N":"1"}})"), when::if_unchanged(second))) == conflict);
    CHECK(holds(table, key, nullptr));

    REQUIRE(table.put(first, when::if_absent()).ok());
    CHECK(code_of(table.put(second, when::if_absent())) == conflict);
    CHECK(code_of(table.update(key, patch(R"({"a":{"N":"2"}})"), when::if_absent())) == conflict);
    CHECK(code_of(table.erase(key, when::if_absent())) == conflict);
    CHECK(holds(table, first));

    auto seen = got(table.get(key));
    REQUIRE(table.put(second, when::if_present()).ok());
    CHECK(code_of(table.put(row("P", "S", R"(,"a":{"N":"3"})"), when::if_unchanged(*seen))) == conflict);
    CHECK(code_of(table.update(key, patch(R"({"b":{"N":"3"}})"), when::if_unchanged(*seen))) == conflict);
    CHECK(code_of(table.erase(key, when::if_unchanged(*seen))) == conflict);
    CHECK(holds(table, second));

    seen = got(table.get(key));
    REQUIRE(table.update(key, patch(R"({"b":{"N":"3"}})"), when::if_unchanged(*seen)).ok());
    CHECK(holds(table, row("P", "S", R"(,"a":{"N":"2"},"b":{"N":"3"})")));
    seen = got(table.get(key));
    CHECK(table.erase(key, when::if_unchanged(*seen)).ok());
    CHECK(holds(table, key, nullptr));
}

TEST_CASE_TEMPLATE_DEFINE("an update that comes too late is a conflict, also where it would make too large a row",
                          Fixture, laws_table_14) {
    Fixture fixture;
    auto& table = fixture.table();
    const auto longer = [](const char* name) {
        return patch("{\"" + std::string{name} + "\":{\"S\":\"" + std::string(150'000, 'x') + "\"}}");
    };
    REQUIRE(table.put(row("P", "S", R"(,"a":{"S":"short"})"), {}).ok());
    const auto seen = got(table.get({"P", "S"}));
    REQUIRE(table.update({"P", "S"}, longer("a"), {}).ok());
    REQUIRE(table.update({"P", "S"}, longer("b"), {}).ok());
    CHECK(code_of(table.update({"P", "S"}, longer("c"), when::if_unchanged(*seen))) == freshet::errc::conflict);
    CHECK(code_of(table.update({"P", "S"}, longer("c"), when::if_absent())) == freshet::errc::conflict);
    CHECK(code_of(table.update({"P", "S"}, longer("c"), when::if_present())) == freshet::errc::too_large);
}

TEST_CASE_TEMPLATE_DEFINE("a write may be repeated: one that finds its own work done succeeds", Fixture, laws_table_5) {
    Fixture fixture;
    auto& table = fixture.table();
    const freshet::row_key key{"P", "S"};
    const auto other = freshet::row_key{"P", "T"};
    const auto first = row("P", "S", R"(,"a":{"N":"1"})");
    for (int i = 0; i < 2; ++i) { CHECK(table.put(first, when::if_absent()).ok()); }
    for (int i = 0; i < 2; ++i) { CHECK(table.update(other, patch(R"({"a":{"N":"1"}})"), when::if_absent()).ok()); }

    auto seen = got(table.get(key));
    const auto second = row("P", "S", R"(,"a":{"N":"2"})");
    for (int i = 0; i < 2; ++i) { CHECK(table.put(second, when::if_unchanged(*seen)).ok()); }
    CHECK(holds(table, second));
    seen = got(table.get(key));
    const auto more = patch(R"({"b":{"SS":["x","y"]}})", {"a"});
    for (int i = 0; i < 2; ++i) { CHECK(table.update(key, more, when::if_unchanged(*seen)).ok()); }
    CHECK(holds(table, row("P", "S", R"(,"b":{"SS":["y","x"]})")));
    seen = got(table.get(key));
    for (int i = 0; i < 2; ++i) { CHECK(table.erase(key, when::if_unchanged(*seen)).ok()); }
    for (int i = 0; i < 2; ++i) { CHECK(table.erase(other, when::if_present()).ok()); }
    CHECK(all_rows(table, nullptr, 0).empty());
}

TEST_CASE_TEMPLATE_DEFINE("a row with an unusable key is malformed, one that is too large says so; no part of it stays",
                          Fixture, laws_table_6) {
    Fixture fixture;
    auto& table = fixture.table();
    const auto long_text = [](std::size_t size) { return "\xc3\xa9" + std::string(size - 2, 'k'); };
    const auto malformed = freshet::errc::malformed;
    for (const auto* bad : {R"({})", R"({"SK":{"S":"s"}})", R"({"PK":{"S":"p"}})", R"({"PK":{"S":""},"SK":{"S":"s"}})",
                            R"({"PK":{"S":"p"},"SK":{"S":""}})", R"({"PK":{"N":"1"},"SK":{"S":"s"}})",
                            R"({"PK":{"S":"p"},"SK":{"B":"AAAA"}})", R"({"PK":{"S":"p"},"SK":{"NULL":true}})",
                            R"({"PK":{"S":"p"},"SK":{"S":"s"},"GSI1PK":{"N":"1"},"GSI1SK":{"S":"x"}})",
                            R"({"PK":{"S":"p"},"SK":{"S":"s"},"GSI1SK":{"S":""},"GSI1PK":{"S":"x"}})",
                            R"({"PK":{"S":"p"},"SK":{"S":"s"},"GSI3PK":{"NULL":true}})"}) {
        CAPTURE(bad);
        CHECK(code_of(table.put(item(bad), {})) == malformed);
    }
    CHECK(code_of(table.put(row(long_text(2'049), "s"), {})) == malformed);
    CHECK(code_of(table.put(row("p", long_text(1'025)), {})) == malformed);
    const auto huge = ",\"a\":{\"S\":\"" + std::string(500'000, 'x') + "\"}";
    CHECK(code_of(table.put(row("p", "s", huge), {})) == freshet::errc::too_large);
    CHECK(all_rows(table, nullptr, 0).empty());

    const auto longest = row(long_text(2'048), long_text(1'024));
    CHECK(table.put(longest, {}).ok());
    CHECK(holds(table, longest));
    const auto large = row("p", "s", ",\"a\":{\"S\":\"" + std::string(390'000, 'x') + "\"}");
    CHECK(table.put(large, {}).ok());
    CHECK(code_of(table.update({"p", "s"}, patch(R"({"b":{"S":")" + std::string(50'000, 'x') + R"("}})"), {})) ==
          freshet::errc::too_large);
    for (auto& bad : {patch("{}", {"PK"}), patch("{}", {"SK"}), patch(R"({"SK":{"S":"other"}})"),
                      patch(R"({"SK":{"S":"s"}})"), patch(R"({"PK":{"S":"p"},"b":{"N":"1"}})"),
                      patch("{}", {"b", "SK"}), patch(R"({"GSI1PK":{"S":""}})"), patch(R"({"a":{"S":""}})", {"a"})}) {
        CHECK(code_of(table.update({"p", "s"}, bad, {})) == malformed);
    }
    CHECK(holds(table, large));
    CHECK(code_of(table.update({"p", "new"}, patch(R"({"PK":{"S":"p"},"SK":{"S":"new"}})"), {})) == malformed);
    CHECK(holds(table, {"p", "new"}, nullptr));
}

TEST_CASE_TEMPLATE_DEFINE("a scan gives each row once, whatever the size of its pages", Fixture, laws_table_7) {
    Fixture fixture;
    auto& table = fixture.table();
    CHECK(all_rows(table, nullptr, 0).empty());
    CHECK(all_rows(table, nullptr, 1).empty());
    std::set<freshet::row_key> wanted;
    for (const auto& pk : texts) {
        for (std::size_t i = 0; i < 3; ++i) {
            REQUIRE(table.put(item("{\"PK\":" + pk.spellings[0] + ",\"SK\":" + texts[i].spellings[0] + "}"), {}).ok());
            wanted.insert({pk.text, texts[i].text});
        }
    }
    for (const std::size_t limit : {1U, 2U, 3U, 7U, 35U, 36U, 37U, 1'000U, 0U}) {
        CAPTURE(limit);
        const auto found = all_rows(table, nullptr, limit);
        std::set<freshet::row_key> keys;
        for (const auto& one : found) { keys.insert(key_of(one)); }
        CHECK(found.size() == wanted.size());
        CHECK(keys == wanted);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a token stays good while rows come and go, also the one it was made at", Fixture,
                          laws_table_8) {
    Fixture fixture;
    auto& table = fixture.table();
    put_rows(table, {"10", "20", "30", "40", "50"});
    const freshet::index_query which{"", "P", ""};
    const auto scanned = got(table.scan({std::nullopt, 2}));
    const auto queried = got(table.query(which, {std::nullopt, 2}));
    REQUIRE(scanned.next);
    REQUIRE(queried.next);
    REQUIRE(queried.rows.size() == 2);
    REQUIRE(table.erase({"P", "20"}, {}).ok());
    REQUIRE(table.erase({"P", "40"}, {}).ok());
    put_rows(table, {"15", "25"});
    for (int again = 0; again < 2; ++again) {
        std::multiset<std::string> sorts;
        for (auto from = scanned.next; from;) {
            const auto page = got(table.scan({from, 0}));
            for (const auto& found : page.rows) { sorts.insert(text_of(found, "SK")); }
            from = page.next;
        }
        std::multiset<std::string> all = sorts;
        for (const auto& found : scanned.rows) { all.insert(text_of(found, "SK")); }
        for (const auto* stayed : {"10", "30", "50"}) { CHECK(all.count(stayed) == 1); }
        CHECK(sorts.count("40") == 0);

        std::vector<std::string> found;
        const auto rest = got(table.query(which, {queried.next, 3}));
        for (const auto& one : rest.rows) { found.push_back(text_of(one, "SK")); }
        CHECK(found == std::vector<std::string>{"25", "30", "50"});
    }
}

TEST_CASE_TEMPLATE_DEFINE("what is no token is malformed", Fixture, laws_table_9) {
    Fixture fixture;
    auto& table = fixture.table();
    put_rows(table, {"1", "2", "3"});
    const freshet::index_query which{"", "P", ""};
    for (const std::string bad : {"", "x", "{}", "4:junk", "P", "99999999999999999999:P"}) {
        CAPTURE(bad);
        CHECK(code_of(table.scan({bad, 1})) == freshet::errc::malformed);
        CHECK(code_of(table.query(which, {bad, 1})) == freshet::errc::malformed);
    }
}

TEST_CASE_TEMPLATE_DEFINE("a token of another scan or query is malformed", Fixture, laws_table_15) {
    Fixture fixture;
    auto& table = fixture.table();
    const std::string label = R"(,"GSI1PK":{"S":"P"},"GSI1SK":{"S":"a"})";
    for (const auto* sort : {"a1", "a2", "a3"}) { REQUIRE(table.put(row("P", sort, label), {}).ok()); }
    for (const auto* sort : {"a1", "a2", "a3"}) { REQUIRE(table.put(row("Q", sort, label), {}).ok()); }
    const std::vector<freshet::index_query> queries{
        {"", "P", ""},      {"", "Q", ""},           {"", "P", "a"},         {"GSI1", "P", ""},     {"GSI1", "P", "a"},
        {"", "P", "", "a"}, {"", "P", "", "a", "b"}, {"", "P", "", "", "b"}, {"GSI1", "P", "", "a"}};
    std::vector<freshet::page_token> tokens{*got(table.scan({std::nullopt, 1})).next};
    for (const auto& query : queries) { tokens.push_back(*got(table.query(query, {std::nullopt, 1})).next); }
    for (std::size_t of = 0; of < tokens.size(); ++of) {
        CAPTURE(of);
        CHECK(table.scan({tokens[of], 1}).ok() == (of == 0));
        for (std::size_t i = 0; i < queries.size(); ++i) {
            CAPTURE(i);
            const auto page = table.query(queries[i], {tokens[of], 1});
            if (of == i + 1) {
                CHECK(page.ok());
            } else {
                CHECK(code_of(page) == freshet::errc::malformed);
            }
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("a query gives what begins with the prefix, in the order of bytes", Fixture, laws_table_10) {
    Fixture fixture;
    auto& table = fixture.table();
    for (auto at = texts.rbegin(); at != texts.rend(); ++at) {
        REQUIRE(table.put(item("{\"PK\":{\"S\":\"P\"},\"SK\":" + at->spellings[0] + "}"), {}).ok());
        REQUIRE(table.put(item("{\"PK\":{\"S\":\"P2\"},\"SK\":" + at->spellings[0] + "}"), {}).ok());
    }
    std::vector<std::string> every;
    for (const auto& text : texts) { every.push_back(text.text); }
    for (const std::size_t limit : {0U, 1U, 2U, 5U, 12U}) {
        CHECK(sorts_of(table, {"", "P", ""}, limit) == every);
        CHECK(sorts_of(table, {"", "P", "A#"}, limit) == std::vector<std::string>{"A#1", "A#10", "A#2"});
        CHECK(sorts_of(table, {"", "P", "A#1"}, limit) == std::vector<std::string>{"A#1", "A#10"});
        CHECK(sorts_of(table, {"", "P", "%"}, limit) == std::vector<std::string>{"%_"});
        CHECK(sorts_of(table, {"", "P", "\xf0\x9f\x8d\x80"}, limit) == std::vector<std::string>{"\xf0\x9f\x8d\x80"});
    }
    CHECK(sorts_of(table, {"", "P", "C"}).empty());
    CHECK(sorts_of(table, {"", "Q", ""}).empty());
    CHECK(sorts_of(table, {"", "p", ""}).empty());
}

TEST_CASE_TEMPLATE_DEFINE("a query gives what lies between its bounds, these included, in the order of bytes", Fixture,
                          laws_table_16) {
    Fixture fixture;
    auto& table = fixture.table();
    std::vector<std::string> bounds{""};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto sort = texts[i].spellings[0];
        const auto twin = "\"GSI1PK\":{\"S\":\"L\"},\"GSI1SK\":" + texts[i / 2].spellings[0];
        REQUIRE(table.put(item("{\"PK\":{\"S\":\"P\"}," + twin + ",\"SK\":" + sort + "}"), {}).ok());
        REQUIRE(table.put(item("{\"PK\":{\"S\":\"P2\"},\"SK\":" + sort + "}"), {}).ok());
        bounds.push_back(texts[i].text);
    }
    for (const auto* between : {"A", "A#11", "C", "\xc3\xaa"}) { bounds.emplace_back(between); }
    for (const auto& first : bounds) {
        for (const auto& last : bounds) {
            CAPTURE(first);
            CAPTURE(last);
            const auto within = [&](const std::string& text) {
                return first <= text && (last.empty() || text <= last);
            };
            std::vector<std::string> wanted;
            std::vector<std::string> twins;
            for (std::size_t i = 0; i < texts.size(); ++i) {
                if (within(texts[i].text)) { wanted.push_back(texts[i].text); }
                if (within(texts[i / 2].text)) { twins.push_back(texts[i / 2].text); }
            }
            if (!bounds_by_bytes<Fixture>() && !(same_side_in_utf16(first) && same_side_in_utf16(last))) { continue; }
            const std::size_t limit = (first.size() + last.size()) % 4;
            CHECK(sorts_of(table, {"", "P", "", first, last}, limit) == wanted);
            std::vector<std::string> found;
            const freshet::index_query labels{"GSI1", "L", "", first, last};
            for (const auto& one : all_rows(table, &labels, limit)) { found.push_back(text_of(one, "GSI1SK")); }
            CHECK(found == twins);
        }
    }
    for (std::size_t limit = 0; limit <= texts.size() + 1; ++limit) {
        CAPTURE(limit);
        CHECK(sorts_of(table, {"", "P", "", "A#1", "A#2"}, limit) == std::vector<std::string>{"A#1", "A#10", "A#2"});
        CHECK(sorts_of(table, {"", "P", "", "A#2"}, limit).size() == 6);
        CHECK(sorts_of(table, {"", "P", "", "", "A#2"}, limit).size() == 7);
        CHECK(sorts_of(table, {"GSI1", "L", "", "A#1", "A#1"}, limit).size() == 2);
        CHECK(sorts_of(table, {"", "P", "", "B", "A#1"}, limit).empty());
    }
}

TEST_CASE_TEMPLATE_DEFINE("a prefix and a bound at once, or a bound that no sort key can be, is malformed", Fixture,
                          laws_table_17) {
    Fixture fixture;
    auto& table = fixture.table();
    REQUIRE(table.put(row("P", "1", R"(,"GSI3PK":{"S":"P"})"), {}).ok());
    const std::string longest(1'024, 'k');
    CHECK(table.query({"", "P", "", "0", longest}, {})->rows.size() == 1);
    for (const auto& which : std::vector<freshet::index_query>{{"", "P", "1", "1"},
                                                               {"", "P", "1", "", "1"},
                                                               {"", "P", "1", "1", "1"},
                                                               {"GSI1", "P", "1", "1", "1"},
                                                               {"GSI3", "P", "", "1"},
                                                               {"GSI3", "P", "", "", "1"},
                                                               {"", "P", "", "", longest + 'k'},
                                                               {"", "P", "", "\xff"},
                                                               {"none", "P", "", "1"}}) {
        CHECK(code_of(table.query(which, {})) == freshet::errc::malformed);
    }
}

TEST_CASE_TEMPLATE_DEFINE("an index has the rows that have its keys, and follows them", Fixture, laws_table_11) {
    Fixture fixture;
    auto& table = fixture.table();
    const auto label = [](const std::string& pk, const std::string& sk) {
        return ",\"GSI1PK\":{\"S\":\"" + pk + "\"},\"GSI1SK\":{\"S\":\"" + sk + "\"}";
    };
    const freshet::index_query labels{"GSI1", "L", ""};
    const freshet::index_query valid{"GSI3", "VALID", ""};
    REQUIRE(table.put(row("P", "1", label("L", "b") + R"(,"GSI3PK":{"S":"VALID"})"), {}).ok());
    REQUIRE(table.put(row("P", "2", label("L", "a") + R"(,"GSI3PK":{"S":"VALID"})"), {}).ok());
    REQUIRE(table.put(row("O", "9", label("L", "a")), {}).ok());
    REQUIRE(table.put(row("P", "3", R"(,"GSI1PK":{"S":"L"})"), {}).ok());
    REQUIRE(table.put(row("P", "4", R"(,"GSI1SK":{"S":"a"},"GSI3PK":{"S":"INVALID"})"), {}).ok());
    REQUIRE(table.put(row("P", "5", label("L2", "a")), {}).ok());
    using sorts = std::vector<std::string>;
    const auto sorted = [](sorts found) {
        std::sort(found.begin(), found.end());
        return found;
    };
    const auto equal = sorts_of(table, {"GSI1", "L", "a"}); // of equal sort keys, in any order
    CHECK(sorted(equal) == sorts{"2", "9"});
    const auto unsorted = sorts_of(table, valid);
    CHECK(sorted(unsorted) == sorts{"1", "2"});
    for (const std::size_t limit : {0U, 1U, 2U}) {
        CHECK(sorts_of(table, labels, limit) == sorts{equal.at(0), equal.at(1), "1"});
        CHECK(sorts_of(table, {"GSI1", "L", "a"}, limit) == equal);
        CHECK(sorts_of(table, valid, limit) == unsorted);
    }
    REQUIRE(table.update({"P", "3"}, patch(R"({"GSI1SK":{"S":"c"},"GSI3PK":{"S":"VALID"}})"), {}).ok());
    REQUIRE(table.update({"P", "1"}, patch(R"({"GSI1SK":{"S":"d"}})", {"GSI3PK"}), {}).ok());
    REQUIRE(table.update({"P", "2"}, patch("{}", {"GSI1PK"}), {}).ok());
    REQUIRE(table.erase({"O", "9"}, {}).ok());
    CHECK(sorts_of(table, labels) == std::vector<std::string>{"3", "1"});
    CHECK(sorted(sorts_of(table, valid)) == sorts{"2", "3"});
    const auto found = all_rows(table, &labels, 0);
    REQUIRE(found.size() == 2);
    CHECK(same_item(found[0].image(), row("P", "3", label("L", "c") + R"(,"GSI3PK":{"S":"VALID"})").image()));
    CHECK(code_of(table.query({"GSI2", "L", ""}, {})) == freshet::errc::malformed);
}

TEST_CASE_TEMPLATE_DEFINE("a table is a map with conditions and sorted indexes, whatever is written in what order",
                          Fixture, laws_table_12) {
    const auto seed = support::seed();
    CAPTURE(seed);
    for (std::size_t run = 0; run < 4; ++run) {
        CAPTURE(run);
        Fixture fixture;
        random_writer writer{fixture.table(), seed + run, notices_additions<Fixture>(),
                             bounds_by_bytes<Fixture>()};
        for (std::size_t i = 0; i < support::cases(400); ++i) {
            CAPTURE(i);
            writer.step();
            if (i % 100 == 99) { writer.compare_reads(); }
        }
    }
}

TEST_CASE_TEMPLATE_DEFINE("writers on several threads never undo each other", Fixture, laws_table_13) {
    Fixture fixture;
    auto& table = fixture.table();
    if constexpr (freshet::shareable<std::remove_reference_t<decltype(table)>>) {
        constexpr int threads = 4;
        constexpr int rounds = 25;
        REQUIRE(table.put(row("P", "S", R"(,"n":{"N":"0"})"), {}).ok());
        const auto count_up = [&table](int mine) {
            for (int i = 0; i < rounds;) {
                const auto seen = table.get({"P", "S"});
                if (!seen || !*seen) { continue; }
                const auto next = std::to_string(std::stoi(text_of(**seen, "n")) + 1);
                const auto counted = patch("{\"n\":{\"N\":\"" + next + "\"},\"by\":{\"S\":\"" + std::to_string(mine) +
                                           " " + std::to_string(i) + "\"}}");
                if (table.update({"P", "S"}, counted, when::if_unchanged(**seen))) { ++i; }
                static_cast<void>(table.update(
                    {"P", "T"}, patch("{\"t" + std::to_string(mine) + "\":{\"N\":\"" + std::to_string(i) + "\"}}"),
                    {}));
            }
        };
        std::vector<std::jthread> all;
        for (int mine = 0; mine < threads; ++mine) { all.emplace_back(count_up, mine); }
        all.clear();
        CHECK(text_of(*got(table.get({"P", "S"})), "n") == std::to_string(threads * rounds));
        CHECK(holds(table, row("P", "T", R"(,"t0":{"N":"25"},"t1":{"N":"25"},"t2":{"N":"25"},"t3":{"N":"25"})")));
    }
}

} // namespace laws

/// Every law of tables on one or more fixtures.
#define FRESHET_TABLE_LAWS(...)                                  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_11, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_12, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_13, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_14, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_15, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_16, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws::laws_table_17, __VA_ARGS__)
