#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/table.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/core/result.hpp>

/// What belongs to one thread at a time, for many: the connections to an SQLite file.
namespace label_counts {

/// Lends an object to whoever calls, and opens another one while all are lent.
template <class Object>
class lent {
public:
    explicit lent(std::function<freshet::result<Object>()> open) : open_{std::move(open)} {}

    /// Opens one that nobody needs yet, to see whether it can be.
    [[nodiscard]] auto open() -> freshet::result<void> {
        return with([](Object&) { return freshet::result<void>{}; });
    }
    /// What `use(object)` answers, a `freshet::result`; fails as the opening does.
    template <class Use>
    [[nodiscard]] auto with(Use use) -> decltype(use(std::declval<Object&>())) {
        auto mine = take();
        if (!mine) { return std::move(mine).why(); }
        auto answer = use(*mine);
        const std::scoped_lock lock{mutex_};
        resting_.push_back(*std::move(mine));
        return answer;
    }

private:
    [[nodiscard]] auto take() -> freshet::result<Object> {
        {
            const std::scoped_lock lock{mutex_};
            if (!resting_.empty()) {
                auto one = std::move(resting_.back());
                resting_.pop_back();
                return one;
            }
        }
        return open_();
    }

    std::function<freshet::result<Object>()> open_;
    std::mutex mutex_;
    std::vector<Object> resting_;
};

/// A table to query that threads may share.
template <class Table>
class lent_table {
public:
    using is_shareable = void;
    using row_type = typename Table::row_type;

    explicit lent_table(std::function<freshet::result<Table>()> open) : tables_{std::move(open)} {}
    [[nodiscard]] auto open() -> freshet::result<void> { return tables_.open(); }

    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request)
        -> freshet::result<freshet::page<row_type>> {
        return tables_.with([&](Table& table) { return table.query(which, request); });
    }

private:
    lent<Table> tables_;
};

/// A ttl_store that threads may share. The store's tickets must be good for all its objects.
template <class Store>
class lent_store {
    static_assert(Store::fence == freshet::fence_scope::shared, "each of a lent_store's objects must know the others'");

public:
    using is_shareable = void;
    using key_type = typename Store::key_type;
    using mapped_type = typename Store::mapped_type;
    using entry_type = freshet::cache_entry<mapped_type>;
    static constexpr auto fence = freshet::fence_scope::shared;

    explicit lent_store(std::function<freshet::result<Store>()> open) : stores_{std::move(open)} {}
    [[nodiscard]] auto open() -> freshet::result<void> { return stores_.open(); }

    [[nodiscard]] auto get(const key_type& key) -> freshet::result<freshet::looked_up<mapped_type>> {
        return stores_.with([&](Store& store) { return store.get(key); });
    }
    [[nodiscard]] auto put(const key_type& key, const entry_type& entry, const freshet::store_ticket& ticket)
        -> freshet::result<void> {
        return stores_.with([&](Store& store) { return store.put(key, entry, ticket); });
    }
    [[nodiscard]] auto touch(const key_type& key, const entry_type& entry, const freshet::store_ticket& ticket)
        -> freshet::result<void> {
        return stores_.with([&](Store& store) { return store.touch(key, entry, ticket); });
    }
    [[nodiscard]] auto erase(const key_type& key) -> freshet::result<void> {
        return stores_.with([&](Store& store) { return store.erase(key); });
    }
    [[nodiscard]] auto clear() -> freshet::result<void> {
        return stores_.with([](Store& store) { return store.clear(); });
    }

private:
    lent<Store> stores_;
};

} // namespace label_counts
