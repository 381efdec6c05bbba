#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <demo/cached_day.hpp>
#include <demo/command.hpp>
#include <demo/output.hpp>
#include <demo/progress.hpp>
#include <demo/roles.hpp>
#include <demo/verify_process.hpp>
#include <demo/whole.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <receipts/items.hpp>
#include <receipts/receipts_file.hpp>
#include <receipts/sample_receipts.hpp>
#include <support/printing.hpp>
#include <support/stop_on_signal.hpp>

namespace demo {

/// One run of the program on data that lie there.
template <class Place>
class program {
public:
    explicit program(command wanted) : wanted_{std::move(wanted)} {}

    [[nodiscard]] auto run() -> int {
        if (auto ready = look(); !ready) { return fail(ready.why()); }
        const auto code = wanted_.role.empty()        ? all()
                          : wanted_.role == "load"    ? load()
                          : wanted_.role == "write"   ? write()
                          : wanted_.role == "pump"    ? pump()
                          : wanted_.role == "consume" ? consume()
                          : wanted_.role == "verify"  ? verify()
                                                      : redrive();
        return support::all_printed("demo") ? code : static_cast<int>(unreachable);
    }

private:
    /// Says why there is no going on.
    auto fail(const freshet::error& why) -> int {
        shown_.clear();
        support::complain("demo: {}\n", why.note);
        const bool stopped = why.code == freshet::errc::expired && stop_.token().stop_requested();
        return stopped ? some_failed : unreachable;
    }

    template <class Report>
    auto say(const Report& report, int code) -> int {
        shown_.clear();
        if (wanted_.json) {
            support::print(as_json(report).dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
        } else {
            support::print(as_text(report));
        }
        return code;
    }

    /// The role's answer, in words, and the code that follows from it.
    template <class Report, class Judge>
    auto answer(const freshet::result<Report>& done, Judge judge) -> int {
        return done ? say(*done, judge(*done)) : fail(done.why());
    }

    [[nodiscard]] auto open() -> freshet::result<void> {
        return Place::open(wanted_.how, clock_).transform([&](Place there) { here_.emplace(std::move(there)); });
    }

    /// Whether there are receipts; all roles but `load` need some.
    [[nodiscard]] auto look() -> freshet::result<void> {
        if (auto opened = open(); !opened) { return opened; }
        const auto there = here_->has_items();
        if (!there) { return there.why(); }
        has_items_ = *there;
        if (*there || wanted_.role.empty() || wanted_.role == "load") { return {}; }
        return freshet::error{freshet::errc::denied, here_->name() + ": there are no receipts; load puts some there"};
    }

    /// Makes a directory where none is named.
    [[nodiscard]] auto make_directory() -> freshet::result<void> {
        auto& directory = wanted_.how.directory;
        if (!directory.empty()) { return {}; }
        std::error_code failed;
        directory = (std::filesystem::temp_directory_path(failed) / "freshet-demo-XXXXXX").string();
        if (failed || ::mkdtemp(directory.data()) == nullptr) {
            return freshet::error{freshet::errc::denied,
                                  fmt::format("{}: {}", directory, failed ? failed.message() : std::strerror(errno))};
        }
        support::complain("demo: the data are in {}\n", directory);
        return {};
    }

    /// The receipts that were asked for; or the exit code, where they cannot be read.
    [[nodiscard]] auto scanned() -> std::pair<std::vector<receipts::scanned_receipt>, std::optional<int>> {
        if (!wanted_.input) { return {receipts::sample_receipts{}.make(wanted_.receipts.value_or(300)), std::nullopt}; }
        const auto& name = *wanted_.input;
        const auto refuse = [&](std::string_view why) {
            support::complain("demo: {}: {}\n", freshet::printable(name), why);
            return std::pair{std::vector<receipts::scanned_receipt>{}, std::optional<int>{wrong_usage}};
        };
        if (name.ends_with(".gz")) { return refuse("is compressed: zcat it, and --input - reads stdin"); }
        std::ifstream file;
        if (name != "-") {
            file.open(name, std::ios::binary);
            if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad())) {
                return refuse(std::strerror(errno));
            }
            file.clear();
        }
        auto& in = name == "-" ? std::cin : file;
        auto read = receipts::read_receipts(in, wanted_.receipts.value_or(std::numeric_limits<std::size_t>::max()),
                                            [&](std::size_t line, const std::string& why) {
                                                ++bad_lines_;
                                                support::complain("demo: {}:{}: {}\n", freshet::printable(name), line,
                                                           freshet::printable(why, 200));
                                            });
        if (in.bad()) { return refuse("cannot be read to its end"); }
        if (read.empty()) { return refuse(bad_lines_ == 0 ? "has no receipts" : "has no receipts that can be read"); }
        return {std::move(read), std::nullopt};
    }

    [[nodiscard]] auto failed_if(bool some) const -> int { return some || bad_lines_ != 0 ? some_failed : all_well; }

    auto load() -> int {
        const auto [receipts, code] = scanned();
        if (code) { return *code; }
        return answer(demo::load(*here_, receipts), [&](const auto&) { return failed_if(false); });
    }
    auto write() -> int {
        return answer(demo::write(wanted_.how, *here_, wanted_.run.edits, wanted_.run.seed, stop_.token()),
                      [](const auto&) { return all_well; });
    }
    auto pump() -> int {
        return answer(demo::pump(wanted_.how, *here_, end(), stop_.token()),
                      [&](const freshet::batch_report& done) { return failed_if(done.dead_lettered != 0); });
    }
    auto consume() -> int {
        return answer(demo::consume(wanted_.how, *here_, end(), stop_.token()),
                      [&](const freshet::consume_report& done) { return failed_if(done.dead_lettered != 0); });
    }
    auto verify() -> int {
        return answer(demo::verify(*here_), [](const receipts::comparison& found) {
            return found.agrees() ? all_well : check_failed;
        });
    }
    auto redrive() -> int {
        return answer(demo::redrive(wanted_.how, *here_),
                      [&](const freshet::redrive_report& done) { return failed_if(done.failed + done.held != 0); });
    }
    auto all() -> int {
        std::vector<receipts::scanned_receipt> receipts;
        if (!has_items_) {
            auto [read, code] = scanned();
            if (code) { return *code; }
            receipts = std::move(read);
        } else if (wanted_.input || wanted_.receipts) {
            support::complain("demo: the table has items already: no receipts are read\n");
        }
        if (auto made = make_directory(); !made) { return fail(made.why()); }
        if (auto opened = open(); !opened) { return fail(opened.why()); } // it may have a directory now
        const auto compare = [&] { return verify_in_another_process(here_->arguments()); };
        const auto play = [&] { return play_day(wanted_.how.directory, stop_.token()); };
        const auto count = [&] {
            return count_records(wanted_.how.directory, clock_, wanted_.run.seed, stop_.token());
        };
        return answer(run_whole(wanted_.how, wanted_.run, *here_, receipts, compare, play, count, shown_, stop_.token()),
                      [&](const whole_report& done) {
                          return done.agrees() ? failed_if(done.dead_letters != 0)
                                               : static_cast<int>(check_failed);
                      });
    }
    [[nodiscard]] auto end() const -> until { return wanted_.drain ? until::drained : until::stopped; }

    command wanted_;
    support::stop_on_signal stop_;
    typename Place::clock_type clock_;
    std::optional<Place> here_;
    progress shown_;
    bool has_items_{};
    std::size_t bad_lines_{};
};

} // namespace demo
