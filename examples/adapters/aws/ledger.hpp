#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/aws/attribute_json.hpp>
#include <adapters/aws/client.hpp>
#include <adapters/aws/placeholders.hpp>
#include <adapters/aws/settings.hpp>
#include <adapters/later.hpp>
#include <freshet/backend/clock.hpp>
#include <freshet/backend/ledger.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/testing/manual_clock.hpp>

namespace adapters::aws {

struct ledger_options {
    /// The DynamoDB table: its partition key is `id`, a string, it has no sort key, and rows expire by `expires`.
    std::string table{};
    /// How long a key is remembered after its work was done or given back, or its lease ended; up to a second longer.
    freshet::duration remembered{std::chrono::hours{24 * 14}};
};

/// A ledger in a DynamoDB table, which may keep other things beside it; as many objects, threads and processes as want
/// may use it. Borrows the client and the clock.
///
/// The row of a key is called `ledger/KEY`, or `ledger#` and the SHA-256 of a key that is too long for that; the row
/// `ledger` counts the tokens, and all claims of a table write it. A claim that is granted is three requests, any other
/// call is one. The table need not delete what has expired: a row counts as forgotten from then on.
/// Keys and owners that are no UTF-8 text are `malformed`.
template <class Clock>
class ledger {
    static_assert(freshet::clock<Clock>, "a ledger's Clock needs now() const, which returns a freshet::time_point");

public:
    using is_shareable = void;

    ledger(const client& by, const Clock& clock, ledger_options options)
        : by_{by}, clock_{clock}, options_{std::move(options)} {}
    ledger(const client&&, const Clock&, ledger_options) = delete;
    ledger(const client&, const Clock&&, ledger_options) = delete;
    ledger(const client&&, const Clock&&, ledger_options) = delete;

    [[nodiscard]] auto claim(const freshet::claim_request& request) const -> freshet::result<freshet::claim_answer> {
        if (freshet::detail::find_bad_utf8(request.key) || freshet::detail::find_bad_utf8(request.owner)) {
            return about(request.key, {freshet::errc::malformed, "a key or an owner that is no UTF-8 text"});
        }
        for (unsigned tries = 0; tries != most_tries; ++tries) {
            const auto now = clock_.now();
            const auto stored = read(request.key);
            if (!stored) { return stored.why(); }
            auto answer = judge(request, *stored, now);
            if (!answer.mine()) { return answer; }
            const auto token = next_token();
            if (!token) { return about(request.key, token.why()); }
            answer.claim.token = *token;
            const auto written = grant(request.owner, answer.claim, *stored);
            if (!written) { return written.why(); }
            if (*written) { return answer; }
        }
        return about(request.key, {freshet::errc::unavailable, "others came between each time"});
    }

    [[nodiscard]] auto renew(const freshet::work_claim& claim, freshet::duration lease) const
        -> freshet::result<freshet::work_claim> {
        auto renewed = claim;
        renewed.expires_at = later(clock_.now(), lease);
        return become(claim, held, renewed.expires_at, true).transform([&] { return renewed; });
    }

    [[nodiscard]] auto complete(const freshet::work_claim& claim) const -> freshet::result<void> {
        return become(claim, done, clock_.now(), false);
    }

    /// Gives the claim back; what is completed stays completed.
    [[nodiscard]] auto release(const freshet::work_claim& claim) const -> freshet::result<void> {
        return become(claim, open, clock_.now(), false);
    }

private:
    static constexpr std::string_view open = "open";
    static constexpr std::string_view held = "held";
    static constexpr std::string_view done = "done";
    static constexpr unsigned most_tries = 10;

    /// A key's row, and whether it is forgotten by now.
    struct work {
        std::string state;
        std::string owner;
        std::uint64_t token{}; // of the last claim
        freshet::time_point lease_ends;
        std::int64_t forget_at{}; // in whole seconds
        [[nodiscard]] auto forgotten(freshet::time_point now) const -> bool { return seconds_before(now) >= forget_at; }
    };

