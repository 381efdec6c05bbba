#include <freshet/report/emf.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/time.hpp>
#include <support/cases.hpp>
#include <support/environment_variable.hpp>

namespace {

using namespace std::chrono_literals;
using freshet::emf_document;
using freshet::emf_limits;
using freshet::emf_metric;
using freshet::errc;
using freshet::metric_resolution;
using freshet::metric_unit;
using nlohmann::json;

using sizes = std::map<std::size_t, std::size_t>;

constexpr freshet::time_point now{1'736'936'000s};

auto lines_of(const emf_document& document, const emf_limits& limits = {}) -> std::vector<std::string> {
    auto lines = freshet::emf_lines(document, now, limits);
    if (!lines) { FAIL(lines.why().note); }
    return *std::move(lines);
}

/// Reads a line, which has no member twice and no line end.
auto read(const std::string& line) -> json {
    CHECK(line.find('\n') == std::string::npos);
    std::vector<std::set<std::string>> open;
    return json::parse(line, [&](int, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) { open.emplace_back(); }
        if (event == json::parse_event_t::object_end) { open.pop_back(); }
        if (event == json::parse_event_t::key) { CHECK(open.back().insert(parsed.get<std::string>()).second); }
        return true;
    });
}

/// Why a document is refused.
auto refusal(const emf_document& document, const emf_limits& limits = {}) -> std::string {
    const auto lines = freshet::emf_lines(document, now, limits);
    if (lines.ok()) { return "it is not"; }
    CHECK(lines.why().code == errc::malformed);
    for (const char c : lines.why().note) { CHECK(static_cast<unsigned char>(c) >= 0x20); }
    return lines.why().note;
}

auto simple() -> emf_document {
    return {.metrics_namespace = "Freshet",
            .timestamp = now,
            .dimension_sets = {{"label"}},
            .properties = {{"label", "DATE"}},
            .metrics = {{"took", {1.5}, metric_unit::milliseconds}}};
}

auto with_metrics(std::size_t metrics, std::size_t values = 1) -> emf_document {
    auto document = simple();
    document.metrics.clear();
    for (std::size_t i = 0; i != metrics; ++i) {
        document.metrics.push_back({"m" + std::to_string(i), std::vector<double>(values, static_cast<double>(i))});
    }
    return document;
}

/// The names that a line defines metrics of, each of which is a member.
auto metrics_of(const json& line) -> std::vector<std::string> {
    std::vector<std::string> names;
    for (const auto& each : line.at("_aws").at("CloudWatchMetrics").at(0).at("Metrics")) {
        names.push_back(each.at("Name").get<std::string>());
        CHECK(line.contains(names.back()));
    }
    return names;
}

auto values_of(const json& line, const std::string& metric) -> std::vector<double> {
    const auto& member = line.at(metric);
    return member.is_array() ? member.get<std::vector<double>>() : std::vector{member.get<double>()};
}

} // namespace

TEST_CASE("a document is one line of the embedded metric format") {
    const support::environment_variable zone{"TZ", "America/New_York"};
    const auto lines = lines_of({.metrics_namespace = "Freshet/Cache",
                                 .timestamp = now + 1'999us,
                                 .dimension_sets = {{"service", "label"}, {"service"}, {}},
                                 .properties = {{"service", "updater"}, {"label", "DATE"}, {"request", "a \"b\"\n"}},
                                 .metrics = {{"took", {1.5, 2}, metric_unit::milliseconds, metric_resolution::second},
                                             {"updated", {17}, metric_unit::count},
                                             {"rate", {-0.25}}}});
    CHECK(lines ==
          std::vector<std::string>{
              R"({"_aws":{"Timestamp":1736936000001,"CloudWatchMetrics":[{"Namespace":"Freshet/Cache",)"
              R"("Dimensions":[["service","label"],["service"],[]],"Metrics":[)"
              R"({"Name":"took","Unit":"Milliseconds","StorageResolution":1},{"Name":"updated","Unit":"Count"},)"
              R"({"Name":"rate","Unit":"None"}]}]},"service":"updater","label":"DATE","request":"a \"b\"\u000a",)"
              R"("took":[1.5,2],"updated":17,"rate":-0.25})"});
    CHECK(read(lines[0]).at("took") == json({1.5, 2}));
}

