#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <adapters/sqlite/database.hpp>
#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/projection.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/sequence_number.hpp>
#include <receipts/embedding.hpp>
#include <receipts/entities.hpp>
#include <receipts/routing.hpp>

namespace receipts {

/// What a message says of a collection: `patch` (RFC 7396) is every key that the item decides, with null where the
/// embedding shall have none.
struct embedding_update {
    std::string item;    ///< the table's item: its two keys with a '#' between them
    std::string receipt; ///< whose embeddings
    std::string id;      ///< of the one embedding; empty: all of the receipt's
    std::string patch;
};

/// One collection of a store of embeddings, kept up to date by the messages of its queue.
class embedding_collection {
public:
    using update_type = embedding_update;

    /// Borrows the file.
    embedding_collection(adapters::sqlite::database& file, std::string name) : file_{&file}, name_{std::move(name)} {}

    [[nodiscard]] auto name() const noexcept -> const std::string& { return name_; }

    /// Takes a message of `write_message_body` apart. A message of an entity that this collection has nothing of is
    /// malformed too.
    [[nodiscard]] auto read(const freshet::received_message& message) const -> freshet::result<embedding_update>;

    [[nodiscard]] auto item_of(const embedding_update& update) const -> std::string { return update.item; }

    [[nodiscard]] auto last_applied(std::string_view item) -> freshet::result<std::optional<freshet::applied_mark>> {
        auto found = file_->prepare("SELECT sequence, token FROM embedding_mark WHERE collection = ?1 AND item = ?2",
                                    name_, item);
        if (!found) { return found.why(); }
        const auto row = found->step();
        if (!row) { return row.why(); }
        if (!*row) { return std::nullopt; }
        const auto sequence = freshet::sequence_number::parse(found->text(0));
        if (!sequence) { return file_->refused("has a mark that is no sequence number"); }
        return freshet::applied_mark{*sequence, static_cast<std::uint64_t>(found->number(1))};
    }

    [[nodiscard]] auto apply(const embedding_update& update, const freshet::applied_mark& mark)
        -> freshet::result<void> {
        auto writing = file_->begin();
        if (!writing) { return writing.why(); }
        const auto last = last_applied(update.item);
        if (!last) { return last.why(); }
        if (*last && **last == mark) { return {}; }
        if (*last && (!((*last)->sequence < mark.sequence) || (*last)->token > mark.token)) {
            return freshet::error{
                freshet::errc::conflict,
                "collection " + name_ + ": " + freshet::printable(update.item) + ": somebody was faster"};
        }
        auto done = update.id.empty() ? file_->run(
                                            "UPDATE embedding SET metadata = json_patch(metadata, ?3)"
                                            " WHERE collection = ?1 AND receipt = ?2",
                                            name_, update.receipt, update.patch)
                                      : file_->run(
                                            "UPDATE embedding SET metadata = json_patch(metadata, ?4)"
                                            " WHERE collection = ?1 AND receipt = ?2 AND id = ?3",
                                            name_, update.receipt, update.id, update.patch);
        if (!done) { return done; }
        const auto sequence = padded(mark.sequence);
        done = file_->run(
            "INSERT INTO embedding_mark VALUES (?1, ?2, ?3, ?4) ON CONFLICT (collection, item)"
            " DO UPDATE SET sequence = excluded.sequence, token = excluded.token",
            name_, update.item, sequence, mark.token);
        if (!done) { return done; }
        done = file_->run("INSERT INTO applied (collection, item, sequence, token) VALUES (?1, ?2, ?3, ?4)", name_,
                          update.item, sequence, mark.token);
        return done ? writing->commit() : done;
    }

private:
    /// All numbers have the same width, so that their texts have their order.
    [[nodiscard]] static auto padded(const freshet::sequence_number& sequence) -> std::string {
        const auto digits = sequence.view();
        return std::string(freshet::sequence_number::max_digits - digits.size(), '0').append(digits);
    }

    adapters::sqlite::database* file_;
    std::string name_;
};

namespace detail {

/// The members of a message's body, as far as they are used; remembers the first that is not as it must be.
class change_body {
public:
    explicit change_body(const std::string& text) {
        const bool has_nul = text.find('\0') != std::string::npos; // the parser would end there
        body_ = has_nul ? nlohmann::json{} : nlohmann::json::parse(text, nullptr, false);
        if (!body_.is_object()) { complain("is no JSON object"); }
    }

