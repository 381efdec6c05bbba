#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/change_record.hpp>
#include <adapters/item_table.hpp>
#include <adapters/item_write.hpp>
#include <adapters/later.hpp>
#include <adapters/page_place.hpp>
#include <adapters/sort_range.hpp>
#include <adapters/stream_place.hpp>
#include <freshet/backend/change.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace adapters::memory {

template <class Clock, class Row>
class change_stream;

/// A table of items in this process, with the log that its change streams read. Borrows the clock.
///
/// A write that leaves the item as it was makes no change. Changes are kept for `kept_for`, by the clock.
template <class Clock>
class table {
    static_assert(freshet::clock<Clock>, "the clock of a table tells the time: now() -> freshet::time_point");

public:
    using is_shareable = void;
    using row_type = freshet::document;
    using patch_type = freshet::item_patch;

    explicit table(Clock& clock, item_table_options options = {}, freshet::duration kept_for = std::chrono::hours{24})
        : clock_{clock}, options_{std::move(options)}, kept_for_{kept_for}, ordered_(options_.indexes.size()) {
        const auto label = freshet::format_rfc3339(clock_.now(), 6);
        stream_ = stream_arn(options_, label ? label->view() : "start");
    }
    explicit table(const Clock&&, item_table_options = {}, freshet::duration = {}) = delete;

    [[nodiscard]] auto get(const freshet::row_key& key) -> freshet::result<std::optional<row_type>> {
        const auto text = [&] {
            const std::lock_guard lock{mutex_};
            const auto found = rows_.find(key);
            return found == rows_.end() ? shared_text{} : found->second.text;
        }();
        if (!text) { return std::nullopt; }
        return row_type::parse(*text).transform([](row_type row) { return std::optional{std::move(row)}; });
    }

    [[nodiscard]] auto put(const row_type& item, const item_condition& condition = {}) -> freshet::result<void> {
        auto row = row_of(item.image(), options_);
        if (!row) { return std::move(row).why(); }
        const std::lock_guard lock{mutex_};
        const auto changes = plan_put(stored(row->key), *row, condition, options_);
        if (!changes) { return changes.why(); }
        if (*changes) { store(*std::move(row)); }
        return {};
    }

    [[nodiscard]] auto update(const freshet::row_key& key, const patch_type& patch,
                              const item_condition& condition = {}) -> freshet::result<void> {
        const std::lock_guard lock{mutex_};
        auto row = plan_update(stored(key), key, patch, condition, options_);
        if (!row) { return std::move(row).why(); }
        if (*row) { store(**std::move(row)); }
        return {};
    }

    [[nodiscard]] auto erase(const freshet::row_key& key, const item_condition& condition = {})
        -> freshet::result<void> {
        return remove(key, condition, freshet::change_cause::write);
    }

    /// Removes a row as the table itself does when the row's time to live has passed.
    [[nodiscard]] auto expire(const freshet::row_key& key, const item_condition& condition = {})
        -> freshet::result<void> {
        return remove(key, condition, freshet::change_cause::expiry);
    }

    [[nodiscard]] auto scan(const freshet::page_request& request) -> freshet::result<freshet::page<row_type>> {
        return rows_of(nullptr, request, [&](const page_place* after, auto take) {
            auto at = after == nullptr ? rows_.begin() : rows_.upper_bound(after->row);
            while (at != rows_.end() && take("", at->first, at->second.text)) { ++at; }
        });
    }

    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request)
        -> freshet::result<freshet::page<row_type>> {
        const auto index = index_of(which, options_);
        if (!index) { return index.why(); }
        const auto range = range_of(which);
        const auto matches = [&](const freshet::row_key& key) {
            return key.partition == which.partition && (!range.end || key.sort < *range.end);
        };
        const freshet::row_key first{which.partition, range.first};
        return rows_of(&which, request, [&](const page_place* after, auto take) {
            if (*index == ordered_.size()) {
                auto at = after == nullptr ? rows_.lower_bound(first) : rows_.upper_bound(after->row);
                while (at != rows_.end() && matches(at->first) && take(at->first.sort, at->first, at->second.text)) {
                    ++at;
                }
                return;
            }
            const auto& order = ordered_[*index];
            auto at = after == nullptr ? order.lower_bound({first, {}})
                                       : order.upper_bound({{which.partition, after->index_sort}, after->row});
            while (at != order.end() && matches(at->first.first) &&
                   take(at->first.first.sort, at->first.second, at->second)) {
                ++at;
            }
        });
    }

    /// Forgets every change that is there now, as time would.
    void trim_changes() {
        const std::lock_guard lock{mutex_};
        log_.clear();
    }

    [[nodiscard]] auto options() const noexcept -> const item_table_options& { return options_; }

