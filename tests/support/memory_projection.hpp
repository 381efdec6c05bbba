#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/projection.hpp>
#include <freshet/core/result.hpp>

namespace support {

/// What a message says: the item, and its state from now on; no state where the item is gone.
struct item_update {
    std::string item;
    std::optional<std::string> state;
};

/// Reads `item=state`, or `item-` for a removal.
[[nodiscard]] inline auto read_plain_update(const freshet::received_message& message) -> freshet::result<item_update> {
    const auto end = message.body.find_first_of("=-");
    if (end == std::string::npos || end == 0) {
        return freshet::error{freshet::errc::malformed, "no update: " + message.body};
    }
    if (message.body[end] == '-') { return item_update{message.body.substr(0, end), std::nullopt}; }
    return item_update{message.body.substr(0, end), message.body.substr(end + 1)};
}

/// A projection in memory that writes down what was applied and what was refused.
class memory_projection {
public:
    using update_type = item_update;
    using reader = std::function<freshet::result<item_update>(const freshet::received_message&)>;

    struct application {
        std::string item;
        freshet::applied_mark mark;
    };

    explicit memory_projection(reader read = read_plain_update) : read_{std::move(read)} {}

    [[nodiscard]] auto read(const freshet::received_message& message) const -> freshet::result<item_update> {
        return read_(message);
    }
    [[nodiscard]] auto item_of(const item_update& update) const -> std::string { return update.item; }
    [[nodiscard]] auto last_applied(std::string_view item) const
        -> freshet::result<std::optional<freshet::applied_mark>> {
        const auto found = kept_.find(item);
        if (found == kept_.end()) { return std::nullopt; }
        return std::optional{found->second.mark};
    }
    [[nodiscard]] auto apply(const item_update& update, const freshet::applied_mark& mark) -> freshet::result<void> {
        const auto found = kept_.find(update.item);
        if (found != kept_.end()) {
            const auto& last = found->second.mark;
            if (last == mark) { return {}; }
            if (!(last.sequence < mark.sequence) || last.token > mark.token) {
                refused_.push_back({update.item, mark});
                return freshet::error{freshet::errc::conflict, "somebody was faster at " + update.item};
            }
        }
        kept_.insert_or_assign(update.item, kept{update.state, mark});
        applied_.push_back({update.item, mark});
        return {};
    }

    /// The items that are there, by name.
    [[nodiscard]] auto items() const -> std::map<std::string, std::string> {
        std::map<std::string, std::string> there;
        for (const auto& [item, one] : kept_) {
            if (one.state) { there.emplace(item, *one.state); }
        }
        return there;
    }
    [[nodiscard]] auto applied() const noexcept -> const std::vector<application>& { return applied_; }
    [[nodiscard]] auto refused() const noexcept -> const std::vector<application>& { return refused_; }
    /// The sequence numbers that were applied to an item, in their order, with blanks between them.
    [[nodiscard]] auto sequences_of(std::string_view item) const -> std::string {
        std::string all;
        for (const auto& one : applied_) {
            if (one.item == item) { all.append(all.empty() ? "" : " ").append(one.mark.sequence.view()); }
        }
        return all;
    }
    /// Forgets everything, as if the store had been made anew.
    void lose() { kept_.clear(); }

private:
    struct kept {
        std::optional<std::string> state;
        freshet::applied_mark mark;
    };

    reader read_;
    std::map<std::string, kept, std::less<>> kept_;
    std::vector<application> applied_;
    std::vector<application> refused_;
};

static_assert(freshet::projection<memory_projection>);

} // namespace support
