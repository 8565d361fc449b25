# cmake --install: headers, static libraries, find_package(mdp), pkg-config; and the .deb of CPack.
# Plugins and the program install themselves where they are declared.
include(CMakePackageConfigHelpers)

set(mdp_installed "")
foreach(component IN ITEMS base buffer wire engine transport plugin runtime capi
    messaging_raw)
  if(TARGET mdp_${component})
    list(APPEND mdp_installed mdp_${component})
    set_target_properties(mdp_${component} PROPERTIES EXPORT_NAME ${component})
  endif()
endforeach()
# Boost.DLL is headers only and private to the loader: who uses the built library does not need it.
get_target_property(mdp_plugin_links mdp_plugin INTERFACE_LINK_LIBRARIES)
list(FILTER mdp_plugin_links EXCLUDE REGEX "Boost::")
set_property(TARGET mdp_plugin PROPERTY INTERFACE_LINK_LIBRARIES ${mdp_plugin_links})

install(TARGETS ${mdp_installed} EXPORT mdp_targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
set(mdp_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/mdp")
install(EXPORT mdp_targets NAMESPACE mdp:: DESTINATION "${mdp_config_dir}")

set(MDP_INSTALL_PLUGIN_DIR "${CMAKE_INSTALL_LIBDIR}/mdp/plugins")
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/mdpConfig.cmake.in" "${CMAKE_BINARY_DIR}/mdpConfig.cmake"
  INSTALL_DESTINATION "${mdp_config_dir}" PATH_VARS MDP_INSTALL_PLUGIN_DIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/mdpConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/mdpConfig.cmake" "${CMAKE_BINARY_DIR}/mdpConfigVersion.cmake"
  DESTINATION "${mdp_config_dir}")

# Relative to the .pc file, so that an installed tree may be moved; libdir may be lib or lib/<arch>.
file(RELATIVE_PATH mdp_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" MDP_PC_PREFIX "\${pcfiledir}/${mdp_up}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/mdp.pc.in" "${CMAKE_BINARY_DIR}/mdp.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/mdp.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/scenarios/"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/mdp/scenarios" FILES_MATCHING PATTERN "*.json")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mdp)
set(CPACK_PACKAGE_CONTACT "The MDP authors <mdp@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libexpected-dev, libfmt-dev")
include(CPack)
