#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include <freshet/backend/row_key.hpp>
#include <freshet/core/sequence_number.hpp>

namespace freshet {

/// Remembers the sequence number of each item's last change, so that an older one that comes again is known for that.
///
/// Removed items are remembered like others. Holds at least the `most` items that changed last, and at most twice as
/// many: a stream that repeats changes repeats recent ones.
class sequence_fence {
public:
    explicit sequence_fence(std::size_t most) : most_{most} {}

    /// The item's last sequence number; null where none is remembered.
    [[nodiscard]] auto last(const row_key& key) const -> const sequence_number* {
        for (const auto* some : {&recent_, &before_}) {
            if (const auto found = some->find(key); found != some->end()) { return &found->second; }
        }
        return nullptr;
    }
    void advance(const row_key& key, const sequence_number& to) {
        if (recent_.size() >= most_) { before_ = std::exchange(recent_, {}); }
        recent_.insert_or_assign(key, to);
    }
    void forget_all() {
        recent_.clear();
        before_.clear();
    }

private:
    struct hash_of_key {
        auto operator()(const row_key& key) const -> std::size_t {
            const std::hash<std::string> hash;
            return hash(key.partition) * 31 + hash(key.sort);
        }
    };
    using numbers = std::unordered_map<row_key, sequence_number, hash_of_key>;

    std::size_t most_;
    numbers recent_;
    numbers before_;
};

} // namespace freshet
