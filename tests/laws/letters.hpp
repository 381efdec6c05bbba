#pragma once

#include <doctest/doctest.h>

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/core/time.hpp>

namespace laws {

/// A message that owns its texts.
struct letter {
    std::string group{};
    std::string id{};
    std::string body{};
    std::string sequence{};

    [[nodiscard]] auto view() const -> freshet::message_view {
        return {.queue = {}, .group_id = group, .deduplication_id = id, .body = body, .sequence = sequence};
    }
};

[[nodiscard]] inline auto views(const std::vector<letter>& letters) -> std::vector<freshet::message_view> {
    std::vector<freshet::message_view> all;
    for (const auto& one : letters) { all.push_back(one.view()); }
    return all;
}

/// The refused entries of a request that the queue looked at.
[[nodiscard]] auto send(auto& queue, const std::vector<letter>& letters) -> std::vector<freshet::entry_refusal> {
    auto sent = queue.send(std::span<const freshet::message_view>{views(letters)});
    REQUIRE_MESSAGE(sent.ok(), (sent.ok() ? "" : sent.why().note));
    return *std::move(sent);
}

/// Sends one message that the queue must take.
void put(auto& queue, std::string group, std::string body, std::string id = {}) {
    REQUIRE(send(queue, {letter{std::move(group), std::move(id), std::move(body), {}}}).empty());
}

[[nodiscard]] auto take(auto& queue, const freshet::receive_request& request = {})
    -> std::vector<freshet::received_message> {
    auto got = queue.receive(request);
    REQUIRE_MESSAGE(got.ok(), (got.ok() ? "" : got.why().note));
    REQUIRE(got->size() <= request.limit);
    return *std::move(got);
}

/// The one message that is there to be handed out.
[[nodiscard]] auto take_one(auto& queue, const freshet::receive_request& request = {}) -> freshet::received_message {
    auto got = take(queue, request);
    REQUIRE(got.size() == 1);
    return std::move(got.front());
}

[[nodiscard]] inline auto receipts(const std::vector<freshet::received_message>& messages) -> std::vector<std::string> {
    std::vector<std::string> all;
    for (const auto& one : messages) { all.push_back(one.receipt); }
    return all;
}

[[nodiscard]] inline auto bodies(const std::vector<freshet::received_message>& messages) -> std::vector<std::string> {
    std::vector<std::string> all;
    for (const auto& one : messages) { all.push_back(one.body); }
    return all;
}

[[nodiscard]] auto erase(auto& queue, const std::vector<std::string>& receipts) -> std::vector<freshet::entry_refusal> {
    auto erased = queue.erase(std::span<const std::string>{receipts});
    REQUIRE_MESSAGE(erased.ok(), (erased.ok() ? "" : erased.why().note));
    return *std::move(erased);
}

[[nodiscard]] auto hide(auto& queue, const std::vector<std::string>& receipts, freshet::duration visibility)
    -> std::vector<freshet::entry_refusal> {
    auto changed = queue.change_visibility(std::span<const std::string>{receipts}, visibility);
    REQUIRE_MESSAGE(changed.ok(), (changed.ok() ? "" : changed.why().note));
    return *std::move(changed);
}

/// Receives and erases until the queue gives nothing; the messages in the order in which they came.
[[nodiscard]] auto drain(auto& queue) -> std::vector<freshet::received_message> {
    std::vector<freshet::received_message> all;
    for (auto got = take(queue); !got.empty(); got = take(queue)) {
        REQUIRE(erase(queue, receipts(got)).empty());
        all.insert(all.end(), got.begin(), got.end());
    }
    return all;
}

/// The same, until the queue gives nothing three times in a row: a call may do no more than move dead letters.
[[nodiscard]] auto drain_fully(auto& queue) -> std::vector<freshet::received_message> {
    std::vector<freshet::received_message> all;
    for (int idle = 0; idle < 3; ++idle) {
        for (auto& message : drain(queue)) {
            all.push_back(std::move(message));
            idle = 0;
        }
    }
    return all;
}

/// The bodies with blanks between them.
[[nodiscard]] inline auto told(const std::vector<freshet::received_message>& messages) -> std::string {
    std::string all;
    for (const auto& one : messages) { all += (all.empty() ? "" : " ") + one.body; }
    return all;
}

/// The bodies by group, in the order in which they came.
[[nodiscard]] inline auto by_group(const std::vector<freshet::received_message>& messages)
    -> std::map<std::string, std::vector<std::string>> {
    std::map<std::string, std::vector<std::string>> all;
    for (const auto& one : messages) { all[one.group_id].push_back(one.body); }
    return all;
}

/// Makes every message of the queue that is there a dead letter, by handing it out three times and once more.
void poison(auto& queue) {
    for (int round = 0; round < 3; ++round) {
        const auto got = take(queue);
        REQUIRE(!got.empty());
        REQUIRE(hide(queue, receipts(got), freshet::duration::zero()).empty());
    }
    CHECK(take(queue).empty());
}

} // namespace laws
