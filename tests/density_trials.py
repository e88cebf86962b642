"""Densities of random models against the oracle: no answer may be outside its bound.

``python tests/density_trials.py [POINTS] [SEED] [planted]`` prints a table by family and method and
ends with 1 where an answer was outside its bound. With `planted` one answer in a hundred is moved
by twice its bound, and all of those must be found.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from engines import graph_of, with_start
from phasic import NumericError, PhasicWarning
from reference.density import Answer, DensityOracle, Interval
from reference.model import Edge, Model

# Values below are neither asked for nor compared.
SMALLEST = Fraction(1, 10**290)
METHODS = ("auto", "auto", "uniformise", "contour", "dense")
MOVED_EVERY = 100


def magnitude(random: Random, decades: float) -> float:
    """A positive number, log-uniform around 1."""
    return 10.0 ** random.uniform(-decades, decades)


def started(random: Random, n: int, edges: list[Edge], **options: Any) -> Model:
    """A start in one state or in several, at times with an atom at 0 (vertex n is absorbing)."""
    start = [(random.randrange(n), 1.0, ())]
    if random.random() < 0.5:
        start += [(random.randrange(n), magnitude(random, 1), ()) for _ in range(2)]
    if random.random() < 0.3:
        start.append((n, magnitude(random, 1), ()))
    ends = 1 + max(v for _, v, _, _ in edges)
    return Model(max(ends, n + 1), start, edges, **options)


def ring(random: Random) -> Model:
    """Walked one way, with states that may be left for good; spectra far from real."""
    n, decades = random.randint(3, 18), random.choice([0.0, 0.3, 2.0])
    edges: list[Edge] = [(v, (v + 1) % n, magnitude(random, decades), ()) for v in range(n)]
    leave = magnitude(random, 3)
    edges += [(v, n, leave, ()) for v in random.sample(range(n), random.randint(1, 2))]
    return started(random, n, edges)


def digraph(random: Random) -> Model:
    """Any edges; two absorbing vertices."""
    n, decades = random.randint(2, 12), random.choice([0.5, 1.5])
    edges: list[Edge] = [(v, v + 1, magnitude(random, decades), ()) for v in range(n)]
    for _ in range(random.randint(0, 3 * n)):
        u, v = random.randrange(n), random.randrange(n + 2)
        if u != v:
            edges.append((u, v, magnitude(random, decades), ()))
    return started(random, n, edges)


def acyclic(random: Random) -> Model:
    """Edges ahead only."""
    n, decades = random.randint(2, 16), random.choice([0.0, 1.0, 3.0])
    edges: list[Edge] = [(v, v + 1, magnitude(random, decades), ()) for v in range(n)]
    for _ in range(random.randint(0, 2 * n)):
        u = random.randrange(n)
        edges.append((u, random.randint(u + 1, n), magnitude(random, decades), ()))
    return started(random, n, edges)


def birth_death(random: Random) -> Model:
    """A walk on a line with exits at its end, and rarely before."""
    n, decades = random.randint(2, 18), random.choice([0.5, 2.0])
    edges: list[Edge] = [(v, v + 1, magnitude(random, decades), ()) for v in range(n)]
    edges += [(v, v - 1, magnitude(random, decades), ()) for v in range(1, n)]
    if random.random() < 0.3:
        edges.append((random.randrange(n), n, magnitude(random, decades), ()))
    return started(random, n, edges)


def grid(random: Random) -> Model:
    """A walk on a square with a drift in each direction, absorbed in a corner."""
    side = random.randint(2, 4)
    n, rates = side * side, [magnitude(random, 1) for _ in range(4)]
    edges: list[Edge] = []
    for v in range(n):
        i, j = divmod(v, side)
        neighbours = [(i + 1, j), (i, j + 1), (i - 1, j), (i, j - 1)]
        for (k, m), rate in zip(neighbours, rates, strict=True):
            if 0 <= k < side and 0 <= m < side:
                edges.append((v, k * side + m, rate, ()))
    edges.append((n - 1, n, magnitude(random, 1), ()))
    return started(random, n, edges)


def stiff(random: Random) -> Model:
    """Rates over twelve decades."""
    n = random.randint(2, 10)
    edges: list[Edge] = [(v, v + 1, magnitude(random, 6), ()) for v in range(n)]
    for _ in range(random.randint(0, 2 * n)):
        u, v = random.randrange(n), random.randrange(n + 1)
        if u != v:
            edges.append((u, v, magnitude(random, 6), ()))
    return started(random, n, edges)


def rewarded(random: Random) -> Model:
    """What is collected in a reward that is 0 in some states."""
    model = random.choice([digraph, acyclic, birth_death, ring])(random)
    rewards = [
        random.choice([0.0, 1.0, 2.0, magnitude(random, 1)]) for _ in range(model.n_vertices)
    ]
    return Model(model.n_vertices, model.start, model.edges, rewards={"r": rewards})


def discrete(random: Random) -> Model:
    """Steps, with probabilities in multiples of 1/1024."""
    n = random.randint(1, 10)
    edges: list[Edge] = []
    for v in range(n):
        left, targets = 1024, [v + 1, *(random.randrange(n + 1) for _ in range(3))]
        for target in targets:
            share = random.randint(1, max(1, left // random.choice([2, 4, 300])))
            if share <= left and target != v:
                edges.append((v, target, share / 1024, ()))
                left -= share
    return started(random, n, edges, discrete=True)


def discrete_rewarded(random: Random) -> Model:
    """A whole number collected in each state."""
    model = discrete(random)
    rewards = [float(random.choice([0, 1, 1, 2, 5])) for _ in range(model.n_vertices)]
    return Model(model.n_vertices, model.start, model.edges, discrete=True, rewards={"r": rewards})


FAMILIES: dict[str, Callable[[Random], Model]] = {
    "ring": ring,
    "digraph": digraph,
    "acyclic": acyclic,
    "birth-death": birth_death,
    "grid": grid,
    "stiff": stiff,
    "rewarded": rewarded,
    "discrete": discrete,
    "discrete, rewarded": discrete_rewarded,
}


@dataclass
class Tally:
    """What came of the points, by (family, method asked for)."""

    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    outside: list[str] = field(default_factory=list)
    worst: dict[tuple[str, str], float] = field(default_factory=dict)  # error / bound
    moved: int = 0

    def table(self) -> str:
        lines = [f"{'family':<20}{'method':<12}{'answered':>9}{'refused':>9}{'error/bound':>13}"]
        for key in sorted({*self.answered, *self.refused}):
            family, method = key
            lines.append(
                f"{family:<20}{method:<12}{self.answered[key]:>9}{self.refused[key]:>9}"
                f"{self.worst.get(key, 0.0):>13.3g}"
            )
        lines.append(
            f"{self.answered.total()} answered, {self.refused.total()} refused, "
            f"{len(self.outside)} outside their bound"
        )
        return "\n".join(lines)


def truth_of(answer: Answer, function: str, atom: Fraction) -> Interval:
    """What one of the library's functions should give, not in logarithms."""
    if function.endswith(("pdf", "pmf")):
        return answer.density
    if function.endswith("sf"):
        return answer.survival
    return Interval(answer.distribution.lower + atom, answer.distribution.upper + atom)


