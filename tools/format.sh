#!/usr/bin/env bash
# Formats every C++ file in place (tools/format.sh), or only names those that differ (--check).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v clang-format > /dev/null || {
  echo 'format: no clang-format here; tools/setup.sh test installs it' >&2
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
# It fails where a file differs, and says so at each place of each file.
differ=$(files | xargs -0 -r -n 64 -P "$(nproc)" clang-format --style=file --dry-run --Werror 2>&1 |
  sed -n 's/^\(.*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u || true)
[ -n "$differ" ] || exit 0
sed 's/^\(\.\/\)\{0,1\}\(.*\)/\2: not formatted; tools\/format.sh does it/' <<< "$differ"
exit 1
