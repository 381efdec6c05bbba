#pragma once

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace support {

/// Memory that ends at an unreadable page: whoever reads one byte too far ends the process.
class guarded_buffer {
public:
    explicit guarded_buffer(std::size_t capacity) : page_{static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))} {
        readable_ = (capacity + page_ - 1) / page_ * page_;
        auto* memory = ::mmap(nullptr, readable_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) { throw std::runtime_error{"mmap"}; }
        begin_ = static_cast<char*>(memory);
        if (::mprotect(begin_ + readable_, page_, PROT_NONE) != 0) { throw std::runtime_error{"mprotect"}; }
    }
    guarded_buffer(const guarded_buffer&) = delete;
    auto operator=(const guarded_buffer&) -> guarded_buffer& = delete;
    ~guarded_buffer() { ::munmap(begin_, readable_ + page_); }

    /// A copy of `text` whose last byte is the last readable one; valid until the next call.
    [[nodiscard]] auto hold(std::string_view text) -> std::string_view {
        if (text.size() > readable_) { throw std::length_error{"guarded_buffer"}; }
        auto* at = begin_ + (readable_ - text.size());
        if (!text.empty()) { std::memmove(at, text.data(), text.size()); }
        return {at, text.size()};
    }

private:
    std::size_t page_;
    std::size_t readable_{};
    char* begin_{};
};

} // namespace support
