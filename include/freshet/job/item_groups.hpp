#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet {

/// Items that are worked on together, in the order in which they were listed.
template <class Item>
struct item_group {
    std::string key;
    std::vector<Item> items;
    friend auto operator==(const item_group&, const item_group&) -> bool = default;
};

/// The group of items that have none of their own.
inline constexpr std::string_view ungrouped = "(no group)";

/// Items by the keys of their groups, groups ascending bytewise: the one order that every execution of a round has.
///
/// A value; holds what was added and not yet taken.
template <class Item>
class item_groups {
public:
    void add(std::string key, Item item) {
        groups_[std::move(key)].push_back(std::move(item));
        ++items_;
    }

    /// Drops the groups up to this one, and this one, be it there or not.
    void after(std::string_view key) {
        while (!groups_.empty() && std::string_view{groups_.begin()->first} <= key) { static_cast<void>(take_one()); }
    }

    /// Takes the first `most` groups out, or as many as there are.
    [[nodiscard]] auto take(std::size_t most) -> std::vector<item_group<Item>> {
        std::vector<item_group<Item>> taken;
        while (taken.size() < most && !groups_.empty()) { taken.push_back(take_one()); }
        return taken;
    }

    [[nodiscard]] auto size() const noexcept -> std::size_t { return groups_.size(); } ///< groups
    [[nodiscard]] auto items() const noexcept -> std::size_t { return items_; }

private:
    [[nodiscard]] auto take_one() -> item_group<Item> {
        auto node = groups_.extract(groups_.begin());
        items_ -= node.mapped().size();
        return {std::move(node.key()), std::move(node.mapped())};
    }

    std::map<std::string, std::vector<Item>, std::less<>> groups_;
    std::size_t items_{};
};

} // namespace freshet
