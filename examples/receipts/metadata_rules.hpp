#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/result.hpp>
#include <receipts/items.hpp>
#include <receipts/merchant_match.hpp>
#include <receipts/printed_lines.hpp>
#include <receipts/rulings.hpp>

namespace receipts {

/// Looks a merchant up in a directory of places, by whatever is known of it; nothing: there is no such place.
using places_lookup = std::function<freshet::result<std::optional<scanned_merchant>>(const scanned_merchant&)>;

namespace detail {

/// How much of a receipt's metadata its text prints, from 0 to 1; -1: the metadata don't say.
struct printed_shares {
    double name{-1};
    double address{-1};
    double phone{-1};
};

[[nodiscard]] inline auto shares_of(const scanned_merchant& merchant, const printed_lines& printed) -> printed_shares {
    constexpr std::size_t least_digits = 6;
    const searchable_text text{printed};
    printed_shares shares;
    if (!tokens_of(merchant.merchant_name).empty()) {
        shares.name = share_printed(merchant.merchant_name, text, is_trade_word);
    }
    if (!tokens_of(merchant.canonical_merchant_name).empty()) {
        shares.name = std::max(shares.name, share_printed(merchant.canonical_merchant_name, text, is_trade_word));
    }
    if (!tokens_of(merchant.address).empty()) {
        shares.address = share_printed(merchant.address, text, is_address_word);
    }
    if (const auto digits = digits_of(merchant.phone_number); digits.size() >= least_digits) {
        shares.phone = text.has_digits(digits) ? 1 : 0;
    }
    return shares;
}

} // namespace detail

/// Rules on a receipt's metadata by the receipt's own text, and by a directory of places where there is one.
///
/// Valid is what prints two of name, address and telephone number, or the only one that the metadata tell. Invalid is
/// what prints neither the name nor all of the address, and a name with the address of another branch. The rest is
/// undecided: nothing is known, no words, or one thing is printed and another is not. Then the directory is asked, and
/// a place of the same name with the same address or number decides. A directory that fails or knows no such place
/// leaves the ruling as the text gives it.
struct metadata_validator {
    places_lookup places{}; ///< none: the text alone decides

    [[nodiscard]] auto operator()(const scanned_receipt& scanned) const -> metadata_ruling {
        auto ruled = by_text(scanned);
        if (ruled.what != ruling::undecided || !places || tokens_of(scanned.merchant.merchant_name).empty()) {
            return ruled;
        }
        const auto place = places(scanned.merchant);
        if (!place) {
            ruled.why += "; the places look-up failed: " + place.why().note;
        } else if (*place && is_same(**place, scanned.merchant)) {
            ruled.what = ruling::valid;
            ruled.why += "; a directory of places has it so";
        } else {
            ruled.why += *place ? "; a directory of places has it otherwise" : "; no directory of places has it";
        }
        return ruled;
    }

private:
    static constexpr double printed_well = 0.6;
    static constexpr double printed_in_part = 0.4;
    static constexpr double printed_in_full = 0.85;

    [[nodiscard]] static auto by_text(const scanned_receipt& scanned) -> metadata_ruling {
        if (scanned.words.empty()) { return {ruling::undecided, {}, "the receipt has no words"}; }
        const auto shares = detail::shares_of(scanned.merchant, read_lines(scanned.words));
        metadata_ruling ruled;
        const auto match = [&ruled](double share, const char* field) {
            if (share >= printed_well) { ruled.matched_fields.emplace_back(field); }
            return share >= printed_well;
        };
        match(shares.name, "name");
        match(shares.address, "address");
        const auto phone = match(shares.phone, "phone");
        const std::array<double, 3> all{shares.name, shares.address, shares.phone};
        const auto says = [&](double share, std::string_view field) {
            std::string words{field};
            if (share < 0) { return words + " unknown"; }
            return words + " printed to " + std::to_string(static_cast<int>(share * 100 + 0.5)) + " %";
        };
        ruled.why = says(shares.name, "name") + ", " + says(shares.address, "address") + ", telephone number " +
                    (shares.phone < 0 ? "unknown"
                     : phone          ? "printed"
                                      : "not printed");
        const auto lacks = [](double share, double bound) { return share >= 0 && share < bound; };
        const auto known = std::count_if(all.begin(), all.end(), [](double share) { return share >= 0; });
        if (ruled.matched_fields.size() > 1 || (ruled.matched_fields.size() == 1 && known == 1)) {
            ruled.what = ruling::valid;
        } else if (!phone && lacks(shares.name, printed_in_part) && shares.address < printed_in_full) {
            ruled.what = ruling::invalid;
        } else if (!phone && lacks(shares.address, printed_in_part)) {
            ruled.what = ruling::invalid; // of another branch
        }
        return ruled;
    }

    [[nodiscard]] static auto is_same(const scanned_merchant& place, const scanned_merchant& claimed) -> bool {
        const auto same = [](const std::string& a, const std::string& b) {
            const auto one = folded(a);
            const auto other = folded(b);
            return !one.empty() && !other.empty() && (stands_in(one, other) || stands_in(other, one));
        };
        const auto place_digits = digits_of(place.phone_number);
        const auto same_number = !place_digits.empty() && place_digits == digits_of(claimed.phone_number);
        return same(place.merchant_name, claimed.merchant_name) &&
               (same(place.address, claimed.address) || same_number);
    }
};

static_assert(merchant_validator<metadata_validator>);

} // namespace receipts
