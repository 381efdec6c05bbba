# What the tests are made of: their main, the server that fakes AWS, and a binary for each room.
find_package(Threads REQUIRED)
add_library(test_main OBJECT ${CMAKE_CURRENT_LIST_DIR}/main.cpp)
target_link_libraries(test_main PUBLIC freshet::freshet doctest::doctest Threads::Threads)
target_include_directories(test_main PUBLIC ${PROJECT_SOURCE_DIR}/examples ${CMAKE_CURRENT_LIST_DIR})

needs("tests on a fake of AWS" CURL)
if(here)
  include(${CMAKE_CURRENT_LIST_DIR}/fake_aws/server.cmake)
endif()

# Sets `rooms` in the caller's scope, and `sources_of_ROOM` for each: tests/freshet/ mirrors include/freshet/ file by
# file, tests/examples/ tests what lies in examples/, tests/adapters/ has a room a backend, which keeps the laws of
# tests/laws/.
macro(find_rooms)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/tests
    ${PROJECT_SOURCE_DIR}/tests/freshet/*.cpp ${PROJECT_SOURCE_DIR}/tests/examples/*.cpp
    ${PROJECT_SOURCE_DIR}/tests/adapters/*.cpp)
  set(rooms "")
  foreach(source IN LISTS sources)
    string(REGEX REPLACE "^(freshet/|adapters/)?([^/]+)/.*" "\\2" room ${source})
    list(APPEND rooms ${room})
    list(APPEND sources_of_${room} ${PROJECT_SOURCE_DIR}/tests/${source})
  endforeach()
  list(REMOVE_DUPLICATES rooms)
endmacro()

# Makes the program `name` of a room's tests, if the packages that they speak to are there; sets `here`.
function(add_room name)
  packages_of(${ARGN})
  needs("${name}" ${packages})
  set(here ${here} PARENT_SCOPE)
  if(NOT here)
    return()
  endif()
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE test_main ${libraries})
  if(CURL::libcurl IN_LIST libraries) # what they include is slow to compile
    target_link_libraries(${name} PRIVATE fake_aws_server)
    target_precompile_headers(${name} PRIVATE <doctest/doctest.h> <nlohmann/json.hpp> <fake_aws/server.hpp>)
  endif()
endfunction()
