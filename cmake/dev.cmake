# What only this repository's own builds need: warnings, and the parts that a preset asks for.
set(FRESHET_PARTS examples tests CACHE STRING
  "What to build of: examples, tests, tests/threads, tests/servers, tests/fake_aws, tests/fuzz, tests/soak, bench")

enable_testing()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU) # which spends a tenth of its time on collecting garbage that memory has room for
  add_compile_options(--param=ggc-min-heapsize=1000000)
endif()
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow)
list(APPEND CMAKE_MODULE_PATH ${PROJECT_SOURCE_DIR}/cmake)
include(cmake/left_out.cmake)

foreach(part IN LISTS FRESHET_PARTS)
  add_subdirectory(${part})
endforeach()
print_left_out()
