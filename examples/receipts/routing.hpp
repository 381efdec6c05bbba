#pragma once

#include <freshet/key/key_pattern.hpp>
#include <freshet/stream/monitored_fields.hpp>
#include <freshet/stream/routes.hpp>
#include <receipts/entities.hpp>

/// Which changes of receipts matter to the embeddings made of them, and where the news goes.
namespace receipts {

/// A receipt's merchant stands in the metadata of all its embeddings.
using metadata_fields = freshet::monitored<"canonical_merchant_name", "merchant_name", "merchant_category", "address",
                                           "phone_number", "place_id">;

/// A word's label stands in the metadata of that word's embedding alone. `label` itself is part of the item's key.
using label_fields =
    freshet::monitored<"label", "reasoning", "validation_status", "label_proposed_by", "label_consolidated_from">;

using receipt_group = freshet::key_pattern<"IMAGE#{image_id:uuid}#RECEIPT#{receipt_id:d}">;
using word_group =
    freshet::key_pattern<"IMAGE#{image_id:uuid}#RECEIPT#{receipt_id:d}#LINE#{line_id:d}#WORD#{word_id:d}">;

/// Embeddings of lines and of words are kept apart, and a queue feeds each collection.
using routes = freshet::routes<freshet::route<receipt_metadata, "lines", receipt_group>,
                               freshet::route<receipt_metadata, "words", receipt_group>,
                               freshet::route<receipt_word_label, "words", word_group>>;

} // namespace receipts
