#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/letter/dead_letter.hpp>
#include <freshet/letter/redrive.hpp>
#include <freshet/stream/consumer.hpp>
#include <freshet/stream/message_batch.hpp>
#include <freshet/stream/processor.hpp>
#include <freshet/stream/pump.hpp>
#include <freshet/stream/record_translator.hpp>
#include <freshet/testing/faults.hpp>
#include <freshet/testing/faulty_ledger.hpp>
#include <freshet/testing/faulty_queue.hpp>
#include <freshet/testing/faulty_stream.hpp>
#include <freshet/testing/faulty_table.hpp>
#include <freshet/testing/manual_clock.hpp>

#include <adapters/memory/change_stream.hpp>
#include <adapters/memory/ledger.hpp>
#include <adapters/memory/message_queue.hpp>
#include <adapters/memory/table.hpp>
#include <adapters/sqlite/change_stream.hpp>
#include <adapters/sqlite/ledger.hpp>
#include <adapters/sqlite/message_queue.hpp>
#include <adapters/sqlite/table.hpp>
#include <receipts/change_messages.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

#include <laws/letters.hpp>
#include <support/cases.hpp>
#include <support/faulty_projection.hpp>
#include <support/memory_projection.hpp>
#include <support/scratch_directory.hpp>

namespace flow {

using namespace std::chrono_literals;
using freshet::errc;
using freshet::result;
using freshet::testing::fault;
using freshet::testing::manual_clock;
using items = std::map<std::string, std::string>;

template <class T>
[[nodiscard]] auto must(result<T> done) -> T {
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    return *std::move(done);
}

/// What a world is made of: the lines' and the words' queue, each with its dead letters, and those of the stream.
struct world_options {
    bool fifo{true};
    unsigned max_receives{};
    unsigned receives{}; ///< after which a consumer buries what fails by itself
};

inline constexpr std::array queue_names{"lines", "words", "lines-dead", "words-dead", "stream-dead"};

struct in_memory {
    using table_type = adapters::memory::table<manual_clock>;
    using stream_type = adapters::memory::change_stream<manual_clock>;
    using queue_type = adapters::memory::message_queue<manual_clock>;
    using ledger_type = adapters::memory::ledger<manual_clock>;
    static constexpr std::size_t seeds = 8;

    explicit in_memory(const world_options& options) {
        for (std::size_t i = queue_names.size(); i-- != 0;) {
            const bool has_letters = i < 2 && options.max_receives != 0;
            queues[i] = std::make_unique<queue_type>(
                clock, adapters::queue_options{.name = queue_names[i], .fifo = options.fifo,
                                               .max_receives = has_letters ? options.max_receives : 0},
                has_letters ? queues[i + 2].get() : nullptr);
        }
    }

    manual_clock clock;
    table_type table{clock};
    stream_type stream{table};
    std::array<std::unique_ptr<queue_type>, queue_names.size()> queues;
    ledger_type ledger{clock};
};

struct in_sqlite {
    using table_type = adapters::sqlite::table<manual_clock>;
    using stream_type = adapters::sqlite::change_stream<manual_clock>;
    using queue_type = adapters::sqlite::message_queue<manual_clock>;
    using ledger_type = adapters::sqlite::ledger<manual_clock>;
    static constexpr std::size_t seeds = 2;

    explicit in_sqlite(const world_options& options) {
        for (std::size_t i = 0; i != queue_names.size(); ++i) {
            const bool has_letters = i < 2 && options.max_receives != 0;
            queues[i] = std::make_unique<queue_type>(must(queue_type::open(
                in.file("queues.db"), clock,
                {.name = queue_names[i], .fifo = options.fifo,
                 .max_receives = has_letters ? options.max_receives : 0,
                 .dead_letters = has_letters ? queue_names[i + 2] : ""},
                quick)));
            REQUIRE(queues[i]->file().run("PRAGMA synchronous = OFF"));
        }
    }

    static inline const adapters::sqlite::database_options quick{.durable = false, .busy = 20ms, .read_only = false};

