#include <freshet/testing/faulty_stream.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace {

using freshet::change_batch;
using freshet::result;
using freshet::stream_position;
using freshet::testing::fault;
using freshet::testing::faults;
using freshet::testing::faulty_stream;
using words = std::vector<std::string>;

/// Writes down each call with what it was given.
struct plain_stream {
    using row_type = int;
    std::vector<std::string> calls{};

    auto read(const stream_position& position, std::size_t limit) -> result<change_batch<int>> {
        calls.push_back("read " + position + " " + std::to_string(limit));
        return change_batch<int>{{}, "next", true};
    }
    auto latest() -> result<stream_position> { return calls.emplace_back("latest"); }
    auto oldest() -> result<stream_position> { return calls.emplace_back("oldest"); }
    auto position_after(const change_batch<int>& batch, std::size_t change) -> stream_position {
        return batch.next + std::to_string(change);
    }
    auto checkpoint(std::string_view reader) -> result<std::optional<stream_position>> {
        return calls.emplace_back("checkpoint " + std::string{reader});
    }
    auto save_checkpoint(std::string_view reader, const stream_position& position) -> result<void> {
        calls.push_back("save " + std::string{reader} + " " + position);
        return {};
    }
};

static_assert(freshet::change_stream<plain_stream> && freshet::change_stream<faulty_stream<plain_stream>>);

auto call_all(faulty_stream<plain_stream>& stream) -> std::vector<bool> {
    return {stream.read("p", 7).ok(), stream.latest().ok(), stream.oldest().ok(), stream.checkpoint("r").ok(),
            stream.save_checkpoint("r", "p").ok()};
}

const words each{"read p 7", "latest", "oldest", "checkpoint r", "save r p"};

} // namespace

TEST_CASE("without faults every call goes through as it is, and so does its answer") {
    plain_stream plain;
    faults script;
    faulty_stream stream{plain, script};
    CHECK(call_all(stream) == std::vector<bool>(5, true));
    CHECK(plain.calls == each);
    const auto batch = stream.read("p", 1).value();
    CHECK(batch.gap);
    CHECK(stream.position_after(batch, 3) == "next3");
    CHECK(stream.latest().value() == "latest");
    CHECK(stream.oldest().value() == "oldest");
    CHECK(stream.checkpoint("r").value() == "checkpoint r");
}

TEST_CASE("every call can fail before it happens and after") {
    for (const auto& what : {fault::before(), fault::after()}) {
        plain_stream plain;
        faults script;
        faulty_stream stream{plain, script, "changes"};
        for (const auto* verb : {"read", "latest", "oldest", "checkpoint", "save_checkpoint"}) {
            script.next("changes." + std::string{verb}, {what});
        }
        CHECK(call_all(stream) == std::vector<bool>(5, false));
        CHECK(plain.calls == (what.what == fault::kind::after ? each : words{}));
        CHECK(script.unused().empty());
    }
}
