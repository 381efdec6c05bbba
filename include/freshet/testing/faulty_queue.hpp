#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/shuffle.hpp>
#include <freshet/work/random_source.hpp>

namespace freshet::testing {

/// A message queue in front of another, in which what the script says goes wrong: `queue.send`, `queue.receive`,
/// `queue.erase`, `queue.change_visibility`.
///
/// Borrows both. Keeps the laws that the other keeps, so long as the faults' codes are `unavailable` or `throttled` and
/// `twice` and `shuffled` meet standard queues only.
template <class Queue>
class faulty_queue {
public:
    faulty_queue(Queue& queue, faults& script, std::string name = "queue")
        : queue_{&queue}, script_{&script}, name_{std::move(name)} {}

    [[nodiscard]] auto limits() const -> queue_limits { return queue_->limits(); }

    [[nodiscard]] auto send(std::span<const message_view> entries) -> result<std::vector<entry_refusal>> {
        return batch(".send", entries, [this](auto part) { return queue_->send(part); });
    }

    [[nodiscard]] auto receive(const receive_request& request) -> result<std::vector<received_message>> {
        const auto operation = name_ + ".receive";
        const auto what = script_->take(operation, call_shape::receive);
        return faults::run(what, operation, [&] { return received(request, what); });
    }

    [[nodiscard]] auto erase(std::span<const std::string> receipts) -> result<std::vector<entry_refusal>> {
        return batch(".erase", receipts, [this](auto part) { return queue_->erase(part); });
    }

    [[nodiscard]] auto change_visibility(std::span<const std::string> receipts, duration visibility)
        -> result<std::vector<entry_refusal>> {
        return batch(".change_visibility", receipts,
                     [=, this](auto part) { return queue_->change_visibility(part, visibility); });
    }

private:
    template <class Entry, class Call>
    auto batch(const char* verb, std::span<const Entry> entries, Call call) -> result<std::vector<entry_refusal>> {
        const auto operation = name_ + verb;
        const auto what = script_->take(operation, call_shape::batch);
        if (what.what == fault::kind::partly) {
            const auto stored = entries.first(std::min(what.entries, entries.size()));
            if (!stored.empty()) { static_cast<void>(call(stored)); }
            return what.as_error(operation);
        }
        if (what.what == fault::kind::refuse) { return refusing(what, operation, entries, call); }
        return faults::run(what, operation, [&] { return call(entries); });
    }

    template <class Entry, class Call>
    static auto refusing(const fault& what, const std::string& operation, std::span<const Entry> entries, Call& call)
        -> result<std::vector<entry_refusal>> {
        std::vector<entry_refusal> refusals;
        std::vector<Entry> rest;
        std::vector<std::size_t> places; // of the rest, in the request
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (std::find(what.refused.begin(), what.refused.end(), i) != what.refused.end()) {
                refusals.push_back({i, what.as_error(operation), what.retry_helps});
            } else {
                rest.push_back(entries[i]);
                places.push_back(i);
            }
        }
        if (rest.empty() && !entries.empty()) { return refusals; }
        auto answer = call(std::span<const Entry>{rest});
        if (!answer) { return answer; }
        for (auto& refusal : *answer) {
            refusal.entry = places[refusal.entry];
            refusals.push_back(std::move(refusal));
        }
        std::sort(refusals.begin(), refusals.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
        return refusals;
    }

    auto received(const receive_request& request, const fault& what) -> result<std::vector<received_message>> {
        const auto again = static_cast<std::ptrdiff_t>(std::min(owed_.size(), request.limit));
        auto rest = request;
        rest.limit -= static_cast<std::size_t>(again);
        std::vector<received_message> given;
        if (again == 0 || rest.limit != 0) {
            auto answer = queue_->receive(rest);
            if (!answer) { return answer; }
            given = *std::move(answer);
        }
        const auto fresh = given;
        given.insert(given.begin(), owed_.begin(), owed_.begin() + again);
        owed_.erase(owed_.begin(), owed_.begin() + again);
        if (what.what == fault::kind::twice) { owed_.insert(owed_.end(), fresh.begin(), fresh.end()); }
        if (what.what == fault::kind::shuffled) {
            random_source random{what.seed};
            shuffle(std::span{given}, random);
        }
        return given;
    }

    Queue* queue_;
    faults* script_;
    std::string name_;
    std::deque<received_message> owed_; // given once, and to be given again
};

} // namespace freshet::testing
