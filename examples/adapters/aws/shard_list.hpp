#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/aws/shard_position.hpp>

namespace adapters::aws {

/// The shards of a stream, as DescribeStream lists them.
///
/// A shard that has children is closed, whatever else the list says of it.
class shard_list {
public:
    /// `parent` is empty where there is none; it need not be listed (any more).
    void add(std::string shard, std::string parent, bool closed) {
        if (!parent.empty()) { parents_.insert(parent); }
        shards_.insert_or_assign(std::move(shard), known{std::move(parent), closed});
    }

    [[nodiscard]] auto has(std::string_view shard) const -> bool { return shards_.contains(shard); }
    [[nodiscard]] auto has_children(std::string_view shard) const -> bool { return parents_.contains(shard); }
    [[nodiscard]] auto closed(std::string_view shard) const -> bool {
        const auto found = shards_.find(shard);
        return has_children(shard) || (found != shards_.end() && found->second.closed);
    }
    /// Empty where it has none, or the shard is not listed.
    [[nodiscard]] auto parent_of(std::string_view shard) const -> std::string_view {
        const auto found = shards_.find(shard);
        return found == shards_.end() ? std::string_view{} : std::string_view{found->second.parent};
    }

    /// The shards from which no other descends.
    [[nodiscard]] auto newest() const -> std::vector<std::string> {
        std::vector<std::string> all;
        for (const auto& [shard, about] : shards_) {
            if (!has_children(shard)) { all.push_back(shard); }
        }
        return all;
    }

    /// The shards whose turn it is to be named in a position: their parent has been read to its end, or is not listed
    /// any more, and neither they nor any descendant is named.
    ///
    /// Source: the DynamoDB developer guide, "Change data capture for DynamoDB Streams" (a parent before its children).
    [[nodiscard]] auto entering(const shard_places& named) const -> std::vector<std::string> {
        std::set<std::string_view> read; // what named shards descend from
        for (const auto& [shard, place] : named) {
            for (auto up = parent_of(shard); has(up) && read.insert(up).second; up = parent_of(up)) {}
        }
        const auto at_its_end = [&](std::string_view parent) {
            const auto found = named.find(parent);
            return !has(parent) || read.contains(parent) ||
                   (found != named.end() && found->second.is == shard_place::kind::done);
        };
        std::vector<std::string> all;
        for (const auto& [shard, about] : shards_) {
            if (!named.contains(shard) && !read.contains(shard) && at_its_end(about.parent)) { all.push_back(shard); }
        }
        return all;
    }

private:
    struct known {
        std::string parent;
        bool closed{};
    };

    std::map<std::string, known, std::less<>> shards_;
    std::set<std::string, std::less<>> parents_; // of listed shards
};

} // namespace adapters::aws
