#!/usr/bin/env python3
"""Suggestions a second of Winnow's samplers beside Optuna's, in one session on one processor.

usage: taskset -c 0 /usr/bin/python3 bench/search_speed_ratio.py --bin BUILD_DIR/bench [--asks 40]

40 parameters, a history of 1,000 random trials, each suggestion told before the next (NSGA-II: by
populations of 50). Winnow also after 100,000 trials, to see whether it stays flat. Optuna 3.1
(Debian's python3-optuna) keeps its trials in memory, its fastest storage. Winnow's figure is the
median of 5 repetitions and includes telling; the ratio is Winnow's over Optuna's at n = 1,000.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

DIMENSIONS, HISTORY = 40, 1000
METHODS = ("tpe", "cmaes", "nsga2")


def winnow_rates(folder):
    out = subprocess.run(
        [os.path.join(folder, "winnow_bench_search_suggestions"), "--benchmark_filter=/",
         "--benchmark_repetitions=5", "--benchmark_report_aggregates_only=true",
         "--benchmark_format=json"], check=True, capture_output=True, text=True)
    rates = {}
    for b in json.loads(out.stdout)["benchmarks"]:
        if b.get("error_occurred"):
            sys.exit(f"{b['name']}: {b['error_message']}")
        if b.get("aggregate_name") != "median":
            continue
        _, method, n = b["run_name"].split("/")[:3]
        rates[method, int(n)] = b["items_per_second"]
    return rates


def optuna_rate(method, asks):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = {"tpe": optuna.samplers.TPESampler, "cmaes": optuna.samplers.CmaEsSampler,
               "nsga2": optuna.samplers.NSGAIISampler}[method](seed=1)
    several = method == "nsga2"
    study = optuna.create_study(sampler=sampler, directions=["minimize"] * (2 if several else 1))
    rng = np.random.default_rng(1)
    names = [f"x{i}" for i in range(DIMENSIONS)]

    def losses(x):
        loss = float(np.sum((x - 0.3) ** 2))
        return [loss, abs(float(x[0]) - 0.6) + float(x[1])] if several else [loss]

    def ask_and_tell():
        trial = study.ask()
        study.tell(trial, losses(np.array([trial.suggest_float(name, 0, 1) for name in names])))

    if method == "tpe":
        uniform = {name: optuna.distributions.FloatDistribution(0, 1) for name in names}
        for _ in range(HISTORY):
            x = rng.uniform(size=DIMENSIONS)
            study.add_trial(optuna.trial.create_trial(
                params=dict(zip(names, x)), distributions=uniform, values=losses(x)))
    else:
        # These two keep a state of their own with each trial, so they must have asked for them.
        for _ in range(HISTORY):
            ask_and_tell()
    start = time.perf_counter()
    for _ in range(asks):
        ask_and_tell()
    return asks / (time.perf_counter() - start)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--bin", required=True)
    ap.add_argument("--asks", type=int, default=40)
    a = ap.parse_args()
    ours = winnow_rates(a.bin)
    slow = []
    print(f"{'method':8} {'winnow/s 1,000':>15} {'100,000':>10} {'flat':>6} {'optuna/s':>10} "
          f"{'ratio':>7}")
    for method in METHODS:
        theirs = optuna_rate(method, a.asks)
        near, far = ours[method, 1000], ours[method, 100_000]
        print(f"{method:8} {near:15.0f} {far:10.0f} {near / far:6.2f} {theirs:10.1f} "
              f"{near / theirs:7.1f}", flush=True)
        if near < 20 * theirs or near > 2 * far:
            slow.append(method)
    print("below 20 times Optuna, or not flat within 2: " + (", ".join(slow) or "none"))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
