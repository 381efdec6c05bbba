#pragma once

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

#include <fake_aws/dynamodb_refusal.hpp>

namespace fake_aws::ddb {

/// The words of one expression, one after the other.
class expression_words {
public:
    struct token {
        enum class kind { end, name, name_alias, value_alias, number, mark };
        kind what{};
        std::string_view text{};
    };

    /// `member` is the request's member that holds the expression.
    expression_words(std::string_view member, std::string_view text) : member_{member}, text_{text} {
        if (text.empty()) { wrong("The expression can not be empty;"); }
        if (text.size() > 4'096) {
            wrong("Expression size has exceeded the maximum allowed size; expression size: " +
                  std::to_string(text.size()));
        }
        next();
    }

    [[nodiscard]] auto member() const -> std::string_view { return member_; }
    [[nodiscard]] auto now() const -> const token& { return token_; }
    [[nodiscard]] auto is(token::kind what) const -> bool { return token_.what == what; }

    void next() {
        skip_blanks();
        const auto from = at_;
        const auto take_while = [&](auto belongs) {
            while (at_ < text_.size() && belongs(static_cast<unsigned char>(text_[at_]))) { ++at_; }
        };
        const auto word = [](unsigned char c) { return c < 128 && (std::isalnum(c) != 0 || c == '_'); };
        using kind = token::kind;
        kind what = kind::end;
        if (at_ < text_.size()) {
            const auto first = static_cast<unsigned char>(text_[at_++]);
            if (first == '#' || first == ':') {
                what = first == '#' ? kind::name_alias : kind::value_alias;
                take_while(word);
                if (at_ == from + 1) { what = kind::mark; }
            } else if (first < 128 && std::isalpha(first) != 0) {
                what = kind::name;
                take_while(word);
            } else if (first < 128 && std::isdigit(first) != 0) {
                what = kind::number;
                take_while([](unsigned char c) { return c < 128 && std::isdigit(c) != 0; });
            } else {
                what = kind::mark;
                const auto two = text_.substr(from, 2);
                if (two == "<>" || two == "<=" || two == ">=") { ++at_; }
            }
        }
        before_ = from_;
        from_ = from;
        token_ = {what, text_.substr(from, at_ - from)};
        skip_blanks();
    }

    /// Whether the word before which an opening parenthesis stands is the name of a function.
    [[nodiscard]] auto is_call() const -> bool {
        return is(token::kind::name) && at_ < text_.size() && text_[at_] == '(';
    }

    /// Steps over a mark or a keyword (which is given in capitals), if it is there.
    [[nodiscard]] auto accept(std::string_view mark) -> bool {
        const bool keyword = std::isalpha(static_cast<unsigned char>(mark[0])) != 0;
        if (keyword ? !is(token::kind::name) || in_capitals() != mark : !is(token::kind::mark) || token_.text != mark) {
            return false;
        }
        next();
        return true;
    }
    void expect(std::string_view mark) {
        if (!accept(mark)) { syntax_error(); }
    }
    void expect_end() const {
        if (!is(token::kind::end)) { syntax_error(); }
    }
    [[nodiscard]] auto in_capitals() const -> std::string {
        std::string text{token_.text};
        for (char& c : text) { c = static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }
        return text;
    }

    [[noreturn]] void wrong(std::string_view message) const {
        refuse_invalid("Invalid " + std::string{member_} + ": " + std::string{message});
    }
    [[noreturn]] void syntax_error() const {
        const std::string shown = is(token::kind::end) ? "<EOF>" : std::string{token_.text};
        const auto near = text_.substr(before_, from_ + token_.text.size() - before_);
        wrong("Syntax error; token: \"" + shown + "\", near: \"" + std::string{near} + "\"");
    }

private:
    void skip_blanks() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) { ++at_; }
    }

    std::string_view member_;
    std::string_view text_;
    std::size_t at_{};
    token token_{};
    std::size_t from_{};   // where the word begins
    std::size_t before_{}; // where the one before it began
};

} // namespace fake_aws::ddb
