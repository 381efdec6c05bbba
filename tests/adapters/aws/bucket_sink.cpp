#include <adapters/aws/bucket_sink.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <fake_aws/server.hpp>
#include <freshet/testing/manual_clock.hpp>

#include "../../laws/bucket_sink.hpp"
#include "../../laws/items.hpp"
#include "hooked_dynamodb.hpp"

namespace {

using namespace std::chrono_literals;
using fake_aws::fault_kind;
using freshet::errc;
using nlohmann::json;
using sink_type = adapters::aws::bucket_sink;

static_assert(!std::is_constructible_v<sink_type, adapters::aws::client, adapters::aws::bucket_sink_options>);

const adapters::item_table_options counts{.name = "counts", .partition = "id", .sort = "block"};
const adapters::aws::bucket_sink_options up_to_a_day{.table = "counts", .widest = 24h};

/// A sink in a DynamoDB of its own.
class on_fake {
public:
    static constexpr int many_blocks = 1'000;

    on_fake() { REQUIRE(adapters::aws::create_table(client_, counts).ok()); }
    [[nodiscard]] auto sink() -> sink_type& { return sink_; }
    [[nodiscard]] auto other() -> sink_type& { return other_; }
    [[nodiscard]] auto server() -> fake_aws::server& { return server_; }
    [[nodiscard]] auto client() -> adapters::aws::client& { return client_; }
    [[nodiscard]] auto table() -> adapters::aws::table& { return table_; }

private:
    freshet::testing::manual_clock clock_;
    fake_aws::server server_{[this] { return clock_.now(); }};
    adapters::aws::client client_{server_.settings()};
    sink_type sink_{client_, up_to_a_day};
    sink_type other_{client_, up_to_a_day};
    adapters::aws::table table_{client_, counts};
};

/// A sink whose requests a test sees, and may come before.
struct on_hook {
    hooked_dynamodb service{};
    sink_type sink{service.client(), {.table = "counts"}};

    on_hook() {
        REQUIRE(adapters::aws::create_table(service.client(), counts).ok());
        static_cast<void>(service.requests());
    }
    template <class Act>
    void once_before(std::string_view wanted, Act act) {
        service.before([this, wanted, act](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
            if (operation != wanted) { return std::nullopt; }
            service.before({});
            act();
            return std::nullopt;
        });
    }
};

/// What a run finds that counts so many records at the start of each hour.
auto each_hour(int first, int end, std::uint64_t count) -> freshet::recounted {
    std::vector<laws::made_records> records;
    for (int at = first; at != end; ++at) { records.push_back({laws::hour(at), count}); }
    return laws::found_of(laws::hours(first, end), records);
}

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

FRESHET_BUCKET_SINK_LAWS(on_fake);

TEST_CASE(
    "a run is one request, a read is one, and a replacement one query for a hundred blocks and a write for each") {
    on_hook on;
    const auto old = laws::ticket_of(on.sink);
    const auto first = laws::ticket_of(on.sink);
    CHECK(on.service.operations() == "UpdateItem UpdateItem ");
    laws::replaced(on.sink, each_hour(0, 3, 5), first);
    CHECK(on.service.operations() == "Query UpdateItem UpdateItem UpdateItem ");
    CHECK(laws::read(on.sink, 15min, laws::hours(1, 3)).size() == 2);
    const auto seen = on.service.requests();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].first == "Query");
    CHECK(seen[0].second.value("ConsistentRead", false));

    laws::replaced(on.sink, each_hour(0, 3, 5), first);
    CHECK_MESSAGE(on.service.operations() == "Query ", "it is done already");
    laws::replaced(on.sink, each_hour(0, 3, 6), old);
    CHECK_MESSAGE(on.service.operations() == "Query ", "it is too late");
    laws::replaced(on.sink, laws::found_of(laws::hours(5, 5), {}), first);
    CHECK(on.service.operations().empty());
    laws::replaced(on.sink, laws::found_of(laws::hours(100, 350), {}), first);
    std::size_t queries = 0;
    const auto all = on.service.requests();
    for (const auto& [operation, request] : all) { queries += operation == "Query" ? 1 : 0; }
    CHECK(queries == 3);
    CHECK(all.size() == 253);
}

