// expect: an updater's load is called with a key and a freshet::deadline
#include <string>
#include <vector>

#include <adapters/memory/ttl_store.hpp>
#include <freshet/cache/updater.hpp>
#include <freshet/work/executor.hpp>

using clock_type = freshet::testing::manual_clock;

auto use(adapters::memory::ttl_store<clock_type>& store, const clock_type& clock,
         const std::vector<std::string>& keys) {
    freshet::updater update{store, clock};
    freshet::thread_executor workers{5};
    return update.run(workers, keys, [](const std::string& key) -> freshet::result<std::string> { return key; });
}
