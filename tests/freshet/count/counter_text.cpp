#include <freshet/count/counter_text.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/count/bucket_counter.hpp>
#include <freshet/count/ladder.hpp>
#include <support/cases.hpp>

using namespace std::chrono_literals;
using freshet::bucket_counter;
using freshet::counting;
using freshet::duration;
using freshet::errc;
using freshet::hour_ladder;
using freshet::ladder;
using freshet::minutes_ladder;
using freshet::read_counter;
using freshet::time_point;
using freshet::write_counter;

namespace {

auto read_hours(std::string_view text) { return read_counter<bucket_counter<>>(text, {}); }

/// These lines with the digest that belongs to them.
auto signed_text(const std::string& lines) -> std::string {
    const auto digest = freshet::hex(freshet::sha256_of(lines));
    return lines + "sha256 " + std::string{digest.data(), digest.size()} + '\n';
}

const std::string sums = "60000000 3\n300000000 3\n900000000 3\n3600000000 3\n";
const std::string head = "bucket counts 1\nlevels 4\n" + sums + "records 3\n";

auto few() -> bucket_counter<> {
    bucket_counter counter;
    for (const auto since : {-1us, duration{61s}, duration{62s}}) { counter.add(time_point{since}); }
    return counter;
}

} // namespace

TEST_CASE("a counter is written as its levels' sums and its finest buckets, under a digest") {
    CHECK(write_counter(few()) == signed_text(head + "-1 1\n1 2\n"));
    CHECK(write_counter(bucket_counter{ladder::of(std::vector<duration>{7us}).value()}) ==
          signed_text("bucket counts 1\nlevels 1\n7 0\nrecords 0\n"));
}

TEST_CASE("what was written is read again") {
    const auto read = read_hours(write_counter(few()));
    REQUIRE(read.ok());
    CHECK(read->buckets() == few().buckets());
    CHECK(read->records() == 3);
    const auto none = read_hours(write_counter(bucket_counter{}));
    REQUIRE(none.ok());
    CHECK(none->buckets().empty());
}

TEST_CASE("counters of any ladder and instants come back, and are written alike whatever the order was") {
    const auto seed = support::seed();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    using counter_type = bucket_counter<ladder, counting::roll_up>;
    for (std::size_t round = 0; round < support::cases(100); ++round) {
        CAPTURE(round);
        std::vector<duration> widths{duration{1 + static_cast<std::int64_t>(random() % 100'000'000)}};
        while (random() % 3 != 0 && widths.size() < 8) {
            widths.push_back(widths.back() * static_cast<std::int64_t>(2 + random() % 3));
        }
        const auto steps = ladder::of(widths).value();
        counter_type counter{steps};
        counter_type backwards{steps};
        std::vector<time_point> instants(random() % 40);
        for (auto& instant : instants) {
            instant = time_point{duration{static_cast<std::int64_t>(random() >> (random() % 40 + 1)) - (1LL << 40)}};
            counter.add(instant, 3);
        }
        for (auto at = instants.rbegin(); at != instants.rend(); ++at) { backwards.add(*at, 3); }
        const auto text = write_counter(counter);
        CHECK(write_counter(backwards) == text);
        const auto read = read_counter<counter_type>(text, steps);
        REQUIRE(read.ok());
        CHECK(read->buckets() == counter.buckets());
        CHECK(read->records() == counter.records());
        const auto direct = read_counter<bucket_counter<ladder>>(text, steps);
        REQUIRE(direct.ok());
        CHECK(direct->buckets() == counter.buckets());
    }
}

