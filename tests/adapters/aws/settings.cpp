#include <adapters/aws/settings.hpp>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using adapters::aws::endpoint_of;
using adapters::aws::settings;
using adapters::aws::settings_from_environment;
using freshet::errc;

namespace {

constexpr std::array names{"AWS_ACCESS_KEY_ID",   "AWS_SECRET_ACCESS_KEY",     "AWS_SESSION_TOKEN",
                           "AWS_REGION",          "AWS_DEFAULT_REGION",        "AWS_CA_BUNDLE",
                           "AWS_ENDPOINT_URL",    "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS",
                           "AWS_ENDPOINT_URL_SQS"};

/// The environment has these AWS variables alone, until the end of the scope.
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

auto usable() -> settings { return {.region = "eu-west-1", .keys = {"AKIA", "secret/key+of=somebody"}}; }

/// Denied in one line that has these words, and not the secret.
template <class T>
void denied(const freshet::result<T>& what, const std::string& words) {
    REQUIRE(!what.ok());
    const auto& note = what.why().note;
    CAPTURE(note);
    CHECK(what.why().code == errc::denied);
    CHECK(note.find(words) != std::string::npos);
    CHECK(note.find('\n') == std::string::npos);
    CHECK(note.find("secret/key") == std::string::npos);
}

} // namespace

TEST_CASE("the environment's variables make the settings, and the session token is optional") {
    const environment given{{{"AWS_ACCESS_KEY_ID", "AKIA"},
                             {"AWS_SECRET_ACCESS_KEY", "secret"},
                             {"AWS_SESSION_TOKEN", "token=="},
                             {"AWS_REGION", "eu-west-1"},
                             {"AWS_DEFAULT_REGION", "us-east-1"},
                             {"AWS_CA_BUNDLE", "/etc/certificates.pem"},
                             {"AWS_ENDPOINT_URL", "http://127.0.0.1:8000"},
                             {"AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9324/"}}};
    auto read = settings_from_environment();
    REQUIRE(read.ok());
    CHECK(read->keys.access_key == "AKIA");
    CHECK(read->keys.secret_key == "secret");
    CHECK(read->keys.session_token == "token==");
    CHECK(read->region == "eu-west-1");
    CHECK(read->ca_bundle == "/etc/certificates.pem");
    CHECK(endpoint_of(*read, adapters::aws::dynamodb) == "http://127.0.0.1:8000");
    CHECK(endpoint_of(*read, adapters::aws::dynamodb_streams) == "http://127.0.0.1:8000");
    CHECK(endpoint_of(*read, adapters::aws::sqs) == "http://127.0.0.1:9324");

    ::unsetenv("AWS_SESSION_TOKEN");
    ::setenv("AWS_REGION", "", 1);
    read = settings_from_environment();
    REQUIRE(read.ok());
    CHECK(read->keys.session_token.empty());
    CHECK(read->region == "us-east-1");
}

TEST_CASE("everything that the environment lacks is named at once, and a variable set to nothing is not set") {
    const environment none{{{"AWS_REGION", ""}}};
    denied(settings_from_environment(), "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION (or AWS_DEFAULT_REGION)");
    ::setenv("AWS_DEFAULT_REGION", "us-east-1", 1);
    ::setenv("AWS_ACCESS_KEY_ID", "AKIA", 1);
    denied(settings_from_environment(), "not set: AWS_SECRET_ACCESS_KEY");
}

TEST_CASE("without an endpoint, a service is where its region has it") {
    auto in = usable();
    CHECK(endpoint_of(in, adapters::aws::dynamodb) == "https://dynamodb.eu-west-1.amazonaws.com");
    CHECK(endpoint_of(in, adapters::aws::dynamodb_streams) == "https://streams.dynamodb.eu-west-1.amazonaws.com");
    CHECK(endpoint_of(in, adapters::aws::sqs) == "https://sqs.eu-west-1.amazonaws.com");
    in.region = "cn-north-1";
    CHECK(endpoint_of(in, adapters::aws::sqs) == "https://sqs.cn-north-1.amazonaws.com.cn");
}

TEST_CASE("each service has a name for people") {
    static_assert(adapters::aws::dynamodb.name() == "DynamoDB");
    static_assert(adapters::aws::dynamodb_streams.name() == "DynamoDBStreams");
    static_assert(adapters::aws::sqs.name() == "SQS");
}

TEST_CASE("an endpoint is a scheme, a host and perhaps a port; a path, a user or a query is denied") {
    auto in = usable();
    for (const auto* good : {"", "http://localhost", "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com/",
                             "http://[::1]:8000", "http://127.0.0.1:8000/"}) {
        CAPTURE(good);
        in.endpoint = good;
        CHECK(check(in).ok());
    }
    for (const auto* bad : {"localhost:8000", "ftp://host", "http://", "http:///", "http://host/path", "http://host/?a",
                            "http://ho st", "http://host\r\nX: y", "HTTP//host"}) {
        CAPTURE(bad);
        in.endpoint = bad;
        denied(check(in), "http[s]://host[:port]");
    }
    in.endpoint.clear();
    in.endpoints["SQS"] = "http://somebody:hunter2@host";
    denied(check(in), "AWS endpoint of SQS");
    CHECK(check(in).why().note.find("hunter2") == std::string::npos);
}

TEST_CASE("what cannot stand in a header or a host name is denied, and no secret is shown") {
    for (const auto* region : {"", "eu-west-1\n", "eu west", "EU", "a.b", "eu-west-1/", "x:y"}) {
        CAPTURE(region);
        auto in = usable();
        in.region = region;
        denied(check(in), "region");
    }
    auto in = usable();
    in.keys.access_key = "AKIA\r";
    denied(check(in), "access key id");
    in = usable();
    in.keys.secret_key += "\n";
    denied(check(in), "secret access key");
    in = usable();
    in.keys.secret_key.clear();
    denied(check(in), "secret access key");
    in = usable();
    in.keys.session_token = "one\r\nX-Other: two";
    denied(check(in), "session token");
    CHECK(check(usable()).ok());
}
