#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <freshet/core/json_text.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/utf8.hpp>
#include <freshet/report/metric_unit.hpp>

namespace freshet {

/// To what a metric's values are stored: a second (a high-resolution metric, at its price) or a minute.
enum class metric_resolution : std::uint8_t { second = 1, minute = 60 };

struct emf_metric {
    std::string name;
    std::vector<double> values;
    metric_unit unit{metric_unit::none};
    metric_resolution resolution{metric_resolution::minute};
};

/// A member of the line beside the metrics, to search for or as a dimension.
struct emf_property {
    std::string name;
    std::string value;
};

/// Metrics of one instant, for CloudWatch to take from a log.
struct emf_document {
    std::string metrics_namespace;
    time_point timestamp{};
    /// The metrics are published once for each set: names of properties. None: once, without dimensions.
    std::vector<std::vector<std::string>> dimension_sets{};
    std::vector<emf_property> properties{};
    std::vector<emf_metric> metrics{};
};

/// What CloudWatch takes. The defaults are its own.
///
/// Source: the CloudWatch user guide, "Specification: Embedded metric format"; the CloudWatch API reference,
/// "PutMetricData", "MetricDatum", "Dimension" and "MetricStreamFilter"; the CloudWatch Logs API reference,
/// "PutLogEvents", which counts 26 bytes more for each line of a request.
struct emf_limits {
    std::size_t metrics{100};               ///< of a line
    std::size_t values{100};                ///< of a metric in a line
    std::size_t dimensions{30};             ///< of a set
    std::size_t line_bytes{1'048'576 - 26}; ///< without an end of line
    std::size_t name_bytes{255};            ///< of the namespace, a metric, a dimension
    std::size_t dimension_value_bytes{1'024};
    double value{0x1p360};                  ///< the largest, and with a minus the smallest
    duration past{std::chrono::days{14}};   ///< a timestamp may lie before now by so much
    duration future{std::chrono::hours{2}}; ///< or after now by so much
};

namespace detail {

[[nodiscard]] inline auto bad_emf(const std::string& what) -> error { return {errc::malformed, "EMF: " + what}; }

/// `kind "name"`, as a note shows it.
[[nodiscard]] inline auto emf_name(std::string_view kind, std::string_view name) -> std::string {
    return fmt::format("{} \"{}\"", kind, printable(name, 60));
}

[[nodiscard]] inline auto check_emf_name(std::string_view kind, std::string_view name, std::size_t most)
    -> result<void> {
    if (name.empty()) { return bad_emf(fmt::format("the name of a {} is empty", kind)); }
    if (name.size() > most) { return bad_emf(fmt::format("{} has more than {} bytes", emf_name(kind, name), most)); }
    if (find_bad_utf8(name)) { return bad_emf(emf_name(kind, name) + " is not UTF-8"); }
    return {};
}

[[nodiscard]] inline auto check_emf_ascii(std::string_view what, std::string_view text, std::size_t most)
    -> result<void> {
    const auto ascii = [](char c) { return c >= ' ' && c <= '~'; };
    if (text.find_first_not_of(' ') == std::string_view::npos) { return bad_emf(fmt::format("{} is blank", what)); }
    if (text.size() > most) { return bad_emf(fmt::format("{} has more than {} bytes", what, most)); }
    if (!std::all_of(text.begin(), text.end(), ascii)) {
        return bad_emf(fmt::format("{} is not of printable ASCII characters", what));
    }
    return {};
}

/// CloudWatch drops a metric without a word when its namespace, or a dimension's name or value, is not as it wants it.
[[nodiscard]] inline auto check_emf_dimension(std::string_view what, std::string_view text, std::size_t most)
    -> result<void> {
    if (!text.empty() && text.front() == ':') { return bad_emf(fmt::format("{} begins with a colon", what)); }
    return check_emf_ascii(what, text, most);
}

[[nodiscard]] inline auto check_emf_dimensions(const emf_document& document, const emf_limits& limits) -> result<void> {
    std::map<std::string_view, std::string_view> properties;
    for (const auto& each : document.properties) { properties.emplace(each.name, each.value); }
    for (const auto& names : document.dimension_sets) {
        if (names.size() > limits.dimensions) {
            return bad_emf(fmt::format("a set of {} dimensions; the limit is {}", names.size(), limits.dimensions));
        }
        if (std::set<std::string_view>{names.begin(), names.end()}.size() != names.size()) {
            return bad_emf("a set has a dimension twice");
        }
        for (const auto& name : names) {
            const auto what = emf_name("dimension", name);
            const auto found = properties.find(name);
            if (found == properties.end()) { return bad_emf(what + " is no property"); }
            if (auto good = check_emf_dimension(what, name, limits.name_bytes); !good) { return good; }
            auto good = check_emf_dimension("the value of " + what, found->second, limits.dimension_value_bytes);
            if (!good) { return good; }
        }
    }
    return {};
}

[[nodiscard]] inline auto check_emf(const emf_document& document, time_point now, const emf_limits& limits)
    -> result<void> {
    const auto& space = document.metrics_namespace;
    if (auto good = check_emf_name("namespace", space, limits.name_bytes); !good) { return good; }
    if (auto good = check_emf_dimension(emf_name("namespace", space), space, limits.name_bytes); !good) { return good; }
    if (document.timestamp < now - limits.past || document.timestamp > now + limits.future) {
        return bad_emf("the timestamp lies too far from now for CloudWatch to take it");
    }
    constexpr const char* another = " has the name of another member of the line";
    std::set<std::string_view> members{"_aws"};
    for (const auto& each : document.properties) {
        if (auto good = check_emf_name("property", each.name, limits.line_bytes); !good) { return good; }
        if (!members.insert(each.name).second) { return bad_emf(emf_name("property", each.name) + another); }
    }
    if (auto good = check_emf_dimensions(document, limits); !good) { return good; }
    for (const auto& each : document.metrics) {
        if (auto good = check_emf_name("metric", each.name, limits.name_bytes); !good) { return good; }
        const auto what = emf_name("metric", each.name);
        if (auto good = check_emf_ascii(what, each.name, limits.name_bytes); !good) { return good; }
        if (!members.insert(each.name).second) { return bad_emf(what + another); }
        for (const auto value : each.values) {
            if (!(std::abs(value) <= limits.value)) { return bad_emf(fmt::format("{} cannot be {}", what, value)); }
        }
    }
    return {};
}

/// The lines as they are filled.
class emf_writer {
public:
    emf_writer(const emf_document& document, const emf_limits& limits) : limits_{limits} {
        using std::chrono::milliseconds;
        const auto at = std::chrono::floor<milliseconds>(document.timestamp).time_since_epoch().count();
        head_ = fmt::format(R"({{"_aws":{{"Timestamp":{},"CloudWatchMetrics":[{{"Namespace":)", at);
        append_json_text(head_, document.metrics_namespace);
        head_ += R"(,"Dimensions":[)";
        for (const auto& names : document.dimension_sets) {
            head_ += &names == &document.dimension_sets.front() ? "[" : ",[";
            for (const auto& name : names) {
                if (&name != &names.front()) { head_ += ','; }
                append_json_text(head_, name);
            }
            head_ += ']';
        }
        head_ += document.dimension_sets.empty() ? R"([]],"Metrics":[)" : R"(],"Metrics":[)";
        properties_ = "]}]}";
        for (const auto& each : document.properties) { append_member(properties_, each.name, each.value); }
    }

