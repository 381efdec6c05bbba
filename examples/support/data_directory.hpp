#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>

namespace support {

/// Makes the directory, where there is none; `denied` where there can be none.
[[nodiscard]] inline auto make_data_directory(const std::string& name) -> freshet::result<void> {
    std::error_code failed;
    std::filesystem::create_directories(name, failed);
    if (!failed && std::filesystem::is_directory(name, failed)) { return {}; }
    return freshet::error{freshet::errc::denied,
                          freshet::printable(name) + ": " + (failed ? failed.message() : "is no directory")};
}

/// Whether a file of this name is in the directory; not where that cannot be looked into.
[[nodiscard]] inline auto has_file(const std::string& directory, std::string_view file) -> bool {
    std::error_code failed;
    return !directory.empty() && std::filesystem::exists(std::filesystem::path{directory} / file, failed);
}

} // namespace support
