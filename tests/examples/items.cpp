#include <receipts/items.hpp>

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/item/attribute.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>
#include <receipts/entities.hpp>
#include <receipts/item_text.hpp>
#include <receipts/receipts_file.hpp>
#include <receipts/sample_receipts.hpp>

namespace {

constexpr std::string_view image = "550e8400-e29b-41d4-a716-446655440000";

auto scanned() -> receipts::scanned_receipt {
    receipts::scanned_receipt made{std::string{image}, 7, {}, {}};
    made.merchant.merchant_name = "BOOK \"TA\"";
    made.merchant.canonical_merchant_name = "Book Ta";
    made.merchant.address = "NO.53";
    made.words = {{2, 1, "BOOK", {{"MERCHANT_NAME", "VALID", "rules", "AMOUNT"}, {"DATE"}}}, {2, 2, ""}};
    return made;
}

/// The items as texts, by their sort keys.
auto texts_of(const receipts::scanned_receipt& of) -> std::map<std::string, std::string> {
    const auto items = receipts::items_of(of);
    REQUIRE_MESSAGE(items.ok(), (items.ok() ? "" : items.why().note));
    std::map<std::string, std::string> texts;
    for (const auto& item : *items) { texts.emplace(item.image().find("SK")->text(), item.text()); }
    CHECK(texts.size() == items->size());
    return texts;
}

using complaints = std::vector<std::pair<std::size_t, std::string>>;
auto read(const std::string& text, complaints& said, std::size_t most = 1'000)
    -> std::vector<receipts::scanned_receipt> {
    std::istringstream in{text};
    return receipts::read_receipts(in, most,
                                   [&](std::size_t line, const std::string& why) { said.emplace_back(line, why); });
}

} // namespace

TEST_CASE("a receipt becomes the items that the captured records show, and its words") {
    const auto texts = texts_of(scanned());
    REQUIRE(texts.size() == 6);
    const std::string pk = R"({"PK":{"S":"IMAGE#550e8400-e29b-41d4-a716-446655440000"},)";
    CHECK(texts.at("RECEIPT#00007") == pk + R"("SK":{"S":"RECEIPT#00007"},"TYPE":{"S":"RECEIPT"},"words":{"N":"2"}})");
    const auto& metadata = texts.at("RECEIPT#00007#METADATA");
    for (const std::string_view part : {R"("TYPE":{"S":"RECEIPT_METADATA"})", R"("merchant_name":{"S":"BOOK \"TA\""})",
                                        R"("phone_number":{"NULL":true})", R"("merchant_category":{"S":"retail"})",
                                        R"("matched_fields":{"SS":["name","address"]})", R"("place_id":{"S":"ChIJ)"}) {
        CAPTURE(part);
        CHECK(metadata.find(part) != std::string::npos);
    }
    CHECK(texts.at("RECEIPT#00007#LINE#00002#WORD#00002") ==
          pk + R"("SK":{"S":"RECEIPT#00007#LINE#00002#WORD#00002"},"TYPE":{"S":"RECEIPT_WORD"},"text":{"S":""}})");
    CHECK(
        texts.at("RECEIPT#00007#LINE#00002#WORD#00001#LABEL#MERCHANT_NAME") ==
        pk +
            R"("SK":{"S":"RECEIPT#00007#LINE#00002#WORD#00001#LABEL#MERCHANT_NAME"},"TYPE":{"S":"RECEIPT_WORD_LABEL"},)"
            R"("GSI1PK":{"S":"LABEL#MERCHANT_NAME"},)"
            R"("GSI1SK":{"S":"IMAGE#550e8400-e29b-41d4-a716-446655440000#RECEIPT#00007#LINE#00002#WORD#00001"},)"
            R"("GSI3PK":{"S":"VALIDATION_STATUS#VALID"},"reasoning":{"S":"\"BOOK\" looks like MERCHANT_NAME"},)"
            R"("timestamp_added":{"S":"2025-01-15T10:30:00.000Z"},"validation_status":{"S":"VALID"},)"
            R"("label_proposed_by":{"S":"rules"},"label_consolidated_from":{"S":"AMOUNT"},"confidence":{"N":"0.90"}})");
    CHECK(texts.at("RECEIPT#00007#LINE#00002#WORD#00001#LABEL#DATE")
              .find(R"("GSI3PK":{"S":"VALIDATION_STATUS#PENDING"})") != std::string::npos);
}

TEST_CASE("every item has keys that the registry knows") {
    for (const auto& one : receipts::sample_receipts{3}.make(30)) {
        const auto items = receipts::items_of(one);
        REQUIRE(items.ok());
        for (const auto& item : *items) {
            const auto pk = item.image().find("PK")->text();
            const auto sk = item.image().find("SK")->text();
            const auto match = receipts::registry::match(pk, sk);
            CHECK(match.name() == item.image().find("TYPE")->text());
        }
    }
}

TEST_CASE("a value that no key can hold is refused, with the key's pattern") {
    for (auto spoil : {+[](receipts::scanned_receipt& r) { r.image_id = "7"; },
                       +[](receipts::scanned_receipt& r) { r.words[0].labels[0].label = "A#B"; },
                       +[](receipts::scanned_receipt& r) { r.words[0].labels[0].label.clear(); },
                       +[](receipts::scanned_receipt& r) { r.merchant.address = "\xff"; }}) {
        auto spoiled = scanned();
        spoil(spoiled);
        const auto items = receipts::items_of(spoiled);
        REQUIRE(!items.ok());
        CHECK(items.why().code == freshet::errc::malformed);
        CHECK(!items.why().note.empty());
    }
}

TEST_CASE("made-up receipts are the same for the same seed, and no two of a seed are one") {
    const auto once = receipts::sample_receipts{5}.make(50);
    const auto again = receipts::sample_receipts{5}.make(50);
    std::map<std::string, int> ids;
    for (std::size_t i = 0; i < once.size(); ++i) {
        CHECK(texts_of(once[i]) == texts_of(again[i]));
        CHECK(++ids[once[i].image_id] == 1);
    }
    CHECK(texts_of(once[0]) != texts_of(receipts::sample_receipts{6}.make(1)[0]));
}

TEST_CASE("a line of the file becomes a receipt, and what a perfect validator would say is not in it") {
    complaints said;
    const auto scanned =
        read(R"({"image_id": "550e8400-e29b-41d4-a716-446655440000", "receipt_id": 7, "metadata": )"
             R"({"merchant_name": "B \"T\"", "canonical_merchant_name": "b", "address": "NO.53", "phone_number": ""}, )"
             R"("words": [{"line_id": 2, "word_id": 1, "text": "BOOK", "labels": [{"label": "DATE", )"
             R"("validation_status": "PENDING", "label_proposed_by": "rules", "truth": "INVALID"}]}, )"
             R"({"line_id": 2, "word_id": 2, "text": "é"}]})"
             "\n\n",
             said);
    CHECK(said.empty());
    REQUIRE(scanned.size() == 1);
    const auto texts = texts_of(scanned[0]);
    CHECK(texts.size() == 5);
    CHECK(texts.at("RECEIPT#00007#METADATA").find(R"("phone_number":{"NULL":true})") != std::string::npos);
    for (const auto& [key, text] : texts) {
        CHECK(text.find("truth") == std::string::npos);
        CHECK(text.find("INVALID") == std::string::npos);
    }
}

TEST_CASE("a line that is no receipt is told with its number, and the others are read") {
    const auto line = [](std::string_view id, std::string_view words = "[]") {
        return R"({"image_id":")" + std::string{id} + R"(","receipt_id":1,"metadata":{},"words":)" +
               std::string{words} + "}\n";
    };
    const std::string other = "650e8400-e29b-41d4-a716-446655440000";
    const std::vector<std::pair<std::string, std::string>> bad{
        {"{\n", "no JSON object"},
        {"[]\n", "no JSON object"},
        {line(image).insert(1, std::string(1, '\0')), "no JSON object"},
        {"{\"image_id\":\"\xff\"}\n", "no JSON object"},
        {"{}\n", "image_id is missing"},
        {line("7"), "uuid"},
        {R"({"image_id":"650e8400-e29b-41d4-a716-446655440000","receipt_id":-1,"metadata":{},"words":[]})"
         "\n",
         "receipt_id"},
        {R"({"image_id":"650e8400-e29b-41d4-a716-446655440000","receipt_id":1,"words":[]})"
         "\n",
         "metadata is missing"},
        {R"({"image_id":"650e8400-e29b-41d4-a716-446655440000","receipt_id":1,"metadata":{"address":5},"words":[]})"
         "\n",
         "address is no string"},
        {line(other, "{}"), "words is no array"},
        {line(other, "[5]"), "a word is no object"},
        {line(other, R"([{"line_id":1,"word_id":1}])"), "text is missing"},
        {line(other, R"([{"line_id":1,"word_id":1,"text":"a","labels":[5]}])"), "a label is no object"},
        {line(other, R"([{"line_id":1,"word_id":1,"text":"a","labels":[{}]}])"), "label is missing"},
        {line(other, R"([{"line_id":1,"word_id":1,"text":"a","labels":[{"label":"A#B"}]}])"), "#"},
        {line(other, R"([{"line_id":1,"word_id":1,"text":"a"},{"line_id":1,"word_id":1,"text":"b"}])"),
         "line 1 has word 1 twice"},
        {line(image), "stands on an earlier line"},
    };
    std::string text = line(image);
    for (const auto& [one, why] : bad) { text += one; }
    text += line(other);
    text.pop_back(); // no line end at the end
    complaints said;
    const auto scanned = read(text, said);
    CHECK(scanned.size() == 2);
    REQUIRE(said.size() == bad.size());
    for (std::size_t i = 0; i < bad.size(); ++i) {
        CAPTURE(bad[i].first);
        CHECK(said[i].first == i + 2);
        CHECK_MESSAGE(said[i].second.find(bad[i].second) != std::string::npos, said[i].second);
    }
}

TEST_CASE("no more receipts are read than are wanted") {
    std::string text;
    for (int i = 1; i <= 5; ++i) {
        text += R"({"image_id":"550e8400-e29b-41d4-a716-446655440000","receipt_id":)" + std::to_string(i) +
                R"(,"metadata":{},"words":[]})" + "\n";
    }
    complaints said;
    CHECK(read(text + "junk\n", said, 3).size() == 3);
    CHECK(said.empty());
    CHECK(read(text, said, 50).size() == 5);
}

TEST_CASE("an item's text is what was written, and an empty one is no attribute") {
    CHECK(receipts::item_text{}.read()->image().empty());
    const auto item = receipts::item_text{}
                          .text("a", "\"\n")
                          .number("n", "0.90")
                          .null("x")
                          .texts("s", {"b", "a"})
                          .text_or_null("y", "")
                          .read();
    REQUIRE(item.ok());
    CHECK(item->text() ==
          R"({"a":{"S":"\"\n"},"n":{"N":"0.90"},"x":{"NULL":true},"s":{"SS":["b","a"]},"y":{"NULL":true}})");
    CHECK(!receipts::item_text{}.text("a", "1").text("a", "2").read().ok());
}
