#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include <freshet/core/observe.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/letter/queue_id.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/message_batch.hpp>
#include <receipts/change_messages.hpp>

// Two bytes of options, then an event: whatever becomes a message is one that a queue takes.
namespace {

void expect(bool held) {
    if (!held) { std::abort(); }
}

void check(const freshet::message_view& message, std::size_t most) {
    expect(message.queue == "lines" || message.queue == "words");
    expect(freshet::is_queue_id(message.group_id) && freshet::is_queue_id(message.deduplication_id));
    expect(message.payload_bytes() <= most && !message.body.empty() && !message.sequence.empty() &&
           message.sequence.size() <= 40);
    expect(message.body.find("\xef\xbf\xbe") == std::string_view::npos &&
           message.body.find("\xef\xbf\xbf") == std::string_view::npos);
    expect(message.body.find('\0') == std::string_view::npos);
    expect(nlohmann::json::accept(message.body));
    const auto body = nlohmann::json::parse(message.body);
    expect(body.size() == 9 && body["source"] == "dynamodb_stream" && body["entity_data"].is_object() &&
           body["changes"].is_object());
}

} // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    if (size < 2) { return 0; }
    const auto bit = [&](unsigned i) { return ((data[0] >> i) & 1U) != 0; };
    receipts::change_messages_options options;
    options.builder = {.inserts = bit(0),
                       .modifies = bit(1),
                       .removes = bit(2),
                       .limits = {.message_bytes = bit(5) ? data[1] * 16U : 1'048'576U}};
    options.detector.null_is_absent = bit(3);
    if (bit(4)) { options.fields[0] = {"a", "receipt_id", "", "image_id", "\xef\xbf\xbf", "\x01"}; }
    std::size_t failures = 0;
    freshet::watch seen{freshet::on<freshet::id_mapped>(
                            [](const freshet::id_mapped& event) { expect(freshet::is_queue_id(event.id)); }),
                        freshet::on<freshet::record_failed>(
                            [&](const freshet::record_failed& event) { failures += event.why.note.empty() ? 0 : 1; })};
    freshet::event_decoder decoder;
    const auto records = decoder.decode({reinterpret_cast<const char*>(data) + 2, size - 2});
    if (!records) { return 0; }
    receipts::change_messages maker{options, seen};
    freshet::message_batch out;
    freshet::batch_verdict verdict{records->size()};
    const auto counts = maker.add(*records, out, verdict);
    expect(counts.built + counts.unchanged + counts.ignored + counts.expired + counts.failed == records->size());
    expect(counts.failed == failures && verdict.unfinished() == failures && out.size() >= counts.built);
    for (const auto message : out) { check(message, options.builder.limits.message_bytes); }
    return 0;
}
