// Random histories of a table: after each, recounts of the times that its changes have marked have made the counts what
// a plain count of its rows says.
#include <cstddef>
#include <cstdio>

#include <support/cases.hpp>

#include "../freshet/count/recount_world.hpp"

auto main() -> int {
    constexpr std::size_t usual = 100'000;
    const auto seed = support::seed();
    const auto histories = support::cases(usual);
    count_bench::world_facts facts;
    for (std::size_t i = 0; i != histories; ++i) {
        if (!count_bench::short_history_holds(seed + i, facts)) {
            std::printf("history of seed %llu: the counts are not what the rows say\n",
                        static_cast<unsigned long long>(seed + i));
            return 1;
        }
    }
    std::printf("seed %llu: %zu histories, all counted right: %zu records, %zu runs failed, %zu writes while listed\n",
                static_cast<unsigned long long>(seed), histories, facts.records, facts.failed, facts.while_listed);
    const bool mixed = facts.records > histories && facts.failed > histories / 100 && facts.while_listed > histories;
    if (histories < 1'000) { std::puts("so few histories need not have met everything"); }
    return mixed || histories < 1'000 ? 0 : 1; // histories in which nothing happens would show little
}
