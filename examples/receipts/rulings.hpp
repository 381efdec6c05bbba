#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/core/result.hpp>
#include <receipts/items.hpp>

namespace receipts {

/// What a validator says of a claim. `undecided` is said where evidence is missing, never where it is mixed.
enum class ruling { valid, invalid, undecided };

[[nodiscard]] constexpr auto name_of(ruling what) noexcept -> std::string_view {
    return what == ruling::valid ? "valid" : what == ruling::invalid ? "invalid" : "undecided";
}

/// What is said of the label `words[word].labels[label]` of a receipt, and why, in one line.
struct label_ruling {
    std::size_t word{};
    std::size_t label{};
    ruling what{ruling::undecided};
    std::string why{};
};

/// What is said of a receipt's metadata: which of "name", "address" and "phone" the receipt's own text bears out, and
/// why, in one line.
struct metadata_ruling {
    ruling what{ruling::undecided};
    std::vector<std::string> matched_fields{};
    std::string why{};
};

/// V rules on labels: of a receipt it gives at most one ruling for each of its labels, in any order, or an error where
/// it could not be asked. A label it leaves out is undecided.
template <class V>
concept label_validator = requires(V& validator, const scanned_receipt& scanned) {
    { validator(scanned) } -> std::convertible_to<freshet::result<std::vector<label_ruling>>>;
};

/// V rules on metadata, or gives an error where it could not be asked.
template <class V>
concept merchant_validator = requires(V& validator, const scanned_receipt& scanned) {
    { validator(scanned) } -> std::convertible_to<freshet::result<metadata_ruling>>;
};

} // namespace receipts