TEST_CASE("a write names the widths that have changed, and for an unchanged block the ticket alone") {
    on_hook on;
    laws::replaced(on.sink, each_hour(0, 1, 5), laws::ticket_of(on.sink));
    const auto names_of_write = [&](const freshet::recounted& found) {
        const auto ticket = laws::ticket_of(on.sink);
        static_cast<void>(on.service.requests());
        laws::replaced(on.sink, found, ticket);
        const auto requests = on.service.requests();
        REQUIRE(requests.size() == 2);
        std::string names;
        for (const auto& [alias, name] : requests[1].second["ExpressionAttributeNames"].items()) {
            names += name.get<std::string>() + ' ';
        }
        return names;
    };
    CHECK(names_of_write(each_hour(0, 1, 5)) == "writes ticket ");
    const auto moved = laws::found_of(laws::hours(0, 1), {{laws::hour(0) + 6min, 5}});
    CHECK(names_of_write(moved) == "writes ticket 1min 5min ");
    CHECK(names_of_write(moved) == "writes ticket ");
}

TEST_CASE("a block is a row that people can read") {
    on_fake on;
    const freshet::series_key series{"it/em%s", "Zoë/1"};
    const auto found = laws::found_of(laws::hours(-1, 0), {{laws::hour(0) - 1us, 3}, {laws::hour(-1), 4}}, {15min, 1h});
    for (int run = 0; run != 2; ++run) { laws::replaced(on.sink(), found, laws::ticket_of(on.sink(), series), series); }
    const auto id = "counts/it%2Fem%25s/Zoë/1";
    const auto block = on.table().get({id, "1969-12-31T23:00:00.000000Z/60min"});
    REQUIRE(block.ok());
    REQUIRE(block->has_value());
    CHECK(json::parse((*block)->text()) == json{{"id", {{"S", id}}},
                                                {"block", {{"S", "1969-12-31T23:00:00.000000Z/60min"}}},
                                                {"ticket", {{"N", "2"}}},
                                                {"writes", {{"N", "2"}}},
                                                {"15min", {{"M", {{"0", {{"N", "4"}}}, {"3", {{"N", "3"}}}}}}},
                                                {"60min", {{"M", {{"0", {{"N", "7"}}}}}}}});
    const auto runs = on.table().get({id, "runs"});
    REQUIRE(runs.ok());
    REQUIRE(runs->has_value());
    CHECK(json::parse((*runs)->text())["ticket"]["N"] == "2");
}

TEST_CASE("who comes between the look and the write is overtaken if he is older, and overtakes if he is newer") {
    on_hook on;
    const sink_type other{on.service.client(), {.table = "counts"}};
    const auto old = laws::ticket_of(on.sink);
    const auto newer = laws::ticket_of(on.sink);
    const auto five = each_hour(0, 1, 5);
    const auto six = each_hour(0, 1, 6);
    on.once_before("UpdateItem", [&] { laws::replaced(other, five, old); });
    CHECK(laws::replaced(on.sink, six, newer) == freshet::replaced_counts{4, 73, 0});
    CHECK(laws::holds(on.sink, six));
    on.once_before("Query", [&] { laws::replaced(other, five, laws::ticket_of(other)); });
    CHECK(laws::replaced(on.sink, six, newer) == freshet::replaced_counts{0, 0, 77});

    const auto late = laws::ticket_of(on.sink);
    on.once_before("UpdateItem", [&] { laws::replaced(other, five, laws::ticket_of(other)); });
    CHECK(laws::replaced(on.sink, six, late) == freshet::replaced_counts{0, 0, 77});
    CHECK(laws::holds(on.sink, five));

    const auto twice = laws::ticket_of(on.sink);
    on.once_before("UpdateItem", [&] { laws::replaced(other, each_hour(0, 1, 7), twice); });
    CHECK_MESSAGE((laws::replaced(on.sink, six, twice) == freshet::replaced_counts{4, 73, 0}),
                  "of one ticket the last");
    CHECK(laws::holds(on.sink, six));
}

