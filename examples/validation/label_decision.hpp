#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/job/undecided.hpp>
#include <receipts/item_text.hpp>
#include <receipts/items.hpp>
#include <receipts/rulings.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// A label's status.
namespace status {
inline constexpr std::string_view pending = "PENDING";
inline constexpr std::string_view valid = "VALID";
inline constexpr std::string_view invalid = "INVALID";
inline constexpr std::string_view needs_review = "NEEDS_REVIEW"; ///< no round could decide: a person must
} // namespace status

/// An instant as items have it, to the microsecond where it has any; empty beyond the year 9999.
[[nodiscard]] inline auto instant_text(freshet::time_point at) -> std::string {
    const bool whole = at.time_since_epoch() % std::chrono::seconds{1} == freshet::duration::zero();
    const auto text = freshet::format_rfc3339(at, whole ? 0 : 6);
    return text ? std::string{text->view()} : std::string{};
}

/// Who rules, and in which round of a job: what a validated item says of it.
struct ruling_facts {
    std::string_view validator;  ///< what `validated_by` becomes
    freshet::time_point round{}; ///< its due time, what `validated_at` becomes
    unsigned most_undecided{};   ///< rounds that leave a label undecided, until a person must decide
};

/// Whether an item's ruling is of this validator and this round.
[[nodiscard]] inline auto is_ruled(const freshet::document& item, const ruling_facts& facts) -> bool {
    return text_in(item, "validated_by") == facts.validator &&
           text_in(item, "validated_at") == instant_text(facts.round);
}

/// Whether somebody else has decided on an item: a person, or another validator. That stands.
[[nodiscard]] inline auto is_ruled_by_others(const freshet::document& item, std::string_view validator) -> bool {
    const auto by = text_in(item, "validated_by");
    const auto now = text_in(item, "validation_status");
    return !by.empty() && by != validator && !now.empty() && now != status::pending;
}

/// What becomes of a label.
enum class label_outcome {
    kept,         ///< its status is what the ruling says, or it is not this job's to change
    decided,      ///< VALID or INVALID now
    undecided,    ///< it waits for another round
    needs_review, ///< it has waited for enough of them
};

struct label_decision {
    label_outcome outcome{};
    std::optional<freshet::item_patch> patch{}; ///< absent: there is nothing to write
};

/// Whether labels are ruled on for the first time, or again.
enum class label_pass { first, again };

/// Whether a pass is about a label. The first one is about PENDING labels, and about those of which this validator said
/// NEEDS_REVIEW: `list` does not give these, but a dead letter that is taken up again may be of them. The second one is
/// about all that are not PENDING.
[[nodiscard]] inline auto is_of_pass(const freshet::document& label, label_pass pass, std::string_view validator)
    -> bool {
    const auto now = text_in(label, "validation_status");
    if (pass == label_pass::again) { return now != status::pending; }
    return now == status::pending || (now == status::needs_review && text_in(label, "validated_by") == validator);
}

namespace detail {

[[nodiscard]] inline auto undecided_so_far(const freshet::document& label) -> freshet::undecided_history {
    freshet::undecided_history history;
    const auto found = label.image().find("validation_runs");
    if (found && found->type() == freshet::attribute_type::number) {
        const auto digits = found->text();
        static_cast<void>(std::from_chars(digits.data(), digits.data() + digits.size(), history.rounds));
    }
    if (const auto last = freshet::parse_rfc3339(text_in(label, "validated_at"))) { history.last = *last; }
    return history;
}

} // namespace detail

/// What a ruling makes of a label.
///
/// The first pass decides PENDING labels: an undecided one counts one more in `validation_runs`, once a round however
/// often that is repeated, and after `most_undecided` of them it is NEEDS_REVIEW. The second one asks again
/// about all others. A label that is not PENDING stays as it is where the ruling is undecided or says the same, and
/// where somebody else decided on it. Fails where `why` is no text that an item can hold.
[[nodiscard]] inline auto decide_label(const freshet::document& label, receipts::ruling what, std::string_view why,
                                       label_pass pass, const ruling_facts& facts) -> freshet::result<label_decision> {
    const auto status_now = text_in(label, "validation_status");
    const auto write = [&](label_outcome outcome, std::string_view status_then,
                           std::optional<unsigned> runs = {}) -> freshet::result<label_decision> {
        receipts::item_text set;
        if (status_then != status_now) {
            set.text("validation_status", status_then).text("GSI3PK", receipts::status_index_key(status_then));
        }
        if (runs) { set.number("validation_runs", std::to_string(*runs)); }
        set.text_or_null("reasoning", why)
            .text("validated_by", facts.validator)
            .text("validated_at", instant_text(facts.round));
        return set.read().transform([&](freshet::document values) {
            return label_decision{outcome, freshet::item_patch{std::move(values), {}}};
        });
    };
    if (!is_of_pass(label, pass, facts.validator) || is_ruled_by_others(label, facts.validator)) {
        return label_decision{label_outcome::kept};
    }
    if (what != receipts::ruling::undecided) {
        const auto status_then = what == receipts::ruling::valid ? status::valid : status::invalid;
        if (status_then == status_now) { return label_decision{label_outcome::kept}; }
        return write(label_outcome::decided, status_then);
    }
    if (status_now != status::pending) { return label_decision{label_outcome::kept}; }
    const auto before = detail::undecided_so_far(label);
    const auto verdict = freshet::judge_undecided(before, facts.round, facts.most_undecided);
    if (verdict.what == freshet::undecided_ruling::needs_review) {
        return write(label_outcome::needs_review, status::needs_review, verdict.history.rounds);
    }
    if (verdict.history == before) { return label_decision{label_outcome::undecided}; }
    return write(label_outcome::undecided, status::pending, verdict.history.rounds);
}

} // namespace validation
