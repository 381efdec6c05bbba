#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <freshet/core/observe.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/message_batch.hpp>
#include <receipts/change_messages.hpp>
#include <stream_to_fifo/files.hpp>
#include <stream_to_fifo/input.hpp>
#include <stream_to_fifo/settings.hpp>
#include <support/log.hpp>
#include <support/printing.hpp>

namespace stream_to_fifo {

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
            if (is_blank(line)) { continue; }
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
        if (!is_written(write_whole(messages_, lines_, wanted_.output))) { return false; }
        if (!batch_.empty()) { log_.line(level::info, "Sent {} messages to compaction queue", batch_.size()); }
        return respond(verdict.response([&](std::size_t i) { return (*records)[i].sequence(); }));
    }

    [[nodiscard]] auto respond(const freshet::batch_response& response) -> bool {
        return responses_ == nullptr || is_written(write_response(responses_, response, *wanted_.response));
    }

    [[nodiscard]] auto is_written(const freshet::result<void>& written) const -> bool {
        if (!written) { log_.line(level::error, "{}", written.why().note); }
        return written.ok();
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

/// The whole program over its settings, on `input`, which is called `name`.
[[nodiscard]] inline auto run_on(const settings& wanted, std::istream& input, const std::string& name) -> int {
    const output_file messages{wanted.output};
    if (messages.get() == nullptr) { return refuse_file(wanted.output, std::strerror(errno)); }
    std::optional<output_file> responses;
    if (wanted.response && responses.emplace(*wanted.response).get() == nullptr) {
        return refuse_file(*wanted.response, std::strerror(errno));
    }

    program it{wanted, input, name, messages.get(), responses ? responses->get() : nullptr};
    const auto code = it.run();
    if (!wanted.json_summary) { return code; }
    support::print(it.summary().as_json().dump() + '\n');
    return end_of_output(code);
}

/// The whole program over its settings.
[[nodiscard]] inline auto run(const settings& wanted) -> int {
    const auto input = wanted.input.value_or("-");
    // Opening an output empties it: what is read, or written otherwise, must not be lost by that.
    if (same_file(input, "/dev/stdin", wanted.output, "/dev/stdout")) {
        return refuse_file(wanted.output, "is the input too");
    }
    if (wanted.response) {
        if (same_file(input, "/dev/stdin", *wanted.response, "/dev/stdout")) {
            return refuse_file(*wanted.response, "is the input too");
        }
        if (same_file(wanted.output, "/dev/stdout", *wanted.response, "/dev/stdout")) {
            return refuse_file(*wanted.response, "is the output too");
        }
    }
    const auto use = [&](std::istream& in, const std::string& name) { return run_on(wanted, in, name); };
    return with_input(input, {}, use);
}

} // namespace stream_to_fifo
