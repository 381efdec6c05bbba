#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace support {

/// A new empty directory, removed at the end with all that is in it.
class scratch_directory {
public:
    scratch_directory() : path_{(std::filesystem::temp_directory_path() / "freshet-XXXXXX").string()} {
        if (::mkdtemp(path_.data()) == nullptr) { std::abort(); }
    }
    scratch_directory(const scratch_directory&) = delete;
    auto operator=(const scratch_directory&) -> scratch_directory& = delete;
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] auto path() const -> const std::string& { return path_; }
    /// The path of a file in it.
    [[nodiscard]] auto file(std::string_view name) const -> std::string { return path_ + "/" + std::string{name}; }

private:
    std::string path_;
};

} // namespace support
