#!/usr/bin/env bash
# Configures and builds targets of a preset: tools/build.sh PRESET [TARGET]...  (default: all)
# The number of compilers follows the processors and the memory that is free.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -gt 0 ] || {
  echo 'usage: tools/build.sh PRESET [TARGET]...' >&2
  exit 2
}
preset=$1
shift
[ $# -gt 0 ] || set -- all

# A compiler that sees CAF or Eigen takes up to 1.2 GB.
jobs=$(nproc)
free_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
most=$((free_kb / 1200000))
[ "$jobs" -le "$most" ] || jobs=$most
[ "$jobs" -ge 1 ] || jobs=1

cd "$root"
log=build/$preset/configure.log
mkdir -p "build/$preset"
if ! cmake --preset "$preset" > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
exec cmake --build --preset "$preset" --parallel "$jobs" --target "$@"
