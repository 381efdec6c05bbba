# What only this repository's own builds need: warnings, and the parts that a preset asks for.
set(FRESHET_PARTS examples tests CACHE STRING
  "What to build of: examples, tests, tests/threads, tests/servers, tests/fake_aws, tests/fuzz, bench")

enable_testing()
set_target_properties(freshet PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)
list(APPEND CMAKE_MODULE_PATH ${PROJECT_SOURCE_DIR}/cmake)
include(cmake/left_out.cmake)

foreach(part IN LISTS FRESHET_PARTS)
  add_subdirectory(${part})
endforeach()
print_left_out()
