#include <adapters/graphql/settings.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <support/scratch_directory.hpp>

using adapters::graphql::settings;
using adapters::graphql::settings_from_environment;
using freshet::errc;
using namespace std::chrono_literals;

namespace {

constexpr std::array names{"PLEXUS_API_URL",  "GRAPHQL_ENDPOINT",  "PLEXUS_API_KEY",
                           "GRAPHQL_API_KEY", "METRICS_RUN_FIELD", "AMPLIFY_STACK_PATTERN"};

/// The environment has these variables of the API alone, until the end of the scope.
class environment {
public:
    explicit environment(const std::vector<std::pair<const char*, const char*>>& wanted) {
        for (const auto* name : names) {
            const char* const value = std::getenv(name);
            before_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>{value});
            ::unsetenv(name);
        }
        for (const auto& [name, value] : wanted) { ::setenv(name, value, 1); }
    }
    ~environment() {
        for (const auto& [name, value] : before_) {
            if (value) {
                ::setenv(name, value->c_str(), 1);
            } else {
                ::unsetenv(name);
            }
        }
    }
    environment(const environment&) = delete;
    auto operator=(const environment&) -> environment& = delete;

private:
    std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

struct env_file {
    support::scratch_directory in{};
    std::string path{in.file(".env")};

    explicit env_file(const std::string& text) { std::ofstream{path} << text; }
};

[[nodiscard]] auto denial(const freshet::result<settings>& made) -> std::string {
    REQUIRE(!made.ok());
    CHECK(made.why().code == errc::denied);
    CHECK(made.why().note.find('\n') == std::string::npos);
    CHECK(made.why().note.find("secret") == std::string::npos);
    return made.why().note;
}

} // namespace

TEST_CASE("the first names go before the second ones, and one that is set to nothing is not set") {
    {
        const environment set{{{"PLEXUS_API_URL", "https://one/graphql"},
                               {"GRAPHQL_ENDPOINT", "https://two/graphql"},
                               {"PLEXUS_API_KEY", "key1"},
                               {"GRAPHQL_API_KEY", "key2"},
                               {"AMPLIFY_STACK_PATTERN", "amplify-x-main"}}};
        const auto made = settings_from_environment();
        REQUIRE(made.ok());
        CHECK(made->endpoint == "https://one/graphql");
        CHECK(made->api_key == "key1");
        CHECK(made->stack_pattern == "amplify-x-main");
    }
    const environment set{
        {{"PLEXUS_API_URL", ""}, {"GRAPHQL_ENDPOINT", "https://two/graphql"}, {"GRAPHQL_API_KEY", "key2"}}};
    const auto made = settings_from_environment();
    REQUIRE(made.ok());
    CHECK(made->endpoint == "https://two/graphql");
    CHECK(made->api_key == "key2");
    CHECK(made->stack_pattern.empty());
}

TEST_CASE("the file says what the environment does not, under either name") {
    const env_file file{
        "PLEXUS_API_URL=https://file/graphql\nexport PLEXUS_API_KEY='file-key'\n"
        "GRAPHQL_API_KEY=other\nAMPLIFY_STACK_PATTERN=from-file\n"};
    {
        const environment none{{}};
        const auto made = settings_from_environment(file.path);
        REQUIRE(made.ok());
        CHECK(made->endpoint == "https://file/graphql");
        CHECK(made->api_key == "file-key");
        CHECK(made->stack_pattern == "from-file");
    }
    const environment some{{{"GRAPHQL_ENDPOINT", "https://environment/graphql"}, {"AMPLIFY_STACK_PATTERN", "mine"}}};
    const auto made = settings_from_environment(file.path);
    REQUIRE(made.ok());
    CHECK(made->endpoint == "https://environment/graphql");
    CHECK(made->api_key == "file-key");
    CHECK(made->stack_pattern == "mine");
}

TEST_CASE("all that is missing is named in one line") {
    const environment none{{}};
    CHECK(denial(settings_from_environment()) ==
          "the environment says too little about the GraphQL API: not set: "
          "PLEXUS_API_URL (or GRAPHQL_ENDPOINT), PLEXUS_API_KEY (or GRAPHQL_API_KEY)");
    const env_file file{"PLEXUS_API_URL=https://file/graphql\nPLEXUS_API_KEY=\n"};
    CHECK(denial(settings_from_environment(file.path)) ==
          "the environment says too little about the GraphQL API: not set: PLEXUS_API_KEY (or GRAPHQL_API_KEY)");
}

