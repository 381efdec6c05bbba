#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/aws/change_stream.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/ledger.hpp>
#include <adapters/aws/message_queue.hpp>
#include <adapters/aws/queue_admin.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/aws/ttl_store.hpp>
#include <adapters/item_table.hpp>
#include <adapters/queue_rules.hpp>
#include <adapters/sqlite/database.hpp>
#include <demo/settings.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/work/held_lease.hpp>
#include <label_counts/reading.hpp>
#include <label_counts/settings.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/receipts_table.hpp>
#include <support/data_directory.hpp>
#include <support/environment.hpp>
#include <validation/dynamodb_place.hpp>
#include <validation/place.hpp>

namespace demo {

/// Table, stream, queues, ledger and cache in AWS, or in what stands in for it at `AWS_ENDPOINT_URL`; the embeddings,
/// which are no service of AWS, in an SQLite file of the directory.
///
/// `DYNAMODB_TABLE_NAME` (receipts) names the table; what belongs to it is named after it: `receipts-ledger`,
/// `receipts-lines.fifo` and so on. Borrows the clock; what it opens borrows the place.
template <class Clock>
class aws_place {
public:
    using clock_type = Clock;
    using table = adapters::aws::table;
    using stream = adapters::aws::change_stream<Clock, adapters::unread>;
    using queue = adapters::aws::message_queue;
    using ledger = adapters::aws::ledger<Clock>;

    /// `denied` where the environment lacks something, or the directory has the embeddings of a table of its own.
    [[nodiscard]] static auto open(const settings& wanted, Clock& clock) -> freshet::result<aws_place> {
        if (support::has_file(wanted.directory, "table.sqlite")) {
            return freshet::error{freshet::errc::denied, freshet::printable(wanted.directory) +
                                                             ": has a demonstration on SQLite, and its embeddings"};
        }
        auto how = adapters::aws::settings_from_environment();
        if (!how) { return std::move(how).why(); }
        auto items = receipts::receipts_table();
        items.name = support::environment("DYNAMODB_TABLE_NAME").value_or(items.name);
        items.region = how->region;
        return aws_place{wanted, clock, *std::move(how), std::move(items)};
    }

    [[nodiscard]] auto clock() const noexcept -> Clock& { return clock_; }
    /// What messages call it.
    [[nodiscard]] auto name() const -> std::string { return "table " + freshet::printable(items_.name); }
    /// How another process is told of this place.
    [[nodiscard]] auto arguments() const -> std::vector<std::string> {
        return {"--backend", "aws", "--dir", wanted_.directory};
    }

    /// Whether all items are there; makes nothing.
    [[nodiscard]] auto has_items() const -> freshet::result<bool> {
        const auto there = client_->call(adapters::aws::dynamodb, "DescribeTable",
                                         nlohmann::json{{"TableName", ledger_table()}}.dump());
        if (there.refused_as == "ResourceNotFoundException") { return false; }
        if (!there.body) { return there.body.why(); }
        auto claims = open_ledger();
        if (!claims) { return std::move(claims).why(); }
        const auto loaded = claims->claim({loading, wanted_.owner, wanted_.lease});
        if (!loaded) { return loaded.why(); }
        if (loaded->mine()) { static_cast<void>(claims->release(loaded->claim)); }
        return loaded->verdict == freshet::claim_verdict::completed;
    }
    /// Makes what is not there yet.
    [[nodiscard]] auto make() const -> freshet::result<void> {
        if (auto made = support::make_data_directory(wanted_.directory); !made) { return made; }
        adapters::item_table_options keyed;
        keyed.name = ledger_table();
        keyed.partition = "id";
        keyed.sort.clear();
        keyed.region = items_.region;
        if (auto made = adapters::aws::create_table(*client_, items_, {.stream = true}); !made) { return made; }
        if (auto made = adapters::aws::create_table(*client_, keyed, {.ttl_attribute = "expires"}); !made) {
            return made;
        }
        for (const auto* name : {"stream-dead", "lines-dead", "words-dead", "lines", "words"}) {
            auto made = adapters::aws::create_queue(*client_, how(name));
            if (!made) { return std::move(made).why(); }
        }
        return {};
    }
    /// Puts all of them into the table. Who is killed in between leaves some; the next one puts all again.
    [[nodiscard]] auto put_all(std::span<const freshet::document> items) const -> freshet::result<void> {
        constexpr std::size_t some = 500; // written before the lease is looked after
        auto to = open_table();
        if (!to) { return std::move(to).why(); }
        auto claims = open_ledger();
        if (!claims) { return std::move(claims).why(); }
        auto mine = claims->claim({loading, wanted_.owner, wanted_.lease});
        if (!mine) { return std::move(mine).why(); }
        if (!mine->mine()) {
            return freshet::error{freshet::errc::conflict, name() + ": another process loads it, or did"};
        }
        freshet::held_lease<ledger> lease{*claims, std::move(mine->claim), wanted_.lease};
        while (!items.empty()) {
            if (auto kept = lease.keep(clock_.now()); !kept) { return kept; }
            const auto next = items.first(std::min(some, items.size()));
            if (auto put = to->put_many(next); !put) { return put; }
            items = items.subspan(next.size());
        }
        return claims->complete(lease.claim());
    }

