#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/core/parsed.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/text_arena.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/attribute_parser.hpp>
#include <freshet/item/json_scanner.hpp>

namespace freshet {

class document;

namespace detail {
[[nodiscard]] inline auto read_document(std::string text) -> parsed<document>;
} // namespace detail

/// One item that owns its bytes: DynamoDB JSON text (`{"name": {"S": "text"}, …}`) and what it says.
///
/// Views of it stay valid while it is moved, and until the document that holds it now is destroyed.
/// Starts out, and is left behind by a move, as an item without attributes.
class document {
public:
    document() = default;

    /// Reads the text of one item by the rules of the event decoder; a fault is `errc::malformed` with its offset.
    [[nodiscard]] static auto parse(std::string text) -> result<document>;

    /// The item's attributes, in the text's order.
    [[nodiscard]] auto image() const noexcept -> freshet::image { return {tape_.data(), tape_.size()}; }
    /// The DynamoDB JSON text that was read.
    [[nodiscard]] auto text() const noexcept -> std::string_view {
        return text_ ? std::string_view{*text_} : std::string_view{"{}"};
    }

private:
    friend auto detail::read_document(std::string text) -> parsed<document>;

    std::unique_ptr<const std::string> text_; // behind a pointer, because a short string moves its characters along
    text_arena decoded_;
    std::vector<detail::attribute_node> tape_;
};

inline auto detail::read_document(std::string text) -> parsed<document> {
    if (text.size() >= std::numeric_limits<std::uint32_t>::max()) { return parse_fault{0, "an item of 4 GiB or more"}; }
    document read;
    read.text_ = std::make_unique<const std::string>(std::move(text));
    scan_memory memory;
    json_scanner in{*read.text_, memory};
    attribute_parser attributes{in, read.tape_};
    if (attributes.image() && !in.at_end()) { in.fail(in.position(), "bytes behind the item"); }
    if (in.error()) { return *in.error(); }
    if (in.refusal()) { return *in.refusal(); }
    read.decoded_ = std::move(memory.decoded);
    return read;
}

inline auto document::parse(std::string text) -> result<document> {
    auto read = detail::read_document(std::move(text));
    if (!read) { return read.fault().as_error("item"); }
    return *std::move(read);
}

} // namespace freshet
