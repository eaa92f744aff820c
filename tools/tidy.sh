#!/usr/bin/env bash
# Runs clang-tidy over the given files, or over every source of the rooms: tools/tidy.sh [FILE]...
# The compiler commands are those of the release build.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v clang-tidy > /dev/null || {
  echo 'tidy: no clang-tidy here; tools/setup.sh dev installs it' >&2
  exit 2
}
cd "$root"
[ -f build/quick/compile_commands.json ] || cmake --preset quick > /dev/null
if [ $# -eq 0 ]; then
  mapfile -t files < <(
    sed -n 's/.*"file": "\(.*\)",\{0,1\}$/\1/p' build/quick/compile_commands.json |
      grep -v '/tests/\|/build/' | sort -u)
  set -- "${files[@]}"
fi
printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -n 1 \
  clang-tidy --quiet -p build/quick --extra-arg=-Wno-unknown-warning-option
