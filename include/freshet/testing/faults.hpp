#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <freshet/testing/fault.hpp>
#include <freshet/work/random_source.hpp>

namespace freshet::testing {

/// The script of what goes wrong in which call, for the faulty wrappers that share it; and the list of their calls.
///
/// An operation is the wrapper's name and the call's: `queue.send`. Each call takes one fault: the one for its number
/// (`at`), else the next of its operation, else the next of any operation, else the operation's `always`, else one by
/// chance, else none. A fault that does not fit the operation that it meets is misuse, but for those by chance. Used by
/// one thread at a time.
class faults {
public:
    /// A call that was made, and what went wrong in it.
    struct call {
        std::string operation;
        fault::kind what{};
        friend auto operator==(const call&, const call&) -> bool = default;
    };

    /// What happens in the next calls, whatever they are, one each; behind what is already scripted.
    void next(std::vector<fault> script) { next({}, std::move(script)); }
    /// What happens in the next calls of this operation.
    void next(const std::string& operation, std::vector<fault> script) {
        auto& queue = next_[operation];
        std::move(script.begin(), script.end(), std::back_inserter(queue));
    }
    /// What happens in this operation's call of that number, counted from 1 since the script was made.
    void at(const std::string& operation, std::size_t number, fault what) {
        at_[{operation, number}] = std::move(what);
    }
    /// What happens in every call of this operation, until `heal`.
    void always(const std::string& operation, fault what) { always_[operation] = {std::move(what)}; }
    void heal(const std::string& operation) { always_.erase(operation); }
    /// From now on one of these, of those that fit the call, happens in `rate` (0 to 1) of the calls. None: never.
    void by_chance(double rate, std::uint64_t seed, std::vector<fault> any_of) {
        rate_ = rate;
        random_ = random_source{seed};
        any_of_ = std::move(any_of);
    }

    [[nodiscard]] auto calls() const& noexcept -> const std::vector<call>& { return calls_; }
    /// How often the operation was called.
    [[nodiscard]] auto count(const std::string& operation) const -> std::size_t {
        const auto found = counts_.find(operation);
        return found == counts_.end() ? 0 : found->second;
    }
    /// The faults that were scripted and met no call, a line each: a test that ends with some has not tested them.
    [[nodiscard]] auto unused() const -> std::vector<std::string>;

    /// The fault of the call that is being made; also writes the call down. For wrappers.
    [[nodiscard]] auto take(const std::string& operation, call_shape shape) -> fault {
        auto what = chosen(operation, ++counts_[operation], shape);
        if (!fits(what.what, shape)) {
            abort_on_misuse("faults: " + std::string{name_of(what.what)} + " does not fit " + operation);
        }
        calls_.push_back({operation, what.what});
        return what;
    }
    /// The call's answer under a fault of the kinds that fit every call; the others are the wrapper's affair.
    template <class Call>
    [[nodiscard]] static auto run(const fault& what, const std::string& operation, Call&& function)
        -> std::invoke_result_t<Call&> {
        if (what.what == fault::kind::meanwhile) { what.action(); }
        if (what.what == fault::kind::before) { return what.as_error(operation); }
        auto answer = std::invoke(function);
        if (what.what == fault::kind::after) { return what.as_error(operation); }
        return answer;
    }
    /// Both for an operation that takes no batch.
    template <class Call>
    [[nodiscard]] auto around(const std::string& operation, Call&& function) -> std::invoke_result_t<Call&> {
        return run(take(operation, call_shape::single), operation, function);
    }

private:
    struct lasting {
        fault what;
        bool used{};
    };

    [[nodiscard]] auto chosen(const std::string& operation, std::size_t number, call_shape shape) -> fault {
        if (auto node = at_.extract({operation, number})) { return std::move(node.mapped()); }
        for (const auto& script : {operation, std::string{}}) {
            auto& queue = next_[script];
            if (queue.empty()) { continue; }
            auto what = std::move(queue.front());
            queue.pop_front();
            return what;
        }
        if (const auto found = always_.find(operation); found != always_.end()) {
            found->second.used = true;
            return found->second.what;
        }
        if (any_of_.empty() || static_cast<double>(random_() >> 11U) * 0x1p-53 >= rate_) { return {}; }
        std::vector<const fault*> fitting;
        for (const auto& one : any_of_) {
            if (fits(one.what, shape)) { fitting.push_back(&one); }
        }
        return fitting.empty() ? fault{} : *fitting[random_() % fitting.size()];
    }

    std::map<std::string, std::deque<fault>> next_; // by operation; empty: any
    std::map<std::pair<std::string, std::size_t>, fault> at_;
    std::map<std::string, lasting> always_;
    double rate_{};
    random_source random_{0};
    std::vector<fault> any_of_;
    std::vector<call> calls_;
    std::map<std::string, std::size_t> counts_;
};

inline auto faults::unused() const -> std::vector<std::string> {
    std::vector<std::string> lines;
    const auto add = [&](const std::string& where, const fault& what) {
        if (what.what != fault::kind::none) { lines.push_back(where + ": " + std::string{name_of(what.what)}); }
    };
    for (const auto& [where, what] : at_) { add(where.first + ", call " + std::to_string(where.second), what); }
    for (const auto& [operation, queue] : next_) {
        for (const auto& what : queue) { add(operation.empty() ? "any call" : operation, what); }
    }
    for (const auto& [operation, what] : always_) {
        if (!what.used) { add(operation + ", always", what.what); }
    }
    return lines;
}

} // namespace freshet::testing