def error_of(value: float, truth: Interval, logarithm: bool) -> float:
    """The error that is certain: relative, of logarithms absolute; beyond double's rounding."""
    if not logarithm:
        low = float((Fraction(value) - truth.upper) / truth.upper)
        high = float((truth.lower - Fraction(value)) / truth.upper)
        return max(low, high, 0.0)
    if not np.isfinite(value):
        return float("inf")
    middle = truth.logarithm()
    distance = abs(float(type(middle)(float(value)) - middle))
    radius = float((truth.upper - truth.lower) / truth.lower) if truth.lower else float("inf")
    return max(distance - 2 * np.finfo(float).eps * abs(value) - radius, 0.0)


def times_of(random: Random, mean: float, discrete: bool) -> list[float]:
    if discrete:
        steps = {max(1, round(mean * factor)) for factor in (0.05, 0.3, 1, 3, 10, 40)}
        return [float(k) for k in sorted({1, 2, 3, 5, *steps}) if k < 20000]
    exponents = [-8, -3, -1.5, -0.7, -0.3, 0, 0.3, 0.6, 1, 1.6]
    return sorted(mean * 10 ** (x + random.uniform(-0.2, 0.2)) for x in exponents)


def trial(tally: Tally, family: str, seed: int, planted: bool) -> None:
    """One model, ten times, three functions, one method."""
    random = Random(f"{family} {seed}")
    model = FAMILIES[family](random)
    rewards = model.rewards.get("r")
    row = None if rewards is None else with_start(rewards, model.n_vertices)
    with warnings.catch_warnings():
        # of dropped vertices and of a start that is absorbed
        warnings.simplefilter("ignore", PhasicWarning)
        distribution = graph_of(model).at([])
    mean = distribution.mean(row)
    if not mean > 0:
        return
    times = times_of(random, mean, model.discrete)
    oracle = DensityOracle(model, rewards=rewards)
    truths = oracle.answers(times)
    method = "auto" if model.discrete else random.choice(METHODS)
    prefix = random.choice(["", "log"])
    for name in ("pmf" if model.discrete else "pdf", "cdf", "sf"):
        function = prefix + name
        wanted = [truth_of(answer, function, oracle.chain.atom) for answer in truths]
        asked = [i for i, truth in enumerate(wanted) if truth.lower > SMALLEST]
        for i, value, bound in _answers(getattr(distribution, function), row, method, times, asked):
            key = family, method
            if bound is None:
                tally.refused[key] += 1
                continue
            tally.answered[key] += 1
            if planted and tally.answered.total() % MOVED_EVERY == 0:
                tally.moved += 1
                away = 2 * bound + 1e-15
                value = value + away * (1 + abs(value)) if prefix else value * (1 + away)
            error = error_of(value, wanted[i], bool(prefix))
            tally.worst[key] = max(tally.worst.get(key, 0.0), error / bound)
            if not error <= bound:
                tally.outside.append(
                    f"{family} {seed}: {function}({times[i]!r}) by {method}: "
                    f"error {error:.3g}, bound {bound:.3g}"
                )


