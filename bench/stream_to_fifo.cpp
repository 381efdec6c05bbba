#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <freshet/item/event_decoder.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/message_batch.hpp>
#include <receipts/change_messages.hpp>

#include <peers/nlohmann_stream.hpp>
#include <ratios.hpp>
#include <support/allocations.hpp>
#include <support/events.hpp>

/// The whole path from an event's text to messages, against the same over a DOM.
namespace {

class ours {
public:
    auto translate(const std::string& event) -> const freshet::message_batch& {
        const auto records = decoder_.decode(event);
        freshet_bench::expect_same(records.ok(), "an event was refused");
        batch_.clear();
        freshet::batch_verdict verdict{records->size(), freshet::isolation::record};
        failed_ += translate_.add(*records, batch_, verdict).failed;
        return batch_;
    }
    [[nodiscard]] auto failed() const -> std::size_t { return failed_; }

private:
    freshet::unobserved nobody_;
    receipts::change_messages<> translate_{{}, nobody_};
    freshet::event_decoder decoder_;
    freshet::message_batch batch_;
    std::size_t failed_{};
};

/// Every message on both sides: queue and ids as they are, bodies as JSON.
auto compare(ours& mine, const std::vector<std::string>& events) -> std::size_t {
    std::size_t count = 0;
    std::vector<nlohmann_peer::message> theirs;
    for (const auto& event : events) {
        theirs.clear();
        nlohmann_peer::translate(event, theirs);
        const auto& messages = mine.translate(event);
        freshet_bench::expect_same(messages.size() == theirs.size(), "how many messages");
        for (std::size_t i = 0; i < theirs.size(); ++i) {
            const auto message = messages[i];
            freshet_bench::expect_same(message.queue == theirs[i].queue, "a queue");
            freshet_bench::expect_same(message.group_id == theirs[i].group, "a group");
            freshet_bench::expect_same(message.deduplication_id == theirs[i].deduplication_id, "a deduplication id");
            freshet_bench::expect_same(nlohmann::json::parse(message.body) == nlohmann::json::parse(theirs[i].body), "a body");
        }
        count += theirs.size();
    }
    freshet_bench::expect_same(mine.failed() == 0, "a record failed");
    return count;
}

} // namespace

auto main(int argc, char** argv) -> int {
    const auto input = freshet_bench::load_events();
    ours mine;
    std::printf("%zu messages are equal on both sides\n", compare(mine, input.events));

    const auto run_ours = [&] {
        for (const auto& event : input.events) { benchmark::DoNotOptimize(mine.translate(event).size()); }
    };
    const auto allocated = freshet_bench::allocations();
    run_ours();
    std::printf("%zu allocations in %zu records\n", freshet_bench::allocations() - allocated, input.records);

    std::vector<nlohmann_peer::message> theirs;
    const auto run_dom = [&] {
        for (const auto& event : input.events) {
            theirs.clear();
            nlohmann_peer::translate(event, theirs);
            benchmark::DoNotOptimize(theirs.data());
        }
    };
    freshet_bench::race("stream event to FIFO messages, a record", {{"freshet", run_ours}, {"nlohmann DOM", run_dom}}, input.records);
    return freshet_bench::run_races(argc, argv);
}
