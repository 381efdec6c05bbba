#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <freshet/backend/codec.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <label_counts/counts.hpp>

namespace label_counts {

/// Counts as JSON: `{"by_status":{"PENDING":2712,"VALID":4109},"last_updated":1763817660000000}`, the time in
/// microseconds since 1970. Statuses are UTF-8, as the items of a table are.
struct counts_codec {
    using value_type = counts;
    static constexpr std::uint32_t version = 1;

    [[nodiscard]] auto encode(const counts& of) const -> std::string {
        nlohmann::json made{{"by_status", nlohmann::json::object()},
                            {"last_updated", of.last_updated.time_since_epoch().count()}};
        for (const auto& [status, count] : of.by_status) { made["by_status"][status] = count; }
        return made.dump();
    }

    [[nodiscard]] auto decode(std::string_view bytes) const -> freshet::result<counts> {
        const auto wrong = [](std::string why) {
            return freshet::error{freshet::errc::malformed, "a label's counts: " + std::move(why)};
        };
        const auto json = nlohmann::json::parse(bytes, nullptr, false);
        const auto statuses = json.is_object() ? json.find("by_status") : json.end();
        const auto updated = json.is_object() ? json.find("last_updated") : json.end();
        if (statuses == json.end() || !statuses->is_object()) { return wrong("by_status is no object"); }
        if (updated == json.end() || !updated->is_number_integer()) { return wrong("last_updated is no whole number"); }
        counts made{{}, freshet::time_point{freshet::duration{updated->get<freshet::duration::rep>()}}};
        for (const auto& [status, count] : statuses->items()) {
            if (!count.is_number_unsigned()) { return wrong("a count is no whole number from 0 on"); }
            made.by_status.emplace(status, count.get<std::uint64_t>());
        }
        // names twice, numbers beyond the type's end, more members, what follows a NUL: the parser reads over it
        if (encode(made) != bytes) { return wrong("not as they are written"); }
        return made;
    }
};

static_assert(freshet::codec<counts_codec>);

} // namespace label_counts
