#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <receipts/money.hpp>
#include <receipts/printed_lines.hpp>
#include <receipts/text_match.hpp>
#include <receipts/written_forms.hpp>

/// What merchants' names and addresses look like, whoever the merchant.
namespace receipts {

namespace detail {

template <std::size_t N>
[[nodiscard]] constexpr auto one_of(const std::array<std::string_view, N>& words, std::string_view token) -> bool {
    return std::any_of(words.begin(), words.end(), [token](std::string_view each) {
        return each.size() == token.size() &&
               std::equal(each.begin(), each.end(), token.begin(), [](char a, char b) { return a == upper(b); });
    });
}

} // namespace detail

/// A word of many merchants' names: a company's form or a trade. It tells nobody apart.
[[nodiscard]] constexpr auto is_trade_word(std::string_view token) -> bool {
    constexpr std::array<std::string_view, 48> words{
        "SDN",        "BHD",        "BND",     "SB",         "S",        "B",      "M",        "CO",
        "LTD",        "PTE",        "INC",     "LLC",        "GMBH",     "PLC",    "CORP",     "COMPANY",
        "ENTERPRISE", "ENT",        "TRADING", "TRADERS",    "SHOP",     "STORE",  "STORES",   "MART",
        "MARKET",     "MARKETING",  "GROCER",  "RESTAURANT", "RESTORAN", "CAFE",   "KEDAI",    "BAKERY",
        "HARDWARE",   "STATIONERY", "BOOKS",   "BOOK",       "PHARMACY", "SUPPLY", "SERVICES", "SERVICE",
        "HOLDINGS",   "INDUSTRIES", "FOOD",    "HOUSE",      "CENTRE",   "CENTER", "RETAIL",   "THE"};
    return detail::one_of(words, token);
}

/// A word of many addresses: a kind of street, quarter or house. It tells nothing apart.
[[nodiscard]] constexpr auto is_address_word(std::string_view token) -> bool {
    constexpr std::array<std::string_view, 50> words{
        "NO",        "LOT",       "JALAN",    "JLN",   "LORONG",  "LEBUH",         "LEBUHRAYA", "TAMAN",
        "TMN",       "BANDAR",    "KAMPUNG",  "KG",    "BATU",    "SEKSYEN",       "SECTION",   "LEVEL",
        "FLOOR",     "GROUND",    "UNIT",     "BLOCK", "BLK",     "PLAZA",         "MALL",      "WISMA",
        "MENARA",    "TOWER",     "BANGUNAN", "PUSAT", "KAWASAN", "PERINDUSTRIAN", "STREET",    "ST",
        "ROAD",      "RD",        "AVENUE",   "AVE",   "LANE",    "DRIVE",         "SQUARE",    "QUAY",
        "PARK",      "PERSIARAN", "SELANGOR", "JOHOR", "KUALA",   "LUMPUR",        "BAHRU",     "MALAYSIA",
        "SINGAPORE", "KL"};
    return detail::one_of(words, token);
}

/// Five digits by themselves, as postcodes are.
[[nodiscard]] constexpr auto is_postcode(std::string_view token) -> bool {
    return token.size() == 5 && std::all_of(token.begin(), token.end(), is_digit);
}

} // namespace receipts
