#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/item/event_decoder.hpp>
#include <freshet/item/same_value.hpp>

#include <support/decoded.hpp>
#include <support/json_oracle.hpp>

// Any bytes decode or are refused in place, as the oracle has it; what is decoded says the same the second time, byte
// by byte, and each record alone what it says among others.
namespace {

void tell(std::string& out, freshet::attribute value) {
    out.append(value.name()).append(freshet::descriptor_of(value.type())).append(value.text()).append(value.token());
    out += value.boolean() ? '1' : '0';
    for (const auto inner : value) { tell(out, inner); }
}

void tell(std::string& out, const std::optional<freshet::image>& image) {
    out += image ? '{' : '-';
    if (!image) { return; }
    freshet::same_value same;
    for (const auto value : *image) {
        tell(out, value);
        if (const auto found = image->find(value.name()); !found || !same(*found, value)) { std::abort(); }
    }
}

/// Reads every byte of everything that the decoder answers.
auto told(freshet::event_decoder& decoder, std::string_view event) -> std::string {
    const auto decoded = decoder.decode(event);
    std::string out;
    if (!decoded) {
        if (decoded.fault().offset > event.size()) { std::abort(); }
        return out.append("refused at ").append(std::to_string(decoded.fault().offset)).append(decoded.fault().reason);
    }
    for (const auto& record : *decoded) {
        out.append(record.bytes()).append(record.event_id()).append(record.sequence());
        tell(out, record.keys());
        if (!record) {
            if (record.fault().offset > event.size()) { std::abort(); }
            out.append(std::to_string(record.fault().offset)).append(record.fault().reason);
            continue;
        }
        out.append(record->event_version)
            .append(record->event_source)
            .append(record->aws_region)
            .append(record->event_source_arn);
        out.append(name_of(record->name)).append(record->identity_type).append(record->identity_principal);
        tell(out, record->new_image);
        tell(out, record->old_image);
    }
    return out;
}

void agree_with_oracle(freshet::event_decoder& decoder, std::string_view event) {
    auto want = oracle::read_event(event);
    if (want) {
        for (auto& record : *want) { record = oracle::without_content(record); }
    }
    if (support::decoded(decoder, event) != want) { std::abort(); }
    if (!want) { return; }
    freshet::event_decoder another;
    for (const auto& one : *decoder.decode(event)) {
        const auto alone = "{\"Records\":[" + std::string{one.bytes()} + "]}";
        if (support::decoded(another, alone) != std::vector{support::retold(one)}) { std::abort(); }
    }
}

} // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    static freshet::event_decoder used;
    const std::string_view event{reinterpret_cast<const char*>(data), size};
    freshet::event_decoder fresh;
    const auto first = told(fresh, event);
    if (told(used, event) != first || told(used, event) != first) { std::abort(); }
    agree_with_oracle(used, event);
    return 0;
}
