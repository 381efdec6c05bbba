#include <freshet/testing/faulty_table.hpp>

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using freshet::index_query;
using freshet::page;
using freshet::page_request;
using freshet::result;
using freshet::row_key;
using freshet::write_condition;
using freshet::testing::fault;
using freshet::testing::faults;
using freshet::testing::faulty_table;

using row = std::string; ///< its own partition key
using condition = write_condition<row>;

/// Writes down each call with what it was given.
struct plain_table {
    using row_type = row;
    using patch_type = row;
    std::vector<std::string> calls{};

    auto note(const std::string& verb, const std::string& what, const condition& c) -> result<void> {
        calls.push_back(verb + " " + what + (c.what() == condition::kind::absent ? " if absent" : ""));
        return {};
    }
    auto get(const row_key& key) -> result<std::optional<row>> {
        calls.push_back("get " + key.partition);
        return row{"found"};
    }
    auto put(const row& r, const condition& c) -> result<void> { return note("put", r, c); }
    auto update(const row_key& key, const row& patch, const condition& c) -> result<void> {
        return note("update", key.partition + " " + patch, c);
    }
    auto erase(const row_key& key, const condition& c) -> result<void> { return note("erase", key.partition, c); }
    auto scan(const page_request& request) -> result<page<row>> {
        calls.push_back("scan " + std::to_string(request.limit));
        return page<row>{{"a"}, "more"};
    }
    auto query(const index_query& which, const page_request& request) -> result<page<row>> {
        calls.push_back("query " + which.index + " " + std::to_string(request.limit));
        return page<row>{{"b"}, std::nullopt};
    }
};

static_assert(freshet::table<plain_table> && freshet::table<faulty_table<plain_table>>);

using words = std::vector<std::string>;

/// Makes each call once; whether all, or none, went well.
auto call_all(faulty_table<plain_table>& table) -> std::vector<bool> {
    const row_key key{"k", ""};
    const auto absent = condition::if_absent();
    return {table.get(key).ok(),         table.put("r", absent).ok(), table.update(key, "p", absent).ok(),
            table.erase(key, {}).ok(),   table.scan({{}, 3}).ok(),    table.query({"GSI1", "p", {}}, {{}, 4}).ok()};
}

const words each{"get k", "put r if absent", "update k p if absent", "erase k", "scan 3", "query GSI1 4"};

} // namespace

TEST_CASE("without faults every call goes through as it is, and so does its answer") {
    plain_table plain;
    faults script;
    faulty_table table{plain, script};
    CHECK(call_all(table) == std::vector<bool>(6, true));
    CHECK(plain.calls == each);
    CHECK(table.get({"k", ""}).value() == "found");
    CHECK(table.scan({})->next == "more");
    CHECK(table.query({}, {})->rows == words{"b"});
    CHECK(script.calls().front().operation == "table.get");
}

TEST_CASE("every call can fail before it happens and after") {
    for (const auto& what : {fault::before(), fault::after()}) {
        plain_table plain;
        faults script;
        faulty_table table{plain, script, "rows"};
        for (const auto* verb : {"get", "put", "update", "erase", "scan", "query"}) {
            script.next("rows." + std::string{verb}, {what});
        }
        CHECK(call_all(table) == std::vector<bool>(6, false));
        CHECK(plain.calls == (what.what == fault::kind::after ? each : words{}));
        CHECK(script.unused().empty());
    }
}
