#pragma once

// IWYU pragma: begin_exports
#include <freshet/key/entity.hpp>
#include <freshet/key/key_field.hpp>
#include <freshet/key/key_fields.hpp>
#include <freshet/key/key_layout.hpp>
#include <freshet/key/key_overlap.hpp>
#include <freshet/key/key_pattern.hpp>
#include <freshet/key/key_registry.hpp>
#include <freshet/key/key_scan.hpp>
#include <freshet/key/key_write.hpp>
#include <freshet/key/padded_key_scan.hpp>
// IWYU pragma: end_exports