TEST_CASE("a file that is damaged, or not there, is told of") {
    const environment none{{}};
    const env_file file{"PLEXUS_API_URL=https://file/graphql\nsecret\n"};
    const auto damaged = settings_from_environment(file.path);
    REQUIRE(!damaged.ok());
    CHECK(damaged.why() == freshet::error{errc::malformed, file.path + ":2: the line has no ="});
    CHECK(denial(settings_from_environment(file.in.file("none"))) == file.in.file("none") + ": cannot be read");
}

TEST_CASE("an address or a key that no request can have is denied, and secrets are not shown") {
    const auto wrong = [](const std::string& endpoint, const std::string& key) {
        const auto looked_at = adapters::graphql::check({.endpoint = endpoint, .api_key = key});
        CHECK((looked_at.ok() || looked_at.why().code == errc::denied));
        CHECK((looked_at.ok() || looked_at.why().note.find("secret") == std::string::npos));
        return looked_at.ok() ? std::string{} : looked_at.why().note;
    };
    CHECK(wrong("https://a.appsync-api.eu-west-1.amazonaws.com/graphql", "da2-x").empty());
    CHECK(wrong("http://127.0.0.1:4000", "k").empty());
    for (const auto* endpoint :
         {"", "ftp://a", "https://", "https:///graphql", "a/graphql", "https://a b", "https://a\n",
          "https://u:secret@a/graphql", "https://a/graphql?key=secret", "https://a#secret", "da2-secret"}) {
        CAPTURE(endpoint);
        CHECK(wrong(endpoint, "k").starts_with("GraphQL endpoint: "));
    }
    for (const auto* key : {"", "secret 2", "secret\r\nx-other: 1", "secret\xc3\xa9"}) {
        CHECK(wrong("https://a", key) == "GraphQL API key: empty, or not a single word");
    }
    CHECK(wrong("da2-secret", "https://a/graphql") ==
          "GraphQL endpoint: it does not begin with http:// or https://"); // one taken for the other
}

TEST_CASE("the field for a run's number is named by the environment or the file, and by nobody is none") {
    const env_file file{"PLEXUS_API_URL=https://a/graphql\nPLEXUS_API_KEY=k\nMETRICS_RUN_FIELD=lastRun\n"};
    const environment url{{{"PLEXUS_API_URL", "https://b/graphql"}, {"PLEXUS_API_KEY", "k"}}};
    CHECK(settings_from_environment()->run_field.empty());
    CHECK(settings_from_environment(file.path)->run_field == "lastRun");
    const environment field{
        {{"PLEXUS_API_URL", "https://b/graphql"}, {"PLEXUS_API_KEY", "k"}, {"METRICS_RUN_FIELD", "runNumber"}}};
    CHECK(settings_from_environment(file.path)->run_field == "runNumber");
}

TEST_CASE("a field for a run's number that is no name, or that counts have a use for, is denied") {
    for (const auto* name : {"run number", "1st", "run-number", "a } x", "count", "compositeKey", "updatedAt"}) {
        CAPTURE(name);
        const auto made = adapters::graphql::check({.endpoint = "https://a", .api_key = "k", .run_field = name});
        REQUIRE(!made.ok());
        CHECK(made.why() == freshet::error{errc::denied, "GraphQL field for a run's number: '" + std::string{name} +
                                                             "' is no name, or has another use"});
    }
    CHECK(adapters::graphql::check({.endpoint = "https://a", .api_key = "k", .run_field = "_run2"}).ok());
}

TEST_CASE("a call takes as long as all its attempts and the waits between them") {
    settings given{.endpoint = "https://a", .api_key = "k", .total_timeout = 35s};
    given.retries.retries = 2;
    given.retries.cap = 2s;
    CHECK(adapters::graphql::longest_call(given) == 109s);
    given.retries.retries = 0;
    CHECK(adapters::graphql::longest_call(given) == 35s);
}
