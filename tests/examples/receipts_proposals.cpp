#include <receipts/proposals.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <receipts/label_rules.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/printed_receipt.hpp>

namespace {

using receipts::propose_labels;
using receipts::propose_metadata;
using support::printed_receipt;

auto merchant_of(std::initializer_list<std::string_view> lines) -> receipts::scanned_merchant {
    return propose_metadata(printed_receipt(lines).words);
}

/// Each word that has labels, with them.
auto labelled(const receipts::scanned_receipt& scanned) -> std::vector<std::string> {
    std::vector<std::string> all;
    for (const auto& word : scanned.words) {
        for (const auto& label : word.labels) { all.push_back(word.text + " " + label.label); }
    }
    return all;
}

TEST_CASE("name, address and telephone number are read from the header") {
    const auto read = merchant_of({"HARBOUR LIGHTS SDN BHD", "(801580-T)", "NO. 343, JALAN KURAU, SUNGAI BULOH,",
                                   "47000 KLANG,", "SELANGOR", "TEL: 07-8263254 FAX: 07-8266888",
                                   "GST NO: 000394528768", "DATE 20/03/2018", "TEA 9.00"});
    CHECK(read.merchant_name == "HARBOUR LIGHTS SDN BHD");
    CHECK(read.canonical_merchant_name == read.merchant_name);
    CHECK(read.address == "NO. 343, JALAN KURAU, SUNGAI BULOH, 47000 KLANG, SELANGOR");
    CHECK(read.phone_number == "07-8263254");
}

TEST_CASE("a name goes on to the line that ends as a company's does, without its number") {
    CHECK(merchant_of({"HARBOUR LIGHTS", "(NORTH) SDN BHD (801580-T)", "12 JALAN SAGU"}).merchant_name ==
          "HARBOUR LIGHTS (NORTH) SDN BHD");
    CHECK(merchant_of({"99 LIGHTS MART S/B 519537-X", "12 JALAN SAGU"}).merchant_name == "99 LIGHTS MART S/B");
    CHECK(merchant_of({"HENG STATIONERY", "12 JALAN SAGU"}).merchant_name == "HENG STATIONERY");
    CHECK(merchant_of({"NORTH CASH & CARRY", "12 JALAN SAGU"}).merchant_name == "NORTH CASH & CARRY");
}

TEST_CASE("what stands above a company's whole name is not of it") {
    CHECK(merchant_of({"3180303", "MARY ANN", "NORTH PIER LIGHTS SDN BHD", "12 JALAN SAGU"}).merchant_name ==
          "NORTH PIER LIGHTS SDN BHD");
}

TEST_CASE("a number alone on its line is the telephone's where no line says so") {
    CHECK(merchant_of({"NORTH PIER", "+603-9130 2672", "9.00"}).phone_number == "+603-9130 2672");
    CHECK(merchant_of({"NORTH PIER", "000394528768", "20/03/2018", "RECEIPT NO.:003-1220815"}).phone_number.empty());
}

TEST_CASE("what the words don't say stays empty") {
    const auto read = merchant_of({"***", "9.00"});
    CHECK(read.merchant_name.empty());
    CHECK(read.address.empty());
    CHECK(read.phone_number.empty());
    CHECK(propose_metadata({}).merchant_name.empty());
}

TEST_CASE("labels of every kind are proposed from the words alone") {
    auto scanned = printed_receipt({"NORTH LIGHTS BHD", "7 JALAN SAGU", "TEL: 07-8263254", "20/03/2018 23:12",
                                    "TEA 4.20", "BUN 3.10", "TOTAL 7.30", "CASH 10.00", "CHANGE 2.70", "THANK YOU"});
    CHECK(propose_labels(scanned) == 14);
    CHECK(labelled(scanned) ==
          std::vector<std::string>{"NORTH MERCHANT_NAME", "LIGHTS MERCHANT_NAME", "BHD MERCHANT_NAME", "7 ADDRESS_LINE",
                                   "JALAN ADDRESS_LINE", "SAGU ADDRESS_LINE", "07-8263254 PHONE_NUMBER",
                                   "20/03/2018 DATE", "23:12 TIME", "4.20 LINE_TOTAL", "3.10 LINE_TOTAL",
                                   "7.30 GRAND_TOTAL", "10.00 LINE_TOTAL", "2.70 LINE_TOTAL"});
    const auto& label = scanned.words.front().labels.front();
    CHECK(label.validation_status == "PENDING");
    CHECK(label.label_proposed_by == "rules");
    CHECK(scanned.merchant.merchant_name.empty());
}

TEST_CASE("the metadata tell better than the words") {
    auto scanned = printed_receipt({"NORTH LIGHTS", "7 JALAN SAGU", "9.00"},
                                   {.merchant_name = "LIGHTS", .canonical_merchant_name = ""});
    (void)propose_labels(scanned);
    CHECK(labelled(scanned).front() == "LIGHTS MERCHANT_NAME");
}

TEST_CASE("labels that are there stay as they are, and a second call adds none") {
    auto scanned = printed_receipt({"TEA 4.20{=LINE_TOTAL}", "TOTAL 4.20{DATE}"});
    CHECK(propose_labels(scanned) == 2);
    CHECK(labelled(scanned) ==
          std::vector<std::string>{"4.20 LINE_TOTAL", "4.20 GRAND_TOTAL", "4.20 DATE", "4.20 GRAND_TOTAL"});
    CHECK(scanned.words[1].labels.front().validation_status == "VALID");
    CHECK(propose_labels(scanned) == 0);
}

TEST_CASE("where nothing tells the total every amount is a line's") {
    auto scanned = printed_receipt({"4.20", "3.10"});
    CHECK(propose_labels(scanned) == 2);
    CHECK(labelled(scanned) == std::vector<std::string>{"4.20 LINE_TOTAL", "3.10 LINE_TOTAL"});
}

TEST_CASE("the labels of made-up receipts are ruled valid") {
    for (auto& scanned : receipts::sample_receipts{7}.make(200)) {
        scanned.merchant.address.clear(); // their house numbers are not those that are printed
        for (const auto& each : receipts::rule_validator{}(scanned)) {
            CAPTURE(scanned.words[each.word].text);
            CAPTURE(each.why);
            CHECK(each.what == receipts::ruling::valid);
        }
    }
}

TEST_CASE("what is proposed is ruled valid by the same rules") {
    for (auto& scanned : receipts::sample_receipts{7}.make(50)) {
        for (auto& word : scanned.words) { word.labels.clear(); }
        CHECK(propose_labels(scanned) != 0);
        for (const auto& each : receipts::rule_validator{}(scanned)) {
            CAPTURE(scanned.words[each.word].text);
            CAPTURE(each.why);
            CHECK(each.what == receipts::ruling::valid);
        }
    }
}

} // namespace
