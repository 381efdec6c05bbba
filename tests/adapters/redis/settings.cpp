#include <adapters/redis/settings.hpp>

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace {

using adapters::redis::settings_from;

auto is(std::string_view url, const std::string& host, int port, const std::string& password, int database) -> bool {
    CAPTURE(url);
    const auto made = settings_from(url);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.why().note));
    return made->host == host && made->port == port && made->password == password && made->database == database;
}

} // namespace

TEST_CASE("an address says host, port, password and database, and what it does not say is usual") {
    CHECK(is("redis://localhost", "localhost", 6379, "", 0));
    CHECK(is("redis://localhost/", "localhost", 6379, "", 0));
    CHECK(is("redis://10.0.0.1:6380", "10.0.0.1", 6380, "", 0));
    CHECK(is("redis://a.b-c_d.example:1/15", "a.b-c_d.example", 1, "", 15));
    CHECK(is("redis://:secret@host:65535/0", "host", 65535, "secret", 0));
    CHECK(is("redis://:a%2Fb%40c%25%3a%00@host", "host", 6379, std::string{"a/b@c%:\0", 8}, 0));
    CHECK(is("redis://:with:colon@and@host:7/3", "host", 7, "with:colon@and", 3));
    CHECK(is("redis://:@host", "host", 6379, "", 0));
    CHECK(is("redis://[::1]", "::1", 6379, "", 0));
    CHECK(is("redis://:secret@[fe80::1]:6380/2", "fe80::1", 6380, "secret", 2));
}

TEST_CASE("what is no such address is denied in one line, which says why and not the password") {
    const auto refused = [](std::string_view url, std::string_view why) {
        CAPTURE(url);
        const auto made = settings_from(url);
        REQUIRE(!made.ok());
        CAPTURE(made.why().note);
        CHECK(made.why().code == freshet::errc::denied);
        CHECK(made.why().note.starts_with("redis address "));
        CHECK(made.why().note.find(why) != std::string::npos);
        CHECK(made.why().note.find("secret") == std::string::npos);
        CHECK(made.why().note.find('\n') == std::string::npos);
    };
    for (const auto* url : {"", "host:6379", "http://host", "REDIS://host", "rediss://:secret@host", " redis://host"}) {
        refused(url, "it does not begin with redis://");
    }
    for (const auto* url : {"redis://", "redis:///0", "redis://:6379", "redis://:secret@", "redis://:secret@:1",
                            "redis://ho st", "redis://host\n", "redis://host?db=1", "redis://[::1", "redis://::1]",
                            "redis://::1", "redis://[]", "redis://["}) {
        refused(url, "there is no host's name");
    }
    for (const auto* url : {"redis://host:", "redis://host:0", "redis://host:65536", "redis://host:-1",
                            "redis://host:a", "redis://host: 1", "redis://host:1 ", "redis://host:1:2",
                            "redis://[::1]:", "redis://[a]b", "redis://[::1]6379"}) {
        refused(url, "the port is no number from 1 to 65535");
    }
    for (const auto* url : {"redis://host/a", "redis://host/-1", "redis://host/65536", "redis://host/0/",
                            "redis://:secret/secret@host", "redis://host/0?a"}) {
        refused(url, "there may only be the database's number");
    }
    for (const auto* url : {"redis://user:secret@host", "redis://secret@host", "redis://@host"}) {
        refused(url, "and no user");
    }
    for (const auto* url :
         {"redis://:secret%@host", "redis://:secret%2@host", "redis://:%2gsecret@host", "redis://:%-1secret@host"}) {
        refused(url, "a % is not followed by two hexadecimal digits");
    }
}
