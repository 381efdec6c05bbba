# The server that fakes AWS, for whoever links it first.
find_package(CURL QUIET)
find_package(Threads REQUIRED)
if(NOT TARGET fake_aws_server)
  add_library(fake_aws_server OBJECT ${CMAKE_CURRENT_LIST_DIR}/server.cpp)
  target_link_libraries(fake_aws_server PUBLIC freshet::freshet CURL::libcurl Threads::Threads)
  target_include_directories(fake_aws_server PUBLIC ${PROJECT_SOURCE_DIR}/examples ${PROJECT_SOURCE_DIR}/tests)
endif()
