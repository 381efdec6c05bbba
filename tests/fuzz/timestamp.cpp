#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <freshet/core/epoch_seconds.hpp>
#include <freshet/core/rfc3339.hpp>

// A timestamp is read as a slow and simple reference reads it, and what is printed is read back.
namespace {

void expect(bool held) {
    if (!held) { std::abort(); }
}

/// The text's shape: 0 for each digit, T for its three forms, Z for its two, a fraction as `.0`.
auto shape_of(std::string_view text) -> std::string {
    std::string shape;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';
        if (digit && i > 20 && text[19] == '.' && shape.ends_with(".0")) { continue; }
        shape += digit                               ? '0'
                 : i == 10 && (c == 't' || c == ' ') ? 'T'
                 : i > 10 && c == 'z'                ? 'Z'
                 : i > 18 && c == '-'                ? '+'
                                                     : c;
    }
    return shape;
}

auto reads(std::string_view text, freshet::time_point& instant) -> bool {
    using namespace std::chrono;
    const std::string seconds = "0000-00-00T00:00:00";
    const auto shape = shape_of(text);
    if (shape != seconds + 'Z' && shape != seconds + ".0Z" && shape != seconds + "+00:00" &&
        shape != seconds + ".0+00:00") {
        return false;
    }
    const auto number = [&](std::size_t at, std::size_t size) { return std::stoi(std::string{text.substr(at, size)}); };
    const year_month_day day{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                             std::chrono::day{static_cast<unsigned>(number(8, 2))}};
    if (!day.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) { return false; }
    instant = sys_days{day} + hours{number(11, 2)} + minutes{number(14, 2)} + std::chrono::seconds{number(17, 2)};
    if (text[19] == '.') {
        instant += microseconds{std::stoi(
            (std::string{text.substr(20, text.find_first_not_of("0123456789", 20) - 20)} + "00000").substr(0, 6))};
    }
    if (shape.ends_with('Z')) { return true; }
    const auto zone = text.size() - 6;
    if (number(zone + 1, 2) > 23 || number(zone + 4, 2) > 59) { return false; }
    const auto offset = hours{number(zone + 1, 2)} + minutes{number(zone + 4, 2)};
    instant += text[zone] == '-' ? offset : -offset;
    return true;
}

} // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto read = freshet::parse_rfc3339(text);
    freshet::time_point wanted;
    expect(read.ok() == reads(text, wanted) && (read || read.fault().offset <= size));
    expect(!read || *read == wanted);
    const auto epoch = freshet::parse_epoch_seconds(text);
    for (const auto instant : {read.value_or({}), epoch.value_or({})}) {
        for (int digits = 0; digits <= 6; ++digits) {
            const auto printed = freshet::format_rfc3339(instant, digits);
            if (!printed) { continue; } // an offset carried it out of the years 0000 to 9999
            const auto again = freshet::parse_rfc3339(printed->view());
            expect(again.ok() && *again <= instant && (digits < 6 || *again == instant));
        }
    }
    expect(!epoch || freshet::format_rfc3339(*epoch).ok());
    return 0;
}
