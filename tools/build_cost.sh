#!/usr/bin/env bash
# What a build costs, and what costs most: builds from scratch, without the compiler cache, in a
# folder of its own, and prints the processor time of the slowest units; with --headers then, what
# the most included headers cost.
#   tools/build_cost.sh [--preset PRESET] [--top N] [--headers] [TARGET]...   (release, 20, winnow)
# Processor time is user and system time of a compiler, so other work on the machine matters little.
#   build/cost-PRESET/units.tsv     seconds, unit: all of them, linking too
#   build/cost-PRESET/headers.tsv   seconds of all units, seconds alone, units, header
set -euo pipefail

if [ "${1:-}" = --measure ]; then  # the compiler's launcher: FILE COMMAND...
  file=$2
  shift 2
  status=0
  "$@" || status=$?
  output=-
  while [ $# -gt 0 ]; do
    [ "$1" != -o ] || output=${2:-}
    shift
  done
  # The last line of `times` is of the children: 0m1.234s 0m0.056s. A pipe would ask another shell.
  times > "$file.$$"
  seconds=$(awk 'END {gsub(/[ms]/, " "); print $1 * 60 + $2 + $3 * 60 + $4}' "$file.$$")
  rm -f "$file.$$"
  printf '%s\t%s\n' "$seconds" "$output" >> "$file"
  exit "$status"
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=release top=20 headers=
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=$2 && shift ;;
    --top) top=$2 && shift ;;
    --headers) headers=yes ;;
    -*)
      sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || set -- winnow

cd "$root"
build=$root/build/cost-$preset
units=$build/units.tsv
rm -rf "$build"
mkdir -p "$build"
cmake --preset "$preset" -B "$build" -DWINNOW_CCACHE=OFF \
  "-DCMAKE_CXX_COMPILER_LAUNCHER=$root/tools/build_cost.sh;--measure;$units" \
  "-DCMAKE_CXX_LINKER_LAUNCHER=$root/tools/build_cost.sh;--measure;$units" > "$build/configure.log"
SECONDS=0
cmake --build "$build" --parallel "$(nproc)" --target "$@" > "$build/build.log" ||
  { tail -50 "$build/build.log" >&2 && exit 1; }
wall_s=$SECONDS
sort -rn -o "$units" "$units"
awk -F '\t' -v wall="$wall_s" '
  {sum += $1; n += 1; most = $1 > most ? $1 : most; if ($1 > 20) over += 1}
  END {
    printf "%.0f s of processor time in %d steps, the longest %.1f s, ", sum, n, most
    printf "%d over 20 s; %d s passed\n", over, wall
  }' "$units"
head -n "$top" "$units" | sed 's|CMakeFiles/[^/]*\.dir/||;s|\.o$||' |
  awk -F '\t' '{printf "%8.1f  %s\n", $1, $2}'
[ -n "$headers" ] || exit 0

# How many units see a header: ninja keeps what the compilers said. Those that eight and more see
# are compiled alone, with the flags of one that sees them: our own, and the doors of libraries.
ours="$root/.*\.hpp"
theirs='/usr/include/(caf/(all|io/all)|nlohmann/json|boost/[a-z]*|Eigen/Dense|CLI/CLI)(\.hpp)?'
alone() {  # HEADER UNIT: seconds
  local command
  command=$(ninja -C "$build" -t commands "$2" | grep -F -- "-o $2 " | tail -n 1)
  command=${command#*--measure "$units" }
  command=${command%% -MD *}
  command=${command/ -include *cmake_pch.hxx/ }
  (cd "$build" && bash -c "$command -fsyntax-only -x c++ '$1'; times" 2> /dev/null |
    awk 'END {gsub(/[ms]/, " "); print $1 * 60 + $2 + $3 * 60 + $4}')
}
ninja -C "$build" -t deps | awk '
  /: #deps/ {unit = $1; sub(/:$/, "", unit); next}
  NF == 1 && unit ~ /\.cpp\.o$/ {seen[$1] += 1; who[$1] = unit}
  END {for (header in seen) if (seen[header] >= 8) print seen[header], who[header], header}' |
  grep -E " ($ours|$theirs)$" | while read -r seen unit header; do
  printf '%s %s %s\n' "$(alone "$header" "$unit")" "$seen" "${header#"$root"/}"
done | awk '{printf "%.1f\t%.2f\t%d\t%s\n", $1 * $2, $1, $2, $3}' |
  sort -rn > "$build/headers.tsv"
printf '\n%8s %8s %6s  %s\n' 'in all' alone units header
head -n "$top" "$build/headers.tsv" |
  awk -F '\t' '{printf "%8.1f %8.2f %6d  %s\n", $1, $2, $3, $4}'
