#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include <freshet/core/result.hpp>

namespace support {

/// A law that a server does not keep, and is therefore not asked to.
struct left_out_law {
    std::string_view suite; ///< `table`, `change_stream`, `message_queue`, `ledger`
    std::string_view law;   ///< its number
    std::string_view why;   ///< what the server answers, and what the service does
};

/// Counts a binary's cases of the laws by suite, and writes what it counted into one file a suite, `SUITE.SERVER`, in
/// the directory that the environment variable FRESHET_SERVER_RESULTS names; nowhere where it is not set. A case is of
/// the doctest suite that it stands in, else of that which its file is named after (`table.cpp`, `table_laws.cpp`).
///
/// A file has one line: `15 cases passed`, with `, 1 failed` and `, 2 left out` where there are any, or `not there: `
/// and why. `start` is asked before the first case; where it fails, that is written and said, and the program ends:
/// with 77, which CTest takes for a skipped test, where the server is `denied`; with 1 where it is there and fails.
/// For REGISTER_LISTENER, as the base of a class with the usual constructor.
class server_results : public doctest::IReporter {
public:
    server_results(
        std::string server, std::vector<std::string> suites, std::vector<left_out_law> left_out = {},
        std::function<freshet::result<void>()> start = [] { return freshet::result<void>{}; })
        : server_{std::move(server)}, left_out_{std::move(left_out)}, start_{std::move(start)} {
        for (auto& suite : suites) { counts_[std::move(suite)]; }
    }

    void test_run_start() override {
        for (const auto& law : left_out_) {
            ++counts_[std::string{law.suite}].left_out;
            std::cout << "left out on " << server_ << ": " << law.suite << " law " << law.law << ": " << law.why
                      << '\n';
        }
        const auto started = start_();
        if (started) { return; }
        const auto line = "not there: " + started.why().note;
        std::cout << server_ << " is " << line << std::endl;
        for (const auto& [suite, count] : counts_) { write(suite, line); }
        std::exit(started.why().code == freshet::errc::denied ? 77 : 1);
    }
    void test_case_start(const doctest::TestCaseData& started) override { suite_ = suite_of(started); }
    void test_case_end(const doctest::CurrentTestCaseStats& ended) override {
        if (suite_.empty()) { return; }
        ++(ended.failure_flags == 0 ? counts_[suite_].passed : counts_[suite_].failed);
    }
    void test_run_end(const doctest::TestRunStats&) override {
        for (const auto& [suite, count] : counts_) {
            auto line = std::to_string(count.passed) + " cases passed";
            if (count.failed != 0) { line += ", " + std::to_string(count.failed) + " failed"; }
            if (count.left_out != 0) { line += ", " + std::to_string(count.left_out) + " left out"; }
            write(suite, line);
        }
    }

    void report_query(const doctest::QueryData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}

private:
    struct tally {
        std::size_t passed{}, failed{}, left_out{};
    };

    /// The suite whose law the case is; empty where it is none.
    [[nodiscard]] auto suite_of(const doctest::TestCaseData& of) const -> std::string {
        if (!std::string_view{of.m_name}.ends_with('>')) { return {}; } // a law is a template, and named with its type
        std::string suite{of.m_test_suite};
        if (suite.empty()) { suite = std::filesystem::path{of.m_file.c_str()}.stem().string(); }
        if (suite.ends_with("_laws")) { suite.resize(suite.size() - 5); }
        return counts_.contains(suite) ? suite : std::string{};
    }

    /// Whole or not at all, whoever reads it when.
    void write(const std::string& suite, const std::string& line) const {
        const auto* directory = std::getenv("FRESHET_SERVER_RESULTS");
        if (directory == nullptr) { return; }
        std::filesystem::create_directories(directory);
        const auto path = std::string{directory} + "/" + suite + "." + server_;
        const auto unfinished = path + "." + std::to_string(::getpid());
        std::ofstream{unfinished} << line << '\n';
        std::filesystem::rename(unfinished, path);
    }

    std::string server_;
    std::vector<left_out_law> left_out_;
    std::function<freshet::result<void>()> start_;
    std::string suite_;
    std::map<std::string, tally> counts_;
};

} // namespace support
