// Loaded into a child process in front of the C library (LD_PRELOAD): its wall clock tells the nanoseconds since 1970
// that the file FRESHET_TIME_FILE holds, as eight bytes; zero, or no such file, means the machine's own time. All other
// clocks go on, so that the child's waits last as long as ever. (libfaketime reads its file anew at each call, which
// makes a Python server seven times slower, and has its sleeps fail.)

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

auto given_time() -> std::int64_t {
    static const auto* const shared = []() -> const std::atomic<std::int64_t>* {
        const char* path = std::getenv("FRESHET_TIME_FILE");
        const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) { return nullptr; }
        void* at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
        ::close(file);
        return at == MAP_FAILED ? nullptr : static_cast<const std::atomic<std::int64_t>*>(at);
    }();
    return shared == nullptr ? 0 : shared->load();
}

} // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* at) noexcept {
    const auto nanoseconds = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? given_time() : 0;
    if (nanoseconds == 0) { return static_cast<int>(::syscall(SYS_clock_gettime, clock, at)); }
    at->tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
    at->tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
    return 0;
}

int gettimeofday(timeval* at, void*) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1'000;
    return 0;
}

time_t time(time_t* at) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (at != nullptr) { *at = now.tv_sec; }
    return now.tv_sec;
}

} // extern "C"
