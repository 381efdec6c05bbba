#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <freshet/backend/row_key.hpp>
#include <freshet/backend/table.hpp>
#include <freshet/core/result.hpp>
#include <freshet/job/batch_steps.hpp>
#include <validation/listing.hpp>
#include <validation/stored_receipt.hpp>

namespace validation {

/// The steps of one of the jobs, whichever: they list keys of items and group them by receipt, and a batch job of them
/// is compiled once.
struct any_steps {
    using item_type = freshet::row_key;
    using group_type = freshet::item_group<item_type>;
    using counts = freshet::result<freshet::apply_counts>;
    /// What work makes of a group: its effects, to be made.
    using effects = std::function<counts(const group_type&, const freshet::apply_context&)>;

    std::function<freshet::result<key_page>(const freshet::page_request&)> list;
    std::function<freshet::result<effects>(const group_type&, const freshet::work_context&)> begin;
    std::function<counts(const group_type&, const freshet::error&, const freshet::apply_context&)> set_aside;
    std::function<freshet::result<std::vector<item_type>>(std::string_view)> load;

    [[nodiscard]] auto group_of(const freshet::row_key& key) const -> std::string { return validation::group_of(key); }
    [[nodiscard]] auto work(const group_type& group, const freshet::work_context& context) -> freshet::result<effects> {
        return begin(group, context);
    }
    [[nodiscard]] auto apply(const group_type& group, const effects& made, const freshet::apply_context& context)
        -> counts {
        return made(group, context);
    }

    template <class Steps>
    [[nodiscard]] static auto of(Steps owned) -> any_steps {
        auto steps = std::make_shared<Steps>(std::move(owned));
        const auto work = [steps](const group_type& group,
                                  const freshet::work_context& context) -> freshet::result<effects> {
            auto outcome = steps->work(group, context);
            if (!outcome) { return std::move(outcome).why(); }
            auto kept = std::make_shared<typename decltype(outcome)::value_type>(*std::move(outcome));
            return effects{[steps, kept](const group_type& same, const freshet::apply_context& under) {
                return steps->apply(same, *kept, under);
            }};
        };
        return {[steps](const freshet::page_request& request) { return steps->list(request); }, work,
                [steps](const group_type& group, const freshet::error& why, const freshet::apply_context& under) {
                    return steps->set_aside(group, why, under);
                },
                [steps](std::string_view group) { return steps->load(group); }};
    }
};

} // namespace validation