TEST_CASE("where others come between each time, the outcome is unavailable") {
    on_hook on;
    const sink_type other{on.service.client(), {.table = "counts"}};
    const auto old = laws::ticket_of(on.sink);
    const auto ticket = laws::ticket_of(on.sink);
    std::uint64_t count = 10;
    bool inside = false;
    on.service.before([&](std::string_view operation, const json&) -> std::optional<fake_aws::answer> {
        if (operation != "UpdateItem" || inside) { return std::nullopt; }
        inside = true;
        laws::replaced(other, each_hour(0, 1, ++count), old);
        inside = false;
        return std::nullopt;
    });
    fails(on.sink.replace(laws::a_series, each_hour(0, 1, 1), ticket), errc::unavailable,
          "bucket sink: receipts/account 1: others came between each time");
    CHECK(count == 20);
}

TEST_CASE(
    "calls may be repeated when their answers are lost: no ticket comes twice, and counts are told as they were") {
    for (const auto kind : {fault_kind::dropped, fault_kind::cut, fault_kind::error_json, fault_kind::error_xml}) {
        for (const auto times : {std::size_t{1}, fake_aws::always}) {
            CAPTURE(static_cast<int>(kind));
            CAPTURE(times);
            on_fake on;
            auto& sink = on.sink();
            const auto lose = [&](const char* operation) {
                on.server().faults().clear();
                on.server().faults().add({.kind = kind, .operation = operation, .times = times, .done = true});
            };
            const auto before = laws::ticket_of(sink);
            lose("UpdateItem");
            const auto begun = sink.begin_run(laws::a_series);
            CHECK(begun.ok() == (times == 1));
            if (begun) {
                CHECK(begun->number > before.number);
            } else {
                CHECK(begun.why().code == errc::unavailable);
            }
            on.server().faults().clear();
            const auto ticket = laws::ticket_of(sink);
            CHECK(ticket.number > begun.value_or(before).number);

            lose("UpdateItem");
            const auto lost = sink.replace(laws::a_series, each_hour(0, 1, 5), ticket);
            CHECK(lost.ok() == (times == 1));
            if (lost) {
                CHECK(*lost == freshet::replaced_counts{4, 73, 0});
            } else {
                CHECK(lost.why().code == errc::unavailable);
            }
            on.server().faults().clear();
            CHECK(laws::holds(sink, each_hour(0, 1, 5)));
            CHECK(laws::replaced(sink, each_hour(0, 1, 5), ticket) == freshet::replaced_counts{0, 77, 0});
            lose("Query");
            CHECK(sink.read(laws::a_series, laws::all_time, 1h).ok() == (times == 1));
        }
    }
}

TEST_CASE("a read goes on from page to page until there is no next one, also behind an empty page") {
    on_hook on;
    const auto block = [](const std::string& start, int count) {
        return json{{"block", {{"S", start + "/60min"}}},
                    {"ticket", {{"N", "1"}}},
                    {"writes", {{"N", "1"}}},
                    {"60min", {{"M", {{"0", {{"N", std::to_string(count)}}}}}}}};
    };
    const auto next = [](const std::string& key) { return json{{"block", {{"S", key}}}}; };
    const std::vector<json> pages{
        {{"Items", {block("1970-01-01T00:00:00.000000Z", 1)}}, {"LastEvaluatedKey", next("a")}},
        {{"Items", json::array()}, {"LastEvaluatedKey", next("b")}},
        {{"Items", {block("1970-01-01T01:00:00.000000Z", 2), block("1970-01-01T02:00:00.000000Z", 3)}}}};
    std::size_t page = 0;
    on.service.before([&](std::string_view, const json& request) -> std::optional<fake_aws::answer> {
        CHECK(request.value("ExclusiveStartKey", json{}) == (page == 0 ? json{} : pages[page - 1]["LastEvaluatedKey"]));
        return fake_aws::answer{200, pages.at(page++)};
    });
    CHECK(laws::read(on.sink, 60min) == std::vector<freshet::bucket>{{60min, laws::hour(0), 1},
                                                                     {60min, laws::hour(1), 2},
                                                                     {60min, laws::hour(2), 3}});
    page = 0;
    CHECK(laws::replaced(
              on.sink,
              laws::found_of(laws::hours(0, 3), {{laws::hour(0), 1}, {laws::hour(1), 2}, {laws::hour(2), 3}}, {60min}),
              {1}) == freshet::replaced_counts{0, 3, 0});
}

