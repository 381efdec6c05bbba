#include <freshet/job/resume_token.hpp>

#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <support/cases.hpp>

namespace {

using freshet::parse_resume_token;
using freshet::resume_token;

constexpr freshet::time_point sunday{std::chrono::seconds{1'736'935'200}};

} // namespace

TEST_CASE("a token is a line that a person reads") {
    CHECK(to_text(resume_token{sunday, "IMAGE#7/RECEIPT 1"}) == "resume-1 1736935200000000 19:IMAGE#7/RECEIPT%201");
    CHECK(to_text(resume_token{sunday, ""}) == "resume-1 1736935200000000 0:");
    CHECK(to_text(resume_token{sunday, "100%\n\xff"}) == "resume-1 1736935200000000 12:100%25%0a%ff");
}

TEST_CASE("whatever bytes a group has, and whenever its round is, the token gives them back") {
    CAPTURE(support::seed());
    std::mt19937_64 random{support::seed()};
    for (std::size_t i = 0; i != support::cases(300); ++i) {
        resume_token token{freshet::time_point{freshet::duration{static_cast<freshet::duration::rep>(random())}}, {}};
        for (auto left = random() % 40; left != 0; --left) { token.after += static_cast<char>(random()); }
        const auto text = to_text(token);
        CAPTURE(text);
        CHECK(*parse_resume_token(text) == token);
        for (std::size_t cut = 0; cut != text.size(); ++cut) { CHECK(!parse_resume_token(text.substr(0, cut))); }
        CHECK(!parse_resume_token(text + "x"));
    }
}

TEST_CASE("a damaged token is refused, and the fault names where") {
    const auto fault = [](std::string_view text) { return parse_resume_token(text).fault().offset; };
    CHECK(fault("") == 0);
    CHECK(fault("resume-2 1736935200000000 0:") == 0);
    CHECK(fault("resume-1 soon 0:") == 9);
    CHECK(fault("resume-1 99999999999999999999 0:") == 9);
    CHECK(fault("resume-1 12") == 11);
    CHECK(fault("resume-1 12,0:") == 11);
    CHECK(fault("resume-1 12 :") == 12);
    CHECK(fault("resume-1 12 0") == 13);
    CHECK(fault("resume-1 12 3:ab") == 14);
    CHECK(fault("resume-1 12 3:abcd") == 14);
    CHECK(fault("resume-1 12 3:a b") == 15);
    CHECK(fault("resume-1 12 3:a%2") == 15);
    CHECK(fault("resume-1 12 4:a%2x") == 15);
}
