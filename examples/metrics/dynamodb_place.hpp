#pragma once

#include <string>
#include <utility>

#include <adapters/aws/bucket_sink.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/item_table.hpp>
#include <freshet/core/result.hpp>
#include <metrics/item_rows.hpp>

namespace metrics {

/// The records in a DynamoDB table, their counts in the one that is called after it, `NAME-counts` (its key is `id` and
/// `block`), and the checkpoints of readers in `NAME-ledger` (its key is `id`).
class dynamodb_place {
public:
    dynamodb_place(adapters::aws::settings how, const std::string& name)
        : items_{options_of(name, item_table(), how)},
          counts_{options_of(name + "-counts", keyed("id", "block"), how)},
          ledger_{options_of(name + "-ledger", keyed("id", ""), how)},
          by_{std::move(how)},
          table_{by_, items_},
          sink_{by_, {.table = counts_.name}} {}
    dynamodb_place(const dynamodb_place&) = delete;
    auto operator=(const dynamodb_place&) -> dynamodb_place& = delete;

    /// Makes the tables that are not there.
    [[nodiscard]] auto make() -> freshet::result<void> {
        using adapters::aws::create_table;
        if (auto made = create_table(by_, items_, {.stream = true}); !made) { return made; }
        if (auto made = create_table(by_, counts_); !made) { return made; }
        return create_table(by_, ledger_);
    }
    /// Whether the tables are there.
    [[nodiscard]] auto check() const -> freshet::result<void> {
        for (const auto* each : {&items_, &counts_, &ledger_}) {
            const auto there = adapters::aws::describe_table(by_, each->name);
            if (!there) { return there.why(); }
        }
        return {};
    }

    [[nodiscard]] auto client() const noexcept -> const adapters::aws::client& { return by_; }
    [[nodiscard]] auto items() const noexcept -> const adapters::item_table_options& { return items_; }
    [[nodiscard]] auto ledger() const noexcept -> const adapters::item_table_options& { return ledger_; }
    [[nodiscard]] auto table() noexcept -> adapters::aws::table& { return table_; }
    [[nodiscard]] auto sink() noexcept -> adapters::aws::bucket_sink& { return sink_; }

private:
    [[nodiscard]] static auto keyed(std::string partition, std::string sort) -> adapters::item_table_options {
        adapters::item_table_options made;
        made.partition = std::move(partition);
        made.sort = std::move(sort);
        return made;
    }
    [[nodiscard]] static auto options_of(std::string name, adapters::item_table_options made,
                                         const adapters::aws::settings& how) -> adapters::item_table_options {
        made.name = std::move(name);
        made.region = how.region;
        return made;
    }

    adapters::item_table_options items_;
    adapters::item_table_options counts_;
    adapters::item_table_options ledger_;
    adapters::aws::client by_;
    adapters::aws::table table_;
    adapters::aws::bucket_sink sink_;
};

} // namespace metrics
