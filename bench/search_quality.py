#!/usr/bin/env python3
"""Winnow's samplers beside Optuna's on the same functions, budgets and number of seeds.

usage: search_quality.py --bin BUILD_DIR/bench [--seeds 30] [--first-seed 0]
                         [--only tpe,cmaes,nsga2] [--keep FILE]

Optuna 3.1 (Debian's python3-optuna, so run it by /usr/bin/python3) asks one trial at a time, TPE
and CMA-ES with its defaults. Regret is the best loss of a run; for NSGA-II the hypervolume that is
missing to (1.1, 7) and an ideal corner. Printed for each case: medians, the geometric mean ratio
winnow / optuna with a 95% bootstrap interval, and the one-sided p of Wilcoxon's signed rank test
that Winnow's regret is the greater one. --keep stores Optuna's results by their seeds, and takes
them from there. The samplers were tuned on seeds below 1000: a judgement needs --first-seed 1000 or
above.
"""
import argparse
import ctypes
import json
import math
import os
import subprocess
import sys

import numpy as np
from scipy.stats import wilcoxon

HALF = {"sphere": 5.12, "rosenbrock": 2.048, "rastrigin": 5.12, "ackley": 32.768, "griewank": 600,
        "levy": 10, "styblinski_tang": 5, "schwefel": 500}
CASES = [("nsga2", "zdt1", 10, 500), ("cmaes", "rosenbrock", 5, 300), ("tpe", "sphere", 5, 100),
         ("cmaes", "rastrigin", 10, 300), ("tpe", "mixed", 8, 100), ("tpe", "conditional", 9, 100),
         ("nsga2", "zdt2", 10, 500), ("cmaes", "ackley", 20, 300), ("tpe", "rosenbrock", 5, 100),
         ("tpe", "rastrigin", 10, 100), ("cmaes", "sphere", 10, 300), ("tpe", "ackley", 10, 100),
         ("cmaes", "levy", 10, 300), ("tpe", "levy", 10, 100), ("tpe", "schwefel", 10, 100),
         ("cmaes", "griewank", 20, 300), ("cmaes", "styblinski_tang", 10, 300),
         ("nsga2", "zdt3", 30, 500), ("tpe", "styblinski_tang", 10, 100),
         ("cmaes", "schwefel", 10, 300), ("cmaes", "sphere", 40, 300),
         ("tpe", "griewank", 20, 100), ("tpe", "sphere", 40, 100), ("tpe", "rastrigin", 40, 100)]
REFERENCE = (1.1, 7.0)


def suggest(trial, name, n):
    if name == "mixed":
        return [trial.suggest_float("a", 1e-5, 1, log=True),
                trial.suggest_float("b", 1e-2, 1e3, log=True),
                trial.suggest_int("c", 1, 64), trial.suggest_int("d", 1, 12),
                trial.suggest_categorical("e", [0, 1, 2, 3]),
                trial.suggest_categorical("f", [0, 1, 2, 3]),
                trial.suggest_float("g", 0, 1), trial.suggest_float("h", 0, 1)]
    if name == "conditional":
        x = [0.0] * 9
        x[0] = trial.suggest_categorical("branch", [0, 1, 2])
        for k in (1 + 2 * x[0], 2 + 2 * x[0]):
            x[k] = trial.suggest_float(f"x{k}", 0, 1)
        x[7] = trial.suggest_float("x7", 0, 1)
        x[8] = trial.suggest_int("x8", 1, 30)
        return x
    half = HALF.get(name)
    low, high = (0, 1) if half is None else (-half, half)
    return [trial.suggest_float(f"x{i}", low, high) for i in range(n)]


def missing_volume(points):
    front, volume, last = sorted(tuple(p) for p in points), 0.0, REFERENCE[1]
    for a, b in front:
        if a < REFERENCE[0] and b < last:
            volume += (REFERENCE[0] - a) * (last - b)
            last = b
    # The lowest second loss of the three functions is above -0.8.
    return REFERENCE[0] * (REFERENCE[1] + 0.8) - volume


