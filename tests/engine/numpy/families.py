"""Every family once more, in NumPy: what tests/engine/numpy_test.cpp compares the engine with.

    families.py CASES.json BARS.bin

CASES.json is a list of {family, params, bars, first, last, fee, spread, cash}: fractions, bars of the
window [first, last). BARS.bin holds for each case, one after another, `bars` doubles each of ordinal
(open time over bar length), open, high, low, close. Prints for each case `case TRADES EQUITY`, then a
line for each closed trade: entry bar, exit bar, side, quantity, entry price, exit price, profit.
Formulas: docs/strategies/. Costs: a taker fee and a half-spread, all in, nothing else.
"""

import json
import sys

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

NAN = float("nan")


def windows(x, n):
    return sliding_window_view(x, n)


def padded(values, missing, length):
    out = np.full(length, missing)
    if len(values):
        out[length - len(values):] = values
    return out


def sma(x, n):
    return padded(windows(x, n).mean(axis=1) if len(x) >= n else [], NAN, len(x))


def z_score(x, n):
    if len(x) < n:
        return np.zeros(len(x))
    w = windows(x, n)
    mean = w.mean(axis=1)
    sd = w.std(axis=1)
    flat = sd <= 1e-9 * mean
    z = np.where(flat, 0.0, (x[n - 1:] - mean) / np.where(flat, 1.0, sd))
    return padded(z, 0.0, len(x))


def weighted(x, n):
    if len(x) < n:
        return np.full(len(x), NAN)
    weights = np.arange(1, n + 1)
    return padded(windows(x, n) @ weights / weights.sum(), NAN, len(x))


def exponential(x, a, bars):
    """The weighted sum over the last `bars` values, term by term."""
    if len(x) < bars:
        return np.full(len(x), NAN)
    weights = a * (1 - a) ** np.arange(bars)[::-1]
    ref = x[0]
    return padded(ref + windows(x - ref, bars) @ weights, NAN, len(x))


def ema(x, n):
    return exponential(x, 2 / (n + 1), (37 * (n + 1) + 1) // 2)


def wilder(x, n):
    return exponential(x, 1 / n, 37 * n)


def first_unknown(values):
    """Of what needs a value before its first."""
    return np.concatenate([[NAN], values])


def true_range(high, low, close):
    return np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])


def rsi(close, n):
    change = np.diff(close)
    rises = wilder(np.maximum(change, 0), n)
    falls = wilder(np.maximum(-change, 0), n)
    both = rises + falls
    flat = both <= 1e-13 * close[1:]
    with np.errstate(invalid="ignore"):
        value = np.where(flat, 50.0, 100 * rises / np.where(flat, 1.0, both))
    return first_unknown(value)


def highest_before(x, n):
    return padded(windows(x, n).max(axis=1)[:-1] if len(x) > n else [], NAN, len(x))


def lowest_before(x, n):
    return padded(windows(x, n).min(axis=1)[:-1] if len(x) > n else [], NAN, len(x))


def longer_closes(m, k):
    """Closes of bars k times as long, and the bar after which each is complete."""
    group = m["ordinal"] // k
    last = np.flatnonzero(np.append(group[1:] != group[:-1], False))
    ends = (m["ordinal"] + 1) % k == 0
    closes, complete = [], []
    whole = m["ordinal"][0] % k == 0
    for t in np.flatnonzero(ends | np.isin(np.arange(len(group)), last)):
        if group[t] == group[0] and not whole:
            continue
        if not ends[t] and t not in last:
            continue
        closes.append(m["close"][t])
        complete.append(t if ends[t] else t + 1)
    return np.array(closes), np.array(complete, dtype=int)


def at_bars(values, complete, length):
    out = np.full(length, NAN)
    for k, at in enumerate(complete):
        out[at:] = values[k]
    return out


class Family:
    stop = target = trail = hold = 0.0

    def guard(self, t):
        return self.stop, self.target, self.trail, self.hold


