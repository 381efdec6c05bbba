#pragma once

// IWYU pragma: begin_exports
#include <freshet/item/attribute.hpp>
#include <freshet/item/attribute_parser.hpp>
#include <freshet/item/base64.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>
#include <freshet/item/event_decoder.hpp>
#include <freshet/item/item_patch.hpp>
#include <freshet/item/json_scanner.hpp>
#include <freshet/item/json_string.hpp>
#include <freshet/item/json_string_kernels.hpp>
#include <freshet/item/name_set.hpp>
#include <freshet/item/plain_json.hpp>
#include <freshet/item/record_parser.hpp>
#include <freshet/item/same_value.hpp>
#include <freshet/item/stream_record.hpp>
// IWYU pragma: end_exports
