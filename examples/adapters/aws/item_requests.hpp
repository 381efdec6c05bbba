#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adapters/aws/attribute_json.hpp>
#include <adapters/aws/placeholders.hpp>
#include <adapters/item_table.hpp>
#include <adapters/item_write.hpp>
#include <freshet/backend/row_key.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/item_patch.hpp>

namespace adapters::aws {

// A write as one request. A row that was seen is asked for by its attributes: each of them is what it was, and those
// that the write sets or removes and that were not seen are not there. DynamoDB cannot be asked whether there are
// others: one that was added meanwhile, and that the write does not name, goes unnoticed. So that it is not lost, a put
// that must find the row unchanged is an update: it sets what the row has and removes what was seen and is no more.

/// What one expression may be.
///
/// Source: the DynamoDB developer guide, "Quotas", "Expression parameters".
struct expression_limits {
    std::size_t bytes{4'096};
    std::size_t operators{300}; ///< comparisons, functions and ANDs
};

/// One request of a service.
struct item_request {
    std::string_view operation;
    std::string json;
};

namespace detail {

/// The names that a write with this condition speaks of: those that it sets or removes, and those that were seen.
[[nodiscard]] inline auto spoken_of(const std::vector<std::string_view>& touched, const item_condition& condition)
    -> std::set<std::string_view> {
    std::set<std::string_view> names{touched.begin(), touched.end()};
    if (condition.seen() == nullptr) { return names; }
    for (const auto seen : condition.seen()->image()) { names.insert(seen.name()); }
    return names;
}

/// Writes one request's condition and counts what is in it.
class condition_writer {
public:
    explicit condition_writer(placeholders& of) : of_{of} {}

    void add(std::string_view term) {
        text_ += text_.empty() ? "" : " AND ";
        text_ += term;
        operators_ += operators_ == 0 ? 1 : 2;
    }
    void exists(std::string_view attribute) { add("attribute_exists(" + of_.name(attribute) + ')'); }
    void lacks(std::string_view attribute) { add("attribute_not_exists(" + of_.name(attribute) + ')'); }
    void equals(freshet::attribute seen) { add(of_.name(seen.name()) + '=' + of_.value(value_of(seen))); }

