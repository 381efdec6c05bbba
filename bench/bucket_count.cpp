// Counts timestamps into buckets of 1, 5, 15 and 60 minutes: freshet, date, strptime and Abseil. All of them count with
// freshet's counters, so that the ratios are those of reading the texts; one row shows what std::unordered_map costs.
#include <freshet/count/bucket_counter.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <istream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <absl/time/time.h>
#include <benchmark/benchmark.h>
#include <date/date.h>

#include <freshet/core/rfc3339.hpp>
#include <ratios.hpp>

namespace {

using freshet::bucket;
using freshet::bucket_counter;
using freshet::counting;
using freshet::duration;
using freshet::hour_ladder;
using freshet::time_point;
using namespace std::chrono_literals;

constexpr std::size_t texts_per_call = 100'000; // the next ones each time

// How a text is read: what it says is used, if it says an instant.

struct by_freshet {
    template <class Use>
    void operator()(std::string_view text, Use use) const {
        if (const auto read = freshet::parse_rfc3339(text)) { use(*read); }
    }
};

/// As date's documentation reads, with a stream for each text or with one for all.
template <bool OneStream>
struct by_date {
    template <class Use>
    void operator()(std::string_view text, Use use) const {
        if constexpr (OneStream) {
            static std::istringstream in;
            in.clear();
            in.str(std::string{text});
            read(in, use);
        } else {
            std::istringstream in{std::string{text}};
            read(in, use);
        }
    }
    template <class Use>
    static void read(std::istream& in, Use use) {
        time_point read;
        if (in >> date::parse("%FT%TZ", read)) { use(read); }
    }
};

struct by_strptime {
    template <class Use>
    void operator()(std::string_view text, Use use) const {
        std::array<char, 32> ended{};
        text.copy(ended.data(), ended.size() - 1);
        std::tm read{};
        const auto* const end = ::strptime(ended.data(), "%Y-%m-%dT%H:%M:%SZ", &read);
        if (end != nullptr && *end == '\0') { use(time_point{std::chrono::seconds{::timegm(&read)}}); }
    }
};

struct by_absl {
    template <class Use>
    void operator()(std::string_view text, Use use) const {
        absl::Time read;
        if (absl::ParseTime(absl::RFC3339_full, {text.data(), text.size()}, &read, nullptr)) {
            use(time_point{duration{absl::ToUnixMicros(read)}});
        }
    }
};

/// As many would count: a map from start to count for each width.
class map_counter {
public:
    void add(time_point at) {
        const auto since = at.time_since_epoch().count();
        for (std::size_t level = 0; level < 4; ++level) {
            const auto width = hour_ladder::width(level).count();
            ++levels_[level][since - since % width];
        }
    }
    [[nodiscard]] auto buckets() const -> std::vector<bucket> {
        std::vector<bucket> all;
        for (std::size_t level = 0; level < 4; ++level) {
            for (const auto& [start, count] : levels_[level]) {
                all.push_back({hour_ladder::width(level), time_point{duration{start}}, count});
            }
        }
        std::sort(all.begin(), all.end(), [](const bucket& a, const bucket& b) {
            return a.width != b.width ? a.width < b.width : a.start < b.start;
        });
        return all;
    }

private:
    std::array<std::unordered_map<std::int64_t, std::uint64_t>, 4> levels_;
};

/// Texts one behind the other: of instants from a fixed one on, in any order.
class some_texts {
public:
    template <class Print>
    some_texts(std::size_t count, duration within, Print print) {
        std::mt19937_64 random{20'240'115};
        const auto first = freshet::parse_rfc3339("2024-01-09T04:07:03Z").value();
        std::vector<std::size_t> ends;
        ends.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            const auto after = random() % static_cast<std::uint64_t>(within.count());
            print(bytes_, first + duration{static_cast<std::int64_t>(after)}, random());
            ends.push_back(bytes_.size());
        }
        all_.reserve(count);
        std::size_t begin = 0;
        for (const auto end : ends) {
            all_.push_back(std::string_view{bytes_}.substr(begin, end - begin));
            begin = end;
        }
    }
    some_texts(const some_texts&) = delete;
    auto operator=(const some_texts&) = delete;

    [[nodiscard]] auto all() const -> const std::vector<std::string_view>& { return all_; }

    /// Calls `use(begin, end)` with the next texts each time.
    template <class Use>
    [[nodiscard]] auto in_turn(Use use) const -> std::function<void()> {
        return [this, use, next = std::size_t{0}]() mutable {
            const auto* const begin = all_.data() + next;
            next = (next + texts_per_call) % all_.size();
            use(begin, begin + texts_per_call);
        };
    }

private:
    std::string bytes_;
    std::vector<std::string_view> all_;
};

void print_seconds(std::string& out, time_point at, std::uint64_t) { out += freshet::format_rfc3339(at, 0)->view(); }

