# Passes when the compiler refuses SOURCE with the words that its first line `// expect: <regular expression>` names.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line is not `// expect: <words>`")
endif()
set(words "${CMAKE_MATCH_1}")

set(ENV{LC_ALL} C)
# The compiler reads stdin and quotes no source, so that the words are its own and not the file's name or text.
execute_process(COMMAND ${COMPILE} -fsyntax-only -Wall -Wextra -Werror -x c++ -
  INPUT_FILE ${SOURCE} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(status EQUAL 0)
  message(NOTICE "${SOURCE}: it compiles")
elseif(said MATCHES "error: " AND said MATCHES "${words}")
  return()
else()
  message(NOTICE "${SOURCE}: refused with other words than `${words}`:\n${said}")
endif()
message(FATAL_ERROR "not refused as it should be")