def run_optuna(library, method, name, n, budget, seed):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler,
            "cmaes": optuna.samplers.CmaEsSampler}[method](seed=seed)
    directions = ["minimize"] * (2 if method == "nsga2" else 1)
    study = optuna.create_study(sampler=made, directions=directions)

    def objective(trial):
        x = suggest(trial, name, n)
        raw = (ctypes.c_double * len(x))(*x)
        if method != "nsga2":
            return library.winnow_bench_loss(name.encode(), raw, len(x))
        losses = (ctypes.c_double * 2)()
        library.winnow_bench_zdt(int(name[3:]), raw, len(x), losses)
        return losses[0], losses[1]

    study.optimize(objective, n_trials=budget)
    if method == "nsga2":
        return missing_volume([t.values for t in study.trials])
    return study.best_value


def run_winnow(folder, method, name, n, budget, seeds, first_seed):
    out = subprocess.run([os.path.join(folder, "winnow_bench_search_quality"), method, name, str(n),
                          str(budget), str(seeds), str(first_seed)],
                         check=True, capture_output=True, text=True)
    rows = json.loads(out.stdout)
    return [missing_volume(r) for r in rows] if method == "nsga2" else rows


def compare(ours, theirs):
    ours, theirs = np.maximum(ours, 1e-12), np.maximum(theirs, 1e-12)
    logs = np.log(ours / theirs)
    rng = np.random.default_rng(1)
    means = np.mean(rng.choice(logs, (4000, len(logs))), axis=1)
    low, high = np.exp(np.quantile(means, [0.025, 0.975]))
    p = wilcoxon(logs, alternative="greater").pvalue if np.any(logs) else 1.0
    return math.exp(np.mean(logs)), low, high, p


def keep(path, results):
    if path:
        with open(path + ".new", "w") as f:
            json.dump(results, f)
        os.replace(path + ".new", path)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--bin", required=True)
    ap.add_argument("--seeds", type=int, default=30)
    ap.add_argument("--first-seed", type=int, default=0)
    ap.add_argument("--only", default="tpe,cmaes,nsga2")
    ap.add_argument("--keep")
    ap.add_argument("--optuna-only", action="store_true")
    a = ap.parse_args()
    library = ctypes.CDLL(os.path.join(a.bin, "libwinnow_bench_functions.so"))
    library.winnow_bench_loss.restype = ctypes.c_double
    library.winnow_bench_loss.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
    library.winnow_bench_zdt.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t,
                                         ctypes.c_void_p]
    kept = {}
    if a.keep and os.path.exists(a.keep):
        with open(a.keep) as f:
            kept = json.load(f)
    worse = []
    print(f"{'case':28} {'winnow':>10} {'optuna':>10} {'ratio':>7} {'95% interval':>16} {'p':>7}")
    for method, name, n, budget in CASES:
        if method not in a.only.split(","):
            continue
        case = f"{method} {name} d={n} n={budget}"
        known = kept.setdefault(case, {})
        for seed in range(a.first_seed, a.first_seed + a.seeds):
            if str(seed) not in known:
                known[str(seed)] = run_optuna(library, method, name, n, budget, seed)
                keep(a.keep, kept)
        if a.optuna_only:
            continue
        theirs = [known[str(seed)] for seed in range(a.first_seed, a.first_seed + a.seeds)]
        ours = run_winnow(a.bin, method, name, n, budget, a.seeds, a.first_seed)
        ratio, low, high, p = compare(ours, theirs)
        if p < 0.05:
            worse.append(case)
        print(f"{case:28} {np.median(ours):10.4g} {np.median(theirs):10.4g} {ratio:7.3f} "
              f"{low:7.3f} - {high:6.3f} {p:7.3f}", flush=True)
    print("worse at p < 0.05: " + (", ".join(worse) or "none"))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