/// Fractions of 0 to 6 digits, and offsets on every second text.
void print_mixed(std::string& out, time_point at, std::uint64_t chance) {
    const auto text = freshet::format_rfc3339(at, static_cast<int>(chance % 7)).value();
    out += text.view().substr(0, text.view().size() - 1);
    out += chance & 0x100 ? "Z" : chance & 0x200 ? "+05:30" : "-08:00";
}

template <class Read, class Counter>
void count_all(const std::string_view* begin, const std::string_view* end, Counter& counter) {
    for (; begin != end; ++begin) {
        Read{}(*begin, [&counter](time_point at) { counter.add(at); });
    }
}

template <class Read, class Counter = bucket_counter<>>
auto counted(const some_texts& from) -> std::function<void()> {
    return from.in_turn([counter = Counter{}](const std::string_view* begin, const std::string_view* end) mutable {
        count_all<Read>(begin, end, counter);
        benchmark::ClobberMemory();
    });
}

template <class Read>
auto only_read(const some_texts& from) -> std::function<void()> {
    return from.in_turn([](const std::string_view* begin, const std::string_view* end) {
        std::int64_t sum = 0;
        for (; begin != end; ++begin) {
            Read{}(*begin, [&sum](time_point at) { sum += at.time_since_epoch().count(); });
        }
        benchmark::DoNotOptimize(sum);
    });
}

/// Eight bytes at a time.
auto bytes_read(const some_texts& from) -> std::function<void()> {
    return from.in_turn([](const std::string_view* begin, const std::string_view* end) {
        std::uint64_t sum = 0;
        const auto* const last = (end - 1)->data() + (end - 1)->size();
        for (const auto* at = begin->data(); last - at >= 8; at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, at, 8);
            sum += word;
        }
        benchmark::DoNotOptimize(sum);
    });
}

/// The buckets of the first texts, read and counted this way.
template <class Read, class Counter = bucket_counter<>>
auto answer(const some_texts& from, std::size_t count = texts_per_call) -> std::vector<bucket> {
    Counter counter;
    count_all<Read>(from.all().data(), from.all().data() + count, counter);
    return counter.buckets();
}

using rolled_up = bucket_counter<hour_ladder, counting::roll_up>;
using at_run_time = bucket_counter<freshet::ladder>;

auto same_answers(const some_texts& plain, const some_texts& mixed) -> bool {
    const auto all = plain.all().size();
    const auto whole = answer<by_freshet>(plain, all);
    const auto part = answer<by_freshet>(plain);
    return whole == answer<by_freshet, rolled_up>(plain, all) && whole == answer<by_freshet, at_run_time>(plain, all) &&
           whole == answer<by_freshet, map_counter>(plain, all) && part == answer<by_date<false>>(plain) &&
           part == answer<by_date<true>>(plain) && part == answer<by_strptime>(plain) &&
           part == answer<by_absl>(plain) && answer<by_freshet>(mixed) == answer<by_absl>(mixed);
}

} // namespace

auto main(int argc, char** argv) -> int {
    const some_texts day{10'000'000, 24h, print_seconds};
    const some_texts year{2'000'000, 365 * 24h, print_seconds};
    const some_texts mixed{2'000'000, 24h, print_mixed};
    if (!same_answers(day, mixed) || !same_answers(year, mixed)) {
        std::fprintf(stderr, "the contenders count differently\n");
        return 1;
    }
    freshet_bench::race("texts of a day into 1, 5, 15 and 60 min",
                        {{"freshet", counted<by_freshet>(day)},
                         {"freshet, rolled up", counted<by_freshet, rolled_up>(day)},
                         {"freshet, a run-time ladder", counted<by_freshet, at_run_time>(day)},
                         {"freshet, std::unordered_map", counted<by_freshet, map_counter>(day)},
                         {"reading the bytes", bytes_read(day), {.ratio = 0.2}},
                         {"date::parse", counted<by_date<false>>(day), {.ratio = 80}},
                         {"date::parse, one stream", counted<by_date<true>>(day)},
                         {"strptime", counted<by_strptime>(day)},
                         {"absl::ParseTime", counted<by_absl>(day)}},
                        texts_per_call);
    freshet_bench::race("texts of a year into 1, 5, 15 and 60 min",
                        {{"freshet", counted<by_freshet>(year)},
                         {"freshet, rolled up", counted<by_freshet, rolled_up>(year)},
                         {"reading the bytes", bytes_read(year)},
                         {"absl::ParseTime", counted<by_absl>(year)}},
                        texts_per_call);
    freshet_bench::race("texts with fractions and offsets into 1, 5, 15 and 60 min",
                        {{"freshet", counted<by_freshet>(mixed)},
                         {"reading the bytes", bytes_read(mixed)},
                         {"absl::ParseTime", counted<by_absl>(mixed)}},
                        texts_per_call);
    freshet_bench::race("texts, only read",
                        {{"parse_rfc3339", only_read<by_freshet>(day)},
                         {"parse_rfc3339, fractions and offsets", only_read<by_freshet>(mixed)},
                         {"reading the bytes", bytes_read(day)},
                         {"absl::ParseTime", only_read<by_absl>(day)}},
                        texts_per_call);
    return freshet_bench::run_races(argc, argv);
}
