#include <receipts/comparison.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <adapters/memory/table.hpp>
#include <adapters/sqlite/database.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/testing/manual_clock.hpp>
#include <receipts/embeddings.hpp>
#include <receipts/item_text.hpp>
#include <receipts/items.hpp>

#include <support/scratch_directory.hpp>

namespace {

constexpr std::string_view image = "550e8400-e29b-41d4-a716-446655440000";

/// Two receipts of one image and a store that was seeded from them.
struct pair_of_both {
    freshet::testing::manual_clock clock;
    adapters::memory::table<freshet::testing::manual_clock> table{clock};
    support::scratch_directory directory;
    receipts::embeddings store = *receipts::embeddings::open(directory.file("embeddings.sqlite"), {.durable = false});

    pair_of_both() {
        for (const auto receipt : {1U, 2U}) {
            receipts::scanned_receipt made{std::string{image}, receipt, {}, {}};
            made.merchant.merchant_name = made.merchant.canonical_merchant_name = "Anker";
            made.words = {{1, 1, "Anker", {{"MERCHANT_NAME"}}}, {1, 2, "Ltd"}, {2, 1, "9.50", {{"TOTAL"}}}};
            for (const auto& item : *receipts::items_of(made)) { REQUIRE(table.put(item).ok()); }
        }
        REQUIRE(store.seed(table).ok());
    }
    auto compared(std::size_t shown = 20) -> receipts::comparison {
        auto found = receipts::compare(table, store, shown);
        REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.why().note));
        return *std::move(found);
    }
    void run(std::string_view sql) {
        const auto done = store.file().run(sql);
        REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.why().note));
    }
    void set(const std::string& sort, const receipts::item_text& values, std::vector<std::string> remove = {}) {
        REQUIRE(table.update({"IMAGE#" + std::string{image}, sort}, {*values.read(), std::move(remove)}).ok());
    }
};

const std::string first = "IMAGE#550e8400-e29b-41d4-a716-446655440000#RECEIPT#00001";

} // namespace

TEST_CASE("a store that says what the table says agrees, and everything was looked at") {
    pair_of_both it;
    const auto found = it.compared();
    CHECK(found.agrees());
    CHECK(found.receipts == 2);
    CHECK(found.embeddings == 2 * (2 + 3));
    // of a line: where, text, and four fields of its merchant (phone and address are NULL); of a word one more, and
    // labels
    CHECK(found.keys == 2 * (2 * (4 + 4) + 3 * (5 + 4) + 2));
    CHECK(found.effects == 0);
    CHECK(found.shown.empty());
}

TEST_CASE("a key that the table has and the store has not, or otherwise, is a difference") {
    pair_of_both it;
    it.set("RECEIPT#00001#METADATA", receipts::item_text{}.text("phone_number", "03-1"));
    auto found = it.compared();
    CHECK(found.differences == 5);
    CHECK(found.shown.at(0) == receipts::difference{"lines", first + "#LINE#00001", "phone_number", "\"03-1\"", ""});
    it.set("RECEIPT#00001#METADATA", receipts::item_text{}, {"phone_number"});
    CHECK(it.compared().agrees());

    it.set("RECEIPT#00001#LINE#00001#WORD#00001#LABEL#MERCHANT_NAME", receipts::item_text{}.text("reasoning", "new"));
    found = it.compared();
    CHECK(found.differences == 1);
    CHECK(found.shown.at(0).collection == "words");
    CHECK(found.shown.at(0).key == "label_MERCHANT_NAME");
    CHECK(found.shown.at(0).table.find("\"new\"") != std::string::npos);
    CHECK(found.shown.at(0).store.find("looks like") != std::string::npos);
}

TEST_CASE("a key that the store has and the table has not is a difference") {
    pair_of_both it;
    it.set("RECEIPT#00001#METADATA", receipts::item_text{}.null("merchant_name"));
    CHECK(it.compared().differences == 5);
    REQUIRE(it.table.erase({"IMAGE#" + std::string{image}, "RECEIPT#00001#LINE#00002#WORD#00001#LABEL#TOTAL"}).ok());
    CHECK(it.compared().differences == 6);
    const auto found = it.compared(0);
    CHECK((found.differences == 6 && found.shown.empty()));
    CHECK(it.compared(2).shown.size() == 2);
}

TEST_CASE("an embedding too few, one too many, and a receipt too many are differences") {
    pair_of_both it;
    it.run("DELETE FROM embedding WHERE id LIKE '%#RECEIPT#00001#LINE#00001#WORD#00002'");
    auto found = it.compared();
    REQUIRE(found.differences == 1);
    CHECK((found.shown[0].key.empty() && found.shown[0].store.empty() && !found.shown[0].table.empty()));
    it.run("INSERT INTO embedding VALUES ('words', '" + first + "', '" + first + "#LINE#00009#WORD#00009', '{}')");
    found = it.compared();
    REQUIRE(found.differences == 2);
    CHECK((found.shown[1].embedding == first + "#LINE#00009#WORD#00009" && found.shown[1].table.empty()));
    it.run("INSERT INTO embedding VALUES ('lines', 'IMAGE#x', 'IMAGE#x#LINE#1', '{}')");
    found = it.compared();
    REQUIRE(found.differences == 3);
    CHECK(found.shown[2] == receipts::difference{"lines", "IMAGE#x#LINE#1", "", "", "{}"});
}

TEST_CASE("metadata that cannot be read is a difference, not a failure") {
    pair_of_both it;
    it.run("UPDATE embedding SET metadata = '{' WHERE collection = 'lines' AND id = '" + first + "#LINE#00001'");
    CHECK(it.compared().differences == 8);
    it.run("UPDATE embedding SET metadata = '[1]' WHERE collection = 'lines' AND id = '" + first + "#LINE#00001'");
    CHECK(it.compared().differences == 8);
}

TEST_CASE("an effect that was taken twice, or behind a newer one, is a difference") {
    pair_of_both it;
    const auto effect = [&](std::string_view item, std::string_view sequence) {
        it.run("INSERT INTO applied (collection, item, sequence, token) VALUES ('words', '" + std::string{item} +
               "', '" + std::string(38, '0') + std::string{sequence} + "', 1)");
    };
    effect("a", "05"), effect("b", "04"), effect("a", "07"), effect("b", "06");
    CHECK(it.compared().agrees());
    CHECK(it.compared().effects == 4);
    effect("b", "06");
    CHECK(it.compared().differences == 1);
    effect("a", "06");
    CHECK(it.compared().differences == 2);
}

TEST_CASE("items that have nothing to do with embeddings, and labels without a word, are left out") {
    pair_of_both it;
    const auto pk = "IMAGE#" + std::string{image};
    for (const auto* sort : {"RECEIPT#00001#LETTER#1", "RECEIPT#00001#LINE#00009#WORD#00009#LABEL#DATE", "OTHER"}) {
        REQUIRE(it.table.put(*receipts::item_text{}.text("PK", pk).text("SK", sort).read()).ok());
    }
    const auto found = it.compared();
    CHECK(found.agrees());
    CHECK(found.embeddings == 10);
}
