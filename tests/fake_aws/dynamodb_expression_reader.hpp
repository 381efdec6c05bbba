#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <fake_aws/dynamodb_expression_node.hpp>
#include <fake_aws/dynamodb_expression_rules.hpp>
#include <fake_aws/dynamodb_expression_words.hpp>
#include <fake_aws/dynamodb_placeholders.hpp>
#include <fake_aws/dynamodb_reserved_words.hpp>
#include <fake_aws/dynamodb_values.hpp>

namespace fake_aws::ddb {

/// Reads one expression, and refuses what the service refuses without looking at an item.
///
/// Source: the DynamoDB developer guide, "Condition and filter expressions, operators, and functions", "Using update
/// expressions", "Using projection expressions" and "Limits".
class expression_reader {
public:
    expression_reader(std::string_view member, std::string_view text, placeholders& given)
        : words_{member, text}, given_{given} {}

    [[nodiscard]] auto condition() -> node {
        auto all = disjunction();
        words_.expect_end();
        if (!all.holds()) { refuse_misplaced(words_, all); }
        return all;
    }

    [[nodiscard]] auto projection() -> std::vector<attribute_path> {
        std::vector<attribute_path> paths;
        do { paths.push_back(document_path()); } while (words_.accept(","));
        words_.expect_end();
        check_overlaps(words_, paths);
        return paths;
    }

    [[nodiscard]] auto update() -> update_plan {
        update_plan plan;
        std::set<std::string, std::less<>> seen;
        while (!words_.is(word::end)) {
            const auto section = words_.in_capitals();
            static constexpr std::array<std::string_view, 4> sections{"SET", "REMOVE", "ADD", "DELETE"};
            if (std::find(sections.begin(), sections.end(), section) == sections.end()) { words_.syntax_error(); }
            if (!seen.insert(section).second) {
                words_.wrong("The \"" + section + "\" section can only be used once in an update expression;");
            }
            words_.next();
            do {
                auto where = document_path();
                if (section == "SET") {
                    words_.expect("=");
                    plan.sets.emplace_back(std::move(where), assigned());
                } else if (section == "REMOVE") {
                    plan.removes.push_back(std::move(where));
                } else {
                    auto& actions = section == "ADD" ? plan.adds : plan.deletes;
                    actions.emplace_back(std::move(where), set_operand(section));
                }
            } while (words_.accept(","));
        }
        check_overlaps(words_, plan.paths());
        return plan;
    }

private:
    using word = expression_words::token::kind;

    void count_operator() {
        if (++operators_ > 300) { words_.wrong("The expression contains too many operators; operator limit: 300"); }
    }

    [[nodiscard]] auto named_step() -> std::string {
        if (words_.is(word::name_alias)) {
            const auto* name = given_.name(words_.now().text);
            if (name == nullptr) {
                words_.wrong("An expression attribute name used in the document path is not defined; attribute name: " +
                             std::string{words_.now().text});
            }
            words_.next();
            return name->get<std::string>();
        }
        if (!words_.is(word::name)) { words_.syntax_error(); }
        const std::string name{words_.now().text};
        if (is_reserved(name)) { words_.wrong("Attribute name is a reserved keyword; reserved keyword: " + name); }
        words_.next();
        return name;
    }

    [[nodiscard]] auto document_path() -> attribute_path {
        attribute_path steps{named_step()};
        while (true) {
            if (words_.accept(".")) {
                steps.emplace_back(named_step());
            } else if (words_.accept("[")) {
                if (!words_.is(word::number) || words_.now().text.size() > 9) { words_.syntax_error(); }
                steps.emplace_back(static_cast<std::size_t>(std::stoul(std::string{words_.now().text})));
                words_.next();
                words_.expect("]");
            } else {
                return steps;
            }
        }
    }

    [[nodiscard]] auto literal() -> json {
        const auto* value = given_.value(words_.now().text);
        if (value == nullptr) {
            words_.wrong("An expression attribute value used in expression is not defined; attribute value: " +
                         std::string{words_.now().text});
        }
        words_.next();
        return *value;
    }

    [[nodiscard]] auto set_operand(const std::string& section) -> json {
        if (!words_.is(word::value_alias)) { words_.syntax_error(); }
        auto value = literal();
        count_operator();
        check_set_operand(words_, section, value);
        return value;
    }

    [[nodiscard]] auto assigned() -> node {
        auto left = operand();
        for (const auto& [mark, what] : {std::pair{"+", node::kind::sum}, std::pair{"-", node::kind::difference}}) {
            if (!words_.accept(mark)) { continue; }
            count_operator();
            auto right = operand();
            for (const auto* side : {&left, &right}) { check_type(words_, mark, *side, {"N"}); }
            return {what, mark, {}, {}, {std::move(left), std::move(right)}, false};
        }
        return left;
    }

