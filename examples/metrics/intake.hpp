#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>
#include <freshet/count/id_set.hpp>
#include <metrics/input_lines.hpp>
#include <metrics/item_rows.hpp>
#include <metrics/record.hpp>
#include <metrics/settings.hpp>
#include <support/log.hpp>

namespace metrics {

/// What became of the lines that were selected; one that cannot be read at all is one of them.
struct intake_report {
    std::uint64_t lines{}; ///< all but blank ones and those of others' series
    std::map<skip_reason, std::uint64_t> skipped{};
    std::uint64_t duplicates{}; ///< of a table and an id that an earlier line had, whatever became of that

    [[nodiscard]] auto all_skipped() const -> std::uint64_t {
        std::uint64_t sum = 0;
        for (const auto& [why, times] : skipped) { sum += times; }
        return sum;
    }
};

/// Reads records from lines; of those with the same table and id the first one. What is skipped is told, line by line
/// up to twenty, then as a sum.
class intake {
public:
    /// Borrows all that it is given.
    intake(std::string_view name, const selection& of, const support::log& log) : name_{name}, of_{of}, log_{log} {}

    /// Calls `take(record, instant)` for each record, in the order of the lines; the instant is absent where there is
    /// none that can be read.
    template <class Take>
    auto read(std::istream& in, Take&& take) -> intake_report {
        each_line(
            in, [&](std::size_t number, std::string_view text) { line(number, text, take); },
            [&](std::size_t number) {
                ++report_.lines;
                skip(number, skip_reason::malformed_line, "a line of more than 1 MiB");
            });
        if (const auto all = report_.all_skipped(); all > most_told) {
            log_.line(support::log_level::warning, "{}: {} more lines skipped", freshet::printable(name_),
                      all - most_told);
        }
        return std::move(report_);
    }

private:
    static constexpr std::uint64_t most_told = 20;

    template <class Take>
    void line(std::size_t number, std::string_view text, Take& take) {
        if (text.find_first_not_of(" \t\r") == std::string_view::npos) { return; }
        const auto read = read_record(text);
        if (!read) {
            ++report_.lines;
            return skip(number, skip_reason::malformed_line,
                        fmt::format("{} (byte {})", read.fault().reason, read.fault().offset));
        }
        if (!of_.holds(read->series.table, read->series.account)) { return; }
        ++report_.lines;
        const auto at = read_instant(read->created_at);
        if (!seen_.insert(joined_key(read->series.table, read->id))) {
            ++report_.duplicates;
            return;
        }
        take(*read, at);
        if (at) { return; }
        if (read->created_at.empty()) { return skip(number, skip_reason::no_timestamp, "no createdAt"); }
        skip(number, skip_reason::bad_timestamp, "createdAt is no RFC 3339 time: " + read->created_at);
    }

    void skip(std::size_t number, skip_reason why, std::string_view words) {
        ++report_.skipped[why];
        if (report_.all_skipped() > most_told) { return; }
        log_.line(support::log_level::warning, "{}:{}: {}: {}", freshet::printable(name_), number, name_of(why),
                  freshet::printable(words));
    }

    std::string_view name_;
    const selection& of_;
    const support::log& log_;
    intake_report report_;
    freshet::id_set seen_;
};

/// A file that is open for reading, `-` being stdin.
class input_file {
public:
    /// `malformed` where it cannot be read.
    [[nodiscard]] static auto open(const std::string& name) -> freshet::result<input_file> {
        if (name.ends_with(".gz")) { return unreadable(name, "is compressed: zcat it, and --input - reads stdin"); }
        input_file made{name};
        if (name == "-") {
            std::cin.peek();
            if (std::ferror(stdin) != 0) { return unreadable(name, std::strerror(errno)); }
            std::cin.clear();
            return made;
        }
        made.file_.open(name, std::ios::binary);
        if (!made.file_ || (made.file_.peek() == std::ifstream::traits_type::eof() && made.file_.bad())) {
            return unreadable(name, std::strerror(errno));
        }
        made.file_.clear();
        return made;
    }

    /// Reads it to its end, as `intake` does.
    template <class Take>
    [[nodiscard]] auto read(const selection& of, const support::log& log, Take&& take)
        -> freshet::result<intake_report> {
        const bool is_stdin = name_ == "-";
        auto& in = is_stdin ? std::cin : static_cast<std::istream&>(file_);
        auto report = intake{name_, of, log}.read(in, take);
        // What fails to be read looks to `std::cin` like its end.
        if (in.bad() || (is_stdin && std::ferror(stdin) != 0)) {
            return unreadable(name_, "cannot be read to its end");
        }
        return report;
    }

private:
    explicit input_file(std::string name) : name_{std::move(name)} {}
    [[nodiscard]] static auto unreadable(const std::string& name, std::string_view why) -> freshet::error {
        return {freshet::errc::malformed, (name == "-" ? "stdin" : freshet::printable(name)) + ": " + std::string{why}};
    }

    std::string name_;
    std::ifstream file_;
};

} // namespace metrics
