#include <fake_aws/dynamodb_expressions.hpp>

#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "asked_dynamodb.hpp"

namespace {

using nlohmann::json;
using support::asked_dynamodb;
using support::has;
using support::quoted;

/// The values that the expressions of these tests name, each where it is named.
const std::string all_values = R"({':one': {'N': '1'}, ':onep': {'N': '1.0'}, ':two': {'N': '2'}, ':ten': {'N': '10'},
    ':big': {'N': '99999999999999999999999999999999999999'}, ':a': {'S': 'a'}, ':abc': {'S': 'abc'},
    ':bc': {'S': 'bc'}, ':empty': {'S': ''}, ':b': {'B': 'YWI='}, ':yes': {'BOOL': true},
    ':null': {'NULL': true}, ':l': {'L': [{'N': '1'}]}, ':none': {'L': []},
    ':m': {'M': {'x': {'N': '1.0'}}}, ':ss': {'SS': ['b', 'a']}, ':ns': {'NS': ['2.0', '1']},
    ':sx': {'SS': ['x']}, ':ac': {'SS': ['a', 'c']}, ':n1': {'NS': ['1']}, ':bs': {'BS': ['YWI=']},
    ':S': {'S': 'S'}, ':L': {'S': 'L'}, ':Q': {'S': 'Q'}, ':minus': {'N': '-0.5'}, ':four': {'N': '4'},
    ':three': {'N': '3'}})";

const std::string stored = R"({'n': {'N': '1'}, 's': {'S': 'abc'}, 'b': {'B': 'YWJj'}, 'yes': {'BOOL': true},
    'nil': {'NULL': true}, 'l': {'L': [{'N': '1'}, {'S': 'x'}, {'M': {'k': {'S': 'deep'}}}]},
    'm': {'M': {'x': {'N': '1'}, 'y': {'L': [{'N': '7'}]}}}, 'ss': {'SS': ['a', 'b']}, 'ns': {'NS': ['1', '2']},
    'u': {'S': 'é𝄞'}, 'x.y': {'S': 'dotted'}, 'status': {'S': 'new'}})";

/// The request with the values and names that its expressions mention.
[[nodiscard]] auto with_placeholders(json body) -> json {
    std::string text;
    for (const auto* member : {"ConditionExpression", "UpdateExpression", "ProjectionExpression", "FilterExpression"}) {
        text += body.value(member, "") + " ";
    }
    const auto mentioned = [&](const std::string& token) {
        for (auto at = text.find(token); at != std::string::npos; at = text.find(token, at + 1)) {
            const char next = at + token.size() < text.size() ? text[at + token.size()] : ' ';
            if (std::isalnum(static_cast<unsigned char>(next)) == 0) { return true; }
        }
        return false;
    };
    const auto values = quoted(all_values);
    for (const auto& [name, value] : values.items()) {
        if (mentioned(name)) { body["ExpressionAttributeValues"][name] = value; }
    }
    for (const auto& [token, name] : {std::pair{"#dotted", "x.y"}, std::pair{"#status", "status"}}) {
        if (mentioned(token)) { body["ExpressionAttributeNames"][token] = name; }
    }
    return body;
}

[[nodiscard]] auto conditional_delete(const std::string& condition) -> json {
    return with_placeholders(
        {{"TableName", "items"}, {"Key", asked_dynamodb::key("a", "1")}, {"ConditionExpression", condition}});
}

