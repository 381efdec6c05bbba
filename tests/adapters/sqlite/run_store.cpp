#include <adapters/run_store.hpp>

#include <string>

#include <doctest/doctest.h>

#include <adapters/sqlite/table.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <support/scratch_directory.hpp>

#include "../../laws/run_store.hpp"
#include "items_file.hpp"

namespace {

using namespace adapters::sqlite::testing;
using store_type = adapters::run_store<items>;

static_assert(freshet::run_store<store_type>);

auto opened(const std::string& path, manual_clock& clock) -> items {
    auto made = must(items::open(path, clock, adapters::runs_table(), patient));
    REQUIRE(made.file().run("PRAGMA synchronous = OFF")); // no power cut in a test
    return made;
}

/// Two connections to one file.
class in_file {
public:
    [[nodiscard]] auto store() -> store_type& { return store_; }
    [[nodiscard]] auto other() -> store_type& { return other_; }
    [[nodiscard]] auto path() const -> std::string { return in_.file("runs.db"); }
    [[nodiscard]] auto clock() -> manual_clock& { return clock_; }

private:
    support::scratch_directory in_;
    manual_clock clock_;
    items table_{opened(path(), clock_)};
    items again_{opened(path(), clock_)};
    store_type store_{table_};
    store_type other_{again_};
};

} // namespace

FRESHET_RUN_STORE_LAWS(in_file);

TEST_CASE("reports are there when the file is opened again") {
    in_file f;
    const auto report = laws::full_run();
    laws::put(f.store(), report);
    auto table = opened(f.path(), f.clock());
    adapters::run_store later{table};
    laws::holds_runs(later, report.job, {report});
}
