#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/item_table.hpp>
#include <adapters/memory/table.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace support {

using memory_table = adapters::memory::table<freshet::testing::manual_clock>;

/// A table in memory that counts what is read of it, and does what a test wants at that moment. Threads may share it;
/// its functions are set before they do.
class watched_table {
public:
    using is_shareable = void;
    using row_type = freshet::document;
    using patch_type = freshet::item_patch;
    using page = freshet::page<row_type>;

    explicit watched_table(freshet::testing::manual_clock& clock, adapters::item_table_options options = {})
        : stored{clock, std::move(options)} {}

    [[nodiscard]] auto get(const freshet::row_key& key) -> freshet::result<std::optional<row_type>> {
        ++gets;
        if (auto fine = before_get(); !fine) { return fine.why(); }
        return stored.get(key);
    }
    [[nodiscard]] auto put(const row_type& row, const freshet::write_condition<row_type>& condition = {}) {
        return stored.put(row, condition);
    }
    [[nodiscard]] auto update(const freshet::row_key& key, const patch_type& patch,
                              const freshet::write_condition<row_type>& condition = {}) {
        return stored.update(key, patch, condition);
    }
    [[nodiscard]] auto erase(const freshet::row_key& key, const freshet::write_condition<row_type>& condition = {}) {
        return stored.erase(key, condition);
    }
    [[nodiscard]] auto scan(const freshet::page_request& request) -> freshet::result<page> {
        if (!request.from) { ++scans; }
        ++pages;
        if (auto fine = before_page(); !fine) { return fine.why(); }
        auto some = stored.scan(request);
        if (some) { shape(*some); }
        return some;
    }
    [[nodiscard]] auto query(const freshet::index_query& which, const freshet::page_request& request)
        -> freshet::result<page> {
        ++queries;
        auto some = stored.query(which, request);
        if (some) { shape(*some); }
        return some;
    }

    /// Puts an item of the partition `p`.
    void write(const std::string& sort, const std::string& value = "x") {
        const auto item =
            freshet::document::parse(R"({"PK":{"S":"p"},"SK":{"S":")" + sort + R"("},"V":{"S":")" + value + R"("}})");
        REQUIRE(item.ok());
        REQUIRE(stored.put(*item).ok());
    }
    void remove(const std::string& sort) { REQUIRE(stored.erase({"p", sort}).ok()); }

    [[nodiscard]] auto key_function() const {
        return [options = stored.options()](const row_type& row) { return adapters::key_of(row.image(), options); };
    }

    memory_table stored;
    std::atomic<std::size_t> scans{};
    std::atomic<std::size_t> pages{};
    std::atomic<std::size_t> gets{};
    std::atomic<std::size_t> queries{};
    std::function<freshet::result<void>()> before_page = [] { return freshet::result<void>{}; };
    std::function<freshet::result<void>()> before_get = [] { return freshet::result<void>{}; };
    std::function<void(page&)> shape = [](page&) {};
};

static_assert(freshet::table<watched_table>);

/// The value that `write` gave the item.
[[nodiscard]] inline auto value_of(const freshet::document& row) -> std::string {
    return std::string{row.image().find("V")->text()};
}

/// The texts of a range of rows, in its order.
template <class Rows>
[[nodiscard]] auto texts_of(const Rows& rows) -> std::vector<std::string> {
    std::vector<std::string> all;
    for (const auto& row : rows) { all.emplace_back(row.text()); }
    return all;
}

/// The texts of what a scan of the table gives now.
[[nodiscard]] inline auto scanned_texts(memory_table& table) -> std::vector<std::string> {
    std::vector<std::string> all;
    freshet::page_request request;
    for (;;) {
        auto page = table.scan(request);
        REQUIRE(page.ok());
        for (auto& text : texts_of(page->rows)) { all.push_back(std::move(text)); }
        if (!page->next) { return all; }
        request.from = page->next;
    }
}

} // namespace support
