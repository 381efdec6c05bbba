include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/freshet)
install(TARGETS freshet EXPORT freshet FILE_SET HEADERS)
install(EXPORT freshet NAMESPACE freshet:: FILE freshet-targets.cmake DESTINATION ${config_dir})
file(CONFIGURE OUTPUT freshet-config.cmake @ONLY CONTENT
"include(CMakeFindDependencyMacro)
@find_packages@include(\${CMAKE_CURRENT_LIST_DIR}/freshet-targets.cmake)
if(TARGET date::date-tz AND NOT TARGET freshet::zones)
  add_library(freshet::zones INTERFACE IMPORTED)
  target_link_libraries(freshet::zones INTERFACE freshet::freshet date::date-tz)
endif()
")
write_basic_package_version_file(freshet-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/freshet-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/freshet-config-version.cmake DESTINATION ${config_dir})
