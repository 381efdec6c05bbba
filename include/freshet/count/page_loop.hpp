#pragma once

#include <cstddef>
#include <optional>

#include <freshet/backend/table.hpp>

namespace freshet {

/// Notices that pages lead back to an earlier one, and keeps one token for it, however many pages there are.
///
/// A list whose pages follow each other in a circle is found out before they came three times; one that makes up new
/// tokens for the same pages is not. Source: Brent, An Improved Monte Carlo Factorization Algorithm, 1980, section 2.
class page_loop {
public:
    /// Whether the page that this token leads to was there before; asked after each page that has a next one.
    [[nodiscard]] auto closed_by(const page_token& next) -> bool {
        if (next == seen_) { return true; }
        if (++since_ == until_) {
            seen_ = next;
            since_ = 0;
            until_ *= 2;
        }
        return false;
    }

private:
    std::optional<page_token> seen_;
    std::size_t since_{};
    std::size_t until_{1};
};

} // namespace freshet