class MeanReversion(Family):
    def __init__(self, m, p):
        self.z = z_score(m["close"], int(p[0]))
        self.entry, self.exit = p[1], p[2]
        self.stop, self.target, self.hold = p[3] / 1e4, p[4] / 1e4, p[5]

    def want(self, t, now):
        z = self.z[t]
        if now == 0:
            return 1 if z <= -self.entry else -1 if z >= self.entry else 0
        return 0 if (z >= -self.exit if now > 0 else z <= self.exit) else now


class ZMomentum(Family):
    def __init__(self, m, p):
        self.z = z_score(m["close"], int(p[0]))
        self.entry, self.exit, self.shorts = p[1], p[2], p[6] > 0
        self.stop, self.trail, self.hold = p[3] / 1e4, p[4] / 1e4, p[5]

    def want(self, t, now):
        z = self.z[t]
        if now == 0:
            return 1 if z >= self.entry else -1 if z <= -self.entry and self.shorts else 0
        return 0 if (z <= self.exit if now > 0 else z >= -self.exit) else now


class Bollinger(Family):
    def __init__(self, m, p):
        self.z = z_score(m["close"], int(p[0]))
        self.width, self.exit, self.shorts = p[1], p[2], p[5] > 0
        self.stop, self.hold = p[3] / 1e4, p[4]
        self.zone = 0

    def want(self, t, now):
        z = self.z[t]
        before, self.zone = self.zone, -1 if z < -self.width else 1 if z > self.width else 0
        if now == 0:
            if before < 0 and self.zone >= 0:
                return 1
            return -1 if before > 0 and self.zone <= 0 and self.shorts else 0
        return 0 if (z >= self.exit if now > 0 else z <= -self.exit) else now


class RsiReversion(Family):
    def __init__(self, m, p):
        self.rsi = rsi(m["close"], int(p[0]))
        self.entry, self.exit, self.shorts = p[1], p[2], p[6] > 0
        self.stop, self.target, self.hold = p[3] / 1e4, p[4] / 1e4, p[5]

    def want(self, t, now):
        v = self.rsi[t]
        if v != v:
            return now
        if now == 0:
            return 1 if v <= self.entry else -1 if v >= 100 - self.entry and self.shorts else 0
        return 0 if (v >= self.exit if now > 0 else v <= 100 - self.exit) else now


class Donchian(Family):
    def __init__(self, m, p):
        self.close = m["close"]
        self.tops = [highest_before(m["high"], int(n)) for n in p[:2]]
        self.bottoms = [lowest_before(m["low"], int(n)) for n in p[:2]]
        n = int(p[2]) if p[3] > 0 else 1
        self.range = first_unknown(wilder(true_range(m["high"], m["low"], m["close"]), n))
        self.times, self.hold, self.shorts = p[3], p[4], p[5] > 0

    def want(self, t, now):
        c = self.close[t]
        if now > 0 and not c < self.bottoms[1][t]:
            return now
        if now < 0 and not c > self.tops[1][t]:
            return now
        if self.range[t] != self.range[t]:
            return 0
        if c > self.tops[0][t]:
            return 1
        return -1 if c < self.bottoms[0][t] and self.shorts else 0

    def guard(self, t):
        return 0.0, 0.0, self.times * self.range[t] / self.close[t], self.hold


class Cross(Family):
    def __init__(self, fast, slow, shorts):
        self.fast, self.slow, self.below = fast, slow, -1 if shorts else 0
        self.not_above = self.not_below = False

    def want(self, t, now):
        fast, slow = self.fast[t], self.slow[t]
        up = fast > slow and self.not_above
        down = fast < slow and self.not_below
        if up:
            self.not_above = False
        if down:
            self.not_below = False
        self.not_above = self.not_above or fast <= slow
        self.not_below = self.not_below or fast >= slow
        return 1 if up else self.below if down else now


