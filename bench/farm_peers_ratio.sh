#!/bin/bash
# Trials a second through the whole farm beside what a user would otherwise take from Debian:
# dask.distributed (client.map, in batches) and Slurm job arrays, in one run on the same machine, in
# turns:
#   bench/farm_peers_ratio.sh BUILD_DIR [ROUNDS]
# A trial of ours does nothing but give 33 metrics, which are committed with sync before they count
# and ranked; a task of the peers returns one number and is forgotten. The peers' programs are
# looked for in $WINNOW_SHARED/peers, else ../shared/peers beside the source folder. Needs the
# packages python3-distributed, slurmctld, slurmd, slurm-client, munge and bc; Slurm also root (it
# is left out with a note without). Exits 1 if a peer is faster.
set -euo pipefail

build=${1:?usage: farm_peers_ratio.sh BUILD_DIR [ROUNDS]}
rounds=${2:-3}
source_dir=$(cd "$(dirname "$0")/.." && pwd)
peers=${WINNOW_SHARED:-$source_dir/../shared}/peers
bench=$(realpath "$build")/bench/winnow_bench_farm
[ -d "$peers" ] || { echo "no peers in $peers" >&2; exit 2; }
[ -x "$bench" ] || { echo "$bench is not built" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$peers/." "$work"
chmod -R u+w "$work"
mkdir -p "$work/results" "$work/tmp" "$work/farm"
cd "$work"

slurm=yes
for program in slurmctld slurmd munged sbatch bc; do
  command -v "$program" > /dev/null || slurm=no
done
[ "$(id -u)" = 0 ] || slurm=no
dask=yes
/usr/bin/python3 -c 'import distributed' 2> /dev/null || dask=no

ours() {
  WINNOW_BENCH_DIR=$work/farm "$bench" --benchmark_filter='NoopTrials/2' \
    --benchmark_format=json 2> /dev/null |
    /usr/bin/python3 -c 'import json, sys
rows = [b for b in json.load(sys.stdin)["benchmarks"] if "items_per_second" in b]
print(rows[0]["items_per_second"])'
}
last_rate() {  # FILE KEY: the median of the last line
  /usr/bin/python3 -c 'import json, sys
print(json.loads(open(sys.argv[1]).read().splitlines()[-1])[sys.argv[2]]["median"])' "$1" "$2"
}

: > rates
for _ in $(seq "$rounds"); do
  echo "winnow $(ours)" >> rates
  if [ $dask = yes ]; then
    /usr/bin/python3 w5_dask.py --n 10000 --workers 2 --mode batch --repeat 1 > /dev/null 2>&1
    echo "dask $(last_rate results/w5_dask.jsonl tasks_per_s)" >> rates
  fi
  if [ $slurm = yes ]; then
    bash w5_slurm.sh 200 2 1 > /dev/null 2>&1 || true
    [ -s results/w5_slurm.jsonl ] &&
      echo "slurm $(last_rate results/w5_slurm.jsonl jobs_per_s)" >> rates
  fi
done
[ $dask = yes ] || echo "dask.distributed is not installed: left out" >&2
[ $slurm = yes ] || echo "Slurm is not installed, or this is not root: left out" >&2

/usr/bin/python3 - rates <<'PY'
import statistics, sys
rates = {}
for line in open(sys.argv[1]):
    name, rate = line.split()
    rates.setdefault(name, []).append(float(rate))
ours = statistics.median(rates["winnow"])
slower = False
for name, values in rates.items():
    mid = statistics.median(values)
    print(f"{name:8} {mid:12,.1f} trials/s (least {min(values):,.1f}, most {max(values):,.1f}, "
          f"{len(values)} rounds); winnow is {ours / mid:,.1f} times as fast")
    slower = slower or mid > ours
sys.exit(slower)
PY
