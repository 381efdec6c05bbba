#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <adapters/memory/message_queue.hpp>
#include <freshet/backend/change.hpp>
#include <freshet/core/sequence_number.hpp>
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/stream/routes.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_queue.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/event_text.hpp>

/// A small table's changes on their way to two queues: what tests of the way's parts share.
namespace support {

using item_key = freshet::key_pattern<"ITEM#{item_id:d}">;
using part = freshet::entity<"PART", item_key, freshet::key_pattern<"PART#{part_id:d}">>; ///< to the queue `parts`
using pair = freshet::entity<"PAIR", item_key, freshet::key_pattern<"PAIR">>; ///< to `parts` and to `others`
using memo = freshet::entity<"MEMO", item_key, freshet::key_pattern<"MEMO">>; ///< to nobody

using part_registry = freshet::key_registry<part, pair, memo>;
/// The group is the item: its parts keep their order.
using part_routes = freshet::routes<freshet::route<part, "parts", item_key>, freshet::route<pair, "parts", item_key>,
                                    freshet::route<pair, "others", item_key>>;
using part_translator = freshet::record_translator<part_registry, part_routes>;

[[nodiscard]] inline auto part_options() -> freshet::record_translator_options<part_registry> {
    freshet::record_translator_options<part_registry> options;
    options.fields.set("PART", freshet::monitored<"score">{}).set("PAIR", freshet::monitored<"score">{});
    return options;
}

[[nodiscard]] inline auto quoted(std::string_view text) -> std::string { return '"' + std::string{text} + '"'; }

[[nodiscard]] inline auto keys_of(unsigned item, std::string_view sort) -> std::string {
    return R"("PK":{"S":"ITEM#)" + std::to_string(item) + R"("},"SK":{"S":")" + std::string{sort} + R"("})";
}

/// A record that makes a message: somebody changed the score of a part of that item.
[[nodiscard]] inline auto edit_of(unsigned item, std::size_t sequence, std::string_view sort = "PART#1")
    -> record_text {
    const auto number = std::to_string(sequence);
    return {.keys = keys_of(item, sort),
            .old_image = R"("score":{"N":"-1"})",
            .new_image = R"("score":{"N":")" + number + R"("})",
            .event_id = quoted("e" + number),
            .sequence = quoted(number),
            .time = {}};
}

/// The same without a change of the score.
[[nodiscard]] inline auto touch_of(unsigned item, std::size_t sequence) -> record_text {
    auto record = edit_of(item, sequence);
    record.old_image = record.new_image;
    return record;
}

/// A record that can never be used, with keys that can be read.
[[nodiscard]] inline auto malformed_of(unsigned item, std::size_t sequence) -> record_text {
    auto record = edit_of(item, sequence);
    record.event = "UPSERT";
    return record;
}

/// A record that can never be used, and of which nobody can tell whose group it belongs to.
[[nodiscard]] inline auto keyless_of(std::size_t sequence) -> record_text {
    auto record = edit_of(0, sequence);
    record.keys = R"("PK":{"L":[]})";
    return record;
}

[[nodiscard]] inline auto event_of(const std::vector<record_text>& records) -> std::string {
    std::string text = R"({"Records":[)";
    for (const auto& record : records) { text.append(text.ends_with('[') ? "" : ",").append(to_json(record)); }
    return text + "]}";
}

using bare_change = freshet::change<std::monostate>;

/// The record as a change stream gives it.
[[nodiscard]] inline auto change_of(std::string record, std::size_t sequence) -> bare_change {
    bare_change change;
    change.sequence = *freshet::sequence_number::parse(std::to_string(sequence));
    change.record = std::move(record);
    return change;
}

using plain_queue = adapters::memory::message_queue<freshet::testing::manual_clock>;
using test_queue = freshet::testing::faulty_queue<plain_queue>;

/// The queues `parts`, `others` and `dead`, each behind the faults of one script.
struct part_queues {
    freshet::testing::manual_clock clock{};
    plain_queue stored_parts{clock, {.name = "parts"}};
    plain_queue stored_others{clock, {.name = "others"}};
    plain_queue stored_letters{clock, {.name = "dead"}};
    freshet::testing::faults script{};
    test_queue parts{stored_parts, script, "parts"};
    test_queue others{stored_others, script, "others"};
    test_queue dead{stored_letters, script, "dead"};

    part_queues() = default;
    part_queues(const part_queues&) = delete;
    auto operator=(const part_queues&) -> part_queues& = delete;
};

/// Takes what is in the queue out of it.
[[nodiscard]] auto emptied(auto& queue) -> std::vector<freshet::received_message> {
    std::vector<freshet::received_message> all;
    for (;;) {
        auto some = queue.receive({});
        REQUIRE(some.ok());
        if (some->empty()) { return all; }
        std::vector<std::string> receipts;
        for (auto& message : *some) {
            receipts.push_back(message.receipt);
            all.push_back(std::move(message));
        }
        REQUIRE(queue.erase(std::span<const std::string>{receipts}).ok());
    }
}

/// The sequence numbers of what is in the queue, ascending, with blanks between them; takes it out. Within a group they
/// must have come in this order.
[[nodiscard]] auto sequences(auto& queue) -> std::string {
    std::map<std::string, std::size_t> last;
    std::vector<std::size_t> numbers;
    for (const auto& message : emptied(queue)) {
        numbers.push_back(static_cast<std::size_t>(std::stoul(message.sequence)));
        const auto [at, is_first] = last.try_emplace(message.group_id, numbers.back());
        CHECK((is_first || at->second < numbers.back()));
        at->second = numbers.back();
    }
    std::sort(numbers.begin(), numbers.end());
    std::string all;
    for (const auto number : numbers) { all += (all.empty() ? "" : " ") + std::to_string(number); }
    return all;
}

} // namespace support
