# cmake -D ROOT=dir -D FILES="a;b" -D OUTPUT=file -P HashSources.cmake
# Writes the unit that knows the content hash of FILES (relative to ROOT): names and bytes, so that
# neither times nor places count. The output is touched only when the hash changes.
set(listed "")
list(SORT FILES)
foreach(file ${FILES})
  file(SHA256 ${ROOT}/${file} hash)
  string(APPEND listed "${hash} ${file}\n")
endforeach()
string(SHA256 all "${listed}")
string(SUBSTRING ${all} 0 32 all)
file(WRITE ${OUTPUT}.new "// Written by the build.
#include \"engine/source_hash.hpp\"

namespace winnow::engine {
std::string_view source_hash() { return \"${all}\"; }
}  // namespace winnow::engine
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUTPUT}.new)
