#include <stdlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <freshet/core/rfc3339.hpp>
#include <freshet/count/ladder.hpp>
#include <freshet/count/window.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <metrics/backends.hpp>
#include <metrics/following.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/recounting.hpp>
#include <metrics/settings.hpp>
#include <metrics/table_source.hpp>
#include <support/log.hpp>

/// From the write of a record to its count, in SQLite files, by the number of records in the two hours that are counted
/// anew for it: the write, reading the stream, listing the records, counting, checking, and writing what changed.
/// Median of nine, and the longest. Whether the count is one more is checked. Batch windows are not in it: they are a
/// choice.
namespace {

using clock_type = freshet::testing::manual_clock;

[[noreturn]] void give_up(std::string_view what) {
    fmt::print(stderr, "event_to_bucket: {}\n", what);
    std::exit(1);
}
template <class T>
auto need(freshet::result<T> got) -> T {
    if (!got) { give_up(got.why().note); }
    if constexpr (!std::is_void_v<T>) { return *std::move(got); }
}

struct spans {
    double median{};
    double longest{};
};

/// Milliseconds from a write to its count, beside so many records.
auto measure(std::size_t records) -> spans {
    auto directory = (std::filesystem::temp_directory_path() / "freshet-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) { give_up(directory + ": cannot be made"); }
    clock_type clock{freshet::parse_rfc3339("2024-01-19T14:59:59Z").value()};
    const auto window = freshet::current_window(clock.now(), 2);
    const freshet::series_key series{"items", "acc-123"};
    const auto row = [&](std::size_t number, freshet::time_point at) {
        const auto text = std::string{freshet::format_rfc3339(at, 6).value().view()};
        return need(metrics::row_of({series, std::to_string(number), text, {}}));
    };

    std::vector<double> took;
    const auto done = metrics::in_directory(directory, true, clock, [&](auto& table, auto& stream, auto& sink) {
        const auto span = window.end - window.start;
        std::vector<freshet::document> rows;
        for (std::size_t i = 0; i != records; ++i) {
            rows.push_back(
                row(i, window.start + span / static_cast<std::int64_t>(records) * static_cast<std::int64_t>(i)));
        }
        need(metrics::put_all(table, rows));
        const metrics::selection all;
        const support::log log{support::log_level::error};
        metrics::change_follower follower{stream, all};
        metrics::table_source source{table};
        const auto count = [&] {
            need(follower.read_on(clock.now()));
            for (const auto& each :
                 metrics::recount_all(source, sink, clock, follower.take(clock.now(), true), window, log)) {
                if (each.fault) { give_up(each.fault->note); }
            }
            need(follower.save());
        };
        count();
        for (std::size_t i = 0; i != 9; ++i) {
            const auto one = row(records + i, window.end - std::chrono::seconds{1});
            const auto began = std::chrono::steady_clock::now();
            need(table.put(one, {}));
            count();
            took.push_back(std::chrono::duration<double, std::milli>{std::chrono::steady_clock::now() - began}.count());
            std::uint64_t counted = 0;
            for (const auto& hour : need(sink.read(series, window, freshet::hour_ladder::widest()))) {
                counted += hour.count;
            }
            if (counted != records + i + 1) {
                give_up(fmt::format("{} records are counted of {}", counted, records + i + 1));
            }
        }
        return 0;
    });
    need(done);
    std::filesystem::remove_all(directory);
    std::sort(took.begin(), took.end());
    return {took[took.size() / 2], took.back()};
}

} // namespace

auto main() -> int {
    fmt::print("from a write to its count, SQLite, by the records in the window\n");
    fmt::print("{:>10} {:>12} {:>12} {:>16}\n", "records", "median ms", "longest ms", "us a record");
    for (const std::size_t records : {1'000, 10'000, 100'000}) {
        const auto took = measure(records);
        fmt::print("{:>10} {:>12.1f} {:>12.1f} {:>16.2f}\n", records, took.median, took.longest,
                   took.median * 1'000 / static_cast<double>(records));
        std::fflush(stdout);
    }
}