TEST_CASE("a document without dimensions has an empty set of them, and one without metrics no lines") {
    auto document = simple();
    document.dimension_sets.clear();
    CHECK(read(lines_of(document).at(0)).at("_aws").at("CloudWatchMetrics").at(0).at("Dimensions") ==
          json::array({json::array()}));
    document.metrics.clear();
    CHECK(lines_of(document).empty());
}

TEST_CASE("a line has a hundred metrics and the next one the rest, with the same dimensions and properties") {
    for (const auto& [metrics, lines] : sizes{{1, 1}, {100, 1}, {101, 2}, {200, 2}, {201, 3}}) {
        const auto document = with_metrics(metrics);
        CAPTURE(document.metrics.size());
        const auto written = lines_of(document);
        CHECK(written.size() == lines);
        std::vector<std::string> names;
        for (const auto& line : written) {
            const auto one = read(line);
            const auto its = metrics_of(one);
            CHECK(its.size() <= 100);
            names.insert(names.end(), its.begin(), its.end());
            CHECK(one.at("label") == "DATE");
            CHECK(one.at("_aws").at("CloudWatchMetrics").at(0).at("Dimensions") == json({{"label"}}));
            CHECK(one.at("_aws").at("CloudWatchMetrics").at(0).at("Namespace") == "Freshet");
            CHECK(one.at("_aws").at("Timestamp") == 1'736'936'000'000);
        }
        REQUIRE(names.size() == metrics);
        for (std::size_t i = 0; i != metrics; ++i) { CHECK(names[i] == document.metrics[i].name); }
    }
}

TEST_CASE("a metric has a hundred values in a line, and the rest of them in the next, in their order") {
    for (const auto& [values, lines] : sizes{{1, 1}, {100, 1}, {101, 2}, {200, 2}, {250, 3}}) {
        auto document = simple();
        document.metrics = {{"long", {}}, {"short", {7}}};
        for (std::size_t i = 0; i != values; ++i) { document.metrics[0].values.push_back(static_cast<double>(i)); }
        CAPTURE(document.metrics[0].values.size());
        const auto written = lines_of(document);
        CHECK(written.size() == lines);
        std::vector<double> found;
        for (const auto& line : written) {
            const auto one = read(line);
            const auto its = values_of(one, "long");
            CHECK(its.size() <= 100);
            found.insert(found.end(), its.begin(), its.end());
            CHECK(one.contains("short") == (&line == &written.front()));
            CHECK(one.at("label") == "DATE");
        }
        CHECK(found == document.metrics[0].values);
    }
}

TEST_CASE("thirty dimensions are a set, and thirty-one are not") {
    auto document = simple();
    document.dimension_sets = {{}};
    for (int i = 0; i != 30; ++i) {
        document.properties.push_back({"d" + std::to_string(i), "x"});
        document.dimension_sets[0].push_back("d" + std::to_string(i));
    }
    CHECK(lines_of(document).size() == 1);
    document.dimension_sets[0].emplace_back("label");
    CHECK(refusal(document) == "EMF: a set of 31 dimensions; the limit is 30");
    document.dimension_sets = {{}, {"label"}};
    CHECK(lines_of(document).size() == 1);
}

