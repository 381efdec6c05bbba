#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/document.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

/// What the embeddings of receipts say beside their vectors, as the table has it.
namespace receipts {

/// Embeddings of lines and of words; a message queue of the same name feeds each.
inline constexpr std::array<std::string_view, 2> collections{"lines", "words"};

/// One embedding's metadata: where its text stands, the merchant's fields, and of a word each label as
/// `label_<LABEL>`. A field that an item does not have, or has as NULL, is absent.
struct embedding {
    std::string id; ///< `IMAGE#…#RECEIPT#00001#LINE#00002`, and `#WORD#00003` for a word
    nlohmann::json metadata;
};

/// The items of one receipt, and the embeddings that follow from them.
class receipt_items {
public:
    explicit receipt_items(std::string id) : id_{std::move(id)} {}

    /// Takes an item of the receipt; what is not about its embeddings is left out.
    void add(const freshet::document& item) {
        const auto of = item.image();
        const auto pk = text_of(of, "PK");
        const auto sk = text_of(of, "SK");
        const auto match = registry::match(pk, sk);
        if (match.template get_if<receipt_metadata>()) {
            merchant_ = texts_of(of, metadata_fields{});
        } else if (const auto word = match.template get_if<receipt_word>()) {
            const auto [image_id, receipt_id, line_id, word_id] = *word;
            image_ = image_id, receipt_ = receipt_id;
            words_[{line_id, word_id}] = text_of(of, "text");
        } else if (const auto label = match.template get_if<receipt_word_label>()) {
            const auto [image_id, receipt_id, line_id, word_id, name] = *label;
            labels_[{line_id, word_id}]["label_" + std::string{name}] = texts_of(of, label_fields{});
        }
    }

    /// `IMAGE#…#RECEIPT#00001`.
    [[nodiscard]] auto id() const noexcept -> const std::string& { return id_; }

    /// The embeddings that a collection has of this receipt, by their ids ascending.
    [[nodiscard]] auto embeddings_in(std::string_view collection) const -> std::vector<embedding> {
        std::vector<embedding> all;
        const bool lines = collection == "lines";
        for (const auto& [at, text] : words_) {
            const auto [line_id, word_id] = at;
            const auto name = lines ? line_key::format(line_id) : word_key::format(line_id, word_id);
            auto id = id_ + name.value_or("");
            if (lines && !all.empty() && all.back().id == id) {
                auto& said = all.back().metadata["text"].get_ref<std::string&>();
                said += ' ' + text;
                continue;
            }
            all.push_back({std::move(id), merchant_});
            auto& metadata = all.back().metadata;
            metadata["image_id"] = image_;
            metadata["receipt_id"] = receipt_;
            metadata["line_id"] = line_id;
            metadata["text"] = text;
            if (lines) { continue; }
            metadata["word_id"] = word_id;
            if (const auto found = labels_.find(at); found != labels_.end()) { metadata.update(found->second); }
        }
        return all;
    }

private:
    using line_key = freshet::key_pattern<"#LINE#{line_id:05d}">;
    using word_key = freshet::key_pattern<"#LINE#{line_id:05d}#WORD#{word_id:05d}">;
    using place = std::pair<std::uint64_t, std::uint64_t>; // line and word

    [[nodiscard]] static auto text_of(const freshet::image& item, std::string_view name) -> std::string_view {
        const auto found = item.find(name);
        return found && found->type() == freshet::attribute_type::string ? found->text() : std::string_view{};
    }
    template <class Names>
    [[nodiscard]] static auto texts_of(const freshet::image& item, const Names& names) -> nlohmann::json {
        auto texts = nlohmann::json::object();
        for (const auto& name : names) {
            const auto found = item.find(name);
            if (found && found->type() == freshet::attribute_type::string) {
                texts[std::string{std::string_view{name}}] = std::string{found->text()};
            }
        }
        return texts;
    }

    std::string id_;
    std::string image_;
    std::uint64_t receipt_{};
    nlohmann::json merchant_ = nlohmann::json::object();
    std::map<place, std::string> words_;
    std::map<place, nlohmann::json> labels_;
};

/// Scans a table whose rows are items and calls `use(const receipt_items&)` with each receipt, which answers with
/// `result<void>`; in the order of their ids. The first failure ends it.
template <class Table, class Use>
[[nodiscard]] auto each_receipt(Table& table, Use&& use) -> freshet::result<void> {
    std::optional<receipt_items> now;
    freshet::page_request request;
    do {
        const auto page = table.scan(request);
        if (!page) { return page.why(); }
        for (const auto& item : page->rows) {
            const auto pk = item.image().find("PK");
            const auto sk = item.image().find("SK");
            if (!pk || !sk) { continue; }
            auto id = std::string{pk->text()} + '#';
            id += sk->text().substr(0, sk->text().find('#', std::string_view{"RECEIPT#"}.size()));
            if (now && now->id() != id) {
                if (freshet::result<void> used = use(std::as_const(*now)); !used) { return used; }
                now.reset();
            }
            if (!now) { now.emplace(std::move(id)); }
            now->add(item);
        }
        request.from = page->next;
    } while (request.from);
    return now ? use(std::as_const(*now)) : freshet::result<void>{};
}

} // namespace receipts
