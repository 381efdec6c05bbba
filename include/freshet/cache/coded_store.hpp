#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/backend/codec.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/ttl_store.hpp>
#include <freshet/cache/key_text.hpp>
#include <freshet/core/observe.hpp>
#include <freshet/core/result.hpp>

namespace freshet {

/// A store has bytes that the codec does not read.
struct entry_undecodable {
    static constexpr std::string_view name = "entry_undecodable";
    std::string_view key; ///< as `key_text` shows it
    const error& why;
    void fields(auto&& visit) const {
        visit("key", key);
        visit("note", std::string_view{why.note});
    }
};

/// A ttl_store of the codec's values, on a ttl_store of bytes (`std::string`), which it borrows.
///
/// The bytes begin with the codec's version. What was written by another version, or cannot be decoded, is a miss and
/// an event, not a failure: programs of two versions may share a store, and each overwrites what it cannot read.
template <class Store, class Codec, class Observer = unobserved>
class coded_store {
    static_assert(ttl_store<Store> && std::same_as<typename Store::mapped_type, std::string>,
                  "a coded_store lies on a ttl_store of bytes: its mapped_type is std::string");
    static_assert(codec<Codec>,
                  "a coded_store needs a codec: value_type, version, encode and decode, as "
                  "freshet::codec has them");
    static_assert(shareable<Store>, "a coded_store is used by several threads at once, and so is the store it lies on");
    static_assert(std::same_as<Observer, unobserved> || shareable<Observer>,
                  "a coded_store's observer is called by several threads at once: a shared_watch is the word that its "
                  "functions may be");

public:
    using is_shareable = void;
    using key_type = typename Store::key_type;
    using mapped_type = typename Codec::value_type;
    using entry_type = cache_entry<mapped_type>;
    using emits = event_list<entry_undecodable>;
    static constexpr fence_scope fence = Store::fence;

    explicit coded_store(Store& bytes, Codec codec = {}, Observer seen = {})
        : bytes_{bytes}, codec_{std::move(codec)}, seen_{std::move(seen)} {}

    [[nodiscard]] auto get(const key_type& key) -> result<looked_up<mapped_type>> {
        auto found = bytes_.get(key);
        if (!found) { return std::move(found).why(); }
        looked_up<mapped_type> seen{std::nullopt, found->ticket};
        if (!found->entry) { return seen; }
        const auto& entry = *found->entry;
        seen.entry = {std::nullopt, entry.loaded_at, entry.fresh_until, entry.keep_until};
        if (!entry.value) { return seen; }
        if (auto value = decoded(*entry.value)) {
            seen.entry->value = *std::move(value);
        } else {
            seen.entry.reset();
            if constexpr (hears<Observer, entry_undecodable>) {
                const key_text text{key};
                emit(seen_, entry_undecodable{text.view(), value.why()});
            }
        }
        return seen;
    }

    [[nodiscard]] auto put(const key_type& key, const entry_type& entry, const store_ticket& ticket) -> result<void> {
        auto bytes = without_value(entry);
        if (entry.value) { bytes.value = head() + codec_.encode(*entry.value); }
        return bytes_.put(key, bytes, ticket);
    }

    [[nodiscard]] auto touch(const key_type& key, const entry_type& entry, const store_ticket& ticket) -> result<void> {
        return bytes_.touch(key, without_value(entry), ticket);
    }
    [[nodiscard]] auto erase(const key_type& key) -> result<void> { return bytes_.erase(key); }
    [[nodiscard]] auto clear() -> result<void> { return bytes_.clear(); }

private:
    [[nodiscard]] static auto head() -> std::string {
        return 'v' + std::to_string(std::uint32_t{Codec::version}) + ':';
    }
    [[nodiscard]] static auto without_value(const entry_type& entry) -> cache_entry<std::string> {
        return {std::nullopt, entry.loaded_at, entry.fresh_until, entry.keep_until};
    }
    [[nodiscard]] auto decoded(std::string_view bytes) const -> result<mapped_type> {
        const auto mine = head();
        if (!bytes.starts_with(mine)) {
            return error{errc::malformed, "not of version " + mine.substr(0, mine.size() - 1)};
        }
        return codec_.decode(bytes.substr(mine.size()));
    }

    Store& bytes_;
    [[no_unique_address]] Codec codec_;
    [[no_unique_address]] observer_for<Observer, emits> seen_;
};

} // namespace freshet
