#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <support/backend.hpp>
#include <support/option_values.hpp>

namespace support {

/// A backend, and its directory where it is `backend::sqlite`.
struct backend_choice {
    backend where{};
    std::string directory{};
};

/// The options `--backend` and `--dir`.
struct backend_options {
    std::optional<std::string> named{};
    std::optional<std::string> directory{};

    void add_to(CLI::App& app, const std::string& what) {
        app.add_option("--backend", named, what)->type_name("BACKEND");
        app.add_option("--dir", directory, "short for --backend sqlite:DIR")->type_name("DIR");
    }

    /// The one that they name, of those that the program has.
    [[nodiscard]] auto choose(std::initializer_list<backend> has) const -> freshet::result<backend_choice> {
        if (named && directory) { return refused("--backend excludes --dir, which is short for --backend sqlite:DIR"); }
        if (!named && !directory) { return backend_choice{}; }
        constexpr std::string_view sqlite = "sqlite:";
        const bool is_sqlite = directory || named->starts_with(sqlite);
        std::vector<std::string_view> names;
        for (const auto each : has) {
            names.push_back(name_of(each));
            if (each == backend::sqlite && is_sqlite) {
                auto where = directory ? *directory : named->substr(sqlite.size());
                if (where.empty()) { return refused("--dir: the name of a directory is not empty"); }
                return backend_choice{each, std::move(where)};
            }
            if (named == names.back() && each != backend::sqlite) { return backend_choice{each, {}}; }
        }
        const auto given = freshet::printable(named.value_or("sqlite:DIR"));
        if (names.size() == 2) {
            return refused(fmt::format("--backend: '{}' is neither {} nor {}", given, names[0], names[1]));
        }
        return refused(fmt::format("--backend: '{}' is none of {}", given, fmt::join(names, ", ")));
    }

private:
    [[nodiscard]] static constexpr auto name_of(backend which) -> std::string_view {
        constexpr std::string_view names[]{"", "memory", "sqlite:DIR", "aws", "graphql"};
        return names[static_cast<int>(which)];
    }
};

} // namespace support