TEST_CASE("a condition holds of an item as the service's documents say") {
    asked_dynamodb asked;
    for (const auto& [condition, holds] : std::vector<std::pair<std::string, bool>>{
             {"n = :onep", true},
             {"n = :a", false},
             {"n <> :two", true},
             {"n <> :onep", false},
             {"n < :ten AND n < :two", true},
             {"n < :big", true},
             {"n < :a", false},
             {"n >= :one AND n <= :one", true},
             {"n > :minus", true},
             {"s > :a", true},
             {"s < :abc", false},
             {"b > :b", true},
             {"gone = :a", false},
             {"gone < :a OR gone >= :a", false},
             {"gone <> :a", true},
             {"gone <> away", true},
             {"gone = away", false},
             {"yes = :yes AND nil = :null", true},
             {"l > n", false},
             {"m = :m", false},
             {"ss = :ss AND ns = :ns", true},
             {"ss = :sx", false},
             {"l[0] = :one AND l[1] <> :one", true},
             {"l[7] = :one", false},
             {"l[2].k = m.x", false},
             {"m.x = l[0]", true},
             {"m.y[0] BETWEEN :two AND :ten", true},
             {"n BETWEEN :two AND :ten", false},
             {"s BETWEEN :a AND :bc", true},
             {"n IN (:two, :a, :onep)", true},
             {"n IN (:two)", false},
             {"gone IN (:two)", false},
             {"attribute_exists(n) AND attribute_exists(m.y[0]) AND attribute_exists(nil)", true},
             {"attribute_exists(m.z)", false},
             {"attribute_not_exists(l[3]) AND attribute_not_exists(n.x)", true},
             {"attribute_type(s, :S) AND attribute_type(l, :L)", true},
             {"attribute_type(n, :S)", false},
             {"begins_with(s, :a) AND begins_with(s, :empty) AND begins_with(b, :b)", true},
             {"begins_with(s, :bc)", false},
             {"begins_with(n, :a)", false},
             {"contains(s, :bc) AND contains(ss, :a) AND contains(ns, :onep) AND contains(l, :one)", true},
             {"contains(s, :one) OR contains(ss, :bc) OR contains(l, :two) OR contains(ns, :a)", false},
             {"contains(b, :b)", true},
             {"size(s) = :three AND size(l) = :three AND size(m) = :two AND size(ss) = :two AND size(b) = :three",
              true},
             {"size(u) = :three", true}, // é is one unit of UTF-16, the clef two
             {"size(n) > :minus OR size(gone) > :minus", false},
             {"NOT n = :two", true},
             {"NOT (n = :one OR gone = :a)", false},
             {"NOT n = :one OR n = :one", true}, // NOT binds before AND, AND before OR
             {"n = :one OR n = :two AND n = :two", true},
             {"(n = :one OR n = :two) AND n = :two", false},
             {"n = :one and not n = :two or n between :two and :ten", true},
             {"#dotted <> :a AND #status <> :a", true},
             {"x.y = :a", false},
         }) {
        const auto& tried = condition;
        CAPTURE(tried);
        asked.put("a", "1", stored);
        const auto said = asked.refused("DeleteItem", conditional_delete(condition));
        CHECK(said == (holds ? "" : "ConditionalCheckFailedException: The conditional request failed"));
    }
}

