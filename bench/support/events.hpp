#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
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

using json = nlohmann::ordered_json;

[[nodiscard]] inline auto is_label(std::string_view sort) -> bool { return sort.find("#LABEL#") != sort.npos; }

/// Attributes of the kinds that a metadata item grows in real life, so that it has twenty of them.
inline void pad_metadata(json& image, std::size_t number) {
    const auto text = [](std::string value) { return json{{"S", std::move(value)}}; };
    image["GSI2PK"] = text("STATUS#NEEDS_REVIEW");
    image["model"] = text("layout-reader-2024-11");
    image["score"] = {{"N", "0.9" + std::to_string(number % 1000)}};
    image["reviewed"] = {{"BOOL", number % 2 == 0}};
    image["box"] = {
        {"M", {{"x", {{"N", std::to_string(number % 600)}}}, {"y", {{"N", "17.25"}}}, {"width", {{"N", "140"}}}}}};
    image["corners"] = {{"L", {{{"N", "0.125"}}, {{"N", "0.875"}}}}};
    image["notes"] = text(
        "printed on thermal paper, folded twice; the total stands at the lower right, the tax above it, and both were "
        "read again at twice the resolution when the first reading and the sum of the lines differed; the merchant's "
        "stamp covers two digits of the date, which the second reading took from the till's own line at the foot");
}

/// The short attributes of a label; its reasoning depends on the item alone, and quotes what it reasons about.
inline void pad_label(json& image, const std::string& sort) {
    constexpr std::array<std::string_view, 4> words{"\"17.25\" ends a column", "\"Tea,\" in the first line",
                                                    "\"No. 4\" after a date", "\"Caf\u00e9\" \u2192 a name \u2713"};
    std::size_t letters = 0;
    for (const char c : sort) { letters += static_cast<unsigned char>(c); }
    image["reasoning"]["S"] = words[letters % words.size()];
    image["GSI3PK"]["S"] = "STATUS#" + image["validation_status"]["S"].get<std::string>();
}

inline void pad_image(json& image, std::size_t number) {
    const std::string partition = image["PK"]["S"];
    const std::string sort = image["SK"]["S"];
    image["GSI1PK"]["S"] = is_label(sort) ? sort.substr(sort.find("LABEL#")) : "TYPE#RECEIPT";
    image["GSI1SK"]["S"] = partition + '#' + sort.substr(0, sort.find("#LABEL#"));
    image["timestamp_added"]["S"] = "2025-01-15T10:30:00.000Z";
    if (is_label(sort)) {
        pad_label(image, sort);
    } else if (sort.ends_with("#METADATA")) {
        pad_metadata(image, number);
    }
}

/// The generated events in the proportions of such a table's stream: labels are written far more often than all else.
///
/// Every ninth record that is no label's write stays. A table of many small items changes in many short texts, some
/// of them with escapes: every other event writes what is not ASCII by its number.
[[nodiscard]] inline auto sample_input() -> event_input {
    constexpr std::size_t records_per_event = 100;
    event_input input{.origin = "generated"};
    std::size_t number = 0;
    std::size_t others = 0;
    auto kept = json::array();
    const auto close_event = [&] {
        if (kept.empty()) { return; }
        input.events.push_back(
            json{{"Records", std::exchange(kept, json::array())}}.dump(-1, ' ', input.events.size() % 2 == 0));
    };
    for (const auto& event : receipts::sample_events{}.make(500, records_per_event)) {
        auto parsed = json::parse(event);
        for (auto& record : parsed["Records"]) {
            auto& change = record["dynamodb"];
            const bool write = record["eventName"] != "REMOVE";
            if (!(write && is_label(change["Keys"]["SK"]["S"].get_ref<const std::string&>())) && others++ % 9 != 0) {
                continue;
            }
            ++number;
            for (const auto* side : {"NewImage", "OldImage"}) {
                if (change.contains(side)) { pad_image(change[side], number); }
            }
            kept.push_back(std::move(record));
            if (kept.size() == records_per_event) { close_event(); }
        }
    }
    close_event();
    return input;
}

/// What the speed of reading depends on, over one event or many.
struct texture {
    std::size_t images{};
    std::size_t attributes{}; ///< of all images, at the top
    std::size_t texts{};      ///< names among them
    std::size_t short_texts{};
    std::size_t long_text_bytes{};
    std::size_t backslashes{};

    /// Looks at JSON text, which is known to be good.
    void add(std::string_view event) {
        for (std::size_t at = 0; (at = event.find('"', at)) != event.npos; ++at) {
            const auto start = ++at;
            for (; event[at] != '"'; ++at) {
                if (event[at] == '\\') { ++backslashes, ++at; }
            }
            const auto size = at - start;
            ++texts;
            short_texts += size < 16 ? 1 : 0;
            long_text_bytes += size >= 64 ? size : 0;
        }
    }
};

} // namespace detail

/// Fills in the totals and prints what the input is.
inline void count_and_print(event_input& input) {
    detail::texture seen;
    for (const auto& event : input.events) {
        const auto parsed = nlohmann::json::parse(event);
        for (const auto& record : parsed.at("Records")) {
            ++input.records;
            const auto& change = record.at("dynamodb");
            for (const auto* side : {"NewImage", "OldImage"}) {
                const auto image = change.find(side);
                if (image == change.end()) { continue; }
                ++seen.images;
                seen.attributes += image->size();
            }
        }
        input.bytes += event.size();
        seen.add(event);
    }
    const auto per = [](std::size_t part, std::size_t whole) {
        return static_cast<double>(part) / static_cast<double>(std::max(whole, std::size_t{1}));
    };
    std::printf("input: %s, %zu records in %zu events, %.0f bytes a record\n", input.origin.c_str(), input.records,
                input.events.size(), per(input.bytes, input.records));
    std::printf(
        "  %.1f attributes an image; %.0f texts a record, %.0f %% of them below 16 bytes; "
        "%.0f %% of the bytes in texts of 64 or more; %.1f backslashes a record\n",
        per(seen.attributes, seen.images), per(seen.texts, input.records), 100 * per(seen.short_texts, seen.texts),
        100 * per(seen.long_text_bytes, input.bytes), per(seen.backslashes, input.records));
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
