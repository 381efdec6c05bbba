#include <receipts/embeddings.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adapters/memory/table.hpp>
#include <adapters/sqlite/database.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/document.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/embedding.hpp>
#include <receipts/items.hpp>

#include <laws/projection.hpp>
#include <support/memory_projection.hpp>
#include <support/scratch_directory.hpp>

namespace {

using freshet::errc;
using nlohmann::json;

constexpr std::string_view image = "550e8400-e29b-41d4-a716-446655440000";
const adapters::sqlite::database_options quick{.durable = false};

/// Two lines: the first has two words with a label each, the second a word without one.
auto scanned(std::uint64_t receipt_id = 1) -> receipts::scanned_receipt {
    receipts::scanned_receipt made{std::string{image}, receipt_id, {}, {}};
    made.merchant.merchant_name = "Café \"Anker\"";
    made.merchant.canonical_merchant_name = "Café Anker";
    made.words = {{1, 1, "Café", {{"MERCHANT_NAME"}}}, {1, 2, "Anker", {{"MERCHANT_NAME", "VALID"}}}, {2, 1, "9.50"}};
    return made;
}

/// A memory table with the receipts 1 to 3 of the image.
struct table_of_three {
    freshet::testing::manual_clock clock;
    adapters::memory::table<freshet::testing::manual_clock> table{clock};

    table_of_three() {
        for (const auto receipt : {1U, 2U, 3U}) {
            const auto items = receipts::items_of(scanned(receipt));
            REQUIRE(items.ok());
            for (const auto& item : *items) { REQUIRE(table.put(item).ok()); }
        }
    }
};

/// A store of the embeddings of these receipts.
class seeded {
public:
    seeded() {
        table_of_three from;
        const auto done = store().seed(from.table);
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    }
    auto store() -> receipts::embeddings& { return store_; }
    auto said(std::string_view collection, const std::string& id) -> json {
        const auto text =
            store_.file().ask_text("SELECT metadata FROM embedding WHERE collection = ?1 AND id = ?2", collection, id);
        REQUIRE(text.ok());
        return *text ? json::parse(**text) : json{};
    }

private:
    support::scratch_directory directory_;
    receipts::embeddings store_ = *receipts::embeddings::open(directory_.file("embeddings.sqlite"), quick);
};

auto id_of(std::uint64_t receipt_id, std::string_view rest) -> std::string {
    return fmt::format("IMAGE#{}#RECEIPT#{:05}{}", image, receipt_id, rest);
}

auto body(std::string_view event, std::string_view entity, json data, json snapshot) -> freshet::received_message {
    freshet::received_message message;
    message.id = "m1";
    message.body =
        json{{"source", "dynamodb_stream"}, {"entity_type", entity}, {"entity_data", std::move(data)},
             {"changes", json::object()},   {"event_name", event},   {"record_snapshot", std::move(snapshot)}}
            .dump();
    return message;
}
auto metadata_message(std::string_view event, json snapshot, std::uint64_t receipt_id = 1)
    -> freshet::received_message {
    return body(event, "RECEIPT_METADATA", {{"image_id", image}, {"receipt_id", receipt_id}}, std::move(snapshot));
}
auto label_message(std::string_view event, std::string_view label, json snapshot, std::uint64_t receipt_id = 1,
                   std::uint64_t line_id = 1, std::uint64_t word_id = 1) -> freshet::received_message {
    return body(
        event, "RECEIPT_WORD_LABEL",
        {{"image_id", image}, {"receipt_id", receipt_id}, {"line_id", line_id}, {"word_id", word_id}, {"label", label}},
        std::move(snapshot));
}
void apply(receipts::embedding_collection& to, const freshet::received_message& message, std::string_view sequence) {
    const auto update = to.read(message);
    REQUIRE_MESSAGE(update.ok(), (update.ok() ? "" : update.why().note));
    const auto done = to.apply(*update, laws::mark(sequence));
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
}

// ---- the laws of a projection ----

/// The metadata of three receipts, as one collection has them.
template <bool Words>
class metadata_fixture : public seeded {
public:
    static constexpr std::size_t items = 3;

    auto store() -> receipts::embedding_collection& { return collection_; }
    auto message(std::size_t item, laws::projected_state state) const -> freshet::received_message {
        return metadata_message(state ? "MODIFY" : "REMOVE",
                                {{"canonical_merchant_name", state ? fmt::format("{}", *state) : "gone"}}, item + 1);
    }
    auto says(std::size_t item) -> laws::projected_state {
        const auto metadata =
            said(Words ? "words" : "lines", id_of(item + 1, Words ? "#LINE#00001#WORD#00001" : "#LINE#00001"));
        const auto name = metadata.value("canonical_merchant_name", "");
        if (name.empty()) { return std::nullopt; }
        return name.starts_with('C') ? 999U : static_cast<unsigned>(std::stoul(name)); // as it was seeded
    }
    auto broken_messages() const -> std::vector<freshet::received_message> {
        return {metadata_message("MODIFY", json{}), metadata_message("MODIFY", {{"address", 5}}),
                body("x", "y", {}, {})};
    }

private:
    receipts::embedding_collection collection_ = seeded::store().collection(Words ? "words" : "lines");
};

/// Labels of four words: two of one word, one of its neighbour, one of another receipt's.
class label_fixture : public seeded {
public:
    static constexpr std::size_t items = 4;

