#pragma once

#include <optional>
#include <string>
#include <utility>

#include <adapters/aws/client.hpp>
#include <adapters/aws/ledger.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/item_table.hpp>
#include <adapters/queue_rules.hpp>
#include <adapters/run_store.hpp>
#include <freshet/core/result.hpp>
#include <receipts/receipts_table.hpp>
#include <validation/erased.hpp>
#include <validation/place.hpp>

namespace validation {

/// `use(place)`, in the DynamoDB table of this name and in those called after it, `-runs` and `-ledger`; dead letters
/// in the FIFO queue at `letters_url`, or else in the one that is called after the table, `-validation-dead.fifo`. With
/// `make` it makes what is not there; without that is `denied`.
template <class Clock, class Use>
[[nodiscard]] auto in_dynamodb(adapters::aws::settings how, const std::string& name,
                               const std::optional<std::string>& letters_url, bool make, Clock& clock, Use use)
    -> freshet::result<int> {
    const auto named = [&](adapters::item_table_options options, const std::string& suffix) {
        options.name = name + suffix;
        options.region = how.region;
        return options;
    };
    adapters::item_table_options claims;
    claims.partition = "id";
    claims.sort.clear();
    const auto items = named(receipts::receipts_table(), {});
    const auto runs = named(adapters::runs_table(), "-runs");
    claims = named(std::move(claims), "-ledger");
    const adapters::aws::client by{std::move(how)};
    const adapters::queue_options letters_options{.name = name + '-' + letters_queue + ".fifo"};
    if (make) {
        using adapters::aws::create_table;
        if (auto made = create_table(by, items, {.stream = true}); !made) { return std::move(made).why(); }
        if (auto made = create_table(by, runs); !made) { return std::move(made).why(); }
        if (auto made = create_table(by, claims, {.ttl_attribute = "expires"}); !made) { return std::move(made).why(); }
    }
    for (const auto& each : {items.name, runs.name, claims.name}) {
        const auto there = adapters::aws::describe_table(by, each);
        if (!there) { return there.why(); }
    }
    auto url = letters_url ? freshet::result<std::string>{*letters_url}
               : make      ? adapters::aws::create_queue(by, letters_options)
                           : adapters::aws::queue_url(by, letters_options.name);
    if (!url) { return std::move(url).why(); }
    auto letters = adapters::aws::message_queue::open(by, *std::move(url));
    if (!letters) { return std::move(letters).why(); }
    adapters::aws::table receipts{by, items};
    adapters::aws::table reports{by, runs};
    adapters::aws::ledger<Clock> ledger{by, clock, {.table = claims.name}};
    place made{any_table::of(receipts), any_table::of(reports), any_ledger::of(ledger), any_queue::of(*letters)};
    return use(made);
}

} // namespace validation
