#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <adapters/graphql/answer.hpp>
#include <adapters/graphql/client.hpp>
#include <adapters/graphql/metrics_model.hpp>
#include <adapters/graphql/metrics_mutation.hpp>
#include <adapters/graphql/time_text.hpp>
#include <adapters/recounted_blocks.hpp>
#include <freshet/backend/bucket_sink.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace adapters::graphql {

/// Counts as records of an AppSync API that Amplify generated, a record a bucket. Borrows the client and the clock.
///
/// Of the laws of a `bucket_sink`, such an API can hold these:
///  1: whole. A series' runs are counted by a record of its own, `TYPE#run`, changed on the condition that it is as it
///     was seen.
///  2: but for what is said of 6.
///  3: where the model has a field for the ticket (`metrics_model::ticket`). Each record is then changed on the
///     condition that no greater ticket is in it, the widest of a block first; each bucket of the range gets a record,
///     also an empty one, and each run writes them all. What is refused while no later run is seen there fails the
///     call, `unavailable`. Without such a field the last to write wins, and nothing is `overtaken`. The fence stands
///     at the bucket: ladders that share a width share its fence.
///  4: not. A block's records are written one after the other: others see it half done, and so it stays after a failed
///     call until that is repeated.
///  5: where there is no ticket; a bucket whose time is over is marked `complete` once, with a write. What is written
///     for its ticket or its mark alone counts as unchanged.
///  6: `read` lags behind by moments, as all queries of such an API do. So does what `replace` takes for stored: a
///     count that was changed a moment ago may then stay until the next run, if there are no tickets.
/// A width is of whole minutes, a count less than 2^31, and so is a ticket. A range that is replaced lies in the years
/// 0000 to 9999. What else is asked for is `malformed`, as are names that cannot be keys: empty ones among them.
template <class Clock>
class bucket_sink {
    static_assert(freshet::clock<Clock>,
                  "a bucket_sink's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;

    bucket_sink(const client& by, const Clock& clock, metrics_model model = {})
        : by_{by}, clock_{clock}, model_{std::move(model)} {}
    bucket_sink(const client&&, const Clock&, metrics_model = {}) = delete;
    bucket_sink(const client&, const Clock&&, metrics_model = {}) = delete;
    bucket_sink(const client&&, const Clock&&, metrics_model = {}) = delete;

    [[nodiscard]] auto begin_run(const freshet::series_key& series) const -> freshet::result<freshet::run_ticket> {
        const auto of = owner_of(series, model_);
        if (!of) { return of.why(); }
        for (unsigned tries = 0; tries != most_tries; ++tries) {
            const auto last = last_run(*of);
            if (!last) { return last.why(); }
            if (*last == greatest_int) { return about(*of, freshet::errc::denied, "an Int counts no more runs"); }
            const auto next = last->value_or(0) + 1;
            const auto done = send(std::vector{*last ? later_run(*of, **last, next) : first_run(*of, next)});
            if (!done) { return done.why(); }
            if (done->front()) { return freshet::run_ticket{static_cast<std::uint64_t>(next)}; }
        }
        return about(*of, freshet::errc::unavailable, "others begin runs all the time");
    }

    [[nodiscard]] auto replace(const freshet::series_key& series, const freshet::recounted& found,
                               const freshet::run_ticket& ticket) const -> freshet::result<freshet::replaced_counts> {
        if (auto usable = check_recounted(found); !usable) { return usable.why(); }
        const auto of = owner_of(series, model_);
        if (!of) { return of.why(); }
        if (auto usable = check_words(*of, found, ticket); !usable) { return usable.why(); }
        const auto widest = found.widths.back();
        const auto block = buckets_in({freshet::time_point{}, freshet::time_point{widest}}, found.widths);
        const auto most_blocks = std::max<std::size_t>(most_in_memory / block, 1);
        freshet::replaced_counts all;
        for (auto start = found.range.start; start < found.range.end;) {
            const auto blocks = std::min(most_blocks, buckets_in({start, found.range.end}, widest));
            const auto end = start + static_cast<freshet::duration::rep>(blocks) * widest;
            const auto done = replace_part(*of, found, {start, end}, static_cast<std::int64_t>(ticket.number));
            if (!done) { return done.why(); }
            all.written += done->written;
            all.unchanged += done->unchanged;
            all.overtaken += done->overtaken;
            start = end;
        }
        return all;
    }

    [[nodiscard]] auto read(const freshet::series_key& series, const freshet::time_range& range,
                            freshet::duration width) const -> freshet::result<std::vector<freshet::bucket>> {
        const auto of = owner_of(series, model_);
        if (!of) { return of.why(); }
        const auto stored = list(*of, range);
        if (!stored) { return stored.why(); }
        std::vector<freshet::bucket> buckets;
        for (const auto& [at, one] : *stored) {
            if (at.first == width && one.counted.count != 0) { buckets.push_back(one.counted); }
        }
        return buckets;
    }

private:
    static constexpr unsigned most_tries = 64;           // of a run to begin among others; each time one of them begins
    static constexpr std::size_t most_in_memory = 4'000; // buckets
    static constexpr std::size_t most_at_once = 25;      // mutations in a request; AppSync ends it after 30 s

    using place = std::pair<freshet::duration, freshet::time_point>; // ordered by width, then by start
    using stored_buckets = std::map<place, stored_bucket>;

    enum class fate { written, unchanged, overtaken };
    struct wish {
        freshet::bucket counted;
        const stored_bucket* had{}; ///< null: it has no record
        freshet::time_point block{};
        fate becomes{fate::unchanged};
    };

    [[nodiscard]] static auto about(const metrics_owner& of, freshet::errc code, std::string_view how)
        -> freshet::error {
        return {code, "GraphQL counts of " + freshet::printable(of.type, 60) + " / " +
                          freshet::printable(of.account, 60) + ": " + std::string{how}};
    }
    [[nodiscard]] auto fenced() const noexcept -> bool { return !model_.ticket.empty(); }
    [[nodiscard]] auto now() const -> std::string { return detail::text_of(clock_.now(), 3); }

    [[nodiscard]] auto last_run(const metrics_owner& of) const -> freshet::result<std::optional<std::int64_t>> {
        const auto field = "get" + model_.name;
        const auto data = by_.call("query Run($account: String!, $key: String!) { " + field +
                                       "(accountId: $account, compositeKey: $key) { count } }",
                                   {{"account", of.account}, {"key", run_key(of)}});
        if (!data) { return data.why(); }
        const auto record = data->find(field);
        if (record == data->end() || !record->is_object()) { return std::nullopt; }
        return detail::int_member(*record, "count");
    }
    [[nodiscard]] auto first_run(const metrics_owner& of, std::int64_t number) const -> metrics_mutation {
        const auto epoch = detail::text_of({});
        return creation(of, run_key(of),
                        {{"recordType", run_key(of)},
                         {"timeRangeStart", epoch},
                         {"timeRangeEnd", epoch},
                         {"numberOfMinutes", 0},
                         {"count", number},
                         {"complete", true}},
                        now());
    }
    [[nodiscard]] auto later_run(const metrics_owner& of, std::int64_t seen, std::int64_t number) const
        -> metrics_mutation {
        return change(of, run_key(of), {{"count", number}}, now(), {{"count", {{"eq", seen}}}});
    }

    /// Whether the API has words for what was found.
    [[nodiscard]] static auto check_words(const metrics_owner& of, const freshet::recounted& found,
                                          const freshet::run_ticket& ticket) -> freshet::result<void> {
        const auto wrong = [&](std::string_view how) { return about(of, freshet::errc::malformed, how); };
        for (const auto width : found.widths) {
            if (width % std::chrono::minutes{1} != freshet::duration::zero() ||
                detail::minutes_of(width) > greatest_int) {
                return wrong("a width that is not of whole minutes");
            }
        }
        if (!found.range.empty() &&
            (!detail::text_of(found.range.start).ends_with('Z') || !detail::text_of(found.range.end).ends_with('Z'))) {
            return wrong("a range that leaves the years 0000 to 9999");
        }
        const auto is_too_great = [](std::uint64_t number) { return number > std::uint64_t{greatest_int}; };
        if (std::any_of(found.buckets.begin(), found.buckets.end(),
                        [&](const auto& bucket) { return is_too_great(bucket.count); })) {
            return wrong("a count that is no Int");
        }
        if (is_too_great(ticket.number)) { return wrong("a ticket that is no Int"); }
        return {};
    }

    /// Replaces some blocks of what was found.
    [[nodiscard]] auto replace_part(const metrics_owner& of, const freshet::recounted& found,
                                    const freshet::time_range& part, std::int64_t ticket) const
        -> freshet::result<freshet::replaced_counts> {
        const auto stored = list(of, part);
        if (!stored) { return stored.why(); }
        std::vector<wish> wishes; // the widest first
        for (auto width = found.widths.rbegin(); width != found.widths.rend(); ++width) {
            add_wishes(wishes, found, part, *width, *stored);
        }
        const auto heads = buckets_in(part, found.widths.back());
        std::span<wish> all{wishes};
        if (auto done = fulfil(of, all.first(heads), ticket); !done) { return done.why(); }
        for (auto& each : all.subspan(heads)) { // whose block is a later run's leaves it alone
            const auto at = static_cast<std::size_t>((each.block - part.start) / found.widths.back());
            if (all[at].becomes == fate::overtaken) { each.becomes = fate::overtaken; }
        }
        if (auto done = fulfil(of, all.subspan(heads), ticket); !done) { return done.why(); }
        freshet::replaced_counts counts;
        for (const auto& each : wishes) {
            ++(each.becomes == fate::overtaken   ? counts.overtaken
               : each.becomes == fate::unchanged ? counts.unchanged
                                                 : counts.written);
        }
        return counts;
    }

    static void add_wishes(std::vector<wish>& wishes, const freshet::recounted& found, const freshet::time_range& part,
                           freshet::duration width, const stored_buckets& stored) {
        const auto counted = part_of(found.buckets, width, part);
        auto next = counted.begin();
        for (auto start = part.start; start < part.end; start += width) {
            wish made{.counted = {width, start, 0}};
            if (next != counted.end() && next->start == start) { made.counted = *next++; }
            if (const auto had = stored.find({width, start}); had != stored.end()) { made.had = &had->second; }
            made.block = start - (start - part.start) % found.widths.back();
            const auto before = made.had == nullptr ? 0 : made.had->counted.count;
            made.becomes = made.counted.count == before ? fate::unchanged : fate::written;
            wishes.push_back(made);
        }
    }

    /// Writes what is to be written, and notes what was overtaken.
    ///
    /// Whether a record is there is known from a read that lags: one that cannot be made is changed, and the other way
    /// round. What can be neither may have a later run's ticket.
    [[nodiscard]] auto fulfil(const metrics_owner& of, std::span<wish> wishes, std::int64_t ticket) const
        -> freshet::result<void> {
        const auto over = clock_.now();
        std::vector<wish*> left;
        for (auto& each : wishes) {
            if (fenced() && each.had != nullptr && each.had->ticket > ticket) { each.becomes = fate::overtaken; }
            if (each.becomes != fate::overtaken && needs_write(each, ticket, over)) { left.push_back(&each); }
        }
        for (const bool other_way : {false, true}) {
            std::vector<metrics_mutation> writes;
            writes.reserve(left.size());
            for (const auto* each : left) {
                writes.push_back((each->had == nullptr) == other_way ? changed(of, *each, ticket, over)
                                                                     : created(of, *each, ticket, over));
            }
            const auto done = send(writes);
            if (!done) { return done.why(); }
            std::vector<wish*> refused;
            for (std::size_t i = 0; i != left.size(); ++i) {
                if (!(*done)[i]) { refused.push_back(left[i]); }
            }
            left = std::move(refused);
        }
        return left.empty() ? freshet::result<void>{} : note_overtaken(of, left, ticket);
    }

    /// Notes what a later run has; others may refuse a record too, who make it and remove it again.
    [[nodiscard]] auto note_overtaken(const metrics_owner& of, const std::vector<wish*>& refused,
                                      std::int64_t ticket) const -> freshet::result<void> {
        freshet::time_range range{refused.front()->counted.start, refused.front()->counted.end()};
        for (const auto* each : refused) {
            range.start = std::min(range.start, each->counted.start);
            range.end = std::max(range.end, each->counted.end());
        }
        const auto stored = list(of, range);
        if (!stored) { return stored.why(); }
        for (auto* each : refused) {
            const auto has = stored->find({each->counted.width, each->counted.start});
            if (has == stored->end() || has->second.ticket <= ticket) {
                return about(of, freshet::errc::unavailable,
                             bucket_key(of, each->counted) + " was refused, and no later run is seen in it");
            }
            each->becomes = fate::overtaken;
        }
        return {};
    }

    [[nodiscard]] auto needs_write(const wish& of, std::int64_t ticket, freshet::time_point now) const -> bool {
        if (of.had == nullptr) { return fenced() || of.counted.count != 0; }
        return of.becomes == fate::written || of.had->complete != (of.counted.end() <= now) ||
               (fenced() && of.had->ticket != ticket);
    }

    /// What a bucket's record says, and may come to say.
    [[nodiscard]] auto said(const wish& of, std::int64_t ticket, freshet::time_point now) const -> nlohmann::json {
        nlohmann::json fields{{"count", of.counted.count}, {"complete", of.counted.end() <= now}};
        if (fenced()) { fields[model_.ticket] = ticket; }
        return fields;
    }
    [[nodiscard]] auto created(const metrics_owner& of, const wish& each, std::int64_t ticket,
                               freshet::time_point over) const -> metrics_mutation {
        auto fields = said(each, ticket, over);
        fields["recordType"] = of.type;
        fields["timeRangeStart"] = detail::text_of(each.counted.start);
        fields["timeRangeEnd"] = detail::text_of(each.counted.end());
        fields["numberOfMinutes"] = detail::minutes_of(each.counted.width);
        return creation(of, bucket_key(of, each.counted), std::move(fields), now());
    }
    [[nodiscard]] auto changed(const metrics_owner& of, const wish& each, std::int64_t ticket,
                               freshet::time_point over) const -> metrics_mutation {
        nlohmann::json condition;
        if (fenced()) {
            condition["or"] = nlohmann::json::array(
                {{{model_.ticket, {{"attributeExists", false}}}}, {{model_.ticket, {{"le", ticket}}}}});
        }
        return change(of, bucket_key(of, each.counted), said(each, ticket, over), now(), std::move(condition));
    }

    /// Which of these were done; the others' conditions did not hold.
    [[nodiscard]] auto send(const std::vector<metrics_mutation>& all) const -> freshet::result<std::vector<bool>> {
        std::vector<bool> done(all.size(), true);
        for (std::size_t first = 0; first < all.size(); first += most_at_once) {
            const auto some = std::span{all}.subspan(first, std::min(most_at_once, all.size() - first));
            const auto [document, variables] = request_of(some, model_);
            const auto answered = by_.ask(document, variables);
            if (!answered) { return answered.why(); }
            for (const auto& field : answered->refused) {
                if (field.why.code != freshet::errc::conflict) { return field.why; }
                for (std::size_t i = 0; i != some.size(); ++i) {
                    if (field.name == 'm' + std::to_string(i)) { done[first + i] = false; }
                }
            }
        }
        return done;
    }

    /// The records of buckets of any width that begin in the range.
    [[nodiscard]] auto list(const metrics_owner& of, const freshet::time_range& range) const
        -> freshet::result<stored_buckets> {
        stored_buckets found;
        if (range.empty()) { return found; }
        const auto field = "list" + model_.name;
        const auto document = "query Counts($account: String!, $first: String!, $last: String!, $next: String) { " +
                              field + "(accountId: $account, compositeKey: {between: [$first, $last]}, limit: 1000," +
                              " nextToken: $next) { items { recordType timeRangeStart numberOfMinutes count complete " +
                              model_.ticket + " } nextToken } }";
        nlohmann::json variables{{"account", of.account},
                                 {"first", of.type + '#' + detail::text_of(range.start)},
                                 {"last", of.type + '#' + detail::text_of(range.end) + '~'}};
        while (true) {
            const auto data = by_.call(document, variables);
            if (!data) { return data.why(); }
            const auto listed = data->find(field);
            if (listed == data->end() || !listed->is_object() || !listed->contains("items") ||
                !(*listed)["items"].is_array()) {
                return about(of, freshet::errc::unavailable, field + ": an answer without a list of items");
            }
            for (const auto& record : (*listed)["items"]) {
                const auto bucket = detail::bucket_in(record, of, model_);
                if (!bucket || !range.contains(bucket->counted.start)) { continue; }
                found.insert_or_assign({bucket->counted.width, bucket->counted.start}, *bucket);
            }
            const auto next = detail::text_member(*listed, "nextToken");
            if (next.empty()) { return found; }
            if (variables.contains("next") && variables["next"] == next) {
                return about(of, freshet::errc::unavailable, field + ": a page that is followed by itself");
            }
            variables["next"] = next;
        }
    }

    const client& by_;
    const Clock& clock_;
    metrics_model model_;
};

static_assert(freshet::bucket_sink<bucket_sink<freshet::testing::manual_clock>>);

} // namespace adapters::graphql
