#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <demo/pumping.hpp>
#include <demo/reporter.hpp>
#include <demo/role_lease.hpp>
#include <demo/settings.hpp>
#include <demo/turn.hpp>
#include <freshet/core/result.hpp>
#include <freshet/letter/redrive.hpp>
#include <freshet/stream/consumer.hpp>
#include <freshet/work/deadline.hpp>
#include <receipts/embedding.hpp>
#include <receipts/embeddings.hpp>

namespace demo {

/// Brings one collection of embeddings up to date; one process at a time does, under a lease.
template <class Place>
class consuming {
    using queue = typename Place::queue;
    using ledger = typename Place::ledger;
    using claims = claims_under_lease<ledger, typename Place::clock_type>;

public:
    [[nodiscard]] static auto open(const settings& wanted, const Place& here, std::string_view collection)
        -> freshet::result<std::unique_ptr<consuming>> {
        auto messages = here.open_queue(collection);
        if (!messages) { return std::move(messages).why(); }
        auto dead = here.open_queue(std::string{collection} + "-dead");
        if (!dead) { return std::move(dead).why(); }
        auto store = here.open_embeddings();
        if (!store) { return std::move(store).why(); }
        auto claims = here.open_ledger();
        if (!claims) { return std::move(claims).why(); }
        return std::unique_ptr<consuming>{new consuming{wanted, here, collection, *std::move(messages),
                                                        *std::move(dead), *std::move(store), *std::move(claims)}};
    }
    ~consuming() { lease_.give_back(); }
    consuming(const consuming&) = delete;
    auto operator=(const consuming&) -> consuming& = delete;

    /// Receives once and applies what came. A failure is the end: it lasts, or waiting cannot cure it.
    [[nodiscard]] auto take_turn(const std::stop_token& stop) -> freshet::result<turn> {
        const auto now = clock_.now();
        auto mine = lease_.keep(now);
        if (!mine) { return patience_.bear(std::move(mine).why(), now); }
        if (!*mine) { return turn::waiting; }
        auto report = consumer_.step(freshet::deadline::never(), stop);
        if (!report) { return patience_.bear(std::move(report).why(), clock_.now()); }
        counts_ += *report;
        if (report->received == 0) { return turn::idle; }
        const bool some = report->applied + report->dropped + report->dead_lettered != 0;
        if (report->why && !some) { return patience_.bear(*report->why, clock_.now()); }
        patience_.succeeded();
        return turn::worked;
    }

    [[nodiscard]] auto name() const noexcept -> const std::string& { return collection_.name(); }
    [[nodiscard]] auto counts() const noexcept -> const freshet::consume_report& { return counts_; }
    /// How many messages there are, those included that somebody is at.
    [[nodiscard]] auto left() -> freshet::result<std::size_t> { return messages_.size(); }
    /// How many wait for a person.
    [[nodiscard]] auto dead_letters() -> freshet::result<std::size_t> { return dead_.size(); }
    /// Has them sent again.
    [[nodiscard]] auto redrive() -> freshet::result<freshet::redrive_report> {
        return freshet::redrive(dead_, freshet::resend_to(messages_));
    }
    /// Erases the next message unread, which nobody should; whether there was one.
    [[nodiscard]] auto drop_one() -> freshet::result<bool> {
        const auto some = messages_.receive({1, std::nullopt});
        if (!some) { return some.why(); }
        if (some->empty()) { return false; }
        const auto erased = messages_.erase(std::span{&some->front().receipt, 1});
        if (!erased) { return erased.why(); }
        return erased->empty();
    }

private:
    consuming(const settings& wanted, const Place& here, std::string_view collection, queue messages, queue dead,
              receipts::embeddings store, ledger all_claims)
        : clock_{here.clock()},
          messages_{std::move(messages)},
          dead_{std::move(dead)},
          store_{std::move(store)},
          collection_{store_.collection(collection)},
          all_claims_{std::move(all_claims)},
          lease_{all_claims_, "collection/" + std::string{collection}, wanted.owner, wanted.lease},
          patience_{wanted.patience},
          claims_{lease_, clock_},
          consumer_{messages_,
                    dead_,
                    claims_,
                    collection_,
                    clock_,
                    {.queue = std::string{collection},
                     .owner = wanted.owner,
                     .visibility = wanted.visibility,
                     .lease = wanted.lease,
                     .poll = wanted.poll,
                     .retries = wanted.retries,
                     .seed = wanted.seed},
                    reporter{wanted.log}} {}

    typename Place::clock_type& clock_;
    queue messages_;
    queue dead_;
    receipts::embeddings store_;
    receipts::embedding_collection collection_;
    ledger all_claims_;
    role_lease<ledger> lease_;
    patience patience_;
    claims claims_;
    freshet::consumer<queue, queue, claims, receipts::embedding_collection, typename Place::clock_type, reporter>
        consumer_;
    freshet::consume_report counts_;
};

/// A consumer for each collection.
template <class Place>
class all_consuming {
public:
    [[nodiscard]] static auto open(const settings& wanted, const Place& here) -> freshet::result<all_consuming> {
        all_consuming all;
        for (std::size_t i = 0; i != all.each_.size(); ++i) {
            auto one = consuming<Place>::open(wanted, here, receipts::collections[i]);
            if (!one) { return std::move(one).why(); }
            all.each_[i] = *std::move(one);
        }
        return all;
    }

    /// A turn of each: `worked` if one of them did, `idle` if all are.
    [[nodiscard]] auto take_turn(const std::stop_token& stop) -> freshet::result<turn> {
        auto all = turn::idle;
        for (const auto& one : each_) {
            const auto took = one->take_turn(stop);
            if (!took) { return took; }
            if (*took == turn::worked || all == turn::idle) { all = *took; }
        }
        return all;
    }
    /// Whether no message is left, be it with a consumer that was killed.
    [[nodiscard]] auto empty() -> freshet::result<bool> {
        for (const auto& one : each_) {
            const auto left = one->left();
            if (!left || *left != 0) {
                return left.transform([](auto) { return false; });
            }
        }
        return true;
    }
    [[nodiscard]] auto counts() const -> freshet::consume_report {
        freshet::consume_report all;
        for (const auto& one : each_) { all += one->counts(); }
        return all;
    }

    [[nodiscard]] auto begin() const noexcept { return each_.begin(); }
    [[nodiscard]] auto end() const noexcept { return each_.end(); }

private:
    std::array<std::unique_ptr<consuming<Place>>, receipts::collections.size()> each_;
};

/// Consumes until the queues are empty, or until a stop.
template <class Place>
[[nodiscard]] auto consume(const settings& wanted, const Place& here, until end, const std::stop_token& stop = {})
    -> freshet::result<freshet::consume_report> {
    if (auto ready = prepare(wanted, here, stop); !ready) { return std::move(ready).why(); }
    auto all = all_consuming<Place>::open(wanted, here);
    if (!all) { return std::move(all).why(); }
    while (!stop.stop_requested()) {
        const auto took = all->take_turn(stop);
        if (!took) { return took.why(); }
        if (*took == turn::worked) { continue; }
        if (end == until::drained) { // also while others hold the collections: they may be done, or dead
            const auto empty = all->empty();
            if (!empty) { return empty.why(); }
            if (*empty) { break; }
        }
        static_cast<void>(here.clock().wait(wanted.poll, stop));
    }
    return all->counts();
}

} // namespace demo
