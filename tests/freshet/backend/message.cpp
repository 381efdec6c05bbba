#include <freshet/backend/message.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using freshet::message_view;
using freshet::queue_limits;

constexpr message_view plain{"lines", "IMAGE#1", "abc", "{}", ""};
constexpr message_view numbered{"lines", "IMAGE#1", "abc", "{}", "4421584500000000017450439091"};

static_assert(plain.attributes().empty(), "an empty attribute value would be refused by the queue");
static_assert(numbered.attributes().size() == 1);
static_assert(*numbered.attributes().begin() ==
              freshet::message_attribute{"sequence_number", "String", "4421584500000000017450439091"});

static_assert(plain.payload_bytes() == 2, "queue name and ids do not count");
static_assert(numbered.payload_bytes() == 2 + 15 + 6 + 28, "the attribute counts with name, type and value");
static_assert(message_view{}.payload_bytes() == 0);

static_assert(queue_limits{}.entries_per_request == 10);
static_assert(queue_limits{}.message_bytes == 1'048'576 && queue_limits{}.request_bytes == 1'048'576);
static_assert(queue_limits{}.id_bytes == 128 && queue_limits{}.attributes == 10);
static_assert(queue_limits::older_endpoint().message_bytes == 262'144);
static_assert(queue_limits::older_endpoint().request_bytes == 262'144);
static_assert(queue_limits::older_endpoint().entries_per_request == 10, "the other figures stay");

} // namespace

TEST_CASE("a message counts its body in bytes and not in characters") {
    const std::string body = "{\"label\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}"; // 2 + 3 + 4 bytes
    CHECK(message_view{"q", "g", "d", body, ""}.payload_bytes() == 12 + 9);
}

TEST_CASE("a queue's own smaller message size replaces the profile's and nothing else") {
    const queue_limits limits{.message_bytes = 1024};
    CHECK(limits.message_bytes == 1024);
    CHECK(limits.request_bytes == queue_limits{}.request_bytes);
    CHECK(limits != queue_limits{});
}
