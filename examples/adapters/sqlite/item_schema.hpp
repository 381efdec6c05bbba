#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/json_string.hpp>

#include <adapters/item_table.hpp>
#include <adapters/sqlite/database.hpp>

namespace adapters::sqlite {

/// The columns of table `item` that hold a row's key in the index at this place of the options.
[[nodiscard]] inline auto index_columns(std::size_t index) -> std::pair<std::string, std::string> {
    const auto name = "index" + std::to_string(index);
    return {name + "_partition", name + "_sort"};
}

/// Stores a row unless it is there already with this text: parameters pk, sk, text, then each index's two columns.
[[nodiscard]] inline auto store_statement(const item_table_options& options) -> std::string {
    std::string columns = "pk, sk, text";
    std::string values = "?1, ?2, ?3";
    std::string changes = "text = excluded.text";
    for (std::size_t i = 0; i < options.indexes.size(); ++i) {
        const auto [partition, sort] = index_columns(i);
        columns += ", " + partition + ", " + sort;
        values += ", ?" + std::to_string(2 * i + 4) + ", ?" + std::to_string(2 * i + 5);
        changes += ", " + partition + " = excluded." + partition + ", " + sort + " = excluded." + sort;
    }
    return "INSERT INTO item (" + columns + ") VALUES (" + values + ") ON CONFLICT (pk, sk) DO UPDATE SET " + changes +
           " WHERE text IS NOT excluded.text";
}

/// The tables of an item table: its rows, its change log, and how far that was trimmed and read.
///
/// Index keys are columns, and not expressions over the text: SQLite's JSON functions end a text at U+0000, and find no
/// attribute whose name has a quotation mark.
[[nodiscard]] inline auto items_schema(const item_table_options& options) -> std::string {
    std::string columns;
    std::string indexes;
    for (std::size_t i = 0; i < options.indexes.size(); ++i) {
        const auto [partition, sort] = index_columns(i);
        columns += ", " + partition + " TEXT, " + sort + " TEXT";
        indexes += "CREATE INDEX item_index" + std::to_string(i) + " ON item (" + partition + ", " + sort +
                   ", pk, sk) WHERE " + partition + " IS NOT NULL;";
    }
    const auto log = [](const std::string& when, const std::string& key, const std::string& sides) {
        return "CREATE TRIGGER item_log_" + when + " BEGIN INSERT INTO item_change (made_at, cause, pk, sk, before," +
               " after) VALUES (freshet_now(), freshet_cause(), " + key + ".pk, " + key + ".sk, " + sides + "); END;";
    };
    return "CREATE TABLE item (pk TEXT NOT NULL, sk TEXT NOT NULL, text TEXT NOT NULL" + columns +
           ", PRIMARY KEY (pk, sk)) STRICT;" + indexes +
           "CREATE TABLE item_change (sequence INTEGER PRIMARY KEY AUTOINCREMENT, made_at INTEGER NOT NULL,"
           " cause INTEGER NOT NULL, pk TEXT NOT NULL, sk TEXT NOT NULL, before TEXT, after TEXT)"
           " STRICT;" +
           log("insert AFTER INSERT ON item", "NEW", "NULL, NEW.text") +
           log("update AFTER UPDATE ON item WHEN OLD.text IS NOT NEW.text", "NEW", "OLD.text, NEW.text") +
           log("delete AFTER DELETE ON item", "OLD", "OLD.text, NULL") +
           "CREATE TABLE item_stream (id TEXT NOT NULL, trimmed INTEGER NOT NULL) STRICT;"
           "INSERT INTO item_stream VALUES (lower(hex(randomblob(8))), 0);"
           "CREATE TABLE item_checkpoint (reader TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT;";
}

/// Everything that must be the same for all who use the file.
[[nodiscard]] inline auto items_version(const item_table_options& options) -> std::string {
    std::string version = "1";
    const auto name = [&](std::string_view text) {
        version += ' ';
        freshet::detail::append_json_string(version, text);
    };
    for (const auto& text : {options.name, options.region, options.account, options.partition, options.sort}) {
        name(text);
    }
    for (const auto& index : options.indexes) {
        for (const auto& text : {index.name, index.partition, index.sort}) { name(text); }
    }
    return version;
}

/// What is said of a row whose stored text is no item: the file is damaged, and no other try helps.
[[nodiscard]] inline auto damaged_row(const database& file, std::string_view pk, std::string_view sk,
                                      const freshet::error& why) -> freshet::error {
    return file.refused("row " + freshet::printable(pk, 100) + " / " + freshet::printable(sk, 100) + ": " + why.note);
}

/// Opens the file of an item table, and makes its tables where it is new.
[[nodiscard]] inline auto open_items(const std::string& path, const item_table_options& options,
                                     const database_options& how) -> freshet::result<database> {
    auto file = database::open(path, how);
    if (!file) { return file; }
    auto adopted = file->adopt("items", items_version(options), items_schema(options));
    if (!adopted) { return adopted.why(); }
    return file;
}

} // namespace adapters::sqlite
