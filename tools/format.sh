#!/usr/bin/env bash
# Formats every C++ file in place (tools/format.sh), or only names those that differ (--check).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v clang-format > /dev/null || {
  echo 'format: no clang-format here; tools/setup.sh dev installs it' >&2
  exit 2
}
cd "$root"
files() {
  find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o \
    -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0
}
if [ "${1:-}" != --check ]; then
  files | xargs -0 -r clang-format --style=file -i
  exit 0
fi
status=0
while IFS= read -r -d '' file; do
  clang-format --style=file --dry-run --Werror "$file" 2> /dev/null || {
    echo "${file#./}: not formatted; tools/format.sh does it"
    status=1
  }
done < <(files)
exit "$status"
