#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace email_agent {

/// Whether a read sees every write that ended before it; one that need not costs half as much.
enum class consistency : std::uint8_t { eventual, strong };

/// Read capacity, counted in halves of a unit, so that nothing is rounded.
struct read_units {
    std::int64_t halves{};

    [[nodiscard]] auto text() const -> std::string {
        const auto size = halves < 0 ? -halves : halves;
        return fmt::format("{}{}{}", halves < 0 ? "-" : "", size / 2, size % 2 == 0 ? "" : ".5");
    }
    [[nodiscard]] auto number() const -> double { return static_cast<double>(halves) / 2; }
    friend auto operator==(const read_units&, const read_units&) -> bool = default;
};

/// What a request costs that read so many bytes, by the sizes of `adapters::item_size`: half a unit for every 4 KB that
/// is begun, at least one, and twice that where the read is strongly consistent.
///
/// Source: the DynamoDB developer guide, "DynamoDB read and write operations".
[[nodiscard]] constexpr auto price_of(std::size_t bytes, consistency how) -> read_units {
    const auto steps = std::max<std::size_t>((bytes + 4'095) / 4'096, 1);
    return {static_cast<std::int64_t>(how == consistency::strong ? 2 * steps : steps)};
}

/// What was read of a table.
struct read_counts {
    std::int64_t requests{};
    std::int64_t scans{}; ///< that were begun
    std::int64_t pages{}; ///< of scans
    std::int64_t rows{};
    read_units units{};

    auto operator+=(const read_counts& other) -> read_counts& {
        requests += other.requests;
        scans += other.scans;
        pages += other.pages;
        rows += other.rows;
        units.halves += other.units.halves;
        return *this;
    }
    friend auto operator-(const read_counts& all, const read_counts& some) -> read_counts {
        return {all.requests - some.requests,
                all.scans - some.scans,
                all.pages - some.pages,
                all.rows - some.rows,
                {all.units.halves - some.units.halves}};
    }
    friend auto operator==(const read_counts&, const read_counts&) -> bool = default;
};

} // namespace email_agent
