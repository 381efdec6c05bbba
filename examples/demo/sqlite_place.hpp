#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <adapters/queue_rules.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/ledger.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <adapters/sqlite/table.hpp>
#include <adapters/sqlite/ttl_store.hpp>
#include <demo/settings.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <label_counts/lent.hpp>
#include <label_counts/reading.hpp>
#include <label_counts/settings.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/receipts_table.hpp>
#include <support/data_directory.hpp>
#include <validation/place.hpp>
#include <validation/sqlite_place.hpp>

namespace demo {

/// Everything in SQLite files of one directory. Opens what lies there; the clock is borrowed by all of it.
template <class Clock>
class sqlite_place {
public:
    using clock_type = Clock;
    using table = adapters::sqlite::table<Clock>;
    using stream = adapters::sqlite::change_stream<Clock, adapters::unread>;
    using queue = adapters::sqlite::message_queue<Clock>;
    using ledger = adapters::sqlite::ledger<Clock>;

    sqlite_place(const settings& wanted, Clock& clock) : wanted_{wanted}, clock_{clock} {}
    [[nodiscard]] static auto open(const settings& wanted, Clock& clock) -> freshet::result<sqlite_place> {
        return sqlite_place{wanted, clock};
    }

    [[nodiscard]] auto clock() const noexcept -> Clock& { return clock_; }
    /// What messages call it.
    [[nodiscard]] auto name() const -> std::string { return freshet::printable(wanted_.directory); }
    /// How another process is told of this place.
    [[nodiscard]] auto arguments() const -> std::vector<std::string> { return {"--dir", wanted_.directory}; }

    /// Whether there are items; makes nothing. `denied` where the directory is none or cannot be looked into.
    [[nodiscard]] auto has_items() const -> freshet::result<bool> {
        std::error_code failed;
        const auto what = std::filesystem::status(wanted_.directory, failed).type();
        if (what == std::filesystem::file_type::not_found) { return false; }
        if (failed) { return denied(failed.message()); }
        if (what != std::filesystem::file_type::directory) { return denied("is no directory"); }
        const bool there = std::filesystem::exists(path("table.sqlite"), failed);
        if (failed) { return denied(failed.message()); }
        if (!there) {
            if (!support::has_file(wanted_.directory, "embeddings.sqlite")) { return false; }
            return denied("has embeddings, and not the table that they are made from");
        }
        auto items_table = open_table();
        if (!items_table) { return std::move(items_table).why(); }
        return items_table->scan({std::nullopt, 1}).transform([](const auto& page) { return !page.rows.empty(); });
    }
    /// Makes what is not there yet.
    [[nodiscard]] auto make() const -> freshet::result<void> { return support::make_data_directory(wanted_.directory); }
    /// Puts all of them into the table, or none.
    [[nodiscard]] auto put_all(std::span<const freshet::document> items) const -> freshet::result<void> {
        auto items_table = open_table();
        if (!items_table) { return std::move(items_table).why(); }
        return items_table->put_many(items);
    }

    [[nodiscard]] auto open_table(bool read_only = false) const -> freshet::result<table> {
        return table::open(path("table.sqlite"), clock_, receipts::receipts_table(), how(read_only));
    }
    [[nodiscard]] auto open_stream() const -> freshet::result<stream> {
        return stream::open(path("table.sqlite"), clock_, receipts::receipts_table(), how());
    }
    /// `lines` and `words` have a dead-letter queue each, `lines-dead` and `words-dead`; `stream-dead` is for records.
    [[nodiscard]] auto open_queue(std::string_view name) const -> freshet::result<queue> {
        adapters::queue_options options{.name = std::string{name}, .visibility = wanted_.visibility};
        if (!name.ends_with("-dead") && wanted_.max_receives != 0) {
            options.max_receives = wanted_.max_receives;
            options.dead_letters = options.name + "-dead";
        }
        return queue::open(path("queues.sqlite"), clock_, std::move(options), how());
    }
    [[nodiscard]] auto open_ledger() const -> freshet::result<ledger> {
        return ledger::open(path("embeddings.sqlite"), clock_, {}, how());
    }
    [[nodiscard]] auto open_embeddings(bool read_only = false) const -> freshet::result<receipts::embeddings> {
        return receipts::embeddings::open(path("embeddings.sqlite"), how(read_only));
    }
    /// What `use(table, store)` reads: the table to query and the cache of label counts, which threads may share.
    template <class Use>
    [[nodiscard]] auto with_label_counts(Use use) const -> freshet::result<label_counts::reading> {
        using counts = adapters::sqlite::ttl_store<Clock>;
        label_counts::lent_table<table> items_table{[this] { return open_table(true); }};
        label_counts::lent_store<counts> store{[this] {
            return counts::open(path("cache.sqlite"), clock_, {.name = std::string{label_counts::store_name}}, how());
        }};
        if (auto opened = store.open(); !opened) { return std::move(opened).why(); } // made by one, before many use it
        return use(items_table, store);
    }

    /// What `use(place)`, a `result<void>`, does with what the jobs that validate receipts work on.
    template <class Use>
    [[nodiscard]] auto with_jobs(Use use) const -> freshet::result<void> {
        freshet::result<void> used;
        const auto opened =
            validation::in_directory(wanted_.directory, how(), false, clock_, [&](validation::place& at) {
                used = use(at);
                return 0;
            });
        return opened ? used : opened.why();
    }

private:
    [[nodiscard]] auto path(std::string_view file) const -> std::string {
        return wanted_.directory + "/" + std::string{file};
    }
    [[nodiscard]] auto how(bool read_only = false) const -> adapters::sqlite::database_options {
        return {.durable = wanted_.durable, .busy = wanted_.busy, .read_only = read_only};
    }
    [[nodiscard]] auto denied(const std::string& why) const -> freshet::error {
        return {freshet::errc::denied, name() + ": " + why};
    }

    settings wanted_;
    Clock& clock_;
};

} // namespace demo
