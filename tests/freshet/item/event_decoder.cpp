#include <freshet/item/event_decoder.hpp>

#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include <support/cases.hpp>
#include <support/decoded.hpp>
#include <support/event_maker.hpp>
#include <support/json_oracle.hpp>

TEST_CASE("the decoder and a second one over nlohmann-json agree on every event, right, wrong or broken") {
    const auto seed = support::seed();
    CAPTURE(seed);
    support::event_maker make{seed};
    freshet::event_decoder decoder;
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t good = 0;
    std::size_t failed = 0;
    const auto agree = [&](const std::string& event) {
        auto want = oracle::read_event(event);
        const auto got = support::decoded(decoder, event);
        ++(want ? accepted : refused);
        if (want) {
            for (auto& record : *want) {
                ++(record.good ? good : failed);
                record = oracle::without_content(record);
            }
        }
        if (got != want) { FAIL("they differ on: ", event); }
    };
    for (auto left = support::cases(1000); left > 0; --left) {
        const auto event = make.event();
        agree(event);
        agree(make.broken(event));
        agree(make.event(40));
        agree(make.broken(make.event(200)));
    }
    MESSAGE("seed ", seed, ": ", accepted, " events accepted, ", refused, " refused; ", good, " records good, ", failed, " failed");
    CHECK(accepted > refused / 4);
    CHECK(refused > 0);
    CHECK(failed > 0);
}
