#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adapters/redis/settings.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <support/log.hpp>

namespace label_counts {

enum exit_code { all_well = 0, some_failed = 1, wrong_usage = 2, unreachable = 3 };

/// The code of what failed altogether: whether the backend is to blame.
[[nodiscard]] inline auto code_of_failure(const freshet::error& why) -> exit_code {
    using freshet::errc;
    return why.code == errc::unavailable || why.code == errc::throttled || why.code == errc::denied ? unreachable
                                                                                                    : some_failed;
}

/// Where the receipts are, and the counts unless they are in Redis.
enum class backend { memory, sqlite, aws };

/// Of the store of counts among others in one place.
inline constexpr std::string_view store_name = "label_counts";

/// What the program does: a run and then the reading, or one of the two.
enum class role { all, update, read };

/// How the counts of labels are kept fresh.
struct schedule {
    freshet::duration period{std::chrono::minutes{5}};  ///< between the beginnings of two runs
    freshet::duration overlap{std::chrono::minutes{1}}; ///< that counts outlive the run after theirs
    unsigned workers{5};                                ///< labels that are counted at once
};

/// What the command line and the environment ask for.
struct settings {
    role what{role::all};
    backend where{backend::memory};
    std::string directory{};                          ///< of `backend::sqlite`
    std::string table{"receipts"};                    ///< of `backend::aws`
    std::optional<adapters::redis::settings> redis{}; ///< of the counts; absent: they are where the receipts are
    std::optional<std::string> input{};               ///< receipts to load first
    std::vector<std::string> labels{};
    schedule when{};
    bool watch{};                         ///< run after run, until a stop
    std::optional<std::string> fail{};    ///< the label whose counting is to fail
    std::optional<std::string> metrics{}; ///< the file that EMF lines are appended to; `-` is stdout
    bool json{};
    freshet::duration clock_shift{};
    support::log log{support::log_level::info};
};

} // namespace label_counts
