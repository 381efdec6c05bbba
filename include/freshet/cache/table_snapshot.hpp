#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/text_hash.hpp>
#include <freshet/core/time.hpp>
#include <freshet/work/isolated.hpp>

namespace freshet {

/// What becomes of the row of a key: this row, or, where it is absent, none.
template <class Row>
struct row_edit {
    row_key key;
    std::optional<Row> row;
};

/// The rows of a table as they were; never changes.
///
/// A range of rows: those of a scan in its order, then those that edits added, in theirs. A row that an edit replaces
/// keeps its place. Copies and edited ones share the rows that they have in common: an edit copies no row, and of the
/// arrangement a pointer for every 32 rows and the few blocks that it touches.
template <class Row>
class table_snapshot {
    struct entry {
        std::optional<row_key> key;
        Row row;
    };
    using shared_entry = std::shared_ptr<const entry>;
    struct place {
        std::uint32_t tag; // of the key's hash
        std::uint32_t at;
    };
    using chunk = std::vector<shared_entry>; // null: removed
    using bucket = std::vector<place>;
    static constexpr std::size_t per_block = 64; // rows of a chunk, and, on the average, at most twice that of a bucket

public:
    using row_type = Row;
    using value_type = Row;
    using size_type = std::size_t;

    /// No rows.
    table_snapshot() = default;

    /// These rows; `key_of(const Row&) -> result<row_key>` says their keys.
    template <class KeyOf>
    [[nodiscard]] static auto of(std::vector<Row> rows, KeyOf&& key_of) -> table_snapshot {
        table_snapshot made;
        std::vector<shared_entry> entries;
        entries.reserve(rows.size());
        for (auto& row : rows) {
            auto key = isolated(key_of, std::as_const(row));
            if (!key && !made.fault_) { made.fault_ = key.why(); }
            auto known = key ? std::optional{*std::move(key)} : std::nullopt;
            entries.push_back(std::make_shared<const entry>(entry{std::move(known), std::move(row)}));
        }
        made.arrange(std::move(entries));
        return made;
    }

    /// These rows after the edits, of which the last one of a key counts.
    [[nodiscard]] auto with(std::vector<row_edit<Row>> edits) const -> table_snapshot {
        table_snapshot next{*this};
        {
            draft changed{next};
            for (auto& edit : edits) {
                const auto at = next.place_of(edit.key);
                if (!edit.row) {
                    if (at) { changed.remove(*at); }
                    continue;
                }
                auto row = std::make_shared<const entry>(entry{std::move(edit.key), *std::move(edit.row)});
                if (at) {
                    changed.chunk_at(*at)[*at % per_block] = std::move(row);
                } else {
                    changed.append(std::move(row));
                }
            }
        }
        const bool gaps = next.slots_ > 2 * next.rows_ + per_block;
        const bool full = next.rows_ > 2 * per_block * next.index_.size();
        if (gaps || full) { next.arrange(next.entries()); }
        return next;
    }

    /// The key's row; null where there is none. Lives as long as a snapshot that has it.
    [[nodiscard]] auto find(const row_key& key) const -> const Row* {
        const auto at = place_of(key);
        return at ? &slot(*at)->row : nullptr;
    }

    [[nodiscard]] auto size() const noexcept -> std::size_t { return rows_; }
    [[nodiscard]] auto empty() const noexcept -> bool { return rows_ == 0; }

    /// Why `find` may not find a row that is here: the first row without a readable key, or with the key of another.
    [[nodiscard]] auto fault() const noexcept -> const std::optional<error>& { return fault_; }

    class iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Row;
        using difference_type = std::ptrdiff_t;
        using pointer = const Row*;
        using reference = const Row&;

        iterator() = default;
        [[nodiscard]] auto operator*() const -> const Row& { return of_->slot(at_)->row; }
        [[nodiscard]] auto operator->() const -> const Row* { return &of_->slot(at_)->row; }
        auto operator++() -> iterator& {
            ++at_;
            skip();
            return *this;
        }
        auto operator++(int) -> iterator {
            auto old = *this;
            ++*this;
            return old;
        }
        friend auto operator==(const iterator&, const iterator&) -> bool = default;

    private:
        friend table_snapshot;
        iterator(const table_snapshot* of, std::size_t at) : of_{of}, at_{at} { skip(); }
        void skip() {
            while (at_ != of_->slots_ && !of_->slot(at_)) { ++at_; }
        }

