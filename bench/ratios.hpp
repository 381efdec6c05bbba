#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

#include <benchmark/benchmark.h>

/// Races between ways to do one thing, printed by Google Benchmark and once more as ratios.
namespace freshet_bench {

/// A figure to reach; zero asks for nothing.
struct wanted {
    double ratio{};       ///< the least ratio to the race's first contender
    double nanoseconds{}; ///< the most that an item may take
};

/// One way to do it. `run` does it `items_per_call` times and keeps its answer from being optimised away.
struct contender {
    std::string name;
    std::function<void()> run;
    wanted figure{};
};

/// Registers a race. Ratios are taken to the first contender; its answers were compared with the others' before.
inline void race(const std::string& title, const std::vector<contender>& contenders, std::size_t items_per_call = 1) {
    for (const auto& each : contenders) {
        const auto body = [run = each.run, figure = each.figure, items_per_call](benchmark::State& state) {
            for (auto _ : state) { run(); }
            state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_per_call));
            if (figure.ratio > 0) { state.counters["wanted_ratio"] = figure.ratio; }
            if (figure.nanoseconds > 0) { state.counters["wanted_ns"] = figure.nanoseconds; }
        };
        benchmark::RegisterBenchmark((title + "/" + each.name).c_str(), body);
    }
}

/// Prints what Google Benchmark prints, and at the end a line a contender: median CPU time an item, and how many times
/// that of the race's first contender it is, with the figure to reach where there is one.
class ratio_reporter : public benchmark::ConsoleReporter {
public:
    ratio_reporter() : ConsoleReporter{::isatty(STDOUT_FILENO) != 0 ? OO_ColorTabular : OO_Tabular} {}

    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const auto& run : runs) {
            const auto rate = run.counters.find("items_per_second");
            if (run.aggregate_name != "median" || rate == run.counters.end()) { continue; }
            const auto name = run.run_name.function_name;
            const auto slash = name.rfind('/');
            const auto counted = [&run](const char* counter) {
                const auto found = run.counters.find(counter);
                return found == run.counters.end() ? 0.0 : static_cast<double>(found->second);
            };
            medians_.push_back({run.family_index,
                                name.substr(0, slash),
                                name.substr(slash + 1),
                                1e9 / rate->second,
                                {counted("wanted_ratio"), counted("wanted_ns")}});
        }
    }

    void Finalize() override {
        ConsoleReporter::Finalize();
        std::sort(medians_.begin(), medians_.end(),
                  [](const median_time& a, const median_time& b) { return a.registered < b.registered; });
        std::string title;
        double first = 0;
        for (const auto& each : medians_) {
            if (each.title != title) {
                title = each.title;
                first = each.nanoseconds;
                std::printf("\n%-44s %12s %8s\n", title.c_str(), "ns an item", "ratio");
            }
            const auto ratio = each.nanoseconds / first;
            std::printf("  %-42s %12.2f %8.2f", each.name.c_str(), each.nanoseconds, ratio);
            if (each.figure.ratio > 0) {
                std::printf("  wanted >= %.2f: %s", each.figure.ratio, reached(ratio >= each.figure.ratio));
            }
            if (each.figure.nanoseconds > 0) {
                std::printf("  wanted <= %.0f ns: %s", each.figure.nanoseconds,
                            reached(each.nanoseconds <= each.figure.nanoseconds));
            }
            std::printf("\n");
        }
    }

private:
    [[nodiscard]] static auto reached(bool is) -> const char* { return is ? "reached" : "missed"; }

    struct median_time {
        std::int64_t registered; // interleaved runs end in any order
        std::string title;
        std::string name;
        double nanoseconds;
        wanted figure;
    };
    std::vector<median_time> medians_;
};

/// Runs all races, interleaved, seven rounds each; Google Benchmark's own flags may say otherwise. The exit code.
inline auto run_races(int argc, char** argv) -> int {
    std::vector<std::string> words{argv[0],
                                   "--benchmark_enable_random_interleaving=true",
                                   "--benchmark_repetitions=7",
                                   "--benchmark_min_time=0.05",
                                   "--benchmark_display_aggregates_only=true"};
    words.insert(words.end(), argv + 1, argv + argc);
    std::vector<char*> pointers;
    for (auto& word : words) { pointers.push_back(word.data()); }
    auto count = static_cast<int>(pointers.size());
    pointers.push_back(nullptr);
    benchmark::Initialize(&count, pointers.data());
    if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) { return 2; }
    ratio_reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    benchmark::Shutdown();
    return 0;
}

} // namespace freshet_bench
