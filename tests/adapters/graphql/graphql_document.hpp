#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace support {

/// Why a document cannot be run.
struct invalid_document {
    std::string message;
};

/// A field that is asked for, its arguments with the variables' values.
struct asked_field {
    std::string name;
    std::string alias; ///< its own name, where it has no other
    std::map<std::string, nlohmann::json> arguments{};
    std::map<std::string, std::string> types{}; ///< of the arguments that are a variable, as declared, without `!`
    std::vector<asked_field> fields{};
    std::string spread{}; ///< a fragment's name: then it is no field
};

/// The part of GraphQL that clients of a generated API speak: one operation with variables, aliases, nested fields and
/// fragments. Anything else is an `invalid_document`, and so are variables that are not declared, not used or null
/// against their type.
class graphql_document {
public:
    graphql_document(std::string_view text, const nlohmann::json& variables) : text_{text}, given_{variables} {
        kind_ = word();
        if (kind_ != "query" && kind_ != "mutation") { wrong("an operation is a query or a mutation"); }
        if (peek() != '(' && peek() != '{') { static_cast<void>(word()); }
        if (peek() == '(') { declare_all(); }
        fields_ = selection();
        while (peek() != '\0') {
            if (word() != "fragment") { wrong("only fragments follow an operation"); }
            const auto name = word();
            if (word() != "on") { wrong("a fragment is on a type"); }
            static_cast<void>(word());
            fragments_[name] = selection();
        }
        spread(fields_);
        for (const auto& [name, type] : declared_) {
            if (!used_.contains(name)) { wrong("Variable '" + name + "' is not used"); }
        }
        for (const auto& [name, value] : given_.items()) {
            if (!declared_.contains(name)) { wrong("Variable '" + name + "' is given and not declared"); }
        }
    }

    [[nodiscard]] auto kind() const -> const std::string& { return kind_; }
    [[nodiscard]] auto fields() const -> const std::vector<asked_field>& { return fields_; }

private:
    [[noreturn]] static void wrong(const std::string& how) { throw invalid_document{how}; }

    [[nodiscard]] auto peek() -> char {
        at_ = std::min(text_.find_first_not_of(" \n\t,", at_), text_.size());
        return at_ == text_.size() ? '\0' : text_[at_];
    }
    [[nodiscard]] auto accept(char c) -> bool {
        if (peek() != c) { return false; }
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) { wrong(std::string{"a '"} + c + "' is missing at " + std::to_string(at_)); }
    }
    [[nodiscard]] auto word() -> std::string {
        static_cast<void>(peek());
        const auto start = at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
            ++at_;
        }
        if (start == at_) { wrong("a name is missing at " + std::to_string(at_)); }
        return std::string{text_.substr(start, at_ - start)};
    }

    void declare_all() {
        expect('(');
        while (!accept(')')) {
            expect('$');
            const auto name = word();
            expect(':');
            declared_[name] = word();
            if (accept('!') && (!given_.contains(name) || given_[name].is_null())) {
                wrong("Variable '" + name + "' has coerced Null value for NonNull type");
            }
        }
    }

    [[nodiscard]] auto selection() -> std::vector<asked_field> {
        std::vector<asked_field> all;
        expect('{');
        while (!accept('}')) {
            asked_field one;
            if (accept('.')) {
                expect('.');
                expect('.');
                one.spread = word();
                all.push_back(std::move(one));
                continue;
            }
            one.alias = one.name = word();
            if (accept(':')) { one.name = word(); }
            if (accept('(')) {
                while (!accept(')')) {
                    const auto name = word();
                    expect(':');
                    if (peek() == '$') { one.types[name] = declared_[std::string{variable_ahead()}]; }
                    one.arguments[name] = value();
                }
            }
            if (peek() == '{') { one.fields = selection(); }
            all.push_back(std::move(one));
        }
        if (all.empty()) { wrong("a selection is empty"); }
        return all;
    }

    [[nodiscard]] auto variable_ahead() const -> std::string_view {
        const auto rest = text_.substr(at_ + 1);
        return rest.substr(0, rest.find_first_of(" ,)]}"));
    }

    [[nodiscard]] auto value() -> nlohmann::json {
        if (accept('$')) {
            const auto name = word();
            if (!declared_.contains(name)) { wrong("Variable '" + name + "' is not declared"); }
            used_.insert(name);
            return given_.contains(name) ? given_[name] : nlohmann::json{};
        }
        if (accept('[')) {
            auto list = nlohmann::json::array();
            while (!accept(']')) { list.push_back(value()); }
            return list;
        }
        if (accept('{')) {
            auto object = nlohmann::json::object();
            while (!accept('}')) {
                const auto name = word();
                expect(':');
                object[name] = value();
            }
            return object;
        }
        const auto text = word();
        if (text == "true" || text == "false") { return text == "true"; }
        if (text.find_first_not_of("0123456789") != std::string::npos) { wrong("the value " + text); }
        return std::stoi(text);
    }

    void spread(std::vector<asked_field>& fields) {
        std::vector<asked_field> all;
        for (auto& one : fields) {
            if (one.spread.empty()) {
                spread(one.fields);
                all.push_back(std::move(one));
                continue;
            }
            if (!fragments_.contains(one.spread)) { wrong("there is no fragment " + one.spread); }
            for (const auto& other : fragments_[one.spread]) { all.push_back(other); }
        }
        fields = std::move(all);
    }

    std::string_view text_;
    const nlohmann::json& given_;
    std::size_t at_{};
    std::string kind_;
    std::map<std::string, std::string> declared_;
    std::set<std::string> used_;
    std::vector<asked_field> fields_;
    std::map<std::string, std::vector<asked_field>> fragments_;
};

} // namespace support
