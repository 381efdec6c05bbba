#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <adapters/item_table.hpp>
#include <adapters/queue_rules.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/ledger.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/work/retry_plan.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/entities.hpp>
#include <support/log.hpp>

namespace demo {

/// A name that no other process has, on this machine or on another.
[[nodiscard]] inline auto unlike_others() -> std::string {
    return "demo-" + std::to_string(::getpid()) + "-" + std::to_string(std::random_device{}());
}

/// How the parts of the demonstration work, and where: what all processes on one directory have in common.
struct settings {
    std::string directory;
    bool durable{true}; ///< whether what is committed survives a power cut; a killed process it survives in any case
    freshet::duration busy{std::chrono::seconds{5}}; ///< how long to wait for a file that another process is writing

    std::size_t batch{100};                            ///< change records at most, in one batch
    freshet::duration window{std::chrono::seconds{5}}; ///< how long a batch's first record waits for others
    std::optional<freshet::duration> max_age{};        ///< older records go to the dead letters; none: no limit
    freshet::entity_fields<receipts::registry> fields{receipts::default_monitored_fields()};

    freshet::duration visibility{std::chrono::seconds{10}}; ///< of a message that a consumer has
    unsigned max_receives{10};                              ///< of a message, before it is a dead letter
    freshet::duration lease{std::chrono::seconds{5}};       ///< of a collection, and of the stream
    freshet::duration poll{std::chrono::milliseconds{100}}; ///< between two looks where there was nothing
    freshet::retry_options retries{};                       ///< of what a backend did not answer
    freshet::duration patience{std::chrono::seconds{10}};   ///< with a backend that fails, before a role gives up

    std::string owner{unlike_others()}; ///< this process to the ledger, and no other that may be alive
    std::uint64_t seed{1};
    support::log log{support::log_level::warning};
};

/// The table of receipts: labels are found by their name (GSI1) and by their status (GSI3).
[[nodiscard]] inline auto receipts_table() -> adapters::item_table_options {
    adapters::item_table_options options;
    options.name = "receipts";
    options.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK", {}}};
    return options;
}

/// Opens what lies in the directory; the clock is borrowed by all of it.
template <class Clock>
class place {
public:
    using table = adapters::sqlite::table<Clock>;
    using stream = adapters::sqlite::change_stream<Clock, adapters::unread>;
    using queue = adapters::sqlite::message_queue<Clock>;
    using ledger = adapters::sqlite::ledger<Clock>;

    place(const settings& wanted, Clock& clock) : wanted_{wanted}, clock_{clock} {}

    /// Whether a table is there; `denied` where the directory is none or cannot be looked into.
    [[nodiscard]] auto has_table() const -> freshet::result<bool> {
        std::error_code failed;
        const auto what = std::filesystem::status(wanted_.directory, failed).type();
        if (what == std::filesystem::file_type::not_found) { return false; }
        if (failed) { return denied(failed.message()); }
        if (what != std::filesystem::file_type::directory) { return denied("is no directory"); }
        const bool there = std::filesystem::exists(path("table.sqlite"), failed);
        if (failed) { return denied(failed.message()); }
        return there;
    }
    /// Makes the directory where there is none.
    [[nodiscard]] auto make_directory() const -> freshet::result<void> {
        std::error_code failed;
        std::filesystem::create_directories(wanted_.directory, failed);
        if (failed) { return denied(failed.message()); }
        if (!std::filesystem::is_directory(wanted_.directory, failed)) { return denied("is no directory"); }
        return {};
    }

    [[nodiscard]] auto open_table(bool read_only = false) const -> freshet::result<table> {
        return table::open(path("table.sqlite"), clock_, receipts_table(), how(read_only));
    }
    [[nodiscard]] auto open_stream() const -> freshet::result<stream> {
        return stream::open(path("table.sqlite"), clock_, receipts_table(), how());
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

private:
    [[nodiscard]] auto path(std::string_view file) const -> std::string {
        return wanted_.directory + "/" + std::string{file};
    }
    [[nodiscard]] auto how(bool read_only = false) const -> adapters::sqlite::database_options {
        return {.durable = wanted_.durable, .busy = wanted_.busy, .read_only = read_only};
    }
    [[nodiscard]] auto denied(const std::string& why) const -> freshet::error {
        return {freshet::errc::denied, freshet::printable(wanted_.directory) + ": " + why};
    }

    settings wanted_;
    Clock& clock_;
};

} // namespace demo
