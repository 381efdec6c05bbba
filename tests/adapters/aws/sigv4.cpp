#include <fake_aws/sigv4.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <fake_aws/authentication.hpp>
#include <support/http_server.hpp>

using namespace std::chrono_literals;
using support::http_headers;
using support::http_request;

namespace {

constexpr const char* secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

auto published(std::string method, std::string target, http_headers more = {}, std::string body = {}) -> http_request {
    http_request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    request.body = std::move(body);
    return request;
}

auto sign(const http_request& request, std::string_view signed_headers) -> std::string {
    const fake_aws::signing_scope scope{"20150830", "us-east-1", "service"};
    const auto canonical = fake_aws::canonical_request(request, signed_headers);
    return fake_aws::signature_of(fake_aws::string_to_sign("20150830T123600Z", scope, canonical), secret, scope);
}

/// A request as a client of DynamoDB makes it, signed by the code under test.
struct client_request {
    std::string secret_key = "the secret";
    std::string access_key = "AKID";
    std::string date = "20240115T120000Z";
    std::string region = "us-east-1";
    std::string service = "dynamodb";
    std::string signed_headers = "content-type;host;x-amz-date;x-amz-target";
    http_headers headers{{"host", "localhost"},
                         {"content-type", "application/x-amz-json-1.0"},
                         {"x-amz-target", "DynamoDB_20120810.GetItem"}};

    [[nodiscard]] auto made() const -> http_request {
        http_request request;
        request.method = "POST";
        request.target = "/";
        request.headers = headers;
        request.headers.emplace_back("x-amz-date", date);
        request.body = "{}";
        const fake_aws::signing_scope scope{date.substr(0, 8), region, service};
        const auto signature = fake_aws::signature_of(
            fake_aws::string_to_sign(date, scope, fake_aws::canonical_request(request, signed_headers)), secret_key,
            scope);
        request.headers.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=" + access_key + '/' + scope.text() +
                                                          ", SignedHeaders=" + signed_headers +
                                                          ", Signature=" + signature);
        return request;
    }
};

auto noon() -> freshet::time_point { return fake_aws::read_amz_date("20240115T120000Z").value(); }

auto rules() -> fake_aws::signature_rules {
    return {{{"AKID", "the secret"}, {"ASIA", "the secret", "token"}, {"ASIAOLD", "the secret", "token", true}},
            "us-east-1",
            "dynamodb",
            noon()};
}

/// `name: first line of the message`, or nothing where the request is let in.
auto refused(const http_request& request, const fake_aws::signature_rules& by = rules()) -> std::string {
    const auto fault = fake_aws::authentication_fault(request, by);
    return fault ? fault->name + ": " + fault->message.substr(0, fault->message.find('\n')) : std::string{};
}

} // namespace

