#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <freshet/backend/record_source.hpp>
#include <freshet/backend/series_key.hpp>
#include <freshet/core/result.hpp>

#include "plain_counts.hpp"

namespace count_bench {

inline const freshet::series_key items{"items", "acc-1"};

/// Gives the pages that it was told to, whatever it is asked for; the token of a page is its number.
template <freshet::record_order Order>
struct told_source {
    static constexpr auto order = Order;
    std::vector<std::vector<freshet::listed_record>> pages{};
    std::map<std::size_t, freshet::error> failing{}; ///< by the page's number, from 0
    std::function<void(std::size_t)> before_page = [](std::size_t) {};
    std::map<std::size_t, std::size_t> next_of{}; ///< where another page follows
    std::vector<freshet::page_request> asked{};

    auto list(const freshet::series_key&, const freshet::time_range&, const freshet::page_request& request)
        -> freshet::result<freshet::page<freshet::listed_record>> {
        asked.push_back(request);
        REQUIRE(asked.size() < 1000);
        const auto number = request.from ? std::stoul(*request.from) : 0;
        before_page(number);
        if (const auto fails = failing.find(number); fails != failing.end()) { return fails->second; }
        freshet::page<freshet::listed_record> page;
        if (number < pages.size()) { page.rows = pages[number]; }
        const auto next = next_of.contains(number) ? next_of.at(number) : number + 1;
        if (next < pages.size()) { page.next = std::to_string(next); }
        return page;
    }
};

using by_time = told_source<freshet::record_order::by_time>;
using in_any_order = told_source<freshet::record_order::any>;

} // namespace count_bench
