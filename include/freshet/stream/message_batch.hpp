#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/message.hpp>
#include <freshet/core/result.hpp>

namespace freshet {

/// Where a text stands in its `message_batch`.
struct text_range {
    std::size_t offset{};
    std::size_t size{};
    friend constexpr auto operator==(const text_range&, const text_range&) -> bool = default;
};

/// The texts of one message. Several messages may share a range: the body of a record that goes to two queues.
struct message_texts {
    text_range queue;
    text_range group_id;
    text_range deduplication_id;
    text_range body;
    text_range sequence;
};

/// Owns the bytes of many messages, in one buffer that grows and is reused.
///
/// `clear` keeps the memory, so that filling it again allocates nothing. A writer asks for room with `reserve`, writes
/// raw bytes, keeps them with `commit`, and names what it committed in `add`:
///
///     const auto begun = batch.mark();
///     char* out = batch.reserve(most);
///     const auto body = batch.commit(write_body(out));
///     if (!good) { batch.roll_back(begun); }
///     else { batch.add({.queue = q, .group_id = g, .deduplication_id = d, .body = body, .sequence = s}, record); }
///
/// Every view and every pointer that it gives is valid until its next change. Misuse (to commit more than there is room
/// for, to name bytes or messages that it does not hold) aborts with a line. Moved, not copied; a moved-from batch is
/// empty.
class message_batch {
public:
    /// A moment to go back to.
    struct moment {
        std::size_t bytes{};
        std::size_t messages{};
    };
    class iterator;

    message_batch() = default;
    message_batch(message_batch&& other) noexcept { swap(other); }
    auto operator=(message_batch&& other) noexcept -> message_batch& {
        message_batch{std::move(other)}.swap(*this);
        return *this;
    }

    /// Room for `size` more bytes behind those committed, not initialised. Bytes not yet committed are lost.
    [[nodiscard]] auto reserve(std::size_t size) -> char* {
        if (capacity_ - used_ < size) { grow(size); }
        return bytes_.get() + used_;
    }

    /// Keeps the first `size` of the bytes that were reserved.
    auto commit(std::size_t size) -> text_range {
        if (size > capacity_ - used_) { abort_on_misuse("message_batch: more was committed than reserved"); }
        return {std::exchange(used_, used_ + size), size};
    }

    /// Copies and keeps a text, which may be a view of this batch.
    auto write(std::string_view text) -> text_range {
        std::unique_ptr<char[]> outlived;
        if (capacity_ - used_ < text.size()) { outlived = grow(text.size()); }
        std::copy_n(text.data(), text.size(), bytes_.get() + used_);
        return commit(text.size());
    }

    /// Everything committed after `begun`, as one text: for a body that is written in pieces.
    [[nodiscard]] auto since(const moment& begun) const -> text_range {
        if (begun.bytes > used_) { abort_on_misuse("message_batch: that moment is gone"); }
        return {begun.bytes, used_ - begun.bytes};
    }

    /// Adds a message made of committed texts; `record` is the index of the record that it comes from.
    void add(const message_texts& texts, std::size_t record) {
        for (const auto& text : {texts.queue, texts.group_id, texts.deduplication_id, texts.body, texts.sequence}) {
            expect_held(text);
        }
        messages_.push_back({texts, record});
    }

    /// Adds a copy of a message, which may be one of this batch.
    void add(const message_view& message, std::size_t record) {
        const auto total = message.queue.size() + message.group_id.size() + message.deduplication_id.size() +
                           message.body.size() + message.sequence.size();
        std::unique_ptr<char[]> outlived;
        if (capacity_ - used_ < total) { outlived = grow(total); }
        const auto queue = write(message.queue);
        const auto group_id = write(message.group_id);
        const auto deduplication_id = write(message.deduplication_id);
        const auto body = write(message.body);
        add({queue, group_id, deduplication_id, body, write(message.sequence)}, record);
    }

    [[nodiscard]] auto mark() const noexcept -> moment { return {used_, messages_.size()}; }

    /// Forgets the bytes and messages that came after `begun`.
    void roll_back(const moment& begun) {
        if (begun.bytes > used_ || begun.messages > messages_.size()) {
            abort_on_misuse("message_batch: that moment is gone");
        }
        used_ = begun.bytes;
        messages_.resize(begun.messages);
    }

    /// Forgets everything and keeps the memory.
    void clear() noexcept {
        used_ = 0;
        messages_.clear();
    }

    [[nodiscard]] auto size() const noexcept -> std::size_t { return messages_.size(); }
    [[nodiscard]] auto empty() const noexcept -> bool { return messages_.empty(); }

    [[nodiscard]] auto operator[](std::size_t i) const -> message_view {
        const auto& t = held(i).texts;
        return {unchecked(t.queue), unchecked(t.group_id), unchecked(t.deduplication_id), unchecked(t.body),
                unchecked(t.sequence)};
    }

    /// The index of the record that message `i` comes from.
    [[nodiscard]] auto record(std::size_t i) const -> std::size_t { return held(i).record; }

    [[nodiscard]] auto text(const text_range& range) const -> std::string_view {
        expect_held(range);
        return unchecked(range);
    }

    [[nodiscard]] auto begin() const noexcept -> iterator;
    [[nodiscard]] auto end() const noexcept -> iterator;

    void swap(message_batch& other) noexcept {
        bytes_.swap(other.bytes_);
        std::swap(capacity_, other.capacity_);
        std::swap(used_, other.used_);
        messages_.swap(other.messages_);
    }

private:
    struct entry {
        message_texts texts;
        std::size_t record;
    };

    /// Gives the old bytes back, for a caller who still reads them.
    auto grow(std::size_t size) -> std::unique_ptr<char[]> {
        const auto capacity = std::max({used_ + size, 2 * capacity_, std::size_t{4096}});
        auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
        std::copy_n(bytes_.get(), used_, bytes.get());
        capacity_ = capacity;
        return std::exchange(bytes_, std::move(bytes));
    }
    [[nodiscard]] auto held(std::size_t i) const -> const entry& {
        if (i >= messages_.size()) { abort_on_misuse("message_batch: there is no such message"); }
        return messages_[i];
    }
    void expect_held(const text_range& range) const {
        if (range.offset > used_ || range.size > used_ - range.offset) {
            abort_on_misuse("message_batch: there is no such text");
        }
    }
    [[nodiscard]] auto unchecked(const text_range& range) const noexcept -> std::string_view {
        return {bytes_.get() + range.offset, range.size};
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_{};
    std::size_t used_{};
    std::vector<entry> messages_;
};

/// Visits the messages of a batch in the order in which they were added.
class message_batch::iterator {
public:
    using value_type = message_view;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const message_batch& batch, std::size_t at) noexcept : batch_{&batch}, at_{at} {}

    [[nodiscard]] auto operator*() const -> message_view { return (*batch_)[at_]; }
    auto operator++() noexcept -> iterator& { return ++at_, *this; }
    auto operator++(int) noexcept -> iterator { return {*batch_, at_++}; }
    friend auto operator==(const iterator&, const iterator&) -> bool = default;

private:
    const message_batch* batch_{};
    std::size_t at_{};
};

inline auto message_batch::begin() const noexcept -> iterator { return {*this, 0}; }
inline auto message_batch::end() const noexcept -> iterator { return {*this, messages_.size()}; }

} // namespace freshet
