// expect: a route names its queue
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/stream/routes.hpp>

using part = freshet::entity<"PART", freshet::key_pattern<"ITEM#{item_id:d}">>;
using to_parts = freshet::route<part, "", freshet::key_pattern<"ITEM#{item_id:d}">>;

static_assert(to_parts::queue.empty());
