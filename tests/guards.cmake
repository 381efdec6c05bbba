# What keeps the house in order; cmake/*.cmake and refused.cmake say what each one checks.
set(cmake_script ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -P)
add_test(NAME rooms COMMAND ${cmake_script} ${PROJECT_SOURCE_DIR}/cmake/rooms.cmake)
add_test(NAME umbrellas COMMAND ${cmake_script} ${PROJECT_SOURCE_DIR}/cmake/umbrellas.cmake)
set_tests_properties(rooms umbrellas PROPERTIES LABELS unit)

# Every header compiles alone.
set(build ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target)
add_test(NAME headers COMMAND ${build} all_verify_interface_header_sets)

# Two translation units that include every header make one program.
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/*.hpp)
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
string(JOIN "" everything ${headers})
file(CONFIGURE OUTPUT everything/everything.hpp CONTENT "${everything}" @ONLY)
add_executable(two_units EXCLUDE_FROM_ALL two_units/main.cpp two_units/other.cpp)
target_include_directories(two_units PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/everything)
target_link_libraries(two_units PRIVATE freshet::freshet)
add_test(NAME two_units.build COMMAND ${build} two_units)
add_test(NAME two_units COMMAND two_units)
set_tests_properties(two_units.build PROPERTIES FIXTURES_SETUP two_units)
set_tests_properties(two_units PROPERTIES FIXTURES_REQUIRED two_units)

# Each file in compile_fail/ is refused with the words of its first line; two controls show that the check can fail.
set(no_quotes -fno-caret-diagnostics)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(no_quotes -fno-diagnostics-show-caret)
endif()
file(GLOB refused CONFIGURE_DEPENDS compile_fail/*.cpp compile_fail/controls/*.cpp)
set(compile ${CMAKE_CXX_COMPILER} ${no_quotes} -std=c++20
  -I${PROJECT_SOURCE_DIR}/include -I${PROJECT_SOURCE_DIR}/examples)
foreach(source IN LISTS refused)
  cmake_path(GET source STEM name)
  add_test(NAME refused.${name} COMMAND ${CMAKE_COMMAND} -DSOURCE=${source} "-DCOMPILE=${compile}"
    -P ${CMAKE_CURRENT_SOURCE_DIR}/refused.cmake)
  set_tests_properties(refused.${name} PROPERTIES LABELS build)
endforeach()
set_tests_properties(refused.compiles PROPERTIES PASS_REGULAR_EXPRESSION "it compiles")
set_tests_properties(refused.other_words PROPERTIES PASS_REGULAR_EXPRESSION "refused with other words")

# Strangers use it: installed, and as a part of their own build. Nothing of an earlier run may help them.
set(strangers ${CMAKE_CURRENT_BINARY_DIR}/strangers)
set(compiler -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE})
function(add_stranger name source)
  add_test(NAME ${name} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${strangers}/${name}
    --build-generator ${CMAKE_GENERATOR} --build-options ${compiler} ${ARGN} --test-command consumer)
endfunction()
add_test(NAME wipe COMMAND ${CMAKE_COMMAND} -E rm -rf ${strangers})
add_test(NAME install COMMAND ${CMAKE_COMMAND} --install ${CMAKE_BINARY_DIR} --prefix ${strangers}/stage)
add_stranger(consumer consumer -DCMAKE_PREFIX_PATH=${strangers}/stage -DWANTED=${PROJECT_VERSION})
foreach(wanted IN ITEMS 0.0 1.0)
  add_stranger(consumer.not_${wanted} consumer -DCMAKE_PREFIX_PATH=${strangers}/stage -DWANTED=${wanted})
  set_tests_properties(consumer.not_${wanted} PROPERTIES
    PASS_REGULAR_EXPRESSION "compatible with requested version \"${wanted}\""
    FAIL_REGULAR_EXPRESSION "Build files have been written")
endforeach()
add_stranger(subdirectory subdirectory -DFRESHET=${PROJECT_SOURCE_DIR})
set_tests_properties(wipe PROPERTIES FIXTURES_SETUP wiped)
set_tests_properties(install PROPERTIES FIXTURES_REQUIRED wiped FIXTURES_SETUP staged)
set_tests_properties(consumer consumer.not_0.0 consumer.not_1.0 PROPERTIES FIXTURES_REQUIRED staged)
set_tests_properties(subdirectory PROPERTIES FIXTURES_REQUIRED wiped)

set_tests_properties(headers two_units.build PROPERTIES RESOURCE_LOCK build)
set_tests_properties(headers two_units.build two_units wipe install consumer consumer.not_0.0 consumer.not_1.0 subdirectory
  PROPERTIES LABELS build)