    support::scratch_directory in;
    manual_clock clock;
    table_type table{must(table_type::open(in.file("items.db"), clock, {}, quick))};
    stream_type stream{must(stream_type::open(in.file("items.db"), clock, {}, quick))};
    std::array<std::unique_ptr<queue_type>, queue_names.size()> queues;
    ledger_type ledger{must(ledger_type::open(in.file("ledger.db"), clock, {}, quick))};
};

/// The monitored values of an item, one after the other; `value` finds them by name.
template <class Value>
[[nodiscard]] auto state_of(std::string_view sort, Value value) -> std::string {
    return sort.ends_with("#METADATA") ? value("merchant_name") + " / " + value("address")
                                       : value("validation_status") + " / " + value("reasoning");
}

/// A change message as the projections of these tests read it.
[[nodiscard]] inline auto read_change(const freshet::received_message& message) -> result<support::item_update> {
    const auto body = nlohmann::json::parse(message.body, nullptr, false);
    if (!body.is_object()) { return freshet::error{errc::malformed, "no change message: " + message.body}; }
    const auto& snapshot = body.at("record_snapshot");
    const auto sort = snapshot.at("SK").get<std::string>();
    support::item_update update{snapshot.at("PK").get<std::string>() + " " + sort, std::nullopt};
    if (body.at("event_name") != "REMOVE") {
        update.state = state_of(sort, [&](const char* name) -> std::string {
            const auto found = snapshot.find(name);
            return found == snapshot.end() || found->is_null() ? "-" : found->get<std::string>();
        });
    }
    return update;
}

/// What a process dies of.
struct killed {};

/// A writer, a pump, two consumers for each queue and a redriver, one step of one of them at a time; and inside their
/// calls to the backends, by chance, faults, deaths, time that passes, and steps of the others.
template <class Backends>
class world {
public:
    explicit world(std::uint64_t seed, const world_options& options, freshet::processor_options processing)
        : random_{seed}, options_{options}, processing_{processing}, here_{options} {
        for (std::size_t i = 0; i != queue_names.size(); ++i) {
            queues_[i] = std::make_unique<queue_type>(*here_.queues[i], script_, i < 2 ? "queue" : "dead");
        }
        REQUIRE(life_of_pump().start());
    }
    world(const world&) = delete;
    auto operator=(const world&) -> world& = delete;

    /// From now on things go wrong.
    void trouble(double rate, bool wild) {
        const auto other = fault::meanwhile([this] { nested(); });
        const auto pass = [this](freshet::duration span) {
            return fault::meanwhile([this, span] { here_.clock.advance(span); });
        };
        std::vector<fault> any{fault::before(), fault::before(errc::throttled), fault::after(), fault::after(),
                               fault::partly(1), fault::partly(3), fault::refuse({0}, errc::unavailable, true),
                               fault::refuse({1, 2}, errc::throttled, true), other, other, other, other, pass(3s),
                               pass(31s), pass(301s), fault::meanwhile([] { throw killed{}; })};
        if (wild) {
            any.push_back(pass(61min));
            any.push_back(fault::refuse({0}, errc::denied, false));
        }
        if (!options_.fifo) {
            for (int i = 0; i < 4; ++i) {
                any.push_back(fault::twice());
                any.push_back(fault::shuffled(random_()));
            }
        }
        script_.by_chance(rate, random_(), std::move(any));
    }
    void peace() { script_.by_chance(0, 0, {}); }

    void live(std::size_t steps) {
        while (steps-- != 0) {
            const auto what = below(20);
            if (what < 8) { write(); }
            else if (what < 11) { step_pump(); }
            else if (what < 17) { step_worker(below(workers)); }
            else if (what < 18) { redrive(below(3)); }
            else { here_.clock.advance(freshet::duration{1s} * (1 + below(5))); }
        }
    }

    /// Until everything is quiet: nothing is in the stream or a queue.
    void settle() {
        for (int round = 0; !quiet(); ++round) {
            REQUIRE(round < 200);
            REQUIRE(life_of_pump().drain());
            for (std::size_t i = 0; i != workers; ++i) { REQUIRE(life_of(i).drain()); }
            for (std::size_t i = 0; i != 3; ++i) { redrive(i); }
            here_.clock.advance(31s);
        }
    }

