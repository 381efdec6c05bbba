// Writes a message's body and digests it for a deduplication id.
#include <freshet/stream/message_body.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <freshet/core/sha256.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/stream/change_detector.hpp>
#include <peers/exact_numbers.hpp>
#include <peers/nlohmann_stream.hpp>
#include <peers/openssl_digest.hpp>
#include <ratios.hpp>
#include <receipts/routing.hpp>
#include <support/events.hpp>

namespace {

/// What one message is made of, decoded, matched and compared beforehand on both sides.
struct ready {
    const freshet::stream_record* record;
    decltype(receipts::registry::match({}, {})) match;
    std::vector<freshet::field_change> listed;
    freshet::entity_key key;
    freshet::change_set changes;

    nlohmann::json theirs;
    std::optional<nlohmann_peer::key> their_key;
    std::vector<nlohmann_peer::change> their_changes;
    nlohmann::json their_body;
};

/// Every MODIFY of a metadata item that changes a monitored field.
class messages {
public:
    explicit messages(const freshet_bench::event_input& input) {
        freshet::change_detector<receipts::metadata_fields> detector{{}, {.null_is_absent = true}};
        for (const auto& event : input.events) {
            auto parsed = nlohmann::json::parse(event);
            const auto decoded = decoders_.emplace_back().decode(events_.emplace_back(event));
            for (std::size_t i = 0; i < decoded->size(); ++i) {
                const auto& record = *(*decoded)[i];
                const auto match =
                    receipts::registry::match(record.keys.find("PK")->text(), record.keys.find("SK")->text());
                if (record.name != freshet::event_name::modify || match.name() != receipts::receipt_metadata::name) {
                    continue;
                }
                const auto changes = detector.detect(record, match.erased());
                if (!changes.changes.empty()) { add(record, match, changes, parsed["Records"][i]); }
            }
        }
    }

    [[nodiscard]] auto begin() { return all_.begin(); }
    [[nodiscard]] auto end() { return all_.end(); }
    [[nodiscard]] auto size() const { return all_.size(); }

private:
    void add(const freshet::stream_record& record, const auto& match, const freshet::change_set& changes,
             nlohmann::json& theirs) {
        auto& one = all_.emplace_back();
        one.record = &record;
        one.match = match;
        one.key = one.match.erased();
        one.listed.assign(changes.changes.begin(), changes.changes.end());
        one.changes = {changes.verdict, one.listed};
        one.theirs = std::move(theirs);
        const auto& stream = one.theirs.at("dynamodb");
        one.their_key = nlohmann_peer::parse_key(stream["Keys"]["PK"]["S"].get_ref<const std::string&>(),
                                                 stream["Keys"]["SK"]["S"].get_ref<const std::string&>());
        nlohmann_peer::detect(receipts::metadata_fields::list, &stream["OldImage"], &stream["NewImage"], true,
                              one.their_changes);
        one.their_body = nlohmann_peer::body(one.theirs, *one.their_key, one.their_changes);
    }

    std::deque<std::string> events_; // the views point here
    std::deque<freshet::event_decoder> decoders_; // and here
    std::deque<ready> all_;
};

/// The body, in memory that is kept.
class writer {
public:
    [[nodiscard]] auto operator()(const ready& one) -> std::string_view {
        const freshet::message_parts parts{*one.record, one.key, one.changes};
        const auto bound = freshet::message_body_bound(parts);
        if (memory_.size() < bound) { memory_.resize(bound); }
        return {memory_.data(),
                static_cast<std::size_t>(freshet::write_message_body(memory_.data(), parts) - memory_.data())};
    }

private:
    std::string memory_;
};

} // namespace

auto main(int argc, char** argv) -> int {
    messages all{freshet_bench::load_events()};
    freshet_bench::expect_same(all.size() != 0, "the input changes no metadata item");
    writer write;
    freshet_bench::openssl_digest openssl;
    std::vector<std::string> bodies;
    std::size_t bytes = 0;
    for (const auto& one : all) {
        const auto body = bodies.emplace_back(write(one));
        bytes += body.size();
        freshet_bench::expect_same(nlohmann::json::parse(body) == one.their_body, "a body");
        freshet_bench::expect_same(
            nlohmann_peer::read_exactly(body) ==
                nlohmann_peer::body<nlohmann_peer::exact_numbers>(one.theirs, *one.their_key, one.their_changes),
            "a body's digits");
        freshet_bench::expect_same(freshet::sha256_of(body) == openssl(body), "a digest");
    }
    std::printf("%zu messages of %zu bytes; bodies and digests are equal on both sides\n", all.size(),
                bytes / all.size());

    const auto each_message = [&all](auto one) {
        return [&all, one] {
            for (const auto& message : all) { benchmark::DoNotOptimize(one(message)); }
        };
    };
    const auto each_body = [&bodies](auto one) {
        return [&bodies, one] {
            for (const auto& body : bodies) { benchmark::DoNotOptimize(one(body)); }
        };
    };
    freshet_bench::race("a message's body and its digest",
                        {{"freshet", each_message([&](const ready& one) { return freshet::sha256_of(write(one)); })},
                         {"freshet, the body alone", each_message([&](const ready& one) { return write(one).size(); })},
                         {"freshet, the digest alone",
                          each_body([](const std::string& body) { return freshet::sha256_of(body); }),
                          {.ratio = 1 / 1.5}},
                         {"OpenSSL, the digest alone",
                          each_body([&](const std::string& body) { return openssl(body); }),
                          {.ratio = 1 / 1.5}},
                         {"nlohmann dump of a ready DOM",
                          each_message([](const ready& one) { return one.their_body.dump().size(); }),
                          {.ratio = 12}},
                         {"nlohmann dump of a ready DOM + OpenSSL",
                          each_message([&](const ready& one) { return openssl(one.their_body.dump()); })},
                         {"nlohmann DOM built and dumped + OpenSSL", each_message([&](const ready& one) {
                              return openssl(nlohmann_peer::body(one.theirs, *one.their_key, one.their_changes).dump());
                          })}},
                        all.size());
    return freshet_bench::run_races(argc, argv);
}
