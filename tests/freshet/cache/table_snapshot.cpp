#include <freshet/cache/table_snapshot.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::errc;
using freshet::error;
using freshet::result;
using freshet::row_key;

/// A row that can be moved and not copied.
struct row {
    std::string key;
    int value{};
    row(std::string named, int is) : key{std::move(named)}, value{is} {}
    row(row&&) = default;
    auto operator=(row&&) -> row& = default;
};
using snapshot = freshet::table_snapshot<row>;
using edits = std::vector<freshet::row_edit<row>>;
static_assert(std::forward_iterator<snapshot::iterator>);

auto key(const std::string& name) -> row_key { return {name, ""}; }
auto key_of(const row& of) -> result<row_key> { return key(of.key); }

auto rows(int count) -> std::vector<row> {
    std::vector<row> all;
    for (int n = 0; n != count; ++n) { all.emplace_back(std::to_string(n), n); }
    return all;
}
auto values(const snapshot& of) -> std::vector<int> {
    std::vector<int> all;
    for (const auto& one : of) { all.push_back(one.value); }
    return all;
}
auto set(edits& all, const std::string& name, int value) { all.push_back({key(name), row{name, value}}); }
auto remove(edits& all, const std::string& name) { all.push_back({key(name), std::nullopt}); }

} // namespace

TEST_CASE("a snapshot without rows is empty and finds nothing") {
    const snapshot none;
    CHECK(none.empty());
    CHECK(none.begin() == none.end());
    CHECK(none.find(key("")) == nullptr);
    const auto same = snapshot::of({}, key_of);
    CHECK(same.size() == 0);
    CHECK_FALSE(same.fault());
    edits one;
    set(one, "a", 1);
    remove(one, "b");
    CHECK(values(none.with(std::move(one))) == std::vector{1});
}

TEST_CASE("rows keep the order of the scan, and each is found by its key") {
    for (const int count : {1, 63, 64, 65, 128, 129, 1000}) {
        const auto all = snapshot::of(rows(count), key_of);
        REQUIRE(all.size() == static_cast<std::size_t>(count));
        int next = 0;
        for (const auto& one : all) {
            CHECK(one.value == next++);
            CHECK(all.find(key(one.key)) == &one);
        }
        CHECK(all.find(key("x")) == nullptr);
        CHECK(all.find({"0", "sort"}) == nullptr);
        CHECK(all.find({"", "0"}) == nullptr);
    }
}

TEST_CASE("the sort key tells rows of one partition apart") {
    const auto all = snapshot::of(rows(300), [](const row& of) -> result<row_key> { return row_key{"p", of.key}; });
    CHECK(all.find({"p", "299"})->value == 299);
    CHECK(all.find({"p", ""}) == nullptr);
}

TEST_CASE("an edited snapshot has the edits, the old one has not, and they share every other row") {
    const auto before = snapshot::of(rows(1000), key_of);
    edits some;
    set(some, "500", -5);
    set(some, "new", 1000);
    remove(some, "0");
    remove(some, "absent");
    const auto after = before.with(std::move(some));
    CHECK(before.size() == 1000);
    CHECK(before.find(key("500"))->value == 500);
    CHECK(before.find(key("0")) != nullptr);
    CHECK(before.find(key("new")) == nullptr);
    CHECK(after.size() == 1000);
    CHECK(after.find(key("0")) == nullptr);
    auto wanted = values(before);
    wanted.erase(wanted.begin());
    wanted[499] = -5;
    wanted.push_back(1000);
    CHECK(values(after) == wanted);
    std::size_t shared = 0;
    for (const auto& one : before) { shared += after.find(key(one.key)) == &one ? 1U : 0U; }
    CHECK(shared == 998);
}

TEST_CASE("of several edits of a key the last one counts") {
    edits some;
    set(some, "1", 10);
    remove(some, "1");
    set(some, "1", 11);
    set(some, "2", 20);
    remove(some, "2");
    const auto after = snapshot::of(rows(3), key_of).with(std::move(some));
    CHECK(after.find(key("1"))->value == 11);
    CHECK(after.find(key("2")) == nullptr);
    CHECK(values(after) == std::vector{0, 11});
}

TEST_CASE("a row lives as long as a snapshot that has it") {
    auto before = std::make_unique<snapshot>(snapshot::of(rows(200), key_of));
    const auto* const kept = before->find(key("7"));
    edits some;
    set(some, "8", 0);
    const auto after = before->with(std::move(some));
    before.reset();
    CHECK(after.find(key("7")) == kept);
    CHECK(kept->value == 7);
}

TEST_CASE("rows whose keys cannot be read, or are those of others, are there all the same, and the fault says why") {
    const auto unreadable = snapshot::of(rows(100), [](const row& of) -> result<row_key> {
        if (of.value == 3) { return error{errc::malformed, "three"}; }
        if (of.value == 4) { throw std::runtime_error{"four"}; }
        return key_of(of);
    });
    CHECK(unreadable.fault() == error{errc::malformed, "three"});
    CHECK(unreadable.size() == 100);
    CHECK(unreadable.find(key("3")) == nullptr);
    CHECK(unreadable.find(key("5"))->value == 5);

    const auto twice =
        snapshot::of(rows(100), [](const row& of) -> result<row_key> { return key(std::to_string(of.value % 99)); });
    CHECK(twice.fault() == error{errc::malformed, "two rows have the key 0 / "});
    CHECK(twice.size() == 100);
    CHECK(values(twice).back() == 99);
}

TEST_CASE("random edits give what a map would hold, in the order in which rows came") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t n = 0; n != support::cases(20); ++n) {
        auto held = rows(static_cast<int>(random() % 300));
        std::vector<std::pair<std::string, int>> wanted;
        for (const auto& one : held) { wanted.emplace_back(one.key, one.value); }
        auto now = snapshot::of(std::move(held), key_of);
        const auto names = 1 + random() % 600;
        const auto removals = random() % 4;
        for (int batch = 0; batch != 30; ++batch) {
            edits some;
            for (auto count = random() % 50; count != 0; --count) {
                const auto name = std::to_string(random() % names);
                const auto at =
                    std::find_if(wanted.begin(), wanted.end(), [&](const auto& one) { return one.first == name; });
                if (random() % 4 < removals) {
                    remove(some, name);
                    if (at != wanted.end()) { wanted.erase(at); }
                    continue;
                }
                const auto value = static_cast<int>(random() % 1000);
                set(some, name, value);
                if (at != wanted.end()) {
                    at->second = value;
                } else {
                    wanted.emplace_back(name, value);
                }
            }
            now = now.with(std::move(some));
        }
        REQUIRE(now.size() == wanted.size());
        auto at = now.begin();
        for (const auto& [name, value] : wanted) {
            REQUIRE(at->key == name);
            REQUIRE(at->value == value);
            REQUIRE(now.find(key(name)) == &*at);
            ++at;
        }
        CHECK(at == now.end());
        CHECK_FALSE(now.fault());
    }
}
