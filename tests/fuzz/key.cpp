#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <freshet/key/key_pattern.hpp>
#include <receipts/entities.hpp>

// What a pattern accepts is written back as it came, and the quick scan agrees with the rule.
namespace {

void expect(bool held) {
    if (!held) { std::abort(); }
}

template <class Pattern>
auto accepts(std::string_view key) -> bool {
    const auto fields = Pattern::parse(key);
    const auto slowly = Pattern::parse_bytewise(key);
    expect(fields.ok() == slowly.ok());

    std::array<freshet::key_slice, Pattern::field_count> quick{}, plain{};
    const bool quick_match = Pattern::template match<freshet::key_widths::padded>(key, quick.data());
    const bool match = Pattern::template match<freshet::key_widths::any>(key, plain.data());
    expect(match == fields.ok() && (match || !quick_match));
    for (std::size_t i = 0; quick_match && i < quick.size(); ++i) {
        expect(quick[i].text == plain[i].text && quick[i].text.data() == plain[i].text.data() &&
               quick[i].number == plain[i].number);
    }
    if (!fields) {
        expect(fields.fault() == slowly.fault() && fields.fault().offset <= key.size());
        return false;
    }
    expect(*fields == *slowly);
    const auto written = Pattern::format(*fields);
    expect(written.ok() && *written == key);
    return true;
}

template <class... Entities>
auto matches(freshet::key_registry<Entities...>, std::string_view partition, std::string_view sort) -> int {
    return (int{accepts<typename Entities::partition>(partition) && accepts<typename Entities::sort>(sort)} + ...);
}

} // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    const auto partition = all.substr(0, all.find('\n'));
    const auto sort = partition.size() < all.size() ? all.substr(partition.size() + 1) : std::string_view{};
    const auto match = receipts::registry::match(partition, sort);
    const int matching = matches(receipts::registry{}, partition, sort);
    expect(matching == (match.ok() ? 1 : 0));
    for (const auto& field : match.fields()) { expect(match.erased().find(field.name) == &field); }
    accepts<freshet::key_pattern<"{a}#{b:d}#{c:*}">>(sort);
    accepts<freshet::key_pattern<"{n:020d}">>(sort);
    accepts<freshet::key_pattern<"{u:uuid}{rest:*}">>(sort);
    accepts<freshet::key_pattern<"{x:03d}-{y:d}/{z:010d}">>(sort);
    return 0;
}
