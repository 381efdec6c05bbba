#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <table_cache/steps.hpp>
#include <table_cache/timeline.hpp>

namespace email_agent {

/// What a message wants: its action, and the step that a work order is to take, if it names one.
struct work_message {
    std::string id; ///< the message's own
    std::string action;
    std::optional<step_taken> step{};
};

/// The messages of an event of SQS, in its order; one that cannot be read is told to `unreadable(id, why)`, and left
/// out. One of which only the order or the step cannot be read is told too, and is there without them: its action
/// counts. `malformed` where it is no such event.
///
/// A message's body is `{"action":"start"}`, or also has `order` and `step`.
template <class Unreadable>
[[nodiscard]] auto read_messages(std::string_view event, Unreadable&& unreadable)
    -> freshet::result<std::vector<work_message>> {
    const auto all = nlohmann::json::parse(event, nullptr, false);
    const auto records = all.is_object() ? all.find("Records") : all.end();
    if (!all.is_object() || records == all.end() || !records->is_array()) {
        return freshet::error{freshet::errc::malformed, "the event has no list of Records"};
    }
    std::vector<work_message> messages;
    for (const auto& record : *records) {
        if (!record.is_object() || !record.contains("messageId") || !record["messageId"].is_string() ||
            !record.contains("body") || !record["body"].is_string()) {
            return freshet::error{freshet::errc::malformed, "a record of the event has no messageId and body"};
        }
        const auto id = record["messageId"].get<std::string>();
        const auto body = nlohmann::json::parse(record["body"].get_ref<const std::string&>(), nullptr, false);
        detail::members from{body};
        auto action = from.text("action");
        if (!action) {
            unreadable(id, action.why().note);
            continue;
        }
        work_message message{id, *std::move(action)};
        if (body.contains("order")) {
            auto order = from.text("order");
            const auto name = order ? from.text("step") : freshet::result<std::string>{order.why()};
            const auto which = name ? parse_step(*name) : std::nullopt;
            if (!which) {
                unreadable(id, name ? fmt::format("'{}' is no step", freshet::printable(*name)) : name.why().note);
            } else {
                message.step = step_taken{*std::move(order), *which};
            }
        }
        messages.push_back(std::move(message));
    }
    return messages;
}

} // namespace email_agent