    [[nodiscard]] auto disjunction() -> node {
        return chain("OR", node::kind::either, [this] { return conjunction(); });
    }
    [[nodiscard]] auto conjunction() -> node {
        return chain("AND", node::kind::both, [this] { return negation(); });
    }

    template <class Read>
    [[nodiscard]] auto chain(std::string_view keyword, node::kind what, Read read) -> node {
        auto left = read();
        while (words_.accept(keyword)) {
            count_operator();
            auto right = read();
            for (const auto* side : {&left, &right}) {
                if (!side->holds()) { refuse_misplaced(words_, *side); }
            }
            left = {what, std::string{keyword}, {}, {}, {std::move(left), std::move(right)}, false};
        }
        return left;
    }

    [[nodiscard]] auto negation() -> node {
        if (!words_.accept("NOT")) { return comparison(); }
        count_operator();
        auto inner = negation();
        if (!inner.holds()) { refuse_misplaced(words_, inner); }
        return {node::kind::negation, "NOT", {}, {}, {std::move(inner)}, false};
    }

    [[nodiscard]] auto comparison() -> node {
        auto left = primary();
        for (const std::string mark : {"=", "<>", "<=", "<", ">=", ">"}) {
            if (!words_.accept(mark)) { continue; }
            count_operator();
            node made{node::kind::comparison, mark, {}, {}, {std::move(left), primary()}, false};
            check_operands(words_, made);
            if (mark != "=" && mark != "<>") {
                for (const auto& part : made.parts) { check_type(words_, mark, part, {"S", "N", "B"}); }
            }
            return made;
        }
        if (words_.accept("BETWEEN")) {
            count_operator();
            node made{node::kind::between, "BETWEEN", {}, {}, {std::move(left), primary()}, false};
            words_.expect("AND");
            made.parts.push_back(primary());
            check_operands(words_, made);
            for (const auto& part : made.parts) { check_type(words_, "BETWEEN", part, {"S", "N", "B"}); }
            check_bounds(words_, made.parts[1], made.parts[2]);
            return made;
        }
        if (words_.accept("IN")) {
            count_operator();
            node made{node::kind::in, "IN", {}, {}, {std::move(left)}, false};
            words_.expect("(");
            do { made.parts.push_back(primary()); } while (words_.accept(","));
            words_.expect(")");
            if (made.parts.size() > 101) {
                words_.wrong("The IN operator is provided with too many operands; number of operands: " +
                             std::to_string(made.parts.size() - 1));
            }
            check_operands(words_, made);
            return made;
        }
        return left;
    }

    [[nodiscard]] auto primary() -> node {
        if (!words_.accept("(")) { return operand(); }
        auto inner = disjunction();
        words_.expect(")");
        if (inner.in_parentheses) { words_.wrong("The expression has redundant parentheses;"); }
        inner.in_parentheses = true;
        return inner;
    }

    [[nodiscard]] auto operand() -> node {
        if (words_.is(word::value_alias)) { return {node::kind::value, {}, {}, literal(), {}, false}; }
        if (words_.is_call()) { return call(); }
        return {node::kind::path, {}, document_path(), {}, {}, false};
    }

    [[nodiscard]] auto call() -> node {
        struct signature {
            std::string_view name;
            std::size_t operands;
            bool updates;
        };
        static constexpr std::array<signature, 8> functions{{{"attribute_exists", 1, false},
                                                             {"attribute_not_exists", 1, false},
                                                             {"attribute_type", 2, false},
                                                             {"begins_with", 2, false},
                                                             {"contains", 2, false},
                                                             {"size", 1, false},
                                                             {"if_not_exists", 2, true},
                                                             {"list_append", 2, true}}};
        node made{node::kind::call, std::string{words_.now().text}, {}, {}, {}, false};
        words_.next();
        words_.expect("(");
        do { made.parts.push_back(disjunction()); } while (words_.accept(","));
        words_.expect(")");
        count_operator();
        const auto* const found = std::find_if(functions.begin(), functions.end(),
                                               [&](const auto& function) { return function.name == made.name; });
        if (found == functions.end()) { words_.wrong("Invalid function name; function: " + made.name); }
        const bool updating = words_.member() == "UpdateExpression";
        if (found->updates != updating) {
            words_.wrong(std::string{"The function is not allowed in "} +
                         (updating                                      ? "an update"
                          : words_.member() == "KeyConditionExpression" ? "a key condition"
                          : words_.member() == "FilterExpression"       ? "a filter"
                                                                        : "a condition") +
                         " expression; function: " + made.name);
        }
        if (made.parts.size() != found->operands) {
            words_.wrong("Incorrect number of operands for operator or function; operator or function: " + made.name +
                         ", number of operands: " + std::to_string(made.parts.size()));
        }
        check_call(words_, made);
        return made;
    }

    expression_words words_;
    placeholders& given_;
    std::size_t operators_{};
};

} // namespace fake_aws::ddb
