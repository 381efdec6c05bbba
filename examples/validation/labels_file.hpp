#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include <freshet/core/json_text.hpp>
#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/json_string.hpp>
#include <receipts/entities.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// All labels of a table as text: one a line, by receipt, line, word and label.
///
///     {"image_id":"8b36…","receipt_id":1,"line_id":2,"word_id":1,"label":"DATE","validation_status":"VALID"}
template <class Table>
[[nodiscard]] auto labels_text(Table& table) -> freshet::result<std::string> {
    using label_place = std::tuple<std::string, std::uint64_t, std::uint64_t, std::uint64_t, std::string>;
    std::vector<std::pair<label_place, std::string>> all;
    freshet::page_request request;
    do {
        auto page = table.scan(request);
        if (!page) { return std::move(page).why(); }
        for (const auto& item : page->rows) {
            const auto partition = text_in(item, "PK"), sort = text_in(item, "SK");
            const auto image = receipts::image_key::parse(partition);
            const auto label = receipts::receipt_word_label::sort::parse(sort);
            if (!image || !label) { continue; }
            all.emplace_back(label_place{std::string{image->template get<"image_id">()},
                                         label->template get<"receipt_id">(), label->template get<"line_id">(),
                                         label->template get<"word_id">(), std::string{label->template get<"label">()}},
                             std::string{text_in(item, "validation_status")});
        }
        request.from = std::move(page->next);
    } while (request.from);
    std::sort(all.begin(), all.end());
    std::string text;
    for (const auto& [at, label_status] : all) {
        const auto& [image, receipt, line, word, label] = at;
        text += "{\"image_id\":";
        freshet::detail::append_json_string(text, image);
        text += fmt::format(",\"receipt_id\":{},\"line_id\":{},\"word_id\":{},\"label\":", receipt, line, word);
        freshet::detail::append_json_string(text, label);
        text += ",\"validation_status\":";
        freshet::detail::append_json_string(text, label_status);
        text += "}\n";
    }
    return text;
}

/// Whether the directory is there that a file would be written to; `denied` where it is not, or takes no files.
[[nodiscard]] inline auto has_directory(const std::string& name) -> freshet::result<void> {
    const auto directory = std::filesystem::path{name}.parent_path();
    std::error_code unknown;
    const auto what = std::filesystem::status(name, unknown).type();
    const bool in_place = what != std::filesystem::file_type::regular && what != std::filesystem::file_type::not_found;
    if (in_place || ::access(directory.empty() ? "." : directory.c_str(), W_OK | X_OK) == 0) { return {}; }
    return freshet::error{freshet::errc::denied, freshet::printable(name) + ": " + std::strerror(errno)};
}

/// Writes a file that is there as a whole or not at all, also after a power cut: under another name first, then
/// renamed. Who is killed in between leaves that other file, `<name>.<pid>.tmp`. What is there and no plain file, a
/// device for one, is written to as it is.
[[nodiscard]] inline auto write_whole(const std::string& name, std::string_view text) -> freshet::result<void> {
    const auto failed = [&](int why) {
        return freshet::error{freshet::errc::denied, freshet::printable(name) + ": " + std::strerror(why)};
    };
    std::error_code unknown;
    const auto what = std::filesystem::status(name, unknown).type();
    const bool in_place = what != std::filesystem::file_type::regular && what != std::filesystem::file_type::not_found;
    const auto own = in_place ? name : fmt::format("{}.{}.tmp", name, ::getpid());
    auto* const file = std::fopen(own.c_str(), "wb");
    if (file == nullptr) { return failed(errno); }
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0 &&
                         (in_place || ::fsync(::fileno(file)) == 0);
    auto why = written ? 0 : errno;
    if (std::fclose(file) != 0 && why == 0) { why = errno; }
    if (why == 0 && !in_place && std::rename(own.c_str(), name.c_str()) != 0) { why = errno; }
    if (why == 0) { return {}; }
    if (!in_place) { std::remove(own.c_str()); }
    return failed(why);
}

} // namespace validation
