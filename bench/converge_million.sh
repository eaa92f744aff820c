#!/usr/bin/env bash
# A stored sweep of 1,000,000 variants x 365 days through the commands: what `winnow converge`,
# `top`, `risk` and `report` take of time and memory; and the same declared as `open: search` on
# days that nobody saw, whose best part is found by sign flips.
#   bench/converge_million.sh BUILD_DIR HOME_DIR
# HOME_DIR is kept: a second run asks the same store again. `converge` is timed twice: the first
# computes and keeps the verdict, the second reads it (of the search as well).
set -euo pipefail

[ $# -eq 2 ] || {
  echo 'usage: bench/converge_million.sh BUILD_DIR HOME_DIR' >&2
  exit 2
}
winnow=$1/winnow
home=$2
mkdir -p "$home"

timed() {
  local name=$1
  shift
  /usr/bin/time -f "$name: %e s, %U s user, %S s system, %M KiB at most" "$@" > "$home/$name.out"
}

cat > "$home/market.yaml" <<'YAML'
market: million
start: 2023-01-01
interval: 1h
duration: 365d
steps_per_bar: 4
instruments:
  - name: one
    start_px: 1000
    tick_px: 0.01
    lot_qty: 0.001
    volume_per_bar: 1000000
    regimes:
      - {name: only, volatility_ann_frac: 0.5, mean_duration: 30d}
    edge: {kind: mean_reversion, half_life: 1d, sharpe_ann: 4}
YAML
cat > "$home/million.yaml" <<'YAML'
sweep: million
data: [million]
execution: none
strategies:
  - family: mean_reversion
    params:
      lookback_bars: {int: [24, 219], step: 5}
      entry_z: {float: [0.8, 2.0], step: 0.05}
      exit_z: {float: [-1.1, 0.7], step: 0.2}
      stop_bps: {int: [200, 1100], step: 100}
      max_hold_bars: {int: [24, 240], step: 24}
search: {method: grid}
YAML
sed -e 's/^sweep: .*/sweep: search/; s/^data: .*/data: [unseen]\nopen: search/' \
  "$home/million.yaml" > "$home/search.yaml"

# NAME DATASET SEED: runs a specification unless the store has it.
run_once() {
  "$winnow" sweep show "$1" --home "$home" > /dev/null 2>&1 && return
  "$winnow" data synth "$home/market.yaml" --seed "$3" --name "$2" --home "$home" > /dev/null
  timed "run_$1" "$winnow" sweep run "$home/$1.yaml" --home "$home" --quiet
}
run_once million million 1
run_once search unseen 2

timed top "$winnow" top million --home "$home"
timed converge "$winnow" converge million --home "$home"
timed converge_again "$winnow" converge million --home "$home"
timed search "$winnow" converge search --home "$home"
timed search_again "$winnow" converge search --home "$home"
timed explain "$winnow" explain million 12345 --home "$home"
timed risk "$winnow" risk million --home "$home" --paths 1000
timed bakeoff "$winnow" bakeoff million --home "$home"
timed report "$winnow" report million --out "$home/report.html" --home "$home"
