#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <freshet/core/time.hpp>
#include <freshet/job/schedule.hpp>
#include <freshet/job/schedule_lint.hpp>

// Whatever is read as a schedule answers at any instant, forwards and backwards alike; what is refused says where.
namespace {

void expect(bool held) {
    if (!held) { std::abort(); }
}

} // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    std::int64_t asked = 0;
    const auto head = size < sizeof(asked) ? size : sizeof(asked);
    std::memcpy(&asked, data, head);
    const std::string_view text{reinterpret_cast<const char*>(data) + head, size - head};
    const auto read = freshet::schedule::parse(text);
    if (!read) {
        expect(read.fault().offset <= text.size() && read.fault().reason.size() > 10);
        return 0;
    }
    for (const auto micros :
         {asked, asked % 7'258'118'400'000'000}) { // of all time, and nearer to the years up to 2199
        const freshet::time_point at{freshet::duration{micros}};
        for (const auto& when : {*read, read->starting_at(at)}) {
            const auto next = when.next(at);
            const auto previous = when.previous(at);
            expect(!next || *next > at);
            expect(!previous || *previous < at);
            expect(!next || !when.previous(*next) || *when.previous(*next) <= at);
            expect(!previous || !when.next(*previous) || *when.next(*previous) >= at);
        }
    }
    static_cast<void>(lint(*read));
    return 0;
}
