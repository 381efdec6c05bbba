#pragma once

#include <span>
#include <string>
#include <utility>

#include <adapters/aws/client.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/aws/ttl_store.hpp>
#include <adapters/item_table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <label_counts/settings.hpp>
#include <receipts/receipts_table.hpp>
#include <support/log.hpp>

namespace label_counts {

/// The receipts in a DynamoDB table, and the counts in the one that is called after it, `receipts-ledger`, which may
/// keep other things beside them: its key is the string `id`, and its rows expire by `expires`. Borrows the clock.
template <class Clock>
class dynamodb_place {
public:
    dynamodb_place(adapters::aws::settings how, const std::string& name, const Clock& clock)
        : receipts_{receipts_in(name, how.region)},
          ledger_{ledger_in(name, how.region)},
          by_{std::move(how)},
          table_{by_, receipts_},
          store_{by_, clock, {.table = ledger_.name, .name = std::string{store_name}}} {}
    dynamodb_place(const dynamodb_place&) = delete;
    auto operator=(const dynamodb_place&) -> dynamodb_place& = delete;

    /// Makes the tables that are not there, and puts the items.
    [[nodiscard]] auto load(std::span<const freshet::document> items) -> freshet::result<void> {
        using adapters::aws::create_table;
        if (auto made = create_table(by_, receipts_, {.stream = true}); !made) { return made; }
        if (auto made = create_table(by_, ledger_, {.ttl_attribute = expiry}); !made) { return made; }
        return table_.put_many(items);
    }

    /// Whether both tables are there.
    [[nodiscard]] auto check(const support::log& log) const -> freshet::result<void> {
        const auto receipts = adapters::aws::describe_table(by_, receipts_.name);
        if (!receipts) { return receipts.why(); }
        const auto ledger = adapters::aws::describe_table(by_, ledger_.name);
        if (!ledger) { return ledger.why(); }
        if (ledger->ttl_attribute != expiry) {
            log.line(support::log_level::warning, "table {}: its rows do not expire by '{}': what is out of date stays",
                     freshet::printable(ledger_.name), expiry);
        }
        return {};
    }

    [[nodiscard]] auto table() noexcept -> adapters::aws::table& { return table_; }
    [[nodiscard]] auto store() noexcept -> adapters::aws::ttl_store<Clock>& { return store_; }

private:
    static constexpr auto expiry = "expires";

    [[nodiscard]] static auto receipts_in(const std::string& name, const std::string& region)
        -> adapters::item_table_options {
        auto made = receipts::receipts_table();
        made.name = name;
        made.region = region;
        return made;
    }
    [[nodiscard]] static auto ledger_in(const std::string& name, const std::string& region)
        -> adapters::item_table_options {
        adapters::item_table_options made;
        made.name = name + "-ledger";
        made.partition = "id";
        made.sort.clear();
        made.region = region;
        return made;
    }

    adapters::item_table_options receipts_;
    adapters::item_table_options ledger_;
    adapters::aws::client by_;
    adapters::aws::table table_;
    adapters::aws::ttl_store<Clock> store_;
};

} // namespace label_counts