    /// A message that no consumer can read.
    void sabotage(std::size_t queue) {
        const auto body = "junk " + std::to_string(junk_sent_.size());
        junk_sent_.insert(body);
        const auto sequence = below(2) == 0 ? std::string{} : std::to_string(junk_sent_.size());
        REQUIRE(laws::send(*here_.queues[queue], {laws::letter{"junk", body.substr(5), body, sequence}}).empty());
    }
    [[nodiscard]] auto junk_is_accounted_for() const -> bool { return junk_sent_ == junk_found_; }

    void put(const std::string& pk, const std::string& sk, const std::string& members) {
        const auto item = must(freshet::document::parse(keys_of(pk, sk) + members + "}"));
        for (int tries = 0; !table_.put(item).ok() && tries < 3; ++tries) {}
    }
    void erase(const std::string& pk, const std::string& sk) {
        for (int tries = 0; !table_.erase({pk, sk}).ok() && tries < 3; ++tries) {}
    }
    void write() {
        try {
            write_something();
        } catch (const killed&) {
            // The next writer is as good.
        }
    }

    /// What the projection of a queue ought to hold, by the table.
    [[nodiscard]] auto wanted(std::size_t queue) -> items {
        items all;
        freshet::page_request request{.limit = 3};
        do {
            const auto page = must(here_.table.scan(request));
            for (const auto& row : page.rows) {
                const std::string sort{row.image().find("SK")->text()};
                const bool label = sort.find("#LABEL#") != std::string::npos;
                if (!sort.ends_with("#METADATA") && (queue == 0 || !label)) { continue; }
                all.emplace(std::string{row.image().find("PK")->text()} + " " + sort,
                            state_of(sort, [&](const char* name) -> std::string {
                                const auto found = row.image().find(name);
                                if (!found || found->type() == freshet::attribute_type::null) { return "-"; }
                                return std::string{found->text()};
                            }));
            }
            request.from = page.next;
        } while (request.from);
        return all;
    }
    [[nodiscard]] auto held(std::size_t queue) const -> items { return kept_[queue].items(); }

    /// The sequence numbers of all changes that make a message for a queue, by item, in order.
    [[nodiscard]] auto changes_for(std::size_t queue) -> items {
        translator translate{translation()};
        freshet::event_decoder decoder;
        freshet::message_batch messages;
        items all;
        const auto batch = must(here_.stream.read(must(here_.stream.oldest()), 1'000'000));
        for (const auto& change : batch.changes) {
            const auto event = R"({"Records":[)" + change.record + "]}";
            messages.clear();
            const auto records = decoder.decode(event);
            REQUIRE(records.ok());
            REQUIRE(translate.translate(*(*records)[0], 0, messages).ok());
            for (const auto message : messages) {
                if (message.queue != queue_names[queue]) { continue; }
                auto& list = all[change.key.partition + " " + change.key.sort];
                list.append(list.empty() ? "" : " ").append(change.sequence.view());
            }
        }
        return all;
    }
    [[nodiscard]] auto applied(std::size_t queue) const -> items {
        items all;
        for (const auto& one : kept_[queue].applied()) { all[one.item] = kept_[queue].sequences_of(one.item); }
        return all;
    }
    /// Of no item was a change applied before an older one.
    [[nodiscard]] auto only_ascends(std::size_t queue) const -> bool {
        std::map<std::string, freshet::sequence_number> last;
        return std::all_of(kept_[queue].applied().begin(), kept_[queue].applied().end(), [&](const auto& one) {
            const bool ascends = last[one.item] < one.mark.sequence;
            last[one.item] = one.mark.sequence;
            return ascends;
        });
    }

private:
    using queue_type = freshet::testing::faulty_queue<typename Backends::queue_type>;
    using stream_type = freshet::testing::faulty_stream<typename Backends::stream_type>;
    using ledger_type = freshet::testing::faulty_ledger<typename Backends::ledger_type>;
    using table_type = freshet::testing::faulty_table<typename Backends::table_type>;
    using store_type = support::faulty_projection<support::memory_projection>;
    using translator = freshet::record_translator<receipts::registry, receipts::routes>;
    using processor_type = freshet::processor<translator, queue_type, queue_type, manual_clock>;
    using pump_type = freshet::pump<stream_type, processor_type, manual_clock>;
    using worker_type = freshet::consumer<queue_type, queue_type, ledger_type, store_type, manual_clock>;
    static constexpr std::size_t workers = 4;

