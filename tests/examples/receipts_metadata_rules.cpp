#include <receipts/metadata_rules.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <support/printed_receipt.hpp>

namespace {

using receipts::metadata_ruling;
using receipts::metadata_validator;
using receipts::places_lookup;
using receipts::ruling;
using receipts::scanned_merchant;
using strings = std::vector<std::string>;

const scanned_merchant harbour{.merchant_name = "HARBOUR LIGHTS TRADING SDN BHD",
                               .canonical_merchant_name = "Harbour Lights Trading",
                               .address = "NO.12, JALAN SAGU 18, TAMAN DAYA, 81100 KLANG, SELANGOR.",
                               .phone_number = "03-3271 9872"};

auto ruled(const scanned_merchant& merchant, const places_lookup& places = {}) -> metadata_ruling {
    return metadata_validator{places}(
        support::printed_receipt({"HARB0UR LIGHTS", "TRADING SDN BND", "N0.12 JALAN SAGU 18", "TAMANDAYA, 81100 KLAMG",
                                  "TEL : 03-3271 9872", "TOTAL 9.00"},
                                 merchant));
}

auto with(const scanned_merchant& of, std::string_view name, std::string_view address, std::string_view phone)
    -> scanned_merchant {
    auto changed = of;
    changed.merchant_name = changed.canonical_merchant_name = name;
    changed.address = address;
    changed.phone_number = phone;
    return changed;
}

TEST_CASE("metadata that the text bears out are valid, through slips and joined words") {
    const auto told = ruled(harbour);
    CHECK(told.what == ruling::valid);
    CHECK(told.matched_fields == strings{"name", "address", "phone"});
    CHECK(told.why == "name printed to 100 %, address printed to 93 %, telephone number printed");
}

TEST_CASE("another merchant's metadata are invalid") {
    const auto told =
        ruled(with(harbour, "NORTH PIER BOOKS SDN BHD", "7, LORONG MAYANG, TAMAN RINTING, 46200 LUMUT.", "05-5551234"));
    CHECK(told.what == ruling::invalid);
    CHECK(told.matched_fields.empty());
}

TEST_CASE("another merchant round the corner is invalid, though most of the address is the same") {
    CHECK(ruled(with(harbour, "NORTH PIER BOOKS", "77, JALAN MAYANG 3, TAMAN DAYA, 81100 KLANG.", "")).what ==
          ruling::invalid);
}

TEST_CASE("the same name at another branch's address is invalid") {
    CHECK(ruled(with(harbour, harbour.merchant_name, "7, LORONG MAYANG, TAMAN RINTING, 46200 LUMUT.", "")).what ==
          ruling::invalid);
}

TEST_CASE("words of many merchants tell nobody apart") {
    CHECK(ruled(with(harbour, "NORTH TRADING SDN BHD", "", "")).what == ruling::invalid);
    CHECK(ruled(with(harbour, "", "JALAN LAMA, TAMAN RINTING, SELANGOR", "")).what == ruling::invalid);
}

TEST_CASE("the only thing that the metadata tell is enough where it is printed") {
    CHECK(ruled(with(harbour, harbour.merchant_name, "", "")).matched_fields == strings{"name"});
    CHECK(ruled(with(harbour, harbour.merchant_name, "", "")).what == ruling::valid);
    CHECK(ruled(with(harbour, "", harbour.address, "")).what == ruling::valid);
    CHECK(ruled(with(harbour, "", "", "0332719872")).what == ruling::valid);
}

TEST_CASE("a canonical name is as good as a name") {
    auto renamed = harbour;
    renamed.merchant_name = "NP";
    CHECK(ruled(renamed).matched_fields == strings{"name", "address", "phone"});
}

TEST_CASE("metadata without anything, and receipts without words, are undecided") {
    CHECK(ruled({}).what == ruling::undecided);
    CHECK(ruled({}).why == "name unknown, address unknown, telephone number unknown");
    const auto empty = metadata_validator{}(support::printed_receipt({}, harbour));
    CHECK(empty.what == ruling::undecided);
    CHECK(empty.why == "the receipt has no words");
}

TEST_CASE("a whole address under a name that is not printed is undecided: it may stand in a picture") {
    const auto told = ruled(with(harbour, "NORTH PIER BOOKS", harbour.address, ""));
    CHECK(told.what == ruling::undecided);
    CHECK(told.matched_fields == strings{"address"});
}

TEST_CASE("a directory of places decides what the text leaves open, and nothing else") {
    const auto open = with(harbour, "NORTH PIER BOOKS", harbour.address, "");
    int asked = 0;
    const places_lookup same = [&](const scanned_merchant& of) -> freshet::result<std::optional<scanned_merchant>> {
        ++asked;
        return std::optional{with(of, "North Pier Books", "12 Jalan Sagu 18, Taman Daya, 81100 Klang, Selangor", "")};
    };
    CHECK(ruled(harbour, same).what == ruling::valid);
    CHECK(ruled({}, same).what == ruling::undecided);
    CHECK(asked == 0);
    CHECK(ruled(open, same).what == ruling::valid);
    CHECK(asked == 1);

    const places_lookup elsewhere = [](const scanned_merchant& of) -> freshet::result<std::optional<scanned_merchant>> {
        return std::optional{with(of, "North Pier Books", "7 Lorong Mayang", "05-5551234")};
    };
    CHECK(ruled(open, elsewhere).what == ruling::undecided);
}

TEST_CASE("a directory of places that fails or knows nothing leaves the ruling as it is, and is told of") {
    const auto open = with(harbour, "NORTH PIER BOOKS", harbour.address, "");
    const places_lookup failing = [](const scanned_merchant&) -> freshet::result<std::optional<scanned_merchant>> {
        return freshet::error{freshet::errc::throttled, "too many calls"};
    };
    const auto failed = ruled(open, failing);
    CHECK(failed.what == ruling::undecided);
    CHECK(failed.why.find("; the places look-up failed: too many calls") != std::string::npos);

    const places_lookup empty = [](const scanned_merchant&) -> freshet::result<std::optional<scanned_merchant>> {
        return std::optional<scanned_merchant>{};
    };
    CHECK(ruled(open, empty).what == ruling::undecided);
}

} // namespace