    [[nodiscard]] auto text(const char* parent, const char* name) -> std::string {
        const auto* found = member(parent, name);
        if (found != nullptr && found->is_string()) { return found->get<std::string>(); }
        return complain(name + std::string{" is missing or no text"}), std::string{};
    }
    [[nodiscard]] auto number(const char* name) -> std::uint64_t {
        const auto* found = member("entity_data", name);
        if (found != nullptr && found->is_number_unsigned()) { return found->get<std::uint64_t>(); }
        return complain(name + std::string{" is missing or no number"}), 0;
    }
    /// Each of the fields as the snapshot has it, or null where it is none; all null where the item is gone.
    template <class Names>
    [[nodiscard]] auto fields(const Names& names, bool gone) -> nlohmann::json {
        auto read = nlohmann::json::object();
        const auto* snapshot = gone ? nullptr : member(nullptr, "record_snapshot");
        if (!gone && (snapshot == nullptr || !snapshot->is_object())) {
            complain("record_snapshot is missing or no object");
        }
        for (const auto& each : names) {
            const std::string name{std::string_view{each}};
            auto& value = read[name] = nullptr;
            if (gone || wrong_) { continue; }
            const auto found = snapshot->find(name);
            if (found == snapshot->end() || found->is_null()) { continue; }
            if (found->is_string()) {
                value = *found;
            } else {
                complain(name + " is no text");
            }
        }
        return read;
    }

    /// A key's text, or what is wrong with its fields.
    [[nodiscard]] auto key(freshet::result<std::string> made) -> std::string {
        if (!made) { return complain(made.why().note), std::string{}; }
        return *std::move(made);
    }

    void complain(std::string why) {
        if (!wrong_) { wrong_ = std::move(why); }
    }
    [[nodiscard]] auto wrong() const noexcept -> const std::optional<std::string>& { return wrong_; }

private:
    [[nodiscard]] auto member(const char* parent, const char* name) const -> const nlohmann::json* {
        const auto* in = &body_;
        for (const auto* step : {parent, name}) {
            if (step == nullptr) { continue; }
            if (!in->is_object()) { return nullptr; }
            const auto found = in->find(step);
            if (found == in->end()) { return nullptr; }
            in = &*found;
        }
        return in;
    }

    nlohmann::json body_;
    std::optional<std::string> wrong_;
};

} // namespace detail

inline auto embedding_collection::read(const freshet::received_message& message) const
    -> freshet::result<embedding_update> {
    detail::change_body body{message.body};
    const auto entity = body.text(nullptr, "entity_type");
    const auto event = body.text(nullptr, "event_name");
    const bool gone = event == "REMOVE";
    if (!gone && event != "INSERT" && event != "MODIFY") {
        body.complain("event_name is none of INSERT, MODIFY, REMOVE");
    }
    const auto image = body.key(image_key::format(body.text("entity_data", "image_id")));
    const auto receipt_id = body.number("receipt_id");

    embedding_update update;
    update.receipt = image + '#' + body.key(receipt::sort::format(receipt_id));
    if (entity == receipt_metadata::name) {
        update.item = image + '#' + body.key(receipt_metadata::sort::format(receipt_id));
        update.patch = body.fields(metadata_fields{}, gone).dump();
    } else if (entity == receipt_word_label::name && name_ == "words") {
        const auto line_id = body.number("line_id");
        const auto word_id = body.number("word_id");
        const auto label = body.text("entity_data", "label");
        update.id = image + '#' + body.key(receipt_word::sort::format(receipt_id, line_id, word_id));
        update.item = image + '#' + body.key(receipt_word_label::sort::format(receipt_id, line_id, word_id, label));
        auto said = body.fields(label_fields{}, gone);
        update.patch = nlohmann::json{{"label_" + label, gone ? nlohmann::json{} : std::move(said)}}.dump();
    } else {
        body.complain("entity_type is nothing of the collection " + name_);
    }
    if (!body.wrong()) { return update; }
    return freshet::error{freshet::errc::malformed, "message " + freshet::printable(message.id) + ": " + *body.wrong()};
}

static_assert(freshet::projection<embedding_collection>);

/// How many embeddings there are.
struct seed_report {
    bool made{}; ///< by this call; otherwise they were there already
    std::size_t lines{};
    std::size_t words{};
};

/// A store of embeddings in an SQLite file: both collections, how far each item of the table is applied to them
/// (`embedding_mark`), and every effect in its order (`applied`).
///
/// The vectors themselves are not kept. One object belongs to one thread at a time; several processes share the file.
class embeddings {
public:
    [[nodiscard]] static auto open(const std::string& path, const adapters::sqlite::database_options& how = {})
        -> freshet::result<embeddings> {
        auto file = adapters::sqlite::database::open(path, how);
        if (!file) { return std::move(file).why(); }
        if (auto ready = file->adopt("embeddings", "1", schema); !ready) { return std::move(ready).why(); }
        return embeddings{*std::move(file)};
    }

