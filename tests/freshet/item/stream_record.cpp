#include <freshet/item/stream_record.hpp>

#include <string>

#include <doctest/doctest.h>

#include <freshet/item/event_decoder.hpp>

#include <support/refusals.hpp>

using freshet::event_name;
using freshet::stream_record;

static_assert(name_of(event_name::insert) == "INSERT" && name_of(event_name::modify) == "MODIFY" &&
              name_of(event_name::remove) == "REMOVE");

namespace {

constexpr auto expired(event_name name, std::string_view type, std::string_view principal) -> bool {
    stream_record record;
    record.name = name;
    record.identity_type = type;
    record.identity_principal = principal;
    return record.expired_by_ttl();
}

static_assert(expired(event_name::remove, "Service", "dynamodb.amazonaws.com"));
static_assert(!expired(event_name::modify, "Service", "dynamodb.amazonaws.com"), "the identity alone does not say so");
static_assert(!expired(event_name::insert, "Service", "dynamodb.amazonaws.com"));
static_assert(!expired(event_name::remove, "User", "dynamodb.amazonaws.com"));
static_assert(!expired(event_name::remove, "Service", "replication.dynamodb.amazonaws.com"));
static_assert(!expired(event_name::remove, "", ""));

} // namespace

TEST_CASE("an image that the stream does not carry is absent, and an empty one is empty") {
    freshet::event_decoder decoder;
    const auto event = support::event_around(support::right_record("200", R"(,"NewImage":{})"));
    const auto records = *decoder.decode(event);
    CHECK(records[1]->new_image.has_value());
    CHECK(records[1]->new_image->empty());
    CHECK(!records[1]->old_image.has_value());
    CHECK(!records[0]->new_image.has_value());
}

TEST_CASE("a good record tells its key, bytes and ids like a failed one") {
    freshet::event_decoder decoder;
    const auto record = support::right_record("200");
    const auto event = support::event_around(" " + record + "\n");
    const auto one = (*decoder.decode(event))[1];
    REQUIRE(static_cast<bool>(one));
    CHECK(one.bytes() == record);
    CHECK(one->bytes == record);
    CHECK(one.event_id() == "id-200");
    CHECK(one.sequence() == "200");
    CHECK(one.keys()->find("SK")->text() == "7");
    CHECK((*one).sequence.view() == "200");
}
