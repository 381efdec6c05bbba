// expect: side_of is called with a const row and answers with a std::optional<freshet::series_side>
#include <optional>
#include <string>
#include <vector>

#include <freshet/count/recount_trigger.hpp>

void use(const std::vector<freshet::watched_table>& tables, const freshet::change<std::string>& what) {
    freshet::recount_trigger trigger{tables, [](const int&) { return std::optional<freshet::series_side>{}; }};
    trigger.add("items", what, {});
}
