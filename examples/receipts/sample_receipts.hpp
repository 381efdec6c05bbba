#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <freshet/work/random_source.hpp>
#include <receipts/items.hpp>

namespace receipts {

/// Makes up receipts; the same seed gives the same ones.
class sample_receipts {
public:
    explicit sample_receipts(std::uint64_t seed = 1) : random_{seed} {}

    [[nodiscard]] auto make(std::size_t count) -> std::vector<scanned_receipt> {
        std::vector<scanned_receipt> made;
        for (std::size_t i = 0; i < count; ++i) { made.push_back(one(i)); }
        return made;
    }

private:
    static constexpr std::array<std::string_view, 8> merchants{
        "Harbour Tea House", "Café \"Zum Anker\"", "North Pier Books",  "Günther & Söhne",
        "Kedai Runcit Seri", "茶房 みなと",        "O'Leary's \\ Sons", "Zażółć Gęślą 🧾"};
    static constexpr std::array<std::string_view, 10> goods{"TEA",       "Brötchen", "BOOK", "抹茶", "KOPI-O",
                                                            "\"SET A\"", "ROTI",     "Käse", "PEN",  "RICE 5KG"};

    [[nodiscard]] auto below(std::size_t bound) -> std::size_t { return random_() % bound; }
    template <class Choices>
    [[nodiscard]] auto any_of(const Choices& choices) -> std::string {
        return std::string{choices[below(choices.size())]};
    }

    [[nodiscard]] auto one(std::size_t number) -> scanned_receipt {
        scanned_receipt made;
        const auto high = static_cast<std::uint32_t>(random_()); // one call a statement: the compiler orders arguments
        const auto low = random_();
        made.image_id = fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high, number & 0xffffU,
                                    (number >> 16U) & 0xfffU, low >> 52U, low & 0xffffffffffffU);
        made.receipt_id = number % 3 + 1;
        const auto merchant = any_of(merchants);
        made.merchant = {.merchant_name = merchant, .canonical_merchant_name = merchant};
        made.merchant.address = fmt::format("{} Quay Street", below(90) + 1);
        if (below(3) != 0) { made.merchant.phone_number = fmt::format("03-{:07}", below(10'000'000)); }

        line(made, {merchant}, "MERCHANT_NAME");
        line(made, {fmt::format("{}", below(90) + 1), "Quay", "Street"}, "ADDRESS_LINE");
        line(made, {fmt::format("2025-01-{:02}", below(28) + 1)}, "DATE");
        std::size_t total = 0;
        for (auto lines = below(6) + 2; lines != 0; --lines) {
            const auto price = below(10'000) + 5;
            total += price;
            const auto good = any_of(goods);
            line(made, {good, "x1", money(price)}, {}, "LINE_TOTAL");
        }
        line(made, {"TOTAL", money(total)}, {}, "GRAND_TOTAL");
        line(made, {"Thank", "you"}, {});
        return made;
    }

    [[nodiscard]] static auto money(std::size_t cents) -> std::string {
        return fmt::format("{}.{:02}", cents / 100, cents % 100);
    }

    /// One more line of these words; all of them get the first label, the last one the second.
    void line(scanned_receipt& to, const std::vector<std::string>& texts, std::string_view each,
              std::string_view last = {}) {
        const auto line_id = to.words.empty() ? 1 : to.words.back().line_id + 1;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            scanned_word word{line_id, i + 1, texts[i]};
            const auto label = !each.empty() ? each : i + 1 == texts.size() ? last : std::string_view{};
            if (!label.empty()) {
                word.labels.push_back({std::string{label}, below(3) == 0 ? "VALID" : "PENDING", "rules",
                                       label == "GRAND_TOTAL" && below(3) == 0 ? "AMOUNT" : ""});
            }
            to.words.push_back(std::move(word));
        }
    }

    freshet::random_source random_;
};

} // namespace receipts
