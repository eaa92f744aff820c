#!/usr/bin/env bash
# Formats every C++ file in place (tools/format.sh), or only names those that differ (--check).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v clang-format > /dev/null || {
  echo 'format: no clang-format here; tools/setup.sh dev installs it' >&2
  exit 2
}
cd "$root"
mode=(-i)
[ "${1:-}" != --check ] || mode=(--dry-run --Werror)
find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o \
  -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
  xargs -0 -r clang-format --style=file "${mode[@]}"
