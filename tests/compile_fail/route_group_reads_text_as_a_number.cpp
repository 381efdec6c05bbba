// expect: a route's group takes a field for a number that is text in the entity's key
#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/stream/routes.hpp>

using part = freshet::entity<"PART", freshet::key_pattern<"ITEM#{item_id:d}">, freshet::key_pattern<"LABEL#{label}">>;
using to_parts = freshet::route<part, "parts", freshet::key_pattern<"ITEM#{item_id:d}#LABEL#{label:d}">>;

static_assert(to_parts::queue == "parts");
