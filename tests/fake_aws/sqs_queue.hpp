#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <freshet/core/time.hpp>

#include <fake_aws/sqs_message.hpp>

namespace fake_aws {

/// One queue: its messages, who waits for whom, what was sent within five minutes, and which receipts it gave.
/// Sources: Amazon SQS API Reference and Developer Guide.
class sqs_queue {
public:
    using attribute_map = std::map<std::string, std::string, std::less<>>;
    using message_map = std::map<std::uint64_t, sqs_message>;

    sqs_queue(std::string name, std::string arn, freshet::time_point now)
        : modified_at{now}, name_{std::move(name)}, arn_{std::move(arn)}, created_at_{now} {}

    [[nodiscard]] auto name() const -> const std::string& { return name_; }
    [[nodiscard]] auto arn() const -> const std::string& { return arn_; }
    [[nodiscard]] auto created_at() const -> freshet::time_point { return created_at_; }
    [[nodiscard]] auto fifo() const -> bool { return name_.ends_with(".fifo"); }
    [[nodiscard]] auto messages() const -> const message_map& { return messages_; }

    /// The attribute's number.
    [[nodiscard]] auto number(std::string_view attribute) const -> std::int64_t {
        const auto at = attributes.find(attribute);
        std::int64_t value = 0;
        if (at != attributes.end()) {
            std::from_chars(at->second.data(), at->second.data() + at->second.size(), value);
        }
        return value;
    }
    [[nodiscard]] auto is(std::string_view attribute, std::string_view value) const -> bool {
        const auto at = attributes.find(attribute);
        return at != attributes.end() && at->second == value;
    }

    /// Drops what is too old; called first of all.
    void catch_up(freshet::time_point now) {
        const auto retention = std::chrono::seconds{number("MessageRetentionPeriod")};
        while (!ages_.empty() && ages_.begin()->first + retention <= now) { remove(ages_.begin()->second); }
        std::erase_if(in_flight_, [&](auto of) { return messages_.at(of).visible_at <= now; });
    }

    /// Stores the message behind all others.
    auto add(sqs_message message) -> const sqs_message& {
        message.number = next_++;
        if (fifo()) { groups_[message.group].insert(message.number); }
        ages_.insert({message.kept_since, message.number});
        const auto at = message.number;
        return messages_[at] = std::move(message);
    }

    void remove(std::uint64_t number) {
        const auto gone = messages_.extract(number);
        ages_.erase({gone.mapped().kept_since, number});
        in_flight_.erase(number);
        if (!fifo()) { return; }
        const auto group = groups_.find(gone.mapped().group);
        group->second.erase(number);
        if (group->second.empty()) { groups_.erase(group); }
    }

    /// The message that was taken under this deduplication id within five minutes; notes that one is taken now.
    struct taken {
        freshet::time_point at;
        std::string id, sequence;
    };
    [[nodiscard]] auto duplicate_of(const sqs_message& message, freshet::time_point now) -> const taken* {
        const bool by_group = is("DeduplicationScope", "messageGroup");
        auto& known = taken_[(by_group ? message.group : "") + '\n' + message.deduplication];
        if (!known.id.empty() && now < known.at + std::chrono::minutes{5}) { return &known; }
        known = {now, message.id, message.sequence};
        return nullptr;
    }

    /// Hands out up to `most` messages. One that was received too often goes to `bury(message)` instead, which says
    /// whether it took it.
    template <class Bury>
    [[nodiscard]] auto receive(std::size_t most, std::chrono::seconds visibility, freshet::time_point now,
                               sqs_names& names, Bury bury) -> std::vector<sqs_message> {
        std::vector<std::uint64_t> chosen;
        std::set<std::string> passed; // groups that wait, or that have been looked through
        for (const auto of : in_flight_) { passed.insert(messages_.at(of).group); }
        const auto end = next_;
        const auto give = [&](std::uint64_t of) { // false: what is behind it in its group must wait
            auto& message = messages_.at(of);
            if (message.visible_at > now) { return false; }
            const auto most_receives = max_receives();
            if (most_receives != 0 && message.receives >= most_receives && bury(message)) {
                remove(of);
            } else {
                chosen.push_back(of);
            }
            return true;
        };
        for (auto at = messages_.begin(); at != messages_.end() && at->first < end && chosen.size() < most;) {
            const auto of = at->first;
            if (!fifo()) {
                static_cast<void>(give(of));
            } else if (const auto group = at->second.group; passed.insert(group).second) {
                const auto all = groups_.at(group); // as many of one group as there are
                for (auto one = all.begin(); one != all.end() && chosen.size() < most && give(*one); ++one) {}
            }
            at = messages_.upper_bound(of);
        }
        std::vector<sqs_message> answer;
        for (const auto of : chosen) { answer.push_back(hand_out(of, visibility, now, names)); }
        return answer;
    }