TEST_CASE("a condition that cannot be right is refused, whatever the item is") {
    asked_dynamodb asked;
    std::string too_many = "n = :one";
    for (int i = 0; i < 149; ++i) { too_many += " OR n = :one"; }
    std::string many_operands = ":one";
    for (int i = 0; i < 99; ++i) { many_operands += ", :one"; }
    CHECK(has(asked.refused("DeleteItem", conditional_delete(too_many)), "ConditionalCheckFailed"));
    CHECK(has(asked.refused("DeleteItem", conditional_delete("n IN (" + many_operands + ")")), "ConditionalCheck"));
    const std::string longest = "n = :one" + std::string(4'096 - 8, ' ');
    CHECK(has(asked.refused("DeleteItem", conditional_delete(longest)), "ConditionalCheckFailed"));
    for (const auto& [condition, part] : std::vector<std::pair<std::string, std::string>>{
             {"", "The expression can not be empty"},
             {longest + " ", "Expression size has exceeded the maximum allowed size; expression size: 4097"},
             {too_many + " OR NOT n = :one", "too many operators"},
             {"n IN (" + many_operands + ", :one)", "too many operands"},
             {"n =", "Syntax error; token: \"<EOF>\", near: \"=\""},
             {"n = :one n", "Syntax error; token: \"n\", near: \":one n\""},
             {"n == :one", "Syntax error"},
             {"n = 1", "Syntax error; token: \"1\""},
             {"n", "Syntax error"},
             {"(n = :one", "Syntax error"},
             {"n = :one AND", "Syntax error"},
             {"n = :one AND n", "Syntax error"},
             {"n[a] = :one", "Syntax error"},
             {"_n = :one", "Syntax error; token: \"_\""},
             {"((n = :one))", "redundant parentheses"},
             {"n = :undefined", "attribute value used in expression is not defined; attribute value: :undefined"},
             {"#undefined = :one", "in the document path is not defined; attribute name: #undefined"},
             {"status = :one", "reserved keyword; reserved keyword: status"},
             {"m.Name = :one", "reserved keyword; reserved keyword: Name"},
             {"size = :one", "reserved keyword; reserved keyword: size"},
             {"n = n",
              "The first operand must be distinct from the remaining operands for this operator or function; "
              "operator: =, first operand: [n]"},
             {"contains(l[0], l[0])", "operator: contains, first operand: [l, [0]]"},
             {"n < :yes", "operator or function: <, operand type: BOOL"},
             {"n BETWEEN :l AND :l", "operator or function: BETWEEN, operand type: L"},
             {"n BETWEEN :two AND :one", "upper bound to be greater than or equal to lower bound"},
             {"n BETWEEN :one AND :a", "same data type for lower and upper bounds"},
             {"begins_with(n, :one)", "operator or function: begins_with, operand type: N"},
             {"begins_with(n)", "operator or function: begins_with, number of operands: 1"},
             {"size(:one) = :one", "operator or function: size, operand type: N"},
             {"attribute_exists(:one)", "requires a document path; operator or function: attribute_exists"},
             {"attribute_type(n, :Q)", "Invalid attribute type name found; type: Q"},
             {"attribute_exists(n) = :yes",
              "not allowed to be used this way in an expression; function: attribute_exists"},
             {"size(n)", "not allowed to be used this way in an expression; function: size"},
             {"if_not_exists(n, :one) = :one", "not allowed in a condition expression; function: if_not_exists"},
             {"exists(n)", "Invalid function name; function: exists"},
         }) {
        const auto& tried = condition;
        CAPTURE(tried);
        const auto said = asked.refused("DeleteItem", conditional_delete(condition));
        CAPTURE(said);
        CHECK(said.starts_with("ValidationException: Invalid ConditionExpression: "));
        CHECK(has(said, part));
    }
}

TEST_CASE("names and values that no expression uses, or that are badly named, are refused") {
    asked_dynamodb asked;
    const json plain{{"TableName", "items"}, {"Key", asked_dynamodb::key("a", "1")}};
    const auto said = [&](const char* condition, const char* names, const char* values) {
        auto body = plain;
        if (*condition != '\0') { body["ConditionExpression"] = condition; }
        if (*names != '\0') { body["ExpressionAttributeNames"] = quoted(names); }
        if (*values != '\0') { body["ExpressionAttributeValues"] = quoted(values); }
        return asked.refused("DeleteItem", body);
    };
    const std::string invalid = "ValidationException: ";
    CHECK(said("attribute_not_exists(n)", "{'#a': 'a', '#b': 'b'}", "") ==
          invalid + "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}");
    CHECK(said("attribute_not_exists(n)", "", "{':a': {'S': 'a'}}") ==
          invalid + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}");
    CHECK(has(said("", "{'#a': 'a'}", ""), "ExpressionAttributeNames can only be specified when using expressions"));
    CHECK(has(said("", "", "{':a': {'S': 'a'}}"), "ExpressionAttributeValues can only be specified"));
    CHECK(said("attribute_not_exists(n)", "{}", "") == invalid + "ExpressionAttributeNames must not be empty");
    CHECK(said("attribute_not_exists(n)", "", "{}") == invalid + "ExpressionAttributeValues must not be empty");
    CHECK(has(said("attribute_not_exists(n)", "{'a': 'a'}", ""), "contains invalid key: Syntax error; key: \"a\""));
    CHECK(has(said("n = :a", "", "{':a': {'N': 'x'}}"),
              "contains invalid value: The parameter cannot be converted to a numeric value: x for key :a"));
    CHECK(said("attribute_not_exists(#a)", "{'#a': 'a'}", "") == "");
}

[[nodiscard]] auto update_of(const std::string& update) -> json {
    return with_placeholders(
        {{"TableName", "items"}, {"Key", asked_dynamodb::key("a", "1")}, {"UpdateExpression", update}});
}

TEST_CASE("an update makes of an item what the service's documents say") {
    asked_dynamodb asked;
    for (const auto& [update, changed] : std::vector<std::pair<std::string, std::string>>{
             {"SET n = :two", "{'n': {'N': '2'}}"},
             {"SET n = n + :ten", "{'n': {'N': '11'}}"},
             {"SET n = :one - :onep", "{'n': {'N': '0'}}"},
             {"SET n = n + :minus, fresh = n", "{'n': {'N': '0.5'}, 'fresh': {'N': '1'}}"},
             {"SET n = s, s = n", "{'n': {'S': 'abc'}, 's': {'N': '1'}}"},
             {"SET fresh = if_not_exists(n, :ten)", "{'fresh': {'N': '1'}}"},
             {"SET n = if_not_exists(gone, :ten) + :one", "{'n': {'N': '11'}}"},
             {"SET l = list_append(:l, l)",
              "{'l': {'L': [{'N': '1'}, {'N': '1'}, {'S': 'x'}, {'M': {'k': {'S': 'deep'}}}]}}"},
             {"SET fresh = list_append(if_not_exists(gone, :none), :l)", "{'fresh': {'L': [{'N': '1'}]}}"},
             {"SET l[1] = :a, m.z = :a, m.y[0] = m.x",
              "{'l': {'L': [{'N': '1'}, {'S': 'a'}, {'M': {'k': {'S': 'deep'}}}]},"
              " 'm': {'M': {'x': {'N': '1'}, 'z': {'S': 'a'}, 'y': {'L': [{'N': '1'}]}}}}"},
             {"SET m.y[8] = :two, m.y[5] = :one",
              "{'m': {'M': {'x': {'N': '1'}, 'y': {'L': [{'N': '7'}, {'N': '1'}, {'N': '2'}]}}}}"},
             {"REMOVE l[0], l[1], l[9], gone, m.nothing", "{'l': {'L': [{'M': {'k': {'S': 'deep'}}}]}}"},
             {"SET l[0] = :two REMOVE l[1]", "{'l': {'L': [{'N': '2'}, {'M': {'k': {'S': 'deep'}}}]}}"},
             {"ADD n :ten, fresh :minus", "{'n': {'N': '11'}, 'fresh': {'N': '-0.5'}}"},
             {"ADD m.x :one", "{'m': {'M': {'x': {'N': '2'}, 'y': {'L': [{'N': '7'}]}}}}"},
             {"ADD ss :ac, fresh :sx", "{'ss': {'SS': ['a', 'b', 'c']}, 'fresh': {'SS': ['x']}}"},
             {"DELETE ss :ac, ns :n1", "{'ss': {'SS': ['b']}, 'ns': {'NS': ['2']}}"},
             {"DELETE gone :sx", "{}"},
             {"SET n = :onep", "{}"},
             {"set #status = :a add n :one remove yes", "{'status': {'S': 'a'}, 'n': {'N': '2'}, 'yes': null}"},
             {"DELETE ss :ss REMOVE #dotted", "{'ss': null, 'x.y': null}"},
         }) {
        const auto& tried = update;
        CAPTURE(tried);
        asked.put("a", "1", stored);
        asked.ok("UpdateItem", update_of(update));
        auto wanted = asked_dynamodb::item("a", "1", stored);
        const auto changes = quoted(changed);
        for (const auto& [name, value] : changes.items()) {
            if (value.is_null()) {
                wanted.erase(name);
            } else {
                wanted[name] = value;
            }
        }
        CHECK(asked.get("a", "1") == wanted);
    }
}

TEST_CASE("an update makes an item where there is none") {
    asked_dynamodb asked;
    asked.ok("UpdateItem", update_of("SET s = :a ADD n :one DELETE ss :sx REMOVE x"));
    CHECK(asked.get("a", "1") == asked_dynamodb::item("a", "1", "{'s': {'S': 'a'}, 'n': {'N': '1'}}"));
}

TEST_CASE("an update that cannot be right is refused, and changes nothing") {
    asked_dynamodb asked;
    asked.put("a", "1", stored);
    for (const auto& [update, part] : std::vector<std::pair<std::string, std::string>>{
             {"", "The expression can not be empty"},
             {"SET", "Syntax error"},
             {"SET n :one", "Syntax error"},
             {"SET n = :one,", "Syntax error"},
             {"SET n = n + :one + :one", "Syntax error"},
             {"PUT n = :one", "Syntax error; token: \"PUT\""},
             {"ADD n n", "Syntax error"},
             {"SET n = :one SET s = :a", "The \"SET\" section can only be used once in an update expression;"},
             {"SET n = :one REMOVE n",
              "Two document paths overlap with each other; must remove or rewrite one of these "
              "paths; path one: [n], path two: [n]"},
             {"SET m.x = :one, m = :m", "overlap with each other"},
             {"SET m[0] = :one, m.x = :two", "Two document paths conflict with each other"},
             {"SET n = :a + :one", "operator or function: +, operand type: S"},
             {"SET l = list_append(l, :a)", "operator or function: list_append, operand type: S"},
             {"SET n = if_not_exists(:a, :one)", "requires a document path; operator or function: if_not_exists"},
             {"SET n = size(s)", "not allowed in an update expression; function: size"},
             {"SET n = attribute_exists(s)", "not allowed in an update expression"},
             {"ADD n :a", "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
             {"DELETE ss :one", "operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
             {"SET PK = :a", "Cannot update attribute PK. This attribute is part of the key"},
             {"REMOVE SK", "Cannot update attribute SK. This attribute is part of the key"},
             {"SET fresh = gone", "refers to an attribute that does not exist in the item"},
             {"SET fresh = gone + :one", "refers to an attribute that does not exist in the item"},
             {"SET n = s + :one", "An operand in the update expression has an incorrect data type"},
             {"SET s = list_append(s, :l)", "An operand in the update expression has an incorrect data type"},
             {"ADD s :one", "An operand in the update expression has an incorrect data type"},
             {"ADD ss :n1", "An operand in the update expression has an incorrect data type"},
             {"DELETE s :sx", "An operand in the update expression has an incorrect data type"},
             {"SET gone.x = :one", "The document path provided in the update expression is invalid for update"},
             {"SET n.x = :one", "The document path provided in the update expression is invalid for update"},
             {"SET m[0] = :one", "The document path provided in the update expression is invalid for update"},
             {"REMOVE gone.x", "The document path provided in the update expression is invalid for update"},
             {"SET n = :big + :big, s = :a", "Number overflow"}, // 199…98 has 39 digits
             {"SET mark = :one", "Type mismatch for Index Key mark Expected: S Actual: N IndexName: by_mark"},
         }) {
        const auto& tried = update;
        CAPTURE(tried);
        const auto said = asked.refused("UpdateItem", update_of(update));
        CAPTURE(said);
        CHECK(said.starts_with("ValidationException: "));
        CHECK(has(said, part));
    }
    CHECK(asked.get("a", "1") == asked_dynamodb::item("a", "1", stored));
}

TEST_CASE("a projection gives the parts that it names") {
    asked_dynamodb asked;
    asked.put("a", "1", stored);
    for (const auto& [projection, wanted] : std::vector<std::pair<std::string, std::string>>{
             {"n", "{'n': {'N': '1'}}"},
             {"PK, gone", "{'PK': {'S': 'a'}}"},
             {"m.x, l[2].k, l[0]",
              "{'m': {'M': {'x': {'N': '1'}}}, 'l': {'L': [{'N': '1'}, {'M': {'k': {'S': 'deep'}}}]}}"},
             {"m.gone, n.x, l[9]", "{}"},
             {"#dotted, #status", "{'x.y': {'S': 'dotted'}, 'status': {'S': 'new'}}"},
         }) {
        const auto& tried = projection;
        CAPTURE(tried);
        const auto body = with_placeholders(
            {{"TableName", "items"}, {"Key", asked_dynamodb::key("a", "1")}, {"ProjectionExpression", projection}});
        CHECK(asked.ok("GetItem", body)["Item"] == quoted(wanted));
        auto scan = body;
        scan.erase("Key");
        CHECK(asked.ok("Scan", scan)["Items"] == json::array({quoted(wanted)}));
    }
    const json twice{
        {"TableName", "items"}, {"Key", asked_dynamodb::key("a", "1")}, {"ProjectionExpression", "m, m.x"}};
    CHECK(has(asked.refused("GetItem", twice), "Invalid ProjectionExpression: Two document paths overlap"));
}

} // namespace
