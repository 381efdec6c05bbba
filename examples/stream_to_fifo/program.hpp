#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/message_batch.hpp>
#include <receipts/change_messages.hpp>
#include <stream_to_fifo/settings.hpp>
#include <support/log.hpp>

namespace stream_to_fifo {

enum exit_code { all_well = 0, some_failed = 1, wrong_usage = 2, unreachable = 3 };

/// What a run did, for its summary.
struct totals {
    std::size_t events{};
    std::size_t refused_events{};
    std::size_t records{};
    receipts::change_counts counts{};
    std::map<std::string, std::size_t, std::less<>> messages; // by queue

    [[nodiscard]] auto as_json() const -> nlohmann::ordered_json {
        std::size_t sent = 0;
        for (const auto& [queue, count] : messages) { sent += count; }
        return {{"events", events},        {"refused_events", refused_events}, {"records", records},
                {"changed", counts.built}, {"unchanged", counts.unchanged},    {"ignored", counts.ignored},
                {"expired", counts.expired}, {"failed", counts.failed},        {"messages", sent},
                {"by_queue", messages}};
    }
};

/// Appends `{"queue":…,"group":…,"dedup":…,"body":{…}}` and a line end.
inline void append_line(std::string& lines, const freshet::message_view& message) {
    const auto quoted = [&](std::string_view text) { freshet::detail::append_json_string(lines, text); };
    lines += R"({"queue":)";
    quoted(message.queue);
    lines += R"(,"group":)";
    quoted(message.group_id);
    lines += R"(,"dedup":)";
    quoted(message.deduplication_id);
    lines += R"(,"body":)";
    lines += message.body;
    lines += "}\n";
}

/// Turns events into messages, line by line: the pure parts of the library between two files.
class program {
public:
    program(settings wanted, std::istream& in, std::string in_name, std::FILE* messages, std::FILE* responses)
        : wanted_{std::move(wanted)},
          in_{in},
          in_name_{std::move(in_name)},
          messages_{messages},
          responses_{responses} {}

    /// Reads until the input ends. A line that is no event, or a record that is no record, fails alone.
    auto run() -> exit_code {
        for (std::string line; std::getline(in_, line);) {
            ++line_number_;
            if (line.find_first_not_of(" \t\r") == std::string::npos) { continue; }
            if (!event(line)) { return unreachable; }
        }
        if (in_.bad()) {
            log_.line(level::error, "{}: cannot be read to its end", in_name_);
            return unreachable;
        }
        return totals_.refused_events + totals_.counts.failed == 0 ? all_well : some_failed;
    }

    [[nodiscard]] auto summary() const -> const totals& { return totals_; }

private:
    using level = support::log_level;

    /// One event in, its messages and its response out; false if they cannot be written.
    [[nodiscard]] auto event(const std::string& line) -> bool {
        ++totals_.events;
        const auto records = decoder_.decode(line);
        if (!records) {
            ++totals_.refused_events;
            log_.line(level::error, "{}",
                      records.fault().as_error(fmt::format("Refused the event on line {}", line_number_)).note);
            return respond(freshet::batch_response::fail_all());
        }
        log_.line(level::info, "Processing {} DynamoDB stream records", records->size());
        totals_.records += records->size();

        batch_.clear();
        freshet::batch_verdict verdict{records->size(), freshet::isolation::record}; // a file is not delivered again
        totals_.counts += translate_.add(*records, batch_, verdict);

        lines_.clear();
        for (const auto message : batch_) {
            append_line(lines_, message);
            const auto queue = totals_.messages.find(message.queue);
            ++(queue != totals_.messages.end() ? queue->second : totals_.messages[std::string{message.queue}]);
        }
        if (!write(messages_, lines_, wanted_.output)) { return false; }
        if (!batch_.empty()) { log_.line(level::info, "Sent {} messages to compaction queue", batch_.size()); }
        return respond(verdict.response([&](std::size_t i) { return (*records)[i].sequence(); }));
    }

    [[nodiscard]] auto respond(const freshet::batch_response& response) -> bool {
        if (responses_ == nullptr) { return true; }
        lines_.clear();
        freshet::write_response(lines_, response);
        lines_ += '\n';
        return write(responses_, lines_, *wanted_.response);
    }

    /// Whole lines at once, and out of the process before the next event: a killed run leaves whole events behind.
    [[nodiscard]] auto write(std::FILE* file, const std::string& text, std::string_view name) -> bool {
        if (std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0) { return true; }
        log_.line(level::error, "{}: cannot be written: {}", name == "-" ? "stdout" : name, std::strerror(errno));
        return false;
    }