    /// The same messages again, for a repeated `ReceiveRequestAttemptId`; nothing where it may not be repeated.
    [[nodiscard]] auto again(const std::string& attempt, std::chrono::seconds visibility, freshet::time_point now)
        -> std::optional<std::vector<sqs_message>> {
        const auto known = attempts_.find(attempt);
        if (known == attempts_.end() || now >= known->second.at + std::chrono::minutes{5}) { return std::nullopt; }
        std::vector<sqs_message> answer;
        for (const auto& given : known->second.given) {
            const auto at = messages_.find(given.number);
            if (at == messages_.end() || at->second.receipt != given.receipt || given.visible_at <= now ||
                at->second.visible_at != given.visible_at) {
                return std::nullopt;
            }
        }
        for (auto& given : known->second.given) {
            given.visible_at = messages_.at(given.number).visible_at = now + visibility;
            if (visibility.count() == 0) { in_flight_.erase(given.number); }
            answer.push_back(messages_.at(given.number));
        }
        return answer;
    }
    void note_attempt(const std::string& attempt, const std::vector<sqs_message>& given, freshet::time_point now) {
        if (!given.empty()) { attempts_[attempt] = {now, given}; }
    }

    /// Ends a delivery and with it the message.
    [[nodiscard]] auto erase(const std::string& receipt, freshet::time_point now) -> std::optional<sqs_refusal> {
        const auto of = receipts_.find(receipt);
        if (of == receipts_.end()) { return no_receipt(receipt); }
        const auto at = messages_.find(of->second);
        if (at == messages_.end()) { return std::nullopt; } // erasing it again
        if (fifo() && is_over(at->second, receipt, now)) { return expired(receipt); }
        if (at->second.receipt == receipt) { remove(of->second); }
        return std::nullopt;
    }

    [[nodiscard]] auto hide(const std::string& receipt, std::chrono::seconds visibility, freshet::time_point now)
        -> std::optional<sqs_refusal> {
        const auto of = receipts_.find(receipt);
        if (of == receipts_.end()) { return no_receipt(receipt); }
        const auto at = messages_.find(of->second);
        if (at != messages_.end() && fifo() && is_over(at->second, receipt, now)) { return expired(receipt); }
        if (at == messages_.end() || at->second.receipt != receipt) {
            return bad_value(receipt, "ReceiptHandle",
                             "Message does not exist or is not available for visibility timeout change.");
        }
        if (now + visibility > at->second.received_at + std::chrono::hours{12}) {
            return bad_value(std::to_string(visibility.count()), "VisibilityTimeout",
                             "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]");
        }
        at->second.visible_at = now + visibility;
        if (visibility.count() == 0) {
            in_flight_.erase(of->second);
        } else {
            in_flight_.insert(of->second);
        }
        return std::nullopt;
    }

    /// Whether it was given to somebody and is not visible again.
    [[nodiscard]] auto in_flight(std::uint64_t number) const -> bool { return in_flight_.contains(number); }

    void purge() {
        while (!messages_.empty()) { remove(messages_.begin()->first); }
    }

    attribute_map attributes{}; ///< those that can be set
    freshet::time_point modified_at;
    std::optional<freshet::time_point> purged_at{};

private:
    struct repeatable {
        freshet::time_point at;
        std::vector<sqs_message> given;
    };

    [[nodiscard]] auto max_receives() const -> unsigned {
        const auto policy = attributes.find("RedrivePolicy");
        if (policy == attributes.end()) { return 0; }
        return nlohmann::json::parse(policy->second)["maxReceiveCount"].get<unsigned>();
    }

    [[nodiscard]] auto hand_out(std::uint64_t of, std::chrono::seconds visibility, freshet::time_point now,
                                sqs_names& names) -> sqs_message {
        auto& message = messages_.at(of);
        if (message.receives++ == 0) { message.first_received_at = now; }
        message.received_at = now;
        message.visible_at = now + visibility;
        message.receipt = names.receipt();
        receipts_[message.receipt] = of;
        if (visibility.count() != 0) { in_flight_.insert(of); }
        return message;
    }

    [[nodiscard]] static auto is_over(const sqs_message& message, const std::string& receipt, freshet::time_point now)
        -> bool {
        return message.receipt != receipt || message.visible_at <= now;
    }
    [[nodiscard]] static auto expired(const std::string& receipt) -> sqs_refusal {
        return bad_value(receipt, "ReceiptHandle", "The receipt handle has expired.");
    }
    [[nodiscard]] static auto no_receipt(const std::string& receipt) -> sqs_refusal {
        return {"ReceiptHandleIsInvalid", "The input receipt handle \"" + receipt + "\" is not a valid receipt handle.",
                404};
    }

    std::string name_;
    std::string arn_;
    freshet::time_point created_at_;
    message_map messages_;
    std::uint64_t next_{};
    std::set<std::pair<freshet::time_point, std::uint64_t>> ages_;
    std::unordered_map<std::string, std::set<std::uint64_t>> groups_; // of a FIFO queue
    std::set<std::uint64_t> in_flight_;
    std::unordered_map<std::string, taken> taken_;
    std::unordered_map<std::string, std::uint64_t> receipts_; // every one that was ever given
    std::unordered_map<std::string, repeatable> attempts_;
};

} // namespace fake_aws
