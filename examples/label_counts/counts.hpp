#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <freshet/core/time.hpp>

/// How many words have a label, by what became of its validation: counted by the clock, kept in a cache, and read.
namespace label_counts {

/// What is kept of a label.
struct counts {
    std::map<std::string, std::uint64_t, std::less<>> by_status; ///< by validation status; none is zero
    freshet::time_point last_updated{};                          ///< when the counting began

    void add(std::string_view status) {
        const auto at = by_status.find(status);
        ++(at != by_status.end() ? at->second : by_status[std::string{status}]);
    }
    [[nodiscard]] auto total() const -> std::uint64_t {
        std::uint64_t all = 0;
        for (const auto& [status, count] : by_status) { all += count; }
        return all;
    }
    friend auto operator==(const counts&, const counts&) -> bool = default;
};

} // namespace label_counts