TEST_CASE("a block of more than an item can hold is too large") {
    on_fake on;
    freshet::recounted found{laws::hours(0, 8), {1s, 8h}, {}};
    for (int second = 0; second != 8 * 3'600; ++second) {
        found.buckets.push_back({1s, laws::hour(0) + second * 1s, std::numeric_limits<std::uint64_t>::max()});
    }
    fails(on.sink().replace(laws::a_series, found, laws::ticket_of(on.sink())), errc::too_large,
          "bucket sink: receipts/account 1: DynamoDB UpdateItem");
    CHECK(laws::read(on.sink(), 1s).empty());
}

TEST_CASE("a width above the table's widest is denied, and times that have no year of four digits are malformed") {
    on_fake on;
    const sink_type hourly{on.client(), {.table = "counts"}};
    const auto day = laws::found_of(laws::hours(0, 24), {{laws::hour(1), 1}}, {1h, 24h});
    fails(hourly.replace(laws::a_series, day, {1}), errc::denied,
          "bucket sink: receipts/account 1: a run of widths up to 1440min, the table's widest is 60min");
    const auto first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
    const auto end = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
    for (const auto& range : {freshet::time_range{first - 1h, first}, freshet::time_range{end, end + 1h}}) {
        fails(on.sink().replace(laws::a_series, {range, {1h}, {}}, {1}), errc::malformed, "the years 0 to 9999");
        CHECK(laws::read(on.sink(), 1h, range).empty());
    }
    for (const freshet::time_point start : {freshet::time_point{first}, freshet::time_point{end - 1h}}) {
        const auto found = laws::found_of({start, start + 1h}, {{start + 30min, 7}});
        laws::replaced(on.sink(), found, laws::ticket_of(on.sink()));
        CHECK(laws::read(on.sink(), 1min, {start, start + 1h}).size() == 1);
    }
    CHECK(laws::read(on.sink(), 1min).size() == 2);
}

TEST_CASE("rows that are not the sink's are denied, and so is a table that is not there") {
    on_fake on;
    laws::replaced(on.sink(), each_hour(0, 1, 1), laws::ticket_of(on.sink()));
    const std::string place =
        R"({"id":{"S":"counts/receipts/account 1"},"block":{"S":"1970-01-01T00:00:00.000000Z/60min"})";
    for (const std::string rest : {R"(,"60min":{"S":"7"},"ticket":{"N":"1"},"writes":{"N":"1"}})",
                                   R"(,"60min":{"M":{"1st":{"N":"7"}}},"ticket":{"N":"1"},"writes":{"N":"1"}})",
                                   R"(,"60min":{"M":{"24":{"N":"7"}}},"ticket":{"N":"1"},"writes":{"N":"1"}})",
                                   R"(,"60min":{"M":{"-1":{"N":"7"}}},"ticket":{"N":"1"},"writes":{"N":"1"}})",
                                   R"(,"60min":{"M":{"0":{"N":"7.5"}}},"ticket":{"N":"1"},"writes":{"N":"1"}})"}) {
        REQUIRE(on.table().put(laws::item(place + rest), {}).ok());
        fails(on.sink().read(laws::a_series, laws::all_time, 60min), errc::denied,
              "bucket sink: receipts/account 1: table counts has a row that is not the sink's");
        fails(on.sink().replace(laws::a_series, each_hour(0, 1, 2), {9}), errc::denied, "not the sink's");
    }
    REQUIRE(on.table().put(laws::item(place + R"(,"ticket":{"S":"1"},"writes":{"N":"1"}})"), {}).ok());
    fails(on.sink().replace(laws::a_series, each_hour(0, 1, 2), {9}), errc::denied, "not the sink's");
    const sink_type lost{on.client(), {.table = "nowhere"}};
    fails(lost.begin_run(laws::a_series), errc::denied, "bucket sink: receipts/account 1: ");
    fails(lost.read(laws::a_series, laws::all_time, 1h), errc::denied, "bucket sink: receipts/account 1: ");
}
