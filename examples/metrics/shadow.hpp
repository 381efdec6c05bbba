#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/backend/bucket_sink.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/rfc3339.hpp>
#include <freshet/core/sha256.hpp>
#include <freshet/core/time.hpp>
#include <freshet/core/time_range.hpp>
#include <freshet/count/shadow.hpp>
#include <metrics/log_block.hpp>
#include <metrics/outcome.hpp>
#include <support/log.hpp>

namespace metrics {

/// What another counter found.
struct shadow_document {
    freshet::time_range window{};
    std::vector<freshet::bucket> buckets{};
};

namespace detail {

/// The time that a member of an object says in RFC 3339; nothing where there is none.
[[nodiscard]] inline auto instant_in(const nlohmann::json& of, const char* name) -> std::optional<freshet::time_point> {
    const auto found = of.is_object() ? of.find(name) : of.end();
    if (found == of.end() || !found->is_string()) { return std::nullopt; }
    const auto at = freshet::parse_rfc3339(found->get_ref<const std::string&>());
    return at ? std::optional{*at} : std::nullopt;
}
/// A member of an object that is a whole number from 0 on; nothing where there is none.
[[nodiscard]] inline auto number_in(const nlohmann::json& of, const char* name) -> std::optional<std::uint64_t> {
    const auto found = of.is_object() ? of.find(name) : of.end();
    if (found == of.end() || !found->is_number_unsigned()) { return std::nullopt; }
    return found->get<std::uint64_t>();
}

} // namespace detail

/// The window and the buckets of a document as `--json` prints it; `malformed` where it is none.
[[nodiscard]] inline auto read_document(std::string_view text) -> freshet::result<shadow_document> {
    const auto refuse = [](const std::string& why) { return freshet::error{freshet::errc::malformed, why}; };
    const auto read = nlohmann::json::parse(text, nullptr, false);
    const auto all = read.is_object() ? read.find("buckets") : read.end();
    if (!read.is_object() || all == read.end() || !all->is_array()) {
        return refuse("is no JSON document with an array of buckets");
    }
    const auto window = read.value("window", nlohmann::json{});
    const auto start = detail::instant_in(window, "start");
    const auto end = detail::instant_in(window, "end");
    if (!start || !end) { return refuse("has no window with a start and an end"); }
    shadow_document made{{*start, *end}, {}};
    for (const auto& each : *all) {
        const auto at = detail::instant_in(each, "start");
        const auto minutes = detail::number_in(each, "minutes").value_or(0);
        const auto count = detail::number_in(each, "count");
        if (!at || !count || minutes == 0 || minutes > 10'000'000) {
            return refuse(fmt::format("its bucket {} has no minutes, start or count", made.buckets.size() + 1));
        }
        made.buckets.push_back({std::chrono::minutes{minutes}, *at, *count});
    }
    return made;
}

/// Compares each run with what another counter has in a file, and says when that can be switched off.
///
/// `FILE.runs` keeps for the next process how many runs in a row were equal, and a digest of what was compared: a run
/// on the same counts, of both, is not one more.
class shadow_check {
public:
    shadow_check(std::string file, std::size_t needed) : file_{std::move(file)}, needed_{needed} {}

    /// In one line. Fails where the file cannot be read, or `FILE.runs` be kept; and, with that as it was, where a
    /// series of the run failed, or the file is not of all of its window. Theirs are looked at where they begin in the
    /// window.
    [[nodiscard]] auto compare(const outcome& ours, const support::log& log) -> freshet::result<std::string> {
        if (std::any_of(ours.series.begin(), ours.series.end(),
                        [](const auto& each) { return each.fault.has_value(); })) {
            return about({freshet::errc::failed, "is not compared with a run that failed"});
        }
        std::ifstream in{file_, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        if (!in && text.empty()) { return about({freshet::errc::malformed, "cannot be read"}); }
        auto read = read_document(text);
        if (!read) { return about(read.why()); }
        const auto& window = ours.header.window;
        if (read->window.start > window.start || read->window.end < window.end) {
            return about({freshet::errc::conflict,
                          fmt::format("is not compared: it counts from {} to {}, and this run from {} to {}",
                                      detail::minute_text(read->window.start), detail::minute_text(read->window.end),
                                      detail::minute_text(window.start), detail::minute_text(window.end))});
        }
        auto& theirs = read->buckets;
        std::erase_if(theirs, [&](const auto& each) { return !window.contains(each.start); });

        const auto found = freshet::compare_counts(ours.buckets, theirs);
        for (const auto& each : found.shown) {
            log.line(support::log_level::warning, "{}: {} of {} min is {} here, {} there", freshet::printable(file_),
                     detail::minute_text(each.start), std::chrono::floor<std::chrono::minutes>(each.width).count(),
                     each.ours, each.theirs);
        }
        return judge(found, digest_of(ours.buckets, theirs));
    }

private:
    /// What `FILE.runs` says.
    struct kept_runs {
        std::size_t in_a_row{};
        std::string digest{}; ///< of what was compared last
    };

    [[nodiscard]] auto judge(const freshet::counts_comparison& found, std::string digest) const
        -> freshet::result<std::string> {
        const auto before = kept();
        const bool is_news = digest != before.digest;
        freshet::shadow_switch runs{needed_, before.in_a_row};
        if (is_news) { runs.add(found); }
        if (auto done = keep({runs.in_a_row(), std::move(digest)}); !done) { return std::move(done).why(); }
        if (!found.same()) {
            return fmt::format("⚠ Shadow: {} buckets differ, {} are equal", found.different, found.equal);
        }
        return fmt::format("✓ Shadow: {} buckets are equal, in {} of {} runs{}{}", found.equal, runs.in_a_row(),
                           needed_, is_news ? "" : ", and this one had nothing new",
                           runs.switched() ? ": the old counter can be switched off" : "");
    }
    [[nodiscard]] static auto digest_of(std::span<const freshet::bucket> ours, std::span<const freshet::bucket> theirs)
        -> std::string {
        freshet::sha256 digest;
        for (const auto& side : {ours, theirs}) {
            for (const auto& each : side) {
                digest.update(
                    fmt::format("{} {} {}\n", each.width.count(), each.start.time_since_epoch().count(), each.count));
            }
            digest.update("\n");
        }
        const auto text = freshet::hex(digest.finish());
        return {text.begin(), text.end()};
    }
    [[nodiscard]] auto about(const freshet::error& why) const -> freshet::error {
        return {why.code, "--shadow " + freshet::printable(file_) + ": " + why.note};
    }
    [[nodiscard]] auto kept() const -> kept_runs {
        std::ifstream in{file_ + ".runs"};
        kept_runs read;
        if (!(in >> read.in_a_row)) { return {}; } // without a number that can be read it begins anew
        in >> read.digest;
        return read;
    }
    [[nodiscard]] auto keep(const kept_runs& runs) const -> freshet::result<void> {
        std::ofstream out{file_ + ".runs", std::ios::trunc};
        out << runs.in_a_row << ' ' << runs.digest << '\n';
        out.close();
        if (out) { return {}; }
        return about({freshet::errc::denied, "FILE.runs cannot be written"});
    }

    std::string file_;
    std::size_t needed_;
};

} // namespace metrics
