#pragma once

#include <cstddef>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include <freshet/core/result.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <freshet/stream/record_translator.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

namespace receipts {

/// The monitored fields that `MONITORED_FIELDS_<ENTITY>` asks for (names between commas), for each entity that has
/// routes; the built-in ones where the variable is not set, or set to nothing, as deployments do with what they leave
/// alone.
[[nodiscard]] inline auto fields_from_environment() -> freshet::result<freshet::entity_fields<registry>> {
    auto fields = default_monitored_fields();
    for (std::size_t i = 0; i < registry::size; ++i) {
        if (!routes::any_for(registry::names[i])) { continue; }
        const auto variable = fmt::format("MONITORED_FIELDS_{}", registry::names[i]);
        const char* const listed = std::getenv(variable.c_str());
        if (listed == nullptr || *listed == '\0') { continue; }
        auto read = freshet::parse_monitored_fields(listed);
        if (!read) { return read.fault().as_error(variable); }
        fields[i] = *std::move(read);
    }
    return fields;
}

} // namespace receipts
