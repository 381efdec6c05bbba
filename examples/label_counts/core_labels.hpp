#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

namespace label_counts {

/// The labels that are counted: what `CORE_LABELS` lists, with commas between; those of the scanned receipts where it
/// is not set. `malformed` where it lists none, or one twice. Blanks around a label do not count.
[[nodiscard]] inline auto core_labels() -> freshet::result<std::vector<std::string>> {
    const char* const listed = std::getenv("CORE_LABELS");
    if (listed == nullptr) {
        return std::vector<std::string>{"MERCHANT_NAME", "ADDRESS_LINE", "PHONE_NUMBER", "DATE",
                                        "TIME",          "LINE_TOTAL",   "GRAND_TOTAL"};
    }
    const auto refuse = [](const std::string& why) {
        return freshet::error{freshet::errc::malformed, "CORE_LABELS: " + why};
    };
    constexpr std::string_view blanks = " \t\r\n";
    std::vector<std::string> labels;
    for (std::string_view rest{listed}; !rest.empty();) {
        auto label = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), label.size() + 1));
        label.remove_prefix(std::min(label.size(), label.find_first_not_of(blanks)));
        label = label.substr(0, label.find_last_not_of(blanks) + 1);
        if (label.empty()) { continue; }
        if (std::find(labels.begin(), labels.end(), label) != labels.end()) {
            return refuse("'" + freshet::printable(label) + "' stands there twice");
        }
        labels.emplace_back(label);
    }
    if (labels.empty()) { return refuse("it names no label"); }
    return labels;
}

} // namespace label_counts
