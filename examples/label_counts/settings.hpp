#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adapters/redis/settings.hpp>
#include <freshet/core/time.hpp>
#include <support/backend.hpp>
#include <support/exit_code.hpp>
#include <support/log.hpp>

namespace label_counts {

using enum support::exit_code;
using support::backend;
using support::code_of_failure;
using support::exit_code;

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
