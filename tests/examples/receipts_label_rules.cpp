#include <receipts/label_rules.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/work/random_source.hpp>
#include <receipts/metadata_rules.hpp>
#include <receipts/proposals.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/cases.hpp>
#include <support/printed_receipt.hpp>

namespace {

using receipts::rule_validator;
using receipts::ruling;
using receipts::scanned_merchant;
using support::printed_receipt;

const scanned_merchant harbour{.merchant_name = "HARBOUR TEA HOUSE SDN BHD",
                               .canonical_merchant_name = "Harbour Tea House",
                               .address = "NO.12 & 14, JALAN SAGU 1/9, TAMAN DAYA, 81100 KLANG, SELANGOR.",
                               .phone_number = "03-3271 9872"};

/// What is ruled on the only label of these lines.
auto ruled(std::initializer_list<std::string_view> lines, const scanned_merchant& merchant = harbour)
    -> receipts::label_ruling {
    const auto rulings = rule_validator{}(printed_receipt(lines, merchant));
    REQUIRE(rulings.size() == 1);
    CHECK_FALSE(rulings[0].why.empty());
    return rulings[0];
}

auto verdict(std::initializer_list<std::string_view> lines, const scanned_merchant& merchant = harbour) -> ruling {
    return ruled(lines, merchant).what;
}

TEST_CASE("GRAND_TOTAL: valid on every print of the total, invalid on other amounts") {
    const auto scanned = printed_receipt({"TEA 4.20{GRAND_TOTAL}", "BUN 3.10", "SUBTOTAL 7.30{GRAND_TOTAL}",
                                          "TOTAL RM7.30{GRAND_TOTAL}", "CASH 10.00{GRAND_TOTAL}", "CHANGE 2.70"});
    const auto rulings = rule_validator{}(scanned);
    REQUIRE(rulings.size() == 4);
    CHECK(rulings[0].what == ruling::invalid);
    CHECK(rulings[0].why ==
          "the total is 7.30: a line of totals names it, it is cash less change, amounts above it add "
          "up to it, it is printed 2 times");
    CHECK(rulings[1].what == ruling::valid);
    CHECK(rulings[2].what == ruling::valid);
    CHECK(rulings[3].what == ruling::invalid);
}

TEST_CASE("GRAND_TOTAL: invalid on what is no amount") {
    CHECK(verdict({"TOTAL{GRAND_TOTAL} 9.00"}) == ruling::invalid);
    CHECK(verdict({"GST 6.00%{GRAND_TOTAL}", "TOTAL 9.00"}) == ruling::invalid);
    CHECK(verdict({"20/03/2018{GRAND_TOTAL}", "TOTAL 9.00"}) == ruling::invalid);
}

TEST_CASE("GRAND_TOTAL: a decimal comma is no slip away from the total") {
    CHECK(verdict({"TOTAL 9.00", "CASH 9,00{GRAND_TOTAL}"}) == ruling::valid);
    CHECK(verdict({"TOTAL 9.00", "GST 9.00%{GRAND_TOTAL}"}) == ruling::invalid);
}

TEST_CASE("GRAND_TOTAL: undecided where nothing tells which amount is the total, and where none is printed") {
    CHECK(verdict({"TEA 4.20{GRAND_TOTAL}", "BUN", "3.10"}) == ruling::undecided);
    CHECK(verdict({"TOTAL 15{GRAND_TOTAL}"}) == ruling::undecided);
}

TEST_CASE("LINE_TOTAL: valid on amounts, unit prices and rates") {
    for (const std::string_view word : {"9.00", "-0.01", "@12.00", "6.00%", "74065001@2.33", "12,50", "[1.50]"}) {
        CAPTURE(word);
        CHECK(verdict({"TEA " + std::string{word} + "{LINE_TOTAL}"}) == ruling::valid);
    }
}

TEST_CASE("LINE_TOTAL: invalid on words, dates, times and codes; undecided on a short whole number") {
    for (const std::string_view word : {"TEA", "20/03/2018", "11.02.18", "10.00.53PM", "9556939040116"}) {
        CAPTURE(word);
        CHECK(verdict({"TEA " + std::string{word} + "{LINE_TOTAL}"}) == ruling::invalid);
    }
    CHECK(verdict({"TEA 15{LINE_TOTAL}"}) == ruling::undecided);
}

TEST_CASE("DATE: valid on a date, whole or in several words; invalid on the rest") {
    CHECK(verdict({"DATE: 20/03/2018{DATE}"}) == ruling::valid);
    CHECK(verdict({"CLOSED 24{DATE} MAR 18 09:12 PM"}) == ruling::valid);
    CHECK(verdict({"CLOSED 24 MAR{DATE} 18 09:12 PM"}) == ruling::valid);
    CHECK(verdict({"CLOSED 24 MAR 18{DATE} 09:12 PM"}) == ruling::valid);
    CHECK(verdict({"TABLE{DATE} 24 MAR 18"}) == ruling::invalid);
    CHECK(verdict({"TOTAL{DATE} 9.00"}) == ruling::invalid);
    CHECK(verdict({"TOTAL 9.00{DATE}"}) == ruling::invalid);
}

TEST_CASE("TIME: valid on a time and on the half of the day behind it; invalid on the rest") {
    CHECK(verdict({"20/03/2018 09:12{TIME} PM"}) == ruling::valid);
    CHECK(verdict({"20/03/2018 09:12 PM{TIME}"}) == ruling::valid);
    CHECK(verdict({"20/03/2018 6{TIME} PM"}) == ruling::valid);
    CHECK(verdict({"PM{TIME} 20/03/2018"}) == ruling::invalid);
    CHECK(verdict({"TOTAL 9.00{TIME}"}) == ruling::invalid);
}

TEST_CASE("PHONE_NUMBER: valid on the merchant's number, or a part of it, wherever it stands") {
    CHECK(verdict({"CALL 03-32719872{PHONE_NUMBER}"}) == ruling::valid);
    CHECK(verdict({"GST 9872{PHONE_NUMBER}"}) == ruling::valid);
}

TEST_CASE("PHONE_NUMBER: valid on what is written like one, also in several words") {
    CHECK(verdict({"TEL: 07-8263254{PHONE_NUMBER}"}) == ruling::valid);
    CHECK(verdict({"TEL: 012{PHONE_NUMBER} - 6651783"}) == ruling::valid);
    CHECK(verdict({"07-8263254{PHONE_NUMBER}"}, {}) == ruling::valid);
}

TEST_CASE("PHONE_NUMBER: invalid on numbers that the line calls something else, and on words, dates and amounts") {
    CHECK(verdict({"GST NO : 001509584640{PHONE_NUMBER}"}) == ruling::invalid);
    CHECK(verdict({"INVOICE NO: 22497001{PHONE_NUMBER}"}) == ruling::invalid);
    CHECK(verdict({"TEL: NONE{PHONE_NUMBER}"}) == ruling::invalid);
    CHECK(verdict({"20/03/2018{PHONE_NUMBER}"}) == ruling::invalid);
    CHECK(verdict({"1250.00{PHONE_NUMBER}"}) == ruling::invalid);
}

TEST_CASE("MERCHANT_NAME: valid on words of the metadata's name, with slips, joined or short") {
    for (const std::string_view word : {"HARBOUR", "Harbour", "HARB0UR", "HARBOURTEA", "TEA", "SDN", "(BHD)"}) {
        CAPTURE(word);
        CHECK(verdict({std::string{word} + "{MERCHANT_NAME}"}) == ruling::valid);
    }
    CHECK(verdict({"&{MERCHANT_NAME}"}, {.merchant_name = "A & B", .canonical_merchant_name = ""}) == ruling::valid);
}

TEST_CASE("MERCHANT_NAME: invalid on amounts, dates and times, and on words below the header") {
    CHECK(verdict({"9.00{MERCHANT_NAME}"}) == ruling::invalid);
    CHECK(verdict({"20/03/2018{MERCHANT_NAME}"}) == ruling::invalid);
    CHECK(verdict({"23:12{MERCHANT_NAME}"}) == ruling::invalid);
    CHECK(verdict({"HARBOUR", "12 JALAN SAGU", "TEA 9.00", "PLEASE{MERCHANT_NAME} COME AGAIN"}) == ruling::invalid);
}

TEST_CASE("MERCHANT_NAME: a header word that the metadata's name lacks is invalid where that name is printed") {
    CHECK(verdict({"HARBOUR TEA HOUSE", "NICOLE{MERCHANT_NAME}", "12 JALAN SAGU"}) == ruling::invalid);
}

TEST_CASE("MERCHANT_NAME: a header word is valid by its place where the metadata have no name or another one") {
    CHECK(verdict({"NORTH{MERCHANT_NAME} PIER", "12 JALAN SAGU"}, {}) == ruling::valid);
    CHECK(verdict({"NORTH{MERCHANT_NAME} PIER", "12 JALAN SAGU"}) == ruling::valid);
    CHECK(verdict({"**{MERCHANT_NAME} PIER", "12 JALAN SAGU"}, {}) == ruling::undecided);
}

TEST_CASE("ADDRESS_LINE: valid on words of the metadata's address, with slips, joined or short") {
    for (const std::string_view word : {"JALAN", "NO.12", "81100", "8l100", "KLAMG,", "TAMANDAYA", "1/9,", "&", "9"}) {
        CAPTURE(word);
        CHECK(verdict({std::string{word} + "{ADDRESS_LINE}"}) == ruling::valid);
    }
}

TEST_CASE("ADDRESS_LINE: invalid on amounts, dates and times, and on words outside the address") {
    CHECK(verdict({"9.00{ADDRESS_LINE}"}) == ruling::invalid);
    CHECK(verdict({"20/03/2018{ADDRESS_LINE}"}) == ruling::invalid);
    CHECK(verdict({"HARBOUR", "12 JALAN SAGU", "THANK{ADDRESS_LINE} YOU"}) == ruling::invalid);
    CHECK(verdict({"A{ADDRESS_LINE} B"}) == ruling::invalid); // a letter of many words there, and no word of it
}

TEST_CASE("ADDRESS_LINE: a word of the printed address is valid by its place where the metadata have none or another") {
    CHECK(verdict({"NORTH PIER", "7 QUAY{ADDRESS_LINE} STREET", "50490 LUMUT"}, {}) == ruling::valid);
    CHECK(verdict({"NORTH PIER", "7 QUAY STREET", "50490 LUMUT{ADDRESS_LINE}"}) == ruling::valid);
    CHECK(verdict({"NO.12 & 14, JALAN SAGU 1/9,", "OPPOSITE{ADDRESS_LINE} LOT 5",
                   "TAMAN DAYA, 81100 KLANG, SELANGOR."}) == ruling::invalid);
}

TEST_CASE("a label of a kind that no rule knows is undecided") {
    const auto unknown = ruled({"TEA{PRODUCT_NAME}"});
    CHECK(unknown.what == ruling::undecided);
    CHECK(unknown.why == "there is no rule for PRODUCT_NAME");
}

TEST_CASE("every label of a receipt is ruled on, in the order of its words") {
    const auto scanned =
        printed_receipt({"HARBOUR{MERCHANT_NAME}{ADDRESS_LINE} TEA{MERCHANT_NAME}", "9.00{LINE_TOTAL}"});
    const auto rulings = rule_validator{}(scanned);
    REQUIRE(rulings.size() == 4);
    CHECK(std::pair{rulings[1].word, rulings[1].label} == std::pair<std::size_t, std::size_t>{0, 1});
    CHECK(std::pair{rulings[3].word, rulings[3].label} == std::pair<std::size_t, std::size_t>{2, 0});
    CHECK(rule_validator{}(printed_receipt({})).empty());
}

TEST_CASE("a confirmed label is no evidence, neither for others nor for itself") {
    const auto rulings = rule_validator{}(printed_receipt({"TEA 8.00{GRAND_TOTAL}", "BUN 9.00{=GRAND_TOTAL}"}));
    REQUIRE(rulings.size() == 2);
    CHECK(rulings[0].what == ruling::undecided);
    CHECK(rulings[1].what == ruling::undecided);
    CHECK(verdict({"TOTAL{=DATE} 9.00"}) == ruling::invalid);
}

TEST_CASE("whatever is printed, every label gets one ruling and a reason") {
    constexpr std::array<std::string_view, 7> kinds{"GRAND_TOTAL",  "LINE_TOTAL",    "DATE",        "TIME",
                                                    "PHONE_NUMBER", "MERCHANT_NAME", "ADDRESS_LINE"};
    constexpr std::array<std::string_view, 16> parts{"TOTAL", "CASH", "CHANGE", "9.00", "1,0", "0",   "O",    "l",
                                                     ".",     ",",    "/",      ":",    "%",   "JAN", "\xc3", "TEL"};
    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    for (auto left = support::cases(300); left != 0; --left) {
        receipts::scanned_receipt made{.image_id = "a", .merchant = random() % 2 == 0 ? harbour : scanned_merchant{}};
        std::size_t labels = 0;
        for (auto words = random() % 30; words != 0; --words) {
            receipts::scanned_word word{made.words.size() / (random() % 4 + 1), words, ""};
            for (auto size = random() % 6; size != 0; --size) { word.text += parts[random() % parts.size()]; }
            for (const auto kind : kinds) { word.labels.push_back({.label = std::string{kind}}); }
            labels += word.labels.size();
            made.words.push_back(std::move(word));
        }
        const auto rulings = rule_validator{}(made);
        CHECK(rulings.size() == labels);
        CHECK(std::none_of(rulings.begin(), rulings.end(), [](const auto& each) { return each.why.empty(); }));
        (void)receipts::metadata_validator{}(made);
        (void)receipts::propose_labels(made);
    }
}

TEST_CASE("the rulings are the same whatever the statuses") {
    const auto pending = rule_validator{}(printed_receipt({"TEA 7.00{LINE_TOTAL}", "TOTAL 7.00{GRAND_TOTAL}"}));
    const auto valid = rule_validator{}(printed_receipt({"TEA 7.00{=LINE_TOTAL}", "TOTAL 7.00{=GRAND_TOTAL}"}));
    REQUIRE(pending.size() == valid.size());
    for (std::size_t i = 0; i < pending.size(); ++i) {
        CHECK(pending[i].what == valid[i].what);
        CHECK(pending[i].why == valid[i].why);
    }
}

/// Checks that the labels of a receipt are ruled on alike before and after others are proposed, and gives how many are.
auto proposed_beside(receipts::scanned_receipt scanned) -> std::size_t {
    const auto before = rule_validator{}(scanned);
    const auto added = receipts::propose_labels(scanned);
    const auto after = rule_validator{}(scanned);
    CHECK(after.size() == before.size() + added);
    for (const auto& each : before) {
        CAPTURE(scanned.words[each.word].text);
        const auto again = std::find_if(after.begin(), after.end(), [&each](const receipts::label_ruling& other) {
            return other.word == each.word && other.label == each.label;
        });
        REQUIRE(again != after.end());
        CHECK(again->what == each.what);
        CHECK(again->why == each.why);
    }
    return added;
}

TEST_CASE("labels that are proposed later change no ruling") {
    // The text speaks for another amount, which is then proposed.
    CHECK(proposed_beside(printed_receipt({"TEA 4.45{GRAND_TOTAL}", "CASH 5.00"})) == 2);
    CHECK(proposed_beside(printed_receipt({"TEA 9.00", "TOTAL 9.00", "GRAND TOTAL 8.95{=GRAND_TOTAL}"})) == 3);

    CAPTURE(support::seed());
    freshet::random_source random{support::seed()};
    std::size_t added = 0;
    for (auto& scanned : receipts::sample_receipts{support::seed()}.make(support::cases(100))) {
        for (auto& word : scanned.words) {
            switch (random() % 4) {
                case 0: word.labels.clear(); break;
                case 1: word.labels = {{.label = "GRAND_TOTAL"}}; break;
                case 2: word.labels = {{.label = "LINE_TOTAL", .validation_status = "VALID"}}; break;
                default: break;
            }
        }
        added += proposed_beside(scanned);
    }
    CHECK(added != 0);
}

} // namespace
