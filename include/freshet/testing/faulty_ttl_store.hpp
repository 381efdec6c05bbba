#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <freshet/backend/ttl_store.hpp>
#include <freshet/testing/faults.hpp>

namespace freshet::testing {

/// A ttl store in front of another, in which what the script says goes wrong: `store.get`, `store.put`, `store.touch`,
/// `store.erase`, `store.clear`.
///
/// Borrows both. Keeps the laws that the other keeps, so long as no fault's code is `conflict`. Thread safe if the
/// other is, but the script is this wrapper's alone while threads use it; a fault's `action` runs outside of its lock.
template <class Store>
class faulty_ttl_store {
public:
    using is_shareable = void;
    using key_type = typename Store::key_type;
    using mapped_type = typename Store::mapped_type;
    static constexpr fence_scope fence = Store::fence;

    faulty_ttl_store(Store& store, faults& script, std::string name = "store")
        : store_{store}, script_{script}, name_{std::move(name)} {}

    [[nodiscard]] auto get(const key_type& key) -> result<looked_up<mapped_type>> {
        return around(".get", [&] { return store_.get(key); });
    }
    [[nodiscard]] auto put(const key_type& key, const cache_entry<mapped_type>& entry, const store_ticket& ticket)
        -> result<void> {
        return around(".put", [&] { return store_.put(key, entry, ticket); });
    }
    [[nodiscard]] auto touch(const key_type& key, const cache_entry<mapped_type>& entry, const store_ticket& ticket)
        -> result<void> {
        return around(".touch", [&] { return store_.touch(key, entry, ticket); });
    }
    [[nodiscard]] auto erase(const key_type& key) -> result<void> {
        return around(".erase", [&] { return store_.erase(key); });
    }
    [[nodiscard]] auto clear() -> result<void> {
        return around(".clear", [&] { return store_.clear(); });
    }

private:
    template <class Call>
    [[nodiscard]] auto around(std::string_view verb, Call&& call) -> std::invoke_result_t<Call&> {
        const auto operation = name_ + std::string{verb};
        return faults::run(next(operation), operation, call);
    }
    [[nodiscard]] auto next(const std::string& operation) -> fault {
        const std::scoped_lock lock{mutex_};
        return script_.take(operation, call_shape::single);
    }

    Store& store_;
    faults& script_;
    std::string name_;
    std::mutex mutex_;
};

} // namespace freshet::testing
