# cmake -D ROOT=dir -D OUTPUT=file [-D COMMIT=name] -P Commit.cmake
# Writes the unit that knows which commit is built (cli/commit.hpp): what git says of the checkout
# at ROOT, with `-dirty` where a file of it was changed since; `unknown` without git or outside of a
# checkout. COMMIT, where it is not empty, is believed instead: for builds of an unpacked archive.
# Runs in every build; the output is touched only when the commit changes.
function(ask_git out)
  # Where a hook of git's builds, git's own variables name what that commits.
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=GIT_DIR --unset=GIT_WORK_TREE
    --unset=GIT_INDEX_FILE GIT_OPTIONAL_LOCKS=0 git -C ${ROOT} ${ARGN}
    OUTPUT_VARIABLE said RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    set(said "no answer")
  endif()
  set(${out} "${said}" PARENT_SCOPE)
endfunction()

if(NOT COMMIT)
  # A folder in somebody else's checkout has a prefix there, and no commit of its own.
  ask_git(prefix rev-parse --show-prefix)
  if(prefix STREQUAL "")
    ask_git(COMMIT describe --always --dirty --abbrev=12 "--match=v[0-9]*")
  endif()
endif()
if(NOT "${COMMIT}" MATCHES "^[-A-Za-z0-9._+~]+$")
  set(COMMIT unknown)
endif()
file(WRITE ${OUTPUT}.new "// Written by the build.
#include \"cli/commit.hpp\"

namespace winnow::cli {
std::string_view commit() { return \"${COMMIT}\"; }
}  // namespace winnow::cli
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.new)
