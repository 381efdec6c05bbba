#pragma once

#include <cstdint>
#include <string_view>

namespace freshet {

/// What a metric of CloudWatch counts in.
///
/// Source: the CloudWatch API reference, "MetricDatum", `Unit`.
enum class metric_unit : std::uint8_t {
    none,
    count,
    percent,
    seconds,
    milliseconds,
    microseconds,
    bytes,
    kilobytes,
    megabytes,
    gigabytes,
    terabytes,
    bits,
    kilobits,
    megabits,
    gigabits,
    terabits,
    count_per_second,
    bytes_per_second,
    kilobytes_per_second,
    megabytes_per_second,
    gigabytes_per_second,
    terabytes_per_second,
    bits_per_second,
    kilobits_per_second,
    megabits_per_second,
    gigabits_per_second,
    terabits_per_second,
};

/// The unit's name as CloudWatch spells it.
[[nodiscard]] constexpr auto name_of(metric_unit unit) noexcept -> std::string_view {
    switch (unit) {
        case metric_unit::none: return "None";
        case metric_unit::count: return "Count";
        case metric_unit::percent: return "Percent";
        case metric_unit::seconds: return "Seconds";
        case metric_unit::milliseconds: return "Milliseconds";
        case metric_unit::microseconds: return "Microseconds";
        case metric_unit::bytes: return "Bytes";
        case metric_unit::kilobytes: return "Kilobytes";
        case metric_unit::megabytes: return "Megabytes";
        case metric_unit::gigabytes: return "Gigabytes";
        case metric_unit::terabytes: return "Terabytes";
        case metric_unit::bits: return "Bits";
        case metric_unit::kilobits: return "Kilobits";
        case metric_unit::megabits: return "Megabits";
        case metric_unit::gigabits: return "Gigabits";
        case metric_unit::terabits: return "Terabits";
        case metric_unit::count_per_second: return "Count/Second";
        case metric_unit::bytes_per_second: return "Bytes/Second";
        case metric_unit::kilobytes_per_second: return "Kilobytes/Second";
        case metric_unit::megabytes_per_second: return "Megabytes/Second";
        case metric_unit::gigabytes_per_second: return "Gigabytes/Second";
        case metric_unit::terabytes_per_second: return "Terabytes/Second";
        case metric_unit::bits_per_second: return "Bits/Second";
        case metric_unit::kilobits_per_second: return "Kilobits/Second";
        case metric_unit::megabits_per_second: return "Megabits/Second";
        case metric_unit::gigabits_per_second: return "Gigabits/Second";
        case metric_unit::terabits_per_second: return "Terabits/Second";
    }
    return "None";
}

} // namespace freshet
