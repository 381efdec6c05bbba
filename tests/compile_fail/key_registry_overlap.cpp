// expect: two entities of a key registry match the same keys
#include <freshet/key/key_registry.hpp>

using freshet::entity;
using freshet::key_pattern;
using image = key_pattern<"IMAGE#{id:uuid}">;
using line = entity<"LINE", image, key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}">>;
using word = entity<"WORD", image, key_pattern<"RECEIPT#{receipt_id:05d}#WORD#{word_id:05d}">>;
using anything = entity<"ANYTHING", key_pattern<"IMAGE#{name}">, key_pattern<"RECEIPT#{receipt_id:05d}#{rest:*}">>;

auto use() -> bool { return freshet::key_registry<line, word, anything>::match("", "").ok(); }
