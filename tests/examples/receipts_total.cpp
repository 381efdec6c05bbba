#include <receipts/receipt_total.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <support/printed_receipt.hpp>

namespace {

using receipts::find_total;
using receipts::kind_of;
using receipts::line_kind;
using receipts::name_amounts;
using receipts::read_lines;
using support::printed_receipt;

auto total_of(std::initializer_list<std::string_view> lines) -> receipts::total_candidate {
    const auto made = printed_receipt(lines);
    const auto found = find_total(read_lines(made.words));
    REQUIRE(found);
    return *found;
}

auto names(std::initializer_list<std::string_view> lines) -> std::vector<std::pair<line_kind, receipts::hundredths>> {
    const auto made = printed_receipt(lines);
    std::vector<std::pair<line_kind, receipts::hundredths>> all;
    for (const auto& each : name_amounts(read_lines(made.words))) { all.emplace_back(each.kind, each.amount); }
    return all;
}

TEST_CASE("a line's words tell what it speaks of") {
    for (const auto& told : std::initializer_list<std::pair<std::string_view, line_kind>>{
             {"TOTAL", line_kind::total},
             {"Total RM :", line_kind::total},
             {"T0TAL", line_kind::total},
             {"JUMLAH", line_kind::total},
             {"GRAND TOTAL", line_kind::final_total},
             {"TOTAL SALES (INCLUSIVE OF GST) :", line_kind::final_total},
             {"ROUNDED TOTAL (RM):", line_kind::final_total},
             {"AMOUNT DUE", line_kind::final_total},
             {"NET AMT :", line_kind::final_total},
             {"AMOUNT TO BE PAID :", line_kind::final_total},
             {"TTL ATF RND", line_kind::final_total},
             {"TOTAL AFTER ADJ INCL GST", line_kind::final_total},
             {"SUB TOTAL", line_kind::subtotal},
             {"SUB-TOTAL (EX)", line_kind::subtotal},
             {"TOTAL EXCL. OF GST", line_kind::subtotal},
             {"GROSS AMT :", line_kind::subtotal},
             {"TOTAL 6% SUPPLIES (INC. GST):", line_kind::subtotal},
             {"TOTAL TAX", line_kind::tax},
             {"GST @6% INCLUDED IN TOTAL", line_kind::tax},
             {"10% SRV CHG", line_kind::tax},
             {"ROUNDING ADJUSTMENT:", line_kind::rounding},
             {"TOTAL SAVINGS", line_kind::discount},
             {"LESS DISCOUNT:", line_kind::discount},
             {"CASH", line_kind::cash},
             {"TOTAL CASH", line_kind::cash},
             {"PAID: VISA", line_kind::cash},
             {"CHANGE DUE", line_kind::change},
             {"BAKI", line_kind::change},
             {"TOTAL QTY:", line_kind::count},
             {"TOTAL ITEM(S) : 1", line_kind::count}}) {
        CAPTURE(told.first);
        CHECK(kind_of(told.first) == told.second);
    }
}

TEST_CASE("words that only contain such a word speak of nothing") {
    for (const std::string_view line :
         {"", "***", "12.50", "CASHIER : EVA", "TENG HENG STATIONERY", "GROUND FLOOR", "STRICTLY NO CASH REFUND",
          "PAYMENT DETAILS", "GOODS ARE EXCHANGEABLE", "TASTY BAKING", "THANK YOU"}) {
        CAPTURE(line);
        CHECK(kind_of(line) == line_kind::other);
    }
}

TEST_CASE("an amount has the name on its line, or the one above it across marks and currencies") {
    CHECK(names({"TOTAL 9.00", "CASH", ":", "RM", "10.00"}) ==
          std::vector<std::pair<line_kind, receipts::hundredths>>{{line_kind::total, 900}, {line_kind::cash, 1000}});
}

TEST_CASE("columns are paired in order where they are as long as each other") {
    CHECK(names({"SUBTOTAL", "TAX", "TOTAL", "7.00", "0.42", "7.42"}) ==
          std::vector<std::pair<line_kind, receipts::hundredths>>{
              {line_kind::subtotal, 700}, {line_kind::tax, 42}, {line_kind::total, 742}});
}

TEST_CASE("columns of different lengths are paired as their amounts agree") {
    const auto all = names({"TOTAL", "CASH", "CHANGE", "5.50", "2.00", "7.50", "10.00", "2.50"});
    CHECK(all == std::vector<std::pair<line_kind, receipts::hundredths>>{
                     {line_kind::total, 750}, {line_kind::cash, 1000}, {line_kind::change, 250}});
}

TEST_CASE("columns whose amounts stand above their names are paired where they agree") {
    const auto all = names({"TEA", "5.50", "7.50", "10.00", "2.50", "TOTAL", "CASH", "CHANGE", "THANK YOU"});
    CHECK(all == std::vector<std::pair<line_kind, receipts::hundredths>>{
                     {line_kind::total, 750}, {line_kind::cash, 1000}, {line_kind::change, 250}});
}

TEST_CASE("columns that could be paired otherwise name their amounts less plainly") {
    const auto weight = [](std::initializer_list<std::string_view> lines) {
        const auto made = printed_receipt(lines);
        return name_amounts(read_lines(made.words)).front().weight;
    };
    CHECK(weight({"TOTAL", "CASH", "CHANGE", "7.50", "10.00", "2.50"}) == 1.0);
    CHECK(weight({"TOTAL", "TAX", "5.00", "0.30"}) < 1.0);
    CHECK(weight({"TOTAL", "TAX", "5.00", "0.30", "7.00"}) < weight({"TOTAL", "TAX", "5.00", "0.30"}));
}

TEST_CASE("columns longer than any receipt's take no time to speak of") {
    receipts::scanned_receipt made;
    for (std::size_t line = 0; line < 4000; ++line) {
        made.words.push_back({line, 1, line < 2000 ? "TOTAL" : std::to_string(line) + ".00"});
    }
    CHECK(name_amounts(read_lines(made.words)).size() <= 2000);
}

TEST_CASE("a line of totals names the total, against larger amounts and subtotals") {
    CHECK(total_of({"TEA 7.00", "SUBTOTAL 7.00", "TAX 0.42", "TOTAL 7.42", "CASH 50.00", "CHANGE 42.58"}).amount ==
          742);
}

TEST_CASE("of several totals the last is taken") {
    CHECK(total_of({"TEA 7.00", "TOTAL 7.42", "ROUNDING -0.02", "GRAND TOTAL 7.40"}).amount == 740);
}

TEST_CASE("a total in the summary of taxes is not the receipt's, while one that is plainly the last still is") {
    CHECK(total_of({"TOTAL 2.12", "CASH", "GST SUMMARY", "TAX 0.12", "TOTAL 2.00", "2.00"}).amount == 212);
    CHECK(total_of({"GST SUMMARY", "TAX 0.12", "TOTAL 2.00", "GRAND TOTAL 2.12"}).amount == 212);
}

TEST_CASE("cash less change is the total, where nothing names it") {
    const auto found = total_of({"TEA 4.20", "BUN 3.10", "7.30", "CASH 10.00", "CHANGE 2.70"});
    CHECK(found.amount == 730);
    CHECK(found.cash_less_change);
}

TEST_CASE("a total that cash was rounded from is borne out by cash less change") {
    const auto found = total_of({"TEA 12.37", "TOTAL 12.37", "CASH 50.00", "CHANGE 37.65"});
    CHECK(found.amount == 1237);
    CHECK(found.cash_less_change);
}

TEST_CASE("amounts that add up to a later one speak for it") {
    const auto found = total_of({"TEA 4.20", "BUN 3.10", "PIE 5.00", "12.30"});
    CHECK(found.amount == 1230);
    CHECK(found.sum);
    CHECK_FALSE(total_of({"12.30", "TEA 4.20", "BUN 3.10", "PIE 5.00"}).sum); // the sum stands ahead
}

TEST_CASE("an amount printed again speaks for itself") {
    const auto found = total_of({"9.10", "3.30", "9.10"});
    CHECK(found.amount == 910);
    CHECK(found.printed == 2);
    CHECK(found.has_evidence());
}

TEST_CASE("where nothing speaks for any amount the largest is taken, without evidence") {
    const auto found = total_of({"TEA", "4.20", "BUN", "3.10"});
    CHECK(found.amount == 420);
    CHECK_FALSE(found.has_evidence());
    CHECK(found.reasons() == "it is the largest amount");
}

TEST_CASE("a receipt without amounts has no total") {
    const auto made = printed_receipt({"TOTAL", "15"});
    CHECK_FALSE(find_total(read_lines(made.words)));
    CHECK_FALSE(find_total(read_lines({})));
}

TEST_CASE("no label tells the total, whether proposed or confirmed") {
    CHECK(total_of({"5.00{GRAND_TOTAL}", "6.00{LINE_TOTAL}", "4.00{=GRAND_TOTAL}"}).amount == 600);
}

TEST_CASE("the reasons are told in words") {
    CHECK(total_of({"TEA 9.00", "TOTAL 9.00", "CASH 10.00", "CHANGE 1.00"}).reasons() ==
          "a line of totals names it, it is cash less change, it is printed 2 times");
}

} // namespace
