#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/ledger.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/shareable.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>

/// Backends whose types do not matter any more: what has three of them is compiled once. Each borrows what it stands
/// for.
namespace validation {

/// A table of items, which threads may share: where the table behind it is not shareable, one calls at a time.
struct any_table {
    using is_shareable = void;
    using row_type = freshet::document;
    using patch_type = freshet::item_patch;
    using condition = freshet::write_condition<freshet::document>;
    using rows = freshet::result<freshet::page<freshet::document>>;
    using done = freshet::result<void>;

    std::function<freshet::result<std::optional<freshet::document>>(const freshet::row_key&)> get;
    std::function<done(const freshet::document&, const condition&)> put;
    std::function<done(const freshet::row_key&, const freshet::item_patch&, const condition&)> update;
    std::function<done(const freshet::row_key&, const condition&)> erase;
    std::function<rows(const freshet::page_request&)> scan;
    std::function<rows(const freshet::index_query&, const freshet::page_request&)> query;
    /// Puts all; where the table can, in one step.
    std::function<done(std::span<const freshet::document>)> put_many;

    template <class Table>
    [[nodiscard]] static auto of(Table& table) -> any_table {
        const auto guarded = [guard = std::make_shared<std::mutex>()](auto call) {
            return [guard, call](const auto&... arguments) {
                auto lock = freshet::shareable<Table> ? std::unique_lock<std::mutex>{} : std::unique_lock{*guard};
                return call(arguments...);
            };
        };
        return {
            guarded([&table](const auto& key) { return table.get(key); }),
            guarded([&table](const auto& item, const auto& on) { return table.put(item, on); }),
            guarded(
                [&table](const auto& key, const auto& patch, const auto& on) { return table.update(key, patch, on); }),
            guarded([&table](const auto& key, const auto& on) { return table.erase(key, on); }),
            guarded([&table](const auto& request) { return table.scan(request); }),
            guarded([&table](const auto& which, const auto& request) { return table.query(which, request); }),
            guarded([&table](const auto& items) -> done {
                if constexpr (requires { table.put_many(items); }) {
                    return table.put_many(items);
                } else {
                    for (const auto& item : items) {
                        if (auto stored = table.put(item, {}); !stored) { return stored; }
                    }
                    return {};
                }
            }),
        };
    }
};

struct any_ledger {
    std::function<freshet::result<freshet::claim_answer>(const freshet::claim_request&)> claim;
    std::function<freshet::result<freshet::work_claim>(const freshet::work_claim&, freshet::duration)> renew;
    std::function<freshet::result<void>(const freshet::work_claim&)> complete;
    std::function<freshet::result<void>(const freshet::work_claim&)> release;

    template <class Ledger>
    [[nodiscard]] static auto of(Ledger& ledger) -> any_ledger {
        return {[&ledger](const auto& request) { return ledger.claim(request); },
                [&ledger](const auto& mine, auto lease) { return ledger.renew(mine, lease); },
                [&ledger](const auto& mine) { return ledger.complete(mine); },
                [&ledger](const auto& mine) { return ledger.release(mine); }};
    }
};

struct any_queue {
    using refusals = freshet::result<std::vector<freshet::entry_refusal>>;
    using receipts = std::span<const std::string>;

    std::function<freshet::queue_limits()> limits;
    std::function<refusals(std::span<const freshet::message_view>)> send;
    std::function<freshet::result<std::vector<freshet::received_message>>(const freshet::receive_request&)> receive;
    std::function<refusals(receipts)> erase;
    std::function<refusals(receipts, freshet::duration)> change_visibility;

    template <class Queue>
    [[nodiscard]] static auto of(Queue& queue) -> any_queue {
        return {[&queue]() -> freshet::queue_limits { return queue.limits(); },
                [&queue](auto entries) { return queue.send(entries); },
                [&queue](const auto& request) { return queue.receive(request); },
                [&queue](auto which) { return queue.erase(which); },
                [&queue](auto which, auto visibility) { return queue.change_visibility(which, visibility); }};
    }
};

static_assert(freshet::table<any_table> && freshet::ledger<any_ledger> && freshet::message_queue<any_queue>);

} // namespace validation