    [[nodiscard]] auto add(const emf_metric& metric, std::span<const double> values) -> result<void> {
        std::string definition = R"({"Name":)";
        append_json_text(definition, metric.name);
        fmt::format_to(std::back_inserter(definition), R"(,"Unit":"{}")", name_of(metric.unit));
        definition += metric.resolution == metric_resolution::second ? R"(,"StorageResolution":1})" : "}";
        std::string member = ",";
        append_json_text(member, metric.name);
        const auto list = fmt::format("{}", fmt::join(values, ","));
        member += values.size() == 1 ? ':' + list : ":[" + list + ']';
        if (metrics_ != 0 && (metrics_ >= limits_.metrics || size_with(definition, member) > limits_.line_bytes)) {
            end_line();
        }
        if (const auto size = size_with(definition, member); size > limits_.line_bytes) {
            return error{errc::too_large, fmt::format("EMF: a line for {} alone has {} bytes; the limit is {}",
                                                      emf_name("metric", metric.name), size, limits_.line_bytes)};
        }
        if (metrics_++ != 0) { definitions_ += ','; }
        definitions_ += definition;
        members_ += member;
        return {};
    }

    void end_line() {
        if (metrics_ == 0) { return; }
        lines_.push_back(head_ + definitions_ + properties_ + members_ + '}');
        definitions_.clear();
        members_.clear();
        metrics_ = 0;
    }

    [[nodiscard]] auto lines() && -> std::vector<std::string> { return std::move(lines_); }

private:
    static void append_member(std::string& out, std::string_view name, std::string_view value) {
        append_json_text(out += ',', name);
        append_json_text(out += ':', value);
    }
    [[nodiscard]] auto size_with(std::string_view definition, std::string_view member) const -> std::size_t {
        const std::size_t comma = metrics_ == 0 ? 0 : 1;
        return head_.size() + definitions_.size() + comma + definition.size() + properties_.size() + members_.size() +
               member.size() + 1;
    }

    const emf_limits& limits_;
    std::string head_;
    std::string properties_;
    std::string definitions_;
    std::string members_;
    std::size_t metrics_{};
    std::vector<std::string> lines_;
};

} // namespace detail

/// The document as lines of JSON in CloudWatch's embedded metric format, without their ends; none if it has no metrics.
/// A metric without values is left out.
///
/// Metrics and values beyond the limits of a line go into further ones, each with all properties and dimensions; the
/// values of a metric keep their order. Timestamps are cut to the millisecond. Of a property's value each byte that is
/// no UTF-8 becomes U+FFFD.
///
/// `malformed` is what CloudWatch would drop, wholly or in part, without a word: NaN, infinity and numbers beyond the
/// limit, a timestamp too far from `now`, a name that is empty, too long, no UTF-8, there
/// twice, or `_aws`; a namespace, or a dimension's name or value, that is blank, too long, not of printable ASCII or
/// begins with a colon; a metric's name that is blank or not of printable ASCII; too many dimensions, or one that is no
/// property. `too_large`: the properties and one metric do not fit a line.
[[nodiscard]] inline auto emf_lines(const emf_document& document, time_point now, const emf_limits& limits = {})
    -> result<std::vector<std::string>> {
    if (auto good = detail::check_emf(document, now, limits); !good) { return std::move(good).why(); }
    detail::emf_writer writer{document, limits};
    const auto step = std::max<std::size_t>(limits.values, 1);
    std::size_t most = 0;
    for (const auto& each : document.metrics) { most = std::max(most, each.values.size()); }
    for (std::size_t from = 0; from < most; from += step) {
        for (const auto& each : document.metrics) {
            if (from >= each.values.size()) { continue; }
            const auto values = std::span{each.values}.subspan(from, std::min(step, each.values.size() - from));
            if (auto added = writer.add(each, values); !added) { return std::move(added).why(); }
        }
        writer.end_line(); // the next values of a metric cannot stand in the same line
    }
    return std::move(writer).lines();
}

} // namespace freshet
