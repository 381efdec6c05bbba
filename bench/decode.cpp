// Decodes change events: freshet, which also checks names, types, numbers and sets, against four general JSON readers.
#include <freshet/item/event_decoder.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
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

namespace content = freshet_bench::content;
using freshet_bench::dom_kind;

auto sum_of(const freshet::image& attributes) -> std::uint64_t;

/// An attribute as the JSON object that it was.
auto sum_of(freshet::attribute value) -> std::uint64_t {
    using enum freshet::attribute_type;
    auto inside = content::array;
    switch (value.type()) {
        case string:
        case number:
        case binary: inside = content::text(value.text()); break;
        case boolean: inside = value.boolean() ? content::yes : content::no; break;
        case null: inside = content::yes; break;
        case list:
            for (const auto inner : value) { inside = content::mix(inside, sum_of(inner)); }
            break;
        case map:
            inside = content::object;
            for (const auto inner : value) { inside += content::member(inner.name(), sum_of(inner)); }
            break;
        case string_set:
        case number_set:
        case binary_set:
            for (const auto inner : value) { inside = content::mix(inside, content::text(inner.text())); }
            break;
    }
    return content::object + content::member(freshet::descriptor_of(value.type()), inside);
}

auto sum_of(const freshet::image& attributes) -> std::uint64_t {
    auto sum = content::object;
    for (const auto value : attributes) { sum += content::member(value.name(), sum_of(value)); }
    return sum;
}

auto sum_of(const freshet::stream_record& record) -> std::uint64_t {
    auto change = content::object + content::member("SequenceNumber", content::text(record.sequence.view())) +
                  content::member("Keys", sum_of(record.keys));
    if (record.new_image) { change += content::member("NewImage", sum_of(*record.new_image)); }
    if (record.old_image) { change += content::member("OldImage", sum_of(*record.old_image)); }
    auto sum = content::object + content::member("eventName", content::text(name_of(record.name))) +
               content::member("dynamodb", change);
    if (!record.event_id.empty()) { sum += content::member("eventID", content::text(record.event_id)); }
    return sum;
}

auto sum_of(std::span<const freshet::decoded_record> records) -> std::uint64_t {
    auto sum = content::array;
    for (const auto& record : records) { sum = content::mix(sum, sum_of(*record)); }
    return content::object + content::member("Records", sum);
}

struct nlohmann_dom {
    static auto kind(const nlohmann::json& value) -> dom_kind {
        if (value.is_boolean()) { return value.get<bool>() ? dom_kind::yes : dom_kind::no; }
        return value.is_string()   ? dom_kind::text
               : value.is_array()  ? dom_kind::array
               : value.is_object() ? dom_kind::object
                                   : dom_kind::other;
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
    static auto kind(const rapidjson::Value& value) -> dom_kind {
        switch (value.GetType()) {
            case rapidjson::kStringType: return dom_kind::text;
            case rapidjson::kFalseType: return dom_kind::no;
            case rapidjson::kTrueType: return dom_kind::yes;
            case rapidjson::kArrayType: return dom_kind::array;
            case rapidjson::kObjectType: return dom_kind::object;
            default: return dom_kind::other;
        }
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
    static auto kind(const element& value) -> dom_kind {
        switch (value.type()) {
            case simdjson::dom::element_type::STRING: return dom_kind::text;
            case simdjson::dom::element_type::BOOL: return bool{value} ? dom_kind::yes : dom_kind::no;
            case simdjson::dom::element_type::ARRAY: return dom_kind::array;
            case simdjson::dom::element_type::OBJECT: return dom_kind::object;
            default: return dom_kind::other;
        }
    }
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
    const simdjson::implementation* const best = simdjson::get_active_implementation();
    freshet_bench::sax_checksum<freshet_bench::sax_looks_at::contents> sax;
    for (std::size_t i = 0; i < input.events.size(); ++i) {
        const auto& event = input.events[i];
        const auto records = decoder.decode(event);
        freshet_bench::expect_same(records.ok(), "freshet refuses an event");
        for (const auto& record : *records) { freshet_bench::expect_same(record.ok(), "freshet refuses a record"); }
        const auto sum = sum_of(*records);
        freshet_bench::expect_same(freshet_bench::dom_checksum<nlohmann_dom>(nlohmann::json::parse(event)) == sum,
                                   "nlohmann DOM");
        sax.restart();
        freshet_bench::expect_same(nlohmann::json::sax_parse(event, &sax) && sax.sum() == sum, "nlohmann SAX");
        rapid(event, [&](const rapidjson::Document& d) {
            const rapidjson::Value& root = d;
            freshet_bench::expect_same(!d.HasParseError() && freshet_bench::dom_checksum<rapidjson_dom>(root) == sum,
                                       "RapidJSON");
        });
        for (const auto* const kernel : simdjson::get_available_implementations()) {
            if (!kernel->supported_by_runtime_system()) { continue; }
            simdjson::dom::parser simd;
            simdjson::get_active_implementation() = kernel;
            freshet_bench::expect_same(
                freshet_bench::dom_checksum<simdjson_dom>(simdjson::dom::element{simd.parse(padded[i])}) == sum,
                "simdjson");
        }
    }
    simdjson::get_active_implementation() = best;
    std::printf("names, types, texts, numbers and nesting of every attribute are equal on all sides\n");

    // Timed is reading alone, without the checksum; the SAX handler adds up sizes on the way, as it has nothing to
    // keep.
    freshet_bench::sax_checksum<freshet_bench::sax_looks_at::sizes> quick_sax;
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
             quick_sax.restart();
             benchmark::DoNotOptimize(nlohmann::json::sax_parse(event, &quick_sax));
         })},
        {"RapidJSON DOM", each_event([&](const std::string& event) {
             rapid(event, [](const auto& d) { benchmark::DoNotOptimize(&d); });
         })},
    };
    for (const auto* const kernel : simdjson::get_available_implementations()) {
        if (!kernel->supported_by_runtime_system()) { continue; }
        contenders.push_back(
            {"simdjson DOM, " + kernel->name() + (kernel->name() == best->name() ? " (its choice here)" : ""),
             [&, kernel] {
                 simdjson::get_active_implementation() = kernel;
                 simdjson::dom::parser parser;
                 for (const auto& event : padded) { benchmark::DoNotOptimize(parser.parse(event).error()); }
             },
             {.ratio = kernel->name() == best->name() ? 1.0 : 0.0}});
    }
    freshet_bench::race("decode a change record", contenders, input.records);
    return freshet_bench::run_races(argc, argv);
}
