#include <adapters/recounted_blocks.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>

namespace {

using namespace std::chrono_literals;
using adapters::buckets_in;
using adapters::changed_buckets;
using adapters::part_of;
using buckets = std::vector<freshet::bucket>;

[[nodiscard]] constexpr auto at(freshet::duration since) -> freshet::time_point { return freshet::time_point{since}; }

static_assert(buckets_in({at(-2h), at(3h)}, 1h) == 5);
static_assert(buckets_in({at(3h), at(3h)}, 1h) == 0);
static_assert(buckets_in({at(3h), at(-3h)}, 1h) == 0);
static_assert(buckets_in({freshet::time_point::min(), freshet::time_point::max()}, 1us) ==
              std::numeric_limits<std::uint64_t>::max());

[[nodiscard]] auto note_of(const freshet::recounted& found) -> std::string {
    const auto checked = adapters::check_recounted(found);
    return checked.ok() ? "" : checked.why().note;
}

} // namespace

TEST_CASE("the buckets of a range are counted for all widths together") {
    CHECK(buckets_in({at(0h), at(2h)}, std::vector<freshet::duration>{1min, 1h}) == 122);
}

TEST_CASE("the part of a width and a range are the buckets that begin in it, before 1970 too") {
    const buckets all{{1min, at(-1h), 1}, {1min, at(-1min), 2}, {1min, at(0h), 3}, {1h, at(-1h), 4}, {1h, at(0h), 5}};
    const auto starts = [&](freshet::duration width, freshet::duration start, freshet::duration end) {
        buckets part;
        for (const auto& each : part_of(all, width, {at(start), at(end)})) { part.push_back(each); }
        return part;
    };
    CHECK(starts(1min, -1h, 0h) == buckets{all[0], all[1]});
    CHECK(starts(1min, -1h + 1us, 1us) == buckets{all[1], all[2]});
    CHECK(starts(1h, -1h, 1h) == buckets{all[3], all[4]});
    CHECK(starts(5min, -1h, 1h).empty());
    CHECK(starts(1min, 0h, -1h).empty());
    CHECK(starts(1min, 1min, 1h).empty());
}

TEST_CASE("what has changed is what is new, what has another count, and as 0 what is gone") {
    const auto one = [](int minute, std::uint64_t count) { return freshet::bucket{1min, at(minute * 1min), count}; };
    CHECK(changed_buckets(buckets{}, buckets{}).empty());
    CHECK(changed_buckets(buckets{one(1, 1)}, buckets{one(1, 1)}).empty());
    CHECK(changed_buckets(buckets{one(1, 1)}, buckets{one(1, 2)}) == buckets{one(1, 2)});
    CHECK(changed_buckets(buckets{}, buckets{one(1, 2), one(2, 0)}) == buckets{one(1, 2)});
    CHECK(changed_buckets(buckets{one(1, 1), one(3, 3), one(5, 5), one(7, 7)},
                          buckets{one(2, 2), one(3, 3), one(5, 0), one(6, 6)}) ==
          buckets{one(1, 0), one(2, 2), one(5, 0), one(6, 6), one(7, 0)});
}

TEST_CASE("a run's counts of another shape are told in a line which says what is wrong") {
    const freshet::recounted good{{at(-1h), at(1h)}, {1min, 1h}, {{1min, at(-1min), 2}, {1h, at(-1h), 2}}};
    CHECK(note_of(good).empty());
    auto bad = good;
    bad.widths = {1min, 7min, 1h};
    CHECK(note_of(bad) == "recounted: a width of 3600000000 us is not divided by the one before it");
    bad = good;
    bad.range.end += 1s;
    CHECK(note_of(bad) == "recounted: a range of 3600000000 us buckets does not begin and end with one");
    bad = good;
    bad.range.start += 1h;
    CHECK(note_of(bad) == "recounted: a bucket of 60000000 us is out of the range");
}