    [[nodiscard]] static auto seconds_before(freshet::time_point at) -> std::int64_t {
        return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    }
    [[nodiscard]] auto forget_after(freshet::time_point since) const -> std::string {
        const auto until = std::chrono::ceil<std::chrono::seconds>(later(since, options_.remembered));
        return number_value(until.time_since_epoch().count());
    }

    [[nodiscard]] static auto row_id(std::string_view key) -> std::string {
        constexpr std::size_t longest = 2'048; // of a partition key, in bytes
        const std::string direct = "ledger/" + std::string{key};
        if (direct.size() <= longest) { return direct; }
        const auto digits = freshet::hex(freshet::sha256_of(key));
        return "ledger#" + std::string{digits.data(), digits.size()};
    }

    [[nodiscard]] static auto about(std::string_view key, const freshet::error& why) -> freshet::error {
        return {why.code, "ledger: " + freshet::printable(key) + ": " + why.note};
    }

    [[nodiscard]] auto row_start(std::string_view member, const std::string& item) const -> std::string {
        return R"({"TableName":)" + json_text(options_.table) + ",\"" + std::string{member} + "\":" + item;
    }
    [[nodiscard]] static auto id_item(std::string_view id) -> std::string { return R"({"id":)" + text_value(id) + '}'; }

    [[nodiscard]] auto read(std::string_view key) const -> freshet::result<std::optional<work>> {
        const auto request = row_start("Key", id_item(row_id(key))) + R"(,"ConsistentRead":true})";
        const auto answer = read_json(by_.call(dynamodb, "GetItem", request), "GetItem");
        if (!answer) { return about(key, answer.why()); }
        const auto item = answer->is_object() ? answer->find("Item") : answer->end();
        if (item == answer->end()) { return std::nullopt; }
        auto state = attribute_text(*item, "state", "S");
        auto owner = attribute_text(*item, "owner", "S");
        const auto token = number_in<std::uint64_t>(*item, "token");
        const auto lease_ends = number_in<freshet::duration::rep>(*item, "lease_ends");
        const auto forget_at = number_in<std::int64_t>(*item, "expires");
        if (!state || !owner || !token || !lease_ends || !forget_at) {
            return about(key,
                         {freshet::errc::denied, "table " + options_.table + " has a row that is not the ledger's"});
        }
        return work{*std::move(state), *std::move(owner), *token, freshet::time_point{freshet::duration{*lease_ends}},
                    *forget_at};
    }

    /// What the ledger says to a claim of a key whose row is this.
    [[nodiscard]] static auto judge(const freshet::claim_request& request, const std::optional<work>& stored,
                                    freshet::time_point now) -> freshet::claim_answer {
        using verdict = freshet::claim_verdict;
        freshet::claim_answer answer{verdict::granted, {std::string{request.key}, 0, later(now, request.lease)}};
        if (!stored || stored->forgotten(now) || stored->state == open) { return answer; }
        if (stored->state == done) {
            answer = {verdict::completed, {std::string{request.key}, 0, stored->lease_ends}};
        } else if (stored->lease_ends <= now) {
            answer.verdict = verdict::taken_over;
        } else if (stored->owner != request.owner) {
            answer = {verdict::held, {std::string{request.key}, 0, stored->lease_ends}};
        }
        return answer;
    }

    [[nodiscard]] auto next_token() const -> freshet::result<std::uint64_t> {
        placeholders of;
        const auto text = "ADD " + of.name("token") + ' ' + of.value(number_value(1));
        auto request = row_start("Key", id_item("ledger")) + R"(,"UpdateExpression":)" + json_text(text);
        of.append_to(request);
        request += R"(,"ReturnValues":"UPDATED_NEW"})";
        const auto answer = read_json(by_.call(dynamodb, "UpdateItem", request), "UpdateItem");
        if (!answer) { return without_conflict(answer.why()); }
        const auto given = answer->is_object() ? answer->find("Attributes") : answer->end();
        const auto token = given == answer->end() ? std::nullopt : number_in<std::uint64_t>(*given, "token");
        if (!token) { return freshet::error{freshet::errc::unavailable, "UpdateItem: an answer without a token"}; }
        return *token;
    }

