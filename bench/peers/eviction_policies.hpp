#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <vector>

/// Ways to choose what a full cache gives up. `ask(key)` says whether it is there, and puts it there if it was not.
namespace freshet_bench {

/// Gives up what was asked for the longest ago.
class lru {
public:
    explicit lru(std::size_t most) : most_{most} {}

    auto ask(std::uint64_t key) -> bool {
        if (const auto at = places_.find(key); at != places_.end()) {
            order_.splice(order_.begin(), order_, at->second);
            return true;
        }
        if (places_.size() == most_) {
            places_.erase(order_.back());
            order_.pop_back();
        }
        order_.push_front(key);
        places_.emplace(key, order_.begin());
        return false;
    }

private:
    std::size_t most_;
    std::list<std::uint64_t> order_;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places_;
};

/// W-TinyLFU (Einziger, Friedman and Manes, 2017): a window of one hundredth, a segmented LRU of which four fifths are
/// protected, and a count-min sketch of four rows of four-bit counters, which are halved after ten requests an entry.
class w_tiny_lfu {
public:
    explicit w_tiny_lfu(std::size_t most)
        : window_most_{std::max<std::size_t>(1, most / 100)},
          main_most_{most - window_most_},
          protected_most_{main_most_ * 4 / 5},
          sample_{10 * most},
          columns_{std::bit_ceil(most)},
          counters_(4 * columns_) {}

    auto ask(std::uint64_t key) -> bool {
        count(key);
        if (const auto at = places_.find(key); at != places_.end()) {
            use(at->second);
            return true;
        }
        segments_[window].push_front(key);
        places_[key] = {window, segments_[window].begin()};
        if (segments_[window].size() > window_most_) { admit(); }
        return false;
    }

private:
    enum segment : std::uint8_t { window, probation, kept };
    struct place {
        segment in;
        std::list<std::uint64_t>::iterator at;
    };

    void move(place& it, segment to) {
        segments_[to].splice(segments_[to].begin(), segments_[it.in], it.at);
        it.in = to;
    }
    void use(place& it) {
        move(it, it.in == window ? window : kept);
        if (segments_[kept].size() > protected_most_) { move(places_[segments_[kept].back()], probation); }
    }
    /// What leaves the window competes with what the main part would give up.
    void admit() {
        auto& candidate = places_[segments_[window].back()];
        if (segments_[probation].size() + segments_[kept].size() < main_most_) { return move(candidate, probation); }
        const auto victim = segments_[probation].back();
        if (frequency(*candidate.at) > frequency(victim)) {
            move(candidate, probation);
            drop(victim);
        } else {
            drop(*candidate.at);
        }
    }
    void drop(std::uint64_t key) {
        const auto at = places_.find(key);
        segments_[at->second.in].erase(at->second.at);
        places_.erase(at);
    }

    [[nodiscard]] auto counter(std::uint64_t key, std::uint64_t row) -> std::uint8_t& {
        auto h = (key + 1 + row * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
        h = (h ^ (h >> 32)) * 0x94d049bb133111ebu;
        return counters_[row * columns_ + ((h >> 32) & (columns_ - 1))];
    }
    [[nodiscard]] auto frequency(std::uint64_t key) -> std::uint8_t {
        return std::min({counter(key, 0), counter(key, 1), counter(key, 2), counter(key, 3)});
    }
    void count(std::uint64_t key) {
        for (std::uint64_t row = 0; row != 4; ++row) {
            if (counter(key, row) != 15) { ++counter(key, row); }
        }
        if (++counted_ == sample_) {
            for (auto& each : counters_) { each /= 2; }
            counted_ /= 2;
        }
    }

    std::size_t window_most_;
    std::size_t main_most_;
    std::size_t protected_most_;
    std::size_t sample_;
    std::size_t columns_;
    std::vector<std::uint8_t> counters_; // of a byte each, to keep it short
    std::size_t counted_{};
    std::array<std::list<std::uint64_t>, 3> segments_;
    std::unordered_map<std::uint64_t, place> places_;
};

} // namespace freshet_bench
