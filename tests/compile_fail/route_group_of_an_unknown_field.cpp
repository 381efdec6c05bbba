// expect: a route's group names a field that the entity's key does not have
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/stream/routes.hpp>

using part = freshet::entity<"PART", freshet::key_pattern<"ITEM#{item_id:d}">, freshet::key_pattern<"PART#{part_id:03d}">>;
using to_parts = freshet::route<part, "parts", freshet::key_pattern<"ITEM#{item_id:d}#LINE#{line_id:d}">>;

static_assert(to_parts::queue == "parts");