def sma_cross(m, p):
    return Cross(sma(m["close"], int(p[0])), sma(m["close"], int(p[1])), p[2] > 0)


def ma_cross(m, p):
    mean = [sma, ema, weighted, wilder][int(p[0])]
    if p[3] == 1:
        values = [mean(m["close"], int(n)) for n in p[1:3]]
    else:
        closes, complete = longer_closes(m, int(p[3]))
        length = len(m["close"])
        values = [at_bars(mean(closes, int(n)), complete, length) for n in p[1:3]]
    return Cross(values[0], values[1], p[4] > 0)


FAMILIES = {
    "bollinger": Bollinger,
    "donchian": Donchian,
    "ma_cross": ma_cross,
    "mean_reversion": MeanReversion,
    "rsi_reversion": RsiReversion,
    "sma_cross": sma_cross,
    "z_momentum": ZMomentum,
}


def run(m, case):
    family = FAMILIES[case["family"]](m, case["params"])
    fee, spread, cash = case["fee"], case["spread"], case["cash"]
    op, high, low, close = m["open"], m["high"], m["low"], m["close"]
    qty = 0.0
    trades = []
    entry = None

    def leave(bar, px, at_fee):
        nonlocal cash, qty
        paid = abs(qty) * px * at_fee
        cash += qty * px - paid
        profit = qty * (px - entry["px"]) - paid - entry["fee"]
        trades.append((entry["bar"], bar, 1 if qty > 0 else -1, abs(qty), entry["px"], px, profit))
        qty = 0.0

    for t in range(case["first"], case["last"]):
        if qty != 0:
            side = 1 if qty > 0 else -1
            if entry["trail"] > 0:
                level = entry["best"] * (1 - side * entry["trail"])
                entry["stop"] = side * max(side * entry["stop"], side * level)
            adverse, kind = (low[t], high[t]) if side > 0 else (high[t], low[t])
            if side * adverse <= side * entry["stop"]:
                ref = side * min(side * op[t], side * entry["stop"])
                leave(t, ref * (1 - side * spread), fee)
            elif side * kind >= side * entry["target"]:
                leave(t, side * max(side * op[t], side * entry["target"]), 0.0)
            else:
                entry["best"] = side * max(side * entry["best"], side * kind)
        if t + 1 == case["last"]:
            break
        now = 0 if qty == 0 else 1 if qty > 0 else -1
        want = family.want(t, now)
        if now != 0 and want == now and entry["hold"] > 0 and t >= entry["bar"] + entry["hold"]:
            want = 0
        if want == now:
            continue
        if now != 0:
            leave(t + 1, op[t + 1] * (1 - now * spread), fee)
        if want != 0:
            px = op[t + 1] * (1 + want * spread)
            size = cash / (px * (1 + fee))
            stop, target, trail, hold = family.guard(t)
            infinite = float("inf")
            entry = {
                "bar": t + 1,
                "px": px,
                "fee": size * px * fee,
                "stop": px * (1 - want * stop) if stop > 0 else -want * infinite,
                "target": px * (1 + want * target) if target > 0 else want * infinite,
                "trail": trail,
                "hold": hold,
                "best": px,
            }
            cash -= want * size * px + entry["fee"]
            qty = want * size
    return trades, cash + qty * close[case["last"] - 1]


def main():
    cases = json.load(open(sys.argv[1]))
    bars = np.fromfile(sys.argv[2], dtype="<f8")
    at = 0
    for case in cases:
        n = case["bars"]
        names = ["ordinal", "open", "high", "low", "close"]
        m = {name: bars[at + i * n:at + (i + 1) * n] for i, name in enumerate(names)}
        at += len(names) * n
        trades, equity = run(m, case)
        print("case", len(trades), repr(float(equity)))
        for trade in trades:
            print(*(repr(float(v)) for v in trade))


main()