    [[nodiscard]] auto text() const noexcept -> const std::string& { return text_; }
    [[nodiscard]] auto operators() const noexcept -> std::size_t { return operators_; }

private:
    placeholders& of_;
    std::string text_;
    std::size_t operators_{};
};

/// The condition, as the service is asked; `touched` are the attributes that the write sets or removes.
[[nodiscard]] inline auto written(const item_condition& condition, const std::vector<std::string_view>& touched,
                                  const freshet::row_key& key, const item_table_options& options, placeholders& of)
    -> condition_writer {
    using enum item_condition::kind;
    condition_writer out{of};
    switch (condition.what()) {
        case always: break;
        case absent: out.lacks(options.partition); break;
        case present: out.exists(options.partition); break;
        case unchanged:
            out.exists(options.partition);
            for (const auto seen : condition.seen()->image()) {
                const auto is = [&](const std::string& name, const std::string& text) {
                    return seen.name() == name && seen.type() == freshet::attribute_type::string && seen.text() == text;
                };
                if (!is(options.partition, key.partition) && !is(options.sort, key.sort)) { out.equals(seen); }
            }
            for (const auto name : touched) {
                if (!condition.seen()->image().find(name)) { out.lacks(name); }
            }
            break;
    }
    return out;
}

[[nodiscard]] inline auto check_expression(std::size_t bytes, std::size_t operators, const item_table_options& options,
                                           const expression_limits& limits) -> freshet::result<void> {
    if (bytes <= limits.bytes && operators <= limits.operators) { return {}; }
    return freshet::error{freshet::errc::too_large,
                          "table " + options.name + ": more attributes than one request's expression may name (" +
                              std::to_string(bytes) + " bytes, limit " + std::to_string(limits.bytes) + "; " +
                              std::to_string(operators) + " operators, limit " + std::to_string(limits.operators) +
                              ')'};
}

[[nodiscard]] inline auto request_start(const item_table_options& options, std::string_view member,
                                        std::string_view item) -> std::string {
    auto json = R"({"TableName":)" + json_text(options.name);
    ((json += ",\"") += member) += "\":";
    return json += item;
}

/// A request, closed behind its condition and what its expressions name.
[[nodiscard]] inline auto finished(std::string_view operation, std::string json, const condition_writer& condition,
                                   const placeholders& of, const item_table_options& options,
                                   const expression_limits& limits) -> freshet::result<item_request> {
    auto taken = check_expression(condition.text().size(), condition.operators(), options, limits);
    if (!taken) { return std::move(taken).why(); }
    if (!condition.text().empty()) { json += R"(,"ConditionExpression":)" + json_text(condition.text()); }
    of.append_to(json);
    return item_request{operation, std::move(json += '}')};
}

/// An update that sets these attributes and removes those of these names; no name stands twice.
[[nodiscard]] inline auto changing(const freshet::row_key& key, const std::vector<freshet::attribute>& set,
                                   const std::vector<std::string_view>& remove, const item_condition& condition,
                                   const item_table_options& options, const expression_limits& limits)
    -> freshet::result<item_request> {
    placeholders of;
    std::string text;
    std::string_view before = "SET ";
    for (const auto one : set) {
        ((text += std::exchange(before, ",")) += of.name(one.name())) += '=' + of.value(value_of(one));
    }
    before = set.empty() ? "REMOVE " : " REMOVE ";
    for (const auto name : remove) { (text += std::exchange(before, ",")) += of.name(name); }
    auto taken = check_expression(text.size(), 0, options, limits);
    if (!taken) { return std::move(taken).why(); }
    auto json = request_start(options, "Key", key_item(key, options));
    if (!text.empty()) { json += R"(,"UpdateExpression":)" + json_text(text); }
    std::vector<std::string_view> touched{remove};
    for (const auto one : set) { touched.push_back(one.name()); }
    const auto asked = written(condition, touched, key, options, of);
    return finished("UpdateItem", std::move(json), asked, of, options, limits);
}

} // namespace detail

/// A `put` of this item, whose row is `row`; `too_large` where its condition names more than one expression may.
[[nodiscard]] inline auto put_request(const freshet::image& item, const item_row& row, const item_condition& condition,
                                      const item_table_options& options, const expression_limits& limits = {})
    -> freshet::result<item_request> {
    if (condition.what() != item_condition::kind::unchanged) {
        placeholders of;
        const auto asked = detail::written(condition, {}, row.key, options, of);
        return detail::finished("PutItem", detail::request_start(options, "Item", row.text), asked, of, options,
                                limits);
    }
    const auto is_key = [&](std::string_view name) { return name == options.partition || name == options.sort; };
    const auto seen = condition.seen()->image();
    std::vector<freshet::attribute> set;
    std::vector<std::string_view> remove;
    for (const auto one : item) {
        if (!is_key(one.name())) { set.push_back(one); }
    }
    for (const auto one : seen) {
        if (!is_key(one.name()) && !item.find(one.name())) { remove.push_back(one.name()); }
    }
    return detail::changing(row.key, set, remove, condition, options, limits);
}

/// An `update`, or why there can be none: `malformed` for a key that no row can have, and for a patch that names an
/// attribute of the row's key, makes one of an index unusable, or sets what it removes; `too_large` where it names more
/// than one expression may.
[[nodiscard]] inline auto update_request(const freshet::row_key& key, const freshet::item_patch& patch,
                                         const item_condition& condition, const item_table_options& options,
                                         const expression_limits& limits = {}) -> freshet::result<item_request> {
    const auto set = patch.set.image();
    std::vector<std::string_view> remove{patch.remove.begin(), patch.remove.end()};
    std::erase_if(remove, [](std::string_view name) { // no attribute is called so
        return name.empty() || freshet::detail::find_bad_utf8(name);
    });
    std::sort(remove.begin(), remove.end());
    remove.erase(std::unique(remove.begin(), remove.end()), remove.end());
    const auto removes = [&](std::string_view name) { return std::binary_search(remove.begin(), remove.end(), name); };
    for (const auto& name : {options.partition, options.sort}) {
        if (!name.empty() && (removes(name) || set.find(name))) {
            return adapters::detail::malformed(options, "a patch names the key attribute " + freshet::printable(name));
        }
    }
    if (!is_usable(key, options)) {
        return adapters::detail::malformed(options, "no row can have the key " + freshet::printable(key.partition) +
                                                        " / " + freshet::printable(key.sort));
    }
    for (const auto& index : options.indexes) {
        for (const auto& [name, most] : {std::pair{&index.partition, options.limits.partition_key_bytes},
                                         std::pair{&index.sort, options.limits.sort_key_bytes}}) {
            const auto text = adapters::detail::key_text(set, *name, most, options);
            if (!text) { return text.why(); }
        }
    }
    std::vector<freshet::attribute> added;
    for (const auto one : set) {
        if (removes(one.name())) {
            return adapters::detail::malformed(
                options, "a patch sets and removes the attribute " + freshet::printable(one.name()));
        }
        added.push_back(one);
    }
    return detail::changing(key, added, remove, condition, options, limits);
}

/// An `erase`; `too_large` where its condition names more than one expression may.
[[nodiscard]] inline auto erase_request(const freshet::row_key& key, const item_condition& condition,
                                        const item_table_options& options, const expression_limits& limits = {})
    -> freshet::result<item_request> {
    placeholders of;
    const auto asked = detail::written(condition, {}, key, options, of);
    return detail::finished("DeleteItem", detail::request_start(options, "Key", key_item(key, options)), asked, of,
                            options, limits);
}

/// The part of a stored row that a write is judged by, as canonical text: all of it; of a row that must be as it was
/// seen, the attributes that were seen and those that the write sets or removes.
[[nodiscard]] inline auto judged_part(const freshet::image& stored, const item_condition& condition,
                                      const std::vector<std::string_view>& touched, const item_table_options& options)
    -> std::string {
    if (condition.what() != item_condition::kind::unchanged) { return freshet::canonical_text(stored); }
    const auto names = detail::spoken_of(touched, condition);
    std::vector<freshet::attribute> part;
    for (const auto one : stored) {
        if (names.contains(one.name()) || one.name() == options.partition || one.name() == options.sort) {
            part.push_back(one);
        }
    }
    return freshet::canonical_text(part);
}

} // namespace adapters::aws
