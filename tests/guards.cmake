# What keeps the house in order; cmake/*.cmake and refused.cmake say what each one checks.
set(cmake_script ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -P)
add_test(NAME rooms COMMAND ${cmake_script} ${PROJECT_SOURCE_DIR}/cmake/rooms.cmake)
add_test(NAME umbrellas COMMAND ${cmake_script} ${PROJECT_SOURCE_DIR}/cmake/umbrellas.cmake)
set_tests_properties(rooms umbrellas PROPERTIES LABELS unit)

# ... and each of them notices what it is there for: a repository made of one header, which has one line too many.
function(add_misfit script name words header text)
  set(root ${CMAKE_CURRENT_BINARY_DIR}/misfits/${script}.${name})
  file(WRITE ${root}/include/${header} "#pragma once\n\n${text}\n")
  add_test(NAME ${script}.${name}
    COMMAND ${CMAKE_COMMAND} -DROOT=${root} -P ${PROJECT_SOURCE_DIR}/cmake/${script}.cmake)
  set_tests_properties(${script}.${name} PROPERTIES LABELS unit PASS_REGULAR_EXPRESSION "${words}")
endfunction()
set(any freshet/stream/any.hpp)
add_misfit(rooms tab "room key may not know freshet/item" freshet/key/any.hpp "\t#include <freshet/item/document.hpp>")
add_misfit(rooms blanks "room key may not know freshet/item" freshet/key/any.hpp
  "#  include <freshet/item/document.hpp>")
add_misfit(rooms bracket "room key may not know freshet/item" freshet/key/any.hpp
  "#include <array> // [\n#include <freshet/item/document.hpp>")
add_misfit(rooms comment "write it as" ${any} "/* */ #include <array>")
add_misfit(rooms digraph "write it as" ${any} "%:include <array>")
add_misfit(rooms continued "write it as" ${any} "#\\\ninclude <array>")
add_misfit(rooms quotes "write it as" ${any} "#include \"change.hpp\"")
add_misfit(rooms roundabout "write it as" ${any} "#include <freshet/item/../item/document.hpp>")
add_misfit(rooms umbrella "write it as" ${any} "#include <freshet/item.hpp>")
add_misfit(rooms bridge "nobody includes" ${any} "#include <freshet/item/nlohmann.hpp>")
add_misfit(rooms library "may not use sqlite3.h" ${any} "#include <sqlite3.h>")
add_misfit(rooms c_header "may not use curl/curl.h" ${any} "#include <curl/curl.h>")
add_misfit(rooms nlohmann "may not use nlohmann/json.hpp" ${any} "#include <nlohmann/json.hpp>")
add_misfit(rooms system "may not use immintrin.h" ${any} "#include <immintrin.h>")
add_misfit(rooms define "no kernel" ${any} "#define any 1")
add_misfit(rooms condition "no kernel" ${any} "# ifdef NDEBUG\n#endif")
add_misfit(rooms kernel_define "write it as" freshet/core/sha256_blocks.hpp "#define any 1")
add_misfit(rooms foreign "there is no room strem" freshet/strem/any.hpp "")
add_misfit(rooms nested "does not lie in a room" freshet/stream/deep/any.hpp "")
add_misfit(rooms suffix "does not lie in a room" freshet/stream/any.ipp "")
add_misfit(rooms outside "does not lie in a room" any.hpp "")
add_misfit(umbrellas stray "any.hpp is no umbrella" freshet/any.hpp "")

# setup.sh finds its repository through a link, takes a package of two architectures for installed, and names a CMake
# that is too old: among tools that say so.
set(tools ${CMAKE_CURRENT_BINARY_DIR}/tools)
set(one "$(printf %s \"$2\" | sed 's/-f=//; s/[$]{[^}]*}/installed/')")
file(WRITE ${tools}/dpkg-query "#!/bin/sh\none=${one}\nprintf \"$one$one\"\n")
file(WRITE ${tools}/apt-get "#!/bin/sh\nexit 1\n")
file(WRITE ${tools}/sudo "#!/bin/sh\nexit 1\n")
file(WRITE ${tools}/cmake "#!/bin/sh\n[ $1 = --version ] && echo \"cmake version $VERSION\" || echo \"$* in $PWD\"\n")
foreach(tool IN ITEMS dpkg-query apt-get sudo cmake)
  file(CHMOD ${tools}/${tool} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endforeach()
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/cmake/setup.sh ${tools}/setup SYMBOLIC)
function(add_setup_test name version words)
  add_test(NAME setup.${name} COMMAND ${tools}/setup test)
  set_tests_properties(setup.${name} PROPERTIES LABELS unit PASS_REGULAR_EXPRESSION "${words}"
    ENVIRONMENT "VERSION=${version}" ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${tools}")
endfunction()
add_setup_test(linked 3.25.0 "preset test in ${PROJECT_SOURCE_DIR}\n")
add_setup_test(newer 10.1.0 "preset test in ${PROJECT_SOURCE_DIR}\n")
add_setup_test(older 3.24.9 "setup: CMake 3.25 or newer is needed, and ${tools}/cmake is 3.24.9")

# Every header compiles alone: at the head of the test that mirrors it, or else in a file that holds nothing more.
set(build ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target)
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/*.hpp)
set(alone "")
foreach(header IN LISTS headers)
  cmake_path(REPLACE_EXTENSION header .cpp OUTPUT_VARIABLE mirror)
  set(first "")
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${mirror})
    file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/${mirror} first REGEX "^#" LIMIT_COUNT 1)
  endif()
  if(NOT first STREQUAL "#include <${header}>")
    file(CONFIGURE OUTPUT alone/${mirror} CONTENT "#include <${header}>\n")
    list(APPEND alone ${CMAKE_CURRENT_BINARY_DIR}/alone/${mirror})
  endif()
endforeach()
add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${alone})
target_link_libraries(headers_alone PRIVATE freshet::freshet)
add_test(NAME headers COMMAND ${build} headers_alone)

# Two translation units that include every header make one program.
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

# Each file in compile_fail/ is refused with the words of its first line (a line `// flags:` adds to the command); two
# controls show that the check can fail.
set(no_quotes -fno-caret-diagnostics)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(no_quotes -fno-diagnostics-show-caret)
endif()
file(GLOB refused CONFIGURE_DEPENDS compile_fail/*.cpp compile_fail/controls/*.cpp)
set(compile ${CMAKE_CXX_COMPILER} ${no_quotes} -std=c++20
  -I${PROJECT_SOURCE_DIR}/include -I${PROJECT_SOURCE_DIR}/examples)
foreach(source IN LISTS refused)
  cmake_path(GET source STEM name)
  file(STRINGS ${source} flags REGEX "^// flags: ")
  string(REPLACE "// flags: " "" flags "${flags}")
  add_test(NAME refused.${name} COMMAND ${CMAKE_COMMAND} -DSOURCE=${source} "-DCOMPILE=${compile};${flags}"
    -P ${CMAKE_CURRENT_SOURCE_DIR}/refused.cmake)
  set_tests_properties(refused.${name} PROPERTIES LABELS "build;compiler")
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
set_tests_properties(headers PROPERTIES LABELS "build;compiler")
set_tests_properties(two_units.build two_units wipe install consumer consumer.not_0.0 consumer.not_1.0 subdirectory
  PROPERTIES LABELS build)
