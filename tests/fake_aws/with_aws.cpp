// Runs a command on a stand-in for AWS on this machine, and ends with its exit code.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <freshet/core/time.hpp>

#include <adapters/aws/settings.hpp>
#include <fake_aws/server.hpp>
#include <support/server_process.hpp>

namespace {

constexpr int own_failure = 125; // not to be mistaken for the command's

void hand_over(const adapters::aws::settings& settings) {
    ::setenv("AWS_ENDPOINT_URL", settings.endpoint.c_str(), 1);
    ::setenv("AWS_REGION", settings.region.c_str(), 1);
    ::setenv("AWS_ACCESS_KEY_ID", settings.keys.access_key.c_str(), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", settings.keys.secret_key.c_str(), 1);
    ::unsetenv("AWS_SESSION_TOKEN");
    for (const auto* service : {"DYNAMODB", "DYNAMODB_STREAMS", "SQS"}) {
        ::unsetenv((std::string{"AWS_ENDPOINT_URL_"} + service).c_str());
    }
}

auto run(char** words) -> int {
    const auto child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::execvp(words[0], words);
        std::fprintf(stderr, "with_aws: %s: %s\n", words[0], std::strerror(errno));
        ::_exit(own_failure);
    }
    std::signal(SIGINT, SIG_IGN); // the command gets it from the terminal too, and is waited for
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

auto run_on(std::string_view wanted, char** words) -> int {
    std::optional<fake_aws::server> fake;
    std::unique_ptr<support::server_process> moto;
    adapters::aws::settings settings;
    if (wanted != "fake" && (wanted == "moto" || support::program_on_path("moto_server"))) {
        auto started = support::start_moto();
        if (!started) {
            std::fprintf(stderr, "with_aws: %s\n", started.why().note.c_str());
            return own_failure;
        }
        moto = *std::move(started);
        settings.endpoint = moto->endpoint();
        settings.region = "us-east-1";
        settings.keys = {"any", "any", ""};
    } else {
        fake.emplace([] { return std::chrono::floor<freshet::duration>(std::chrono::system_clock::now()); });
        settings = fake->settings();
    }
    std::fprintf(stderr, "with_aws: %s stands in for AWS at %s\n", moto ? "moto_server" : "the fake of the tests",
                 settings.endpoint.c_str());
    hand_over(settings);
    return run(words);
}

} // namespace

auto main(int count, char** words) -> int {
    std::string wanted;
    int first = 1;
    if (count > 2 && std::string_view{words[1]} == "--server") {
        wanted = words[2];
        first = 3;
    }
    if (first >= count || (!wanted.empty() && wanted != "moto" && wanted != "fake")) {
        std::fputs("usage: with_aws [--server moto|fake] COMMAND [ARGUMENT...]\n"
                   "Without --server: moto_server if it is on PATH, else the fake of the tests.\n",
                   stderr);
        return own_failure;
    }
    try {
        return run_on(wanted, words + first);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "with_aws: %s\n", thrown.what());
        return own_failure;
    }
}
