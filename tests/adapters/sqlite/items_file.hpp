#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include <adapters/item_table.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/database.hpp>
#include <adapters/sqlite/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <support/scratch_directory.hpp>

namespace adapters::sqlite::testing {

using freshet::testing::manual_clock;
using items = table<manual_clock>;
using changes = change_stream<manual_clock>;

inline const item_table_options with_indexes{.indexes = {{"GSI1", "GSI1PK", "GSI1SK"}, {"GSI3", "GSI3PK"}}};
inline const database_options quick{.durable = false, .busy = std::chrono::milliseconds{20}, .read_only = false};
inline const database_options patient{.durable = false, .busy = std::chrono::seconds{20}, .read_only = false};
inline const database_options reading{.durable = false, .busy = std::chrono::milliseconds{20}, .read_only = true};

template <class Opened>
[[nodiscard]] auto must(freshet::result<Opened> opened) -> Opened {
    REQUIRE_MESSAGE(opened.ok(), opened.why().note);
    return *std::move(opened);
}

/// An item of these keys with an attribute `n`, and more members as JSON text.
[[nodiscard]] inline auto item(const std::string& pk, const std::string& sk, std::int64_t n = 0,
                               const std::string& more = "") -> freshet::document {
    return must(freshet::document::parse("{\"PK\":{\"S\":\"" + pk + "\"},\"SK\":{\"S\":\"" + sk +
                                         "\"},\"n\":{\"N\":\"" + std::to_string(n) + "\"}" + more + "}"));
}

[[nodiscard]] inline auto n_of(const freshet::document& item) -> std::int64_t {
    return std::stoll(std::string{item.image().find("n")->text()});
}

/// A file in a new directory, with a table, its stream, each over its own connection, and a clock.
struct items_file {
    support::scratch_directory in;
    std::string path{in.file("items.db")};
    manual_clock clock;
    items table{must(items::open(path, clock, with_indexes, quick))};
    changes stream{must(changes::open(path, clock, with_indexes, quick))};

    /// A number that the file knows.
    [[nodiscard]] auto ask(std::string_view sql) -> std::int64_t { return must(stream.file().ask(sql)); }
    [[nodiscard]] auto rows() -> std::int64_t { return ask("SELECT count(*) FROM item"); }
    [[nodiscard]] auto logged() -> std::int64_t { return ask("SELECT count(*) FROM item_change"); }
};

/// The same as the law suites want it.
class on_sqlite {
public:
    [[nodiscard]] auto table() -> items& { return here_.table; }
    [[nodiscard]] auto stream() -> changes& { return here_.stream; }
    [[nodiscard]] auto clock() -> manual_clock& { return here_.clock; }
    [[nodiscard]] auto foreign_position() -> freshet::stream_position {
        items_file elsewhere;
        return must(elsewhere.stream.latest());
    }
    void trim() { REQUIRE(here_.stream.trim(freshet::time_point::max())); }

private:
    items_file here_;
};

} // namespace adapters::sqlite::testing