    auto store() -> receipts::embedding_collection& { return collection_; }
    auto message(std::size_t item, laws::projected_state state) const -> freshet::received_message {
        const auto& [receipt, word, label] = at[item];
        return label_message(state ? "INSERT" : "REMOVE", label,
                             {{"reasoning", state ? fmt::format("{}", *state) : "gone"}}, receipt, 1, word);
    }
    auto says(std::size_t item) -> laws::projected_state {
        const auto& [receipt, word, label] = at[item];
        const auto metadata = said("words", id_of(receipt, fmt::format("#LINE#00001#WORD#{:05}", word)));
        const auto found = metadata.find("label_" + label);
        if (found == metadata.end()) { return std::nullopt; }
        const auto reasoning = found->value("reasoning", "");
        return reasoning.starts_with('"') ? 999U : static_cast<unsigned>(std::stoul(reasoning)); // as it was seeded
    }
    auto broken_messages() const -> std::vector<freshet::received_message> {
        return {label_message("MODIFY", "", {}), label_message("MODIFY", "A#B", {{"reasoning", "1"}})};
    }

private:
    struct place {
        std::uint64_t receipt, word;
        std::string label;
    };
    std::vector<place> at{
        {1, 1, "MERCHANT_NAME"}, {1, 1, "DATE \"é\""}, {1, 2, "MERCHANT_NAME"}, {2, 1, "MERCHANT_NAME"}};
    receipts::embedding_collection collection_ = seeded::store().collection("words");
};

class memory_fixture {
public:
    static constexpr std::size_t items = 3;

