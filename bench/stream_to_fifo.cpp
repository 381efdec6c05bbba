// Turns events into messages, the whole path: decode, key, changes, body, group and deduplication id.
#include <receipts/change_messages.hpp>

#include <cstddef>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <freshet/item/event_decoder.hpp>
#include <freshet/stream/batch_verdict.hpp>
#include <freshet/stream/message_batch.hpp>
#include <peers/exact_numbers.hpp>
#include <peers/nlohmann_stream.hpp>
#include <ratios.hpp>
#include <support/allocations.hpp>
#include <support/events.hpp>

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

/// Every message on both sides: queue and ids as they are, bodies as JSON, once with each number's own digits.
auto compare(ours& mine, const std::vector<std::string>& events) -> std::size_t {
    std::size_t count = 0;
    std::vector<nlohmann_peer::message> theirs;
    std::vector<nlohmann_peer::message> exactly;
    for (const auto& event : events) {
        theirs.clear();
        nlohmann_peer::translate(event, theirs);
        exactly.clear();
        nlohmann_peer::translate<nlohmann_peer::exact_numbers>(event, exactly);
        const auto& messages = mine.translate(event);
        freshet_bench::expect_same(messages.size() == theirs.size(), "how many messages");
        for (std::size_t i = 0; i < theirs.size(); ++i) {
            const auto message = messages[i];
            freshet_bench::expect_same(message.queue == theirs[i].queue, "a queue");
            freshet_bench::expect_same(message.group_id == theirs[i].group, "a group");
            freshet_bench::expect_same(message.deduplication_id == theirs[i].deduplication_id, "a deduplication id");
            freshet_bench::expect_same(nlohmann::json::parse(message.body) == nlohmann::json::parse(theirs[i].body),
                                       "a body");
            freshet_bench::expect_same(nlohmann_peer::read_exactly(message.body).dump() == exactly[i].body,
                                       "a body's digits");
        }
        count += theirs.size();
    }
    freshet_bench::expect_same(mine.failed() == 0, "a record failed");
    return count;
}

/// The records that make messages, without the others.
auto only_sending(const std::vector<std::string>& events) -> freshet_bench::event_input {
    freshet_bench::event_input input{.origin = "those that make messages"};
    std::vector<nlohmann_peer::message> messages;
    for (const auto& event : events) {
        messages.clear();
        nlohmann_peer::translate(event, messages);
        std::set<std::string_view> sent;
        for (const auto& message : messages) { sent.insert(message.deduplication_id); }
        auto parsed = nlohmann::ordered_json::parse(event);
        auto kept = nlohmann::ordered_json::array();
        for (auto& record : parsed["Records"]) {
            if (sent.contains(record["eventID"].get_ref<const std::string&>())) { kept.push_back(std::move(record)); }
        }
        parsed["Records"] = std::move(kept);
        input.events.push_back(parsed.dump());
    }
    freshet_bench::count_and_print(input);
    return input;
}

/// Compares the answers, counts what each side allocates in steady state, and registers the race.
void race(const std::string& title, ours& mine, const freshet_bench::event_input& input) {
    const auto run_ours = [&mine, &input] {
        for (const auto& event : input.events) { benchmark::DoNotOptimize(mine.translate(event).size()); }
    };
    auto run_dom = [&input, theirs = std::vector<nlohmann_peer::message>{}]() mutable {
        for (const auto& event : input.events) {
            theirs.clear();
            nlohmann_peer::translate(event, theirs);
            benchmark::DoNotOptimize(theirs.data());
        }
    };
    const auto messages = compare(mine, input.events);
    const auto allocated_by = [](auto& run) {
        const auto before = freshet_bench::allocations();
        run();
        return freshet_bench::allocations() - before;
    };
    const auto count = static_cast<double>(input.records);
    std::printf("  %zu messages, equal on both sides; allocations a record: freshet %.4f, nlohmann DOM %.1f\n",
                messages, static_cast<double>(allocated_by(run_ours)) / count,
                static_cast<double>(allocated_by(run_dom)) / count);
    // 250,000 records of 2.3 KB a second; lighter ones have to be as much quicker.
    const auto nanoseconds = 4'000 * static_cast<double>(input.bytes) / count / 2'300;
    freshet_bench::race(title,
                        {{"freshet", run_ours, {.nanoseconds = nanoseconds}}, {"nlohmann DOM", run_dom, {.ratio = 20}}},
                        input.records);
}

} // namespace

auto main(int argc, char** argv) -> int {
    ours mine;
    const auto all = freshet_bench::load_events();
    race("event to FIFO messages", mine, all);
    const auto sending = only_sending(all.events);
    race("the same where every record makes some", mine, sending);
    return freshet_bench::run_races(argc, argv);
}