TEST_CASE("any flipped bit, lost byte, cut and addition is found") {
    const auto text = write_counter(few());
    for (std::size_t at = 0; at < text.size(); ++at) {
        CAPTURE(at);
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto damaged = text;
            damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
            const auto read = read_hours(damaged);
            REQUIRE_FALSE(read.ok());
            REQUIRE(read.why().code == errc::malformed);
            REQUIRE(read.why().note.find(" at byte ") != std::string::npos);
        }
        REQUIRE_FALSE(read_hours(text.substr(0, at)).ok());
        REQUIRE_FALSE(read_hours(text.substr(at + 1)).ok());
        REQUIRE_FALSE(read_hours(std::string{text}.erase(at, 1)).ok());
        REQUIRE_FALSE(read_hours(std::string{text}.insert(at, 1, text[at] == '1' ? '2' : '1')).ok());
    }
    CHECK_FALSE(read_hours(text + '\n').ok());
    CHECK_FALSE(read_hours(text + text).ok());
}

TEST_CASE("a text of another version, ladder or sum is refused, and the note says where") {
    const auto note = [](const std::string& text) { return read_hours(text).why().note; };
    CHECK(note("") == "bucket counts: no counts of version 1 at byte 0");
    CHECK(note(signed_text("bucket counts 2\n")) == "bucket counts: no counts of version 1 at byte 0");
    CHECK(note(head) == "bucket counts: the digest is missing at byte " + std::to_string(head.size()));
    CHECK(note(head + "-1 1\n1 2\nsha256 0\n") ==
          "bucket counts: not the digest of what stands before it at byte " + std::to_string(head.size() + 9));
    CHECK(note(signed_text("bucket counts 1\nlevels 3\n")) == "bucket counts: another number of levels at byte 25");
    CHECK(note(signed_text("bucket counts 1\nlevels 4\n7 0\n")) == "bucket counts: another width at byte 25");
    CHECK(note(signed_text("bucket counts 1\nlevels 4\n60000000 x\n")) ==
          "bucket counts: no sum of a level at byte 34");
    CHECK(note(signed_text("bucket counts 1\nlevels 4\n" + sums)) ==
          "bucket counts: no number of records at byte " + std::to_string(25 + sums.size()));
    CHECK(note(signed_text(head + "1 3")) == "bucket counts: no bucket at byte " + std::to_string(head.size()));
    CHECK(note(signed_text(head + "1 3\n2 0\n")) ==
          "bucket counts: no bucket at byte " + std::to_string(head.size() + 4));
    CHECK(note(signed_text(head + "1 -3\n")) == "bucket counts: no bucket at byte " + std::to_string(head.size()));
    CHECK(note(signed_text(head + "1 2\n1 1\n")) ==
          "bucket counts: a bucket out of order or of time at byte " + std::to_string(head.size() + 4));
    CHECK(note(signed_text(head + "1 2\n0 1\n")) ==
          "bucket counts: a bucket out of order or of time at byte " + std::to_string(head.size() + 4));
    CHECK(note(signed_text(head + "1 2\n")) == "bucket counts: the sums are not those of the buckets at byte 23");
    CHECK(note(signed_text("bucket counts 1\nlevels 4\n60000000 3\n300000000 2\n900000000 3\n3600000000 3\nrecords 3\n"
                           "1 3\n")) == "bucket counts: the sums are not those of the buckets at byte 23");
    CHECK_FALSE(read_counter<bucket_counter<minutes_ladder<1, 5, 15>>>(write_counter(few()), {}).ok());
}

TEST_CASE("buckets at both ends of time are read, and none beyond") {
    const auto one_at = [](const std::string& number) {
        return read_counter<bucket_counter<ladder>>(
            signed_text("bucket counts 1\nlevels 1\n2 1\nrecords 1\n" + number + " 1\n"),
            ladder::of(std::vector<duration>{2us}).value());
    };
    for (const auto* number : {"4611686018427387902", "-4611686018427387903"}) {
        CAPTURE(number);
        const auto read = one_at(number);
        REQUIRE(read.ok());
        CHECK(read->buckets().size() == 1);
        CHECK(read->buckets()[0].start.time_since_epoch().count() == 2 * std::stoll(number));
    }
    for (const auto* number : {"4611686018427387903", "-4611686018427387904", "9223372036854775807",
                               "-9223372036854775808", "9223372036854775808"}) {
        CAPTURE(number);
        CHECK_FALSE(one_at(number).ok());
    }
}
