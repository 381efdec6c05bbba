#include <receipts/label_score.hpp>

#include <sstream>
#include <string>

#include <doctest/doctest.h>

namespace {

using receipts::label_confusion;
using receipts::score_labels;

/// One receipt of one line, of words with one label each.
const std::string truth = R"({"image_id": "a", "receipt_id": 1, "words": [
{"line_id": 1, "word_id": 1, "text": "9.00", "labels": [{"label": "GRAND_TOTAL", "validation_status": "PENDING", "truth": "VALID"}]},
{"line_id": 1, "word_id": 2, "text": "8.00", "labels": [{"label": "GRAND_TOTAL", "validation_status": "PENDING", "truth": "INVALID"}]},
{"line_id": 1, "word_id": 3, "text": "7.00", "labels": [{"label": "GRAND_TOTAL", "validation_status": "PENDING", "truth": "INVALID"}]},
{"line_id": 1, "word_id": 4, "text": "TEA", "labels": [{"label": "DATE", "validation_status": "PENDING", "truth": "VALID"}]},
{"line_id": 1, "word_id": 5, "text": "BUN", "labels": [{"label": "DATE", "validation_status": "VALID", "truth": "VALID"}]},
{"line_id": 1, "word_id": 6, "text": "PIE", "labels": [{"label": "DATE", "validation_status": "PENDING"}]},
{"line_id": 1, "word_id": 7, "text": "JAM"}]})";

auto on_one_line(std::string text) -> std::string {
    for (auto& c : text) {
        if (c == '\n') { c = ' '; }
    }
    return text + "\n";
}

auto said(int word, const std::string& label, const std::string& status) -> std::string {
    return R"({"image_id": "a", "receipt_id": 1, "line_id": 1, "word_id": )" + std::to_string(word) +
           R"(, "label": ")" + label + R"(", "validation_status": ")" + status + "\"}\n";
}

auto scored(const std::string& labels, std::size_t most = 100) -> freshet::result<receipts::label_score> {
    std::istringstream truth_file{on_one_line(truth)};
    std::istringstream labels_file{labels};
    return score_labels(truth_file, labels_file, most);
}

TEST_CASE("only labels that were PENDING and have a truth count") {
    const auto score = scored("");
    REQUIRE(score);
    CHECK(score->all.labels() == 4);
    CHECK(score->by_label.at("GRAND_TOTAL").labels() == 3);
    CHECK(score->by_label.at("DATE").labels() == 1);
}

TEST_CASE("each class counts what it was given, and what was left open apart") {
    const auto score = scored(said(1, "GRAND_TOTAL", "VALID") + said(2, "GRAND_TOTAL", "INVALID") +
                              said(3, "GRAND_TOTAL", "VALID") + said(4, "DATE", "NEEDS_REVIEW"));
    REQUIRE(score);
    CHECK(score->all.valid_as_valid == 1);
    CHECK(score->all.valid_as_invalid == 0);
    CHECK(score->all.valid_as_neither == 1);
    CHECK(score->all.invalid_as_valid == 1);
    CHECK(score->all.invalid_as_invalid == 1);
    CHECK(score->all.invalid_as_neither == 0);
    CHECK(score->all.valid_recall() == 0.5);
    CHECK(score->all.invalid_recall() == 0.5);
    CHECK(score->all.valid_precision() == 0.5);
    CHECK(score->all.invalid_precision() == 1.0);
    CHECK(score->all.balanced_accuracy() == 0.5);
    CHECK(score->by_label.at("GRAND_TOTAL").balanced_accuracy() == 0.75);
}

TEST_CASE("who answers VALID to everything gets a balanced accuracy of a half") {
    const auto score = scored(said(1, "GRAND_TOTAL", "VALID") + said(2, "GRAND_TOTAL", "VALID") +
                              said(3, "GRAND_TOTAL", "VALID") + said(4, "DATE", "VALID"));
    REQUIRE(score);
    CHECK(score->all.balanced_accuracy() == 0.5);
}

TEST_CASE("a class that truth doesn't know has no recall, and there is no balance without it") {
    const auto score = scored("");
    REQUIRE(score);
    CHECK_FALSE(score->by_label.at("DATE").invalid_recall());
    CHECK_FALSE(score->by_label.at("DATE").balanced_accuracy());
    CHECK_FALSE(score->all.valid_precision());
    CHECK_FALSE(label_confusion{}.valid_recall());
}

TEST_CASE("mistakes are listed with what is needed to find them, up to a number") {
    const auto score = scored(said(1, "GRAND_TOTAL", "INVALID") + said(2, "GRAND_TOTAL", "INVALID"));
    REQUIRE(score);
    REQUIRE(score->mistakes.size() == 3);
    const auto& first = score->mistakes.front();
    CHECK(first.image_id == "a");
    CHECK(first.receipt_id == 1);
    CHECK(first.line_id == 1);
    CHECK(first.word_id == 1);
    CHECK(first.label == "GRAND_TOTAL");
    CHECK(first.text == "9.00");
    CHECK(first.truth == "VALID");
    CHECK(first.said == "INVALID");
    CHECK(score->mistakes[1].said.empty());
    CHECK(scored("", 2)->mistakes.size() == 2);
    CHECK(scored("", 0)->mistakes.empty());
}

TEST_CASE("the last line on a label counts, and lines on other labels don't") {
    const auto score = scored(said(1, "GRAND_TOTAL", "INVALID") + said(1, "GRAND_TOTAL", "VALID") +
                              said(1, "DATE", "VALID") + said(9, "DATE", "VALID"));
    REQUIRE(score);
    CHECK(score->all.valid_as_valid == 1);
    CHECK(score->all.labels() == 4);
}

TEST_CASE("a line that is not as it must be is named with its file") {
    const auto broken = scored("\n{\"image_id\": \"a\"}\n");
    REQUIRE_FALSE(broken);
    CHECK(broken.why().code == freshet::errc::malformed);
    CHECK(broken.why().note.find("labels line 2: ") == 0);

    std::istringstream truth_file{"no JSON\n"};
    std::istringstream labels_file{""};
    const auto unread = score_labels(truth_file, labels_file);
    REQUIRE_FALSE(unread);
    CHECK(unread.why().note.find("truth line 1: ") == 0);
}

TEST_CASE("a truth that is neither word is refused, and so is a file without any") {
    const auto judged = [](const std::string& member) {
        std::istringstream truth_file{
            R"({"image_id":"a","receipt_id":1,"words":[{"line_id":1,"word_id":1,"text":"9","labels":[)"
            R"({"label":"DATE","validation_status":"PENDING")" +
            member + "}]}]}\n"};
        std::istringstream labels_file{""};
        return score_labels(truth_file, labels_file);
    };
    CHECK(judged(R"(,"truth":"INVALID")"));
    const auto other = judged(R"(,"truth":"valid")");
    REQUIRE_FALSE(other);
    CHECK(other.why().note == "truth line 1: the truth 'valid' is neither VALID nor INVALID");
    const auto none = judged("");
    REQUIRE_FALSE(none);
    CHECK(none.why().note == "truth: no label that is PENDING says its truth");
}

} // namespace
