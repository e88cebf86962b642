"""Writes ``values``: ``PYTHONPATH=tests python -m truth_density.make [NAME ...]``.

Needs python-flint, scipy, a C compiler with libquadmath, and hours. Every value is found in two
ways that must agree to 1e-20 in the logarithm; the first is written. The second may leave out times
at which it would take too long (`check_until`, `check_every`).

closed      closed forms in ball arithmetic
intervals   the tests' oracle, in integers (`reference.density`)
squaring    113-bit repeated squaring (exponential.c)
sweep       113-bit uniformisation (exponential.c)
settled     the same until all but the slowest decay has gone, and that decay from there on
folded      113-bit repeated squaring of the islands, told apart by size only
laplace     inverse Laplace transform in many digits; real spectra only
line        the same for any spectrum (line.py), and `intervals` in the early tail
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from flint import arb, ctx

from reference.density import Chain, DensityOracle, chain_of
from reference.model import Model
from truth_density import VALUES
from truth_density.laplace import ball, invert
from truth_density.line import invert as invert_on_line
from truth_density.models import HYPEREXPONENTIAL_RATES, MODELS, folded_islands

# Distribution or survival from 1e-300 to 1e-5, and the body between.
TIMES = json.loads(Path(__file__).with_name("times.json").read_text())
ENOUGH_BITS = 6000
AGREEMENT = Decimal("1e-20")
# Of tandem queues: `settled` walks so far, and `line` begins here, where nothing is tiny.
SETTLED = 24000
EARLY = 36
Three = tuple[Decimal, Decimal, Decimal]  # log density, log distribution, log survival


def log_of_ball(x: arb) -> Decimal:
    assert x.rel_accuracy_bits() > 100, x
    return Decimal(x.log().str(40, radius=False))


# ---- closed forms: density and survival at a time


def erlang(stages: int, t: arb) -> tuple[arb, arb]:
    x = stages * t
    terms = [(-x).exp()]
    for k in range(1, stages):
        terms.append(terms[-1] * x / k)
    return terms[-1] * stages, sum(terms[1:], terms[0])


def hyperexponential(t: arb) -> tuple[arb, arb]:
    total = sum(range(1, len(HYPEREXPONENTIAL_RATES) + 1))
    rates = [ball(Fraction(rate)) for rate in HYPEREXPONENTIAL_RATES]
    parts = [(i + 1) * (-rate * t).exp() / total for i, rate in enumerate(rates)]
    density = sum((part * rate for part, rate in zip(parts, rates, strict=True)), arb(0))
    return density, sum(parts, arb(0))


def kingman(n: int, t: arb) -> tuple[arb, arb]:
    rates = [Fraction(k * (k - 1), 2) for k in range(2, n + 1)]
    density, survival = arb(0), arb(0)
    for rate in rates:
        others = (other / (other - rate) for other in rates if other != rate)
        part = ball(math.prod(others, start=Fraction(1))) * (-ball(rate) * t).exp()
        density += part * ball(rate)
        survival += part
    return density, survival


def branch_length(n: int, t: arb) -> tuple[arb, arb]:
    """The largest of n - 1 exponentials of rate 1/2."""
    one = 1 - (-t / 2).exp()
    return (n - 1) * one ** (n - 2) * (-t / 2).exp() / 2, 1 - one ** (n - 1)


CLOSED: dict[str, Callable[[arb], tuple[arb, arb]]] = {
    "erlang-100": lambda t: erlang(100, t),
    "erlang-1000": lambda t: erlang(1000, t),
    "hyperexponential": hyperexponential,
    "kingman-67": lambda t: kingman(67, t),
    "site-frequency-20": lambda t: kingman(20, t),
    "site-frequency-30": lambda t: kingman(30, t),
    "site-frequency-20-length": lambda t: branch_length(20, t),
}


# ---- ways


class Asked(NamedTuple):
    name: str
    model: Model
    rewards: Sequence[float] | None
    times: list[Fraction]

    def chain(self) -> Chain:
        return chain_of(self.model, rewards=self.rewards)


def closed(asked: Asked) -> list[Three]:
    ctx.prec = ENOUGH_BITS
    found = []
    for time in asked.times:
        density, survival = CLOSED[asked.name](ball(time))
        found.append(tuple(map(log_of_ball, (density, 1 - survival, survival))))
    return found


def intervals(asked: Asked) -> list[Three]:
    answers = DensityOracle(asked.model, rewards=asked.rewards).answers(
        asked.times, Fraction(1, 10**25)
    )
    parts = [(a.density, a.distribution, a.survival) for a in answers]
    assert all(part.narrower_than(Fraction(1, 10**25)) for three in parts for part in three)
    return [tuple(part.logarithm() for part in three) for three in parts]


def laplace(asked: Asked) -> list[Three]:
    found = []
    for time in asked.times:
        density, survival = invert(asked.chain(), time, 640)
        # The contour's own error has no bound: the agreement with the other way is the check.
        three = (x.mid() for x in (density, 1 - survival, survival))
        found.append(tuple(Decimal(x.log().str(40, radius=False)) for x in three))
    return found


def exponential(chain: Chain, times: list[Fraction], way: str) -> list[Three]:
    fastest = max(chain.leaving)
    rate = fastest if way == "sweep" else 2 * fastest

    def text(x: Fraction) -> str:
        with localcontext() as context:
            context.prec = 45
            return str(Decimal(x.numerator) / Decimal(x.denominator))

    edges = [(i, j, w) for i, row in enumerate(chain.rows) for j, w in row.items()]
    lines = [way, f"{len(chain.rows)} {len(edges)} {len(times)}", text(rate)]
    lines += [text(x) for x in (*chain.alpha, *chain.exits)]
    lines += [f"{i} {j} {text(w)}" for i, j, w in edges]
    lines += [text(t) for t in times]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "exponential"
        source = Path(__file__).with_name("exponential.c")
        libraries = ["-lquadmath", "-lm"]
        subprocess.run(["cc", "-O2", source, *libraries, "-o", program], check=True)
        output = subprocess.run(
            [program], input="\n".join(lines), capture_output=True, text=True, check=True
        ).stdout
    with localcontext() as context:
        context.prec = 40
        return [tuple(Decimal(x).ln() for x in line.split()) for line in output.splitlines()]


def squaring(asked: Asked) -> list[Three]:
    return exponential(asked.chain(), asked.times, "squaring")


def sweep(asked: Asked) -> list[Three]:
    return exponential(asked.chain(), asked.times, "sweep")


def settled(asked: Asked) -> list[Three]:
    """Where density and survival have the same ratio at two times, they keep it: alpha e^{St} is a
    left eigenvector by then."""
    walked = [time for time in asked.times if time <= SETTLED]
    found = sweep(asked._replace(times=walked))
    with localcontext() as context:
        context.prec = 40
        earlier, rate = ((three[0] - three[2]).exp() for three in found[-2:])
        assert abs(earlier / rate - 1) < Decimal("1e-27"), asked.name
        for time in asked.times[len(walked) :]:
            waited = time - walked[-1]
            passed = Decimal(waited.numerator) / Decimal(waited.denominator)
            survival = found[len(walked) - 1][2] - rate * passed
            found.append((survival + rate.ln(), (1 - survival.exp()).ln(), survival))
    return found


def line(asked: Asked) -> list[Three]:
    early = [time for time in asked.times if time <= EARLY]
    found = intervals(asked._replace(times=early))
    for time in asked.times[len(early) :]:
        density, survival = invert_on_line(asked.chain(), time)
        # The error of the summation has no bound: the agreement with the other way is the check.
        three = (x.mid() for x in (density, 1 - survival, survival))
        found.append(tuple(Decimal(x.log().str(40, radius=False)) for x in three))
    return found


def folded(asked: Asked) -> list[Three]:
    n = int(asked.name.split("-")[1])
    chain = chain_of(folded_islands(n, asked.model.theta[1]))
    return exponential(chain, asked.times, "squaring")


class Plan(NamedTuple):
    first: Callable[[Asked], list[Three]]
    second: Callable[[Asked], list[Three]]
    check_until: float = math.inf
    check_every: int = 1
    model: str | None = None
    reward: str | None = None


MIGRATION = ("0.001", "1", "1000")
PLANS = {
    "erlang-100": Plan(closed, squaring),
    "erlang-1000": Plan(closed, sweep),
    "hyperexponential": Plan(closed, squaring),
    "kingman-67": Plan(closed, squaring),
    "site-frequency-20": Plan(closed, sweep, 100),
    "site-frequency-20-length": Plan(
        closed, sweep, 100, model="site-frequency-20", reward="length"
    ),
    "site-frequency-30": Plan(closed, sweep, 5),
    **{f"islands-10-{m}": Plan(squaring, laplace, check_every=3) for m in MIGRATION},
    **{f"islands-20-{m}": Plan(folded, laplace, check_every=5) for m in MIGRATION},
    **{f"islands-40-{m}": Plan(folded, laplace, check_every=7) for m in MIGRATION},
    "tandem-50": Plan(settled, line, check_every=5),
    "stiff-60": Plan(intervals, squaring),
    "nearly-decomposable-100": Plan(squaring, intervals, check_every=7),
    "ring-20-slow": Plan(intervals, squaring),
    "ring-20-fast": Plan(intervals, squaring),
    "lap-20": Plan(intervals, squaring),
}


def make(name: str, plan: Plan) -> None:
    model = MODELS[plan.model or name]()
    rewards = model.rewards[plan.reward] if plan.reward else None
    times = TIMES[name]
    asked = Asked(name, model, rewards, [Fraction(t) for t in times])
    found = plan.first(asked)
    checked = [i for i, t in enumerate(times) if t <= plan.check_until][:: plan.check_every]
    other = plan.second(asked._replace(times=[asked.times[i] for i in checked]))
    pairs = [(found[i], three) for i, three in zip(checked, other, strict=True)]
    worst = max(abs(x - y) for mine, three in pairs for x, y in zip(mine, three, strict=True))
    ways = f"{plan.first.__name__}, {plan.second.__name__}"
    print(f"{name}: {ways} agree to {worst:.1e} at {len(checked)} times", flush=True)
    assert worst < AGREEMENT, name
    written = {
        "model": plan.model or name,
        "reward": plan.reward,
        "ways": ways,
        "times": times,
        **{
            key: [f"{three[i]:.20g}" for three in found]
            for i, key in enumerate(("log_f", "log_F", "log_S"))
        },
    }
    VALUES.mkdir(exist_ok=True)
    (VALUES / f"{name}.json").write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:] or PLANS:
        make(name, PLANS[name])
