#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <freshet/backend/message_queue.hpp>
#include <freshet/backend/projection.hpp>
#include <freshet/core/result.hpp>
#include <freshet/testing/faults.hpp>

namespace support {

/// A projection in front of another, in which what the script says goes wrong: `store.read`, `store.last_applied`,
/// `store.apply`. Borrows both.
template <class Projection>
class faulty_projection {
public:
    using update_type = typename Projection::update_type;

    faulty_projection(Projection& store, freshet::testing::faults& script) : store_{&store}, script_{&script} {}

    [[nodiscard]] auto read(const freshet::received_message& message) -> freshet::result<update_type> {
        return script_->around("store.read", [&] { return store_->read(message); });
    }
    [[nodiscard]] auto item_of(const update_type& update) const -> std::string { return store_->item_of(update); }
    [[nodiscard]] auto last_applied(std::string_view item) -> freshet::result<std::optional<freshet::applied_mark>> {
        return script_->around("store.last_applied", [&] { return store_->last_applied(item); });
    }
    [[nodiscard]] auto apply(const update_type& update, const freshet::applied_mark& mark) -> freshet::result<void> {
        return script_->around("store.apply", [&] { return store_->apply(update, mark); });
    }

private:
    Projection* store_;
    freshet::testing::faults* script_;
};

} // namespace support
