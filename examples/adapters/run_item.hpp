#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <adapters/item_table.hpp>
#include <freshet/backend/run_report.hpp>
#include <freshet/core/json_text.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/utf8.hpp>
#include <freshet/item/document.hpp>

/// How the report of an execution lies in a table of items: `PK` is `JOB#<job>`, `SK` is `<time left>#<run>`. The time
/// left is that from the start to the year 10000, in microseconds of 18 digits: what began last stands first. The other
/// attributes are the report's members by their own names, instants as RFC 3339 and spans in microseconds.
namespace adapters {

namespace detail {

inline constexpr freshet::time_point first_of_runs{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};
inline constexpr freshet::time_point end_of_runs{std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}};
inline constexpr std::string_view job_prefix = "JOB#";
inline constexpr std::size_t time_left_digits = 18;

[[nodiscard]] inline auto bad_run(const std::string& what) -> freshet::error {
    return {freshet::errc::malformed, "run store: " + what};
}

/// Of an instant from the year 0 to the year 9999.
[[nodiscard]] inline auto time_left(freshet::time_point from) -> std::string {
    auto digits = std::to_string((end_of_runs - from).count());
    return std::string(time_left_digits - digits.size(), '0') + digits;
}

/// `malformed` unless a key can hold the name behind so many bytes of its own.
[[nodiscard]] inline auto check_run_name(std::string_view what, std::string_view name, std::size_t most)
    -> freshet::result<void> {
    if (name.empty()) { return bad_run("a " + std::string{what} + " without a name"); }
    if (name.size() > most) {
        return bad_run("the name of the " + std::string{what} + " has more than " + std::to_string(most) + " bytes");
    }
    if (const auto at = freshet::detail::find_bad_utf8(name)) {
        return bad_run("the name of the " + std::string{what} + " is no UTF-8 at byte " + std::to_string(*at));
    }
    return {};
}

/// Every member of a report with the attribute's name, to write them and to read them.
template <class Report, class Visit>
void for_each_member(Report& report, Visit&& visit) {
    visit("job", report.job);
    visit("run", report.run);
    visit("due", report.due);
    visit("started_at", report.started_at);
    visit("seen_at", report.seen_at);
    visit("limit", report.limit);
    visit("state", report.state);
    visit("listed", report.listed);
    visit("groups", report.groups);
    visit("worked", report.worked);
    visit("validated", report.validated);
    visit("updated", report.updated);
    visit("undecided", report.undecided);
    visit("needs_review", report.needs_review);
    visit("conflicts", report.conflicts);
    visit("failed", report.failed);
    visit("dead_lettered", report.dead_lettered);
    visit("retries", report.retries);
    visit("resume", report.resume);
    visit("why", report.why);
}

/// Appends members to an item's text. Stops at an instant that has no text.
struct run_item_writer {
    std::string& text;
    std::string_view no_text{}; ///< the member that cannot be written

    void operator()(std::string_view name, const std::string& value) { add(name, "S", value); }
    void operator()(std::string_view name, freshet::run_state value) { add(name, "S", freshet::name_of(value)); }
    void operator()(std::string_view name, freshet::duration value) { add(name, "N", std::to_string(value.count())); }
    void operator()(std::string_view name, std::uint64_t value) { add(name, "N", std::to_string(value)); }
    void operator()(std::string_view name, freshet::time_point value) {
        const auto instant = freshet::format_rfc3339(value, 6);
        if (!instant) { no_text = name; }
        add(name, "S", instant ? instant->view() : std::string_view{});
    }

    void add(std::string_view name, std::string_view type, std::string_view value) {
        freshet::detail::append_json_text(text += text.empty() ? '{' : ',', name);
        freshet::detail::append_json_text((text.append(":{\"") += type) += "\":", value);
        text += '}';
    }
};

/// Reads members from an item; `wrong` is the first that it does not have, or not so.
struct run_item_reader {
    const freshet::image& item;
    std::string_view wrong{};

