#!/usr/bin/env bash
# Configures and builds targets of a preset: tools/build.sh PRESET [TARGET]...  (default: all)
# The number of compilers follows the processors and the memory that is free. In a terminal one line
# shows how far it is; elsewhere, a line every few seconds.
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

build() {
  cmake --build --preset "$preset" --parallel "$jobs" --target "$@"
}
if [ -t 1 ]; then
  NINJA_STATUS='[%f of %t, %p, %es] ' build "$@"
  exit 0
fi

# shown SECONDS: passes on what compilers say, and says every so many seconds how far ninja is.
shown() {
  local every=$1 next=$1 step='' line='' part=''
  while true; do
    if IFS= read -r -t "$every" part; then
      line+=$part
      case $line in
        '@@'*) step=${line#@@} step=${step%%@@*} step=${step/( /(} ;;
        *) printf '%s\n' "$line" ;;
      esac
      line=
    elif [ $? -gt 128 ]; then
      line+=$part  # a line whose end has not come yet
    else
      break
    fi
    if [ "$SECONDS" -ge "$next" ] && [ -n "$step" ]; then
      printf 'build: %s, %d s\n' "$step" "$SECONDS"
      next=$((SECONDS + every))
    fi
  done
  [ -z "$step" ] || printf 'build: %s, %d s\n' "$step" "$SECONDS"
}
SECONDS=0
NINJA_STATUS='@@%f of %t (%p)@@' build "$@" 2>&1 | shown 5
