#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/core/time.hpp>

namespace fake_aws {

/// How a request goes wrong.
enum class fault_kind {
    throttled,   ///< 400 with the service's throttling exception, or with `name`
    error_json,  ///< 500 with the service's internal error as JSON, or `status` and `name`
    error_xml,   ///< 503 with an XML error, or `status` and `name`
    error_empty, ///< 500 without a body, or `status`
    html,        ///< the page of a proxy with `status` 200, or another one
    slow,        ///< done; the answer comes after `span`
    cut,         ///< done; the connection is closed after half of the body
    dropped,     ///< the connection is closed without an answer
    clock_skew,  ///< the server's clock is ahead of the time by `span` (behind: negative) for this request
    expired,     ///< the credentials count as expired
    refused,     ///< `chosen` entries of an SQS batch are refused in `Failed`, with `name` as their code
    unprocessed, ///< `chosen` entries of each table of a BatchWriteItem or BatchGetItem come back unprocessed
};

/// Which entries of a batch a fault hits: asked with the place in the request (from 0) and the entry.
using entry_choice = std::function<bool(std::size_t, const nlohmann::json&)>;

/// The entries at these places.
[[nodiscard]] inline auto at(std::initializer_list<std::size_t> places) -> entry_choice {
    return [wanted = std::vector<std::size_t>{places}](std::size_t place, const nlohmann::json&) {
        return std::find(wanted.begin(), wanted.end(), place) != wanted.end();
    };
}

/// Something that happens to the next requests of an operation.
struct fault {
    fault_kind kind{};
    std::string operation{}; ///< empty: any
    std::size_t times{1};
    std::size_t after{}; ///< so many requests of the operation pass first
    bool done{};         ///< the operation takes effect although its answer is lost or an error
    std::string name{};
    int status{};
    freshet::duration span{};
    bool sender_fault{};
    entry_choice chosen = at({0});
};

/// For `fault::times`: until the faults are cleared.
inline constexpr auto always = std::numeric_limits<std::size_t>::max();

/// The faults that wait for their requests; thread safe.
///
/// A request meets one fault: the first in the order of adding that is due. A `refused` or `unprocessed` one is used
/// up by a request only where it chooses an entry of it.
class faults {
public:
    void add(fault one) {
        const std::lock_guard lock{guard_};
        waiting_.push_back(std::move(one));
    }

    void clear() {
        const std::lock_guard lock{guard_};
        waiting_.clear();
    }

    /// How many faults have not been used up.
    [[nodiscard]] auto waiting() const -> std::size_t {
        const std::lock_guard lock{guard_};
        return waiting_.size();
    }

    /// The fault that a request of this operation meets, which is thereby used once.
    ///
    /// `applies(fault)` says whether it can hit this request at all.
    template <class Applies>
    [[nodiscard]] auto next(std::string_view operation, Applies&& applies) -> std::optional<fault> {
        const std::lock_guard lock{guard_};
        for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
            if ((!one->operation.empty() && one->operation != operation) || !applies(*one)) { continue; }
            if (one->after > 0) {
                --one->after;
                continue;
            }
            auto met = *one;
            if (one->times != always && one->times-- <= 1) { waiting_.erase(one); }
            return met;
        }
        return std::nullopt;
    }

private:
    mutable std::mutex guard_;
    std::list<fault> waiting_;
};

} // namespace fake_aws