def _answers(
    function: Any, rewards: Any, method: str, times: list[float], asked: list[int]
) -> Iterator[tuple[int, float, float | None]]:
    """Values and bounds; where all together are refused, one by one, None for what is refused."""
    try:
        found = function(
            [times[i] for i in asked], rewards=rewards, method=method, full_output=True
        )
    except NumericError as error:
        if error.code != "DENSITY_REFUSED":
            raise
        if len(asked) == 1:
            yield asked[0], 0.0, None
            return
        for i in asked:
            yield from _answers(function, rewards, method, times, [i])
        return
    for i, value, bound in zip(asked, found.value, found.bound, strict=True):
        yield i, float(value), float(bound)


def run(points: int, seed: int = 0, planted: bool = False) -> Tally:
    """At least so many points, families in turn."""
    tally = Tally()
    while tally.answered.total() + tally.refused.total() < points:
        for family in FAMILIES:
            trial(tally, family, seed, planted)
        seed += 1
    return tally


if __name__ == "__main__":
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    first_seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 1_000_000_000
    print(f"seed {first_seed}", flush=True)
    result = run(points, first_seed, "planted" in sys.argv)
    print(result.table())
    for line in result.outside[:50]:
        print("outside:", line)
    sys.exit(1 if result.outside else 0)
