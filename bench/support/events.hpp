#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <receipts/sample_events.hpp>

namespace freshet_bench {

/// Change events, one Lambda event a text.
struct event_input {
    std::string origin;
    std::vector<std::string> events{};
    std::size_t records{};
    std::size_t bytes{};
};

namespace detail {

/// Attributes of the kinds that an item grows in real life, so that a metadata item has twenty of them.
inline void pad_image(nlohmann::ordered_json& image, std::size_t number) {
    const auto text = [](std::string value) { return nlohmann::ordered_json{{"S", std::move(value)}}; };
    const std::string partition = image["PK"]["S"];
    const std::string sort = image["SK"]["S"];
    image["GSI1PK"] = text("TYPE#" + image["TYPE"]["S"].get<std::string>());
    image["GSI1SK"] = text(partition + "#" + sort);
    image["GSI2PK"] = text("STATUS#NEEDS_REVIEW");
    image["timestamp_added"] = text("2025-01-15T10:30:00.000Z");
    image["model"] = text("layout-reader-2024-11");
    image["score"] = {{"N", "0.9" + std::to_string(number % 1000)}};
    image["reviewed"] = {{"BOOL", number % 2 == 0}};
    image["box"] = {
        {"M", {{"x", {{"N", std::to_string(number % 600)}}}, {"y", {{"N", "17.25"}}}, {"width", {{"N", "140"}}}}}};
    image["corners"] = {{"L", {{{"N", "0.125"}}, {{"N", "0.875"}}}}};
    image["notes"] = text(
        "printed on thermal paper, folded twice; the total stands at the lower right, the tax above it, and both were "
        "read again at twice the resolution when the first reading and the sum of the lines differed; the merchant's "
        "stamp "
        "covers two digits of the date, which the second reading took from the till's own line at the foot of the "
        "receipt, "
        "where the same date stands beside the number of the till");
}

/// The generated events, padded to what records of such tables weigh.
[[nodiscard]] inline auto sample_input() -> event_input {
    event_input input{.origin = "generated", .events = receipts::sample_events{}.make(60, 100)};
    std::size_t number = 0;
    for (auto& event : input.events) {
        auto parsed = nlohmann::ordered_json::parse(event);
        for (auto& record : parsed["Records"]) {
            ++number;
            for (const auto* side : {"NewImage", "OldImage"}) {
                if (record["dynamodb"].contains(side)) { pad_image(record["dynamodb"][side], number); }
            }
        }
        event = parsed.dump();
    }
    return input;
}

} // namespace detail

/// Fills in the totals and prints what the input is.
inline void count_and_print(event_input& input) {
    for (const auto& event : input.events) {
        input.records += nlohmann::json::parse(event).at("Records").size();
        input.bytes += event.size();
    }
    std::printf("input: %s, %zu records in %zu events, %zu bytes a record\n", input.origin.c_str(), input.records,
                input.events.size(), input.bytes / std::max(input.records, std::size_t{1}));
}

/// The events of the file that FRESHET_BENCH_EVENTS names (one event a line), or generated ones.
///
/// Prints what they are. Ends the program with code 2 if the file cannot be read.
[[nodiscard]] inline auto load_events() -> event_input {
    const char* const file_name = std::getenv("FRESHET_BENCH_EVENTS");
    event_input input;
    if (file_name == nullptr) {
        input = detail::sample_input();
    } else {
        input.origin = file_name;
        std::ifstream file{file_name, std::ios::binary};
        for (std::string line; std::getline(file, line);) {
            if (!line.empty()) { input.events.push_back(line); }
        }
        if (input.events.empty()) {
            std::fprintf(stderr, "%s: no events could be read\n", file_name);
            std::exit(2);
        }
    }
    count_and_print(input);
    return input;
}

/// Ends the program with code 1: a ratio counts only between sides that give the same answer.
inline void expect_same(bool same, const char* what) {
    if (same) { return; }
    std::fprintf(stderr, "the answers differ: %s\n", what);
    std::exit(1);
}

} // namespace freshet_bench
