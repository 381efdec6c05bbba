#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include <adapters/item_table.hpp>
#include <freshet/backend/change_stream.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>

namespace adapters {

/// The name of a table's stream, as the service writes it; `label` tells it from other streams of the table's name.
[[nodiscard]] inline auto stream_arn(const item_table_options& options, std::string_view label) -> std::string {
    return "arn:aws:dynamodb:" + options.region + ":" + options.account + ":table/" + options.name + "/stream/" +
           std::string{label};
}

/// The sequence number of a stream's `number`th change: always 21 digits and no zero in front, as the service's are.
[[nodiscard]] inline auto sequence_of(std::uint64_t number) -> freshet::sequence_number {
    const auto digits = std::to_string(number);
    return *freshet::sequence_number::parse("1" + std::string(20 - digits.size(), '0') + digits);
}

/// The number that `sequence_of` made it from; 0 for a sequence number that it did not make.
[[nodiscard]] inline auto number_of(const freshet::sequence_number& sequence) -> std::uint64_t {
    const auto digits = sequence.view().substr(1);
    std::uint64_t number = 0;
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return bad == std::errc{} && end == digits.data() + digits.size() && digits.size() == 20 ? number : 0;
}

/// A place in a stream: behind its `number`th change. 0 is before the first.
struct stream_place {
    std::string stream;
    std::uint64_t number{};
};

[[nodiscard]] inline auto position_of(std::string_view stream, std::uint64_t number) -> freshet::stream_position {
    return std::string{stream} + "@" + std::to_string(number);
}

/// What `position_of` wrote, of any stream; `malformed` where it wrote nothing like it.
[[nodiscard]] inline auto read_position(std::string_view position) -> freshet::result<stream_place> {
    const auto at = position.rfind('@');
    const auto digits = at == std::string_view::npos ? std::string_view{} : position.substr(at + 1);
    std::uint64_t number = 0;
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (bad != std::errc{} || end != digits.data() + digits.size() || !position.starts_with("arn:")) {
        return freshet::error{freshet::errc::malformed, "no position of a stream: " + freshet::printable(position)};
    }
    return stream_place{std::string{position.substr(0, at)}, number};
}

} // namespace adapters
