#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace freshet {

/// A key as an event shows it: text as it is, a whole number in decimal, anything else as nothing. Views the key.
template <class Key>
class key_text {
public:
    explicit key_text(const Key& key) {
        if constexpr (std::convertible_to<const Key&, std::string_view>) {
            view_ = key;
        } else if constexpr (std::integral<Key> && !std::same_as<Key, bool>) {
            const auto end = std::to_chars(digits_, digits_ + sizeof digits_, key).ptr;
            view_ = {digits_, static_cast<std::size_t>(end - digits_)};
        }
    }
    key_text(const key_text&) = delete;
    auto operator=(const key_text&) -> key_text& = delete;

    [[nodiscard]] auto view() const noexcept -> std::string_view { return view_; }

private:
    char digits_[24]{};
    std::string_view view_;
};

} // namespace freshet