    [[nodiscard]] auto below(std::size_t bound) -> std::size_t { return random_() % bound; }

    [[nodiscard]] static auto keys_of(const std::string& pk, const std::string& sk) -> std::string {
        return R"({"PK":{"S":")" + pk + R"("},"SK":{"S":")" + sk + R"("})";
    }
    [[nodiscard]] static auto translation() -> freshet::record_translator_options<receipts::registry> {
        freshet::record_translator_options<receipts::registry> options;
        options.fields = receipts::default_monitored_fields();
        options.builder.inserts = true;
        return options;
    }

    void write_something() {
        static const std::array images{"IMAGE#3f52804b-2fad-4e00-92c8-b593da3a8ed3",
                                       "IMAGE#0a0a0a0a-2fad-4e00-92c8-b593da3a8ed4"};
        static const std::array sorts{"RECEIPT#00001#METADATA", "RECEIPT#00002#METADATA",
                                      "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#DATE",
                                      "RECEIPT#00001#LINE#00002#WORD#00003#LABEL#TAX",
                                      "RECEIPT#00001#LINE#00002#WORD#00004#LABEL#TAX", "RECEIPT#00001"};
        static const std::array texts{R"({"S":"one"})", R"({"S":"two"})", R"({"S":"three \"3\" é"})",
                                      R"({"NULL":true})"};
        const std::string pk = images[below(images.size())];
        const std::string sk = sorts[below(sorts.size())];
        const auto some = [&](const char* name) {
            return below(4) == 0 ? std::string{} : std::string{",\""} + name + "\":" + texts[below(texts.size())];
        };
        const bool metadata = sk.ends_with("METADATA");
        switch (below(8)) {
            case 0: return erase(pk, sk);
            case 1: { // a label becomes another one: another item
                erase(pk, sorts[2]);
                return put(pk, sorts[3], some("validation_status"));
            }
            case 2: {
                freshet::item_patch patch;
                const auto* name = metadata ? "address" : "reasoning";
                if (below(2) == 0) { patch.remove.emplace_back(name); }
                else { patch.set = must(freshet::document::parse("{" + some(name).erase(0, 1) + "}")); }
                static_cast<void>(table_.update({pk, sk}, patch));
                return;
            }
            default: {
                auto members = some(metadata ? "merchant_name" : "validation_status");
                members += some(metadata ? "address" : "reasoning");
                return put(pk, sk, members + some("note"));
            }
        }
    }

    /// The pump that lives now, or a new one.
    auto life_of_pump() -> pump_type& {
        if (!pump_) {
            processing_.sending.seed = random_();
            processor_ = std::make_unique<processor_type>(
                translator{translation()},
                freshet::queues_by_name<queue_type>{{"lines", queues_[0].get()}, {"words", queues_[1].get()}},
                *queues_[4], here_.clock, processing_);
            pump_ = std::make_unique<pump_type>(stream_, *processor_, here_.clock,
                                                freshet::pump_options{.batch = 1 + below(20), .seed = random_()});
        }
        return *pump_;
    }
    auto life_of(std::size_t worker) -> worker_type& {
        if (!workers_[worker]) {
            const auto queue = worker % 2;
            freshet::consumer_options options{
                .queue = queue_names[queue], .owner = "worker " + std::to_string(++lives_), .gather = 1 + below(40)};
            options.mode = options_.fifo ? freshet::consumer_mode::fifo : freshet::consumer_mode::standard;
            options.receives = options_.receives;
            options.lease = freshet::duration{10s} * (1 + below(6));
            options.seed = random_();
            workers_[worker] = std::make_unique<worker_type>(*queues_[queue], *queues_[queue + 2], ledger_,
                                                             stores_[queue], here_.clock, options);
        }
        return *workers_[worker];
    }

    [[nodiscard]] auto some_time() -> freshet::deadline {
        return below(4) == 0 ? freshet::deadline::in(2s, here_.clock.now()) : freshet::deadline::never();
    }
    void step_pump() {
        if (std::exchange(pump_busy_, true)) { return; }
        try {
            static_cast<void>(life_of_pump().step(some_time()));
        } catch (const killed&) {
            pump_.reset();
            processor_.reset();
        }
        pump_busy_ = false;
    }
    void step_worker(std::size_t worker) {
        if (std::exchange(worker_busy_[worker], true)) { return; }
        try {
            if (const auto report = life_of(worker).step(some_time())) {
                CHECK(report->received == report->applied + report->dropped + report->coalesced +
                                              report->dead_lettered + report->failed + report->held);
            }
        } catch (const killed&) {
            workers_[worker].reset();
        }
        worker_busy_[worker] = false;
    }
    /// The dead letters of a queue (0 or 1), or those of the stream (2).
    void redrive(std::size_t which) {
        if (pump_busy_) { return; }
        pump_busy_ = true; // a processor does one thing at a time
        try {
            if (which == 2) {
                life_of_pump();
                static_cast<void>(freshet::redrive(*queues_[4], freshet::reprocess_with(*processor_)));
            } else {
                auto resend = freshet::resend_to(*queues_[which]);
                static_cast<void>(freshet::redrive(*queues_[which + 2], [&](const auto& message) -> result<void> {
                    const auto letter = freshet::parse_dead_letter(message.body);
                    if (!letter || !letter->bytes.starts_with("junk")) { return resend(message); }
                    CHECK(letter->why.code == errc::malformed);
                    CHECK(letter->origin == queue_names[which]);
                    junk_found_.insert(letter->bytes);
                    return {};
                }));
            }
        } catch (const killed&) {
            pump_.reset();
            processor_.reset();
        }
        pump_busy_ = false;
    }
    /// Somebody else works while a call of a backend is under way.
    void nested() {
        if (depth_ == 2) { return; }
        ++depth_;
        for (auto times = 1 + below(3); times != 0; --times) {
            const auto who = below(workers + 4);
            if (who < workers) { step_worker(who); }
            else if (who == workers) { step_pump(); }
            else { write(); }
        }
        --depth_;
    }

    [[nodiscard]] auto quiet() -> bool {
        const auto left = [](auto size) {
            if constexpr (std::is_convertible_v<decltype(size), std::size_t>) { return std::size_t{size}; }
            else { return must(std::move(size)); }
        };
        const bool empty = std::all_of(here_.queues.begin(), here_.queues.end(),
                                       [&](const auto& queue) { return left(queue->size()) == 0; });
        return empty && must(life_of_pump().step()).records() == 0;
    }

    std::mt19937_64 random_;
    world_options options_;
    freshet::processor_options processing_;
    Backends here_;
    freshet::testing::faults script_;
    table_type table_{here_.table, script_};
    stream_type stream_{here_.stream, script_};
    std::array<std::unique_ptr<queue_type>, queue_names.size()> queues_;
    ledger_type ledger_{here_.ledger, script_};
    std::array<support::memory_projection, 2> kept_{support::memory_projection{read_change},
                                                    support::memory_projection{read_change}};
    std::array<store_type, 2> stores_{store_type{kept_[0], script_}, store_type{kept_[1], script_}};
    std::unique_ptr<processor_type> processor_;
    std::unique_ptr<pump_type> pump_;
    std::array<std::unique_ptr<worker_type>, workers> workers_;
    bool pump_busy_{};
    std::array<bool, workers> worker_busy_{};
    std::size_t lives_{};
    int depth_{};
    std::set<std::string> junk_sent_;
    std::set<std::string> junk_found_;
};

} // namespace flow
