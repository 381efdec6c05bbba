#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/change.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/item/same_value.hpp>

/// Items, as the law suites of tables and change streams make them, and a plain table that says what must come out.
namespace laws {

/// Why a call failed; nothing where it succeeded.
template <class T>
[[nodiscard]] auto code_of(const freshet::result<T>& outcome) -> std::optional<freshet::errc> {
    return outcome.ok() ? std::nullopt : std::optional{outcome.why().code};
}

/// What a call that must succeed gave.
template <class T>
[[nodiscard]] auto got(freshet::result<T> outcome) -> T {
    if (!outcome) { FAIL(outcome.why().note); }
    return *std::move(outcome);
}

/// An attribute value: some of its spellings in DynamoDB JSON, and a string's characters.
struct meaning {
    std::vector<std::string> spellings;
    std::string text{};
};

/// Texts that are hard to carry, in the order of their UTF-8 bytes (which is not that of UTF-16).
inline const std::vector<meaning> texts{
    {{R"({"S":"\u0001"})"}, "\x01"},
    {{R"({"S":"\t'; --"})"}, "\t'; --"},
    {{R"({"S":"\"q\\\""})", R"({"S":"\u0022q\u005c\u0022"})"}, "\"q\\\""},
    {{R"({"S":"%_"})"}, "%_"},
    {{R"({"S":"A#1"})", R"({"S":"\u0041#1"})", R"( {"S" : "A#1"} )"}, "A#1"},
    {{R"({"S":"A#10"})"}, "A#10"},
    {{R"({"S":"A#2"})"}, "A#2"},
    {{R"({"S":"B"})"}, "B"},
    {{R"({"S":"a#1"})"}, "a#1"},
    {{"{\"S\":\"\xc3\xa9\"}", R"({"S":"\u00e9"})"}, "\xc3\xa9"},
    {{"{\"S\":\"\xef\xbf\xbd\"}"}, "\xef\xbf\xbd"},
    {{R"({"S":"\ud83c\udf40"})", "{\"S\":\"\xf0\x9f\x8d\x80\"}"}, "\xf0\x9f\x8d\x80"},
};

/// Values of every type, no two of which are equal.
inline const std::vector<meaning> values{
    {{R"({"S":""})"}},
    {{R"({"S":"1"})", R"({"S":"\u0031"})"}},
    {{R"({"N":"1"})", R"({"N":"1.0"})", R"({"N":"1E0"})"}},
    {{R"({"N":"0.9"})", R"({"N":"0.90"})", R"({"N":"9e-1"})"}},
    {{R"({"N":"12345678901234567890123456789012345678"})"}},
    {{R"({"N":"12345678901234567890123456789012345679"})"}},
    {{R"({"N":"-1E-130"})"}},
    {{R"({"B":"AAH/"})"}},
    {{R"({"BOOL":true})"}},
    {{R"({"BOOL":false})"}},
    {{R"({"NULL":true})"}},
    {{R"({"SS":["a","b"]})", R"({"SS":["b","a"]})"}},
    {{R"({"NS":["1","2","10"]})", R"({"NS":["10.0","2","1"]})"}},
    {{R"({"BS":["AA==","AQ=="]})", R"({"BS":["AQ==","AA=="]})"}},
    {{R"({"L":[]})"}},
    {{R"({"L":[{"N":"1"},{"S":"x"}]})", R"({"L":[{"N":"1.00"},{"S":"x"}]})"}},
    {{R"({"L":[{"S":"x"},{"N":"1"}]})"}},
    {{R"({"M":{"a":{"N":"1"},"b":{"L":[{"NULL":true}]}}})", R"({"M":{"b":{"L":[{"NULL":true}]},"a":{"N":"1"}}})"}},
    {{R"({"M":{}})"}},
};

/// An item as names and values that point into `texts` and `values`.
using plain_item = std::map<std::string, const meaning*>;

[[nodiscard]] inline auto item(std::string text) -> freshet::document {
    return got(freshet::document::parse(std::move(text)));
}

[[nodiscard]] inline auto same_item(const freshet::image& a, const freshet::image& b) -> bool {
    freshet::same_value same;
    const auto in_b = [&](freshet::attribute one) {
        const auto other = b.find(one.name());
        return other && same(one, *other);
    };
    return std::distance(a.begin(), a.end()) == std::distance(b.begin(), b.end()) &&
           std::all_of(a.begin(), a.end(), in_b);
}

[[nodiscard]] inline auto same_item(const std::optional<freshet::document>& a, const freshet::document* b) -> bool {
    return a.has_value() == (b != nullptr) && (!a || same_item(a->image(), b->image()));
}

[[nodiscard]] inline auto text_of(const freshet::document& row, std::string_view name) -> std::string {
    const auto found = row.image().find(name);
    return found ? std::string{found->text()} : std::string{};
}

[[nodiscard]] inline auto key_of(const freshet::document& row) -> freshet::row_key {
    return {text_of(row, "PK"), text_of(row, "SK")};
}

/// Every page of a scan (`which` is null) or of a query, one after the other, `limit` rows a page.
template <class Table>
[[nodiscard]] auto all_rows(Table& table, const freshet::index_query* which, std::size_t limit)
    -> std::vector<freshet::document> {
    std::vector<freshet::document> all;
    freshet::page_request request{std::nullopt, limit};
    for (std::size_t pages = 0;; ++pages) {
        REQUIRE(pages < 100'000);
        auto page = got(which == nullptr ? table.scan(request) : table.query(*which, request));
        if (limit != 0) { CHECK(page.rows.size() <= limit); }
        for (auto& row : page.rows) { all.push_back(std::move(row)); }
        if (!page.next) { return all; }
        request.from = page.next;
    }
}

/// Whether a fixture's table notices every change of a row that was seen.
template <class Fixture>
[[nodiscard]] constexpr auto notices_additions() -> bool {
    if constexpr (requires { Fixture::notices_additions; }) { return Fixture::notices_additions; }
    return true;
}

/// Whether a fixture's table compares a query's bounds by bytes.
template <class Fixture>
[[nodiscard]] constexpr auto bounds_by_bytes() -> bool {
    if constexpr (requires { Fixture::bounds_by_bytes; }) { return Fixture::bounds_by_bytes; }
    return true;
}

/// Whether everything lies on the same side of this text in UTF-8 as in UTF-16.
[[nodiscard]] inline auto same_side_in_utf16(const std::string& text) -> bool {
    return text.empty() || static_cast<unsigned char>(text.front()) < 0xee;
}

/// Writes to a table at random, keeps a plain table beside it, and checks that the two agree after every step.
template <class Table>
class random_writer {
public:
    /// A change that the table's stream must tell of.
    struct made {
        freshet::row_key key;
        std::optional<plain_item> before;
        std::optional<plain_item> after;
    };

    /// Without `notices_additions`, no write is to find unchanged a row that got attributes since it was seen.
    /// Without `bounds_by_bytes`, no bound is to tell texts apart that UTF-16 orders otherwise.
    random_writer(Table& table, std::uint64_t seed, bool notices_additions = true, bool bounds_by_bytes = true)
        : table_{table},
          random_{seed},
          notices_additions_{notices_additions},
          bounds_by_bytes_{bounds_by_bytes} {
        for (auto& partition : partitions_) { partition = any(texts).text; }
        for (auto& sort : sorts_) { sort = any(texts).text; }
    }

    /// One write, and whether the table answers and then holds what it must.
    void step() {
        const freshet::row_key key{partitions_[below(partitions_.size())], sorts_[below(sorts_.size())]};
        switch (below(9)) {
            case 0:
            case 1: return look(key, true);
            case 2: return erase(key);
            case 3:
            case 4: return update(key);
            default: return put(key);
        }
    }

    /// Whether scans and queries give exactly the rows of the plain table, in the order they must.
    void compare_reads() {
        std::vector<freshet::row_key> found;
        for (const auto& row : all_rows(table_, nullptr, below(5))) {
            const auto there = rows_.find(key_of(row));
            REQUIRE(there != rows_.end());
            CHECK(same_item(row.image(), spelled(there->second).image()));
            found.push_back(there->first);
        }
        std::sort(found.begin(), found.end());
        std::vector<freshet::row_key> wanted;
        for (const auto& [key, row] : rows_) { wanted.push_back(key); }
        CHECK(found == wanted);

        for (const auto& partition : texts) {
            compare_query("", "PK", "SK", partition.text);
            compare_query("GSI1", "GSI1PK", "GSI1SK", partition.text);
            compare_query("GSI3", "GSI3PK", "", partition.text);
        }
    }

    [[nodiscard]] auto history() const noexcept -> const std::vector<made>& { return history_; }
    [[nodiscard]] auto below(std::size_t limit) -> std::size_t { return static_cast<std::size_t>(random_() % limit); }

    /// The item in DynamoDB JSON, its attributes in any order and its values in any of their spellings.
    [[nodiscard]] auto spelled(const plain_item& plain) -> freshet::document {
        std::vector<std::string> members;
        for (const auto& [name, value] : plain) { members.push_back('"' + name + "\":" + any(value->spellings)); }
        std::shuffle(members.begin(), members.end(), random_);
        std::string text = "{";
        for (const auto& member : members) { text += (text.size() == 1 ? "" : ",") + member; }
        return item(text + "}");
    }

private:
    using condition = freshet::write_condition<freshet::document>;

    struct sight {
        freshet::document row; // as the table gave it
        plain_item plain;
        std::uint64_t writes{}; // to that key, before it was seen
    };

    /// What a condition may do, told from the plain table.
    enum class prospect { holds, fails, either };

    struct wish {
        condition when;
        prospect what{};
        const plain_item* seen{};
    };

    template <class T>
    [[nodiscard]] auto any(const std::vector<T>& pool) -> const T& {
        return pool[below(pool.size())];
    }

    [[nodiscard]] auto stored(const freshet::row_key& key) const -> const plain_item* {
        const auto found = rows_.find(key);
        return found == rows_.end() ? nullptr : &found->second;
    }

    /// Reads a row and checks it; `remember`: for a later `if_unchanged`.
    void look(const freshet::row_key& key, bool remember) {
        auto row = got(table_.get(key));
        const auto* there = stored(key);
        REQUIRE(row.has_value() == (there != nullptr));
        if (there == nullptr) { return; }
        CHECK(same_item(row->image(), spelled(*there).image()));
        if (remember) { seen_.insert_or_assign(key, sight{*std::move(row), *there, writes_[key]}); }
    }

    [[nodiscard]] auto wishes(const freshet::row_key& key) -> wish {
        const auto says = [](bool holds) { return holds ? prospect::holds : prospect::fails; };
        const auto* there = stored(key);
        switch (below(5)) {
            case 0: return {condition::if_absent(), says(there == nullptr), nullptr};
            case 1: return {condition::if_present(), says(there != nullptr), nullptr};
            case 2: {
                const auto seen = seen_.find(key);
                if (seen == seen_.end()) { return {}; }
                const auto& was = seen->second;
                const auto is_new = [&](const auto& one) { return !was.plain.contains(one.first); };
                if (!notices_additions_ && there != nullptr && std::any_of(there->begin(), there->end(), is_new)) {
                    return {};
                }
                const bool equal = there != nullptr && *there == was.plain;
                // A table that keeps versions may refuse a row that went and came back.
                return {condition::if_unchanged(was.row),
                        !equal                       ? prospect::fails
                        : was.writes == writes_[key] ? prospect::holds
                                                     : prospect::either,
                        &was.plain};
            }
            default: return {};
        }
    }

    /// Settles an outcome: `after` is what the write makes of the row, `done` whether the row is so already.
    void settle(const freshet::row_key& key, const freshet::result<void>& outcome, prospect what,
                const std::optional<plain_item>& after, bool done) {
        const bool must = done || what == prospect::holds;
        const bool may = must || what == prospect::either;
        if (outcome.ok() ? !may : must || outcome.why().code != freshet::errc::conflict) {
            const std::string prospects = must ? "must" : may ? "may" : "must not";
            FAIL_CHECK("a write that ", prospects, " succeed ", outcome.ok() ? std::string{"did"} : outcome.why().note);
        }
        if (outcome.ok()) {
            ++writes_[key];
            const auto* there = stored(key);
            auto before = there == nullptr ? std::nullopt : std::optional{*there};
            if (!done && before != after) {
                if (after) {
                    rows_[key] = *after;
                } else {
                    rows_.erase(key);
                }
                history_.push_back({key, std::move(before), after});
            }
        }
        look(key, false);
    }

    void put(const freshet::row_key& key) {
        const auto* there = stored(key);
        plain_item plain = there != nullptr && below(4) == 0 ? *there : item_of(key);
        const auto when = wishes(key);
        const auto outcome = table_.put(spelled(plain), when.when);
        settle(key, outcome, when.what, plain, there != nullptr && *there == plain);
    }

    void update(const freshet::row_key& key) {
        plain_item set;
        freshet::item_patch patch;
        for (auto n = below(3); n > 0; --n) { add_any(set); }
        for (const auto* name : {"a", "b", "GSI1PK", "GSI1SK", "GSI3PK"}) {
            if (below(6) == 0 && !set.contains(name)) { patch.remove.emplace_back(name); }
        }
        patch.set = spelled(set);
        const auto patched = [&](plain_item plain) {
            for (const auto& name : patch.remove) { plain.erase(name); }
            for (const auto& [name, value] : set) { plain[name] = value; }
            return plain;
        };
        const auto* there = stored(key);
        const auto bare = keys_of(key);
        const auto when = wishes(key);
        const auto outcome = table_.update(key, patch, when.when);
        const bool done = there != nullptr && *there == patched(when.seen != nullptr ? *when.seen : bare) &&
                          when.when.what() != condition::kind::present;
        settle(key, outcome, when.what, patched(there != nullptr ? *there : bare), done);
    }

    void erase(const freshet::row_key& key) {
        const auto when = wishes(key);
        const auto outcome = table_.erase(key, when.when);
        settle(key, outcome, when.what, std::nullopt, stored(key) == nullptr);
    }

    [[nodiscard]] static auto keys_of(const freshet::row_key& key) -> plain_item {
        const auto called = [](const std::string& text) {
            return &*std::find_if(texts.begin(), texts.end(), [&](const auto& one) { return one.text == text; });
        };
        return {{"PK", called(key.partition)}, {"SK", called(key.sort)}};
    }

    void add_any(plain_item& plain) {
        constexpr std::array names{"GSI1PK", "GSI1SK", "GSI3PK", "a", "b", "c"};
        const auto* name = names[below(names.size())];
        plain[name] = std::string_view{name}.starts_with("GSI") ? &texts[4 + below(4)] : &any(values);
    }

    [[nodiscard]] auto item_of(const freshet::row_key& key) -> plain_item {
        auto plain = keys_of(key);
        for (auto n = below(6); n > 0; --n) { add_any(plain); }
        return plain;
    }

    void compare_query(std::string index, const std::string& partition, const std::string& sort,
                       const std::string& wanted) {
        constexpr std::array<std::string_view, 4> prefixes{"", "", "A#", "A#1"};
        freshet::index_query which{std::move(index), wanted};
        if (!sort.empty() && below(2) == 0) {
            which.sort_prefix = prefixes[below(prefixes.size())];
        } else if (!sort.empty()) {
            if (below(3) != 0) { which.sort_first = any(texts).text; }
            if (below(3) != 0) { which.sort_last = any(texts).text; }
            if (!bounds_by_bytes_ && !same_side_in_utf16(which.sort_first)) { which.sort_first.clear(); }
            if (!bounds_by_bytes_ && !same_side_in_utf16(which.sort_last)) { which.sort_last.clear(); }
        }
        std::vector<std::pair<std::string, freshet::row_key>> expected;
        for (const auto& [key, row] : rows_) {
            if (!row.contains(partition) || row.at(partition)->text != wanted) { continue; }
            if (!sort.empty() && !row.contains(sort)) { continue; }
            const auto place = sort.empty() ? std::string{} : row.at(sort)->text;
            const bool below_last = which.sort_last.empty() || place <= which.sort_last;
            if (place.starts_with(which.sort_prefix) && place >= which.sort_first && below_last) {
                expected.emplace_back(place, key);
            }
        }
        std::sort(expected.begin(), expected.end());
        const auto find = [&] {
            std::vector<std::pair<std::string, freshet::row_key>> found;
            for (const auto& row : all_rows(table_, &which, below(4))) {
                found.emplace_back(sort.empty() ? std::string{} : text_of(row, sort), key_of(row));
                const auto* there = stored(found.back().second);
                REQUIRE(there != nullptr);
                CHECK(same_item(row.image(), spelled(*there).image()));
            }
            return found;
        };
        auto found = find();
        CHECK(find() == found);
        CHECK(std::is_sorted(found.begin(), found.end(), [](auto& a, auto& b) { return a.first < b.first; }));
        std::sort(found.begin(), found.end()); // those of equal sort keys come in any order
        CHECK(found == expected);
    }

    Table& table_;
    std::mt19937_64 random_;
    bool notices_additions_;
    bool bounds_by_bytes_;
    std::array<std::string, 3> partitions_;
    std::array<std::string, 5> sorts_;
    std::map<freshet::row_key, plain_item> rows_;
    std::map<freshet::row_key, sight> seen_;
    std::map<freshet::row_key, std::uint64_t> writes_;
    std::vector<made> history_;
};

} // namespace laws
