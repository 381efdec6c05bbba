#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adapters/item_table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/nlohmann.hpp>
#include <table_cache/steps.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

/// A work order takes a step.
struct step_taken {
    std::string order;
    step which{};
};
/// A message comes.
struct message_heard {
    std::string action;
};
/// A work order falls asleep, wakes or is finished.
struct order_set {
    std::string order;
    std::string_view state; ///< `sleeping`, `active` or `finished`
};
/// Somebody writes a row.
struct row_written {
    std::string table;
    freshet::document row;
};
/// A table fails from now on, or answers again.
struct table_broken {
    std::string table;
    bool failing{};
};

struct timeline_entry {
    freshet::time_point at;
    std::variant<step_taken, message_heard, order_set, row_written, table_broken> what;
};

/// What happens, in the order of time.
using timeline = std::vector<timeline_entry>;

namespace detail {

/// An object's members, each of which must be asked for.
class members {
public:
    explicit members(const nlohmann::json& object) : object_{object} {}

    [[nodiscard]] auto text(const char* name) -> freshet::result<std::string> {
        const auto found = take(name);
        if (found == object_.end() || !found->is_string()) {
            return refused(fmt::format("'{}' must be there, and a text", name));
        }
        return found->get<std::string>();
    }
    [[nodiscard]] auto table() -> freshet::result<std::string> {
        auto name = text("table");
        if (!name || is_table(*name)) { return name; }
        return refused(
            fmt::format("'{}' is none of the tables {}", freshet::printable(*name), fmt::join(table_names, ", ")));
    }
    [[nodiscard]] auto row(const std::string& table) -> freshet::result<freshet::document> {
        const auto found = take("row");
        if (found == object_.end()) { return refused("'row' must be there"); }
        auto row = freshet::from_plain_json(*found);
        if (!row) { return row; }
        if (auto key = adapters::key_of(row->image(), options_of(table)); !key) { return std::move(key).why(); }
        return row;
    }
    /// Fails where a member is there that nobody asked for.
    [[nodiscard]] auto end() const -> freshet::result<void> {
        for (const auto& [name, value] : object_.items()) {
            if (std::find(taken_.begin(), taken_.end(), name) == taken_.end()) {
                return refused(fmt::format("'{}' has no meaning here", freshet::printable(name)));
            }
        }
        return {};
    }

    [[nodiscard]] static auto refused(std::string why) -> freshet::error {
        return {freshet::errc::malformed, std::move(why)};
    }

private:
    [[nodiscard]] auto take(const char* name) -> nlohmann::json::const_iterator {
        taken_.emplace_back(name);
        return object_.find(name);
    }

    const nlohmann::json& object_;
    std::vector<std::string> taken_;
};

[[nodiscard]] inline auto read_what(members& from, const std::string& what)
    -> freshet::result<decltype(timeline_entry::what)> {
    using entry = decltype(timeline_entry::what);
    if (what == "step") {
        auto order = from.text("order");
        if (!order) { return std::move(order).why(); }
        const auto name = from.text("step");
        if (!name) { return name.why(); }
        const auto which = parse_step(*name);
        if (!which) {
            return members::refused(
                fmt::format("'{}' is none of the steps Count, Test, Dry-Run, Send", freshet::printable(*name)));
        }
        return entry{step_taken{*std::move(order), *which}};
    }
    if (what == "message") {
        return from.text("action").transform(
            [](std::string action) { return entry{message_heard{std::move(action)}}; });
    }
    if (what == "sleep" || what == "wake" || what == "finish") {
        const std::string_view state = what == "sleep" ? "sleeping" : what == "wake" ? "active" : "finished";
        return from.text("order").transform([&](std::string order) {
            return entry{order_set{std::move(order), state}};
        });
    }
    if (what == "fail" || what == "recover") {
        return from.table().transform([&](std::string table) {
            return entry{table_broken{std::move(table), what == "fail"}};
        });
    }
    if (what == "write") {
        auto table = from.table();
        if (!table) { return std::move(table).why(); }
        return from.row(*table).transform([&](freshet::document row) {
            return entry{row_written{*std::move(table), std::move(row)}};
        });
    }
    return members::refused(
        fmt::format("'{}' is nothing to do; step, message, sleep, wake, finish, write, fail and recover are",
                    freshet::printable(what)));
}

} // namespace detail

/// One line of a timeline: `{"at":"2025-01-15T10:00:00Z","do":"step","order":"wo-01","step":"Test"}`, or `do` is
/// `message` (with `action`), `sleep`, `wake`, `finish` (`order`), `write` (`table`, and `row`, a plain JSON object),
/// `fail`, `recover` (`table`). Anything else is `malformed`.
[[nodiscard]] inline auto parse_entry(std::string_view line) -> freshet::result<timeline_entry> {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (!object.is_object()) { return detail::members::refused("no JSON object"); }
    detail::members from{object};
    const auto at = from.text("at");
    if (!at) { return at.why(); }
    const auto instant = freshet::parse_rfc3339(*at);
    if (!instant) { return instant.fault().as_error("'at'"); }
    const auto what = from.text("do");
    if (!what) { return what.why(); }
    auto read = detail::read_what(from, *what);
    if (!read) { return std::move(read).why(); }
    if (auto all = from.end(); !all) { return std::move(all).why(); }
    return timeline_entry{*instant, *std::move(read)};
}

/// Reads lines to the end, blank ones left out. A line that is none of a timeline, or whose time is before that of an
/// earlier line, is told to `bad_line(number, why)`, and left out too.
template <class BadLine>
[[nodiscard]] auto read_timeline(std::istream& in, BadLine&& bad_line) -> timeline {
    timeline all;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos) { continue; }
        auto entry = parse_entry(line);
        if (!entry) {
            bad_line(number, entry.why().note);
        } else if (!all.empty() && entry->at < all.back().at) {
            bad_line(number, "'at' is before that of an earlier line");
        } else {
            all.push_back(*std::move(entry));
        }
    }
    return all;
}

} // namespace email_agent
