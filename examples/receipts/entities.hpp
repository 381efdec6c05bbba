#pragma once

#include <freshet/key/entity.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>

/// The items of the receipts table, by their keys.
namespace receipts {

using image_key = freshet::key_pattern<"IMAGE#{image_id:uuid}">;

using receipt_metadata =
    freshet::entity<"RECEIPT_METADATA", image_key, freshet::key_pattern<"RECEIPT#{receipt_id:05d}#METADATA">>;

using receipt_word_label = freshet::entity<
    "RECEIPT_WORD_LABEL", image_key,
    freshet::key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}#LABEL#{label}">>;

using receipt = freshet::entity<"RECEIPT", image_key, freshet::key_pattern<"RECEIPT#{receipt_id:05d}">>;

using receipt_line =
    freshet::entity<"RECEIPT_LINE", image_key, freshet::key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}">>;

using receipt_word =
    freshet::entity<"RECEIPT_WORD", image_key,
                    freshet::key_pattern<"RECEIPT#{receipt_id:05d}#LINE#{line_id:05d}#WORD#{word_id:05d}">>;

/// Other items of the table (letters, sections, summaries) match none of these.
using registry = freshet::key_registry<receipt_metadata, receipt_word_label, receipt, receipt_line, receipt_word>;

} // namespace receipts