        const table_snapshot* of_{};
        std::size_t at_{};
    };
    using const_iterator = iterator;

    [[nodiscard]] auto begin() const -> iterator { return {this, 0}; }
    [[nodiscard]] auto end() const -> iterator { return {this, slots_}; }

private:
    /// Changes a snapshot that nobody has seen: copies a block that others share when it is first touched.
    class draft {
    public:
        explicit draft(table_snapshot& of) : of_{of}, chunks_(of.chunks_.size()), buckets_(of.index_.size()) {}

        void append(shared_entry row) {
            if (of_.slots_ % per_block == 0) {
                of_.chunks_.push_back(std::make_shared<const chunk>());
                chunks_.push_back(nullptr);
            }
            if (row->key) { bucket_of(*row->key).push_back({of_.tag_of(*row->key), as_place(of_.slots_)}); }
            chunk_at(of_.slots_).push_back(std::move(row));
            ++of_.slots_;
            ++of_.rows_;
        }
        void remove(std::size_t at) {
            auto& row = chunk_at(at)[at % per_block];
            std::erase_if(bucket_of(*row->key), [&](const place& one) { return one.at == at; });
            row.reset();
            --of_.rows_;
        }
        auto chunk_at(std::size_t at) -> chunk& { return own(of_.chunks_, chunks_, at / per_block); }

    private:
        auto bucket_of(const row_key& key) -> bucket& { return own(of_.index_, buckets_, of_.bucket_of(key)); }
        static auto as_place(std::size_t at) -> std::uint32_t { return static_cast<std::uint32_t>(at); }

        template <class Block>
        static auto own(std::vector<std::shared_ptr<const Block>>& all, std::vector<Block*>& owned, std::size_t i)
            -> Block& {
            if (owned[i] == nullptr) {
                auto mine = std::make_shared<Block>(*all[i]);
                owned[i] = mine.get();
                all[i] = std::move(mine);
            }
            return *owned[i];
        }

        table_snapshot& of_;
        std::vector<chunk*> chunks_; // those that this draft made; null: shared
        std::vector<bucket*> buckets_;
    };

    /// Begins anew with these rows, without gaps.
    void arrange(std::vector<shared_entry> entries) {
        chunks_.clear();
        slots_ = rows_ = 0;
        index_.assign(entries.size() / per_block + 1, std::make_shared<const bucket>());
        draft all{*this};
        for (auto& row : entries) {
            if (row->key && !fault_ && place_of(*row->key)) {
                fault_ = error{errc::malformed, "two rows have the key " + printable(row->key->partition) + " / " +
                                                    printable(row->key->sort)};
            }
            all.append(std::move(row));
        }
    }
    [[nodiscard]] auto entries() const -> std::vector<shared_entry> {
        std::vector<shared_entry> all;
        all.reserve(rows_);
        for (std::size_t at = 0; at != slots_; ++at) {
            if (const auto& row = slot(at)) { all.push_back(row); }
        }
        return all;
    }

    [[nodiscard]] auto slot(std::size_t at) const -> const shared_entry& {
        return (*chunks_[at / per_block])[at % per_block];
    }
    [[nodiscard]] auto place_of(const row_key& key) const -> std::optional<std::size_t> {
        const auto tag = tag_of(key);
        for (const auto& one : *index_[bucket_of(key)]) {
            if (one.tag == tag && slot(one.at)->key == key) { return one.at; }
        }
        return std::nullopt;
    }
    [[nodiscard]] auto hash_of(const row_key& key) const -> std::uint64_t {
        return hash_(hash_(0, key.partition), key.sort);
    }
    [[nodiscard]] auto tag_of(const row_key& key) const -> std::uint32_t {
        return static_cast<std::uint32_t>(hash_of(key));
    }
    [[nodiscard]] auto bucket_of(const row_key& key) const -> std::size_t {
        return static_cast<std::size_t>((hash_of(key) >> 32) % index_.size());
    }

    detail::text_hash hash_{this};
    std::vector<std::shared_ptr<const chunk>> chunks_;
    std::vector<std::shared_ptr<const bucket>> index_ = {std::make_shared<const bucket>()};
    std::size_t slots_{}; // rows, and gaps where rows were
    std::size_t rows_{};
    std::optional<error> fault_;
};

/// A snapshot, and the instant from which on what happened to the table may be missing in it.
template <class Row>
struct snapshot_at {
    std::shared_ptr<const table_snapshot<Row>> rows;
    time_point as_of{};
};

} // namespace freshet
