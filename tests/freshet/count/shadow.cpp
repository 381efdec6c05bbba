#include <freshet/count/shadow.hpp>

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;
using freshet::bucket;
using freshet::compare_counts;
using freshet::shadow_switch;
using freshet::time_point;
using buckets = std::vector<bucket>;

constexpr time_point noon{freshet::duration{1'736'942'400'000'000}};

const auto agree = compare_counts(buckets{{1h, noon, 3}}, buckets{{1h, noon, 3}});
const auto differ = compare_counts(buckets{{1h, noon, 3}}, buckets{{1h, noon, 4}});
const auto nothing = compare_counts({}, {});

} // namespace

TEST_CASE("counts are compared bucket by bucket, in whatever order they come") {
    const auto found = compare_counts(buckets{{1h, noon, 3}, {1min, noon, 1}, {1min, noon + 1min, 2}},
                                      buckets{{1min, noon + 1min, 5}, {1min, noon, 1}, {1h, noon, 6}});
    CHECK(!found.same());
    CHECK(found.equal == 1);
    CHECK(found.different == 2);
    CHECK(found.shown == std::vector<freshet::differing_count>{{1min, noon + 1min, 2, 5}, {1h, noon, 3, 6}});
}

TEST_CASE("a bucket that one side does not name is zero there, and a named zero is the same") {
    CHECK(compare_counts(buckets{{1h, noon, 3}}, {}).shown == std::vector<freshet::differing_count>{{1h, noon, 3, 0}});
    CHECK(compare_counts({}, buckets{{1h, noon, 3}}).shown == std::vector<freshet::differing_count>{{1h, noon, 0, 3}});
    CHECK(compare_counts(buckets{{1h, noon, 0}}, {}).same());
    CHECK(compare_counts(buckets{{1h, noon, 0}}, {}).equal == 0);
}

TEST_CASE("what is named twice is the sum") {
    CHECK(compare_counts(buckets{{1h, noon, 1}, {1h, noon, 2}}, buckets{{1h, noon, 3}}).same());
}

TEST_CASE("all differences are counted, and only the first are shown") {
    buckets ours;
    for (int i = 0; i != 100; ++i) { ours.push_back({1min, noon + i * 1min, 1}); }
    const auto found = compare_counts(ours, {}, 3);
    CHECK(found.different == 100);
    CHECK(found.shown.size() == 3);
    CHECK(found.shown.back().start == noon + 2min);
    CHECK(compare_counts(ours, {}).shown.size() == 20);
}

TEST_CASE("after so many runs in a row that agree the old counter can go; a difference starts anew") {
    shadow_switch old{3};
    CHECK(!old.switched());
    old.add(agree);
    old.add(agree);
    CHECK(old.in_a_row() == 2);
    CHECK(!old.switched());
    old.add(differ);
    CHECK(old.in_a_row() == 0);
    old.add(agree);
    old.add(agree);
    CHECK(!old.switched());
    old.add(agree);
    CHECK(old.switched());
    old.add(agree);
    CHECK(old.in_a_row() == 3);
    old.add(differ);
    CHECK(!old.switched());
}

TEST_CASE("two counters that both counted nothing prove nothing") {
    shadow_switch old{2};
    old.add(agree);
    for (int i = 0; i != 10; ++i) { old.add(nothing); }
    CHECK(old.in_a_row() == 1);
    CHECK(!old.switched());
}

TEST_CASE("a switch goes on from the number that was kept of it") {
    shadow_switch before{3};
    before.add(agree);
    before.add(agree);
    shadow_switch after{3, before.in_a_row()};
    after.add(agree);
    CHECK(after.switched());
    CHECK(!shadow_switch{0}.switched());
    CHECK(shadow_switch{0, 1}.switched());
}
