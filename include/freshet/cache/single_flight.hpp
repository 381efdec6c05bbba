#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace freshet {

/// Lets one of those who want the same thing at the same time fetch it, and the others have what he got.
///
/// Whoever waits does so for a thread that does not wait for him: one that would close a circle, or would wait for
/// itself, is told to fetch alone. Circles are seen where the fetching is done on the thread that leads the flight.
template <class Id, class Outcome, class Hash = std::hash<Id>>
class single_flight {
    struct flight {
        std::thread::id leader;
        const Id* id{}; // in `flights_`, until it is over: a copy of an own could fail when there is no way back
        std::shared_ptr<const Outcome> outcome;
        bool over{};
        std::condition_variable landed{};
    };

public:
    single_flight() = default;
    single_flight(const single_flight&) = delete;
    auto operator=(const single_flight&) -> single_flight& = delete;

    /// What somebody does about an id: he leads its flight, or another thread does, or he fetches alone.
    class [[nodiscard]] seat {
    public:
        seat(seat&& other) noexcept
            : of_{other.of_},
              flight_{std::move(other.flight_)},
              leads_{std::exchange(other.leads_, false)},
              completed_before_{other.completed_before_} {}
        auto operator=(seat&&) -> seat& = delete;
        /// A flight that is led and was not landed has no outcome: those who wait for it are told so.
        ~seat() {
            if (leads_) { of_->land(*flight_, nullptr); }
        }

        [[nodiscard]] auto leads() const noexcept -> bool { return leads_; }
        [[nodiscard]] auto alone() const noexcept -> bool { return !flight_; }
        /// How many flights had landed when this one was begun; see `landed_so_far`.
        [[nodiscard]] auto landed_before() const noexcept -> std::uint64_t { return completed_before_; }

        /// Gives the outcome to those who wait; only who leads may.
        void land(std::shared_ptr<const Outcome> outcome) {
            leads_ = false;
            of_->land(*flight_, std::move(outcome));
        }

        /// The outcome of another's flight, once it is there; null where its leader gave up, or where waiting would
        /// close a circle.
        [[nodiscard]] auto wait() -> std::shared_ptr<const Outcome> { return of_->wait(*flight_); }

    private:
        friend single_flight;
        seat(single_flight& of, std::shared_ptr<flight> of_id, bool leads, std::uint64_t completed) noexcept
            : of_{&of}, flight_{std::move(of_id)}, leads_{leads}, completed_before_{completed} {}

        single_flight* of_;
        std::shared_ptr<flight> flight_;
        bool leads_;
        std::uint64_t completed_before_;
    };

    /// Takes the lead of the id's flight, or a seat in it. Does not wait.
    auto board(const Id& id) -> seat {
        const std::scoped_lock lock{mutex_};
        const auto [at, first] = flights_.try_emplace(id);
        if (first) {
            try {
                at->second = std::make_shared<flight>();
            } catch (...) {
                flights_.erase(at);
                throw;
            }
            at->second->leader = std::this_thread::get_id();
            at->second->id = &at->first;
        } else if (at->second->leader == std::this_thread::get_id()) {
            return seat{*this, nullptr, false, landed_};
        }
        return seat{*this, at->second, first, landed_};
    }

    /// How many flights have landed: who saw this number before he looked for a thing, and leads a flight that was
    /// begun at the same number, knows that nobody fetched it in between.
    [[nodiscard]] auto landed_so_far() const noexcept -> std::uint64_t { return landed_.load(); }

private:
    void land(flight& it, std::shared_ptr<const Outcome> outcome) {
        const std::scoped_lock lock{mutex_};
        it.outcome = std::move(outcome);
        it.over = true;
        ++landed_;
        flights_.erase(flights_.find(*it.id));
        it.landed.notify_all();
    }

    auto wait(flight& it) -> std::shared_ptr<const Outcome> {
        std::unique_lock lock{mutex_};
        const auto self = std::this_thread::get_id();
        for (const flight* next = &it; next != nullptr && !next->over;) {
            if (next->leader == self) { return nullptr; }
            const auto at = waiting_.find(next->leader);
            next = at == waiting_.end() ? nullptr : at->second;
        }
        waiting_[self] = &it;
        it.landed.wait(lock, [&] { return it.over; });
        waiting_.erase(self);
        return it.outcome;
    }

    std::mutex mutex_;
    std::atomic<std::uint64_t> landed_{};
    std::unordered_map<Id, std::shared_ptr<flight>, Hash> flights_;
    std::unordered_map<std::thread::id, const flight*> waiting_;
};

} // namespace freshet
