#include <adapters/graphql/env_file.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>
#include <support/scratch_directory.hpp>

using adapters::graphql::env_variables;
using adapters::graphql::parse_env_file;

namespace {

[[nodiscard]] auto variables(const std::string& text) -> env_variables {
    const auto found = parse_env_file(text, "f");
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.why().note));
    return *found;
}

[[nodiscard]] auto note(const std::string& text) -> std::string {
    const auto found = parse_env_file(text, "dir/.env");
    REQUIRE(!found.ok());
    CHECK(found.why().code == freshet::errc::malformed);
    return found.why().note;
}

} // namespace

TEST_CASE("lines give variables: exported, quoted, with comments and blanks around them") {
    const env_variables wanted{{"A", "1"}, {"B_2", "a=b"}, {"_c", ""}};
    CHECK(variables("A=1\nB_2=a=b\n_c=\n") == wanted);
    CHECK(variables("A=1\r\nB_2=a=b\r\n_c=") == wanted);
    CHECK(variables("\n  # A=2\n\texport A = 1 \n\nexport\tB_2=\"a=b\"\n_c='' # none") == wanted);
    CHECK(variables("").empty());
    CHECK(variables("#").empty());
    CHECK(variables("A=0\nA=1\n")["A"] == "1");
    CHECK(variables("export=1")["export"] == "1");
    CHECK(variables("exported=1")["exported"] == "1");
}

TEST_CASE("a value is taken as it is, but for its quotation marks and a comment behind a blank") {
    const std::vector<std::pair<std::string, std::string>> values{
        {"a b", "a b"},           {"a#b", "a#b"},     {"a #b", "a"},
        {"a\t#b", "a"},           {" # b", ""},       {"#b", "#b"},
        {"'a # b'", "a # b"},     {"\"a'b\"", "a'b"}, {"'a\"b'  # c", "a\"b"},
        {"\"a\\\\n\"", "a\\\\n"}, {"a'b'", "a'b'"},   {"\"  \"", "  "},
        {"a\"", "a\""},           {"$A", "$A"}};
    for (const auto& each : values) {
        const auto& written = each.first;
        CAPTURE(written);
        CHECK(variables("K=" + written + "\n")["K"] == each.second);
    }
}

TEST_CASE("a line that is none is named by its number and not shown") {
    CHECK(note("A=1\n\nsecret\n") == "dir/.env:3: the line has no =");
    CHECK(note("=secret") == "dir/.env:1: before the = there is no variable's name");
    CHECK(note("A B=secret") == "dir/.env:1: before the = there is no variable's name");
    CHECK(note("1A=secret") == "dir/.env:1: before the = there is no variable's name");
    CHECK(note("export =secret") == "dir/.env:1: before the = there is no variable's name");
    CHECK(note("#\nA='secret") == "dir/.env:2: the value's quotation marks do not match");
    CHECK(note("A=\"sec'") == "dir/.env:1: the value's quotation marks do not match");
    CHECK(note("A='sec'ret") == "dir/.env:1: the value's quotation marks do not match");
}

TEST_CASE("a file that is not there is denied by its name") {
    const support::scratch_directory in;
    const auto read = adapters::graphql::read_env_file(in.file("none"));
    REQUIRE(!read.ok());
    CHECK(read.why().code == freshet::errc::denied);
    CHECK(read.why().note == in.file("none") + ": cannot be read");
    CHECK(!adapters::graphql::read_env_file(in.path()).ok());
}
