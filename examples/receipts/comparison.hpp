#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/sqlite/database.hpp>
#include <freshet/core/result.hpp>
#include <receipts/embedding.hpp>
#include <receipts/embeddings.hpp>

namespace receipts {

/// One key of one embedding on which table and store do not agree.
struct difference {
    std::string collection;
    std::string embedding;
    std::string key;   ///< empty: the whole embedding
    std::string table; ///< what it says, as JSON; empty: nothing
    std::string store;
    friend auto operator==(const difference&, const difference&) -> bool = default;
};

struct comparison {
    std::size_t receipts{};
    std::size_t embeddings{}; ///< compared, of both collections
    std::size_t keys{};       ///< compared, of all their metadata
    std::size_t effects{};    ///< of messages, in the order in which the store took them
    std::size_t differences{};
    std::vector<difference> shown; ///< the first of them

    [[nodiscard]] auto agrees() const noexcept -> bool { return differences == 0; }
};

namespace detail {

/// Compares one collection's embeddings of one receipt after the other.
class comparer {
public:
    comparer(adapters::sqlite::database& store, std::size_t shown, comparison& found)
        : store_{store}, shown_{shown}, found_{found} {}

    [[nodiscard]] auto compare(const receipt_items& one) -> freshet::result<void> {
        ++found_.receipts;
        for (const auto collection : collections) {
            auto stored = embeddings_of(collection, one.id());
            if (!stored) { return std::move(stored).why(); }
            for (const auto& each : one.embeddings_in(collection)) {
                ++found_.embeddings;
                const auto at = stored->find(each.id);
                if (at == stored->end()) {
                    differ({std::string{collection}, each.id, {}, text_of(each.metadata), {}});
                    continue;
                }
                compare(collection, each.id, each.metadata, at->second);
                stored->erase(at);
            }
            for (const auto& [id, metadata] : *stored) {
                differ({std::string{collection}, id, {}, {}, text_of(metadata)});
            }
        }
        return {};
    }

    void differ(difference one) {
        if (found_.differences++ < shown_) { found_.shown.push_back(std::move(one)); }
    }

private:
    void compare(std::string_view collection, const std::string& id, const nlohmann::json& table,
                 const nlohmann::json& store) {
        static const auto nothing = nlohmann::json::object();
        const auto& stored = store.is_object() ? store : nothing;
        for (const auto& [key, value] : table.items()) {
            ++found_.keys;
            const auto at = stored.find(key);
            if (at != stored.end() && *at == value) { continue; }
            differ({std::string{collection}, id, key, text_of(value), at == stored.end() ? "" : text_of(*at)});
        }
        for (const auto& [key, value] : stored.items()) {
            if (!table.contains(key)) { differ({std::string{collection}, id, key, {}, text_of(value)}); }
        }
    }

    [[nodiscard]] auto embeddings_of(std::string_view collection, const std::string& of)
        -> freshet::result<std::map<std::string, nlohmann::json>> {
        auto rows =
            store_.prepare("SELECT id, metadata FROM embedding WHERE collection = ?1 AND receipt = ?2", collection, of);
        if (!rows) { return rows.why(); }
        std::map<std::string, nlohmann::json> stored;
        auto more = rows->step();
        for (; more && *more; more = rows->step()) {
            stored.emplace(std::string{rows->text(0)}, nlohmann::json::parse(rows->text(1), nullptr, false));
        }
        if (!more) { return std::move(more).why(); }
        return stored;
    }

    [[nodiscard]] static auto text_of(const nlohmann::json& value) -> std::string {
        return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    adapters::sqlite::database& store_;
    std::size_t shown_;
    comparison& found_;
};

} // namespace detail

/// Compares what the embeddings say with what the table's items say, both ways, and looks whether each item's effects
/// were taken once and in order. Reads only; nobody writes meanwhile, or what is on its way shows as a difference.
template <class Table>
[[nodiscard]] auto compare(Table& table, embeddings& store, std::size_t shown = 20) -> freshet::result<comparison> {
    comparison found;
    std::set<std::string> known;
    detail::comparer comparer{store.file(), shown, found};
    auto compared = each_receipt(table, [&](const receipt_items& one) {
        known.insert(one.id());
        return comparer.compare(one);
    });
    if (!compared) { return std::move(compared).why(); }

    auto rest = store.file().prepare("SELECT collection, receipt, id, metadata FROM embedding");
    if (!rest) { return rest.why(); }
    auto more = rest->step();
    for (; more && *more; more = rest->step()) {
        const auto collection = std::find(collections.begin(), collections.end(), rest->text(0));
        if (collection != collections.end() && known.contains(std::string{rest->text(1)})) { continue; }
        comparer.differ({std::string{rest->text(0)}, std::string{rest->text(2)}, {}, {}, std::string{rest->text(3)}});
    }
    if (!more) { return std::move(more).why(); }

    auto effects = store.file().prepare(
        "SELECT collection, item, sequence, lag(sequence, 1, '') OVER (PARTITION BY collection, item ORDER BY number)"
        " FROM applied");
    if (!effects) { return effects.why(); }
    for (more = effects->step(); more && *more; more = effects->step()) {
        ++found.effects;
        if (effects->text(3) < effects->text(2)) { continue; }
        comparer.differ({std::string{effects->text(0)}, std::string{effects->text(1)}, "(order of effects)",
                         "behind " + std::string{effects->text(3)}, std::string{effects->text(2)}});
    }
    if (!more) { return std::move(more).why(); }
    return found;
}

} // namespace receipts