    auto store() -> support::memory_projection& { return store_; }
    auto message(std::size_t item, laws::projected_state state) const -> freshet::received_message {
        freshet::received_message made;
        made.body = fmt::format("{}{}", item, state ? fmt::format("={}", *state) : "-");
        return made;
    }
    auto says(std::size_t item) -> laws::projected_state {
        const auto all = store_.items();
        const auto found = all.find(fmt::format("{}", item));
        if (found == all.end()) { return std::nullopt; }
        return static_cast<unsigned>(std::stoul(found->second));
    }
    auto broken_messages() const -> std::vector<freshet::received_message> { return {{}}; }

private:
    support::memory_projection store_;
};

FRESHET_PROJECTION_LAWS(metadata_fixture<false>, metadata_fixture<true>, label_fixture, memory_fixture);

// ---- what this one promises beyond them ----

TEST_CASE("a store is seeded with what the table says, and once") {
    table_of_three from;
    support::scratch_directory directory;
    auto store = *receipts::embeddings::open(directory.file("embeddings.sqlite"), quick);
    REQUIRE(!*store.is_seeded());
    const auto made = store.seed(from.table);
    REQUIRE(made.ok());
    CHECK((made->made && made->lines == 6 && made->words == 9));
    CHECK(*store.is_seeded());
    REQUIRE(from.table.erase({"IMAGE#" + std::string{image}, "RECEIPT#00001#LINE#00002#WORD#00001"}).ok());
    const auto again = store.seed(from.table);
    REQUIRE(again.ok());
    CHECK((!again->made && again->lines == 6 && again->words == 9));

    const auto text = store.file().ask_text("SELECT metadata FROM embedding WHERE collection = 'words' AND id = ?1",
                                            id_of(2, "#LINE#00001#WORD#00002"));
    const auto said = json::parse(**text);
    CHECK(said["text"] == "Anker");
    CHECK((said["image_id"] == image && said["receipt_id"] == 2 && said["line_id"] == 1 && said["word_id"] == 2));
    CHECK(said["canonical_merchant_name"] == "Café Anker");
    CHECK(!said.contains("phone_number")); // the table has it as NULL
    CHECK(said["label_MERCHANT_NAME"] == json{{"validation_status", "VALID"},
                                              {"label_proposed_by", "rules"},
                                              {"reasoning", "\"Anker\" looks like MERCHANT_NAME"}});
    const auto line = store.file().ask_text("SELECT metadata FROM embedding WHERE collection = 'lines' AND id = ?1",
                                            id_of(2, "#LINE#00001"));
    CHECK(json::parse(**line)["text"] == "Café Anker");
}

TEST_CASE("a seeding that fails leaves nothing behind") {
    struct failing_table : adapters::memory::table<freshet::testing::manual_clock> {
        using base = adapters::memory::table<freshet::testing::manual_clock>;
        using base::base;
        auto scan(const freshet::page_request& request) -> freshet::result<freshet::page<freshet::document>> {
            if (request.from) { return freshet::error{errc::unavailable, "gone"}; }
            return base::scan({std::nullopt, 7}); // ends inside a receipt
        }
    };
    freshet::testing::manual_clock clock;
    failing_table table{clock};
    for (const auto receipt : {1U, 2U}) {
        for (const auto& item : *receipts::items_of(scanned(receipt))) { REQUIRE(table.put(item).ok()); }
    }
    support::scratch_directory directory;
    auto store = *receipts::embeddings::open(directory.file("embeddings.sqlite"), quick);
    CHECK(store.seed(table).why().code == errc::unavailable);
    CHECK(!*store.is_seeded());
    CHECK(store.counted()->words == 0);
}

TEST_CASE("a change of a receipt's metadata reaches all its embeddings, in each collection, and no others") {
    seeded it;
    for (const auto* name : {"lines", "words"}) {
        CAPTURE(name);
        auto collection = it.store().collection(name);
        const std::vector<std::string> ids =
            std::string_view{name} == "lines"
                ? std::vector<std::string>{"#LINE#00001", "#LINE#00002"}
                : std::vector<std::string>{"#LINE#00001#WORD#00001", "#LINE#00001#WORD#00002",
                                           "#LINE#00002#WORD#00001"};
        const auto before = it.said(name, id_of(2, ids[0]));
        apply(collection,
              metadata_message("MODIFY", {{"merchant_name", "茶房 \"みなと\""},
                                          {"address", nullptr},
                                          {"phone_number", "03-1"},
                                          {"validated_by", "nobody asks"}}),
              "5");
        for (const auto& id : ids) {
            const auto said = it.said(name, id_of(1, id));
            CHECK((said["merchant_name"] == "茶房 \"みなと\"" && said["phone_number"] == "03-1"));
            CHECK_MESSAGE(!said.contains("canonical_merchant_name"), "the snapshot has none");
            CHECK_MESSAGE(!said.contains("address"), "the snapshot has it as NULL");
            CHECK(!said.contains("validated_by"));
            CHECK(said.contains("text"));
        }
        CHECK(it.said(name, id_of(2, ids[0])) == before);
        apply(collection, metadata_message("REMOVE", json{}), "6");
        for (const auto& id : ids) {
            const auto said = it.said(name, id_of(1, id));
            for (const auto field : receipts::metadata_fields{}) { CHECK(!said.contains(std::string{field})); }
            CHECK(said.contains("text"));
        }
    }
    CHECK(it.said("words", id_of(1, "#LINE#00001#WORD#00001")).contains("label_MERCHANT_NAME"));
}

TEST_CASE("a change of a label reaches its word alone, and leaves nothing of what it was") {
    seeded it;
    auto words = it.store().collection("words");
    const auto id = id_of(1, "#LINE#00001#WORD#00001");
    const auto neighbour = it.said("words", id_of(1, "#LINE#00001#WORD#00002"));
    apply(words,
          label_message("MODIFY", "MERCHANT_NAME", {{"validation_status", "VALID"}, {"label_proposed_by", nullptr}}),
          "1");
    CHECK(it.said("words", id)["label_MERCHANT_NAME"] == json{{"validation_status", "VALID"}});
    apply(words, label_message("MODIFY", "MERCHANT_NAME", json::object()), "2");
    CHECK_MESSAGE(it.said("words", id)["label_MERCHANT_NAME"] == json::object(), "a label without fields is one");
    apply(words, label_message("INSERT", "TOTAL \"é\" \\ 🧾", {{"reasoning", std::string{"a\0b", 3}}}), "3");
    CHECK(it.said("words", id)["label_TOTAL \"é\" \\ 🧾"] == json{{"reasoning", std::string{"a\0b", 3}}});
    apply(words, label_message("REMOVE", "TOTAL \"é\" \\ 🧾", json{}), "4");
    CHECK(!it.said("words", id).contains("label_TOTAL \"é\" \\ 🧾"));
    CHECK(it.said("words", id).contains("label_MERCHANT_NAME"));
    CHECK(it.said("words", id_of(1, "#LINE#00001#WORD#00002")) == neighbour);
}

TEST_CASE("a message about a word without an embedding leaves its mark and nothing else") {
    seeded it;
    auto words = it.store().collection("words");
    const auto message = label_message("INSERT", "DATE", {{"reasoning", "late"}}, 1, 9, 9);
    apply(words, message, "1");
    CHECK(it.store().counted()->words == 9);
    CHECK(*words.last_applied(words.item_of(*words.read(message))) == laws::mark("1"));
}

TEST_CASE("each effect is written down once, with its sequence number as 40 digits and its token") {
    seeded it;
    auto words = it.store().collection("words");
    auto lines = it.store().collection("lines");
    for (auto times = 2; times != 0; --times) {
        apply(words, metadata_message("MODIFY", {{"address", "1"}}), "17");
        apply(lines, metadata_message("MODIFY", {{"address", "1"}}), "17");
    }
    CHECK(!words.apply(*words.read(metadata_message("MODIFY", {{"address", "0"}})), laws::mark("16")).ok());
    auto rows = it.store().file().prepare("SELECT collection, item, sequence, token FROM applied ORDER BY number");
    for (const auto* name : {"words", "lines"}) {
        REQUIRE(*rows->step());
        CHECK(rows->text(0) == name);
        CHECK(rows->text(1) == id_of(1, "#METADATA"));
        CHECK(rows->text(2) == std::string(38, '0') + "17");
        CHECK(rows->number(3) == 1);
    }
    CHECK(!*rows->step());
}

TEST_CASE("two who apply at once do it one after the other") {
    table_of_three from;
    support::scratch_directory directory;
    auto one = *receipts::embeddings::open(directory.file("embeddings.sqlite"), quick);
    auto other = *receipts::embeddings::open(directory.file("embeddings.sqlite"),
                                             {.durable = false, .busy = std::chrono::milliseconds{10}});
    REQUIRE(one.seed(from.table).ok());
    auto late = other.collection("words");
    const auto update = *late.read(label_message("REMOVE", "MERCHANT_NAME", json{}));
    {
        const auto holds = one.file().begin();
        REQUIRE(holds.ok());
        CHECK(late.apply(update, laws::mark("5")).why().code == errc::unavailable);
    }
    auto early = one.collection("words");
    REQUIRE(early.apply(update, laws::mark("6")).ok());
    CHECK(laws::is_refused(late.apply(update, laws::mark("5"))));
}

TEST_CASE("a message that lacks what is used, or has it as something else, is malformed and says where") {
    seeded it;
    const auto words = it.store().collection("words");
    const auto refused = [&](const freshet::received_message& message, std::string_view why,
                             const receipts::embedding_collection& by) {
        CAPTURE(message.body);
        const auto read = by.read(message);
        REQUIRE(!read.ok());
        CHECK(read.why().code == errc::malformed);
        CHECK_MESSAGE(read.why().note.find(why) != std::string::npos, read.why().note);
        CHECK(read.why().note.find('\n') == std::string::npos);
    };
    const auto with = [](freshet::received_message message, const char* at, const json& value) {
        auto changed = json::parse(message.body);
        const json::json_pointer where{at};
        if (value.is_discarded()) {
            changed[where.parent_pointer()].erase(where.back());
        } else {
            changed[where] = value;
        }
        message.body = changed.dump();
        return message;
    };
    const auto good = label_message("MODIFY", "DATE", {{"reasoning", "r"}});
    const json absent(json::value_t::discarded);
    REQUIRE(words.read(good).ok());
    for (const auto* text : {"", "null", "[]", "{", "\"x\""}) {
        auto broken = good;
        broken.body = text;
        refused(broken, "is no JSON object", words);
    }
    auto with_nul = good;
    with_nul.body += '\0';
    refused(with_nul, "is no JSON object", words);
    refused(with(good, "/entity_type", absent), "entity_type", words);
    refused(with(good, "/entity_type", "RECEIPT"), "entity_type is nothing of the collection words", words);
    refused(with(good, "/event_name", "UPSERT"), "event_name", words);
    refused(with(good, "/entity_data", 5), "image_id", words);
    refused(with(good, "/entity_data/image_id", "5"), "uuid", words);
    refused(with(good, "/entity_data/receipt_id", "1"), "receipt_id", words);
    refused(with(good, "/entity_data/line_id", -1), "line_id", words);
    refused(with(good, "/entity_data/word_id", 1.5), "word_id", words);
    refused(with(good, "/entity_data/label", absent), "label", words);
    refused(with(good, "/entity_data/label", ""), "empty", words);
    refused(with(good, "/record_snapshot", absent), "record_snapshot", words);
    refused(with(good, "/record_snapshot", nullptr), "record_snapshot", words);
    refused(with(good, "/record_snapshot/reasoning", 5), "reasoning is no text", words);
    refused(good, "entity_type is nothing of the collection lines", it.store().collection("lines"));
    CHECK(words.read(with(with(good, "/event_name", "REMOVE"), "/record_snapshot", nullptr)).ok());
}

} // namespace
