#!/usr/bin/env bash
# Prints the table of what the house is like beside its goals: functions, files, cycles, contracts,
# tests. Built with the house's own tests, which hold the rules: tools/house.sh [PRESET]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-relassert}
cd "$root"
tools/build.sh "$preset" winnow_test_house > /dev/null
"build/$preset/tests/house/winnow_test_house" --gtest_filter='HouseTable.IsPrinted' |
  grep -v '^\[\|^Note: \|^Running '
