// Decodes change events: freshet, which also checks names, types, numbers and sets, against four general JSON readers.
#include <freshet/item/event_decoder.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <rapidjson/document.h>
#include <simdjson.h>

#include <peers/checksum.hpp>
#include <peers/nlohmann_sax.hpp>
#include <ratios.hpp>
#include <support/events.hpp>

namespace {

using freshet_bench::checksum;

auto freshet_sum(std::span<const freshet::decoded_record> records) -> checksum {
    checksum sum;
    const auto inside = [&](freshet::attribute value, const auto& self) -> void {
        sum.text_bytes += value.name().size() + value.text().size();
        for (const auto inner : value) { self(inner, self); }
    };
    const auto image = [&](const freshet::image& attributes) {
        for (const auto value : attributes) {
            ++sum.attributes;
            inside(value, inside);
        }
    };
    for (const auto& record : records) {
        ++sum.records;
        sum.add_sequence(record->sequence.view());
        image(record->keys);
        if (record->new_image) { image(*record->new_image); }
        if (record->old_image) { image(*record->old_image); }
    }
    return sum;
}

struct nlohmann_dom {
    static auto member(const nlohmann::json& value, const char* name) -> const nlohmann::json& {
        return value.at(name);
    }
    static auto text(const nlohmann::json& value) -> std::string_view { return value.get_ref<const std::string&>(); }
    static void members(const nlohmann::json& value, const auto& f) {
        for (const auto& [name, inner] : value.items()) { f(name, inner); }
    }
    static void elements(const nlohmann::json& value, const auto& f) {
        for (const auto& inner : value) { f(inner); }
    }
};

struct rapidjson_dom {
    static auto member(const rapidjson::Value& value, const char* name) -> const rapidjson::Value& {
        return value[name];
    }
    static auto text(const rapidjson::Value& value) -> std::string_view {
        return {value.GetString(), value.GetStringLength()};
    }
    static void members(const rapidjson::Value& value, const auto& f) {
        for (const auto& each : value.GetObject()) { f(text(each.name), each.value); }
    }
    static void elements(const rapidjson::Value& value, const auto& f) {
        for (const auto& inner : value.GetArray()) { f(inner); }
    }
};

struct simdjson_dom {
    using element = simdjson::dom::element;
    static auto member(const element& value, const char* name) -> element { return value[name]; }
    static auto text(const element& value) -> std::string_view { return value.get_string(); }
    static void members(const element& value, const auto& f) {
        const simdjson::dom::object object = value.get_object();
        for (const auto each : object) { f(each.key, each.value); }
    }
    static void elements(const element& value, const auto& f) {
        const simdjson::dom::array array = value.get_array();
        for (const auto inner : array) { f(inner); }
    }
};

/// RapidJSON with its memory kept from event to event, and told to check encodings as the others do.
class rapidjson_reader {
public:
    template <class Use>
    void operator()(const std::string& event, const Use& use) {
        pool_.Clear();
        rapidjson::Document document{&pool_};
        document.Parse<rapidjson::kParseValidateEncodingFlag>(event.data(), event.size());
        use(document);
    }

private:
    std::vector<char> memory_ = std::vector<char>(std::size_t{8} << 20);
    rapidjson::MemoryPoolAllocator<> pool_{memory_.data(), memory_.size()};
};

} // namespace

auto main(int argc, char** argv) -> int {
    const auto input = freshet_bench::load_events();
    // simdjson reads beyond its input: it gets copies with room behind them, made before the clock starts.
    std::vector<simdjson::padded_string> padded;
    for (const auto& event : input.events) { padded.emplace_back(event); }

    freshet::event_decoder decoder;
    rapidjson_reader rapid;
    simdjson::dom::parser simd;
    freshet_bench::sax_checksum sax;
    for (std::size_t i = 0; i < input.events.size(); ++i) {
        const auto& event = input.events[i];
        const auto records = decoder.decode(event);
        freshet_bench::expect_same(records.ok(), "freshet refuses an event");
        const auto sum = freshet_sum(*records);
        freshet_bench::expect_same(sum == freshet_bench::dom_checksum<nlohmann_dom>::of(nlohmann::json::parse(event)),
                                   "nlohmann DOM");
        sax.restart();
        freshet_bench::expect_same(nlohmann::json::sax_parse(event, &sax) && sax.sum() == sum, "nlohmann SAX");
        rapid(event, [&](const rapidjson::Document& d) {
            freshet_bench::expect_same(!d.HasParseError() && freshet_bench::dom_checksum<rapidjson_dom>::of(d) == sum,
                                       "RapidJSON");
        });
        freshet_bench::expect_same(
            freshet_bench::dom_checksum<simdjson_dom>::of(simdjson::dom::element{simd.parse(padded[i])}) == sum,
            "simdjson");
    }

    // Timed is reading alone, without the checksum; the SAX handler makes its sum on the way, as it has nothing to
    // keep.
    const auto each_event = [&](auto one) {
        return [&input, one] {
            for (const auto& event : input.events) { one(event); }
        };
    };
    std::vector<freshet_bench::contender> contenders{
        {"freshet",
         each_event([&](const std::string& event) { benchmark::DoNotOptimize(decoder.decode(event).ok()); })},
        {"nlohmann DOM",
         each_event([](const std::string& event) { benchmark::DoNotOptimize(nlohmann::json::parse(event)); })},
        {"nlohmann SAX", each_event([&](const std::string& event) {
             sax.restart();
             benchmark::DoNotOptimize(nlohmann::json::sax_parse(event, &sax));
         })},
        {"RapidJSON DOM", each_event([&](const std::string& event) {
             rapid(event, [](const auto& d) { benchmark::DoNotOptimize(&d); });
         })},
    };
    const auto best = simdjson::get_active_implementation()->name();
    for (const auto* const kernel : simdjson::get_available_implementations()) {
        if (!kernel->supported_by_runtime_system()) { continue; }
        contenders.push_back(
            {"simdjson DOM, " + kernel->name() + (kernel->name() == best ? " (its choice here)" : ""), [&, kernel] {
                 simdjson::get_active_implementation() = kernel;
                 simdjson::dom::parser parser;
                 for (const auto& event : padded) { benchmark::DoNotOptimize(parser.parse(event).error()); }
             }});
    }
    freshet_bench::race("decode a change record", contenders, input.records);
    return freshet_bench::run_races(argc, argv);
}
