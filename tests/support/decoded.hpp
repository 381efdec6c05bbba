#pragma once

// What the decoder says, in the oracle's words, so that the two can be compared.

#include <optional>
#include <string>
#include <vector>

#include <freshet/item/attribute.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/stream_record.hpp>

#include <support/json_oracle.hpp>

namespace support {

[[nodiscard]] inline auto retold(freshet::attribute a) -> oracle::attribute {
    oracle::attribute told{
        std::string{a.name()}, std::string{freshet::descriptor_of(a.type())}, std::string{a.text()}, {}};
    if (a.type() == freshet::attribute_type::boolean) { told.text = a.boolean() ? "true" : "false"; }
    for (const auto inner : a) { told.inside.push_back(retold(inner)); }
    return told;
}

[[nodiscard]] inline auto retold(const freshet::image& attributes) -> oracle::image {
    oracle::image told;
    for (const auto a : attributes) { told.push_back(retold(a)); }
    return told;
}

[[nodiscard]] inline auto retold(const std::optional<freshet::image>& attributes) -> std::optional<oracle::image> {
    return attributes ? std::optional{retold(*attributes)} : std::nullopt;
}

[[nodiscard]] inline auto retold(const freshet::decoded_record& decoded) -> oracle::record {
    oracle::record told;
    told.event_id = decoded.event_id();
    told.sequence = decoded.sequence();
    told.keys = retold(decoded.keys());
    told.good = decoded.ok();
    if (!decoded) { return told; }
    const auto& r = *decoded;
    told.event_version = r.event_version;
    told.event_source = r.event_source;
    told.aws_region = r.aws_region;
    told.event_source_arn = r.event_source_arn;
    told.name = name_of(r.name);
    told.new_image = retold(r.new_image);
    told.old_image = retold(r.old_image);
    if (r.created_at) { told.created_at = r.created_at->time_since_epoch().count(); }
    told.size_bytes = r.size_bytes;
    constexpr const char* views[]{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"};
    if (r.view_type) { told.view_type = views[static_cast<int>(*r.view_type)]; }
    told.identity_type = r.identity_type;
    told.identity_principal = r.identity_principal;
    told.expired = r.expired_by_ttl();
    return told;
}

/// The records of an event as the decoder under test reads them, or nothing where it refuses the event.
[[nodiscard]] inline auto decoded(freshet::event_decoder& decoder, std::string_view event)
    -> std::optional<std::vector<oracle::record>> {
    const auto records = decoder.decode(event);
    if (!records) { return std::nullopt; }
    std::vector<oracle::record> told;
    for (const auto& one : *records) { told.push_back(retold(one)); }
    return told;
}

} // namespace support
