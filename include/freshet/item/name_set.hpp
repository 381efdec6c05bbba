#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <freshet/core/text_hash.hpp>

namespace freshet::detail {

/// Remembers which names an object has had, for any number of open objects at once, in work linear in the names.
///
/// One hash table serves all objects: an entry carries the number of its object, and the entries of objects
/// before the last `reset` count as empty, so that nothing is ever cleared.
class name_set {
public:
    /// Starts a new object and returns its number.
    [[nodiscard]] auto open() noexcept -> std::uint64_t { return next_object_++; }

    /// Whether `name` is new to the object. The name's bytes stay in place until `reset`.
    [[nodiscard]] auto add(std::uint64_t object, std::string_view name) -> bool {
        if (2 * (used_ + 1) > table_.size()) { grow(); }
        const auto mask = table_.size() - 1;
        for (auto at = static_cast<std::size_t>(hash_(object, name)) & mask;; at = (at + 1) & mask) {
            auto& here = table_[at];
            if (here.object < first_live_) {
                here = {object, name};
                ++used_;
                return true;
            }
            if (here.object == object && here.name == name) { return false; }
        }
    }

    /// Ends all objects.
    void reset() noexcept {
        first_live_ = next_object_;
        used_ = 0;
    }

private:
    struct slot {
        std::uint64_t object{};
        std::string_view name;
    };

    void grow() {
        std::vector<slot> old(table_.empty() ? 64 : 2 * table_.size());
        old.swap(table_);
        used_ = 0;
        for (const auto& s : old) {
            if (s.object >= first_live_) { static_cast<void>(add(s.object, s.name)); }
        }
    }

    text_hash hash_{this};
    std::vector<slot> table_;
    std::size_t used_{};
    std::uint64_t next_object_{1}; // 0 marks a slot that was never used
    std::uint64_t first_live_{1};
};

/// The names of one object while it is read: few stay in place, many move to a `name_set`.
class object_names {
public:
    explicit object_names(name_set& many) : many_{many} {}

    /// Whether `name` is new to this object.
    [[nodiscard]] auto add(std::string_view name) -> bool {
        if (object_ != 0) { return many_.add(object_, name); }
        const auto bit = std::uint64_t{1} << digest(name);
        if ((digests_ & bit) != 0) {
            for (std::size_t i = 0; i < count_; ++i) {
                if (few(i) == name) { return false; }
            }
        }
        digests_ |= bit;
        if (count_ < text_.size()) {
            text_[count_] = name.data();
            size_[count_++] = name.size();
            return true;
        }
        object_ = many_.open();
        for (std::size_t i = 0; i < count_; ++i) { static_cast<void>(many_.add(object_, few(i))); }
        return many_.add(object_, name);
    }

private:
    [[nodiscard]] auto few(std::size_t i) const noexcept -> std::string_view { return {text_[i], size_[i]}; }

    /// Six bits that differ for most names of one object: most names need no comparison at all.
    [[nodiscard]] static auto digest(std::string_view name) noexcept -> unsigned {
        if (name.empty()) { return 0; }
        const auto byte = [&](std::size_t i) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(name[i]));
        };
        const auto sum = byte(0) + (byte(name.size() - 1) << 8) + (byte(name.size() / 2) << 16) +
                         (static_cast<std::uint32_t>(name.size()) << 24);
        return (sum * 0x9e3779b1u) >> 26;
    }

    name_set& many_;
    std::array<const char*, 24>
        text_; // the first `count_` are set, the rest is left as it is: this is built per object
    std::array<std::size_t, 24> size_;
    std::size_t count_{};
    std::uint64_t digests_{};
    std::uint64_t object_{};
};

} // namespace freshet::detail
