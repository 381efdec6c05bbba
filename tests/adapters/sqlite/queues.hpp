#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/sqlite/message_queue.hpp>

#include <support/scratch_directory.hpp>

#include "../../laws/letters.hpp"

namespace sqlite_queues {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::testing::manual_clock;
using queue_type = adapters::sqlite::message_queue<manual_clock>;

inline const adapters::sqlite::database_options quick{.durable = false, .busy = 20ms, .read_only = false};
inline const adapters::queue_options of_dead{.name = "dead"};
inline const adapters::queue_options of_fifo{.name = "fifo", .max_receives = 3, .dead_letters = "dead"};
inline const adapters::queue_options of_standard{.name = "standard", .fifo = false};

inline auto opened(const std::string& path, const manual_clock& clock, const adapters::queue_options& options,
            const adapters::sqlite::database_options& file = quick) -> queue_type {
    auto made = queue_type::open(path, clock, options, file);
    REQUIRE_MESSAGE(made.ok(), made.why().note);
    REQUIRE(made->file().run("PRAGMA synchronous = OFF")); // no power cut in a test
    return *std::move(made);
}

/// A file and a clock, for queues to be opened on.
struct bench {
    support::scratch_directory in;
    manual_clock clock;

    [[nodiscard]] auto path() const -> std::string { return in.file("q.db"); }
    auto open(const adapters::queue_options& options = of_fifo,
              const adapters::sqlite::database_options& file = quick) const -> queue_type {
        return opened(path(), clock, options, file);
    }
};

inline auto request_of(std::size_t first, std::size_t count, std::size_t groups) -> std::vector<laws::letter> {
    std::vector<laws::letter> letters;
    for (auto n = first; n < first + count; ++n) {
        letters.push_back({"g" + std::to_string(n % groups), {}, std::to_string(n), std::to_string(n)});
    }
    return letters;
}

inline void fill(queue_type& queue, std::size_t count, std::size_t groups) {
    for (std::size_t n = 0; n < count; n += 10) { REQUIRE(laws::send(queue, request_of(n, 10, groups)).empty()); }
}

inline auto rows(queue_type& queue, const std::string& table) -> std::int64_t {
    return queue.file().ask("SELECT count(*) FROM " + table).value_or(-1);
}

/// The failure is this one, and its note is one line with these words in it.
template <class T>
void fails(const freshet::result<T>& what, errc code, std::string_view words) {
    REQUIRE(!what.ok());
    CAPTURE(what.why().note);
    CHECK(what.why().code == code);
    CHECK(what.why().note.find(words) != std::string::npos);
    CHECK(what.why().note.find('\n') == std::string::npos);
}

} // namespace sqlite_queues
