#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

#include <freshet/core/number.hpp>
#include <freshet/item/attribute.hpp>

namespace freshet {

/// Whether two attribute values mean the same to DynamoDB.
///
/// Numbers compare by value (`1.0` is `1`), sets in any order, lists in theirs, maps by name, all the way down; values
/// of different types differ. Equal bytes are equal without a closer look. Keeps scratch memory between calls and
/// is not thread safe. Work is n log n at worst, for sets and maps written in another order.
class same_value {
public:
    /// With `null_is_absent`, a NULL inside a map counts as no member at all.
    explicit same_value(bool null_is_absent = false) : null_is_absent_{null_is_absent} {}

    [[nodiscard]] auto operator()(attribute a, attribute b) -> bool {
        using enum attribute_type;
        if (a.type() != b.type()) { return false; }
        if (!a.token().empty() && a.token() == b.token()) { return true; }
        switch (a.type()) {
            case string:
            case binary: return a.text() == b.text();
            case number: return same_number(a.text(), b.text());
            case boolean: return a.boolean() == b.boolean();
            case null: return true;
            case list: return side_by_side(a, b);
            case map: return in_any_order(a, b, [](attribute x, attribute y) { return x.name() < y.name(); });
            case string_set:
            case binary_set: return in_any_order(a, b, [](attribute x, attribute y) { return x.text() < y.text(); });
            case number_set:
                return in_any_order(a, b, [](attribute x, attribute y) {
                    return compare(*parse_number(x.text()), *parse_number(y.text())) < 0;
                });
        }
        return false;
    }

private:
    [[nodiscard]] static auto same_number(std::string_view a, std::string_view b) -> bool {
        return a == b || compare(*parse_number(a), *parse_number(b)) == 0;
    }

    [[nodiscard]] auto side_by_side(attribute a, attribute b) -> bool {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [this](attribute x, attribute y) { return x.name() == y.name() && (*this)(x, y); });
    }

    template <class Before>
    [[nodiscard]] auto in_any_order(attribute a, attribute b, Before before) -> bool {
        const auto in_step = [&](attribute x, attribute y) { return !before(x, y) && !before(y, x); };
        // Writers mostly keep their order, and then nothing need be sorted. Only what is sorted by is looked at here:
        // comparing whole values twice at each level would double the work with every level of nesting.
        if (std::equal(a.begin(), a.end(), b.begin(), b.end(), in_step)) { return side_by_side(a, b); }
        const auto first = sorted_.size();
        collect(a);
        const auto middle = sorted_.size();
        collect(b);
        const auto at = [&](std::size_t i) { return sorted_.begin() + static_cast<std::ptrdiff_t>(i); };
        std::sort(at(first), at(middle), before);
        std::sort(at(middle), sorted_.end(), before);
        bool same = sorted_.size() - middle == middle - first;
        for (std::size_t i = first; same && i != middle; ++i) {
            // By value: comparing what is inside may move `sorted_`.
            const auto x = sorted_[i];
            const auto y = sorted_[i + (middle - first)];
            same = x.name() == y.name() && (*this)(x, y);
        }
        sorted_.erase(at(first), sorted_.end());
        return same;
    }

    void collect(attribute values) {
        for (const auto value : values) {
            if (!null_is_absent_ || values.type() != attribute_type::map || value.type() != attribute_type::null) {
                sorted_.push_back(value);
            }
        }
    }

    std::vector<attribute> sorted_;
    bool null_is_absent_;
};

} // namespace freshet
