#pragma once

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <sys/mman.h>

#include <doctest/doctest.h>

#include <freshet/testing/manual_clock.hpp>

#include "../support/process.hpp"
#include "ttl_store_steps.hpp"

/// The fence of a store that processes share; `with_store(use)` opens a store of its own, and gives what `use(store)`
/// says, or false where it cannot.
namespace laws {

/// One process looks up, this one invalidates, and the other one puts what it has loaded.
void keeps_out_the_late_process(auto with_store, bool clears) {
    const cached old{"old", {}, {}, freshet::time_point::max()};
    const support::signal_pipe looked_up;
    const support::signal_pipe invalidated;
    support::process late{[&] {
        const bool well = with_store([&](auto& store) {
            const auto found = store.get("key");
            looked_up.go();
            invalidated.wait();
            if (!found.ok()) { return false; }
            const auto put = store.put("key", old, found->ticket); // refused, or stored where nobody looks
            return put.ok() || is_kept_out(put);
        });
        looked_up.go(); // where it could not look
        return well;
    }};
    const auto invalidates = [&](auto& store) {
        looked_up.wait();
        const auto done = clears ? store.clear() : store.erase("key");
        invalidated.go();
        CHECK_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
        CHECK(late.went_well());
        CHECK(lacks(store, "key"));
        REQUIRE(store.put("key", old, ticket_of(store, "key")).ok());
        CHECK(holds(store, "key", old));
        return true;
    };
    CHECK(with_store(invalidates));
}

/// Processes that load and invalidate at once: none sees what was loaded before an invalidation ended.
void keeps_processes_apart(auto with_store) {
    struct board {
        std::atomic<int> source{0};
        std::atomic<int> promised{0}; // what every look-up finds that begins from now on, or something newer
        std::atomic<int> loads{0};
        std::atomic<int> ended{0}; // readers
        std::atomic<bool> over{false};
    };
    void* const page = ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    auto& shared = *new (page) board;
    const auto reads = [&](auto& store) {
        while (!shared.over) {
            const auto least = shared.promised.load();
            const auto found = store.get("key");
            if (!found.ok() || (found->entry && std::stoi(*found->entry->value) < least)) { return false; }
            const cached loaded{std::to_string(shared.source.load()), {}, {}, freshet::time_point::max()};
            const auto put = store.put("key", loaded, found->ticket);
            if (!put.ok() && !is_kept_out(put)) { return false; }
            ++shared.loads;
        }
        return true;
    };
    std::vector<std::unique_ptr<support::process>> readers;
    for (int reader = 0; reader != 2; ++reader) {
        readers.push_back(std::make_unique<support::process>([&] {
            const bool well = with_store(reads);
            ++shared.ended;
            return well;
        }));
    }
    CHECK(with_store([&](auto& store) {
        for (int version = 1; version <= 60 || (shared.loads < 60 && shared.ended == 0); ++version) {
            shared.source = version;
            if (!(version % 5 == 0 ? store.clear() : store.erase("key")).ok()) { return false; }
            shared.promised = version;
        }
        return true;
    }));
    shared.over = true;
    for (auto& reader : readers) { CHECK(reader->went_well()); }
    ::munmap(page, sizeof(board));
}

} // namespace laws