    [[nodiscard]] auto open_table(bool = false) const -> freshet::result<table> { return table{*client_, items_}; }
    [[nodiscard]] auto open_stream() const -> freshet::result<stream> {
        return stream::open(*client_, clock_, items_, {.checkpoints = ledger_table()});
    }
    /// `lines` and `words` have a dead-letter queue each, `lines-dead` and `words-dead`; `stream-dead` is for records.
    [[nodiscard]] auto open_queue(std::string_view name) const -> freshet::result<queue> {
        auto url = adapters::aws::queue_url(*client_, how(name).name);
        if (!url) { return std::move(url).why(); }
        return queue::open(*client_, *std::move(url));
    }
    [[nodiscard]] auto open_ledger() const -> freshet::result<ledger> {
        return ledger{*client_, clock_, {.table = ledger_table()}};
    }
    [[nodiscard]] auto open_embeddings(bool read_only = false) const -> freshet::result<receipts::embeddings> {
        return receipts::embeddings::open(
            wanted_.directory + "/embeddings.sqlite",
            {.durable = wanted_.durable, .busy = wanted_.busy, .read_only = read_only});
    }
    /// What `use(table, store)` reads: the table to query and the cache of label counts, which threads may share.
    template <class Use>
    [[nodiscard]] auto with_label_counts(Use use) const -> freshet::result<label_counts::reading> {
        table items_table{*client_, items_};
        adapters::aws::ttl_store<Clock> store{
            *client_, clock_, {.table = ledger_table(), .name = std::string{label_counts::store_name}}};
        return use(items_table, store);
    }

    /// What `use(place)`, a `result<void>`, does with what the jobs that validate receipts work on; what of that is not
    /// there is made.
    template <class Use>
    [[nodiscard]] auto with_jobs(Use use) const -> freshet::result<void> {
        freshet::result<void> used;
        const auto opened =
            validation::in_dynamodb(how_, items_.name, std::nullopt, true, clock_, [&](validation::place& at) {
                used = use(at);
                return 0;
            });
        return opened ? used : opened.why();
    }

private:
    static constexpr std::string_view loading = "load";

    aws_place(const settings& wanted, Clock& clock, adapters::aws::settings how, adapters::item_table_options items)
        : wanted_{wanted}, clock_{clock}, how_{std::move(how)}, items_{std::move(items)},
          client_{std::make_unique<adapters::aws::client>(how_)} {}

    [[nodiscard]] auto ledger_table() const -> std::string { return items_.name + "-ledger"; }
    [[nodiscard]] auto how(std::string_view part) const -> adapters::queue_options {
        const auto full = [&](std::string_view of) { return items_.name + "-" + std::string{of} + ".fifo"; };
        adapters::queue_options options{.name = full(part), .visibility = wanted_.visibility};
        if (!part.ends_with("-dead") && wanted_.max_receives != 0) {
            options.max_receives = wanted_.max_receives;
            options.dead_letters = full(std::string{part} + "-dead");
        }
        return options;
    }

    settings wanted_;
    Clock& clock_;
    adapters::aws::settings how_;
    adapters::item_table_options items_;
    std::unique_ptr<const adapters::aws::client> client_; // what was opened borrows it, also when the place has moved
};

} // namespace demo