TEST_CASE("a line is filled to its last byte, and never beyond") {
    auto document = with_metrics(3);
    const auto whole = lines_of(document).at(0).size();
    CHECK(lines_of(document, {.line_bytes = whole}).size() == 1);
    const auto two = lines_of(document, {.line_bytes = whole - 1});
    REQUIRE(two.size() == 2);
    CHECK(metrics_of(read(two[0])) == std::vector<std::string>{"m0", "m1"});
    CHECK(metrics_of(read(two[1])) == std::vector<std::string>{"m2"});
    const auto alone = lines_of(with_metrics(1)).at(0).size();
    CHECK(lines_of(document, {.line_bytes = alone}).size() == 3);
    const auto none = freshet::emf_lines(document, now, {.line_bytes = alone - 1});
    REQUIRE(!none.ok());
    CHECK(none.why().code == errc::too_large);
    CHECK(none.why().note == "EMF: a line for metric \"m0\" alone has " + std::to_string(alone) +
                                 " bytes; the limit is " + std::to_string(alone - 1));
}

TEST_CASE("a line of a megabyte less what the service adds to it is the largest") {
    auto document = simple();
    const auto rest = lines_of(document).at(0).size();
    document.properties.push_back({"note", ""});
    const auto most = 1'048'576 - 26 - (lines_of(document).at(0).size());
    CHECK(rest < 1'000);
    document.properties.back().value = std::string(most, 'x');
    CHECK(lines_of(document).at(0).size() == 1'048'550);
    document.properties.back().value += 'x';
    CHECK(freshet::emf_lines(document, now).why().code == errc::too_large);
    document.properties.back().value = std::string(most / 6, '\n');
    CHECK_MESSAGE(lines_of(document).size() == 1, "what counts is what is written");
    document.properties.back().value = std::string(most / 5, '\n');
    CHECK(freshet::emf_lines(document, now).why().code == errc::too_large);
}

TEST_CASE("many metrics with long names share lines of a megabyte as they fit") {
    auto document = simple();
    document.properties.push_back({"note", std::string(1'030'000, 'x')});
    document.metrics.clear();
    for (int i = 0; i != 100; ++i) {
        document.metrics.push_back({std::string(250, 'n') + std::to_string(i), {1.0 / 3}});
    }
    const auto lines = lines_of(document);
    CHECK(lines.size() > 1);
    std::size_t metrics = 0;
    for (const auto& line : lines) {
        CHECK(line.size() <= 1'048'550);
        metrics += metrics_of(read(line)).size();
    }
    CHECK(metrics == 100);
}

TEST_CASE("a value that is no number CloudWatch takes is refused, wherever it stands") {
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    const auto infinity = std::numeric_limits<double>::infinity();
    for (const auto& [value, text] : std::vector<std::pair<double, std::string>>{
             {nan, "nan"}, {infinity, "inf"}, {-infinity, "-inf"}, {1e109, "1e+109"}}) {
        auto document = with_metrics(2, 150);
        document.metrics[1].values.back() = value;
        CHECK(refusal(document) == "EMF: metric \"m1\" cannot be " + text);
    }
    auto document = simple();
    document.metrics = {{"m", {0x1p360, -0x1p360, -0.0, 1e-300, 0.1, 1e21, 123'456'789'012.0}}};
    CHECK(values_of(read(lines_of(document).at(0)), "m") == document.metrics[0].values);
    document.metrics = {{"m", {std::nextafter(0x1p360, infinity)}}};
    CHECK(refusal(document).starts_with("EMF: metric \"m\" cannot be 2.3485425827738"));
}

TEST_CASE("a metric without values is left out, and its name is checked all the same") {
    auto document = simple();
    document.metrics = {{"none", {}}, {"m", {1}}, {"nothing", {}}};
    CHECK(metrics_of(read(lines_of(document).at(0))) == std::vector<std::string>{"m"});
    CHECK(lines_of(document, {.metrics = 1}).size() == 1);
    document.metrics.push_back({"none", {1}});
    CHECK(refusal(document) == "EMF: metric \"none\" has the name of another member of the line");
    document.metrics = {{"none", {}}};
    CHECK(lines_of(document).empty());
}

TEST_CASE("a timestamp is at most two weeks old, and at most two hours ahead") {
    auto document = simple();
    for (const auto at : {now - 14 * 24h, now - 14 * 24h + 1us, now + 2h, now}) {
        document.timestamp = at;
        CHECK(lines_of(document).size() == 1);
    }
    for (const auto at : {now - 14 * 24h - 1us, now + 2h + 1us, freshet::time_point::min(), freshet::time_point::max(),
                          freshet::time_point{}}) {
        document.timestamp = at;
        CHECK(refusal(document) == "EMF: the timestamp lies too far from now for CloudWatch to take it");
    }
}

TEST_CASE("names are there, are UTF-8, and are not too long") {
    auto document = simple();
    document.metrics_namespace = "";
    CHECK(refusal(document) == "EMF: the name of a namespace is empty");
    document = simple();
    document.metrics[0].name = "";
    CHECK(refusal(document) == "EMF: the name of a metric is empty");
    document = simple();
    document.properties.push_back({"", "x"});
    CHECK(refusal(document) == "EMF: the name of a property is empty");
    for (const auto* bad : {"\xff", "a\xc3", "\xed\xa0\x80"}) {
        document = simple();
        document.metrics[0].name = bad;
        CHECK(refusal(document).ends_with("is not UTF-8"));
    }
    document = simple();
    document.metrics[0].name = std::string(255, 'x');
    CHECK(lines_of(document).size() == 1);
    document.metrics[0].name += 'x';
    CHECK(refusal(document) == "EMF: metric \"" + std::string(60, 'x') + "…\" has more than 255 bytes");
    document = simple();
    document.metrics_namespace = std::string(256, 'x');
    CHECK(refusal(document).ends_with("has more than 255 bytes"));
}

TEST_CASE("a namespace is of printable ASCII, and no metric's name is blank or of other characters") {
    for (const auto& [space, why] :
         std::map<std::string, std::string>{{"  ", "is blank"},
                                            {":x", "begins with a colon"},
                                            {"caf\xc3\xa9", "is not of printable ASCII characters"},
                                            {"a\nb", "is not of printable ASCII characters"}}) {
        auto document = simple();
        document.metrics_namespace = space;
        CHECK(refusal(document).starts_with("EMF: namespace \""));
        CHECK(refusal(document).ends_with("\" " + why));
    }
    for (const auto& [name, why] :
         std::map<std::string, std::string>{{" ", "is blank"},
                                            {"caf\xc3\xa9", "is not of printable ASCII characters"},
                                            {"a\tb", "is not of printable ASCII characters"}}) {
        auto document = simple();
        document.metrics[0].name = name;
        CHECK(refusal(document).starts_with("EMF: metric \""));
        CHECK(refusal(document).ends_with("\" " + why));
    }
    auto document = simple();
    document.metrics_namespace = "My App/x#y:z_1.2-3~";
    document.metrics[0].name = ":a metric";
    CHECK(lines_of(document).size() == 1);
}

TEST_CASE("a line has no member twice") {
    auto document = simple();
    document.metrics.push_back({"took", {1}});
    CHECK(refusal(document) == "EMF: metric \"took\" has the name of another member of the line");
    document = simple();
    document.metrics.push_back({"label", {1}});
    CHECK(refusal(document) == "EMF: metric \"label\" has the name of another member of the line");
    document = simple();
    document.metrics.push_back({"_aws", {1}});
    CHECK(refusal(document) == "EMF: metric \"_aws\" has the name of another member of the line");
    document = simple();
    document.properties.push_back({"_aws", "x"});
    CHECK(refusal(document) == "EMF: property \"_aws\" has the name of another member of the line");
    document = simple();
    document.properties.push_back({"label", "x"});
    CHECK(refusal(document) == "EMF: property \"label\" has the name of another member of the line");
}

TEST_CASE("a dimension is a property of printable ASCII, once in its set") {
    auto document = simple();
    document.dimension_sets = {{"label"}, {"nothing"}};
    CHECK(refusal(document) == "EMF: dimension \"nothing\" is no property");
    document.dimension_sets = {{"took"}};
    CHECK(refusal(document) == "EMF: dimension \"took\" is no property");
    document.dimension_sets = {{"label", "label"}};
    CHECK(refusal(document) == "EMF: a set has a dimension twice");
    const std::string what = "EMF: the value of dimension \"label\" ";
    for (const auto& [value, why] :
         std::map<std::string, std::string>{{"", "is blank"},
                                            {"  ", "is blank"},
                                            {":x", "begins with a colon"},
                                            {"é", "is not of printable ASCII characters"},
                                            {"a\nb", "is not of printable ASCII characters"},
                                            {std::string(1'025, 'x'), "has more than 1024 bytes"}}) {
        document = simple();
        document.properties[0].value = value;
        CHECK(refusal(document) == what + why);
        document.dimension_sets.clear();
        CHECK_MESSAGE(lines_of(document).size() == 1, "a property may have any value");
    }
    document = simple();
    document.properties[0].value = std::string(1'024, 'x');
    CHECK(lines_of(document).size() == 1);
    for (const auto* name : {"é", ":x", " "}) {
        document = simple();
        document.properties.push_back({name, "x"});
        document.dimension_sets = {{name}};
        CHECK(refusal(document).starts_with("EMF: dimension \""));
    }
}

TEST_CASE("whatever texts and numbers are, the lines are JSON that says the same") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto text = [&](bool ascii = false) {
        std::string made;
        for (auto left = random() % 8; left > 0; --left) {
            constexpr const char* pieces[]{"\"", "\\", "x", "{", "_aws", "é", "\u2028", "\n", "\x7f", "🌊"};
            made += pieces[random() % (ascii ? 5 : std::size(pieces))];
        }
        return made;
    };
    for (std::size_t i = 0; i != support::cases(300); ++i) {
        auto document = simple();
        document.metrics.clear();
        for (auto left = random() % 6; left > 0; --left) {
            document.properties.push_back({"p" + std::to_string(left) + text(), text()});
        }
        for (auto left = random() % 12; left > 0; --left) {
            emf_metric metric{"m" + std::to_string(left) + text(true), {}};
            for (auto values = 1 + random() % 10; values > 0; --values) {
                const auto exponent = static_cast<int>(random() % 400) - 200;
                metric.values.push_back(std::ldexp(static_cast<double>(random()), exponent));
            }
            document.metrics.push_back(metric);
        }
        const emf_limits limits{.metrics = 1 + random() % 5, .values = 1 + random() % 4, .line_bytes = 2'000};
        std::map<std::string, std::vector<double>> found;
        for (const auto& line : lines_of(document, limits)) {
            CHECK(line.size() <= 2'000);
            const auto one = read(line);
            const auto names = metrics_of(one);
            CHECK(names.size() <= limits.metrics);
            CHECK(one.size() == 1 + document.properties.size() + names.size());
            for (const auto& each : document.properties) { CHECK(one.at(each.name) == each.value); }
            for (const auto& name : names) {
                const auto values = values_of(one, name);
                CHECK(values.size() <= limits.values);
                found[name].insert(found[name].end(), values.begin(), values.end());
            }
        }
        CHECK(found.size() == document.metrics.size());
        for (const auto& each : document.metrics) { CHECK(found[each.name] == each.values); }
    }
}

TEST_CASE("a property's bytes that are no UTF-8 are replaced, and the line stays well-formed") {
    auto document = simple();
    document.properties.push_back({"note",
                                   "a\xff"
                                   "b"});
    CHECK(read(lines_of(document).at(0)).at("note") ==
          "a\xef\xbf\xbd"
          "b");
}

TEST_CASE("limits of nothing are a metric and a value a line") {
    CHECK(lines_of(with_metrics(2, 2), {.metrics = 0, .values = 0}).size() == 4);
}
