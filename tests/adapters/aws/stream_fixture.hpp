#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <freshet/backend/change_stream.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/aws/change_stream.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/table.hpp>
#include <adapters/aws/table_admin.hpp>
#include <adapters/item_table.hpp>
#include <adapters/item_write.hpp>
#include <fake_aws/server.hpp>
#include <laws/items.hpp>

namespace fake_aws::testing {

using freshet::testing::manual_clock;

/// A table on the fake whose stream has some shards; `splits`: which are split twice, and roll over now and then.
class streamed_table {
public:
    streamed_table(server& service, const adapters::aws::client& by, adapters::item_table_options options,
                   std::size_t shards, bool splits)
        : server_{service}, options_{std::move(options)}, splits_{splits}, table_{by, options_} {
        REQUIRE(adapters::aws::create_table(by, options_, {.stream = true}).ok());
        server_.dynamodb().set_shards(options_.name, shards);
    }

    [[nodiscard]] auto get(const freshet::row_key& key) { return table_.get(key); }
    [[nodiscard]] auto put(const freshet::document& item, const adapters::item_condition& condition = {})
        -> freshet::result<void> {
        return count(), table_.put(item, condition);
    }
    [[nodiscard]] auto update(const freshet::row_key& key, const freshet::item_patch& patch,
                              const adapters::item_condition& condition = {}) -> freshet::result<void> {
        return count(), table_.update(key, patch, condition);
    }
    [[nodiscard]] auto erase(const freshet::row_key& key, const adapters::item_condition& condition = {})
        -> freshet::result<void> {
        return count(), table_.erase(key, condition);
    }
    [[nodiscard]] auto expire(const freshet::row_key& key) -> freshet::result<void> {
        count();
        nlohmann::json wire;
        wire[options_.partition]["S"] = key.partition;
        wire[options_.sort]["S"] = key.sort;
        server_.dynamodb().expire(options_.name, wire);
        return {};
    }

private:
    void count() {
        ++writes_;
        if (splits_ && (writes_ == 6 || writes_ == 9)) { server_.dynamodb().split_shards(options_.name, 2); }
        if (splits_ && writes_ % 16 == 0) { server_.dynamodb().split_shards(options_.name, 1); }
    }

    server& server_;
    adapters::item_table_options options_;
    bool splits_;
    std::size_t writes_{};
    adapters::aws::table table_;
};

/// A table on a fake of its own, and its stream; the fake and the stream live by one manual clock.
template <std::size_t Shards, bool Splits>
class streamed {
public:
    using stream_type = adapters::aws::change_stream<manual_clock>;
    static constexpr bool notices_additions = false; // by `if_unchanged`

    streamed() {
        REQUIRE(adapters::aws::create_table(client_, {.name = "state", .partition = "id", .sort = ""}).ok());
        stream_.emplace(open());
    }

    [[nodiscard]] auto table() -> streamed_table& { return table_; }
    [[nodiscard]] auto stream() -> stream_type& { return *stream_; }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }
    [[nodiscard]] auto fake() -> server& { return server_; }
    [[nodiscard]] auto client() -> const adapters::aws::client& { return client_; }
    [[nodiscard]] auto foreign_position() -> freshet::stream_position {
        const adapters::item_table_options other{.name = "other"};
        REQUIRE(adapters::aws::create_table(client_, other, {.stream = true}).ok());
        return laws::got(laws::got(stream_type::open(client_, clock_, other)).latest());
    }
    void trim() { server_.dynamodb().trim(name); }
    void split(std::size_t children) { server_.dynamodb().split_shards(name, children); }

    /// Another object for the same stream, as another process has it.
    [[nodiscard]] auto open(std::size_t turn = 1'000) -> stream_type {
        return laws::got(stream_type::open(client_, clock_, {.name = name}, {.checkpoints = "state", .turn = turn}));
    }
    void restart(std::size_t turn = 1'000) { stream_.emplace(open(turn)); }

    static constexpr const char* name = "items";

private:
    manual_clock clock_;
    server server_{[this] { return clock_.now(); }};
    adapters::aws::client client_{server_.settings()};
    streamed_table table_{server_,
                          client_,
                          {.name = name, .indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}},
                          Shards,
                          Splits};
    std::optional<stream_type> stream_;
};

} // namespace fake_aws::testing
