# Run by `cmake --install` with `winnow` (the program that was built), `man` (tools/man.sh) and
# `made` (a folder of the build): installs the manual page and the units, which the program makes
# itself. The units name the program where it is installed, for systemd wants absolute paths.
function(make name)
  file(MAKE_DIRECTORY ${made})
  execute_process(COMMAND ${ARGN} OUTPUT_FILE ${made}/${name} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${name}: '${ARGN}' ended with ${failed}")
  endif()
endfunction()

make(winnow.1 ${man} ${winnow})
file(INSTALL ${made}/winnow.1 DESTINATION ${CMAKE_INSTALL_PREFIX}/share/man/man1)

cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
if(NOT prefix MATCHES "^[-A-Za-z0-9_./+]+$")
  message(STATUS "No service units: systemd would not start ${prefix}/bin/winnow")
  return()
endif()
set(launch ${winnow} launch systemd --binary ${prefix}/bin/winnow)
make(winnow.service ${launch})
make(winnow-node.service ${launch} --settings /etc/winnow/node.conf
  --identity /etc/winnow/node.identity)
file(INSTALL ${made}/winnow.service ${made}/winnow-node.service
  DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
