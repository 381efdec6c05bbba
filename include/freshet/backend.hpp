#pragma once

// IWYU pragma: begin_exports
#include <freshet/backend/message.hpp>
// IWYU pragma: end_exports
