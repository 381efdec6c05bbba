#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include <adapters/aws/bucket_sink.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/ledger.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/aws/ttl_store.hpp>
#include <adapters/item_table.hpp>
#include <adapters/run_store.hpp>
#include <freshet/testing/manual_clock.hpp>

/// Fixtures of the laws for servers that are processes; `Server::url()` says where the server is.
namespace servers {

/// A client of a server that checks no signatures.
[[nodiscard]] inline auto settings_for(const std::string& url) -> adapters::aws::settings {
    adapters::aws::settings settings{};
    settings.region = "us-east-1";
    settings.keys = {"AKIAFRESHETEXAMPLE01", "secret", ""};
    settings.endpoint = url;
    settings.total_timeout = std::chrono::seconds{60}; // of a busy machine
    return settings;
}

/// A name that nothing has yet.
[[nodiscard]] inline auto fresh_name(const std::string& kind) -> std::string {
    static std::atomic<std::size_t> given{0};
    return kind + "-" + std::to_string(++given);
}

/// An empty table as the laws want it.
template <class Server>
class laid_table {
public:
    static constexpr bool notices_additions = false;

    laid_table() {
        const auto made = adapters::aws::create_table(client_, options_);
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    }
    [[nodiscard]] auto table() -> adapters::aws::table& { return table_; }

private:
    adapters::aws::client client_{settings_for(Server::url())};
    adapters::item_table_options options_{.name = fresh_name("table"),
                                          .indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}};
    adapters::aws::table table_{client_, options_};
};

/// A sink without a count, of widths up to a day.
template <class Server>
class kept_sink {
public:
    static constexpr int many_blocks = 300;

    kept_sink() {
        const auto made = adapters::aws::create_table(client_, {.name = name_, .partition = "id", .sort = "block"});
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    }
    [[nodiscard]] auto sink() -> adapters::aws::bucket_sink& { return sink_; }
    [[nodiscard]] auto other() -> adapters::aws::bucket_sink& { return other_; }

private:
    std::string name_{fresh_name("counts")};
    adapters::aws::client client_{settings_for(Server::url())};
    adapters::aws::bucket_sink sink_{client_, {.table = name_, .widest = std::chrono::hours{24}}};
    adapters::aws::bucket_sink other_{client_, {.table = name_, .widest = std::chrono::hours{24}}};
};

/// A store of reports without one.
template <class Server>
class kept_runs {
public:
    using store_type = adapters::run_store<adapters::aws::table>;
    static constexpr int many_runs = 200;

    kept_runs() {
        const auto made = adapters::aws::create_table(client_, options_);
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    }
    [[nodiscard]] auto store() -> store_type& { return store_; }
    [[nodiscard]] auto other() -> store_type& { return other_; }

private:
    [[nodiscard]] static auto runs_table() -> adapters::item_table_options {
        auto options = adapters::runs_table();
        options.name = fresh_name("runs");
        return options;
    }

    adapters::item_table_options options_{runs_table()};
    adapters::aws::client client_{settings_for(Server::url())};
    adapters::aws::table table_{client_, options_};
    adapters::aws::table again_{client_, options_};
    store_type store_{table_};
    store_type other_{again_};
};

/// A ledger without a key, which lives by a clock of its own.
template <class Server>
class kept_ledger {
public:
    using manual_clock = freshet::testing::manual_clock;

    kept_ledger() {
        const auto made = adapters::aws::create_table(client_, {.name = name_, .partition = "id", .sort = ""});
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    }
    [[nodiscard]] auto ledger() -> adapters::aws::ledger<manual_clock>& { return ledger_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }

private:
    std::string name_{fresh_name("ledger")};
    manual_clock clock_;
    adapters::aws::client client_{settings_for(Server::url())};
    adapters::aws::ledger<manual_clock> ledger_{client_, clock_, {.table = name_}};
};

/// A store without an entry, which lives by a clock of its own.
template <class Server>
class kept_store {
public:
    using manual_clock = freshet::testing::manual_clock;

    kept_store() {
        const auto made = adapters::aws::create_table(client_, {.name = name_, .partition = "id", .sort = ""});
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    }
    [[nodiscard]] auto store() -> adapters::aws::ttl_store<manual_clock>& { return store_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fence_time() const -> freshet::duration { return options_.fence_time; }

private:
    std::string name_{fresh_name("store")};
    manual_clock clock_;
    adapters::aws::client client_{settings_for(Server::url())};
    adapters::aws::ttl_store_options options_{.table = name_, .name = "entries"};
    adapters::aws::ttl_store<manual_clock> store_{client_, clock_, options_};
};

/// A store without an entry that processes share: each call opens it for the process that calls.
template <class Server>
class shared_store {
public:
    shared_store() {
        const adapters::aws::client client{settings_for(Server::url())};
        const auto made = adapters::aws::create_table(client, {.name = name_, .partition = "id", .sort = ""});
        REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    }
    [[nodiscard]] auto operator()(auto use) const -> bool {
        const freshet::testing::manual_clock clock;
        const adapters::aws::client client{settings_for(Server::url())};
        adapters::aws::ttl_store store{client, clock, {.table = name_, .name = "entries"}};
        return use(store);
    }

private:
    std::string name_{fresh_name("store")};
};

} // namespace servers
