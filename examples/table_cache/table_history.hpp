#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/item_table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>
#include <table_cache/read_units.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

/// What stood there from which instant on.
class versions {
public:
    void add(freshet::time_point at, std::uint64_t what) { all_.push_back({at, what}); }
    /// From now on nothing older than the last version will do.
    void forbid_older() { least_ = all_.empty() ? 0 : all_.size() - 1; }
    [[nodiscard]] auto last() const -> std::uint64_t { return all_.empty() ? 0 : all_.back().what; }

    /// Whether this stood there at some instant after `now - age`, or stands there now.
    [[nodiscard]] auto had(std::uint64_t what, freshet::time_point now, freshet::duration age) const -> bool {
        if (what == last()) { return true; }
        for (auto i = least_; i + 1 < all_.size(); ++i) {
            if (all_[i].what == what && age > freshet::duration::zero() && all_[i + 1].since > now - age) {
                return true;
            }
        }
        return false;
    }

private:
    struct version {
        freshet::time_point since;
        std::uint64_t what;
    };
    std::vector<version> all_;
    std::size_t least_{};
};

/// What a table had when, as its writers know it: says whether rows that somebody saw are ones that he may see, and
/// what reading them costs.
class table_history {
public:
    void write(freshet::time_point at, const std::string& id, const freshet::document& row) {
        const auto [found, is_new] = rows_.try_emplace(id);
        auto& there = found->second;
        if (is_new) { there.was.add(freshet::time_point::min(), 0); }
        const auto digest = digest_of(row);
        sum_ += digest - there.was.last();
        there.was.add(at, digest);
        there.bytes = adapters::item_size(row.image());
        all_.add(at, sum_);
    }
    void forbid_older() {
        all_.forbid_older();
        for (auto& [id, row] : rows_) { row.was.forbid_older(); }
    }

    /// Whether all these rows were the table's, at an instant after `now - age`, or are so now.
    template <class Rows>
    [[nodiscard]] auto had(const Rows& rows, freshet::time_point now, freshet::duration age) const -> bool {
        std::uint64_t sum = 0;
        for (const auto& row : rows) { sum += digest_of(row); }
        return all_.had(sum, now, age);
    }
    /// The same of one row, null where none was seen.
    [[nodiscard]] auto had_row(const std::string& id, const freshet::document* row, freshet::time_point now,
                               freshet::duration age) const -> bool {
        const auto found = rows_.find(id);
        const auto digest = row == nullptr ? 0 : digest_of(*row);
        return found == rows_.end() ? row == nullptr : found->second.was.had(digest, now, age);
    }

    /// What a scan costs now, in pages of `page_rows`.
    [[nodiscard]] auto scan_price(consistency how) const -> read_counts {
        read_counts price{.scans = 1, .rows = static_cast<std::int64_t>(rows_.size())};
        auto at = rows_.begin();
        do {
            std::size_t bytes = 0;
            for (std::size_t n = 0; n != page_rows && at != rows_.end(); ++n, ++at) { bytes += at->second.bytes; }
            price += {.requests = 1, .pages = 1, .units = price_of(bytes, how)};
        } while (at != rows_.end());
        return price;
    }
    /// What reading one row costs now.
    [[nodiscard]] auto row_price(const std::string& id, consistency how) const -> read_counts {
        const auto found = rows_.find(id);
        const bool is_there = found != rows_.end();
        return {.requests = 1, .rows = is_there ? 1 : 0, .units = price_of(is_there ? found->second.bytes : 0, how)};
    }

private:
    struct row_history {
        versions was;
        std::size_t bytes{};
    };

    [[nodiscard]] static auto digest_of(const freshet::document& row) -> std::uint64_t {
        return std::hash<std::string>{}(freshet::canonical_text(row.image()));
    }

    std::map<std::string, row_history> rows_;
    versions all_;
    std::uint64_t sum_{}; // of the rows' digests, 0 being that of none
};

} // namespace email_agent
