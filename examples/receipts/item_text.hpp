#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/json_string.hpp>

namespace receipts {

/// Writes the text of an item, attribute by attribute: `item_text{}.text("PK", "IMAGE#7").null("phone").read()`.
class item_text {
public:
    auto text(std::string_view name, std::string_view value) -> item_text& {
        begin(name, "S");
        freshet::detail::append_json_string(text_, value);
        return end();
    }
    auto number(std::string_view name, std::string_view digits) -> item_text& {
        begin(name, "N");
        freshet::detail::append_json_string(text_, digits);
        return end();
    }
    auto null(std::string_view name) -> item_text& {
        begin(name, "NULL");
        text_ += "true";
        return end();
    }
    /// The text, or NULL where it is empty: so the table tells what is not known.
    auto text_or_null(std::string_view name, std::string_view value) -> item_text& {
        return value.empty() ? null(name) : text(name, value);
    }
    auto texts(std::string_view name, std::initializer_list<std::string_view> values) -> item_text& {
        return text_set(name, values);
    }
    /// A set has at least one text.
    auto texts(std::string_view name, std::span<const std::string> values) -> item_text& {
        return text_set(name, values);
    }

    /// What was written so far, as an item; fails where a text is no UTF-8 or a name stands twice.
    [[nodiscard]] auto read() const -> freshet::result<freshet::document> {
        return freshet::document::parse(text_.empty() ? "{}" : text_ + '}');
    }

private:
    void begin(std::string_view name, std::string_view type) {
        text_ += text_.empty() ? '{' : ',';
        freshet::detail::append_json_string(text_, name);
        text_.append(":{\"").append(type).append("\":");
    }
    auto end() -> item_text& {
        text_ += '}';
        return *this;
    }
    template <class Texts>
    auto text_set(std::string_view name, const Texts& values) -> item_text& {
        begin(name, "SS");
        for (char before = '['; const auto& value : values) {
            text_ += std::exchange(before, ',');
            freshet::detail::append_json_string(text_, value);
        }
        text_ += ']';
        return end();
    }

    std::string text_;
};

} // namespace receipts
