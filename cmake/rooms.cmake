# Fails when a header includes what its room may not know, lies in no room, or uses the preprocessor for more than
# that. Run: cmake -DROOT=<repository> -P cmake/rooms.cmake
cmake_minimum_required(VERSION 3.25)

# Rooms know themselves and these.
set(core "")
set(backend core)
set(item core backend)
set(key core)
set(work core backend)
set(cache core backend work)
set(count core backend work)
set(letter core backend item work)
set(stream core backend item key letter work)
set(job core backend item letter work)
set(verify core backend work)
set(report core work)
set(testing core backend item work)

# Other people's headers, and the headers that may include them.
set(may_nlohmann "^item/nlohmann[a-z_]*[.]hpp$")
set(may_date "^job/")
set(may_fmt "^report/")

# Brings nlohmann-json: users include it by name, and no header does.
set(bridge "^item/nlohmann[a-z_]*[.]hpp$")

# Choose by CPU, and know its instructions.
set(kernels core/sha256_blocks.hpp item/json_string_kernels.hpp)
set(of_kernels cpuid.h emmintrin.h immintrin.h)

set(standard
  algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts condition_variable
  coroutine deque exception execution filesystem format forward_list fstream functional future initializer_list iomanip
  ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric
  optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span
  sstream stack stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple
  type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
  cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef cstdint cstdio
  cstdlib cstring ctime cuchar cwchar cwctype)

function(check_include header room line)
  if(NOT line MATCHES "^#include <([a-z0-9_./]+)>( *//.*)?$")
    message(SEND_ERROR "${header}: write it as #include <...>: ${line}")
    return()
  endif()
  set(included ${CMAKE_MATCH_1})
  if(included MATCHES "^freshet(/|$)")
    if(NOT included MATCHES "^freshet/([a-z]+)/([a-z0-9_]+[.]hpp)$")
      message(SEND_ERROR "${header}: write it as #include <freshet/room/header.hpp>: ${line}")
      return()
    endif()
    set(other ${CMAKE_MATCH_1})
    if("${other}/${CMAKE_MATCH_2}" MATCHES "${bridge}")
      message(SEND_ERROR "${header}: nobody includes ${included}")
    elseif(NOT other IN_LIST ${room} AND NOT other STREQUAL room)
      message(SEND_ERROR "${header}: room ${room} may not know ${included}")
    endif()
  elseif(included IN_LIST standard OR (included IN_LIST of_kernels AND header IN_LIST kernels))
    return()
  else()
    string(REGEX MATCH "^[a-z_]+" library ${included})
    if(NOT DEFINED may_${library} OR NOT header MATCHES "${may_${library}}")
      message(SEND_ERROR "${header}: may not use ${included}")
    endif()
  endif()
endfunction()

file(REAL_PATH ${ROOT}/include include_dir)
file(GLOB_RECURSE files RELATIVE ${include_dir} ${include_dir}/*)
foreach(file IN LISTS files)
  if(file MATCHES "^freshet/[a-z_]+[.]hpp$")
    continue() # umbrellas.cmake knows them
  endif()
  if(NOT file MATCHES "^freshet/(([a-z]+)/[a-z0-9_]+[.]hpp)$")
    message(SEND_ERROR "${file}: does not lie in a room, as a header include/freshet/<room>/<name>.hpp")
    continue()
  endif()
  set(header ${CMAKE_MATCH_1})
  set(room ${CMAKE_MATCH_2})
  if(NOT DEFINED ${room})
    message(SEND_ERROR "${header}: there is no room ${room} in cmake/rooms.cmake")
    continue()
  endif()
  file(READ ${include_dir}/${file} text)
  string(REGEX REPLACE "[][;]" "." text "${text}") # CMake lists treat them as their own
  string(REGEX MATCHALL "(^|\n)([^\n\"]*[*]/)?[ \t]*(#|%:|[?][?]=)[^\n]*" lines "${text}")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^\n" "" line "${line}")
    string(REGEX REPLACE "\\\\$" "<line goes on>" line "${line}")
    if(line STREQUAL "#pragma once")
      continue()
    elseif(NOT line MATCHES "^[ \t]*#[ \t]*(define|undef|if|ifdef|ifndef|elif|else|endif)([^a-z_]|$)")
      string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*" "#include " line "${line}")
      check_include(${header} ${room} "${line}")
    elseif(NOT header IN_LIST kernels)
      message(SEND_ERROR "${header}: is no kernel, and chooses no code by ${line}")
    elseif(NOT line MATCHES "^#(if defined[(]__[A-Za-z0-9_]+__[)]|else|endif)( *//.*)?$")
      message(SEND_ERROR "${header}: write it as #if defined(__cpu__), #else, #endif: ${line}")
    endif()
  endforeach()
endforeach()
