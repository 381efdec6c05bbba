#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <freshet/core/number.hpp>

// Numbers are accepted by grammar and limits alone, keep their value as JSON, and compare like their digits laid out.
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
    if (!number) {
        const auto& reason = number.fault().reason;
        const bool beyond = reason.find("too") != std::string_view::npos; // many digits, close to or far from zero
        expect(number.fault().offset <= text.size() && beyond == is_grammatical(text));
        return;
    }
    expect(is_grammatical(text));
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