TEST_CASE("a keyed hash is that of RFC 4231's examples") {
    CHECK(fake_aws::hex_text(fake_aws::hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(fake_aws::hex_text(fake_aws::hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(fake_aws::hex_text(fake_aws::hmac_sha256(std::string(131, '\xaa'),
                                                   "Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a derived key is that of the AWS General Reference's examples") {
    CHECK(fake_aws::hex_text(fake_aws::signing_key(secret, {"20120215", "us-east-1", "iam"})) ==
          "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
    CHECK(fake_aws::hex_text(fake_aws::signing_key(secret, {"20150830", "us-east-1", "iam"})) ==
          "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST_CASE("signatures are those of the published Signature Version 4 test suite") {
    const std::string unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const http_headers form{{"content-type", "application/x-www-form-urlencoded"}};
    auto form_utf8 = form;
    form_utf8[0].second += "; charset=utf8";
    const http_headers token{
        {"x-amz-security-token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"}};
    const auto my_header = [](std::vector<std::string> values) {
        http_headers fields;
        for (auto& value : values) { fields.emplace_back("my-header1", std::move(value)); }
        return fields;
    };
    struct vector {
        std::string name;
        http_request request;
        std::string signed_headers;
        std::string signature;
    };
    const std::string two = "host;x-amz-date";
    const std::string three = "host;my-header1;x-amz-date";
    const std::vector<vector> all{
        {"get-vanilla", published("GET", "/"), two, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"post-vanilla", published("POST", "/"), two,
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"get-vanilla-query-order-key-case", published("GET", "/?Param2=value2&Param1=value1"), two,
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-query-order-encoded", published("GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1"), two,
         "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
        {"get-vanilla-query-unreserved", published("GET", "/?" + unreserved + '=' + unreserved), two,
         "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
        {"get-vanilla-utf8-query", published("GET", "/?\u1234=bar"), two,
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"get-utf8", published("GET", "/\u1234"), two,
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-unreserved", published("GET", '/' + unreserved), two,
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"get-space", published("GET", "/example space/"), two,
         "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
        {"get-slashes", published("GET", "//example//"), two,
         "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
        {"get-slash-pointless-dot", published("GET", "/./example"), two,
         "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
        {"get-relative-relative", published("GET", "/example1/example2/../.."), two,
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"get-header-key-duplicate", published("GET", "/", my_header({"value2", "value2", "value1"})), three,
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-order", published("GET", "/", my_header({"value4", "value1", "value3", "value2"})), three,
         "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
        {"get-header-value-trim",
         published("GET", "/", {{"my-header1", " value1"}, {"my-header2", " \"a   b   c\" "}}),
         "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {"get-vanilla-with-session-token", published("GET", "/", token), "host;x-amz-date;x-amz-security-token",
         "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
        {"post-header-key-sort", published("POST", "/", my_header({"value1"})), three,
         "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
        {"post-x-www-form-urlencoded", published("POST", "/", form, "Param1=value1"), "content-type;host;x-amz-date",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
        {"post-x-www-form-urlencoded-parameters", published("POST", "/", form_utf8, "Param1=value1"),
         "content-type;host;x-amz-date", "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    };
    for (const auto& one : all) {
        CAPTURE(one.name);
        CHECK(sign(one.request, one.signed_headers) == one.signature);
    }
}

TEST_CASE("what is signed rightly is let in, with a session's token and without") {
    client_request request;
    CHECK(refused(request.made()) == "");
    request.access_key = "ASIA";
    request.headers.emplace_back("x-amz-security-token", "token");
    request.signed_headers = "host;x-amz-date;x-amz-security-token;x-amz-target";
    CHECK(refused(request.made()) == "");
}

TEST_CASE("a change of anything that is signed is a signature that does not match") {
    const auto good = client_request{}.made();
    const std::string mismatch =
        "InvalidSignatureException: The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    auto other = good;
    SUBCASE("the body") { other.body = "{ }"; }
    SUBCASE("the path") { other.target = "/other"; }
    SUBCASE("the query") { other.target = "/?a=1"; }
    SUBCASE("the method") { other.method = "GET"; }
    SUBCASE("a header") { other.headers[2].second = "DynamoDB_20120810.PutItem"; }
    SUBCASE("a header that comes twice") { other.headers.emplace_back("x-amz-target", "DynamoDB_20120810.PutItem"); }
    SUBCASE("the time") { other.headers[3].second = "20240115T120001Z"; }
    SUBCASE("the secret key") {
        client_request wrong;
        wrong.secret_key = "another";
        other = wrong.made();
    }
    CHECK(refused(other) == mismatch);
}

TEST_CASE("who is not known, or no longer, is refused in the services' own words") {
    client_request request;
    const std::string unknown =
        "UnrecognizedClientException: The security token included in the request is invalid.";
    std::string expected;
    SUBCASE("an unknown key") {
        request.access_key = "AKIDOTHER";
        expected = unknown;
    }
    SUBCASE("a session's key without its token") {
        request.access_key = "ASIA";
        expected = unknown;
    }
    SUBCASE("a session's key with another token") {
        request.access_key = "ASIA";
        request.headers.emplace_back("x-amz-security-token", "another");
        expected = unknown;
    }
    SUBCASE("a user's key with a token") {
        request.headers.emplace_back("x-amz-security-token", "token");
        expected = unknown;
    }
    SUBCASE("a session that is over") {
        request.access_key = "ASIAOLD";
        request.headers.emplace_back("x-amz-security-token", "token");
        expected = "ExpiredTokenException: The security token included in the request is expired";
    }
    CHECK(refused(request.made()) == expected);
}

TEST_CASE("a request without a whole signature is refused before anything else") {
    auto request = client_request{}.made();
    auto& authorization = request.headers.back().second;
    const std::string incomplete = "IncompleteSignatureException: ";
    std::string expected = incomplete;
    SUBCASE("none at all") {
        request.headers.pop_back();
        expected = "MissingAuthenticationTokenException: Missing Authentication Token";
    }
    SUBCASE("of another kind") { authorization = "Basic QUtJRDp0aGUgc2VjcmV0"; }
    SUBCASE("without the credential") { authorization.replace(authorization.find("Credential"), 10, "credential"); }
    SUBCASE("without the signed headers") { authorization.replace(authorization.find("SignedHeaders"), 13, "Signed"); }
    SUBCASE("without the signature") { authorization.resize(authorization.find(", Signature")); }
    SUBCASE("with a scope that lacks a part") { authorization.replace(authorization.find("/dynamodb"), 9, ""); }
    SUBCASE("without a time") { request.headers.erase(request.headers.end() - 2); }
    SUBCASE("with a time of another form") { (request.headers.end() - 2)->second = "2024-01-15T12:00:00Z"; }
    CHECK(refused(request).substr(0, expected.size()) == expected);
}

TEST_CASE("a signature is good for five minutes before and after its time, and no longer") {
    const auto request = client_request{}.made();
    auto by = rules();
    by.now = noon() + 5min;
    CHECK(refused(request, by) == "");
    by.now = noon() - 5min;
    CHECK(refused(request, by) == "");
    by.now = noon() + 5min + 1s;
    CHECK(refused(request, by) == "InvalidSignatureException: Signature expired: 20240115T120000Z is now earlier than "
                                  "20240115T120001Z (20240115T120501Z - 5 min.)");
    by.now = noon() - 5min - 1s;
    CHECK(refused(request, by) == "InvalidSignatureException: Signature not yet current: 20240115T120000Z is still "
                                  "later than 20240115T115959Z (20240115T115459Z + 5 min.)");
}

TEST_CASE("a signature is good for one day, region and service") {
    client_request request;
    std::string expected = "InvalidSignatureException: ";
    auto by = rules();
    SUBCASE("another region") {
        request.region = "eu-west-1";
        expected += "Credential should be scoped to a valid region, not 'eu-west-1'. ";
    }
    SUBCASE("another service") {
        by.service = "sqs";
        expected += "Credential should be scoped to correct service: 'sqs'. ";
    }
    auto made = request.made();
    SUBCASE("another day") {
        (made.headers.end() - 2)->second = "20240116T000000Z";
        by.now = noon() + 12h;
        expected += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    "'20240115' != '20240116', from '20240116T000000Z'.";
    }
    CHECK(refused(made, by) == expected);
}

TEST_CASE("what decides about a request has to be signed, and what is signed has to be sent") {
    client_request request;
    std::string expected = "InvalidSignatureException: '";
    const std::string must = "' must be a 'SignedHeader' in the AWS Authorization.";
    SUBCASE("the host") {
        request.signed_headers = "content-type;x-amz-date;x-amz-target";
        expected += "host" + must;
    }
    SUBCASE("the time") {
        request.signed_headers = "content-type;host;x-amz-target";
        expected += "x-amz-date" + must;
    }
    SUBCASE("the operation") {
        request.signed_headers = "content-type;host;x-amz-date";
        expected += "x-amz-target" + must;
    }
    SUBCASE("the session's token") {
        request.access_key = "ASIA";
        request.headers.emplace_back("x-amz-security-token", "token");
        expected += "x-amz-security-token" + must;
    }
    SUBCASE("a header that is not there") {
        request.signed_headers = "expect;host;x-amz-date;x-amz-target";
        expected = "InvalidSignatureException: The signed header 'expect' is not in the request.";
    }
    SUBCASE("headers out of order") {
        request.signed_headers = "host;content-type;x-amz-date;x-amz-target";
        expected = "InvalidSignatureException: The signed headers are not sorted: " + request.signed_headers;
    }
    CHECK(refused(request.made()) == expected);
}
