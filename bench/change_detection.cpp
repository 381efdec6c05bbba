// Tells which of six monitored fields changed between two images of about twenty attributes, both already decoded.
#include <freshet/stream/change_detector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <freshet/item/event_decoder.hpp>
#include <peers/nlohmann_stream.hpp>
#include <ratios.hpp>
#include <receipts/routing.hpp>
#include <support/events.hpp>

namespace {

using fields = receipts::metadata_fields;

/// A set of changed fields: bit i is field i.
auto bit_of(std::string_view field) -> std::uint32_t {
    const auto at = std::find(fields::begin(), fields::end(), field) - fields::begin();
    return static_cast<std::uint32_t>(at) < fields::list.size() ? std::uint32_t{1} << at : 0;
}

auto bits_of(const auto& changes) -> std::uint32_t {
    std::uint32_t bits = 0;
    for (const auto& change : changes) { bits |= bit_of(change.field); }
    return bits;
}

/// A patch names paths: `/address/S`, or `/address` where the type changed.
auto bits_of_patch(const nlohmann::json& patch) -> std::uint32_t {
    std::uint32_t bits = 0;
    for (const auto& step : patch) {
        const std::string_view path = step.at("path").get_ref<const std::string&>();
        bits |= bit_of(path.substr(1, path.find('/', 1) - 1));
    }
    return bits;
}

/// Every MODIFY of a metadata item, in both forms.
struct modifications {
    std::deque<std::string> events;                              // the views point here
    std::deque<freshet::event_decoder> decoders;                 // and here
    std::vector<const freshet::stream_record*> records;
    std::vector<nlohmann::json> before;
    std::vector<nlohmann::json> after;
};

auto modifications_of(const freshet_bench::event_input& input) -> std::unique_ptr<modifications> {
    auto all = std::make_unique<modifications>();
    for (const auto& event : input.events) {
        auto parsed = nlohmann::json::parse(event);
        const auto decoded = all->decoders.emplace_back().decode(all->events.emplace_back(event));
        for (std::size_t i = 0; i < decoded->size(); ++i) {
            auto& stream = parsed["Records"][i]["dynamodb"];
            const auto& record = *(*decoded)[i];
            const auto sort = record.keys.find("SK");
            if (record.name != freshet::event_name::modify || !sort || !sort->text().ends_with("#METADATA")) {
                continue;
            }
            all->records.push_back(&record);
            all->before.push_back(std::move(stream["OldImage"]));
            all->after.push_back(std::move(stream["NewImage"]));
        }
    }
    return all;
}

} // namespace

auto main(int argc, char** argv) -> int {
    const auto all = modifications_of(freshet_bench::load_events());
    const auto count = all->records.size();
    freshet_bench::expect_same(count != 0, "the input modifies no metadata item");

    freshet::change_detector<fields> detector{{}};
    std::vector<nlohmann_peer::change> scratch;
    const auto by_freshet = [&](std::size_t i) { return detector.detect(*all->records[i], {}).changes; };
    const auto by_hand = [&](std::size_t i) -> const auto& {
        nlohmann_peer::detect(fields::list, &all->before[i], &all->after[i], false, scratch);
        return scratch;
    };
    const auto by_diff = [&](std::size_t i) { return nlohmann::json::diff(all->before[i], all->after[i]); };
    std::size_t attributes = 0;
    std::size_t changed = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto verdict = bits_of(by_freshet(i));
        freshet_bench::expect_same(verdict == bits_of(by_hand(i)), "by hand");
        freshet_bench::expect_same(verdict == bits_of_patch(by_diff(i)), "json::diff");
        attributes += all->after[i].size();
        changed += verdict != 0 ? 1 : 0;
    }
    std::printf(
        "%zu modifications, %zu of them of monitored fields, %zu attributes an image; the verdicts are equal on all "
        "sides\n",
        count, changed, attributes / count);

    const auto each = [count](auto changes_of) {
        return [count, changes_of] {
            for (std::size_t i = 0; i < count; ++i) { benchmark::DoNotOptimize(changes_of(i).size()); }
        };
    };
    freshet_bench::race("changes of six fields between two images",
                        {{"freshet, over decoded views", each(by_freshet)},
                         {"by hand over a ready DOM", each(by_hand), {.ratio = 2.5}},
                         {"json::diff of a ready DOM", each(by_diff), {.ratio = 60}}},
                        count);
    return freshet_bench::run_races(argc, argv);
}