    /// Writes the claim where the row is still as it was read, and says whether it did.
    ///
    /// A token alone would not tell: who has it may have renewed or completed since. A write that was done and whose
    /// answer was lost is known by its token, which is nobody else's.
    [[nodiscard]] auto grant(std::string_view owner, const freshet::work_claim& claim,
                             const std::optional<work>& before) const -> freshet::result<bool> {
        placeholders of;
        std::string condition;
        if (before) {
            const auto is = [&](std::string_view name, std::string value) {
                condition += condition.empty() ? "" : " AND ";
                condition += of.name(name) + '=' + of.value(std::move(value));
            };
            is("token", number_value(before->token));
            is("state", text_value(before->state));
            is("lease_ends", number_value(before->lease_ends.time_since_epoch().count()));
            is("expires", number_value(before->forget_at));
        } else {
            condition = "attribute_not_exists(" + of.name("id") + ')';
        }
        const auto item = R"({"id":)" + text_value(row_id(claim.key)) + R"(,"owner":)" + text_value(owner) +
                          R"(,"state":)" + text_value(held) + R"(,"token":)" + number_value(claim.token) +
                          R"(,"lease_ends":)" + number_value(claim.expires_at.time_since_epoch().count()) +
                          R"(,"expires":)" + forget_after(claim.expires_at) + '}';
        auto request = row_start("Item", item) + R"(,"ConditionExpression":)" + json_text(condition);
        of.append_to(request);
        const auto answer = by_.call(dynamodb, "PutItem", request += '}');
        if (answer.body.ok()) { return true; }
        if (answer.refused_as != condition_failed) { return about(claim.key, without_conflict(answer.body.why())); }
        const auto stored = read(claim.key);
        if (!stored) { return stored.why(); }
        return *stored && (*stored)->token == claim.token;
    }

    /// Brings the claim's row into a state, if the claim has its last token; what is done stays so.
    [[nodiscard]] auto become(const freshet::work_claim& claim, std::string_view state, freshet::time_point since,
                              bool lease) const -> freshet::result<void> {
        if (freshet::detail::find_bad_utf8(claim.key)) { return no_longer(claim); }
        placeholders of;
        auto text = "SET " + of.name("state") + '=' + of.value(text_value(state)) + ',' + of.name("expires") + '=' +
                    of.value(forget_after(since));
        if (lease) {
            text += ',' + of.name("lease_ends") + '=' + of.value(number_value(since.time_since_epoch().count()));
        }
        auto condition = of.name("token") + '=' + of.value(number_value(claim.token)) + " AND " + of.name("expires") +
                         '>' + of.value(number_value(seconds_before(clock_.now())));
        if (state != done) { condition += " AND " + of.name("state") + "<>" + of.value(text_value(done)); }
        auto request = row_start("Key", id_item(row_id(claim.key))) + R"(,"UpdateExpression":)" + json_text(text) +
                       R"(,"ConditionExpression":)" + json_text(condition);
        of.append_to(request);
        const auto answer = by_.call(dynamodb, "UpdateItem", request += '}');
        if (answer.body.ok()) { return {}; }
        if (answer.refused_as != condition_failed) { return about(claim.key, without_conflict(answer.body.why())); }
        if (state == done) { return no_longer(claim); }
        const auto stored = read(claim.key);
        if (!stored) { return stored.why(); }
        const bool is_done = *stored && (*stored)->token == claim.token && (*stored)->state == done;
        if (!is_done || (*stored)->forgotten(clock_.now())) { return no_longer(claim); }
        return {};
    }

    [[nodiscard]] static auto no_longer(const freshet::work_claim& claim) -> freshet::error {
        return about(claim.key, {freshet::errc::conflict, "token " + std::to_string(claim.token) + " is not its last"});
    }

    const client& by_;
    const Clock& clock_;
    ledger_options options_;
};

static_assert(freshet::ledger<ledger<freshet::testing::manual_clock>>);

} // namespace adapters::aws