private:
    template <class, class>
    friend class change_stream;

    using shared_text = std::shared_ptr<const std::string>; // of the row and of the changes that tell of it

    struct stored_row {
        shared_text text;
        std::vector<std::optional<freshet::row_key>> indexed;
    };
    struct logged {
        freshet::time_point made_at{};
        freshet::change_cause cause{};
        freshet::row_key key;
        shared_text before;
        shared_text after;
    };

    [[nodiscard]] auto stored(const freshet::row_key& key) const -> std::optional<std::string_view> {
        const auto found = rows_.find(key);
        if (found == rows_.end()) { return std::nullopt; }
        return *found->second.text;
    }

    void store(item_row row) {
        auto& there = rows_[row.key];
        unlist(row.key, there);
        auto text = std::make_shared<const std::string>(std::move(row.text));
        log(freshet::change_cause::write, row.key, std::exchange(there.text, text), text);
        there.indexed = std::move(row.indexed);
        for (std::size_t i = 0; i != there.indexed.size(); ++i) {
            if (there.indexed[i]) { ordered_[i].emplace(std::pair{*there.indexed[i], row.key}, text); }
        }
    }

    [[nodiscard]] auto remove(const freshet::row_key& key, const item_condition& condition, freshet::change_cause cause)
        -> freshet::result<void> {
        const std::lock_guard lock{mutex_};
        const auto changes = plan_erase(stored(key), key, condition, options_);
        if (!changes) { return changes.why(); }
        if (!*changes) { return {}; }
        const auto found = rows_.find(key);
        unlist(key, found->second);
        log(cause, key, found->second.text, {});
        rows_.erase(found);
        return {};
    }

    void unlist(const freshet::row_key& key, const stored_row& row) {
        for (std::size_t i = 0; i != row.indexed.size(); ++i) {
            if (row.indexed[i]) { ordered_[i].erase({*row.indexed[i], key}); }
        }
    }

    void log(freshet::change_cause cause, const freshet::row_key& key, shared_text before, shared_text after) {
        forget_old();
        log_.push_back({clock_.now(), cause, key, std::move(before), std::move(after)});
        ++last_;
    }

    void forget_old() {
        const auto now = clock_.now();
        while (!log_.empty() && now >= later(log_.front().made_at, kept_for_)) { log_.pop_front(); }
    }

    /// A page of what `walk` shows, beginning behind the request's token.
    template <class Walk>
    [[nodiscard]] auto rows_of(const freshet::index_query* which, const freshet::page_request& request, Walk walk)
        -> freshet::result<freshet::page<row_type>> {
        std::optional<page_place> after;
        if (request.from) {
            auto place = place_of(options_, which, *request.from);
            if (!place) { return std::move(place).why(); }
            after = *std::move(place);
        }
        const auto limit = page_limit(request, options_);
        freshet::page<row_type> page;
        std::vector<shared_text> texts;
        {
            const std::lock_guard lock{mutex_};
            page_place last;
            walk(after ? &*after : nullptr,
                 [&](std::string_view index_sort, const freshet::row_key& key, const shared_text& text) {
                     if (texts.size() == limit) {
                         page.next = token_of(options_, which, last);
                         return false;
                     }
                     texts.push_back(text);
                     if (texts.size() == limit) { last = {std::string{index_sort}, key}; }
                     return true;
                 });
        }
        for (const auto& text : texts) {
            auto row = row_type::parse(*text);
            if (!row) { return std::move(row).why(); }
            page.rows.push_back(*std::move(row));
        }
        return page;
    }

    Clock& clock_;
    item_table_options options_;
    freshet::duration kept_for_;
    std::string stream_;
    std::mutex mutex_; // guards what follows
    std::map<freshet::row_key, stored_row> rows_;
    std::vector<std::map<std::pair<freshet::row_key, freshet::row_key>, shared_text>> ordered_; // one for each index
    std::deque<logged> log_;
    std::uint64_t last_{}; // the number of the log's last change, kept or not
    std::map<std::string, freshet::stream_position, std::less<>> checkpoints_;
};

static_assert(freshet::table<table<freshet::testing::manual_clock>>);

} // namespace adapters::memory
