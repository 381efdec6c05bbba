#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace freshet {

/// The ten types of a DynamoDB attribute value; an attribute has exactly one.
enum class attribute_type : std::uint8_t {
    string,
    number,
    binary,
    boolean,
    null,
    list,
    map,
    string_set,
    number_set,
    binary_set
};

/// The type's descriptor in DynamoDB JSON: `S`, `N`, `B`, `BOOL`, `NULL`, `L`, `M`, `SS`, `NS`, `BS`.
[[nodiscard]] constexpr auto descriptor_of(attribute_type type) noexcept -> std::string_view {
    constexpr std::string_view names[]{"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"};
    return names[static_cast<std::size_t>(type)];
}

namespace detail {

/// One value on the decoder's tape; the values inside it follow it directly, depth first.
struct attribute_node {
    std::string_view name{};  // decoded; empty inside lists and sets
    std::string_view token{}; // the value's JSON text without its descriptor; empty if it was made, not read
    std::string_view text{};  // decoded characters of S, N, B and of set elements
    std::uint32_t inner{};    // how many nodes follow that belong to this one
    attribute_type type{};
    bool plain_name{true};    // the name needs no escapes in JSON
    bool top{};               // stands directly in an image
};

} // namespace detail

/// A view of one attribute value, with its name where it stands in an image or a map.
///
/// Small and copied freely; lives as long as what decoded it says (until the next `decode`).
class attribute {
public:
    explicit constexpr attribute(const detail::attribute_node& node) noexcept : node_{&node} {}

    [[nodiscard]] constexpr auto name() const noexcept -> std::string_view { return node_->name; }
    [[nodiscard]] constexpr auto type() const noexcept -> attribute_type { return node_->type; }
    /// Decoded characters: a string's UTF-8, a number's own digits, a binary's base64; empty for other types.
    [[nodiscard]] constexpr auto text() const noexcept -> std::string_view { return node_->text; }
    /// The value of a BOOL; false for other types.
    [[nodiscard]] constexpr auto boolean() const noexcept -> bool {
        return node_->type == attribute_type::boolean && node_->token == "true";
    }
    /// The value's JSON text as it stands in the event, without its descriptor.
    [[nodiscard]] constexpr auto token() const noexcept -> std::string_view { return node_->token; }

    class iterator;
    /// The values inside a list, map or set, in the event's order.
    [[nodiscard]] constexpr auto begin() const noexcept -> iterator;
    [[nodiscard]] constexpr auto end() const noexcept -> iterator;

    [[nodiscard]] constexpr auto node() const noexcept -> const detail::attribute_node& { return *node_; }

private:
    const detail::attribute_node* node_;
};

/// Steps over values that stand side by side.
class attribute::iterator {
public:
    using iterator_category = std::forward_iterator_tag;
    using iterator_concept = std::forward_iterator_tag;
    using value_type = attribute;
    using difference_type = std::ptrdiff_t;
    using reference = attribute;
    using pointer = void;

    constexpr iterator() = default;
    explicit constexpr iterator(const detail::attribute_node* at) noexcept : at_{at} {}
    [[nodiscard]] constexpr auto operator*() const noexcept -> attribute { return attribute{*at_}; }
    constexpr auto operator++() noexcept -> iterator& { return at_ += 1 + at_->inner, *this; }
    constexpr auto operator++(int) noexcept -> iterator {
        const auto before = *this;
        ++*this;
        return before;
    }
    friend constexpr auto operator==(const iterator&, const iterator&) noexcept -> bool = default;

private:
    const detail::attribute_node* at_{};
};

constexpr auto attribute::begin() const noexcept -> iterator { return iterator{node_ + 1}; }
constexpr auto attribute::end() const noexcept -> iterator { return iterator{node_ + 1 + node_->inner}; }

/// A view of an item's attributes, in the event's order; no name stands twice.
class image {
public:
    constexpr image() = default;
    constexpr image(const detail::attribute_node* first, std::size_t nodes) noexcept
        : first_{first}, last_{first + nodes} {}

    [[nodiscard]] constexpr auto begin() const noexcept -> attribute::iterator { return attribute::iterator{first_}; }
    [[nodiscard]] constexpr auto end() const noexcept -> attribute::iterator { return attribute::iterator{last_}; }
    [[nodiscard]] constexpr auto empty() const noexcept -> bool { return first_ == last_; }

    /// The attribute called `name`, or nothing. Name the answer before a loop over what is inside it:
    /// `for (auto e : *item.find("x"))` would walk an attribute that is gone before the first step.
    [[nodiscard]] constexpr auto find(std::string_view name) const noexcept -> std::optional<attribute> {
        std::uint32_t anywhere = 0;
        return find(name, anywhere);
    }
    /// The same, looking first at the tape position `hint`, where an image of the same shape had it; updates `hint`.
    [[nodiscard]] constexpr auto find(std::string_view name, std::uint32_t& hint) const noexcept
        -> std::optional<attribute> {
        if (hint < static_cast<std::size_t>(last_ - first_) && first_[hint].top && first_[hint].name == name) {
            return attribute{first_[hint]};
        }
        for (const auto* at = first_; at != last_; at += 1 + at->inner) {
            if (at->name == name) {
                hint = static_cast<std::uint32_t>(at - first_);
                return attribute{*at};
            }
        }
        return std::nullopt;
    }

private:
    const detail::attribute_node* first_{};
    const detail::attribute_node* last_{};
};

} // namespace freshet