    /// What the translation reports becomes log lines.
    struct reporter {
        program& self;
        void on(const freshet::record_failed& event) {
            const auto id = event.event_id.empty() ? "(no event id)" : freshet::printable(event.event_id);
            self.log_.line(level::error, "Error processing stream record {}: {}", id, event.why.note);
        }
        void on(const freshet::id_mapped& event) {
            self.log_.line(level::info, "Queues do not take the id '{}': '{}' stands for it",
                           freshet::printable(event.raw), event.id);
        }
    };

    settings wanted_;
    std::istream& in_;
    std::string in_name_;
    std::FILE* messages_;
    std::FILE* responses_;
    support::log log_{wanted_.level};
    reporter reporter_{*this};
    receipts::change_messages<reporter> translate_{wanted_.messages, reporter_};
    freshet::event_decoder decoder_;
    freshet::message_batch batch_;
    std::string lines_;
    std::size_t line_number_{};
    totals totals_;
};

/// A file to write to, or stdout for `-`; closed again unless it is stdout.
class output_file {
public:
    explicit output_file(const std::string& name) : file_{name == "-" ? stdout : std::fopen(name.c_str(), "wb")} {}
    output_file(const output_file&) = delete;
    auto operator=(const output_file&) -> output_file& = delete;
    ~output_file() {
        if (file_ != nullptr && file_ != stdout) { std::fclose(file_); }
    }
    [[nodiscard]] auto get() const -> std::FILE* { return file_; }

private:
    std::FILE* file_;
};

/// Whether both names mean one regular file, there already or not; `-` is whatever the stream was redirected to.
[[nodiscard]] inline auto same_file(const std::string& a, const char* a_stream, const std::string& b,
                                    const char* b_stream) -> bool {
    if (a == "-" && b == "-" && a_stream == std::string_view{b_stream}) { return true; }
    const std::filesystem::path first = a == "-" ? a_stream : a;
    const std::filesystem::path second = b == "-" ? b_stream : b;
    std::error_code failed;
    if (std::filesystem::is_regular_file(first, failed)) { return std::filesystem::equivalent(first, second, failed); }
    if (a == "-" || b == "-" || std::filesystem::exists(first, failed)) { return false; }
    const auto named = std::filesystem::weakly_canonical(first, failed);
    return !failed && named == std::filesystem::weakly_canonical(second, failed) && !failed;
}

/// The whole program over its settings, on `input`, which is called `name`.
[[nodiscard]] inline auto run_on(const settings& wanted, std::istream& input, const std::string& name) -> int {
    const auto cannot_open = [](const std::string& file) {
        fmt::print(stderr, "stream_to_fifo: {}: {}\n", file, std::strerror(errno));
        return static_cast<int>(wrong_usage);
    };
    const output_file messages{wanted.output};
    if (messages.get() == nullptr) { return cannot_open(wanted.output); }
    std::optional<output_file> responses;
    if (wanted.response && responses.emplace(*wanted.response).get() == nullptr) {
        return cannot_open(*wanted.response);
    }

    program it{wanted, input, name, messages.get(), responses ? responses->get() : nullptr};
    const auto code = it.run();
    if (!wanted.json_summary) { return code; }
    fmt::print("{}\n", it.summary().as_json().dump());
    return std::fflush(stdout) == 0 ? code : unreachable;
}

/// The whole program over its settings.
[[nodiscard]] inline auto run(const settings& wanted) -> int {
    const auto refuse = [](const std::string& file, std::string_view why) {
        fmt::print(stderr, "stream_to_fifo: {}: {}\n", file, why);
        return static_cast<int>(wrong_usage);
    };
    const auto input = wanted.input.value_or("-");
    // Opening an output empties it: what is read, or written otherwise, must not be lost by that.
    if (same_file(input, "/dev/stdin", wanted.output, "/dev/stdout")) {
        return refuse(wanted.output, "is the input too");
    }
    if (wanted.response) {
        if (same_file(input, "/dev/stdin", *wanted.response, "/dev/stdout")) {
            return refuse(*wanted.response, "is the input too");
        }
        if (same_file(wanted.output, "/dev/stdout", *wanted.response, "/dev/stdout")) {
            return refuse(*wanted.response, "is the output too");
        }
    }
    if (input == "-") {
        if (::fcntl(STDIN_FILENO, F_GETFD) == -1) { return refuse("stdin", std::strerror(errno)); }
        std::ios::sync_with_stdio(false); // or a read error would look like the end
        return run_on(wanted, std::cin, "stdin");
    }
    std::ifstream file{input, std::ios::binary};
    // A directory opens well and fails at its first byte.
    if (!file || (file.peek() == std::ifstream::traits_type::eof() && file.bad())) {
        return refuse(input, std::strerror(errno));
    }
    file.clear();
    return run_on(wanted, file, input);
}

} // namespace stream_to_fifo
