# What `cmake --install` and `cpack` put where. The program finds its kernels and its configurations
# by where it lies itself, so that an installed tree can be moved: the folders below are fixed.
# Building the target `winnow` is all that installing needs.
set(winnow_kernels winnow_lanes_v2 winnow_lanes_v3 winnow_lanes_v4)
set_target_properties(winnow PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/winnow")
install(TARGETS winnow RUNTIME DESTINATION bin)
install(TARGETS ${winnow_kernels} LIBRARY DESTINATION lib/winnow)
install(DIRECTORY configs/ DESTINATION share/winnow/configs)
install(FILES README.md DESTINATION share/doc/winnow)
install(DIRECTORY docs DESTINATION share/doc/winnow FILES_MATCHING PATTERN "*.md")
install(FILES cmake/debian/copyright DESTINATION share/doc/winnow)

# The manual page and the service units are what the program says of itself.
install(CODE "
  set(winnow \"$<TARGET_FILE:winnow>\")
  set(man \"${CMAKE_SOURCE_DIR}/tools/man.sh\")
  set(made \"${CMAKE_BINARY_DIR}/installed\")")
install(SCRIPT cmake/InstallGenerated.cmake)

# The Debian package: cpack -G DEB --config BUILD/CPackConfig.cmake -B FOLDER
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME winnow)
set(CPACK_PACKAGE_VENDOR Winnow)
set(CPACK_PACKAGE_CONTACT "Winnow maintainers <maintainers@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "experiment farm for trading strategies")
set(CPACK_PACKAGE_DESCRIPTION "\
Winnow runs sweeps of many thousand variants of trading strategies over real or
simulated markets on many worker processes, keeps every result, and says which
families of variants agree. Every trial ever made is counted, and every
correction for multiple testing reads its number from there.
.
This package has the program (coordinator, worker node and command line), its
kernels for each instruction set, execution profiles and example sweeps, and
service units for a coordinator and for nodes; none of them is started.")
set(CPACK_PACKAGE_CHECKSUM SHA256)
# With DESTDIR the units name the program where it will lie, not where it is packed.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/PackageDebian.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# Zones of local times are read from files (store/), which no library asks for.
set(CPACK_DEBIAN_PACKAGE_DEPENDS tzdata)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "openssh-client, slurm-client, prometheus")
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
if(DPKG_SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  foreach(kernels ${winnow_kernels})
    list(APPEND CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS $<TARGET_FILE_DIR:${kernels}>)
  endforeach()
endif()
include(CPack)
