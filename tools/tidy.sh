#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy says what it asks) and fails on a finding:
#   tools/tidy.sh                 over every source of the rooms and the benchmarks
#   tools/tidy.sh --changed       over those that differ from the parent commit; of more than 40,
#                                 which would take more than three minutes, over 40 evenly spread
#   tools/tidy.sh FILE...         over these
# Each file alone, so that it says, too, what a united build does not: what it forgot to include.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v clang-tidy-16 > /dev/null || {
  echo 'tidy: no clang-tidy-16 here; tools/setup.sh lint installs it' >&2
  exit 2
}
cd "$root"
[ -f build/quick/compile_commands.json ] || cmake --preset quick > /dev/null

# Asks the processor by levels (x86-64-v3), which this compiler does not know yet.
skipped='^engine/isa\.cpp$'
# Sources that are compiled, but for tests and what is made by the build.
known=$(sed -n 's/.*"file": "\(.*\)",\{0,1\}$/\1/p' build/quick/compile_commands.json |
  sed "s|^$root/||" | grep -v "^tests/\|^build/\|$skipped" | sort -u)
case ${1:-} in
  '') mapfile -t files <<< "$known" ;;
  --changed)
    git rev-parse --quiet --verify HEAD^ > /dev/null || {
      echo 'tidy: the parent commit is not here; nothing is compared' >&2
      exit 0
    }
    mapfile -t files < <(git diff --name-only HEAD^ -- '*.cpp' | sort |
      comm -12 - <(echo "$known"))
    if [ ${#files[@]} -gt 40 ]; then
      printf "tidy: %d files differ, 40 of them are read; ./test lint reads all\n" \
        "${#files[@]}" >&2
      mapfile -t files < <(printf '%s\n' "${files[@]}" |
        awk -v n="${#files[@]}" 'int(NR * 40 / n) > int((NR - 1) * 40 / n)')
    fi
    ;;
  *) files=("$@") ;;
esac
[ ${#files[@]} -gt 0 ] || exit 0
printf 'tidy: %d files\n' "${#files[@]}" >&2
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 1 \
  clang-tidy-16 --quiet -p build/quick --extra-arg=-Wno-unknown-warning-option \
  --extra-arg=-Qunused-arguments
