#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <freshet/core/number.hpp>

// Numbers are accepted by grammar and by limits that are counted by hand, keep their value as JSON, and compare like
// their digits laid out.
namespace {

void expect(bool held) {
    if (!held) { std::abort(); }
}

auto is_grammatical(const std::string& text) -> bool {
    if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string::npos) { return false; }
    char* end = nullptr;
    static_cast<void>(std::strtod(text.c_str(), &end));
    return end == text.c_str() + text.size();
}

/// What a grammatical text holds, counted by hand.
struct counted {
    std::size_t digits{};  ///< from the first that is not zero to the last one
    long long magnitude{}; ///< the power of ten of the first of them
    [[nodiscard]] auto is_zero() const -> bool { return digits == 0; }
    [[nodiscard]] auto too_long() const -> bool { return digits > 38; }
    [[nodiscard]] auto too_small() const -> bool { return !is_zero() && magnitude < -130; }
    [[nodiscard]] auto too_large() const -> bool { return !is_zero() && magnitude > 125; }
};

auto count(const std::string& text) -> counted {
    const auto e = text.find_first_of("eE");
    const auto mantissa = text.substr(0, e);
    const auto first = mantissa.find_first_of("123456789");
    if (first == std::string::npos) { return {}; }
    const auto last = mantissa.find_last_of("123456789");
    const auto point = std::min(mantissa.find('.'), mantissa.size());
    counted made;
    made.digits = last - first + (first < point && point < last ? 0 : 1);
    made.magnitude = static_cast<long long>(point) - static_cast<long long>(first) - (first < point ? 1 : 0);
    if (e != std::string::npos) {
        const bool down = text[e + 1] == '-';
        const auto start = text.find_first_of("123456789", e);
        const auto digits = start == std::string::npos ? std::string{"0"} : text.substr(start);
        const auto exponent = digits.size() > 15 ? 1'000'000'000'000'000 : std::stoll(digits);
        made.magnitude += down ? -exponent : exponent;
    }
    return made;
}

/// All 256 decimal places that a number can reach, so that texts compare like magnitudes.
auto laid_out(const freshet::number_view& number) -> std::string {
    std::string places(126 + 130 + 38, '0');
    for (std::size_t i = 0; i < number.digits(); ++i) {
        places[static_cast<std::size_t>(125 - number.magnitude) + i] = number.digit(i);
    }
    return places;
}

auto sign_of(std::strong_ordering order) -> int { return order < 0 ? -1 : order > 0 ? 1 : 0; }

auto reference(const freshet::number_view& a, const freshet::number_view& b) -> int {
    const auto sign = [](const freshet::number_view& n) { return n.is_zero() ? 0 : n.negative ? -1 : 1; };
    if (sign(a) != sign(b)) { return sign(a) < sign(b) ? -1 : 1; }
    const auto order = laid_out(a).compare(laid_out(b));
    return (order < 0 ? -1 : order > 0 ? 1 : 0) * (sign(a) < 0 ? -1 : 1);
}

void check(const std::string& text) {
    const auto number = freshet::parse_number(text);
    expect(freshet::check_number(text).has_value() == !number.ok());
    const bool grammatical = is_grammatical(text);
    const auto held = grammatical ? count(text) : counted{};
    const bool beyond = held.too_long() || held.too_small() || held.too_large();
    expect(number.ok() == (grammatical && !beyond));
    if (!number) {
        const auto says = [&](std::string_view word) {
            return number.fault().reason.find(word) != std::string_view::npos;
        };
        expect(number.fault().offset <= text.size());
        expect(says("too many") == held.too_long());
        expect(says("too close") == (held.too_small() && !held.too_long()));
        expect(says("too far") == (held.too_large() && !held.too_long()));
        return;
    }
    expect(number->digits() == held.digits && number->magnitude == held.magnitude);
    std::string json(text.size() + 1, '\0');
    json.resize(static_cast<std::size_t>(freshet::write_json_number(json.data(), text) - json.data()));
    expect(nlohmann::json::accept(json));
    const auto again = freshet::parse_number(json);
    expect(again.ok() && compare(*number, *again) == 0 && again->negative == number->negative);
    std::string twice(json.size() + 1, '\0');
    twice.resize(static_cast<std::size_t>(freshet::write_json_number(twice.data(), json) - twice.data()));
    expect(twice == json);
}

} // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string all{reinterpret_cast<const char*>(data), size};
    const auto one = all.substr(0, all.find(' '));
    const auto other = one.size() < all.size() ? all.substr(one.size() + 1) : std::string{"1"};
    check(one), check(other);
    const auto a = freshet::parse_number(one);
    const auto b = freshet::parse_number(other);
    if (!a || !b) { return 0; }
    expect(sign_of(compare(*a, *b)) == reference(*a, *b) && sign_of(compare(*b, *a)) == -reference(*a, *b));
    return 0;
}