    [[nodiscard]] auto is_seeded() -> freshet::result<bool> {
        return file_.ask("SELECT done FROM embedding_seeded").transform([](std::int64_t done) { return done != 0; });
    }

    /// Makes the embeddings from the table, all of them or none, unless that was done before.
    ///
    /// What changes in the table from the scan on must come as messages: a reader's place in the table's stream is
    /// saved first.
    template <class Table>
    [[nodiscard]] auto seed(Table& table) -> freshet::result<seed_report> {
        auto writing = file_.begin();
        if (!writing) { return writing.why(); }
        const auto done = is_seeded();
        if (!done) { return done.why(); }
        if (!*done) {
            auto made = each_receipt(table, [&](const receipt_items& one) { return insert(one); });
            if (made) { made = file_.run("UPDATE embedding_seeded SET done = 1"); }
            if (!made) { return std::move(made).why(); }
        }
        auto report = counted();
        if (!report) { return report; }
        report->made = !*done;
        return writing->commit().transform([&] { return *report; });
    }

    /// How many embeddings there are now.
    [[nodiscard]] auto counted() -> freshet::result<seed_report> {
        auto found = file_.prepare(
            "SELECT count(*) FILTER (WHERE collection = 'lines'),"
            " count(*) FILTER (WHERE collection = 'words') FROM embedding");
        if (!found) { return found.why(); }
        return found->step().transform([&](bool) {
            return seed_report{false, static_cast<std::size_t>(found->number(0)),
                               static_cast<std::size_t>(found->number(1))};
        });
    }

    /// A projection that borrows this store.
    [[nodiscard]] auto collection(std::string_view name) -> embedding_collection {
        return embedding_collection{file_, std::string{name}};
    }

    [[nodiscard]] auto file() noexcept -> adapters::sqlite::database& { return file_; }

private:
    static constexpr auto schema =
        "CREATE TABLE embedding (collection TEXT NOT NULL, receipt TEXT NOT NULL, id TEXT NOT NULL,"
        " metadata TEXT NOT NULL, PRIMARY KEY (collection, receipt, id)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE embedding_mark (collection TEXT NOT NULL, item TEXT NOT NULL, sequence TEXT NOT NULL,"
        " token INTEGER NOT NULL, PRIMARY KEY (collection, item)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE applied (number INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL,"
        " item TEXT NOT NULL, sequence TEXT NOT NULL, token INTEGER NOT NULL) STRICT;"
        "CREATE TABLE embedding_seeded (done INTEGER NOT NULL) STRICT;"
        "INSERT INTO embedding_seeded VALUES (0);";

    explicit embeddings(adapters::sqlite::database file) : file_{std::move(file)} {}

    [[nodiscard]] auto insert(const receipt_items& one) -> freshet::result<void> {
        for (const auto collection : collections) {
            for (const auto& each : one.embeddings_in(collection)) {
                auto made = file_.run("INSERT INTO embedding VALUES (?1, ?2, ?3, ?4)", collection, one.id(), each.id,
                                      each.metadata.dump());
                if (!made) { return made; }
            }
        }
        return {};
    }

    adapters::sqlite::database file_;
};

} // namespace receipts
