#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <support/printing.hpp>
#include <table_cache/output.hpp>
#include <table_cache/places.hpp>
#include <table_cache/player.hpp>
#include <table_cache/settings.hpp>
#include <table_cache/storm.hpp>
#include <table_cache/timeline.hpp>
#include <table_cache/transcript.hpp>

namespace email_agent {

/// A timeline, and how many of its lines were left out.
struct input {
    timeline all;
    std::size_t bad_lines{};
};

/// The timeline of a file, `-` being stdin. `malformed` where it cannot be read, or no line of it is an event; other
/// lines are told on stderr and left out.
[[nodiscard]] inline auto read_input(const std::string& name) -> freshet::result<input> {
    const auto shown = freshet::printable(name == "-" ? "stdin" : name);
    const auto refuse = [&](std::string_view why) {
        return freshet::error{freshet::errc::malformed, shown + ": " + std::string{why}};
    };
    std::ifstream file;
    if (name != "-") {
        errno = 0;
        file.open(name, std::ios::binary);
        if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad())) {
            return refuse(std::strerror(errno));
        }
        file.clear();
    }
    auto& in = name == "-" ? std::cin : file;
    input made;
    made.all = read_timeline(in, [&](std::size_t line, const std::string& why) {
        ++made.bad_lines;
        support::complain("table_cache: {}:{}: {}\n", shown, line, freshet::printable(why, 400));
    });
    if (in.bad()) { return refuse("cannot be read to its end"); }
    if (made.all.empty()) { return refuse(made.bad_lines == 0 ? "is empty" : "no line of it is an event"); }
    return made;
}

/// Plays a timeline where the settings want it; fails where the tables cannot be used, and with `expired` after a stop.
[[nodiscard]] inline auto play(const settings& wanted, const timeline& all, const transcript& to,
                               const std::stop_token& stop = {}) -> freshet::result<outcome> {
    freshet::testing::manual_clock clock{all.empty() ? freshet::time_point{} : all.front().at};
    if (!wanted.directory) {
        memory_place place{clock};
        return player{place, clock, wanted, to}.play(all, stop);
    }
    auto place = sqlite_place::open(*wanted.directory, clock);
    if (!place) { return std::move(place).why(); }
    return player{*place, clock, wanted, to}.play(all, stop);
}

/// The whole program over its settings.
[[nodiscard]] inline auto run(const settings& wanted) -> int {
    const auto refuse = [](const freshet::error& why, exit_code code) {
        support::complain("table_cache: {}\n", why.note);
        return code;
    };
    auto day = wanted.input ? read_input(*wanted.input)
                            : storm().transform([](timeline all) { return input{std::move(all)}; });
    if (!day) { return refuse(day.why(), wrong_usage); }
    auto* const shown = wanted.json ? stderr : stdout;
    const transcript to{wanted.level,
                        [&](const std::string& line) { std::fwrite(line.data(), 1, line.size(), shown); }};
    const auto done = play(wanted, day->all, to);
    if (!done) { return refuse(done.why(), unreachable); }
    if (wanted.json) {
        support::print(as_json(*done, wanted.caching).dump(-1, ' ', false, json::error_handler_t::replace) + '\n');
    } else {
        support::print(as_text(*done, wanted.caching));
    }
    if (!support::all_printed("table_cache")) { return unreachable; }
    return std::max<int>(done->code(), day->bad_lines == 0 ? all_well : some_failed);
}

} // namespace email_agent
