#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <freshet/cache/table_snapshot.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <table_cache/tables.hpp>

namespace email_agent {

/// What is done for a work order, one after the other.
enum class step : std::uint8_t {
    count,   ///< how many students it is for
    test,    ///< one letter, to ourselves
    dry_run, ///< all letters, which nobody gets
    send,    ///< all letters
};

inline constexpr std::array steps{step::count, step::test, step::dry_run, step::send};

[[nodiscard]] constexpr auto name_of(step which) noexcept -> std::string_view {
    constexpr std::array<std::string_view, 4> names{"Count", "Test", "Dry-Run", "Send"};
    return names[static_cast<std::size_t>(which)];
}
[[nodiscard]] constexpr auto parse_step(std::string_view name) -> std::optional<step> {
    for (const auto each : steps) {
        if (name_of(each) == name) { return each; }
    }
    return std::nullopt;
}

/// Whether a step makes letters: then it reads the prompts and its event too.
[[nodiscard]] constexpr auto makes_letters(step which) noexcept -> bool { return which != step::count; }

/// What a step reads; null where the table has no such row, or the step does not read it.
struct step_rows {
    using rows = std::shared_ptr<const freshet::table_snapshot<freshet::document>>;
    using row = std::shared_ptr<const freshet::document>;
    row stage{};
    row event{};
    rows students{};
    rows pools{};
    rows prompts{};
};

struct step_report {
    std::size_t recipients{};
    std::size_t letters{};
    friend auto operator==(const step_report&, const step_report&) -> bool = default;
};

/// Does a step with what was read: the students in its order's stage whose pool is open get a letter by the stage's
/// prompt about the event. `failed` where the stage, its prompt or the event is not there.
[[nodiscard]] inline auto carry_out(step which, const freshet::document& order, const step_rows& read)
    -> freshet::result<step_report> {
    const auto missing = [&](std::string_view what, const std::string& id) {
        return freshet::error{freshet::errc::failed, "work order " + freshet::printable(text_of(order, "id")) +
                                                         ": there is no " + std::string{what} + " " +
                                                         freshet::printable(id)};
    };
    const auto stage = text_of(order, "stage");
    if (!read.stage) { return missing("stage", stage); }
    step_report done;
    for (const auto& student : *read.students) {
        if (text_of(student, "stage") != stage) { continue; }
        const auto* const pool = read.pools->find({text_of(student, "pool"), {}});
        const auto open = pool == nullptr ? std::nullopt : pool->image().find("open");
        done.recipients += open && open->boolean() ? 1 : 0;
    }
    if (!makes_letters(which)) { return done; }
    if (!read.event) { return missing("event", text_of(order, "event")); }
    const auto prompt = text_of(*read.stage, "prompt");
    if (read.prompts->find({prompt, {}}) == nullptr) { return missing("prompt", prompt); }
    done.letters = which == step::test ? 1 : done.recipients;
    return done;
}

} // namespace email_agent
