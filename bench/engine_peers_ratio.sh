#!/bin/bash
# How much faster the engine is than the hand-written peers, on the same data and parameters, run in
# turns on one pinned core:
#   bench/engine_peers_ratio.sh BUILD_DIR [ROUNDS] [CPU]
# The peers' sources are looked for in $WINNOW_SHARED/peers, else ../shared/peers beside the source
# folder. Needs g++, python3 and python3-numpy. Without AVX-512 the peers' AVX-512 kernels, which do
# not compile there, are cut from a copy; with it they run too, as the bound for the generic engine.
# Exits 1 if a ratio misses its requirement or if trades disagree.
set -euo pipefail

build=${1:?usage: engine_peers_ratio.sh BUILD_DIR [ROUNDS] [CPU]}
rounds=${2:-7}
cpu=${3:-0}
source_dir=$(cd "$(dirname "$0")/.." && pwd)
peers=${WINNOW_SHARED:-$source_dir/../shared}/peers
bench=$(realpath "$build")/bench/winnow_bench_engine_peers
[ -d "$peers" ] || { echo "no peers in $peers" >&2; exit 2; }
[ -x "$bench" ] || { echo "$bench is not built" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$peers/." "$work"
chmod -R u+w "$work"
cd "$work"
mkdir -p bin data tmp

avx512=no
grep -qw avx512f /proc/cpuinfo && grep -qw avx512vl /proc/cpuinfo && avx512=yes
flags=(-O3 -march=native -std=c++20)
if [ $avx512 = no ]; then
  cut_kernels() {  # FILE KERNELS_BEGIN CALLS_BEGIN CALLS_LAST: beginnings of lines without indent
    awk -v kernels="$2" -v calls="$3" -v last="$4" '
      { line = $0; sub(/^ +/, "", line) }
      index(line, kernels) == 1 { cutting = 1 }
      /^int main/ { cutting = 0 }
      index(line, calls) == 1 { in_calls = 1 }
      !cutting && !in_calls && !/immintrin/ { print }
      in_calls && index($0, last) == 1 { in_calls = 0 }' "$1" > "$1.scalar.cpp"
    mv "$1.scalar.cpp" "$1"
  }
  # shellcheck disable=SC2016  # the text of a comment, not a command
  cut_kernels cpp/w1.cpp '// rows of `sm` hold' 'const int W = 8 * U; const long blocks' '      }'
  cut_kernels cpp/w3.cpp '// ---- AVX-512: 8 variants' '// a group: up to W variants' '      i = g;'
fi
g++ "${flags[@]}" -w cpp/w1.cpp -o bin/w1
g++ "${flags[@]}" -w cpp/w3.cpp -o bin/w3
[ $avx512 = no ] || g++ "${flags[@]}" -w cpp/w1_tiled.cpp -o bin/w1_tiled
python=/usr/bin/python3
$python gen_data.py --bars 100000 > /dev/null
$python gen_params.py > /dev/null
$python gen_params.py --profile sparse > /dev/null

$python - "$bench" "$rounds" "$cpu" $avx512 <<'PY'
import json, subprocess, sys
bench, rounds, cpu, avx512 = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "yes"
csv = "data/gbm_100000.csv"
dense, sparse = "data/w3_params_1000_5.csv", "data/w3_params_1000_5_sparse.csv"

def w3(kernel, params):
    return ["bin/w3", "--csv", csv, "--params", params, "--kernel", kernel, "--repeat", "1"]

def w1(kernel, combos):
    return ["bin/w1", "--csv", csv, "--combos", combos, "--kernel", kernel, "--repeat", "1"]

# name, engine, scalar peer, required ratio, AVX-512 peer, trades of the peer that may be open
# at the end (W3's peer counts entries, the engine closed trades: at most one a variant differs)
cases = [
    ("W3 dense, 1,000 variants", ["w3", csv, dense, "1"], w3("scalar_bl", dense), 2.0,
     w3("avx512bx2", dense), 1000),
    ("W3 sparse, 1,000 variants", ["w3", csv, sparse, "1"], w3("scalar_bl", sparse), 2.0,
     w3("avx512bx2", sparse), 1000),
    ("W1, 10,000 variants", ["w1", csv, "10000", "1"], w1("scalar", "10000"), 4.0,
     ["bin/w1_tiled", "--csv", csv, "--combos", "10000", "--tile", "512", "--u", "4",
      "--repeat", "1"], 0),
]

def run(command):
    out = subprocess.run(["taskset", "-c", cpu] + command, capture_output=True, text=True,
                         check=True)
    return json.loads(out.stdout)

def median(values):
    values = sorted(values)
    return values[len(values) // 2]

bad = 0
for name, ours, peer, required, wide, open_max in cases:
    commands = {"engine": [bench] + ours, "peer": peer}
    if avx512:
        commands["wide"] = wide
    rates = {k: [] for k in commands}
    last = {}
    for _ in range(rounds):
        for k, command in commands.items():
            last[k] = run(command)
            rates[k].append(last[k]["mbarvar_per_s"]["median"])
    mid = {k: median(v) for k, v in rates.items()}
    ratio = mid["engine"] / mid["peer"]
    trades = last["engine"]["sum_trades"]
    missing = last["peer"]["sum_trades"] - trades
    work = last["engine"]["bars"] * last["engine"]["variants"]
    kernel = last["engine"]["kernel"]
    print(f"{name}: engine ({kernel}) {mid['engine']:.0f} M bar variants/s, scalar "
          f"peer {mid['peer']:.0f}, ratio {ratio:.2f} (required {required}); "
          f"best of each {max(rates['engine']):.0f} / {max(rates['peer']):.0f}")
    print(f"  {trades:.0f} closed trades, {1000 * trades / work:.2f} a 1,000 bar variants, "
          f"peer has "
          f"{missing:.0f} more (may be up to {open_max} open at the end); engine's peak memory "
          f"{last['engine']['rss_mib']:.0f} MiB")
    if "wide" in mid:
        print(f"  hand-written AVX-512 {mid['wide']:.0f}: the engine takes "
              f"{mid['wide'] / mid['engine']:.2f} times as long (bound 1.15)")
    if ratio < required or not 0 <= missing <= open_max:
        bad = 1
sys.exit(bad)
PY
