#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <freshet/backend/record_source.hpp>
#include <freshet/cache/local_store.hpp>
#include <freshet/cache/ttl_cache.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/floor_to.hpp>
#include <metrics/item_rows.hpp>

namespace metrics {

/// A record_source that keeps what another one listed, an hour of a series at a time, until it hears of a change there.
///
/// Who follows the change stream calls `changed` before he counts anew, and `forget` where he may have missed
/// something; so the hours of a window are read once, and then only those that changed. A change that he has not heard
/// of yet is not seen, for `kept_for` at most, and what a counter without a cache found meanwhile may be undone: so he
/// follows the stream with a place of his own, and counts again when he hears of it. Where he ends before, the count is
/// behind until the next one with that place. An hour is read whole, and in memory while it is kept. Borrows the source
/// and the clock.
template <class Source, class Clock>
class cached_source {
    static_assert(freshet::record_source<Source>, "a cached_source keeps what a freshet::record_source lists");

public:
    static constexpr freshet::record_order order = Source::order;

    cached_source(Source& from, const Clock& clock, freshet::duration kept_for = std::chrono::minutes{10},
                  std::size_t most_hours = 1'000)
        : from_{from}, store_{clock, {.max_entries = most_hours}}, cache_{store_, clock, {{.ttl = kept_for}}} {}

    /// Pages are of one hour, or of parts of one.
    [[nodiscard]] auto list(const freshet::series_key& series, const freshet::time_range& range,
                            const freshet::page_request& request)
        -> freshet::result<freshet::page<freshet::listed_record>> {
        auto at = place_of(range, request);
        if (!at) { return std::move(at).why(); }
        freshet::page<freshet::listed_record> made;
        while (at->hour < range.end && made.rows.empty()) {
            const auto found = hour_of(series, at->hour);
            if (!found) { return found.why(); }
            const auto& all = **found;
            const auto left = std::span{all}.subspan(std::min(at->done, all.size()));
            const auto some = left.first(request.limit == 0 ? left.size() : std::min(left.size(), request.limit));
            made.rows.assign(some.begin(), some.end());
            *at = some.size() == left.size() ? place{at->hour + hour, 0} : place{at->hour, at->done + some.size()};
        }
        if (at->hour < range.end) { made.next = token_of(*at); }
        return made;
    }

    /// Records of these times were made, moved or removed.
    [[nodiscard]] auto changed(const freshet::series_key& series, std::span<const freshet::time_range> where)
        -> freshet::result<void> {
        for (const auto& range : where) {
            for (auto start = freshet::floor_to(range.start, hour); start < range.end; start += hour) {
                if (auto erased = cache_.erase(key_of(series, start)); !erased) { return erased; }
            }
        }
        return {};
    }
    [[nodiscard]] auto forget() -> freshet::result<void> { return cache_.clear(); }

private:
    using records = std::shared_ptr<const std::vector<freshet::listed_record>>;
    using store_type = freshet::local_store<std::string, records, Clock>;
    static constexpr freshet::duration hour = std::chrono::hours{1};

    /// Where a list goes on: behind so many records of an hour.
    struct place {
        freshet::time_point hour{};
        std::size_t done{};
    };

    [[nodiscard]] static auto token_of(const place& at) -> freshet::page_token {
        return std::to_string(at.hour.time_since_epoch().count()) + '+' + std::to_string(at.done);
    }
    [[nodiscard]] static auto place_of(const freshet::time_range& range, const freshet::page_request& request)
        -> freshet::result<place> {
        if (!request.from) { return place{freshet::floor_to(range.start, hour), 0}; }
        freshet::duration::rep start = 0;
        std::size_t done = 0;
        const auto* const end = request.from->data() + request.from->size();
        const auto first = std::from_chars(request.from->data(), end, start);
        const bool parted = first.ec == std::errc{} && first.ptr != end && *first.ptr == '+';
        const auto second = parted ? std::from_chars(first.ptr + 1, end, done) : first;
        if (!parted || second.ec != std::errc{} || second.ptr != end) {
            return freshet::error{freshet::errc::malformed, "cached source: what is no token of it"};
        }
        return place{freshet::time_point{freshet::duration{start}}, done};
    }

    [[nodiscard]] static auto key_of(const freshet::series_key& series, freshet::time_point start) -> std::string {
        return partition_of(series) + '@' + std::to_string(start.time_since_epoch().count());
    }

    [[nodiscard]] auto hour_of(const freshet::series_key& series, freshet::time_point start)
        -> freshet::result<records> {
        const auto load = [&]() -> freshet::result<records> {
            std::vector<freshet::listed_record> all;
            freshet::page_request request;
            do {
                auto page = from_.list(series, {start, start + hour}, request);
                if (!page) { return std::move(page).why(); }
                std::move(page->rows.begin(), page->rows.end(), std::back_inserter(all));
                request.from = std::move(page->next);
            } while (request.from);
            return std::make_shared<const std::vector<freshet::listed_record>>(std::move(all));
        };
        return cache_.get_or_load(key_of(series, start), load).transform([](auto answer) { return *answer.value; });
    }

    Source& from_;
    store_type store_;
    freshet::ttl_cache<store_type, Clock> cache_;
};

} // namespace metrics
