#pragma once

namespace support {

/// Where a program's data are; `none`: the command line does not say.
enum class backend { none, memory, sqlite, aws, graphql };

} // namespace support