    template <class Member>
    void operator()(std::string_view name, Member& member) {
        const auto found = item.find(name);
        constexpr bool number = std::is_same_v<Member, std::uint64_t> || std::is_same_v<Member, freshet::duration>;
        const auto type = number ? freshet::attribute_type::number : freshet::attribute_type::string;
        if ((!found || found->type() != type || !read(found->text(), member)) && wrong.empty()) { wrong = name; }
    }

    [[nodiscard]] static auto read(std::string_view text, std::string& member) -> bool {
        member = text;
        return true;
    }
    [[nodiscard]] static auto read(std::string_view text, freshet::time_point& member) -> bool {
        const auto instant = freshet::parse_rfc3339(text);
        member = instant.value_or({});
        return instant.ok();
    }
    [[nodiscard]] static auto read(std::string_view text, freshet::run_state& member) -> bool {
        using enum freshet::run_state;
        for (const auto state : {running, complete, stopped, failed}) {
            if (freshet::name_of(state) != text) { continue; }
            member = state;
            return true;
        }
        return false;
    }
    [[nodiscard]] static auto read(std::string_view text, freshet::duration& member) -> bool {
        freshet::duration::rep count{};
        const bool good = read(text, count);
        member = freshet::duration{count};
        return good;
    }
    template <std::integral Number>
    [[nodiscard]] static auto read(std::string_view text, Number& member) -> bool {
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), member);
        return code == std::errc{} && end == text.data() + text.size();
    }
};

} // namespace detail

/// The partition of a job's reports; `malformed` where the job has no name or one that is no key.
[[nodiscard]] inline auto run_partition(std::string_view job) -> freshet::result<std::string> {
    const auto most = item_limits{}.partition_key_bytes - detail::job_prefix.size();
    if (auto good = detail::check_run_name("job", job, most); !good) { return std::move(good).why(); }
    return std::string{detail::job_prefix}.append(job);
}

/// A report as an item. `malformed`: a job or a run without a usable name, a state that is none, instants outside the
/// years 0 to 9999, and a `resume` that is no UTF-8. Of `why` each byte that is no UTF-8 becomes U+FFFD.
[[nodiscard]] inline auto item_of_run(const freshet::run_report& report) -> freshet::result<freshet::document> {
    auto partition = run_partition(report.job);
    if (!partition) { return std::move(partition).why(); }
    const auto most = item_limits{}.sort_key_bytes - detail::time_left_digits - 1;
    if (auto good = detail::check_run_name("run", report.run, most); !good) { return std::move(good).why(); }
    const auto named = "job " + freshet::printable(report.job) + ", run " + freshet::printable(report.run) + ": ";
    if (freshet::name_of(report.state).empty()) { return detail::bad_run(named + "a state that is none"); }
    if (const auto at = freshet::detail::find_bad_utf8(report.resume)) {
        return detail::bad_run(named + "resume is no UTF-8 at byte " + std::to_string(*at));
    }
    std::string text;
    detail::run_item_writer write{text};
    detail::for_each_member(report, write);
    if (!write.no_text.empty()) {
        return detail::bad_run(named + std::string{write.no_text} + " lies outside the years 0 to 9999");
    }
    write.add("PK", "S", *partition);
    write.add("SK", "S", detail::time_left(report.started_at) + '#' + report.run);
    return freshet::document::parse(std::move(text += '}'));
}

/// The report that an item is; `denied` where it is none: somebody else writes there.
[[nodiscard]] inline auto run_of_item(const freshet::image& item) -> freshet::result<freshet::run_report> {
    freshet::run_report report;
    detail::run_item_reader read{item};
    detail::for_each_member(report, read);
    if (read.wrong.empty()) { return report; }
    const auto key = [&](std::string_view name) {
        const auto found = item.find(name);
        return freshet::printable(found ? found->text() : std::string_view{});
    };
    return freshet::error{freshet::errc::denied, "run store: the row " + key("PK") + " / " + key("SK") +
                                                     " is no report: its attribute " + std::string{read.wrong} +
                                                     " is not there, or not as a report has it"};
}

} // namespace adapters
